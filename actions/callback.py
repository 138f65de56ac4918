"""The form in which a resident asks to be called back: phone number, part of the day, topic, and a last look.

Rasa runs the form: it asks, and it goes back to it after a question in between. It calls `validate_callback_form` after
each message. That gives a value, or says what is wrong (Rasa then asks again), or gives nothing at all: then the
message was no answer, and the rules decide, just as outside of the form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from actions import callback_answers as answers
from actions import speech
from actions.sdk import Action, ActiveLoop, CollectingDispatcher, EventType, SlotSet, Tracker
from bot.model import Command, Route, Say, Trace

FORM = "callback_form"
SLOTS = ("callback_phone", "callback_when", "callback_topic", "callback_confirm", "callback_change")
_EMPTY: Mapping[str, Any] = dict.fromkeys(SLOTS)
_LEAVING = frozenset({"cancel", "human"})
_ANSWERING = frozenset({"inform", "affirm", "callback"})
"""Intents that no rule has a use for while the form waits for an answer."""

Filled = Mapping[str, Any] | None
"""New values of slots; None where the message was no answer."""


class ValidateCallback(Action):  # type: ignore[misc]  # untyped
    """Takes what it can use from a message."""

    def name(self) -> str:
        """Its name in the domain."""
        return f"validate_{FORM}"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """The slots that the message fills."""
        if speech.came_back(tracker, FORM):
            return []
        requested = tracker.get_slot("requested_slot")
        if requested not in _READERS:
            return speech.slots(**{**_EMPTY, **_said_at_once(speech.text(tracker))})
        words = speech.value(tracker) or speech.text(tracker)
        filled = _READERS[requested](words, speech.intent(tracker), dispatcher)
        return [] if filled is None else speech.slots(**filled)


class AskConfirm(Action):  # type: ignore[misc]  # untyped
    """Shows what was filled in."""

    def name(self) -> str:
        """Its name in the domain."""
        return f"action_ask_{FORM}_callback_confirm"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Ask whether it is right."""
        speech.say(dispatcher, Say("callback_ask_confirm", _request(tracker)))
        speech.trace(dispatcher, Trace(Route.HANDOFF))
        return []


class Submit(Action):  # type: ignore[misc]  # untyped
    """The form is complete."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_callback_submit"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Let the turn note the request; it confirms it."""
        speech.command(dispatcher, Command("callback", _request(tracker)))
        speech.trace(dispatcher, Trace(Route.HANDOFF))
        return speech.slots(**_EMPTY, misses=0, offer=None)


class Cancel(Action):  # type: ignore[misc]  # untyped
    """The resident leaves the form."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_callback_cancel"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Forget what was filled in."""
        speech.say(dispatcher, Say("callback_cancelled"))
        speech.trace(dispatcher, Trace(Route.SMALLTALK))
        return [*speech.slots(**_EMPTY, offer=None), ActiveLoop(None), SlotSet("requested_slot", None)]


def _request(tracker: Tracker) -> dict[str, Any]:
    return {name: tracker.get_slot(f"callback_{name}") for name in ("phone", "when", "topic")}


def _said_at_once(text: str) -> dict[str, Any]:
    """`Bel me morgenochtend op 06 12345678` leaves only the topic to ask for."""
    when = answers.part_of_day(text)
    return {"callback_phone": answers.phone(text), "callback_when": None if when == "avond" else when}


def _phone(words: str, intent: str, dispatcher: CollectingDispatcher) -> Filled:
    if number := answers.phone(words):
        return {"callback_phone": number}
    if answers.tries_phone(words) and not answers.asks(words):
        return _again("callback_phone", "callback_phone_bad", dispatcher)
    if intent in _ANSWERING or answers.unsure(words):
        return _again("callback_phone", "callback_phone_missing", dispatcher)
    return None


def _when(words: str, intent: str, dispatcher: CollectingDispatcher) -> Filled:
    part = None if intent in _LEAVING or answers.asks(words) else answers.part_of_day(words)
    if part == "avond":
        return _again("callback_when", "callback_when_evening", dispatcher)
    if part:
        return {"callback_when": part}
    return _again("callback_when", "callback_when_bad", dispatcher) if intent in _ANSWERING else None


def _topic(words: str, intent: str, dispatcher: CollectingDispatcher) -> Filled:
    if answers.unsure(words):
        return _again("callback_topic", "callback_topic_bad", dispatcher)
    if intent in _LEAVING or intent == "deny":
        return None
    if topic := answers.topic(words):
        return {"callback_topic": topic}
    return _again("callback_topic", "callback_topic_bad", dispatcher)


def _confirm(words: str, intent: str, dispatcher: CollectingDispatcher) -> Filled:
    if intent in ("affirm", "thanks"):
        return {"callback_confirm": True}
    if changed := (answers.change(words) if not answers.asks(words) else None):
        return {changed: None}
    if intent == "deny":
        return {"callback_confirm": None, "requested_slot": "callback_change"}
    return _again("callback_confirm", "callback_confirm_bad", dispatcher) if intent in _ANSWERING else None


def _change(words: str, intent: str, dispatcher: CollectingDispatcher) -> Filled:
    if intent not in _LEAVING and (slot := answers.change(words)):
        return {slot: None}
    if intent == "affirm":
        return {"callback_confirm": True}
    if intent in _ANSWERING or intent == "deny":
        return {
            **_again("callback_change", "callback_change_bad", dispatcher),
            "requested_slot": "callback_change",
        }
    return None


def _again(slot: str, phrase: str, dispatcher: CollectingDispatcher) -> dict[str, Any]:
    speech.say(dispatcher, Say(phrase))
    return {slot: None}


_READERS: Mapping[str, Callable[[str, str, CollectingDispatcher], Filled]] = {
    "callback_phone": _phone,
    "callback_when": _when,
    "callback_topic": _topic,
    "callback_confirm": _confirm,
    "callback_change": _change,
}
