"""The figures against a set of conversations that was counted by hand, on both stores."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit import Act, audit
from bot.counting import count_day
from bot.daybook import Daybook
from bot.db.database import Database
from bot.db.tables import (
    article_revisions,
    articles,
    callback_requests,
    conversations,
    day_figures,
    handoffs,
    messages,
    owner_history,
)
from bot.privacy import Privacy
from bot.tally import Key, Name, minutes
from tests.conftest import SetClock

MONDAY = date(2026, 11, 23)
TUESDAY = MONDAY + timedelta(days=1)
WEB, WA = "webchat", "whatsapp"


def at(clock: str, day: date = MONDAY) -> datetime:
    """A moment in Amsterdam, in winter one hour ahead of UTC."""
    hour, minute = map(int, clock.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


class Town:
    """Writes down what happened, as the house would have."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._rows: list[tuple[sa.Table, dict[str, Any]]] = []
        self._count = 0

    def article(self, slug: str, theme: str) -> None:
        self._rows.append((articles, {"slug": slug, "revision": None}))
        row = {
            "slug": slug,
            "digest": "-",
            "content": {"theme": theme},
            "author": "-",
            "created_at": at("0:00"),
        }
        self._rows.append((article_revisions, row))

    def talk(self, key: str, channel: str, created: datetime) -> None:
        row = {"id": key, "channel": channel, "address": key, "owner": "bot", "owner_since": created}
        more = {"greeted": True, "created_at": created, "last_inbound_at": created}
        self._rows.append((conversations, {**row, **more}))

    def says(self, key: str, moment: datetime) -> None:
        self._line(key, "resident", moment)

    def bot(
        self, key: str, moment: datetime, route: str, article: str | None = None, link: bool = False
    ) -> None:
        links = [{"label": "x", "url": "https://x.example"}] if link else []
        self._line(key, "bot", moment, article=article, links=links, trace={"route": route})

    def _line(self, key: str, author: str, moment: datetime, **more: Any) -> None:
        self._count += 1
        row = {"id": f"m{self._count}", "conversation_id": key, "author": author, "kind": "text", "text": "x"}
        empty: dict[str, Any] = {"choices": [], "links": [], "article": None, "trace": None}
        self._rows.append((messages, {**row, **empty, "at": moment, **more}))

    def handoff(self, key: str, reason: str, moves: list[tuple[str, datetime]], **more: Any) -> None:
        """`moves`: from BOT to each of these owners."""
        began = moves[0][1]
        ended = moves[-1][1] if moves[-1][0] in ("bot", "closed") else None
        taken = next((moment for owner, moment in reversed(moves) if owner == "agent"), None)
        row = {"id": f"h-{key}", "conversation_id": key, "reason": reason, "topic": None, "team": "kcc"}
        row |= {
            "state": "ended" if ended else "waiting",
            "taken_at": taken,
            "ended_at": ended,
            "outcome": None,
        }
        more = {"mark": None, **more, "priority": 0, "acknowledged": False}
        self._rows.append((handoffs, {**row, "waiting_since": began, "queued_at": began, **more}))
        before = "bot"
        for owner, moment in moves:
            change = {"before": before, "after": owner, "reason": "-", "actor": "-", "at": moment}
            self._rows.append((owner_history, {"conversation_id": key, **change}))
            before = owner

    def asks_a_call(self, key: str, moment: datetime, reference: str) -> None:
        row = {"reference": reference, "conversation_id": key, "phone": "0612345678", "part_of_day": "middag"}
        self._rows.append((callback_requests, {**row, "topic": "x", "state": "open", "created_at": moment}))

    async def write(self) -> None:
        async with self.database.write() as connection:
            for table, row in self._rows:
                await connection.execute(sa.insert(table).values(**row))
        self._rows.clear()


