"""The audit on a page: who did what and when. Only to read: no address of it takes a form."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from aiohttp import web

from bot.audit import Act, audit
from bot.clock import AMSTERDAM, Clock
from bot.db.database import Database
from bot.logbook import Entry, Logbook, Sought
from bot.municipality import Municipality
from bot.staff.roles import Permission
from bot.staff.sessions import Visit
from bot.web.staff import words
from bot.web.staff.account import who
from bot.web.staff.amounts import rows
from bot.web.staff.door import Door

PLACE = "/beheer/logboek"
_HEADINGS = ("moment", "wie", "gebruikersnaam", "wat", "waarover", "bijzonderheden")
_BAD_DAY = "Deze dag bestaat niet. Schrijf een dag als 2026-11-25."


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in words. `opens`: where the conversation is that it is about, for who may see it."""

    when: str
    person: str
    act: str
    about: str
    detail: str
    opens: str


class LogbookPages:
    """`/beheer/logboek`, and the same as a file."""

    def __init__(self, door: Door, database: Database, municipality: Municipality, clock: Clock) -> None:
        self._door = door
        self._database = database
        self._logbook = Logbook(database)
        self._teams = {team.name: team.title for team in municipality.teams}
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Both are only to look at."""
        needs = Permission.SEE_AUDIT
        return [
            self._door.get(PLACE, needs, self.show),
            self._door.get(f"{PLACE}.csv", needs, self.download),
        ]

    async def show(self, request: web.Request, visit: Visit) -> web.Response:
        """A page of it, newest first."""
        sought, errors = _sought(request.query)
        before = request.query.get("voor", "")
        from_seq = int(before) if before.isdecimal() and len(before) <= 18 else None
        entries, more = ([], False) if errors else await self._logbook.page(sought, from_seq)
        asked = {name: request.query[name] for name in ("wie", "wat", "dag") if request.query.get(name)}
        older = {**asked, "voor": str(entries[-1].seq)} if more else {}
        return self._door.look.page(
            "logbook",
            visit,
            status=422 if errors else 200,
            errors=errors,
            lines=[self._line(entry, visit) for entry in entries],
            asked={name: asked.get(name, "")[:64] for name in ("wie", "wat", "dag")},
            acts=sorted(((act.value, said) for act, said in words.ACTS.items()), key=lambda one: one[1]),
            older=urlencode(older),
            newest=urlencode(asked) if from_seq is not None else None,
            file=f"{PLACE}.csv?{urlencode(asked)}",
        )

    def _line(self, entry: Entry, visit: Visit) -> Line:
        sees = who(visit).may(Permission.SEE_CONVERSATIONS) and entry.act in words.CONVERSATIONS
        return Line(
            words.moment(entry.at, self._clock()),
            words.person(entry.actor, entry.person),
            words.act(entry.act),
            entry.about,
            words.detail(entry.detail, self._teams),
            f"/kcc/conversations/{entry.object}" if sees else "",
        )

    async def download(self, request: web.Request, visit: Visit) -> web.StreamResponse:
        """All that is sought, as CSV for a spreadsheet. That it was fetched is noted."""
        sought, errors = _sought(request.query)
        if errors:
            return await self.show(request, visit)
        async with self._database.write() as connection:
            await audit(connection, who(visit).name, Act.DOWNLOADED_AUDIT, at=self._clock())
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": 'attachment; filename="logboek.csv"',
            }
        )
        await response.prepare(request)
        try:
            await response.write("\ufeff".encode() + rows([_HEADINGS]))  # with this mark Excel reads UTF-8
            async for text in self._text(sought):
                await response.write(text)
        except Exception:
            if request.transport is not None:
                request.transport.abort()  # half a file must not look like a whole one
            raise
        await response.write_eof()
        return response

    async def _text(self, sought: Sought) -> AsyncIterator[bytes]:
        async for batch in self._logbook.all(sought):
            yield rows(
                (
                    entry.at.astimezone(AMSTERDAM).isoformat(sep=" ", timespec="seconds"),
                    words.person(entry.actor, entry.person),
                    entry.actor,
                    words.act(entry.act),
                    entry.about,
                    words.detail(entry.detail, self._teams),
                )
                for entry in batch
            )


def _sought(query: Mapping[str, str]) -> tuple[Sought, dict[str, str]]:
    """What is looked for, and what is wrong with it by field."""
    act, day = query.get("wat", ""), query.get("dag", "")
    errors = {}
    found: date | None = None
    try:
        found = date.fromisoformat(day) if day else None
    except ValueError:
        errors["dag"] = _BAD_DAY
    if found is not None and not 2000 <= found.year <= 2999:
        errors["dag"] = _BAD_DAY
    if act and act not in set(Act):
        errors["wat"] = "Kies een handeling uit de lijst."
    person = query.get("wie", "")[:64]
    wanted = Act(act) if act and not errors else None
    return Sought(person, words.actors_like(person), wanted, found), errors
