"""The form in which a resident makes, moves or cancels an appointment.

Rasa runs the form, as it does for callbacks (`actions/callback.py`): after each message it calls
`validate_appointment_form`, which takes what the message says or gives nothing at all; then the message was no answer
and the rules decide, and after that the form asks again. What is known stands in one slot, as a `Draft`.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from actions import speech
from actions.answers import HUMAN, Answers
from actions.appointments import moments
from actions.appointments.asking import Asker, described
from actions.appointments.booking import Bookings
from actions.appointments.desk import Desk
from actions.appointments.draft import BOOK, CANCEL, MOVE, SHOW, Draft
from actions.appointments.heard import Heard, coming, mode
from actions.appointments.reading import Reader
from actions.phrases import Phrases
from actions.sdk import Action, ActiveLoop, CollectingDispatcher, EventType, SlotSet, Tracker
from actions.tasks import Product, Task, product
from bot.clock import AMSTERDAM
from bot.model import Command, Route, Say, Trace
from bot.ports import BookingRefused, CalendarFault, SlotGone

log = logging.getLogger(__name__)

FORM, SLOT = "appointment_form", "appointment"
_DONE = "appointment_complete"
"""The one slot that the form requires; it stays empty until the resident says yes."""

_BUTTONS = frozenset({MOVE, CANCEL, SHOW, "come", "again", "take", "stop"})
"""What a button `appointment:...` can mean besides the slug of an article."""


class Begin(Task):
    """The resident wants something with an appointment: the form begins, or a question about it is answered."""

    def __init__(self, answers: Answers, phrases: Phrases, desk: Desk | None) -> None:
        super().__init__(Route.APPOINTMENT, answers)
        self._desk = desk
        self._reader = Reader(desk, answers.lookup) if desk else None

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Take what the message says already."""
        if self._desk is None or self._reader is None:
            events: list[EventType] = await super().run(dispatcher, tracker, domain)
            return events
        try:
            return await self._begin(self._desk, self._reader, dispatcher, tracker)
        except CalendarFault as fault:
            return _down(dispatcher, fault)

    async def _begin(
        self, desk: Desk, reader: Reader, dispatcher: CollectingDispatcher, tracker: Tracker
    ) -> list[EventType]:
        heard, value = _heard(tracker, desk), speech.value(tracker)
        lookup = self._answers.lookup
        if value == "again":
            speech.trace(dispatcher, Trace(Route.APPOINTMENT))
            return _go_on(Draft.load(tracker.get_slot(SLOT)))
        wanted = value if value in _BUTTONS else mode(heard.text) if not value else None
        if wanted == "stop":
            speech.say(dispatcher, Say("appointment_no_wait"))
            speech.command(dispatcher, Command("appointment", {"act": "no_wait"}))
            speech.trace(dispatcher, Trace(Route.APPOINTMENT))
            return speech.slots(misses=0, offer=None)
        if wanted == "take":
            speech.trace(dispatcher, Trace(Route.APPOINTMENT))
            return await self._take(desk, reader, heard)
        if wanted == "come" or (not value and coming(heard.text)):
            return await self._comes(desk, dispatcher, heard)
        if wanted:
            draft = Draft(mode=wanted)
            own = await desk.orders.own(heard.conversation_id, heard.now)
            if len(own) == 1:
                reader.take_known(draft, own[0])
            if wanted == MOVE and draft.old:
                reader.begin_move(draft, heard, own[0].start)
            if wanted == SHOW and own:
                return _shown(dispatcher, own)
            speech.trace(dispatcher, Trace(Route.APPOINTMENT, draft.article))
            return _go_on(draft)
        chosen = lookup.article(value)
        about = (
            Product(chosen, 1.0, able=True)
            if chosen
            else await product(
                lookup, moments.without(heard.text, heard.now), Route.APPOINTMENT, speech.topic(tracker)
            )
        )
        if not value and await self._is_question(tracker, about):
            return speech.give(dispatcher, await self._answers.find(heard.text, speech.topic(tracker)))
        draft = Draft()
        if about and not reader.take_article(draft, about.article):
            return self._elsewhere(dispatcher, about)
        await reader.begin(draft, heard)
        speech.trace(
            dispatcher,
            Trace(Route.APPOINTMENT, draft.article, confidence=about.probability if about else None),
        )
        return _go_on(draft)

    def _elsewhere(self, dispatcher: CollectingDispatcher, about: Product) -> list[EventType]:
        """For this no appointment can be made in the chat: its article says how it goes."""
        article = about.article
        speech.say(
            dispatcher, Say("appointment_article", {"title": article.title}), self._answers.message(article)
        )
        speech.trace(dispatcher, Trace(Route.APPOINTMENT, article.slug, confidence=about.probability))
        return [*speech.slots(article=article.slug, aspect=None, misses=0, offer=None), *_left()]

    @staticmethod
    async def _take(desk: Desk, reader: Reader, heard: Heard) -> list[EventType]:
        """The resident wants the time that came free: theirs is moved, or a first one made."""
        draft, offered = Draft(), await desk.orders.offered(heard.conversation_id, heard.now)
        if offered is None:
            draft.note = "appointment_taken"
            return _go_on(draft)
        own = await desk.orders.own(heard.conversation_id, heard.now)
        old = next((one for one in own if one.product == offered.product), None)
        product = await desk.product(offered.product)
        if old:
            draft.mode = MOVE
            reader.take_known(draft, old)
        else:
            draft.article, draft.product = offered.article, offered.product
            draft.title = product.name if product else ""
        draft.people, draft.location = offered.people, offered.location
        place = await desk.place(draft)
        draft.place = place.name if place else ""
        draft.start = offered.start.astimezone(AMSTERDAM).isoformat(timespec="minutes")
        return _go_on(draft)

    async def _comes(self, desk: Desk, dispatcher: CollectingDispatcher, heard: Heard) -> list[EventType]:
        own = await desk.orders.own(heard.conversation_id, heard.now)
        speech.say(
            dispatcher, Say("appointment_comes", described(own[0])) if own else Say("appointment_none_known")
        )
        speech.trace(dispatcher, Trace(Route.APPOINTMENT, own[0].article if own else None))
        return speech.slots(misses=0, offer=None)


