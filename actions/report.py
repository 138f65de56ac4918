"""Reporting something in the street: the form that asks what, where, with a photo and for whom, and a last look.

As in the other forms, `validate_report_form` gives a value, or says what is wrong, or gives nothing: then the
message was no answer, and the rules decide. A shared place and photos come beside the words of any message and are
taken at any step. What is complete goes to the house with the command `report`.
"""

from __future__ import annotations

from typing import Any

from actions import report_answers as answers
from actions import speech
from actions.answers import Answers
from actions.handoff import HandOff
from actions.phrases import Phrases
from actions.report_answers import NONE
from actions.report_reading import ASKED, EMPTY, FORM, ValidateReport, acted, begun, metadata_of, photos_of
from actions.reports.categories import Categories
from actions.sdk import Action, ActiveLoop, CollectingDispatcher, EventType, FollowupAction, SlotSet, Tracker
from actions.tasks import Task, product
from bot.model import Choice, Command, Outbound, Route, Say, Trace

_QUESTIONS = {
    "text": "report_ask_text",
    "place": "report_ask_place",
    "photo": "report_ask_photo",
    "contact": "report_ask_contact",
    "change": "report_ask_change",
}


class AskReport(Task):
    """The resident tells what is wrong in the street, or wants to. Begins the form, unless an article says it
    better."""

    def __init__(self, answers: Answers, categories: Categories) -> None:
        super().__init__(Route.REPORT, answers)
        self._categories = categories

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Begin, or answer."""
        text, topic = speech.text(tracker), speech.topic(tracker)
        if tracker.active_loop_name not in (None, FORM):  # one form at a time: the other one goes on
            return await super().run(dispatcher, tracker, domain)
        article, sure = speech.value(tracker) or topic.article, None
        if text and not speech.value(tracker):
            about = await product(self._answers.lookup, text, self._route, topic)
            if (about and not about.able) or await self._is_question(tracker, about):
                return await super().run(dispatcher, tracker, domain)
            article, sure = (about.article.slug, about.probability) if about else (topic.article, None)
        if tracker.active_loop_name:
            return []  # it asks again
        speech.say(dispatcher, Say("report_begin"))
        speech.trace(dispatcher, Trace(Route.REPORT, article, confidence=sure))
        where = speech.slots(article=article, aspect=None, misses=0, offer=None)
        return [*where, *speech.slots(**begun(tracker, self._categories)), FollowupAction(FORM)]


class AskForReport(Action):  # type: ignore[misc]  # untyped
    """Asks for one thing."""

    def __init__(self, what: str, categories: Categories, phrases: Phrases) -> None:
        self._what = what
        self._categories = categories
        self._phrases = phrases

    def name(self) -> str:
        """Its name in the domain."""
        return f"action_ask_{FORM}_report_{self._what}"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Ask."""
        match self._what:
            case "category":
                guess = self._categories.guess(str(tracker.get_slot("report_text") or ""))
                choices = tuple(Choice(f"inform:{one.id}", one.label) for one in guess.categories)
                speech.say(dispatcher, Outbound(self._phrases.text("report_ask_category"), choices))
            case "place" if metadata_of(tracker).get("shares"):
                speech.say(dispatcher, Say("report_ask_place_share"))
            case "confirm":
                speech.say(dispatcher, Say("report_ask_confirm", self._summary(tracker)))
            case _:
                speech.say(dispatcher, Say(_QUESTIONS[self._what]))
        if not acted(tracker):  # else that told how
            speech.trace(dispatcher, Trace(Route.REPORT, tracker.get_slot("article")))
        return []

    def _summary(self, tracker: Tracker) -> dict[str, str]:
        category = self._categories.get(tracker.get_slot("report_category"))
        photos = photos_of(tracker.get_slot("report_photo"))
        contact = tracker.get_slot("report_contact")
        return {
            "what": (category or self._categories.other).name,
            "text": str(tracker.get_slot("report_text")),
            "place": str(tracker.get_slot("report_place")),
            "photos": {0: NONE, 1: "1 foto"}.get(len(photos), f"{len(photos)} foto's"),
            "contact": NONE if contact == NONE else str(contact),
        }


class SubmitReport(Action):  # type: ignore[misc]  # untyped
    """The form is complete."""

    def __init__(self, categories: Categories) -> None:
        self._categories = categories

    def name(self) -> str:
        """Its name in the domain."""
        return "action_report_submit"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Let the turn keep it; from then on it can't be lost."""
        category = self._categories.get(tracker.get_slot("report_category")) or self._categories.other
        latitude, _, longitude = str(tracker.get_slot("report_spot") or "").partition(",")
        phone, email = answers.split_contact(str(tracker.get_slot("report_contact") or NONE))
        report = {
            "category": category.target,
            "text": tracker.get_slot("report_text"),
            "place": tracker.get_slot("report_place"),
            "latitude": float(latitude) if latitude else None,
            "longitude": float(longitude) if longitude else None,
            "phone": phone,
            "email": email,
            "photos": photos_of(tracker.get_slot("report_photo")),
        }
        speech.say(dispatcher, Say("report_sending"))
        speech.command(dispatcher, Command("report", report))
        speech.trace(dispatcher, Trace(Route.REPORT, tracker.get_slot("article")))
        return speech.slots(**EMPTY, misses=0, offer=None)


class LeaveReport(Action):  # type: ignore[misc]  # untyped
    """The resident leaves the form."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_report_leave"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Forget what was filled in."""
        speech.say(dispatcher, Say("report_left"))
        speech.trace(dispatcher, Trace(Route.REPORT))
        return [*speech.slots(**EMPTY, offer=None), *_ends()]


class HandOffFromReport(HandOff):
    """A person is wanted in the middle of the form, which ends with it."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_report_handoff"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Leave the form and hand over."""
        return [*super().run(dispatcher, tracker, domain), *speech.slots(**EMPTY), *_ends()]


def report_actions(categories: Categories | None, phrases: Phrases) -> list[Action]:
    """The form's own. Without categories nothing begins it; who is in it can leave."""
    leaving = [LeaveReport(), HandOffFromReport()]
    if categories is None:
        return leaving
    asking = [AskForReport(what, categories, phrases) for what in ASKED]
    return [ValidateReport(categories), *asking, SubmitReport(categories), *leaving]


def _ends() -> list[EventType]:
    return [ActiveLoop(None), SlotSet("requested_slot", None)]
