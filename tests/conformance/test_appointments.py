"""Appointments beside their calendar, on both stores: told and booked together, taken back where nobody was told, a
reminder that goes once, and what the counter does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from actions.appointments.orders import Orders
from bot.agenda import Agenda
from bot.appointments import Appointments
from bot.bus.memory import MemoryBus
from bot.clock import AMSTERDAM
from bot.db.database import Database
from bot.db.tables import appointments, local_bookings, messages, outbox, waiting_list
from bot.model import Booking, Command, Location, Outbound, Reply, Route, Trace, Turn
from bot.ports import AppointmentProvider, EngineFault, Limits, SlotGone
from bot.privacy import Privacy
from bot.reminders import Reminders
from bot.settings import ROOT
from bot.templates import read_templates
from bot.turn import Unfinished
from bot.web.appointments import as_calendar
from tests.calendars import DETAILS, SMALL, Away, calendar
from tests.conftest import SetClock
from tests.house import MUNICIPALITY, TestHouse

HALL = Location("hal", "Gemeentehuis", "Plein 1")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=AMSTERDAM)


class Booked:
    """A house whose engine books: `boek 24 9` is the 24th at nine, `weg 24 9` cancels that, `verzet ...` moves it."""

    def __init__(self, database: Database, clock: SetClock) -> None:
        self.database, self.clock = database, clock
        self.calendar = calendar(database, clock)
        self.orders = Orders(database)
        self.house = TestHouse(database, MemoryBus(), clock, self.think)
        self.list = Appointments(database, self.calendar, clock)
        self.crashes = 0

    async def think(self, turn: Turn) -> Reply:
        act, *rest = turn.text.split()
        numbers = [int(word) for word in rest]
        args: dict[str, Any] = {"act": "no_wait"}
        if act == "weg":
            args = {"act": "cancelled", "old": f"{numbers[0]}-{numbers[1]}"}
        elif act == "wacht":
            before = at(numbers[0], numbers[1]).isoformat()
            wanted = {"product": "paspoort", "article": None, "location": "hal", "people": 1}
            args = {"act": "wait", "before": before, **wanted}
        elif act in ("boek", "verzet"):
            args = await self._book(turn, numbers)
            args["old"] = f"{numbers[2]}-{numbers[3]}" if act == "verzet" else None
        if self.crashes:
            self.crashes -= 1
            raise RuntimeError("killed between the booking and the commit")
        return Reply(
            (Outbound(f"gedaan: {turn.text}"),),
            (Command("appointment", args),),
            trace=Trace(Route.APPOINTMENT),
        )

    async def _book(self, turn: Turn, numbers: list[int]) -> dict[str, Any]:
        start, key = at(numbers[0], numbers[1]), f"{numbers[0]}-{numbers[1]}"
        booking = Booking("paspoort", "hal", start, details=DETAILS)
        await self.orders.place(
            key, turn.conversation_id, "local", booking,
            title="Paspoort", article=None, location=HALL, now=self.clock(),
        )  # fmt: skip
        made = await self.calendar.book(booking, key)
        end = made.end.isoformat() if made.end else None
        return {
            "act": "booked",
            "key": key,
            "id": made.id,
            "product": "paspoort",
            "start": start.isoformat(),
            "end": end,
        }

    async def says(self, text: str, address: str = "r1") -> None:
        await self.house.say(text, address)
        await self.house.work()

    async def states(self) -> dict[str, str]:
        return {row.key: row.state for row in await self.house.rows(appointments, "created_at")}

    async def standing(self) -> list[str]:
        rows = await self.house.rows(local_bookings, "start")
        return [f"{row.start.astimezone(AMSTERDAM):%d-%H}" for row in rows if row.state == "booked"]

    def reminders(self, provider: AppointmentProvider | None = None) -> Reminders:
        channels = {"kept": self.house.channel}
        return Reminders(
            self.database, MemoryBus(), channels, self.house.wording, provider or self.calendar, self.clock
        )

    def agenda(self) -> Agenda:
        return Agenda(
            self.database,
            MemoryBus(),
            {"kept": self.house.channel},
            self.house.wording,
            self.calendar,
            SMALL,
            self.clock,
        )


@pytest.fixture
def booked(database: Database, clock: SetClock) -> Booked:
    return Booked(database, clock)


async def test_what_is_told_is_booked_and_what_is_cancelled_is_free(booked: Booked) -> None:
    await booked.says("boek 25 9")
    assert (await booked.states(), await booked.standing()) == ({"25-9": "booked"}, ["25-09"])
    assert await booked.list.settle() == 0
    await booked.says("weg 25 9")
    assert await booked.list.settle() == 1
    assert (await booked.states(), await booked.standing()) == ({"25-9": "cancelled"}, [])
    assert at(25, 9) in await booked.calendar.times("paspoort", "hal", date(2026, 11, 25))


async def test_a_move_has_the_new_one_before_the_old_one_goes(booked: Booked) -> None:
    await booked.says("boek 25 9")
    await booked.says("verzet 26 10 25 9")
    assert (await booked.states(), await booked.standing()) == (
        {"25-9": "cancelling", "26-10": "booked"},
        ["25-09", "26-10"],
    )
    assert await booked.list.settle() == 1
    assert await booked.standing() == ["26-10"]
    assert await booked.list.settle() == 0


async def test_a_crash_between_booking_and_commit_leaves_one_appointment_and_one_confirmation(
    booked: Booked, clock: SetClock
) -> None:
    booked.crashes = 2
    await booked.house.say("boek 25 9")
    for _ in range(2):
        (lease,) = await booked.house.inbox.claim(1, ["kept"])
        with pytest.raises(RuntimeError):
            await booked.house.turns.run(lease)
        clock.forward(seconds=13)
    assert (await booked.states(), await booked.standing()) == ({"25-9": "ordered"}, ["25-09"])
    clock.forward(minutes=11)  # down for long: but the message still waits, so nothing is taken back
    assert await booked.list.settle() == 0
    await booked.house.work()
    assert booked.house.read()[1:] == ["gedaan: boek 25 9"]
    assert (await booked.states(), await booked.standing()) == ({"25-9": "booked"}, ["25-09"])


async def test_a_booking_that_nobody_was_told_of_is_taken_back(booked: Booked, clock: SetClock) -> None:
    booked.crashes = 9
    await booked.house.say("boek 25 9")
    for _ in range(4):
        for lease in await booked.house.inbox.claim(1, ["kept"]):
            try:
                await booked.house.turns.run(lease)
            except RuntimeError:
                clock.forward(seconds=13)
    await booked.house.work()
    assert await booked.standing() == ["25-09"]
    assert any("Sorry" in text for text in booked.house.read()[-2:])
    clock.forward(minutes=11)
    assert await booked.list.settle() == 1
    assert (await booked.states(), await booked.standing()) == ({"25-9": "cancelled"}, [])


async def test_an_order_for_a_time_that_others_have_ends_without_touching_theirs(
    booked: Booked, clock: SetClock
) -> None:
    await booked.says("iets 0")
    booking = Booking("paspoort", "hal", at(25, 9), details=DETAILS)
    other = await booked.calendar.book(booking, "other")
    await booked.orders.place(
        "mine",
        await booked.house.key(),
        "local",
        booking,
        title="Paspoort",
        article=None,
        location=HALL,
        now=clock(),
    )
    with pytest.raises(SlotGone):
        await booked.calendar.book(booking, "mine")
    clock.forward(minutes=11)
    assert await booked.list.settle() == 1
    assert await booked.calendar.get(other.id) is not None
    assert await booked.states() == {"mine": "cancelled"}


async def test_the_reference_opens_only_with_a_second_fact(booked: Booked, clock: SetClock) -> None:
    await booked.says("boek 25 9")
    (row,) = await booked.house.rows(appointments)
    proofs: list[dict[str, str]] = [{"birth_date": "1990-04-03"}, {"phone": "+31612345678"}]
    for right in proofs:
        found = await booked.orders.prove(row.reference, right, clock())
        assert found and found.key == "25-9"
    for reference, wrong in (
        (row.reference, {}),
        (row.reference, {"birth_date": "1990-04-04"}),
        (row.reference, {"name": "Noor Bakker"}),
        (row.reference, {"email": ""}),
        ("A22222222", {"birth_date": "1990-04-03"}),
    ):
        assert await booked.orders.prove(reference, wrong, clock()) is None
    clock.now = at(25, 9, 1)
    assert await booked.orders.prove(row.reference, {"birth_date": "1990-04-03"}, clock()) is None


# -- reminders ----------------------------------------------------------------------------------------------


async def test_a_reminder_goes_once_a_day_before(booked: Booked, clock: SetClock) -> None:
    await booked.says("boek 25 11")
    clock.now = at(24, 10, 59)
    assert await booked.reminders().remind() == 0
    clock.now = at(24, 11)
    assert [await booked.reminders().remind() for _ in range(3)] == [1, 0, 0]
    await booked.house.work()
    assert booked.house.read()[-1].startswith("U heeft een afspraak: **morgen om 11.00 uur**")


async def test_no_reminder_for_who_booked_late_or_cancelled_or_for_what_is_past(
    booked: Booked, clock: SetClock
) -> None:
    await booked.says("boek 24 9")  # in 23 hours
    await booked.says("boek 25 9")
    await booked.says("weg 25 9")
    await booked.says("boek 26 9")
    clock.now = at(24, 9, 30)
    assert await booked.reminders().remind() == 0
    clock.now = at(26, 9, 30)  # we were away for long
    assert await booked.reminders().remind() == 0


async def test_a_reminder_that_is_cut_off_goes_once(booked: Booked, clock: SetClock) -> None:
    await booked.says("boek 25 11")
    clock.now = at(24, 11)
    before = len(await booked.house.rows(outbox))
    broken = booked.house.channel.render

    def dies(messages: Any) -> Any:
        raise RuntimeError("killed while the reminder was being queued")

    booked.house.channel.render = dies  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await booked.reminders().remind()
    booked.house.channel.render = broken  # type: ignore[method-assign]
    assert len(await booked.house.rows(outbox)) == before
    assert await booked.reminders().remind() == 1
    assert len(await booked.house.rows(outbox)) == before + 1


async def test_who_was_cancelled_in_the_calendar_is_not_reminded(booked: Booked, clock: SetClock) -> None:
    await booked.says("boek 25 11")
    (row,) = await booked.house.rows(appointments)
    await booked.calendar.cancel(row.external_id)
    clock.now = at(24, 11)
    assert await booked.reminders().remind() == 0
    assert await booked.states() == {"25-11": "cancelled"}


async def test_a_calendar_that_is_away_keeps_nobody_from_being_reminded(
    booked: Booked, clock: SetClock
) -> None:
    await booked.says("boek 25 11")
    clock.now = at(24, 11)
    assert await booked.reminders(Away()).remind() == 1


async def test_outside_the_window_the_template_goes_or_it_is_held(booked: Booked, clock: SetClock) -> None:
    booked.house.channel.limits = Limits(text=4096, buttons=3, button_label=20, window_hours=24)
    await booked.says("boek 25 11")
    await booked.says("boek 26 11", "r2")
    clock.now = at(24, 11)
    assert await booked.reminders().remind() == 1  # no templates: kept until the resident writes
    states = {row.state for row in await booked.house.rows(outbox)}
    assert "held" in states
    booked.house.channel.templates = read_templates(
        ROOT / "knowledge" / "templates.yml", MUNICIPALITY.variables
    )
    clock.now = at(25, 11)
    assert await booked.reminders().remind() == 1
    last = (await booked.house.rows(messages, "seq"))[-1]
    assert "morgen om 11.00 uur" in last.text
    assert [choice["id"] for choice in last.choices] == [
        "appointment:come",
        "appointment:move",
        "appointment:cancel",
    ]


# -- the waiting list ---------------------------------------------------------------------------------------


async def test_a_time_that_comes_free_goes_to_the_first_who_waits(booked: Booked, clock: SetClock) -> None:
    starts = await booked.calendar.times("paspoort", "hal", date(2026, 11, 23))
    starts += await booked.calendar.times("paspoort", "hal", date(2026, 11, 24))
    made = [
        await booked.calendar.book(Booking("paspoort", "hal", start, details=DETAILS), f"o{n}")
        for n, start in enumerate(starts)
    ]
    await booked.says("wacht 25 12", "r1")
    clock.forward(seconds=1)
    await booked.says("wacht 25 12", "r2")
    await booked.says("wacht 25 9", "r3")  # nothing is earlier than that until one comes free
    rows = await booked.house.rows(waiting_list, "seq")
    async with booked.database.write() as connection:  # times on the 25th don't count here
        await connection.execute(sa.update(waiting_list).values(before=at(25, 9)))
    assert len(rows) == 3
    assert await booked.reminders().offer() == 0
    await booked.calendar.cancel(made[-1].id)
    assert [await booked.reminders().offer() for _ in range(2)] == [1, 0]
    await booked.house.work()
    assert "Er is een plek vrij" in booked.house.read("r1")[-1]
    assert "Er is een plek vrij" not in booked.house.read("r2")[-1]
    offered = await booked.orders.offered(await booked.house.key("r1"), clock())
    assert offered is not None and offered.start == at(24, 16, 45)
    clock.forward(minutes=31)
    assert await booked.reminders().offer() == 1  # the next one is told
    await booked.house.work()
    assert "Er is een plek vrij" in booked.house.read("r2")[-1]
    await booked.says("stop 0", "r3")
    assert [row.state for row in await booked.house.rows(waiting_list, "seq")] == ["done", "offered", "done"]


# -- the file, the counter, and being forgotten -------------------------------------------------------------


async def test_the_calendar_file_has_the_time_zone_and_nothing_of_who_comes(booked: Booked) -> None:
    from icalendar import Calendar

    await booked.says("boek 25 11")
    (row,) = await booked.house.rows(appointments)
    text = as_calendar(row, booked.house.wording).decode()
    assert "DTSTART;TZID=Europe/Amsterdam:20261125T110000" in text
    assert "BEGIN:VTIMEZONE" in text and "\r\n" in text and "Noor" not in text
    (event,) = Calendar.from_ical(text).events
    assert (event["STATUS"], event["LOCATION"]) == ("CONFIRMED", "Gemeentehuis, Plein 1")
    await booked.says("weg 25 11")
    (row,) = await booked.house.rows(appointments)
    assert "STATUS:CANCELLED" in as_calendar(row, booked.house.wording).decode()


async def test_the_counter_marks_closes_and_calls_off(booked: Booked) -> None:
    await booked.says("boek 25 11")
    await booked.calendar.book(Booking("paspoort", "hal", at(25, 9), details=DETAILS), "by telephone")
    agenda, day = booked.agenda(), date(2026, 11, 25)
    first, second = (await agenda.day("hal", day)).bookings
    assert await agenda.mark(first.id, "no_show", actor="els")
    assert not await agenda.mark("never was", "came", actor="els")
    assert not await agenda.mark(first.id, "gone", actor="els")
    assert await agenda.close("hal", day, None, "verbouwing", actor="els")
    assert not await agenda.close("hal", day, None, "verbouwing", actor="els")
    assert await booked.calendar.times("paspoort", "hal", day) == []
    assert await agenda.call_off(second.id, actor="els")
    assert not await agenda.call_off(second.id, actor="els")
    await booked.house.work()
    assert "kan helaas niet doorgaan" in booked.house.read()[-1]
    assert await booked.states() == {"25-11": "cancelled"}
    found = await agenda.day("hal", day)
    assert [row.state for row in found.bookings] == ["no_show"]
    assert await agenda.reopen(found.closures[0].seq, actor="els")
    assert not await agenda.reopen(found.closures[0].seq, actor="els")
    assert at(25, 11) in await booked.calendar.times("paspoort", "hal", day)


async def test_who_is_forgotten_leaves_a_time_that_is_taken_and_no_name(
    booked: Booked, clock: SetClock
) -> None:
    await booked.says("boek 25 11")
    assert await Privacy(booked.database, clock).forget("kept", "r1", actor="engineer")
    assert await booked.states() == {}
    (row,) = await booked.house.rows(local_bookings)
    assert (row.state, row.details) == ("booked", {})


async def test_a_conversation_stays_as_long_as_its_appointment_is_to_come(
    booked: Booked, clock: SetClock
) -> None:
    await booked.says("boek 25 11")
    privacy = Privacy(booked.database, clock)
    clock.now = datetime(2026, 11, 25, 9, tzinfo=UTC)
    assert await privacy.purge(1) == 0
    clock.forward(days=30)
    assert await privacy.purge(28) == 1
    assert await booked.house.rows(local_bookings) == []


async def test_who_settles_is_woken_and_survives_a_calendar_that_is_away(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.appointments.EVERY", 0.05)
    bus = MemoryBus()
    booked = Booked(database, clock)
    await booked.says("boek 25 9")
    away, looks = Away(), 0

    class Counted(Appointments):
        async def settle(self) -> int:
            nonlocal looks
            looks += 1
            return await super().settle()

    await booked.says("weg 25 9")
    job = asyncio.create_task(Counted(database, away, clock).keep_settling(bus))
    await _until(lambda: looks >= 3)
    assert not job.done()
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    monkeypatch.setattr("bot.appointments.EVERY", 3600.0)
    looks = 0
    job = asyncio.create_task(Counted(database, booked.calendar, clock).keep_settling(bus))
    await _until(lambda: looks >= 1)
    await bus.publish("appointments")
    await _until(lambda: looks >= 2)
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    assert await booked.states() == {"25-9": "cancelled"}


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not reached():
            await asyncio.sleep(0.01)


async def test_while_the_engine_is_away_a_booking_under_way_waits_for_it(
    booked: Booked, clock: SetClock
) -> None:
    booked.crashes = 1
    await booked.house.say("boek 25 9")
    (lease,) = await booked.house.inbox.claim(1, ["kept"])
    with pytest.raises(RuntimeError):
        await booked.house.turns.run(lease)
    think, booked.house.engine.think = booked.house.engine.think, _away
    for _ in range(5):  # more often than a message may take a worker down
        clock.forward(seconds=13)
        (lease,) = await booked.house.inbox.claim(1, ["kept"])
        with pytest.raises(Unfinished):
            await booked.house.turns.run(lease)
        await booked.house.inbox.excuse(lease)
    clock.forward(seconds=13)
    booked.house.engine.think = think
    await booked.house.work()
    assert booked.house.read()[1:] == ["gedaan: boek 25 9"]
    assert (await booked.states(), await booked.standing()) == ({"25-9": "booked"}, ["25-09"])


async def test_for_an_engine_that_stays_away_nobody_waits_long(booked: Booked, clock: SetClock) -> None:
    booked.crashes = 1
    await booked.house.say("boek 25 9")
    (lease,) = await booked.house.inbox.claim(1, ["kept"])
    with pytest.raises(RuntimeError):
        await booked.house.turns.run(lease)
    booked.house.engine.think = _away
    clock.forward(minutes=3)
    await booked.house.work()
    assert booked.house.read()[1:] == ["uit de zoeker"]
    clock.forward(minutes=11)
    assert await booked.list.settle() == 1
    assert await booked.standing() == []


async def _away(turn: Turn) -> Reply:
    raise EngineFault("no answer", down=True)
