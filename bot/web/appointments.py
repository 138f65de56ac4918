"""The calendar file of an appointment: for whoever has the link, which nobody can guess."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from aiohttp import web
from icalendar import Calendar, Event

from bot.appointments import CANCELLED, CANCELLING, Appointments
from bot.clock import AMSTERDAM
from bot.staff.secret import hashed, is_token
from bot.wording import Wording

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class AppointmentFile:
    """`GET /afspraken/<token>.ics`."""

    def __init__(self, appointments: Appointments, wording: Wording) -> None:
        self._appointments = appointments
        self._wording = wording

    def routes(self) -> list[web.RouteDef]:
        """The one address."""
        return [web.get("/afspraken/{token}.ics", self.show, allow_head=False)]

    async def show(self, request: web.Request) -> web.Response:
        """The file; 404 for a link that never was or whose conversation was erased."""
        token = request.match_info["token"]
        try:
            row = await self._appointments.by_token(token) if is_token(token) else None
        except (sa.exc.SQLAlchemyError, OSError):
            return web.Response(status=503, text="Probeer het straks nog eens.", headers=_HEADERS)
        if row is None:
            return web.Response(status=404, text="Deze link werkt niet (meer).", headers=_HEADERS)
        headers = _HEADERS | {"Content-Disposition": 'attachment; filename="afspraak.ics"'}
        body = as_calendar(row, self._wording)
        return web.Response(body=body, content_type="text/calendar", charset="utf-8", headers=headers)


def as_calendar(row: Any, wording: Wording) -> bytes:
    """RFC 5545: one event, in the time zone of the counter. Nothing of who comes is in it."""
    calendar = Calendar()
    calendar.add("prodid", "-//Klaartje//NL")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    event = Event()
    event.add("uid", f"{hashed(row.key)[:32]}@klaartje")
    event.add("dtstamp", row.created_at)
    event.add("dtstart", row.start.astimezone(AMSTERDAM))
    if row.end:
        event.add("dtend", row.end.astimezone(AMSTERDAM))
    event.add("summary", wording.say("appointment_file_title", title=row.title).text)
    event.add("location", f"{row.place}, {row.address}")
    number = f"{row.reference[0]} {row.reference[1:5]} {row.reference[5:]}"
    event.add("description", wording.say("appointment_file_text", reference=number).text)
    gone = row.state in (CANCELLING, CANCELLED)
    event.add("status", "CANCELLED" if gone else "CONFIRMED")
    event.add("sequence", int(gone))
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
