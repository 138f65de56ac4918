"""Every calendar of others, held to the same, on both stores: Qmatic and JCC. And what only that one has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from aiohttp import web

from actions.appointments import calls
from actions.appointments.bookings import reference_of
from actions.appointments.jcc import Jcc
from actions.appointments.jcc_api import Api as JccApi
from actions.appointments.qmatic import Qmatic
from actions.appointments.qmatic_api import Api as QmaticApi
from bot.clock import AMSTERDAM
from bot.db.database import Database
from bot.db.tables import calendar_bookings
from bot.model import Field
from bot.ports import AppointmentProvider, BookingRefused, CalendarFault, SlotGone
from tests.conformance.calendar import DETAILS, CalendarConformance, Known, Misfortune
from tests.conftest import SetClock
from tests.fakes.calendar_server import CalendarServer, Mishap
from tests.fakes.jcc import BASE, FakeJcc
from tests.fakes.qmatic import FakeQmatic

WALL = [datetime(2026, 12, 1, 9, 0), datetime(2026, 12, 1, 9, 10), datetime(2026, 12, 1, 14, 30)]
"""A Tuesday, in winter."""


def aware(wall: Iterable[datetime]) -> list[datetime]:
    return [at.replace(tzinfo=AMSTERDAM) for at in wall]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the store's part is in test_bookings
class Vendor(CalendarConformance):
    """What the tests of both share; not a test of its own."""

    __test__ = False
    fake: CalendarServer
    places: dict[datetime, int]
    book_path: str

    @pytest.fixture(autouse=True)
    def patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    async def standing(self, start: datetime) -> int:
        wall = start.astimezone(AMSTERDAM).replace(tzinfo=None)
        return sum(one["wall"][2] == wall for one in self.fake.appointments.values())

    async def clear(self, start: datetime) -> None:
        wall = start.astimezone(AMSTERDAM).replace(tzinfo=None)
        for key, one in list(self.fake.appointments.items()):
            if one["wall"][2] == wall:
                del self.fake.appointments[key]
                self.places[wall] += 1

    def mishap(
        self, name: str, mishap: Mishap, *, retryable: bool = True, seconds: float = calls.SECONDS
    ) -> Misfortune:
        """`seconds` is how long we wait."""

        def cause() -> None:
            self.fake.mishap = replace(mishap)
            self.monkeypatch.setattr(calls, "SECONDS", seconds)

        def mend() -> None:
            self.fake.mishap = None
            self.monkeypatch.undo()

        return Misfortune(name, cause, mend, retryable)

    def misfortunes(self) -> list[Misfortune]:
        return [
            self.mishap("nobody there", Mishap()),
            self.mishap("slow", Mishap(wait=0.5), seconds=0.2),
            self.mishap("an error of its own", Mishap(500, b"<h1>Server Error zwanenzang</h1>")),
            self.mishap("a gateway", Mishap(502, b"zwanenzang")),
            self.mishap("busy", Mishap(503)),
            self.mishap("too fast", Mishap(429)),
            self.mishap("forbidden", Mishap(403, b"zwanenzang"), retryable=False),
            self.mishap(
                "sent on", Mishap(302, headers={"Location": "https://elsewhere.example/"}), retryable=False
            ),
            self.mishap("a page", Mishap(200, b"<html>zwanenzang</html>")),
            self.mishap("nothing", Mishap(200)),
            self.mishap("another list", Mishap(200, b'[{"zwanenzang": 5}, 7]')),
            self.mishap("another object", Mishap(200, b'{"zwanenzang": []}')),
            self.mishap("too much", Mishap(200, b"[" + b" " * (5 * 2**20) + b"]")),
        ]

    def cuts(self) -> list[Misfortune]:
        at = {"method": "POST", "path": self.book_path, "after": True}
        return [
            self.mishap("breaks off", Mishap(**at)),  # type: ignore[arg-type]
            self.mishap("too slow", Mishap(200, b"{}", wait=2.0, **at), seconds=1.5),  # type: ignore[arg-type]
            self.mishap("a gateway gives up", Mishap(504, b"zwanenzang", **at)),  # type: ignore[arg-type]
            self.mishap("breaks", Mishap(500, b"zwanenzang", **at)),  # type: ignore[arg-type]
            self.mishap("half of it", Mishap(200, b'{"id": 5, "publicId": ', **at)),  # type: ignore[arg-type]
            self.mishap("an id that is a way", Mishap(200, b'{"publicId": "../x"}', **at)),  # type: ignore[arg-type]
        ]

    async def rows(self, database: Database) -> list[tuple[str, str, str | None]]:
        query = sa.select(calendar_bookings).order_by(calendar_bookings.c.key)
        async with database.read() as connection:
            return [(r.key, r.state, r.external_id) for r in (await connection.execute(query)).all()]

    # -- the note of what was asked -------------------------------------------------------------------------

    async def test_what_was_asked_is_noted(self, calendar: AppointmentProvider, database: Database) -> None:
        made = await calendar.book(self.booking(), "sleutel")
        with pytest.raises(SlotGone):
            await calendar.book(self.booking(), "te laat")
        assert await self.rows(database) == [("sleutel", "booked", made.id)]

    async def test_a_call_that_never_left_is_no_booking(
        self, calendar: AppointmentProvider, database: Database
    ) -> None:
        self.fake.mishap = Mishap(429, method="POST", path=self.book_path)
        with pytest.raises(CalendarFault) as caught:
            await calendar.book(self.booking(), "sleutel")
        assert caught.value.retryable
        self.fake.mishap = None
        assert await self.rows(database) == []
        made = await calendar.book(self.booking(), "sleutel")  # at once, with the same key
        assert await self.standing(made.start) == 1

    async def test_one_that_was_cancelled_is_not_booked_again_by_its_key(
        self, calendar: AppointmentProvider
    ) -> None:
        made = await calendar.book(self.booking(), "sleutel")
        await calendar.cancel(made.id)
        with pytest.raises(SlotGone):
            await calendar.book(self.booking(), "sleutel")

    async def test_a_process_that_dies_after_the_call(
        self, calendar: AppointmentProvider, database: Database
    ) -> None:
        await calendar.book(self.booking(1), "ging goed")
        self.fake.mishap = Mishap(200, b"{}", "POST", self.book_path, after=True, wait=1.2)
        job = asyncio.create_task(calendar.book(self.booking(), "sleutel"))
        async with asyncio.timeout(20):
            while await self.standing(self.known.starts[0]) == 0:
                await asyncio.sleep(0.02)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        self.fake.mishap = None
        assert ("sleutel", "asked", None) in await self.rows(database)
        with pytest.raises(CalendarFault) as caught:  # it may still be under way
            await calendar.book(self.booking(), "sleutel")
        assert caught.value.retryable
        self.settle()
        if self.findable:
            await calendar.book(self.booking(), "sleutel")
        else:
            with pytest.raises(CalendarFault):
                await calendar.book(self.booking(), "sleutel")
        assert await self.standing(self.known.starts[0]) == 1

    # -- the clock ------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        ("wall", "utc"),
        [
            ("2027-03-27T09:00", "2027-03-27T08:00"),  # the day before summer time
            ("2027-03-28T01:30", "2027-03-28T00:30"),
            ("2027-03-28T03:00", "2027-03-28T01:00"),
            ("2027-03-28T09:00", "2027-03-28T07:00"),
            ("2026-10-24T09:00", "2026-10-24T07:00"),
            ("2026-10-25T02:30", "2026-10-25T00:30"),  # comes twice: the first
            ("2026-10-25T03:00", "2026-10-25T02:00"),
            ("2026-10-25T09:00", "2026-10-25T08:00"),
            ("2026-12-09T00:00", "2026-12-08T23:00"),  # midnight is of the day that begins
            ("2026-12-09T23:55", "2026-12-09T22:55"),
        ],
    )
    async def test_times_on_the_wall_are_moments(
        self, calendar: AppointmentProvider, wall: str, utc: str
    ) -> None:
        self.begin(date(2026, 10, 1))
        start = datetime.fromisoformat(utc).replace(tzinfo=UTC)
        self.places[datetime.fromisoformat(wall)] = 1
        day = date.fromisoformat(wall[:10])
        ask = (self.known.product, self.known.location)
        [found] = await calendar.times(*ask, day)
        assert found.astimezone(UTC) == start
        assert found.isoformat()[:16] == wall
        assert await calendar.days(*ask, day, day) == [day]
        for other in (day - timedelta(days=1), day + timedelta(days=1)):
            assert await calendar.times(*ask, other) == []
        made = await calendar.book(self.booking(start=found), "sleutel")
        assert made.start.astimezone(UTC) == start
        standing = await calendar.get(made.id)
        assert standing and standing.start.astimezone(UTC) == start
        assert standing.end and standing.end.astimezone(UTC) == start + timedelta(minutes=10)
        assert self.places[datetime.fromisoformat(wall)] == 0

    async def test_an_hour_that_the_clock_jumps_over_is_no_time(self, calendar: AppointmentProvider) -> None:
        day = date(2027, 3, 28)
        for wall in ("02:10", "02:50", "03:00", "03:55"):
            self.places[datetime.fromisoformat(f"{day}T{wall}")] = 1
        found = await calendar.times(self.known.product, self.known.location, day)
        assert [f"{at:%H:%M %z}" for at in found] == ["03:00 +0200", "03:55 +0200"]

    def begin(self, day: date) -> None:
        """It is this day, here and there."""
        self.clock.now = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=9)


class TestQmatic(Vendor):
    __test__ = True
    fake: FakeQmatic
    book_path = "/book"

    @asynccontextmanager
    async def open(self, database: Database, clock: SetClock) -> AsyncIterator[AppointmentProvider]:
        async with FakeQmatic() as self.fake:
            self.fake.add_service("Paspoort", "Paspoort aanvragen")
            self.fake.add_service("Intern", "Alleen voor de balie", publicEnabled=False)
            self.fake.add_service("Oud", "Bestaat niet meer", active=False)
            self.places = self.fake.add_branch("8d1f0b", "Gemeentehuis", service="Paspoort")
            self.places |= dict.fromkeys(WALL, 1)
            self.known = Known("Paspoort", "8d1f0b", aware(WALL))
            calendar = self.calendar_of(database, clock)
            yield calendar
            await calendar.close()

    def calendar_of(self, database: Database, clock: SetClock, **more: object) -> Qmatic:
        api = QmaticApi(self.fake.url, token=self.fake.token)
        more = {"asks": ("phone",), "products": {"paspoort": "Paspoort"}} | more
        return Qmatic(api, database, clock=clock, **more)  # type: ignore[arg-type]

    def misfortunes(self) -> list[Misfortune]:
        def token(value: str) -> None:
            self.fake.token = value

        known = self.fake.token
        reason = {"error_code": "E500", "error_message": "zwanenzang"}
        return [
            *super().misfortunes(),
            Misfortune("another token", lambda: token("geheim-2"), lambda: token(known), False),
            self.mishap("a reason in its headers", Mishap(500, headers=reason)),
        ]

    async def test_what_is_not_for_the_public_is_not_offered(self, calendar: AppointmentProvider) -> None:
        [product] = await calendar.products()
        assert (product.id, product.name, product.minutes) == ("Paspoort", "Paspoort aanvragen", 10)
        self.fake.add_branch("receptie", "Receptie", service="Paspoort", addressZip=None)
        [place] = await calendar.locations("Paspoort")
        assert (place.name, place.address) == ("Gemeentehuis", "Raadhuisplein 1, 1234 AB Zonneveen")

    async def test_what_qmatic_gets(self, calendar: AppointmentProvider) -> None:
        await calendar.book(self.booking(people=3), "sleutel")
        reference = reference_of("sleutel")
        assert self.fake.bodies == [
            {
                "title": "Afspraak via de chatassistent",
                "customers": [
                    {
                        "firstName": "Roos",
                        "lastName": "Zwanenzang",
                        "externalId": reference,
                        "email": "zwanenzang@voorbeeld.example",
                        "phone": "+31612345678",
                        "dateOfBirth": "1987-05-04",
                    },
                    {"lastName": "Zwanenzang"},
                    {"lastName": "Zwanenzang"},
                ],
                "services": [{"publicId": "Paspoort"}],
                "notes": f"Afspraak via de chatassistent, kenmerk {reference}",
            }
        ]
        asked = [path for _, path in self.fake.calls]
        assert all("zwanenzang" not in path.lower() and "sleutel" not in path for path in asked)
        times = "/v2/branches/8d1f0b/dates/2026-12-01/times;servicePublicId=Paspoort;numberOfCustomers=3"
        assert any(path.endswith(times) for path in asked)
        assert self.fake.calls[-1][1].endswith("/v2/branches/8d1f0b/dates/2026-12-01/times/09:00/book")

    @pytest.mark.parametrize("status", [404, 409, 400, 500])
    async def test_a_time_that_goes_while_we_book(self, calendar: AppointmentProvider, status: int) -> None:
        """It was free when we looked."""
        self.fake.taken = status
        looked = self.fake.answer

        async def answer(request):  # type: ignore[no-untyped-def]
            if request.method == "POST":
                self.places[WALL[0]] = 0
            return await looked(request)

        self.fake.answer = answer  # type: ignore[method-assign]
        with pytest.raises(SlotGone):
            await calendar.book(self.booking(), "sleutel")

    async def test_details_that_it_does_not_take(self, calendar: AppointmentProvider) -> None:
        """A 400 is about what we told; a 500 with a reason may be anything, and the time is still free."""
        self.fake.rejects = "email"
        with pytest.raises(CalendarFault) as caught:
            await calendar.book(self.booking(), "sleutel")
        assert (caught.value.reason, caught.value.retryable) == ("HTTP 500 E412: not taken", True)
        self.fake.mishap = Mishap(400, b"zwanenzang", "POST")
        with pytest.raises(BookingRefused) as refused:
            await calendar.book(self.booking(), "sleutel")
        self.check_discreet(refused.value)

    async def test_a_no_that_nobody_can_explain(
        self, calendar: AppointmentProvider, database: Database
    ) -> None:
        """It was refused, and then we could not look: nothing is booked, and it may be tried again."""
        looked = self.fake.answer

        async def answer(request):  # type: ignore[no-untyped-def]
            if request.method == "POST":
                self.fake.mishap = Mishap(503)
                return web.Response(status=400)
            return await looked(request)

        self.fake.answer = answer  # type: ignore[method-assign]
        with pytest.raises(CalendarFault) as caught:
            await calendar.book(self.booking(), "sleutel")
        assert caught.value.retryable and await self.rows(database) == []

    async def test_where_nobody_can_be_looked_up_nothing_is_booked_twice(
        self, calendar: AppointmentProvider
    ) -> None:
        """A 404 tells something only where who must be known is found."""
        self.fake.customers = False
        await calendar.book(self.booking(1), "ging goed")
        self.fake.mishap = Mishap(method="POST", after=True)
        for _ in range(2):
            with pytest.raises(CalendarFault) as caught:
                await calendar.book(self.booking(), "sleutel")
            assert not caught.value.retryable and reference_of("sleutel") in caught.value.reason
            self.fake.mishap = None
            self.settle()
        assert await self.standing(self.known.starts[0]) == 1
        self.fake.customers = True  # the gateway lets it through now
        made = await calendar.book(self.booking(), "sleutel")
        assert made.start == self.known.starts[0]

    async def test_what_broke_off_before_it_was_booked_is_booked_later(
        self, calendar: AppointmentProvider
    ) -> None:
        await calendar.book(self.booking(1), "ging goed")
        self.fake.mishap = Mishap(method="POST")  # before it was done
        with pytest.raises(CalendarFault) as caught:
            await calendar.book(self.booking(), "sleutel")
        assert caught.value.retryable
        self.fake.mishap = None
        with pytest.raises(CalendarFault):  # it may yet come
            await calendar.book(self.booking(), "sleutel")
        self.settle()
        await calendar.book(self.booking(), "sleutel")
        assert await self.standing(self.known.starts[0]) == 1

    async def test_a_branch_elsewhere(self, calendar: AppointmentProvider) -> None:
        """On Bonaire it is five hours earlier in winter: an evening there is a day later here."""
        there = self.fake.add_branch(
            "kralendijk", "Bonaire", service="Paspoort", timeZone="America/Kralendijk"
        )
        there |= {datetime(2026, 12, 1, 9, 0): 1, datetime(2026, 12, 1, 20, 0): 1}
        found = [
            [f"{at:%d %H:%M}" for at in await calendar.times("Paspoort", "kralendijk", date(2026, 12, day))]
            for day in (1, 2)
        ]
        assert found == [["01 14:00"], ["02 01:00"]]
        first, second = date(2026, 12, 1), date(2026, 12, 2)
        assert await calendar.days("Paspoort", "kralendijk", first, second) == [first, second]
        assert await calendar.days("Paspoort", "kralendijk", second, second) == [second]
        start = datetime(2026, 12, 2, 1, 0, tzinfo=AMSTERDAM)
        made = await calendar.book(self.booking(location="kralendijk", start=start), "sleutel")
        assert made.start == start
        assert there[datetime(2026, 12, 1, 20, 0)] == 0

    async def test_name_and_password(self, database: Database) -> None:
        async with FakeQmatic() as self.fake:
            seen: list[str] = []
            looked = self.fake.answer

            async def answer(request):  # type: ignore[no-untyped-def]
                seen.append(request.headers.get("Authorization", ""))
                return await looked(request)

            self.fake.answer = answer  # type: ignore[method-assign]
            api = QmaticApi(
                f"{self.fake.url}/calendar-backend/public/api/v1/", user="klaartje", password="geheim"
            )
            with pytest.raises(CalendarFault):
                await api.get("v1/services")
            await api.close()
            assert seen == ["Basic a2xhYXJ0amU6Z2VoZWlt"]
            assert self.fake.calls == [("GET", "/calendar-backend/public/api/v1/services")]

    async def test_what_an_engineer_reads(self, database: Database, clock: SetClock) -> None:
        async with self.open(database, clock) as calendar:
            shown = [(f.what, f.state, f.advice) for f in await calendar.check()]
            assert shown == [
                ("QMATIC_URL and QMATIC_TOKEN", "ok", ""),
                ("product paspoort", "ok", "Paspoort aanvragen, at Gemeentehuis"),
            ]
            for products, state, told in (
                ({}, "todo", "Paspoort aanvragen (Paspoort)"),
                ({"idkaart": "Intern"}, "wrong", "does not know Intern"),
            ):
                other = self.calendar_of(database, clock, products=products)
                finding = (await other.check())[-1]
                assert finding.state == state and told in finding.advice
                await other.close()
            self.fake.token = "geheim-2"
            [finding] = await calendar.check()
            assert finding.state == "wrong" and "QMATIC_TOKEN" in finding.advice
        with pytest.raises(CalendarFault):
            await calendar.products()


class TestJcc(Vendor):
    __test__ = True
    fake: FakeJcc
    book_path = f"{BASE}/appointment"
    findable = False

    @asynccontextmanager
    async def open(self, database: Database, clock: SetClock) -> AsyncIterator[AppointmentProvider]:
        async with FakeJcc() as self.fake:
            product = self.fake.add_activity("Paspoort (aanvraag)")
            location, self.places = self.fake.add_location("Gemeentehuis", activity=product)
            self.places |= dict.fromkeys(WALL, 1)
            self.known = Known(product, location, aware(WALL))
            self.api = JccApi(self.fake.url + BASE, self.fake.client, self.fake.secret, clock)
            calendar = Jcc(self.api, database, products={"paspoort": product}, clock=clock)
            yield calendar
            await calendar.close()

    def begin(self, day: date) -> None:
        super().begin(day)
        self.fake.today = day

    def settle(self) -> None:
        super().settle()
        self.fake.tokens.clear()  # and another token must be got

    def misfortunes(self) -> list[Misfortune]:
        def secret(value: str) -> None:
            self.fake.secret = value
            self.fake.tokens.clear()

        def no_token() -> None:
            self.fake.tokens.clear()
            self.fake.mishap = Mishap(500, path="connect/token")

        def a_token() -> None:
            self.fake.mishap = None

        known = self.fake.secret
        return [
            *super().misfortunes(),
            Misfortune("another secret", lambda: secret("geheim-2"), lambda: secret(known), False),
            Misfortune("no token", no_token, a_token),
        ]

    def cuts(self) -> list[Misfortune]:
        at = {"method": "POST", "path": self.book_path, "after": True}
        key = b'"id": "4a7dedc5-7d60-4b22-8e61-37875cbd3c54"'
        return [
            *super().cuts(),
            self.mishap("not said", Mishap(200, b"{" + key + b"}", **at)),  # type: ignore[arg-type]
            self.mishap("half said", Mishap(200, b"{" + key + b', "acknowledgeIsSuccess": null}', **at)),  # type: ignore[arg-type]
            self.mishap("no id", Mishap(200, b'{"acknowledgeIsSuccess": true}', **at)),  # type: ignore[arg-type]
        ]

    async def test_many_at_once_get_one_token_and_keep_it(self, calendar: AppointmentProvider) -> None:
        await asyncio.gather(*(calendar.products() for _ in range(20)))
        assert [path for _, path in self.fake.calls].count(f"{BASE}/connect/token") == 1
        self.clock.forward(seconds=3600 - 31)
        await calendar.products()
        assert len(self.fake.tokens) == 1
        self.clock.forward(seconds=2)  # half a minute before its time
        await calendar.products()
        assert len(self.fake.tokens) == 2
        self.fake.tokens.clear()  # JCC began anew
        await calendar.products()
        assert len(self.fake.tokens) == 1

    async def test_a_token_without_its_time(self, calendar: AppointmentProvider) -> None:
        self.fake.life = None
        await calendar.products()
        self.clock.forward(seconds=260)
        await calendar.products()
        assert len(self.fake.tokens) == 1
        self.clock.forward(seconds=20)
        await calendar.products()
        assert len(self.fake.tokens) == 2

    async def test_days_are_asked_fifty_at_a_time(self, calendar: AppointmentProvider) -> None:
        far = [
            datetime(2027, 1, 11, 9),
            datetime(2027, 1, 12, 9),
            datetime(2027, 3, 2, 9),
            datetime(2027, 3, 3, 9),
        ]
        self.places |= dict.fromkeys(far, 1)
        first, last = date(2026, 1, 1), date(2029, 1, 1)
        found = await calendar.days(self.known.product, self.known.location, first, last)
        assert found == [date(2026, 12, 1), *(at.date() for at in far)]
        asked = [path for _, path in self.fake.calls if "availabletimelist" in path]
        assert len(asked) == 8  # a year that can be planned
        last = date(2027, 3, 2)
        assert (await calendar.days(self.known.product, self.known.location, first, last))[-1] == last

    async def test_what_jcc_gets(self, calendar: AppointmentProvider) -> None:
        made = await calendar.book(self.booking(2, people=2), "sleutel")
        assert self.fake.bodies == [
            {
                "id": None,
                "activityList": [{"activityId": self.known.product, "amount": 2}],
                "customerList": [
                    {
                        "gender": 0,
                        "firstName": "Roos",
                        "lastName": "Zwanenzang",
                        "birthDate": "1987-05-04",
                        "emailAddress": "zwanenzang@voorbeeld.example",
                        "mobilePhoneNumber": "+31612345678",
                        "id": None,
                        "isMainCustomer": True,
                    }
                ],
                "fromDateTime": "2026-12-01T14:30:00+01:00",
                "toDateTime": "2026-12-01T14:50:00+01:00",
                "locationId": self.known.location,
                "message": f"Afspraak via de chatassistent, kenmerk {reference_of('sleutel')}",
                "fieldList": None,
            }
        ]
        assert made.end == datetime(2026, 12, 1, 14, 50, tzinfo=AMSTERDAM)
        assert all("zwanenzang" not in path.lower() for _, path in self.fake.calls)
        [product] = await calendar.products()
        assert (product.name, product.minutes) == ("Paspoort (aanvraag)", 10)
        self.fake.add_location("Gesloten", activity=product.id, isActive=False)
        [place] = await calendar.locations(product.id)
        assert place.address == "Raadhuisplein 1, 1234 AB Zonneveen"

    async def test_what_counts_is_that_it_says_so(self, calendar: AppointmentProvider) -> None:
        """Not HTTP's 200: what it refuses that way is refused, and a time that is still free is not gone."""
        self.fake.rejects = "emailAddress"
        with pytest.raises(BookingRefused) as caught:
            await calendar.book(self.booking(), "sleutel")
        assert caught.value.reason == "HTTP 200 1020: not taken"
        self.fake.rejects = ""
        looked = self.fake.answer

        async def answer(request):  # type: ignore[no-untyped-def]
            if request.method == "POST" and request.path.endswith("/appointment"):
                self.places[WALL[0]] = 0
            return await looked(request)

        self.fake.answer = answer  # type: ignore[method-assign]
        with pytest.raises(SlotGone):
            await calendar.book(self.booking(), "sleutel")

    @pytest.mark.parametrize(
        ("told", "fields", "numbers"),
        [
            ({}, {"birth_date": True, "phone": False, "email": False}, ["mobilePhoneNumber"]),
            ({"birthDate": 1, "emailAddress": 2}, {"phone": False, "email": True}, ["mobilePhoneNumber"]),
            ({"mainPhoneNumber": 1, "mobilePhoneNumber": 1}, {"birth_date": True, "email": False}, []),
            (
                {"mainPhoneNumber": 2, "mobilePhoneNumber": 2},
                {"birth_date": True, "phone": True, "email": False},
                ["phoneNumber", "mobilePhoneNumber"],
            ),
            (
                {"isAnyPhoneNumberRequired": True},
                {"birth_date": True, "phone": True, "email": False},
                ["mobilePhoneNumber"],
            ),
            (
                {"isAnyPhoneNumberRequired": True, "mainPhoneNumber": 1, "mobilePhoneNumber": 1},
                {"birth_date": True, "phone": True, "email": False},
                ["phoneNumber"],
            ),
            (
                {"isAnyPhoneNumberRequired": True, "mainPhoneNumber": 0},
                {"birth_date": True, "phone": True, "email": False},
                ["phoneNumber"],
            ),
        ],
    )
    async def test_what_it_wants_to_know(
        self, calendar: AppointmentProvider, told: dict[str, int], fields: dict[str, bool], numbers: list[str]
    ) -> None:
        self.fake.fields |= told
        found = await calendar.fields(self.known.product)
        assert found == [Field("name", True), *(Field(name, need) for name, need in fields.items())]
        await calendar.book(self.booking(), "sleutel")
        [who] = self.fake.bodies[0]["customerList"]
        assert [name for name in who if "Number" in name] == numbers

    async def test_a_first_name_or_initials(self, calendar: AppointmentProvider) -> None:
        one_word = self.booking(details={**DETAILS, "name": "Zwanenzang"})
        self.fake.fields |= {"areFirstNameOrInitialsRequired": True}
        with pytest.raises(BookingRefused):
            await calendar.book(one_word, "sleutel")
        self.fake.fields |= {"areFirstNameOrInitialsRequired": False, "initials": 2}
        await calendar.book(self.booking(details={**DETAILS, "name": "anna maria van den berg"}), "sleutel")
        [who] = self.fake.bodies[0]["customerList"]
        assert (who["firstName"], who["initials"], who["lastName"]) == ("anna maria", "A.M.", "van den berg")

    async def test_a_product_that_wants_more_can_t_be_had(self, calendar: AppointmentProvider) -> None:
        self.fake.fields |= {"socialSecurityNumber": 2, "postalCode": 2}
        with pytest.raises(CalendarFault) as caught:
            await calendar.fields(self.known.product)
        assert "socialSecurityNumber, postalCode" in caught.value.reason and not caught.value.retryable
        with pytest.raises(BookingRefused):
            await calendar.book(self.booking(), "sleutel")
        assert not self.fake.bodies
        finding = (await calendar.check())[-1]
        assert (finding.what, finding.state) == ("product paspoort", "wrong")

    async def test_an_unknown_booking_is_told_until_it_is_over(
        self, calendar: AppointmentProvider, database: Database
    ) -> None:
        self.fake.mishap = Mishap(method="POST", path=self.book_path, after=True)
        with pytest.raises(CalendarFault) as caught:
            await calendar.book(self.booking(), "sleutel")
        assert not caught.value.retryable
        self.fake.mishap = None
        self.settle()
        assert (await calendar.health()).state == "degraded"
        finding = (await calendar.check())[-1]
        assert finding.what == f"booking {reference_of('sleutel')}"
        assert "2026-12-01 at 09:00" in finding.advice
        [standing] = self.fake.appointments.values()
        assert reference_of("sleutel") in standing["message"]  # who looks there finds it
        self.clock.now = self.known.starts[0].astimezone(UTC) + timedelta(minutes=1)
        assert (await calendar.health()).state == "ok"
        assert [f.state for f in await calendar.check()] == ["ok", "ok"]
