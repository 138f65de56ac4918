"""The days of our own calendar: who comes, who came, and what is closed."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

from aiohttp import web

from bot.agenda import CAME, NO_SHOW, Agenda
from bot.appointments import BOOKED
from bot.clock import AMSTERDAM
from bot.municipality import DAY_NAMES, MONTHS, clock_words
from bot.ports import CalendarFault, Refused
from bot.staff.roles import Permission
from bot.staff.sessions import Visit
from bot.web.staff.account import who
from bot.web.staff.door import Door, see_other
from bot.web.staff.form import field

HERE = "/afspraken-beheer"

ELSEWHERE = {"qmatic": "Qmatic", "jcc": "JCC-Afspraken"}
"""How a calendar of others is called."""

STATES = {BOOKED: "Verwacht", CAME: "Gekomen", NO_SHOW: "Niet gekomen"}
"""How a state is called."""


class AgendaPages:
    """`/afspraken-beheer`."""

    def __init__(self, door: Door, agenda: Agenda) -> None:
        self._door = door
        self._agenda = agenda

    def routes(self) -> list[web.RouteDef]:
        """The day, and what can be done on it."""
        needs = Permission.MANAGE_APPOINTMENTS
        return [
            self._door.get(HERE, needs, self.show),
            self._door.post(f"{HERE}/afspraak", needs, self.change),
            self._door.post(f"{HERE}/sluiten", needs, self.close),
            self._door.post(f"{HERE}/openen", needs, self.reopen),
        ]

    async def show(self, request: web.Request, visit: Visit) -> web.Response:
        """One day of one location; today of the first where none is asked for."""
        location, day = self._asked(request.query.get("locatie", ""), request.query.get("dag", ""))
        found = await self._agenda.day(location, day)
        offices = self._agenda.plan.locations
        office = next(one for one in offices if one.id == location)
        rows = [
            {
                "id": row.id,
                "time": clock_words(row.start.astimezone(AMSTERDAM).time()),
                "until": clock_words(row.end.astimezone(AMSTERDAM).time()),
                "counter": row.counter,
                "product": self._agenda.titles.get(row.product, row.product),
                "people": row.people,
                "name": row.details.get("name", "gewist"),
                "birth_date": _dutch(row.details.get("birth_date", "")),
                "contact": row.details.get("phone") or row.details.get("email") or "",
                "state": row.state,
            }
            for row in found.bookings
        ]
        title = f"{DAY_NAMES[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"
        return self._door.look.page(
            "agenda",
            visit,
            offices=offices,
            office=office,
            day=day.isoformat(),
            title=title,
            rows=rows,
            states=STATES,
            closures=found.closures,
            done=request.query.get("gedaan", ""),
        )

    async def change(self, request: web.Request, visit: Visit) -> web.Response:
        """Somebody came or did not, or the appointment is called off."""
        form, actor = await request.post(), who(visit).name
        booking, act = field(form, "afspraak"), field(form, "wat")
        try:
            if act == "afzeggen":
                done = await self._agenda.call_off(booking, actor=actor)
            else:
                done = await self._agenda.mark(booking, act, actor=actor)
        except CalendarFault:
            raise Refused("the calendar does not answer", 503) from None
        if not done:
            raise Refused("there is no such appointment (any more)", 404)
        return self._back(field(form, "locatie"), field(form, "dag"), "afspraak")

    async def close(self, request: web.Request, visit: Visit) -> web.Response:
        """Close the day, or a counter on it."""
        form = await request.post()
        location, day = self._asked(field(form, "locatie"), field(form, "dag"))
        counter, why = field(form, "loket"), field(form, "reden").strip()
        if counter and not counter.isdigit():
            raise Refused("a counter is a number", 400)
        await self._agenda.close(
            location, day, int(counter) if counter else None, why or "gesloten", actor=who(visit).name
        )
        return self._back(location, day.isoformat(), "gesloten")

    async def reopen(self, request: web.Request, visit: Visit) -> web.Response:
        """Take a closure back."""
        form = await request.post()
        seq = field(form, "sluiting")
        if not seq.isdigit() or not await self._agenda.reopen(int(seq), actor=who(visit).name):
            raise Refused("there is no such closure (any more)", 404)
        return self._back(field(form, "locatie"), field(form, "dag"), "open")

    def _asked(self, location: str, day: str) -> tuple[str, date]:
        """What is looked at. Raises `Refused` for what is neither a location nor a day."""
        offices = [one.id for one in self._agenda.plan.locations]
        if location and location not in offices:
            raise Refused("there is no such location", 404)
        try:
            wanted = date.fromisoformat(day) if day else self._agenda.clock().astimezone(AMSTERDAM).date()
        except ValueError:
            raise Refused("that is no day", 400) from None
        if not 2000 <= wanted.year <= 2200:
            raise Refused("that is no day of a calendar", 400)
        return location or offices[0], wanted

    def _back(self, location: str, day: str, done: str) -> web.Response:
        location, wanted = self._asked(location, day)
        query = {"locatie": location, "dag": wanted.isoformat(), "gedaan": done}
        return see_other(f"{HERE}?{urlencode(query)}")


class NoAgendaPage:
    """`/afspraken-beheer` where appointments do not stand with us: it says where they do."""

    def __init__(self, door: Door, calendar: str | None) -> None:
        self._door = door
        self._calendar = ELSEWHERE.get(calendar or "", calendar)

    def routes(self) -> list[web.RouteDef]:
        """The one page."""
        return [self._door.get(HERE, Permission.MANAGE_APPOINTMENTS, self.show)]

    async def show(self, request: web.Request, visit: Visit) -> web.Response:
        """Where to look."""
        return self._door.look.page("no_agenda", visit, calendar=self._calendar)


def _dutch(day: str) -> str:
    """A date as it is written at the counter: `3-4-1990`."""
    year, _, rest = day.partition("-")
    month, _, number = rest.partition("-")
    return f"{int(number)}-{int(month)}-{year}" if number else ""
