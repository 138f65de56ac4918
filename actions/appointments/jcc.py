"""JCC-Afspraken as the calendar. Its products are activities. It tells its times as on the wall in Amsterdam, and can't
be asked for an appointment but by its own id: a booking that broke off stays unknown, and is never made again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from actions.appointments.bookings import Bookings, Make, check_details, why
from actions.appointments.calls import (
    Declined,
    Row,
    Unsure,
    code_word,
    identifier,
    is_identifier,
    row,
    rows,
    text,
)
from actions.appointments.checks import State, look_at
from actions.appointments.jcc_api import Api, Query
from actions.appointments.jcc_customers import Wanted, customer
from actions.appointments.localtime import moments, on_day, same
from bot.clock import AMSTERDAM, Clock, utc_now
from bot.db.database import Database
from bot.model import Appointment, Booking, Field, Location, Product
from bot.ports import CalendarFault, Finding, Health, SlotGone

_WINDOW = 50
"""JCC lists the times of so many days at once."""
_DAY = timedelta(days=1)
_NOTE = "Afspraak via de chatassistent, kenmerk"


class Jcc:
    """The calendar behind `api`. `products` are our names with its ids, for `check`."""

    name = "jcc"

    def __init__(
        self,
        api: Api,
        database: Database,
        *,
        products: Mapping[str, str] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._api = api
        self._products = products or {}
        self._clock = clock
        self._bookings = Bookings(database, self.name, clock)
        self._state = State(self, self._bookings, clock)

    async def products(self) -> list[Product]:
        """The activities that appointments can be made for; their length is told in seconds."""
        found = rows(await self._api.get("activity/listforappointment"))
        return [Product(identifier(one, "id"), text(one, "description"), _minutes(one)) for one in found]

    async def locations(self, product: str) -> list[Location]:
        """Where the activity can be had."""
        if product not in {one.id for one in await self.products()}:
            return []
        found = rows(await self._api.get("location/forappointment", [("selectedActivityId", product)]))
        open_ones = [one for one in found if one.get("isActive") is not False]
        return [Location(identifier(one, "id"), text(one, "description"), _address(one)) for one in open_ones]

    async def days(self, product: str, location: str, first: date, last: date, people: int = 1) -> list[date]:
        """Within the dates that JCC plans, fifty days at a time. It breaks at a day that has passed."""
        span = row(await self._api.get("activity/appointmentdaterange", [("activityId", product)]))
        begin = max(first, self._today(), _local(span, "minDate").date())
        end = min(last, _local(span, "maxDate").date())
        found: set[date] = set()
        while begin <= end:
            until = min(begin + timedelta(days=_WINDOW), end + _DAY)
            found |= {at.date() for at in await self._told(product, location, begin, until, people)}
            begin = until
        return sorted(day for day in found if first <= day <= last)

    async def times(self, product: str, location: str, day: date, people: int = 1) -> list[datetime]:
        """The end of what is asked for does not count with it."""
        if day < self._today():
            return []
        return on_day(await self._told(product, location, day, day + _DAY, people), day, self._clock())

    async def fields(self, product: str) -> list[Field]:
        """What JCC shows and requires for the activity. Raises `CalendarFault` where that is more than we ask."""
        wanted = await self._wanted(product)
        if wanted.more:
            asked = ", ".join(wanted.more)
            raise CalendarFault(f"JCC requires what is not asked here: {asked}", retryable=False)
        return wanted.fields

    async def book(self, booking: Booking, key: str) -> Appointment:
        """All that can go wrong is asked before the one call that books."""
        ends: list[datetime] = []

        async def prepare() -> Make:
            wanted = await self._wanted(booking.product)
            check_details(booking, [field.name for field in wanted.fields if field.required])
            who = customer(booking.details, wanted)
            if not await self._free(booking):
                raise SlotGone("the time is not free")
            start = booking.start.astimezone(AMSTERDAM)
            end = (start.astimezone(UTC) + await self._length(booking)).astimezone(AMSTERDAM)

            async def make(reference: str) -> str:
                body = {
                    "id": None,
                    "activityList": [{"activityId": booking.product, "amount": booking.people}],
                    "customerList": [who],
                    "fromDateTime": start.isoformat(timespec="seconds"),
                    "toDateTime": end.isoformat(timespec="seconds"),
                    "locationId": booking.location,
                    "message": f"{_NOTE} {reference}",
                    "fieldList": None,
                }
                try:
                    made = _acknowledged(row(await self._api.post("appointment", body)))
                except Declined as fault:
                    raise await why(fault, lambda: self._free(booking)) from None
                ends.append(end)
                return made

            return make

        found, _ = await self._bookings.once(key, booking.start, prepare, self._find)
        if ends:
            return Appointment(
                found,
                booking.product,
                booking.location,
                booking.start.astimezone(AMSTERDAM),
                ends[0],
                booking.people,
            )
        if (standing := await self.get(found)) is None:
            raise SlotGone("it was booked, and cancelled since")
        return standing

    async def get(self, appointment: str) -> Appointment | None:
        """By its id."""
        if not is_identifier(appointment):
            return None
        try:
            value = await self._api.get("appointment", [("id", appointment)])
        except Declined as fault:
            if fault.status not in (400, 404):
                raise
            return None
        if value is None or value == {}:
            return None
        return _appointment(row(value))

    async def cancel(self, appointment: str) -> None:
        """JCC tells the id of what it cancelled, and not always that it did."""
        if not is_identifier(appointment):
            return
        try:
            value = row(await self._api.delete("appointment", [("id", appointment)]))
        except Declined as fault:
            if fault.status not in (400, 404):
                raise
            return
        said = value.get("acknowledgeIsSuccess") is not False and text(value, "id") == appointment
        if not said and await self.get(appointment) is not None:
            raise CalendarFault(f"not cancelled: code {code_word(value.get('code'))}", retryable=True)

    async def health(self) -> Health:
        """Kept for a while."""
        return await self._state.health()

    async def check(self) -> list[Finding]:
        """Address, credentials, and the products of the municipality's file with what JCC requires for them."""
        settings = "JCC_URL, JCC_CLIENT_ID and JCC_CLIENT_SECRET"
        return await look_at(self, self._bookings, self._products, lambda: self._api.exposed, settings)

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close()

    async def _find(self, reference: str) -> str | None:
        """JCC can't be asked. The reference stands with the appointment, for who looks in JCC itself."""
        raise CalendarFault(
            f"nobody knows whether it was booked: look in JCC for {reference}", retryable=False
        )

    async def _wanted(self, product: str) -> Wanted:
        query = [("selectedActivityId", product)]
        return Wanted.read(row(await self._api.get("customer/customerfields/required", query)))

    async def _free(self, booking: Booking) -> bool:
        day = booking.start.astimezone(AMSTERDAM).date()
        free = await self.times(booking.product, booking.location, day, booking.people)
        return any(same(at, booking.start) for at in free)

    async def _length(self, booking: Booking) -> timedelta:
        day = booking.start.astimezone(AMSTERDAM).date()
        query = [*_activity(booking.product, booking.people), ("dateTime", day.isoformat())]
        minutes = await self._api.get("appointment/calculateduration", query)
        if not isinstance(minutes, int) or not 0 < minutes <= 24 * 60:
            raise Unsure()
        return timedelta(minutes=minutes)

    async def _told(
        self, product: str, location: str, begin: date, until: date, people: int
    ) -> list[datetime]:
        query = [("locationId", location), ("fromDate", begin.isoformat()), ("toDate", until.isoformat())]
        answer = row(
            await self._api.get("appointment/availabletimelist", [*query, *_activity(product, people)])
        )
        told = answer.get("availableTimesList")
        if told is None and (not answer or "appointmentDuration" in answer):
            return []  # what is empty is left out
        if not isinstance(told, list) or not all(isinstance(one, str) for one in told):
            raise Unsure()
        try:
            wall = [datetime.fromisoformat(one) for one in told]
        except ValueError:
            raise Unsure() from None
        return moments((_naive(at) for at in wall), AMSTERDAM)

    def _today(self) -> date:
        return self._clock().astimezone(AMSTERDAM).date()


