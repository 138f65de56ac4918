"""How a request stands: the form in which a resident gives the number of a case and one fact that proves it is theirs.

The form only asks. The house looks the case up, with the command `case_lookup`: who asks too often, and what is told of
which case, is not the dialogue's to decide. The second fact is no slot, so that no memory has it: it is read again from
the message where it is handed on. It is taken out of that message before anything is stored (`parts` of the command).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from actions import speech, status_answers
from actions.answers import Answers
from actions.handoff import HandOff
from actions.references import References
from actions.sdk import Action, ActiveLoop, CollectingDispatcher, EventType, FollowupAction, SlotSet, Tracker
from actions.status_answers import Given
from actions.tasks import Product, Task, product
from bot.model import Command, Route, Say, Trace

FORM = "status_form"
_EMPTY: Mapping[str, Any] = {"status_reference": None, "status_proof": None}
_ANSWERING = frozenset({"inform", "affirm", "thanks"})
"""Intents that no rule has a use for while the form waits for an answer."""

_ASKS = {
    frozenset({"address"}): "status_ask_address",
    frozenset({"birth_date"}): "status_ask_birth_date",
    frozenset({"address", "birth_date"}): "status_ask_either",
}


@dataclass(frozen=True, slots=True)
class StatusRules:
    """What the municipality lets be looked up: how a number looks, which facts are asked for, and the articles about
    it."""

    references: References
    facts: frozenset[str]
    articles: frozenset[str]


class AskStatus(Task):
    """The resident asks how a request stands. Begins the form, unless an answer fits better or the case is one that is
    not looked up in the chat."""

    def __init__(self, answers: Answers, rules: StatusRules) -> None:
        super().__init__(Route.STATUS, answers)
        self._rules = rules

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Begin, answer, or say where it can be seen."""
        text = speech.text(tracker)
        if tracker.active_loop_name not in (None, FORM):  # one form at a time: the other one goes on
            return await super().run(dispatcher, tracker, domain)
        if not text or (reference := self._rules.references.read(text)):
            return [*_read(text, self._rules, tracker), FollowupAction(FORM)]
        topic = speech.topic(tracker)
        about = await product(self._answers.lookup, text, self._route, topic)
        if await self._is_question(tracker, about):
            return speech.give(dispatcher, await self._answers.find(text, topic))
        if about and about.able and about.named and about.article.slug not in self._rules.articles:
            return [*self._elsewhere(dispatcher, about), *speech.slots(**_EMPTY), *_ends()]
        if tracker.active_loop_name:
            return []  # it asks again
        article = about.article.slug if about and about.able else topic.article
        begun = speech.slots(article=article, misses=0, offer=None, status_reference=reference)
        return [*begun, FollowupAction(FORM)]

    def _elsewhere(self, dispatcher: CollectingDispatcher, about: Product) -> list[EventType]:
        article = about.article
        speech.say(
            dispatcher, Say("status_elsewhere", {"title": article.title}), self._answers.message(article)
        )
        speech.trace(dispatcher, Trace(Route.STATUS, article.slug, confidence=about.probability))
        return speech.slots(article=article.slug, aspect=None, misses=0, offer=None)


