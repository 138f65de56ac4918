"""Qmatic Orchestra as the calendar. Its products are services, its locations branches; its times are those on the wall
of a branch. What we book carries our reference as the id of who comes, and is looked up by that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from actions.appointments.bookings import Bookings, Make, check_details, why
from actions.appointments.calls import Declined, Row, Unsure, identifier, is_identifier, row, rows, text
from actions.appointments.checks import State, look_at
from actions.appointments.localtime import moments, on_day, same
from actions.appointments.people import split_name
from actions.appointments.qmatic_api import Api
from bot.clock import AMSTERDAM, Clock, utc_now
from bot.db.database import Database
from bot.model import Appointment, Booking, Field, Location, Product
from bot.ports import CalendarFault, Finding, Health, SlotGone

_TITLE = "Afspraak via de chatassistent"
_NAME, _EMAIL, _PHONE = 200, 255, 50
"""The longest that Qmatic takes."""
_DETAILS = {"email": ("email", _EMAIL), "phone": ("phone", _PHONE), "birth_date": ("dateOfBirth", 10)}
_TAKEN = (404, 409)
"""What booking a time that was told just now is answered with where somebody else has it."""
_DAY = timedelta(days=1)


class Qmatic:
    """The calendar behind `api`. Qmatic does not tell what must be known of who comes: the name, and what `asks` says.
    `products` are our names with its ids, for `check`."""

    name = "qmatic"

    def __init__(
        self,
        api: Api,
        database: Database,
        *,
        asks: Sequence[str] = (),
        products: Mapping[str, str] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._api = api
        self._asks = tuple(asks)
        self._products = products or {}
        self._clock = clock
        self._bookings = Bookings(database, self.name, clock)
        self._state = State(self, self._bookings, clock)
        self._zones: dict[str, ZoneInfo] = {}
        self._searchable = False

    async def products(self) -> list[Product]:
        """The services that are active and open to the public."""
        found = rows(row(await self._api.get("v1/services")).get("serviceList"))
        offered = [one for one in found if one.get("active") is True and one.get("publicEnabled") is True]
        return [Product(identifier(one, "publicId"), text(one, "name"), _minutes(one)) for one in offered]

    async def locations(self, product: str) -> list[Location]:
        """The branches with the service. Those without a postal code are no place to go to."""
        if not is_identifier(product):
            return []
        try:
            answer = row(await self._api.get(f"v1/services/{quote(product)}/branches"))
        except Declined as fault:
            if fault.status != 404:
                raise
            return []
        found = [one for one in rows(answer.get("branchList")) if text(one, "addressZip")]
        return [Location(identifier(one, "publicId"), text(one, "name"), _address(one)) for one in found]

    async def days(self, product: str, location: str, first: date, last: date, people: int = 1) -> list[date]:
        """Of the dates of the branch; in another zone than ours its dates are not our days, so its times tell."""
        zone = await self._zone(location)
        answer = row(await self._api.get(f"v2/branches/{quote(location)}/dates{_matrix(product, people)}"))
        told = _list(answer, "dates")
        try:
            dates = sorted({datetime.fromisoformat(one).date() for one in told})
        except ValueError:
            raise Unsure() from None
        if zone.key == AMSTERDAM.key:
            return [day for day in dates if first <= day <= last]
        near = [day for day in dates if first - _DAY <= day <= last + _DAY]
        found = {at.date() for day in near for at in await self._told(product, location, day, people)}
        return sorted(day for day in found if first <= day <= last)

    async def times(self, product: str, location: str, day: date, people: int = 1) -> list[datetime]:
        """Of the dates of the branch that this day here falls on."""
        zone = await self._zone(location)
        begin, end = (datetime.combine(one, time(), AMSTERDAM) for one in (day, day + _DAY))
        dates = sorted({begin.astimezone(zone).date(), (end - timedelta(seconds=1)).astimezone(zone).date()})
        found = [at for one in dates for at in await self._told(product, location, one, people)]
        return on_day(found, day, self._clock())

    async def fields(self, product: str) -> list[Field]:
        """The same for each product."""
        return [Field("name", True), *(Field(name, True) for name in self._asks)]

    async def book(self, booking: Booking, key: str) -> Appointment:
        """Look whether the time is free, then book it with our reference."""
        check_details(booking, ["name", *self._asks])
        made: list[Appointment] = []

        async def prepare() -> Make:
            zone = await self._zone(booking.location)
            if not await self._free(booking):
                raise SlotGone("the time is not free")
            local = booking.start.astimezone(zone)
            when = f"dates/{local:%Y-%m-%d}/times/{local:%H:%M}"

            async def make(reference: str) -> str:
                try:
                    answer = await self._api.post(
                        f"v2/branches/{quote(booking.location)}/{when}/book", _body(booking, reference)
                    )
                except Declined as fault:
                    if fault.status in _TAKEN:
                        raise SlotGone("somebody else has the time now") from None
                    raise await why(fault, lambda: self._free(booking)) from None
                made.append(_appointment(row(answer)))
                return made[0].id

            return make

        found, _ = await self._bookings.once(key, booking.start, prepare, self._find)
        if made:
            return made[0]
        if (standing := await self.get(found)) is None:
            raise SlotGone("it was booked, and cancelled since")
        return standing

    async def get(self, appointment: str) -> Appointment | None:
        """By its public id."""
        if not is_identifier(appointment):
            return None
        try:
            answer = row(await self._api.get(f"v1/appointments/{quote(appointment)}"))
        except Declined as fault:
            if fault.status != 404:
                raise
            return None
        return _appointment(row(answer.get("appointment")))

    async def cancel(self, appointment: str) -> None:
        """What is not there is cancelled."""
        if not is_identifier(appointment):
            return
        try:
            done = await self._api.delete(f"v1/appointments/{quote(appointment)}")
        except Declined as fault:
            if fault.status != 404:
                raise
            return
        if not done and await self.get(appointment) is not None:
            raise Unsure("not cancelled")

    async def health(self) -> Health:
        """Kept for a while."""
        return await self._state.health()

    async def check(self) -> list[Finding]:
        """Address, credentials, and the products of the municipality's file."""
        settings = "QMATIC_URL and QMATIC_TOKEN"
        return await look_at(self, self._bookings, self._products, lambda: self._api.exposed, settings)

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close()

    async def _find(self, reference: str) -> str | None:
        """The appointment of who comes with this reference. That nobody is known with it tells only something where
        such questions are answered at all: a gateway may leave them out."""
        try:
            found = await self._with(reference)
        except Declined as fault:
            if fault.status != 404:
                raise
            earlier = await self._bookings.booked()
            if not self._searchable and (earlier is None or not await self._answers(earlier)):
                raise CalendarFault(
                    f"it can't be looked up whether {reference} was booked", retryable=False
                ) from None
            return None
        mine = [one for one in found if reference in text(one, "notes") or _comes(one, reference)]
        return min((identifier(one, "publicId") for one in mine), default=None)

    async def _with(self, reference: str) -> list[Row]:
        answer = row(await self._api.get(f"v1/customers/externalId/{quote(reference)}/appointments"))
        self._searchable = True
        return rows(answer.get("appointmentList"))

    async def _answers(self, reference: str) -> bool:
        """Whether somebody who must be known is found."""
        try:
            await self._with(reference)
        except Declined as fault:
            if fault.status != 404:
                raise
            return False
        return True

    async def _free(self, booking: Booking) -> bool:
        day = booking.start.astimezone(AMSTERDAM).date()
        free = await self.times(booking.product, booking.location, day, booking.people)
        return any(same(at, booking.start) for at in free)

    async def _told(self, product: str, location: str, day: date, people: int) -> list[datetime]:
        path = f"v2/branches/{quote(location)}/dates/{day.isoformat()}/times{_matrix(product, people)}"
        told = _list(row(await self._api.get(path)), "times")
        try:
            wall = [datetime.combine(day, time.fromisoformat(one)) for one in told]
        except ValueError:
            raise Unsure() from None
        return moments(wall, await self._zone(location))

    async def _zone(self, location: str) -> ZoneInfo:
        """That of the branch; it does not move."""
        if not is_identifier(location):
            raise Declined(404)
        if location not in self._zones:
            branch = row(row(await self._api.get(f"v1/branches/{quote(location)}")).get("branch"))
            try:
                self._zones[location] = ZoneInfo(text(branch, "timeZone"))
            except (ValueError, OSError, KeyError):
                raise CalendarFault("the branch has an unknown time zone", retryable=False) from None
        return self._zones[location]