def _activity(product: str, people: int) -> Query:
    return [("activityId", product), ("amount", str(people))]


def _acknowledged(value: Row) -> str:
    """The id; what counts is that JCC says so, not the HTTP status. Raises `Declined`, `Unsure`."""
    if value.get("acknowledgeIsSuccess") is False:
        raise Declined(200, code_word(value.get("code")))
    if value.get("acknowledgeIsSuccess") is not True:
        raise Unsure()
    return identifier(value, "id")


def _minutes(activity: Row) -> int | None:
    found = activity.get("appointmentDuration")
    return found // 60 if isinstance(found, int) and found >= 60 else None


def _address(location: Row) -> str:
    found = location.get("address")
    if found is None:
        return ""
    address = row(found)
    number = f"{text(address, 'houseNumber')}{text(address, 'houseNumberSuffix')}"
    street = f"{text(address, 'streetName')} {number}".strip() if text(address, "streetName") else ""
    place = f"{text(address, 'postalCode')} {text(address, 'city')}".strip()
    return ", ".join(filter(None, (street, place)))


def _naive(at: datetime) -> datetime:
    """On the wall in Amsterdam, also where JCC tells an offset after all."""
    return at if at.tzinfo is None else at.astimezone(AMSTERDAM).replace(tzinfo=None)


def _local(value: Row, name: str) -> datetime:
    try:
        return _naive(datetime.fromisoformat(text(value, name)))
    except ValueError:
        raise Unsure() from None


def _appointment(value: Row) -> Appointment:
    found = rows(value.get("activityList"))
    if not found:
        raise Unsure()
    people = found[0].get("amount")
    start, end = (moments([_local(value, name)], AMSTERDAM) for name in ("startDateTime", "endDateTime"))
    if not start:
        raise Unsure()
    return Appointment(
        id=identifier(value, "id"),
        product=identifier(row(found[0].get("activity")), "id"),
        location=identifier(row(value.get("location")), "id"),
        start=start[0],
        end=end[0] if end else None,
        people=people if isinstance(people, int) and people > 0 else 1,
    )
