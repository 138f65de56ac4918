"""When and where: what a message means as an answer to the times that are offered."""

from __future__ import annotations

import re
from datetime import datetime

from actions import callback_answers as answers
from actions.appointments import facts
from actions.appointments.desk import Desk
from actions.appointments.draft import Draft
from actions.appointments.heard import OUTRIGHT, Heard
from actions.appointments.moments import Wanted
from bot.clock import AMSTERDAM
from bot.model import Command

QUESTION = re.compile(
    r"^\W*(en |maar )?(wat|hoe|waar|waarom|wie|welke|waarvoor|moet|mag|heb|is het|zijn jullie|how|what|where)\b",
    re.IGNORECASE,
)
ABOUT_TIMES = re.compile(
    r"\b(plek|plaats|tijd|tijden|vrij|mogelijk\w*|terecht|kan ik (dan )?komen|ruimte|slots?|available)\b",
    re.IGNORECASE,
)

WAY = "way"
"""Before the number of one way to read what was unclear, on its button."""


class Times:
    """Reads answers on times and places, with one desk. Raises `CalendarFault`. `commands` are for the turn."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.commands: list[Command] = []

    async def take_place(self, draft: Draft, text: str) -> bool:
        """Take the location that a text names."""
        found = facts.location(text, await self._desk.locations(draft))
        if found is None or found.id == draft.location:
            return found is not None
        draft.location, draft.place = found.id, found.name
        draft.start, draft.shown = None, []
        return True

    async def read(self, draft: Draft, heard: Heard) -> bool:
        """Take a time, a place, or that there should be others; False where it was no answer."""
        value = heard.value
        if value in ("later", "earlier"):
            draft.way = value
            return True
        if value == "wait" or (not value and draft.way == "earlier" and heard.intent == "affirm"):
            return await self._wait(draft, heard)
        if value.startswith("@"):
            return await self._choose_place(draft, value[1:])
        if value.startswith(WAY) and value[len(WAY) :].isdigit():
            return await self._mean(draft, int(value[len(WAY) :]), heard.now)
        if value in draft.shown:
            draft.start = value
            return True
        if value:
            return False
        return await self.in_words(draft, heard)

    async def in_words(self, draft: Draft, heard: Heard) -> bool:
        """The same, where no button was pressed."""
        text = heard.text
        wanted = self._desk.wanted(text, heard.now) or await self._nearby(draft, heard)
        if QUESTION.search(text) and not ABOUT_TIMES.search(text) and not facts.elsewhere(text):
            return False
        taken = await self.take_place(draft, text)
        draft.details |= proof(heard)
        if (number := self._chosen(draft, heard)) is not None:
            if draft.unclear:
                return await self._mean(draft, number, heard.now)
            draft.start = draft.shown[number]
            return True
        if wanted and draft.unclear and len(ways := draft.ways(wanted)) == 1:
            return await self._mean(draft, ways[0], heard.now)
        if wanted:
            await self._want(draft, wanted, heard.now)
            return True
        if taken:
            return True
        if facts.elsewhere(text):
            return await self.other_place(draft)
        if facts.earlier(text) or facts.later(text):
            draft.way = "earlier" if facts.earlier(text) else "later"
            return True
        if draft.unclear and heard.intent in ("affirm", "inform", "appointment"):
            return True  # it is asked again
        if draft.shown and (facts.any_time(text) or heard.intent == "affirm"):
            draft.start = draft.shown[0]
            return True
        if heard.intent == "deny":
            draft.way = "later"
            return True
        if heard.intent == "appointment" and OUTRIGHT.search(text):
            return False  # for something else, perhaps: it is begun anew
        if heard.intent in ("inform", "appointment", "callback") and not answers.asks(text):
            draft.note = "appointment_when_bad"
            return True
        return False

    def compared(self, heard: Heard, than: datetime) -> Wanted | None:
        """What a text says of when only because there is something to compare with: `een uurtje later`."""
        found = self._desk.wanted(heard.text, heard.now, than)
        return found if found != self._desk.wanted(heard.text, heard.now) else None

    async def _nearby(self, draft: Draft, heard: Heard) -> Wanted | None:
        """The same, of what was chosen, what was offered first, or what is to be moved."""
        old = await self._desk.orders.get(draft.old, heard.now) if draft.old else None
        first = draft.start or next(iter(draft.shown), None)
        than = datetime.fromisoformat(first) if first else old.start if old else None
        return self.compared(heard, than) if than else None

    def _chosen(self, draft: Draft, heard: Heard) -> int | None:
        """Which of what was offered or asked is meant: `de eerste` of a list, rather than of a month."""
        number = facts.ordinal(heard.text)
        if number is None or number >= len(draft.unclear or draft.shown):
            return None
        return None if self._desk.wanted(facts.without_ordinal(heard.text), heard.now) else number

    async def _mean(self, draft: Draft, way: int, now: datetime) -> bool:
        """Of what was unclear this is meant; False where there is no such way."""
        if way >= len(draft.unclear):
            return False
        draft.mean(way)
        await self.pick(draft, now)
        return True

    async def _want(self, draft: Draft, wanted: Wanted, now: datetime) -> None:
        """Take what was named, and the one time that it fits. Of more ways to read it, the one in which it is a time
        that was shown."""
        fits = {
            time
            for time in draft.shown
            if wanted.exact and any(a <= datetime.fromisoformat(time) < b for a, b in wanted.spans)
        }
        draft.want(wanted)
        if wanted.ways and len(fits) == 1:
            draft.start, draft.unclear = fits.pop(), []
        elif not draft.unclear:
            await self.pick(draft, now)

    async def pick(self, draft: Draft, now: datetime) -> None:
        """Choose the one free time that fits, where an exact one was named or where it was among those shown."""
        wanted = draft.wanted
        place = await self._desk.place(draft)
        if wanted is None or place is None or not wanted.exact:
            return
        if (
            draft.shown and len(wanted.spans) > 1
        ):  # a time of day alone: `half tien`, of those that were shown
            shown = [datetime.fromisoformat(one) for one in draft.shown]
            fits = [one for one in shown if any(a <= one < b for a, b in wanted.spans)]
        else:
            fits = await self._desk.free(draft, place.id, now).within(wanted.spans)
        if len(fits) == 1:
            draft.start = fits[0].isoformat(timespec="minutes")
            draft.location, draft.place = place.id, place.name

    async def _wait(self, draft: Draft, heard: Heard) -> bool:
        """Put the resident on the waiting list."""
        place = await self._desk.place(draft)
        old = await self._desk.orders.get(draft.old, heard.now) if draft.old else None
        before = draft.shown[0] if draft.shown else None
        latest = old.start.isoformat() if old else before
        if place is None:
            return False
        args = {
            "act": "wait",
            "product": draft.product,
            "article": draft.article,
            "location": place.id,
            "people": draft.people,
            "before": latest
            or datetime.fromtimestamp(heard.now.timestamp() + 60 * 86_400, AMSTERDAM).isoformat(),
        }
        self.commands.append(Command("appointment", args))
        draft.note, draft.way = "appointment_waiting", ""
        return True

    async def _choose_place(self, draft: Draft, location: str) -> bool:
        there = [one for one in await self._desk.locations(draft) if one.id == location]
        if not there:
            return False
        draft.location, draft.place = there[0].id, there[0].name
        draft.start, draft.shown, draft.way = None, [], ""
        return True

    async def other_place(self, draft: Draft) -> bool:
        """Go on at another location, where there is one."""
        now = await self._desk.place(draft)
        others = [one for one in await self._desk.locations(draft) if now and one.id != now.id]
        if not others:
            draft.note = "appointment_one_place"
            return True
        return await self._choose_place(draft, others[0].id)

    async def again(self, draft: Draft, heard: Heard) -> bool:
        """Another time than the one that was chosen."""
        draft.start, draft.changing = None, False
        if await self.in_words(draft, heard):
            return True
        draft.way = "later"
        return True


def proof(heard: Heard) -> dict[str, str]:
    """All of phone, e-mail and date of birth that a message holds."""
    today = heard.now.astimezone(AMSTERDAM).date()
    found = {
        "phone": facts.phone(heard.text),
        "email": facts.email(heard.text),
        "birth_date": facts.birth_date(heard.text, today),
    }
    return {name: value for name, value in found.items() if value}