class Validate(Action):  # type: ignore[misc]  # untyped
    """Takes what it can use from a message."""

    def __init__(self, answers: Answers, desk: Desk | None) -> None:
        self._desk = desk
        self._lookup = answers.lookup

    def name(self) -> str:
        """Its name in the domain."""
        return f"validate_{FORM}"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """The slots that the message fills."""
        if self._desk is None:
            speech.say(dispatcher, Say("appointment"))
            speech.trace(dispatcher, Trace(Route.APPOINTMENT))
            return _left()
        if speech.came_back(tracker, FORM):
            return []
        draft, heard = Draft.load(tracker.get_slot(SLOT)), _heard(tracker, self._desk)
        if heard.intent == "appointment" and heard.value:
            return []  # a button outside the form: begin anew
        reader = Reader(self._desk, self._lookup)
        before = draft.dump()
        try:
            taken = await reader.read(draft, heard)
        except CalendarFault as fault:
            return _down(dispatcher, fault)
        for command in reader.times.commands:
            speech.command(dispatcher, command)
        if not taken and draft.dump() == before:
            return []
        return speech.slots(**{SLOT: draft.dump(), _DONE: True if draft.ready else None})


class Ask(Action):  # type: ignore[misc]  # untyped
    """Asks what is still to be known."""

    def __init__(self, answers: Answers, phrases: Phrases, desk: Desk | None) -> None:
        self._desk = desk
        self._phrases = phrases
        self._lookup = answers.lookup

    def name(self) -> str:
        """Its name in the domain."""
        return f"action_ask_{FORM}_{_DONE}"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """The next question."""
        if self._desk is None:
            return _left()
        draft, heard = Draft.load(tracker.get_slot(SLOT)), _heard(tracker, self._desk)
        reader = Reader(self._desk, self._lookup)
        try:
            step = await reader.step(draft)
            lacking = await reader.lacking(draft) if step == "details" else []
            asked = await Asker(self._desk, self._phrases).ask(
                draft, step, lacking, heard.conversation_id, heard.now
            )
        except CalendarFault as fault:
            return _down(dispatcher, fault)
        if step == "confirm":
            draft.key = f"{heard.turn}:book"
        speech.say(dispatcher, *asked.messages)
        if not speech.came_back(tracker, FORM):  # else the answer to a question in between tells the way
            speech.trace(dispatcher, Trace(Route.APPOINTMENT, draft.article))
        events: list[EventType] = speech.slots(**{SLOT: draft.dump()})
        if not asked.over:
            return events
        return [*events, *speech.slots(offer=HUMAN if step == "which" else None), *_left()]


