"""What the form of appointments asks next, in approved words, with the free times as buttons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from actions.appointments import facts, words
from actions.appointments.desk import Desk
from actions.appointments.draft import CANCEL, MOVE, Draft
from actions.appointments.offers import Offer
from actions.appointments.orders import Known
from actions.appointments.timing import WAY
from actions.phrases import Phrases
from bot.model import Choice, Location, Outbound, Say

FIRST_PRODUCTS = 7
"""So many products are shown; any other can be typed."""

_FIELDS = {
    "name": "appointment_field_name",
    "birth_date": "appointment_field_birth_date",
    "phone": "appointment_field_phone",
    "email": "appointment_field_email",
}
_CHILD_FIELDS = {
    "name": "appointment_field_child_name",
    "birth_date": "appointment_field_child_birth_date",
}


@dataclass(slots=True)
class Asked:
    """What to say; `over` where there is nothing left to ask, so that the form ends."""

    messages: list[Say | Outbound] = field(default_factory=list)
    over: bool = False


class Asker:
    """Puts the questions, with one desk. Raises `CalendarFault`."""

    def __init__(self, desk: Desk, phrases: Phrases) -> None:
        self._desk = desk
        self._phrases = phrases

    async def ask(
        self, draft: Draft, step: str, lacking: Sequence[str], conversation_id: str, now: datetime
    ) -> Asked:
        """The question of a step. What is shown is noted in the draft."""
        asked = Asked()
        if draft.note:
            asked.messages.append(Say(draft.note))
            asked.over = draft.note == "appointment_not_found_again"
            told, draft.note = draft.note, None
            asked.over |= told == "appointment_waiting" and (draft.mode == MOVE or not draft.shown)
            if asked.over or told in (
                "appointment_ask_proof",
                "appointment_not_found",
                "appointment_reference_bad",
            ):
                return asked
        match step:
            case "which":
                await self._which(draft, asked, conversation_id, now)
            case "shown":
                old = await self._desk.orders.get(draft.old, now) if draft.old else None
                asked.messages.append(
                    Say("appointment_shown", described(old)) if old else Say("appointment_gone")
                )
                asked.over = True
            case "product":
                asked.messages.append(await self._product())
            case "when":
                await self._when(draft, asked, now)
            case "details":
                asked.messages.append(self._details(draft, lacking))
            case "confirm":
                await self._confirm(draft, asked, now)
            case "change":
                asked.messages.append(Say("appointment_ask_change"))
        return asked

    async def _which(self, draft: Draft, asked: Asked, conversation_id: str, now: datetime) -> None:
        own = await self._desk.orders.own(conversation_id, now)
        if not own:
            asked.messages.append(Say("appointment_ask_reference"))
            return
        choices = [Choice(f"inform:{one.reference}", words.label(one.start)) for one in own[:7]]
        choices.append(self._phrases.choice("cancel"))
        asked.messages.append(Outbound(self._phrases.text("appointment_ask_which"), tuple(choices)))

    async def _product(self) -> Outbound:
        several = (await self._desk.calendar.products())[:FIRST_PRODUCTS]
        choices = [Choice(f"inform:{one.id}"[:64], one.name[:20]) for one in several]
        choices.append(self._phrases.choice("cancel"))
        return Outbound(self._phrases.text("appointment_ask_product"), tuple(choices))

    # -- times ----------------------------------------------------------------------------------------------

    async def _when(self, draft: Draft, asked: Asked, now: datetime) -> None:
        if draft.unclear:
            asked.messages.append(self._unclear(draft))
            return
        place = await self._desk.place(draft)
        others = [one for one in await self._desk.locations(draft) if place and one.id != place.id]
        if place is None:
            asked.messages.append(Say("appointment_full"))
            asked.over = True
            return
        draft.location, draft.place = place.id, place.name
        offer, phrase = await self._offer(draft, place, now)
        if not offer.times:
            await self._none(draft, asked, others, now)
            return
        if phrase != "appointment_none_earlier":
            draft.shown = [time.isoformat(timespec="minutes") for time in offer.times]
        extra = (
            [Choice("inform:wait", self._phrases.text("appointment_choice_wait"))]
            if phrase == "appointment_none_earlier"
            else []
        )
        text = self._filled(phrase, place=place.name, address=place.address, title=draft.title)
        more = len(offer.times) > 1
        asked.messages.append(Outbound(text, (*extra, *self._times(offer.times, others, more=more))))
        draft.way = draft.way if phrase == "appointment_none_earlier" else ""

    def _unclear(self, draft: Draft) -> Outbound:
        """What was named can be read in more than one way: which one is meant?"""
        ways = "\n".join(f"- {way['told']}" for way in draft.unclear)
        choices = [Choice(f"inform:{WAY}{number}", way["label"]) for number, way in enumerate(draft.unclear)]
        return Outbound(
            self._filled("appointment_ask_which_moment", ways=ways),
            (*choices, self._phrases.choice("cancel")),
        )

    async def _offer(self, draft: Draft, place: Location, now: datetime) -> tuple[Offer, str]:
        """The times, and the phrase above them."""
        free = self._desk.free(draft, place.id, now)
        shown = [datetime.fromisoformat(one) for one in draft.shown]
        if draft.way == "near" and draft.wanted:
            near = await free.nearest(draft.wanted.spans[0][0])
            return Offer(near, fits=True), "appointment_ask_when"
        if draft.way == "earlier":
            old = await self._desk.orders.get(draft.old, now) if draft.old else None
            than = shown[0] if shown else old.start if old else None
            if than is None:
                return await free.offer(None), "appointment_ask_when"
            if (earlier := await free.earlier(than)).times:
                return earlier, "appointment_ask_when"
            return (
                Offer(tuple(shown), fits=True) if shown else await free.offer(None)
            ), "appointment_none_earlier"
        if draft.way == "later":
            old = await self._desk.orders.get(draft.old, now) if draft.old and not shown else None
            than = shown[-1] if shown else old.start if old else now
            if (later := await free.later(than)).times:
                return later, "appointment_ask_when"
            return Offer(tuple(shown), fits=False), "appointment_none_later"
        offer = await free.offer(draft.wanted)
        return offer, "appointment_ask_when" if offer.fits else "appointment_ask_when_other"

    async def _none(self, draft: Draft, asked: Asked, others: Sequence[Location], now: datetime) -> None:
        """Nothing is free at this location: is there elsewhere?"""
        for other in others:
            offer = await self._desk.free(draft, other.id, now).offer(draft.wanted)
            if offer.times:
                draft.location, draft.place = other.id, other.name
                draft.shown = [time.isoformat(timespec="minutes") for time in offer.times]
                text = self._filled(
                    "appointment_full_here", place=other.name, address=other.address, title=draft.title
                )
                asked.messages.append(Outbound(text, self._times(offer.times, (), more=True)))
                return
        choices = (
            Choice("inform:wait", self._phrases.text("appointment_choice_wait")),
            self._phrases.choice("human"),
            self._phrases.choice("cancel"),
        )
        asked.messages.append(Outbound(self._phrases.text("appointment_full"), choices))

    def _times(
        self, times: Sequence[datetime], others: Sequence[Location], *, more: bool
    ) -> tuple[Choice, ...]:
        choices = [
            Choice(f"inform:{time.isoformat(timespec='minutes')}", words.label(time)) for time in times
        ]
        if more:
            choices.append(Choice("inform:later", self._phrases.text("appointment_choice_later")))
        choices += [Choice(f"inform:@{one.id}", one.name[:20]) for one in others[:2]]
        return (*choices, self._phrases.choice("cancel"))

    # -- who comes, and is it right -------------------------------------------------------------------------

    def _details(self, draft: Draft, lacking: Sequence[str]) -> Say:
        keys = {**_FIELDS, **_CHILD_FIELDS} if draft.child else _FIELDS
        several = [self._phrases.text(keys[name]) for name in lacking]
        listed = " en ".join([", ".join(several[:-1]), several[-1]]) if len(several) > 1 else several[0]
        if draft.details.get("name"):
            return Say("appointment_ask_more_details", {"what": listed})
        return Say("appointment_ask_details", {"what": listed, "when": words.moment_words(_moment(draft))})

    async def _confirm(self, draft: Draft, asked: Asked, now: datetime) -> None:
        if draft.mode in (CANCEL, MOVE) and draft.old:
            old = await self._desk.orders.get(draft.old, now)
            if old is None:
                asked.messages.append(Say("appointment_gone"))
                asked.over = True
                return
            if draft.mode == CANCEL:
                asked.messages.append(Say("appointment_ask_cancel", described(old)))
                return
            moved = {**described(old), "new": words.moment_words(_moment(draft)), "place": draft.place}
            asked.messages.append(Say("appointment_ask_move", moved))
            return
        asked.messages.append(Say("appointment_ask_confirm", self._summary(draft)))

    def _summary(self, draft: Draft) -> dict[str, str]:
        told = {
            "name": draft.details.get("name", ""),
            "birth_date": words.birth_words(born) if (born := draft.details.get("birth_date")) else "",
            "phone": facts.national(number) if (number := draft.details.get("phone")) else "",
            "email": draft.details.get("email", ""),
        }
        who = ", ".join(value for value in told.values() if value)
        people = f" ({draft.people} personen)" if draft.people > 1 else ""
        return {
            "title": draft.title + people,
            "when": words.moment_words(_moment(draft)),
            "place": draft.place,
            "who": who,
        }

    def _filled(self, key: str, **args: str) -> str:
        """A phrase with values of the calendar in it; facts of the municipality are filled in later."""
        text = self._phrases.text(key)
        for name, value in args.items():
            text = text.replace(f"{{{name}}}", value.replace("{", "("))
        return text


def described(one: Known) -> Mapping[str, str]:
    """An appointment in words."""
    return {
        "title": one.title,
        "when": words.moment_words(one.start),
        "place": one.place,
        "address": one.address,
        "reference": spaced(one.reference),
    }


def spaced(reference: str) -> str:
    """A reference as one reads it out: `A 2345 6789`."""
    return f"{reference[0]} {reference[1:5]} {reference[5:]}"


def _moment(draft: Draft) -> datetime:
    moment = draft.moment
    if moment is None:
        raise ValueError("nothing was chosen yet")
    return moment
