"""Actions on the way to a person."""

from __future__ import annotations

from typing import Any

from actions import speech
from actions.answers import HUMAN, Answers
from actions.sdk import Action, ActiveLoop, CollectingDispatcher, EventType, SlotSet, Tracker
from bot.model import Command, Route, Say, Trace

_SURE = 0.8
_MISSES = 2
_LEAVE = (ActiveLoop(None), SlotSet("requested_slot", None))


def hand_off(dispatcher: CollectingDispatcher, tracker: Tracker, reason: str) -> list[EventType]:
    """Ask the turn for a person; it says what happens next, and when."""
    topic = tracker.get_slot("article")
    speech.command(dispatcher, Command("handoff", {"reason": reason, "topic": topic}))
    speech.trace(dispatcher, Trace(Route.HANDOFF, topic))
    return speech.slots(misses=0, offer=None)


class HandOff(Action):  # type: ignore[misc]  # untyped
    """The resident wants a person."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_handoff"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Hand over."""
        return hand_off(dispatcher, tracker, "asked")


class HandOffFromForm(HandOff):
    """The same in the middle of a form, which ends with it."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_callback_handoff"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Leave the form and hand over."""
        return [*hand_off(dispatcher, tracker, "asked"), *_LEAVE]


class Affirm(Action):  # type: ignore[misc]  # untyped
    """ "Ja": to what we offered last, if anything."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def name(self) -> str:
        """Its name in the domain."""
        return "action_affirm"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Do what was offered."""
        kind, _, value = str(tracker.get_slot("offer") or "").partition(":")
        if kind == HUMAN:
            return hand_off(dispatcher, tracker, "offered")
        if kind == "article":
            return speech.give(dispatcher, self._answers.chosen(value, speech.topic(tracker)))
        return _reply(dispatcher, "affirmed")


class Deny(Action):  # type: ignore[misc]  # untyped
    """ "Nee": to what we offered last, if anything."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_deny"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Take the offer back and go on."""
        return _reply(dispatcher, "something_else" if tracker.get_slot("offer") else "denied")


class Unhelpful(Action):  # type: ignore[misc]  # untyped
    """The answer did not help, or there was none yet."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_unhelpful"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Hand over; where nothing was answered yet, the first time offer it."""
        topic = speech.topic(tracker)
        if topic.article or topic.misses + 1 >= _MISSES:
            speech.say(dispatcher, Say("unhelpful"))
            events = hand_off(dispatcher, tracker, "unhelpful")
            return [*events, *_LEAVE] if topic.in_form else events
        speech.say(dispatcher, Say("unhelpful_yet"))
        speech.trace(dispatcher, Trace(Route.HANDOFF))
        return speech.slots(misses=topic.misses + 1, offer=HUMAN)


class Talk(Action):  # type: ignore[misc]
    """Small talk: one phrase, named after what was meant."""

    def __init__(self, phrase: str) -> None:
        self._phrase = phrase

    def name(self) -> str:
        """No name in the domain: its rules say the phrase themselves. This is for messages in doubt."""
        return f"talk_{self._phrase}"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Say it."""
        return _reply(dispatcher, self._phrase)


class OutOfScope(Action):  # type: ignore[misc]  # untyped
    """Not for a municipality; unless the knowledge base is sure that it is."""

    _route, _phrase = Route.OUT_OF_SCOPE, "out_of_scope"

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def name(self) -> str:
        """Its name in the domain."""
        return f"action_{self._phrase}"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Answer, or say what we are for. The less sure the message was understood, the more the search decides."""
        answer = await self._answers.find(speech.text(tracker), speech.topic(tracker))
        doubt = speech.confidence(tracker) < _SURE
        if answer.trace.route is Route.ANSWER or (doubt and answer.trace.route is Route.CLARIFY):
            return speech.give(dispatcher, answer)
        speech.say(dispatcher, Say(self._phrase))
        speech.trace(dispatcher, Trace(self._route))
        return speech.slots(offer=None)


class Insult(OutOfScope):
    """Abuse gets calm words and a way to a person; a question in it gets its answer."""

    _route, _phrase = Route.SMALLTALK, "insult"


def _reply(dispatcher: CollectingDispatcher, phrase: str) -> list[EventType]:
    speech.say(dispatcher, Say(phrase))
    speech.trace(dispatcher, Trace(Route.SMALLTALK))
    return speech.slots(offer=None)