class ValidateStatus(Action):  # type: ignore[misc]  # untyped
    """Takes what it can use from a message."""

    def __init__(self, rules: StatusRules) -> None:
        self._rules = rules

    def name(self) -> str:
        """Its name in the domain."""
        return f"validate_{FORM}"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """The slots that the message fills."""
        requested = tracker.get_slot("requested_slot")
        if _returns(tracker):
            return []
        if requested == "status_reference":
            return self._reference(dispatcher, tracker)
        if requested == "status_proof":
            return self._proof(dispatcher, tracker)
        return _read(speech.text(tracker), self._rules, tracker)

    def _reference(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
        text = speech.text(tracker)
        if self._rules.references.read(text):
            return _read(text, self._rules, tracker)
        if status_answers.has_none(text):
            return speech.slots(status_reference=None, requested_slot=None)
        if self._rules.references.tries(text):
            speech.say(dispatcher, Say("status_reference_bad"))
            return speech.slots(status_reference=None)
        return speech.slots(status_reference=None) if speech.intent(tracker) in _ANSWERING else []

    def _proof(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
        text = speech.text(tracker)
        fact = _given(text, tracker)
        if fact and _kind(fact) in self._rules.facts:
            other = self._rules.references.read(_without(text, fact))
            return speech.slots(status_proof=True, **({"status_reference": other} if other else {}))
        if other := self._rules.references.read(text):
            return speech.slots(status_reference=other)
        if status_answers.has_none(text):
            return speech.slots(status_proof=None, requested_slot=None)
        tries = fact is not None or status_answers.tries(text)
        if tries or speech.intent(tracker) in _ANSWERING:
            speech.command(dispatcher, Command("conceal", {"parts": list(fact.parts) if fact else []}))
            speech.say(dispatcher, Say("status_proof_bad"))
            return speech.slots(status_proof=None)
        return []


class AskProof(Action):  # type: ignore[misc]  # untyped
    """Asks for the second fact: the same for every number, so that the question tells nothing of the case."""

    def __init__(self, rules: StatusRules) -> None:
        self._phrase = _ASKS[rules.facts]

    def name(self) -> str:
        """Its name in the domain."""
        return f"action_ask_{FORM}_status_proof"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Ask."""
        speech.say(dispatcher, Say(self._phrase, {"reference": tracker.get_slot("status_reference")}))
        if not _returns(tracker):  # else it was reached in another way
            speech.trace(dispatcher, Trace(Route.STATUS))
        return []


class SubmitStatus(Action):  # type: ignore[misc]  # untyped
    """The form is complete, or the resident does not have what is asked for."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_status_submit"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Let the house look it up; or tell where it can be seen."""
        reference, fact = tracker.get_slot("status_reference"), _given(speech.text(tracker), tracker)
        if reference and fact and tracker.get_slot("status_proof"):
            asked = {
                "reference": reference,
                "postcode": fact.postcode,
                "house_number": fact.house_number,
                "addition": fact.addition,
                "birth_date": fact.birth_date,
                "parts": list(fact.parts),
            }
            speech.command(dispatcher, Command("case_lookup", asked))
        else:
            speech.say(dispatcher, Say("status_left"))
        speech.trace(dispatcher, Trace(Route.STATUS))
        return speech.slots(**_EMPTY, misses=0, offer=None)


class LeaveStatus(Action):  # type: ignore[misc]  # untyped
    """The resident leaves the form."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_status_leave"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Forget what was filled in."""
        speech.say(dispatcher, Say("status_left"))
        speech.trace(dispatcher, Trace(Route.STATUS))
        return [*speech.slots(**_EMPTY, offer=None), *_ends()]


class HandOffFromStatus(HandOff):
    """A person is wanted in the middle of the form, which ends with it."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_status_handoff"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Leave the form and hand over."""
        return [*super().run(dispatcher, tracker, domain), *speech.slots(**_EMPTY), *_ends()]


def _ends() -> list[EventType]:
    return [ActiveLoop(None), SlotSet("requested_slot", None)]


def _read(text: str, rules: StatusRules, tracker: Tracker) -> list[EventType]:
    """`Hoe staat het met zaak 2026 12345, 1234 AB 12` leaves nothing to ask for."""
    reference, fact = rules.references.read(text), _given(text, tracker)
    proof = True if reference and fact and _kind(fact) in rules.facts else None
    return speech.slots(status_reference=reference, status_proof=proof)


def _kind(fact: Given) -> str:
    return "birth_date" if fact.birth_date else "address"


def _given(text: str, tracker: Tracker) -> Given | None:
    now = (tracker.latest_message.get("metadata") or {}).get("now")
    today = date.fromisoformat(str(now)[:10]) if now else date.today()
    return status_answers.given(text, today)


def _without(text: str, fact: Given) -> str:
    for part in fact.parts:
        text = text.replace(part, " ")
    return text


def _returns(tracker: Tracker) -> bool:
    """Whether the form is only coming back after something else in this turn: the message was dealt with there."""
    for event in reversed(tracker.events):
        if event.get("event") == "user":
            return False
        if event.get("event") == "action" and event.get("name") not in (FORM, "action_status"):
            return True
    return False