async def town(database: Database) -> Town:
    """Monday and Tuesday in a small town, written by hand:

    1. web, Monday: asks about a passport, gets it with a link -> alone, link, reisdocumenten
    2. WhatsApp, Monday: is not understood twice, is handed over (not_understood) at 10:00, taken at 10:04, done at
       10:20, mark 9 -> person, 2 missed, waited 4, helped 16
    3. WhatsApp, Monday: how does my request stand -> alone, status
    4. web, Monday: says hello and leaves -> neither
    5. web, Monday: asks about waste, then for a call; is called back on Tuesday -> person, call, callback, afval
    6. WhatsApp, Monday 23:50: asks for a person about a passport; wrote again on Tuesday 8:00, taken on Tuesday 8:30,
       handed to a colleague at 8:40, who is done at 9:00 with the promise of a call, mark 6
       -> person on both days; handed on Monday; waited 520 -> 540 and helped 30 on Tuesday, call on Tuesday
    7. WhatsApp, Monday: asks for a person, and goes back to the bot after 2 minutes, which answers on a passport and
       makes an appointment of it -> person, appointment, left the queue; the handoff had no topic yet
    8. An engineer tries a question with `klaartje ask` -> nothing
    """
    here = Town(database)
    here.article("paspoort", "reisdocumenten")
    here.article("afval", "afval")
    for number, channel in enumerate((WEB, WA, WA, WEB, WEB, WA, WA, "ask"), start=1):
        here.talk(str(number), channel, at("23:50" if number == 6 else "9:00"))
    here.says("1", at("9:00"))
    here.bot("1", at("9:01"), "answer", "paspoort", link=True)
    for clock in ("9:58", "10:00"):
        here.says("2", at(clock))
        here.bot("2", at(clock), "out_of_scope")
    done = [("waiting", at("10:00")), ("agent", at("10:04")), ("bot", at("10:20"))]
    here.handoff("2", "not_understood", done, mark=9, outcome="handled")
    here.says("3", at("11:00"))
    here.bot("3", at("11:00"), "status")
    here.says("4", at("0:00"))
    here.bot("4", at("0:00"), "smalltalk")
    here.says("5", at("14:00"))
    here.bot("5", at("14:00"), "answer", "afval")
    here.asks_a_call("5", at("14:05"), "T1")
    here.says("6", at("23:50"))
    here.bot("6", at("23:50"), "answer", "paspoort")
    here.says("6", at("8:00", TUESDAY))
    moves = [("waiting", at("23:50")), ("agent", at("8:30", TUESDAY)), ("waiting", at("8:40", TUESDAY))]
    moves += [("agent", at("8:40", TUESDAY)), ("closed", at("9:00", TUESDAY))]
    here.handoff("6", "asked", moves, topic="paspoort", mark=6, outcome="call_back")
    here.says("7", at("12:00"))
    here.handoff("7", "asked", [("waiting", at("12:00")), ("bot", at("12:02"))])
    here.says("8", at("12:00"))
    here.bot("8", at("12:00"), "answer", "paspoort")
    here.says("7", at("12:02"))
    here.bot("7", at("12:03"), "appointment", "paspoort")
    await here.write()
    async with database.write() as connection:
        await audit(connection, "sanne", Act.CALLED_BACK, "T1", at=at("10:00", TUESDAY))
    return here


ON_MONDAY = {
    Key(WEB, "reisdocumenten", "conversations"): 1,  # 1
    Key(WEB, "reisdocumenten", "alone"): 1,
    Key(WEB, "reisdocumenten", "link"): 1,
    Key(WA, "", "conversations"): 2,  # 2 and 3
    Key(WA, "", "person"): 1,
    Key(WA, "", "alone"): 1,
    Key(WA, "", "missed"): 2,
    Key(WA, "", "handed:not_understood"): 1,
    Key(WA, "", "waited", 4): 1,
    Key(WA, "", "helped", 16): 1,
    Key(WA, "", "mark", 9): 1,
    Key(WA, "", "status"): 1,
    Key(WEB, "", "conversations"): 1,  # 4
    Key(WEB, "", "neither"): 1,
    Key(WEB, "afval", "conversations"): 1,  # 5
    Key(WEB, "afval", "person"): 1,
    Key(WEB, "afval", "callbacks"): 1,
    Key(WEB, "afval", "call"): 1,
    Key(WA, "reisdocumenten", "conversations"): 2,  # 6 and 7
    Key(WA, "reisdocumenten", "person"): 2,
    Key(WA, "reisdocumenten", "handed:asked"): 1,  # 6
    Key(WA, "", "handed:asked"): 1,  # 7
    Key(WA, "", "left"): 1,
    Key(WA, "reisdocumenten", "appointment"): 1,
}
ON_TUESDAY = {
    Key(WA, "", "conversations"): 1,  # 6, who was given no article on this day
    Key(WA, "", "person"): 1,
    Key(WA, "reisdocumenten", "waited", 540): 1,
    Key(WA, "reisdocumenten", "helped", 30): 1,
    Key(WA, "reisdocumenten", "mark", 6): 1,
    Key(WA, "reisdocumenten", "call"): 1,
    Key(WEB, "afval", "called back"): 1,  # 5
}


async def counted(database: Database, day: date) -> Counter[Key]:
    async with database.read() as connection:
        return await count_day(connection, day)


async def kept(database: Database) -> list[tuple[Any, ...]]:
    async with database.read() as connection:
        rows = await connection.execute(sa.select(day_figures).order_by(*day_figures.primary_key))
        return [tuple(row) for row in rows]


async def test_a_day_is_counted_as_by_hand(database: Database) -> None:
    await town(database)
    assert await counted(database, MONDAY) == ON_MONDAY
    assert await counted(database, TUESDAY) == ON_TUESDAY
    assert await counted(database, MONDAY - timedelta(days=1)) == {}