def _matrix(product: str, people: int) -> str:
    """The number is that of all who come: where a Qmatic counts the others only, a time is too long, not too short."""
    if not is_identifier(product):
        raise Declined(404)
    return f";servicePublicId={quote(product)}" + (f";numberOfCustomers={people}" if people > 1 else "")


def _list(answer: Row, name: str) -> list[str]:
    found = answer.get(name)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise Unsure()
    return found


def _minutes(service: Row) -> int | None:
    found = service.get("duration")
    return found if isinstance(found, int) and found > 0 else None


def _address(branch: Row) -> str:
    place = f"{text(branch, 'addressZip')} {text(branch, 'addressCity')}".strip()
    return ", ".join(filter(None, (text(branch, "addressLine1"), text(branch, "addressLine2"), place)))


def _body(booking: Booking, reference: str) -> dict[str, Any]:
    """The reference is the id of the first who comes; of the others only the number counts."""
    first, last = split_name(booking.details["name"])
    customer = {"lastName": last[:_NAME], "externalId": reference}
    if first:
        customer["firstName"] = first[:_NAME]
    for name, (theirs, most) in _DETAILS.items():
        if value := booking.details.get(name, "").strip():
            customer[theirs] = value[:most]
    others = [{"lastName": last[:_NAME]} for _ in range(booking.people - 1)]
    return {
        "title": _TITLE,
        "customers": [customer, *others],
        "services": [{"publicId": booking.product}],
        "notes": f"{_TITLE}, kenmerk {reference}",
    }


def _comes(appointment: Row, reference: str) -> bool:
    people = appointment.get("customers")
    return isinstance(people, list) and any(
        isinstance(one, dict) and one.get("externalId") == reference for one in people
    )


def _appointment(value: Row) -> Appointment:
    services = rows(value.get("services"))
    if not services:
        raise Unsure()
    people = value.get("numberOfCustomers")
    if not isinstance(people, int):
        people = len(rows(value.get("customers")))
    return Appointment(
        id=identifier(value, "publicId"),
        product=identifier(services[0], "publicId"),
        location=identifier(row(value.get("branch")), "publicId"),
        start=_moment(value, "start"),
        end=_moment(value, "end"),
        people=max(1, people),
    )


def _moment(value: Row, name: str) -> datetime:
    """A moment of Qmatic has its offset: `2016-11-10T11:30:00.000+0000`."""
    try:
        found = datetime.fromisoformat(text(value, name))
    except ValueError:
        raise Unsure() from None
    if found.tzinfo is None:
        raise Unsure()
    return found.astimezone(UTC).astimezone(AMSTERDAM)
