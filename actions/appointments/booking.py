"""Making, moving and cancelling at the calendar. Each can be done again after a crash and comes out the same."""

from __future__ import annotations

from datetime import datetime

from actions.answers import Answers
from actions.appointments import words
from actions.appointments.asking import described, spaced
from actions.appointments.desk import Desk
from actions.appointments.draft import MOVE, Draft
from bot.model import Appointment, Booking, Command, Location, Outbound, Say
from bot.ports import BookingRefused, SlotGone

_PARTS = ("meenemen", "kosten")
"""What is told of the article with a confirmation."""


class Bookings:
    """Does what the resident said yes to, and says so. Raises `CalendarFault`, `SlotGone`, `BookingRefused`."""

    def __init__(self, desk: Desk, answers: Answers) -> None:
        self._desk = desk
        self._answers = answers

    async def book(
        self, draft: Draft, conversation_id: str, now: datetime
    ) -> tuple[list[Say | Outbound], Command]:
        """Book it, and tell. The turn's transaction notes it; until then it is an order that nobody was told of."""
        start, key = draft.moment, draft.key
        place = await self._desk.place(draft)
        if start is None or key is None or place is None or draft.product is None:
            raise BookingRefused("the form is not complete")
        booking = Booking(draft.product, place.id, start, draft.people, draft.details)
        order = await self._desk.orders.place(
            key,
            conversation_id,
            self._desk.calendar.name,
            booking,
            title=draft.title,
            article=draft.article,
            location=place,
            now=now,
        )
        try:
            made = await self._desk.calendar.book(booking, key)
        except (SlotGone, BookingRefused):
            await self._desk.orders.drop(key)
            raise
        moved = draft.mode == MOVE and draft.old is not None
        args = {
            "act": "booked",
            "key": key,
            "id": made.id,
            "product": draft.product,
            "start": made.start.isoformat(),
            "end": made.end.isoformat() if made.end else None,
            "old": draft.old if moved else None,
        }
        file = f"{self._desk.base_url}/afspraken/{order.token}.ics"
        told = self._told(draft, made, place, spaced(order.reference), file, moved=moved)
        return told, Command("appointment", args)

    def _told(
        self, draft: Draft, made: Appointment, place: Location, reference: str, file: str, *, moved: bool
    ) -> list[Say | Outbound]:
        values = {
            "title": draft.title,
            "when": words.moment_words(made.start),
            "place": place.name,
            "address": place.address,
            "reference": reference,
            "agenda": file,
        }
        messages: list[Say | Outbound] = [Say("appointment_moved" if moved else "appointment_done", values)]
        article = self._answers.lookup.article(draft.article)
        if article:
            for part in _PARTS:
                if text := article.aspects.get(part):
                    messages.append(Outbound(text, article=article.slug, revision=article.revision))
        messages.append(Say("appointment_afterwards"))
        return messages

    async def cancel(self, draft: Draft, now: datetime) -> tuple[Say, Command | None]:
        """Tell that it is cancelled. The calendar hears of it once the turn is stored, for as long as it takes: so
        nothing is cancelled of which the resident never read."""
        old = await self._desk.orders.get(draft.old, now) if draft.old else None
        if old is None:
            return Say("appointment_gone"), None
        return Say("appointment_cancelled", described(old)), Command(
            "appointment", {"act": "cancelled", "old": old.key}
        )
