"""What every calendar owes the house. Inherit, tell how to open it, what is in it, and what can go wrong with it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.clock import AMSTERDAM
from bot.db.database import Database
from bot.model import Booking
from bot.ports import AppointmentProvider, BookingRefused, CalendarFault, Fault, SlotGone
from tests.conftest import SetClock

NAME = "Roos Zwanenzang"
DETAILS = {
    "name": NAME,
    "birth_date": "1987-05-04",
    "phone": "+31612345678",
    "email": "zwanenzang@voorbeeld.example",
}


@dataclass(frozen=True)
class Known:
    """What is in the calendar when it is opened. `starts` are all free times of one day to come, at least three, in
    each of which one appointment fits and no more."""

    product: str
    location: str
    starts: Sequence[datetime]


@dataclass(frozen=True)
class Misfortune:
    """Something that goes wrong, until `mend`, and whether it may pass by itself."""

    name: str
    cause: Callable[[], Awaitable[None] | None]
    mend: Callable[[], Awaitable[None] | None]
    retryable: bool = True


async def _do(what: Callable[[], Awaitable[None] | None]) -> None:
    waiting = what()
    if waiting is not None:
        await waiting


class CalendarConformance(ABC):
    """Inherit as `Test...`. A test has its own instance, so `open` may keep what it needs on `self`."""

    findable = True
    """Whether a booking that broke off can be looked up; else it stays unknown, and is not made again."""
    people = 3
    """How many may come at once in the first of `starts`."""

    @abstractmethod
    @asynccontextmanager
    async def open(self, database: Database, clock: SetClock) -> AsyncIterator[AppointmentProvider]:
        """The calendar over this store; sets `self.known`."""
        yield NotImplemented

    @abstractmethod
    async def standing(self, start: datetime) -> int:
        """How many appointments stand at this time, as the calendar itself sees it."""

    def misfortunes(self) -> list[Misfortune]:
        """What can go wrong: an outage, slowness, garbage, wrong credentials."""
        return []

    def cuts(self) -> list[Misfortune]:
        """What breaks off after it was booked: the calendar has it, and we don't know."""
        return []

    known: Known

    @pytest.fixture
    async def calendar(self, database: Database, clock: SetClock) -> AsyncIterator[AppointmentProvider]:
        async with self.open(database, clock) as calendar:
            self.clock = clock
            yield calendar

    def booking(self, number: int = 0, details: Mapping[str, str] = DETAILS, **more: Any) -> Booking:
        """What is asked for the time of this number."""
        start = self.known.starts[number]
        return replace(Booking(self.known.product, self.known.location, start, 1, details), **more)

    def settle(self) -> None:
        """So much time passes that nothing can be under way any more."""
        self.clock.forward(minutes=5)

    # -- what there is --------------------------------------------------------------------------------------

    async def test_products_and_locations(self, calendar: AppointmentProvider) -> None:
        products = {product.id: product for product in await calendar.products()}
        assert products[self.known.product].name
        assert (products[self.known.product].minutes or 1) > 0
        places = {place.id: place for place in await calendar.locations(self.known.product)}
        assert places[self.known.location].name
        for unknown in ("onbekend", "", "../x", "a?b=c&d", "ë" * 300):
            assert await calendar.locations(unknown) == []

    async def test_days_are_days_with_a_free_time(self, calendar: AppointmentProvider) -> None:
        day = self.known.starts[0].astimezone(AMSTERDAM).date()
        step = timedelta(days=1)
        ask = (self.known.product, self.known.location)
        assert await calendar.days(*ask, day, day) == [day]
        wide = await calendar.days(*ask, day - 2 * step, day + timedelta(days=120))
        assert wide == sorted(set(wide)) and day in wide
        assert all(day - 2 * step <= one <= day + timedelta(days=120) for one in wide)
        assert await calendar.days(*ask, day + step, day - step) == []
        assert await calendar.days(*ask, day - timedelta(days=900), day - timedelta(days=800)) == []
        for number in range(len(self.known.starts)):
            await calendar.book(self.booking(number), f"sleutel-{number}")
        assert await calendar.days(*ask, day, day) == []  # full, and no fault

    async def test_times_have_a_zone_and_are_of_the_day(self, calendar: AppointmentProvider) -> None:
        day = self.known.starts[0].astimezone(AMSTERDAM).date()
        found = await calendar.times(self.known.product, self.known.location, day)
        assert [at.astimezone(UTC) for at in found] == sorted(at.astimezone(UTC) for at in self.known.starts)
        assert all(at.utcoffset() is not None and at.astimezone(AMSTERDAM).date() == day for at in found)
        past = day - timedelta(days=400)
        assert await calendar.times(self.known.product, self.known.location, past) == []

    async def test_what_has_passed_is_not_free(self, calendar: AppointmentProvider) -> None:
        first = min(self.known.starts, key=lambda at: at.astimezone(UTC))
        self.clock.now = first.astimezone(UTC) + timedelta(seconds=1)
        day = first.astimezone(AMSTERDAM).date()
        found = await calendar.times(self.known.product, self.known.location, day)
        assert len(found) == len(self.known.starts) - 1
        assert all(at.astimezone(UTC) > self.clock.now for at in found)
        with pytest.raises(SlotGone):
            await calendar.book(self.booking(start=first), "sleutel")
        assert await self.standing(first) == 0

    async def test_fields_are_those_that_we_know(self, calendar: AppointmentProvider) -> None:
        fields = await calendar.fields(self.known.product)
        names = [field.name for field in fields]
        assert len(set(names)) == len(names)
        assert set(names) <= {"name", "birth_date", "phone", "email"}
        assert next(field for field in fields if field.name == "name").required

    # -- booking --------------------------------------------------------------------------------------------

    async def test_what_is_booked_stands_and_takes_the_time(self, calendar: AppointmentProvider) -> None:
        booking = self.booking()
        made = await calendar.book(booking, "sleutel")
        assert made.id
        assert (made.product, made.location, made.people) == (booking.product, booking.location, 1)
        assert made.start.astimezone(UTC) == booking.start.astimezone(UTC)
        assert made.start.utcoffset() is not None
        assert made.end is None or made.end.astimezone(UTC) > made.start.astimezone(UTC)
        assert await calendar.get(made.id) == made
        assert await self.standing(booking.start) == 1
        day = booking.start.astimezone(AMSTERDAM).date()
        free = await calendar.times(self.known.product, self.known.location, day)
        assert booking.start.astimezone(UTC) not in {at.astimezone(UTC) for at in free}

    async def test_several_people_come_together(self, calendar: AppointmentProvider) -> None:
        made = await calendar.book(self.booking(people=self.people), "sleutel")
        assert made.people == self.people
        standing = await calendar.get(made.id)
        assert standing and standing.people == self.people
        assert await self.standing(made.start) == 1

    async def test_the_same_key_is_the_same_appointment(self, calendar: AppointmentProvider) -> None:
        made = await calendar.book(self.booking(), "sleutel")
        assert await calendar.book(self.booking(), "sleutel") == made
        other = await calendar.book(self.booking(1), "andere sleutel")
        assert other.id != made.id
        assert await calendar.book(self.booking(), "sleutel") == made
        assert await self.standing(made.start) == await self.standing(other.start) == 1

    async def test_the_same_key_at_the_same_moment(self, calendar: AppointmentProvider) -> None:
        """Only after a lease ran out can two be at it: one appointment, and who must wait is told so."""
        told = await asyncio.gather(
            *(calendar.book(self.booking(), "sleutel") for _ in range(4)), return_exceptions=True
        )
        faults = [one for one in told if isinstance(one, BaseException)]
        assert all(isinstance(fault, CalendarFault) and fault.retryable for fault in faults), faults
        assert len(faults) < 4
        again = await calendar.book(self.booking(), "sleutel")
        assert {again.id} == {one.id for one in told if not isinstance(one, BaseException)}
        assert await self.standing(again.start) == 1

    async def test_one_of_fifty_gets_the_last_time(self, calendar: AppointmentProvider) -> None:
        told = await asyncio.gather(
            *(calendar.book(self.booking(), f"sleutel-{number}") for number in range(50)),
            return_exceptions=True,
        )
        gone = [one for one in told if isinstance(one, SlotGone)]
        made = [one for one in told if not isinstance(one, BaseException)]
        assert (len(made), len(gone)) == (1, 49), [one for one in told if isinstance(one, BaseException)][:3]
        assert await self.standing(self.known.starts[0]) == 1
        with pytest.raises(SlotGone):
            await calendar.book(self.booking(), "nog een sleutel")

    async def test_a_time_that_never_was_is_gone(self, calendar: AppointmentProvider) -> None:
        odd = self.known.starts[0] + timedelta(minutes=3, days=1000)
        with pytest.raises(SlotGone):
            await calendar.book(self.booking(start=odd), "sleutel")
        made = await calendar.book(self.booking(), "sleutel")  # the same key may try another time
        assert await self.standing(made.start) == 1

    async def test_a_moment_is_the_same_in_any_zone(self, calendar: AppointmentProvider) -> None:
        start = self.known.starts[0].astimezone(UTC)
        made = await calendar.book(self.booking(start=start), "sleutel")
        assert made.start.astimezone(UTC) == start

    async def test_details_that_are_lacking_are_refused(self, calendar: AppointmentProvider) -> None:
        required = [field.name for field in await calendar.fields(self.known.product) if field.required]
        for name in required:
            for lacking in ({k: v for k, v in DETAILS.items() if k != name}, {**DETAILS, name: "  "}):
                with pytest.raises(BookingRefused) as caught:
                    await calendar.book(self.booking(details=lacking), f"sleutel-{name}")
                self.check_discreet(caught.value)
        assert await self.standing(self.known.starts[0]) == 0
        only = {name: DETAILS[name] for name in required}
        await calendar.book(self.booking(details=only), "sleutel")

    @pytest.mark.parametrize(
        "name",
        [
            "Åsa-Zoë d'Ançona",
            "van den Berg, Jan",
            "X Y",
            "Roos\nregel\ttwee \u202e 👍🏽 '; DROP TABLE x; -- {telefoon} <b>",
            "Roos " + "é" * 3000,
        ],
        ids=lambda name: name[:8],
    )
    async def test_whoever_comes(self, calendar: AppointmentProvider, name: str) -> None:
        made = await calendar.book(self.booking(details={**DETAILS, "name": name}), "sleutel")
        assert await calendar.get(made.id) == made

    # -- cancelling -----------------------------------------------------------------------------------------

    async def test_what_is_cancelled_is_free_at_once(self, calendar: AppointmentProvider) -> None:
        made = await calendar.book(self.booking(), "sleutel")
        await calendar.cancel(made.id)
        assert await calendar.get(made.id) is None
        assert await self.standing(made.start) == 0
        day = made.start.astimezone(AMSTERDAM).date()
        free = await calendar.times(self.known.product, self.known.location, day)
        assert made.start.astimezone(UTC) in {at.astimezone(UTC) for at in free}
        await calendar.cancel(made.id)  # it does not stand, which was asked for
        other = await calendar.book(self.booking(), "andere sleutel")
        assert other.id != made.id

    async def test_what_never_was(self, calendar: AppointmentProvider) -> None:
        for unknown in ("onbekend", "", "../services", "a?b=c", "4a7dedc5-7d60-4b22-8e61-37875cbd3c54"):
            assert await calendar.get(unknown) is None
            await calendar.cancel(unknown)

    # -- what goes wrong ------------------------------------------------------------------------------------

    async def test_what_goes_wrong_is_never_an_empty_list(self, calendar: AppointmentProvider) -> None:
        made = await calendar.book(self.booking(1), "staat al")
        other = await calendar.book(self.booking(2), "gaat misschien weg")
        day = made.start.astimezone(AMSTERDAM).date()
        ask = (self.known.product, self.known.location)
        for number, misfortune in enumerate(self.misfortunes()):
            await _do(misfortune.cause)
            for asked in (
                lambda: calendar.products(),
                lambda: calendar.locations(self.known.product),
                lambda: calendar.days(*ask, day, day),
                lambda: calendar.times(*ask, day),
                lambda: calendar.get(made.id),
                lambda: calendar.cancel(other.id),
                lambda n=number: calendar.book(self.booking(), f"sleutel-{n}"),  # type: ignore[misc]
            ):
                with pytest.raises(CalendarFault) as caught:
                    await asked()
                assert caught.value.retryable is misfortune.retryable, misfortune.name
                self.check_discreet(caught.value)
            await _do(misfortune.mend)
            assert await calendar.get(made.id) == made, misfortune.name
            assert await self.standing(self.known.starts[0]) == 0, misfortune.name
        self.settle()
        await calendar.book(self.booking(), "sleutel-0")

    async def test_what_breaks_off_after_it_was_booked_is_not_booked_twice(
        self, calendar: AppointmentProvider
    ) -> None:
        await calendar.book(self.booking(1), "ging goed")
        for number, cut in enumerate(self.cuts()):
            booking, key = self.booking(), f"sleutel-{number}"
            await _do(cut.cause)
            made = None
            try:
                made = await calendar.book(booking, key)
            except CalendarFault as fault:
                self.check_discreet(fault)
            await _do(cut.mend)
            assert await self.standing(booking.start) == 1, cut.name
            self.settle()
            if self.findable:
                again = await calendar.book(booking, key)
                assert made is None or made == again, cut.name
                assert await self.standing(booking.start) == 1, cut.name
                await calendar.cancel(again.id)
                continue
            for _ in range(2):
                with pytest.raises(CalendarFault) as caught:
                    await calendar.book(booking, key)
                assert not caught.value.retryable, cut.name
            assert await self.standing(booking.start) == 1, cut.name
            assert (await calendar.health()).state in ("degraded", "ok")  # ok: from before, kept for a while
            assert any("nobody knows" in finding.advice for finding in await calendar.check())
            await self.clear(booking.start)

    async def clear(self, start: datetime) -> None:
        """Somebody cancels in the calendar itself what stands at this time; for one that is not `findable`."""
        raise NotImplementedError

    def check_discreet(self, fault: Fault) -> None:
        """Nothing of the resident, and no secret."""
        for secret in ("zwanenzang", "Zwanenzang", "12345678", "1987", "geheim", "sleutel"):
            assert secret not in fault.reason

    async def test_health_and_check_never_raise(self, calendar: AppointmentProvider) -> None:
        assert (await calendar.health()).state == "ok"
        assert all(finding.state in ("ok", "todo") for finding in await calendar.check())
        for misfortune in self.misfortunes():
            await _do(misfortune.cause)
            self.settle()
            assert (await calendar.health()).state in ("ok", "degraded", "down"), misfortune.name
            assert isinstance(await calendar.check(), list)
            await _do(misfortune.mend)
        self.settle()
        assert (await calendar.health()).state == "ok"
