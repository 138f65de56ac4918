"""Our own calendar, on both stores: nobody gets what somebody else has, and a day is as long as its desk is open."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from bot.clock import AMSTERDAM
from bot.db.database import Database
from bot.db.tables import calendar_cells, calendar_closures, local_bookings
from bot.model import Appointment, Booking
from bot.municipality import Appointments
from bot.ports import BookingRefused, CalendarFault, SlotGone
from tests.calendars import DETAILS, SMALL, calendar
from tests.conftest import SetClock

MONDAY = date(2026, 11, 23)
"""The day of `START`, on which it is ten o'clock."""


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=AMSTERDAM)


def wanted(start: datetime, product: str = "paspoort", location: str = "hal", **more: int) -> Booking:
    return Booking(product, location, start, details=DETAILS, **more)


async def test_products_locations_and_fields_are_those_of_the_plan(
    database: Database, clock: SetClock
) -> None:
    ours = calendar(database, clock)
    assert [product.id for product in await ours.products()] == ["paspoort", "uittreksel", "huwelijk"]
    assert [one.id for one in await ours.locations("paspoort")] == ["hal", "noord"]
    assert [one.id for one in await ours.locations("huwelijk")] == ["hal"]
    assert await ours.locations("vuurwerk") == []
    assert [(one.name, one.required) for one in await ours.fields("uittreksel")] == [("name", True)]
    assert (await ours.health()).state == "ok"


async def test_a_day_runs_from_opening_to_closing_and_nothing_of_it_is_past(
    database: Database, clock: SetClock
) -> None:
    ours = calendar(database, clock)
    today = await ours.times("paspoort", "hal", MONDAY)
    assert (today[0], today[-1]) == (at(MONDAY, 10, 30), at(MONDAY, 16, 45))
    tomorrow = await ours.times("huwelijk", "hal", MONDAY + timedelta(days=1))
    assert (tomorrow[0], tomorrow[-1], len(tomorrow)) == (
        at(date(2026, 11, 24), 9),
        at(date(2026, 11, 24), 15, 45),
        10,
    )
    assert all(start.utcoffset() == timedelta(hours=1) for start in today)
    assert await ours.times("huwelijk", "noord", MONDAY + timedelta(days=1)) == []


async def test_several_people_take_several_times(database: Database, clock: SetClock) -> None:
    ours = calendar(database, clock)
    day = date(2026, 11, 24)
    made = await ours.book(wanted(at(day, 16), people=3), "k1")
    assert (made.end, made.people) == (at(day, 16, 45), 3)
    assert (await ours.times("paspoort", "hal", day))[-2:] == [at(day, 15, 45), at(day, 16, 45)]
    assert (await ours.times("paspoort", "hal", day, 2))[-1] == at(day, 15, 30)


async def test_holidays_closures_weekends_and_the_end_of_the_calendar(
    database: Database, clock: SetClock
) -> None:
    ours = calendar(database, clock)
    days = await ours.days("paspoort", "hal", date(2026, 12, 21), date(2027, 1, 5))
    # Christmas Eve and New Year's Eve stand in the file; Christmas, New Year's Day and weekends are always free.
    assert [day.isoformat()[5:] for day in days] == [
        "12-21", "12-22", "12-23", "12-28", "12-29", "12-30", "01-04", "01-05",
    ]  # fmt: skip
    assert await ours.days("paspoort", "hal", date(2027, 1, 22), date(2027, 6, 1)) == [date(2027, 1, 22)]
    assert await ours.days("paspoort", "hal", MONDAY, MONDAY - timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("now", "day", "offset"),
    [
        ((2027, 3, 26, 9), date(2027, 3, 30), 2),  # the clock went forward on the 28th, and Easter is over
        ((2026, 10, 23, 9), date(2026, 10, 26), 1),  # and back on the 25th
        ((2028, 2, 28, 9), date(2028, 2, 29), 1),
    ],
)
async def test_days_around_a_change_of_the_clock_and_the_29th(
    database: Database, clock: SetClock, now: tuple[int, int, int, int], day: date, offset: int
) -> None:
    clock.now = datetime(*now, tzinfo=UTC)
    ours = calendar(database, clock)
    times = await ours.times("paspoort", "hal", day)
    assert (times[0], times[-1], len(times)) == (at(day, 9), at(day, 16, 45), 32)
    assert times[0].utcoffset() == timedelta(hours=offset)
    made = await ours.book(wanted(times[0]), "k")
    assert made.start == times[0] == (await ours.get(made.id)).start  # type: ignore[union-attr]