class Submit(Action):  # type: ignore[misc]  # untyped
    """The resident said yes: it is done now, and told."""

    def __init__(self, answers: Answers, desk: Desk | None) -> None:
        self._desk = desk
        self._answers = answers

    def name(self) -> str:
        """Its name in the domain."""
        return "action_appointment_submit"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Book, move or cancel. A time that is gone leads back to the form, with the nearest others."""
        draft = Draft.load(tracker.get_slot(SLOT))
        if self._desk is None or not draft.ready:
            return []  # the form ended in another way, and said so
        heard = _heard(tracker, self._desk)
        bookings = Bookings(self._desk, self._answers)
        try:
            if draft.mode == CANCEL:
                said, cancelled = await bookings.cancel(draft, heard.now)
                return _finish(dispatcher, [said], cancelled, draft)
            messages, command = await bookings.book(draft, heard.conversation_id, heard.now)
        except CalendarFault as fault:
            draft.ready = False
            return [*_down(dispatcher, fault), *speech.slots(**{SLOT: draft.dump(), _DONE: None})]
        except SlotGone:
            speech.trace(dispatcher, Trace(Route.APPOINTMENT, draft.article))
            return _again(draft)
        except BookingRefused as fault:
            log.warning("the calendar refuses a booking: %s", fault.reason)
            return _finish(dispatcher, [Say("appointment_refused")], None, draft)
        return _finish(dispatcher, messages, command, draft)


class Leave(Action):  # type: ignore[misc]  # untyped
    """The resident leaves the form."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_appointment_leave"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Nothing is changed."""
        draft = Draft.load(tracker.get_slot(SLOT))
        speech.say(dispatcher, Say("appointment_left" if draft.mode == BOOK else "appointment_kept"))
        speech.trace(dispatcher, Trace(Route.APPOINTMENT, draft.article))
        return [*speech.slots(**{SLOT: None, _DONE: None}, offer=None), *_left()]


def _heard(tracker: Tracker, desk: Desk) -> Heard:
    """The message, and when it is."""
    metadata = (tracker.latest_message or {}).get("metadata") or {}
    said = metadata.get("now")
    now = datetime.fromisoformat(said) if said else desk.clock()
    return Heard(
        speech.text(tracker),
        speech.intent(tracker),
        speech.value(tracker),
        str(tracker.sender_id),
        str(metadata.get("turn") or ""),
        now,
        speech.topic(tracker).article,
    )


def _go_on(draft: Draft) -> list[EventType]:
    """The form goes on with a draft."""
    values: dict[str, Any] = {SLOT: draft.dump(), _DONE: None, "aspect": None, "misses": 0, "offer": None}
    if draft.article:
        values["article"] = draft.article
    return [*speech.slots(**values), SlotSet("requested_slot", None), ActiveLoop(FORM)]


def _again(draft: Draft) -> list[EventType]:
    """Somebody else was first: the nearest other times."""
    moment = draft.moment
    draft.ready, draft.note = False, "appointment_taken"
    if moment:
        draft.wish, draft.exact = [[moment.isoformat()] * 2], True
    draft.start, draft.key, draft.shown, draft.way = None, None, [], "near"
    return _go_on(draft)


def _left() -> list[EventType]:
    return [SlotSet("requested_slot", None), ActiveLoop(None)]


def _shown(dispatcher: CollectingDispatcher, own: list[Any]) -> list[EventType]:
    speech.say(dispatcher, *(Say("appointment_shown", described(one)) for one in own[:3]))
    speech.trace(dispatcher, Trace(Route.APPOINTMENT, own[0].article))
    return speech.slots(misses=0, offer=None, article=own[0].article)


def _finish(
    dispatcher: CollectingDispatcher, messages: list[Any], command: Command | None, draft: Draft
) -> list[EventType]:
    speech.say(dispatcher, *messages)
    if command:
        speech.command(dispatcher, command)
    speech.trace(dispatcher, Trace(Route.APPOINTMENT, draft.article))
    return [*speech.slots(**{SLOT: None, _DONE: None}, misses=0, offer=None), *_left()]


def _down(dispatcher: CollectingDispatcher, fault: CalendarFault) -> list[EventType]:
    """The calendar can't be reached: say so, and never that nothing is free. The draft stays, to go on with later."""
    level = logging.WARNING if fault.retryable else logging.ERROR
    log.log(level, "the calendar: %s", fault.reason)
    speech.say(dispatcher, Say("appointment_calendar_down"))
    speech.trace(dispatcher, Trace(Route.APPOINTMENT))
    return [*speech.slots(offer=HUMAN), *_left()]
