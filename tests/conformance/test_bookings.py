"""One appointment of each key, whatever a calendar without keys does: on both stores."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from actions.appointments.bookings import SETTLING, Bookings, Make, reference_of
from actions.appointments.calls import Unsure
from bot.db.database import Database
from bot.db.tables import calendar_bookings
from bot.ports import BookingRefused, CalendarFault, Fault, SlotGone
from bot.privacy import Privacy
from tests.conftest import START, SetClock

SOON = START + timedelta(days=8)


class Desk:
    """A calendar with a pencil. `fault`: what the next booking says, `after` or before it was written down; `blind`: it
    can't look anything up."""

    def __init__(self, database: Database, clock: SetClock) -> None:
        self.bookings = Bookings(database, "loket", clock)
        self.written: dict[str, str] = {}
        self.fault: Fault | None = None
        self.after = False
        self.blind: CalendarFault | None = None
        self.asked = 0

    async def book(self, key: str = "sleutel") -> tuple[str, bool]:
        return await self.bookings.once(key, SOON, self._prepare, self._find)

    async def _prepare(self) -> Make:
        await asyncio.sleep(0)
        return self._make

    async def _make(self, reference: str) -> str:
        self.asked += 1
        await asyncio.sleep(0.01)
        fault, self.fault = self.fault, None
        if fault and not self.after:
            raise fault
        assert reference not in self.written
        self.written[reference] = f"afspraak-{len(self.written)}"
        if fault:
            raise fault
        return self.written[reference]

    async def _find(self, reference: str) -> str | None:
        if self.blind:
            raise self.blind
        return self.written.get(reference)


@pytest.fixture
def desk(database: Database, clock: SetClock) -> Desk:
    return Desk(database, clock)


async def rows(database: Database) -> list[tuple[str, str | None]]:
    query = sa.select(calendar_bookings.c.state, calendar_bookings.c.external_id)
    async with database.read() as connection:
        return [(row.state, row.external_id) for row in (await connection.execute(query)).all()]


async def test_once(desk: Desk, database: Database) -> None:
    assert await desk.book() == ("afspraak-0", True)
    assert await desk.book() == ("afspraak-0", False)
    assert await desk.book("andere") == ("afspraak-1", True)
    assert desk.asked == 2
    assert await desk.bookings.booked() in {reference_of("sleutel"), reference_of("andere")}


async def test_many_with_one_key_at_the_same_moment(desk: Desk) -> None:
    told = await asyncio.gather(*(desk.book() for _ in range(12)), return_exceptions=True)
    faults = [one for one in told if isinstance(one, BaseException)]
    assert all(isinstance(one, CalendarFault) and one.retryable for one in faults), faults
    assert desk.asked == 1
    assert await desk.book() == ("afspraak-0", False)


async def test_many_that_look_an_old_one_up_at_the_same_moment(desk: Desk, clock: SetClock) -> None:
    desk.fault = Unsure()
    with pytest.raises(CalendarFault):
        await desk.book()
    clock.forward(seconds=SETTLING.total_seconds() + 1)
    told = await asyncio.gather(*(desk.book() for _ in range(12)), return_exceptions=True)
    assert desk.asked == 2  # the one that broke off, and one more
    assert ("afspraak-0", True) in told


async def test_the_time_is_gone_because_it_is_ours(desk: Desk) -> None:
    """Two with one key: the second looks at the calendar when the first has booked, or is about to."""

    async def slow() -> Make:
        raise SlotGone("the time is not free")

    async def booked() -> Make:
        assert await desk.book() == ("afspraak-0", True)
        return await slow()

    async def asked() -> Make:
        desk.fault = Unsure()
        with pytest.raises(CalendarFault):
            await desk.book("andere")
        return await slow()

    find = desk._find
    assert await desk.bookings.once("sleutel", SOON, booked, find) == ("afspraak-0", False)
    with pytest.raises(CalendarFault) as caught:
        await desk.bookings.once("andere", SOON, asked, find)
    assert caught.value.retryable
    with pytest.raises(SlotGone):
        await desk.bookings.once("derde", SOON, slow, find)