async def test_days_are_kept_and_outlive_their_conversations(database: Database, clock: SetClock) -> None:
    await town(database)
    clock.now = at("0:02", MONDAY + timedelta(days=2))
    daybook = Daybook(database, 28, clock)
    assert await daybook.count() == [MONDAY, TUESDAY]
    before = await kept(database)
    assert {Key(*row[1:5]): row[5] for row in before if row[0] == MONDAY and row[3] != "counted"} == ON_MONDAY
    assert await daybook.count() == []  # nothing is due
    assert await Daybook(database, 28, clock).count() == [MONDAY, TUESDAY]  # who just started looks once more
    assert await kept(database) == before

    clock.now = at("0:02", MONDAY + timedelta(days=12))
    assert len(await daybook.count()) == 10  # since Tuesday
    assert len(await Daybook(database, 28, clock).count()) == 7  # older ones have settled
    clock.now = at("0:02", MONDAY + timedelta(days=60))
    assert await Privacy(database, clock).purge(28) == 7  # not 5: the request for a call is still open
    assert len(await daybook.count()) == 27  # of before that not all are there
    sheet = await daybook.read([(MONDAY, MONDAY), (TUESDAY, TUESDAY)])
    assert (sheet.missing, sheet.channels.keys()) == (0, {WEB, WA})
    whole = sheet.whole
    assert (whole[Name.CONVERSATIONS], whole[Name.ALONE], whole[Name.PERSON], whole[Name.NEITHER]) == (
        8,
        2,
        5,
        1,
    )
    assert whole.reasons == {"asked": 2, "not_understood": 1} and whole.handed == 3
    assert (whole.at_most(Name.WAITED, 0.5), whole.at_most(Name.WAITED, 0.9)) == (4, 540)
    assert whole.average_mark == 7.5


async def test_a_late_mark_still_counts(database: Database, clock: SetClock) -> None:
    await town(database)
    clock.now = at("0:02", TUESDAY)
    daybook = Daybook(database, 28, clock)
    await daybook.count()
    async with database.write() as connection:
        await connection.execute(sa.update(handoffs).where(handoffs.c.id == "h-2").values(mark=3))
    assert await daybook.count() == []
    clock.now += timedelta(days=1)
    assert MONDAY in await daybook.count()
    sheet = await daybook.read([(MONDAY, MONDAY)])
    assert sheet.whole.values(Name.MARK) == {3: 1}


async def test_who_was_erased_on_request_stays_counted(database: Database, clock: SetClock) -> None:
    await town(database)
    clock.now = at("0:02", TUESDAY)
    await Daybook(database, 28, clock).count()
    before = await kept(database)
    clock.now += timedelta(hours=1)
    assert await Privacy(database, clock).forget(WEB, "1", actor="engineer")
    clock.now += timedelta(days=1)
    await Daybook(database, 28, clock).count()
    assert [row for row in await kept(database) if row[0] <= MONDAY] == before


async def test_today_is_counted_now_and_a_gap_is_told(database: Database, clock: SetClock) -> None:
    await town(database)
    clock.now = at("20:00", TUESDAY)
    daybook, days = Daybook(database, 28, clock), [(MONDAY, MONDAY), (TUESDAY, TUESDAY + timedelta(days=3))]
    sheet = await daybook.read(days, channel=WA)
    assert sheet.missing == 1
    assert [tally.values(Name.HELPED) for tally in sheet.spans] == [{}, {30: 1}]
    assert (set(sheet.channels), sheet.all_channels) == ({WA}, {WEB, WA})
    await daybook.count()
    sheet = await daybook.read(days, theme="afval")
    assert sheet.missing == 0
    assert [tally[Name.CALLED_BACK] for tally in sheet.spans] == [0, 1]
    assert (set(sheet.themes), sheet.all_themes) == ({"afval"}, {"afval", "reisdocumenten", ""})
    each = await daybook.each(days, theme="afval")
    assert [(where, tally[Name.CALLBACKS]) for where, tally in each.items()] == [
        ((0, WEB, "afval"), 1),
        ((1, WEB, "afval"), 0),
    ]


async def test_a_retention_of_a_day_leaves_time_to_count(database: Database, clock: SetClock) -> None:
    clock.now = at("0:02", TUESDAY)
    daybook = Daybook(database, 1, clock)
    assert await daybook.count() == []  # nobody ever wrote
    await town(database)
    assert await daybook.count() == [MONDAY]
    assert await daybook.count() == []


async def test_it_counts_again_after_a_fault(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await town(database)
    clock.now = at("0:02", TUESDAY)
    monkeypatch.setattr("bot.daybook.EVERY", 0.01)
    faults = [OSError("away")]

    async def broken(connection: AsyncConnection, day: date) -> Counter[Key]:
        if faults:
            raise faults.pop()
        return await count_day(connection, day)

    monkeypatch.setattr("bot.daybook.count_day", broken)
    task = asyncio.create_task(Daybook(database, 28, clock).keep_counting())
    async with asyncio.timeout(20):
        while not await kept(database):
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "the day can't be counted: OSError" in caplog.text


@pytest.mark.parametrize(
    ("seconds", "bound"), [(0, 1), (60, 1), (61, 2), (1800, 30), (1801, 35), (7201, 150), (31200, 540)]
)
def test_minutes_are_rounded_up(seconds: float, bound: int) -> None:
    assert minutes(seconds) == bound
