"""Plays a truth file in the real house: its store, channels, turns, engine, actions and search."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from aiohttp import ClientSession

from actions.fallback import SearchEngine
from actions.reports.categories import Categories
from actions.reports.local import LocalReports
from actions.reports.urgent import UrgentFirst
from actions.understanding import Understanding
from bot.app.house import House, open_house
from bot.app.roles import web_role
from bot.appointments import Appointments
from bot.attempts import Attempts
from bot.casedesk import CaseDesk
from bot.db.tables import appointments, calendar_closures, callback_requests, conversations, messages
from bot.engine import HttpEngine
from bot.handoff import Handoff
from bot.ports import Alarm, Channel, DialogueEngine
from bot.reportdesk import ReportCases, ReportDesk, ReportWords
from bot.reports import Reports
from bot.settings import ROOT, Settings
from bot.templates import read_templates
from bot.tidings import Tidings
from bot.turn import Turns
from bot.wording import fill_in
from connectors.terminal import Terminal
from knowledge.search import HybridSearch
from tests.calendars import SWITCHED, Away, book_elsewhere, close_all, take
from tests.conftest import SetClock
from tests.conversations.cases import StagedCases
from tests.conversations.reports import StagedReports
from tests.conversations.residents import InTerminal, Keyboard, OnTelegram, OnTheWeb, OnWhatsApp, Resident
from tests.conversations.truth import Truth
from tests.fakes.telegram import FakeTelegram
from tests.fakes.whatsapp import FakeWhatsApp
from tests.house import MUNICIPALITY
from tests.integration.engine_process import SECRET
from tests.services import free_port

_SAID = (
    "meanwhile",
    "text",
    "photo",
    "press",
    "choice",
    "sends",
    "edit",
    "revoke",
    "react",
    "waits",
    "later",
    "engine",
    "cases",
    "reports",
    "solves",
)
"""What a file says of a turn; the rest of it is what came of it."""

_REFERENCE = re.compile(r"\bT[0-9A-F]{8}\b")
_REPORT = re.compile(r"^report_follow:.+")
_KEY = re.compile(r"(?<=unfollow):[0-9a-f-]{36}$")
_APPOINTMENT = re.compile(r"\bA [2-9A-HJ-NP-TV-Z]{4} [2-9A-HJ-NP-TV-Z]{4}\b")
_CHOICE = re.compile(r"\binform:A[2-9A-HJ-NP-TV-Z]{8}$")
_FILE = re.compile(r"/afspraken/[\w-]{43}\.ics")
_NOWHERE = "http://127.0.0.1:9"


@dataclass
class Play:
    """A house with one resident."""

    house: House
    resident: Resident
    clock: SetClock
    engine: DialogueEngine
    down: DialogueEngine
    fallback: DialogueEngine
    alarm: Alarm
    search: HybridSearch
    cases: StagedCases
    tidings: Tidings
    reports: StagedReports
    queue: Reports
    report_tidings: Tidings
    reference: str = ""
    """Of the appointment that was told last; `{reference}` in what a resident types."""

    async def all(self, truth: Truth) -> Truth:
        """The conversation with what comes of it now."""
        opening = [_stable(message) for message in await self.resident.reads()]
        played = {name: truth[name] for name in ("about", "now", "channel") if name in truth}
        if opening:
            played["opens"] = opening
        played["say"] = [await self.turn(turn) for turn in truth["say"]]
        if calls := await self._calls():
            played["calls"] = calls
        if reported := await self.reports.listed():
            played["reported"] = reported
        if booked := await self._appointments():
            played["appointments"] = booked
        return played

    async def turn(self, turn: dict[str, Any]) -> dict[str, Any]:
        """One message and what it led to."""
        self.clock.forward(**turn.get("later", {"seconds": 30}))
        await self._meanwhile(turn.get("meanwhile", {}))
        said = (
            {**turn, "text": turn["text"].replace("{reference}", self.reference)} if "text" in turn else turn
        )
        self.cases.mood = turn.get("cases", "")
        self.reports.mood = turn.get("reports", "")
        for number in turn.get("solves", ()):
            assert await self.reports.reports.done(number, actor="engineer")
        if "waits" not in turn:
            await self.resident.does(said)
        await self._work(self.down if turn.get("engine") == "down" else self.engine)
        if "photo" in turn:
            for file in await self.house.files.claim(10):
                await self.house.files.fetch(file)
        if await self.tidings.look() + await self.report_tidings.look():
            await self._work(self.engine)
        owner, trace = await self._state()
        read = await self.resident.reads()
        for message in read:
            if found := _APPOINTMENT.search(message["text"]):
                self.reference = found[0]
        reads = [_stable(message) for message in read]
        return {name: turn[name] for name in _SAID if name in turn} | {
            "owner": owner,
            **({"route": trace["route"]} if trace and reads else {}),
            **({"article": trace["article"]} if trace and reads and trace["article"] else {}),
            "reads": reads,
        }

    async def _meanwhile(self, what: dict[str, Any]) -> None:
        """What others do before the resident writes: `taken` times of a product at a location, days that are `closed`
        everywhere or `opened` again, an appointment with the number A 2345 6789 that somebody made `elsewhere`, a
        calendar that is `down` or back."""
        calendar = self.house.calendar
        assert calendar is not None
        for start in what.get("taken", ()):
            await take(calendar, what["product"], what["location"], start, what["counters"])
        if days := what.get("closed"):
            offices = tuple(one.id for one in await calendar.locations("paspoort"))
            await close_all(self.house.database, self.clock().date(), days, offices)
        if what.get("opened"):
            async with self.house.database.write() as connection:
                await connection.execute(sa.delete(calendar_closures))
        if start := what.get("elsewhere"):
            await book_elsewhere(self.house.database, calendar, "A23456789", start, self.clock())
        if "calendar" in what:
            self._switch(down=what["calendar"] == "down")

    def _switch(self, *, down: bool) -> None:
        if down:
            SWITCHED.desk.calendar = Away()
        else:
            SWITCHED.close()
            SWITCHED.open(str(self.house.settings.database), self.clock)

    async def _appointments(self) -> list[dict[str, str]]:
        names = ("product", "location", "start", "state")
        query = sa.select(*(appointments.c[name] for name in names)).order_by(appointments.c.created_at)
        async with self.house.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            {
                "product": row.product,
                "location": row.location,
                "start": row.start.isoformat(),
                "state": row.state,
            }
            for row in rows
        ]

    async def _work(self, engine: DialogueEngine) -> None:
        house = self.house
        handoff = Handoff(house.wording, house.municipality, self.search.article)
        turns = Turns(
            house.database,
            house.bus,
            house.channels,
            engine,
            self.fallback,
            self.alarm,
            house.wording,
            handoff,
            self.clock,
            article=self.search.article,
        )
        while leases := await house.inbox.claim(10, house.channels):
            for lease in leases:
                await turns.run(lease)
        for order in await self.queue.claim(10):
            await self.queue.bring(order)
        assert house.calendar is not None
        await Appointments(house.database, house.calendar, self.clock).settle()
        assert house.reminders is not None
        await house.reminders.look()
        while letters := await house.outbox.claim(10):
            for letter in letters:
                await house.outbox.deliver(letter)

    async def _state(self) -> tuple[str, dict[str, Any] | None]:
        traced = sa.select(messages.c.trace).where(messages.c.trace.is_not(None))
        async with self.house.database.read() as connection:
            owner = await connection.scalar(sa.select(conversations.c.owner))
            trace = await connection.scalar(traced.order_by(messages.c.seq.desc()).limit(1))
        return str(owner), trace

    async def _calls(self) -> list[dict[str, str]]:
        columns = callback_requests.c
        query = sa.select(columns.phone, columns.part_of_day, columns.topic).order_by(columns.created_at)
        async with self.house.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [{"phone": row.phone, "when": row.part_of_day, "topic": row.topic} for row in rows]


@asynccontextmanager
async def playing(
    truth: Truth, url: str, engine_url: str, search: HybridSearch, directory: Path
) -> AsyncIterator[Play]:
    """A house at the moment and with the channel of the file."""
    clock = SetClock()
    clock.now = datetime.fromisoformat(truth["now"]) - timedelta(seconds=30)
    async with AsyncExitStack() as stack:
        house, resident = await _moved_in(truth["channel"], url, directory, clock, stack)
        SWITCHED.open(url, clock)
        stack.callback(SWITCHED.close)
        engine, down = HttpEngine(engine_url, SECRET), HttpEngine(_NOWHERE, SECRET)
        stack.push_async_callback(engine.close)
        stack.push_async_callback(down.close)
        understanding = _understanding(search)
        words = house.case_words
        assert house.cases and words
        cases = StagedCases(house.cases)
        desk = CaseDesk(cases, words, Attempts(house.database, clock), clock, seconds=0.2)

        reported = StagedReports(LocalReports(house.database, clock))
        queue = Reports(
            house.database, house.bus, house.channels, reported, house.wording, directory / "media", clock
        )
        report_words, categories = ReportWords(house.wording), Categories.load()

        def around(engine: DialogueEngine) -> DialogueEngine:
            reporting = ReportDesk(desk.around(engine), house.database, reported, report_words)
            return understanding.around(UrgentFirst(reporting, categories))

        tidings = Tidings(house.database, house.bus, house.channels, cases, words, house.wording, clock)
        news = Tidings(
            house.database,
            house.bus,
            house.channels,
            ReportCases(reported),
            report_words,
            house.wording,
            clock,
        )
        yield Play(
            house,
            resident,
            clock,
            around(engine),
            around(down),
            around(SearchEngine(search)),
            understanding.alarm(),
            search,
            cases,
            tidings,
            reported,
            queue,
            news,
        )


@cache
def _understanding(search: HybridSearch) -> Understanding:
    return Understanding(search)


async def _moved_in(
    channel: str, url: str, directory: Path, clock: SetClock, stack: AsyncExitStack
) -> tuple[House, Resident]:
    values: dict[str, Any] = {"database_url": url, "state_dir": directory, "port": 0}
    if channel == "terminal":
        screen, keyboard = io.StringIO(), Keyboard()
        terminal = Terminal(keyboard, screen, address=str(uuid.UUID(int=1)), settled=_at_once)
        channels: dict[str, Channel] = {"terminal": terminal}
        house = await stack.enter_async_context(open_house(Settings(**values), channels, clock))
        return house, InTerminal(house, terminal, keyboard, screen)
    if channel == "webchat":
        house = await stack.enter_async_context(open_house(Settings(**values), clock=clock))
        address = await stack.enter_async_context(web_role(house, {}))
        session = await stack.enter_async_context(ClientSession(address))
        web = OnTheWeb(session)
        await web.opens()
        return house, web
    port = free_port()
    if channel == "whatsapp":
        meta = await stack.enter_async_context(FakeWhatsApp(clock=lambda: clock().timestamp()))
        meta.webhook = f"http://127.0.0.1:{port}/webhooks/whatsapp"
        values |= {"port": port, **{name.lower(): value for name, value in meta.settings().items()}}
        values["whatsapp_templates"] = ROOT / "knowledge" / "templates.yml"
        for name, one in read_templates(values["whatsapp_templates"], MUNICIPALITY.variables).items():
            numbered = {variable: f"{{{{{at}}}}}" for at, variable in enumerate(one.variables, 1)}
            meta.template(name, fill_in(one.text, numbered))
        house = await stack.enter_async_context(open_house(Settings(**values), clock=clock))
        await stack.enter_async_context(web_role(house, {}))
        return house, OnWhatsApp(meta)
    fake = await stack.enter_async_context(FakeTelegram())
    values |= {
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "telegram_token": fake.token,
        "telegram_api_url": fake.url,
        "telegram_webhook_secret": "webhook-secret",
    }
    house = await stack.enter_async_context(open_house(Settings(**values), clock=clock))
    await stack.enter_async_context(web_role(house, {}))
    await fake.until(lambda: bool(fake.webhook and fake.commands))
    return house, OnTelegram(fake)


async def _at_once() -> None:
    """The turn is played after the line is taken."""


def _stable(message: dict[str, Any]) -> dict[str, Any]:
    """The message without what chance made."""
    text = _APPOINTMENT.sub("A 0000 0000", _REFERENCE.sub("T00000000", message["text"]))
    stable = {**message, "text": _FILE.sub("/afspraken/0.ics", text)}
    if "choices" in message:
        stable["choices"] = {
            _REPORT.sub("report_follow:1", _KEY.sub(":1", _CHOICE.sub(f"inform:{number}", choice))): label
            for number, (choice, label) in enumerate(message["choices"].items(), 1)
        }
    if "links" in message:
        stable["links"] = {
            label: _FILE.sub("/afspraken/0.ics", url) for label, url in message["links"].items()
        }
    return stable