async def test_who_looked_an_old_one_up_too_slowly(desk: Desk, clock: SetClock) -> None:
    """Two look; one books already when the other one learns that there is nothing."""
    desk.fault = Unsure()
    with pytest.raises(CalendarFault):
        await desk.book()
    clock.forward(seconds=SETTLING.total_seconds() + 1)
    looking, booking = asyncio.Event(), asyncio.Event()
    find, make = desk._find, desk._make

    async def slow_find(reference: str) -> str | None:
        found = await find(reference)
        looking.set()
        await booking.wait()
        return found

    async def slow_make(reference: str) -> str:
        booking.set()
        if asyncio.current_task() is not slow:
            await asyncio.wait({slow})
        return await make(reference)

    desk._find = slow_find  # type: ignore[method-assign]
    slow = asyncio.create_task(desk.book())
    await looking.wait()
    desk._find, desk._make = find, slow_make  # type: ignore[method-assign]
    assert await desk.book() == ("afspraak-0", True)
    with pytest.raises(CalendarFault) as caught:
        await slow
    assert caught.value.retryable and desk.asked == 2


@pytest.mark.parametrize(
    "fault",
    [SlotGone("x"), BookingRefused("x"), CalendarFault("x", retryable=True)],
    ids=lambda f: type(f).__name__,
)
async def test_what_came_to_nothing_may_be_asked_again_at_once(
    desk: Desk, database: Database, fault: Fault
) -> None:
    desk.fault = fault
    with pytest.raises(type(fault)):
        await desk.book()
    assert await rows(database) == []
    assert await desk.book() == ("afspraak-0", True)


async def test_what_broke_off_is_looked_up_at_once(desk: Desk, database: Database) -> None:
    desk.fault, desk.after = Unsure(), True
    assert await desk.book() == ("afspraak-0", True)
    assert await rows(database) == [("booked", "afspraak-0")]


async def test_what_is_not_there_yet_may_yet_come(desk: Desk, database: Database, clock: SetClock) -> None:
    desk.fault = Unsure()
    with pytest.raises(CalendarFault) as caught:
        await desk.book()
    assert caught.value.retryable and await rows(database) == [("asked", None)]
    desk.written[reference_of("sleutel")] = "afspraak-9"  # and there it is
    with pytest.raises(CalendarFault) as caught:
        await desk.book()
    assert caught.value.retryable
    clock.forward(seconds=SETTLING.total_seconds() + 1)
    assert await desk.book() == ("afspraak-9", False)
    assert desk.asked == 1


async def test_what_can_t_be_looked_up_stays_unknown(desk: Desk, clock: SetClock) -> None:
    desk.fault, desk.after = Unsure(), True
    desk.blind = CalendarFault("nobody knows", retryable=False)
    for _ in range(3):
        with pytest.raises(CalendarFault):
            await desk.book()
        clock.forward(seconds=SETTLING.total_seconds() + 1)
    assert desk.asked == 1
    assert await desk.bookings.unknown() == [(reference_of("sleutel"), SOON)]
    clock.now = SOON
    assert await desk.bookings.unknown() == []


async def test_two_calendars_do_not_know_each_other(desk: Desk, database: Database, clock: SetClock) -> None:
    await desk.book()
    other = Desk(database, clock)
    other.bookings = Bookings(database, "ander loket", clock)
    assert await other.book() == ("afspraak-0", True)
    assert len(await rows(database)) == 2


async def test_a_store_that_is_away_is_a_fault(desk: Desk, database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(sa.text("ALTER TABLE calendar_bookings RENAME TO elsewhere"))
    try:
        for ask in (desk.book, desk.bookings.unknown, desk.bookings.booked):
            with pytest.raises(CalendarFault) as caught:
                await ask()
            assert caught.value.retryable and caught.value.reason.startswith("the store: ")
        assert desk.asked == 0
    finally:
        async with database.write() as connection:
            await connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO calendar_bookings"))


async def test_notes_go_some_time_after_the_appointment(
    desk: Desk, database: Database, clock: SetClock
) -> None:
    await desk.book()
    privacy = Privacy(database, clock)
    clock.now = SOON + timedelta(days=27)
    await privacy.purge(28)
    assert len(await rows(database)) == 1
    clock.forward(days=2)
    await privacy.purge(28)
    assert await rows(database) == []