async def test_a_desk_that_is_open_while_the_clock_changes_has_one_hour_less(
    database: Database, clock: SetClock
) -> None:
    from bot.app.calendar import local_calendar
    from tests.house import MUNICIPALITY

    clock.now = datetime(2028, 3, 24, 9, tzinfo=UTC)
    night = type(MUNICIPALITY).model_validate(
        {**MUNICIPALITY.model_dump(by_alias=True), "hours": {"balie": {"zo": ["00:00-06:00"]}, "medewerkers": {}},
         "appointments": {"locations": [{**SMALL.locations[0].model_dump()}],
                          "products": [{"id": "nacht", "name": "Nacht", "minutes": 60}]}}
    )  # fmt: skip
    ours = local_calendar(database, night, clock)
    assert ours is not None
    times = await ours.times("nacht", "hal", date(2028, 3, 26))
    assert [time.hour for time in times] == [0, 1, 3, 4, 5]


async def test_midnight_belongs_to_the_day_in_amsterdam(database: Database, clock: SetClock) -> None:
    ours = calendar(database, clock)
    clock.now = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)  # half past midnight on Tuesday
    assert await ours.times("paspoort", "hal", MONDAY) == []
    assert (await ours.times("paspoort", "hal", date(2026, 11, 24)))[0] == at(date(2026, 11, 24), 9)


async def test_a_booking_stands_until_it_is_cancelled_and_then_its_time_is_free(
    database: Database, clock: SetClock
) -> None:
    ours = calendar(database, clock)
    start = at(date(2026, 11, 24), 9)
    made = await ours.book(wanted(start), "k1")
    assert made == Appointment(made.id, "paspoort", "hal", start, start + timedelta(minutes=15), 1)
    assert await ours.get(made.id) == made
    assert start not in await ours.times("paspoort", "hal", start.date())
    with pytest.raises(SlotGone):
        await ours.book(wanted(start), "k2")
    await ours.cancel(made.id)
    await ours.cancel(made.id)
    assert await ours.get(made.id) is None
    assert start in await ours.times("paspoort", "hal", start.date())
    assert (await ours.book(wanted(start), "k3")).id != made.id
    with pytest.raises(SlotGone):
        await ours.book(wanted(start), "k1")  # it was cancelled: the key does not bring it back
    await ours.cancel("never was")


async def test_the_same_key_gives_the_same_appointment(database: Database, clock: SetClock) -> None:
    ours = calendar(database, clock)
    booking = wanted(at(date(2026, 11, 24), 9))
    first = await ours.book(booking, "k")
    clock.forward(days=2)  # even when the time has passed meanwhile
    assert await ours.book(booking, "k") == first
    clock.forward(days=-2)
    many = await asyncio.gather(*(ours.book(wanted(at(date(2026, 11, 24), 10)), "same") for _ in range(12)))
    assert len({one.id for one in many}) == 1
    async with database.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(local_bookings)) == 2


@pytest.mark.parametrize(
    "booking",
    [
        Booking("vuurwerk", "hal", at(MONDAY, 12), details=DETAILS),
        Booking("paspoort", "maan", at(MONDAY, 12), details=DETAILS),
        Booking("huwelijk", "noord", at(MONDAY, 12), details=DETAILS),
        Booking("paspoort", "hal", at(MONDAY, 12), details={"name": "Noor"}),
    ],
)
async def test_what_no_time_would_help_is_refused(
    database: Database, clock: SetClock, booking: Booking
) -> None:
    with pytest.raises(BookingRefused):
        await calendar(database, clock).book(booking, "k")


@pytest.mark.parametrize(
    "start", [at(MONDAY, 9), at(MONDAY, 10), at(MONDAY, 12, 1), at(MONDAY, 17), at(date(2026, 12, 25), 10)]
)
async def test_what_is_no_time_of_the_calendar_is_gone(
    database: Database, clock: SetClock, start: datetime
) -> None:
    with pytest.raises(SlotGone):
        await calendar(database, clock).book(wanted(start), "k")


async def test_200_residents_at_once_for_the_last_slot(database: Database, clock: SetClock) -> None:
    ours = calendar(database, clock)
    start = at(date(2026, 11, 24), 9)

    async def tries(number: int) -> bool:
        try:
            await ours.book(wanted(start), f"resident-{number}")
        except SlotGone:
            return False
        return True

    got = await asyncio.gather(*map(tries, range(200)))
    assert (sum(got), got.count(False)) == (1, 199)
    near = await ours.times("paspoort", "hal", start.date())
    assert near[0] == start + timedelta(minutes=15)
    async with database.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(calendar_cells)) == 3
        assert await connection.scalar(sa.select(sa.func.count()).select_from(local_bookings)) == 1


async def test_overlapping_products_share_the_counters(database: Database, clock: SetClock) -> None:
    ours = calendar(database, clock)
    day = date(2026, 11, 24)
    longs = [ours.book(wanted(at(day, 9) + timedelta(minutes=45 * n), "huwelijk"), f"h{n}") for n in range(4)]
    shorts = [ours.book(wanted(at(day, 9) + timedelta(minutes=15 * n)), f"p{n}") for n in range(12)]
    done = await asyncio.gather(*longs, *shorts, return_exceptions=True)
    made = sorted((one for one in done if isinstance(one, Appointment)), key=lambda one: one.start)
    assert all(isinstance(one, Appointment | SlotGone) for one in done)
    for earlier, later in pairwise(made):
        assert earlier.end is not None and earlier.end <= later.start
    assert sum(3 if one.product == "huwelijk" else 1 for one in made) == 12, "nothing was left free"


async def test_a_closed_day_or_counter_takes_nobody(database: Database, clock: SetClock) -> None:
    ours = calendar(database, clock)
    day = date(2026, 11, 24)
    async with database.write() as connection:
        rows = [
            {"location": "hal", "day": day, "counter": None, "why": "verbouwing"},
            {"location": "noord", "day": day, "counter": 1, "why": "ziek"},
        ]
        await connection.execute(sa.insert(calendar_closures), rows)
    assert await ours.times("paspoort", "hal", day) == []
    with pytest.raises(SlotGone):
        await ours.book(wanted(at(day, 9)), "k")
    await ours.book(wanted(at(day, 9), location="noord"), "n1")
    with pytest.raises(SlotGone):
        await ours.book(wanted(at(day, 9), location="noord"), "n2")


async def test_a_store_that_is_away_is_no_full_day(clock: SetClock) -> None:
    away = Database("sqlite+aiosqlite:////nowhere/at/all.db")
    ours = calendar(away, clock)
    with pytest.raises(CalendarFault) as fault:
        await ours.times("paspoort", "hal", MONDAY)
    assert fault.value.retryable
    for asked in (
        lambda: ours.book(wanted(at(MONDAY, 12)), "k"),
        lambda: ours.get("any"),
        lambda: ours.cancel("any"),
    ):
        with pytest.raises(CalendarFault):
            await asked()
    await away.close()


@pytest.mark.parametrize(
    "change",
    [
        {"slot": 10},
        {"products": [{"id": "p", "name": "P", "minutes": 15, "locations": ["maan"]}]},
        {"products": [{"id": "p", "name": "P", "minutes": 15}] * 2},
        {"products": [{"id": "p", "name": "P", "minutes": 15, "fields": ["bsn"]}]},
        {"locations": []},
    ],
)
def test_a_plan_that_is_wrong(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"slot|maan|same id|fields|locations"):
        Appointments.model_validate({**SMALL.model_dump(), **change})
