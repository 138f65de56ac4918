"""Which calendar appointments stand in, and what the dialogue needs of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.app.house import House
from bot.clock import Clock
from bot.db.database import Database
from bot.model import Location, Product
from bot.municipality import Municipality
from bot.ports import LOCAL, AppointmentProvider, Health
from bot.settings import Settings

if TYPE_CHECKING:
    from actions.appointments.desk import Desk


def calendar_of(
    settings: Settings, municipality: Municipality, database: Database, clock: Clock
) -> AppointmentProvider | None:
    """The calendar of the settings. None where it is to be our own, and the municipality's file tells of none."""
    products = municipality.calendar_products
    if settings.appointments == "qmatic" and settings.qmatic_url:
        from actions.appointments.qmatic import Qmatic
        from actions.appointments.qmatic_api import Api as QmaticApi

        way = QmaticApi(
            settings.qmatic_url,
            token=settings.qmatic_token.get_secret_value() if settings.qmatic_token else "",
            user=settings.qmatic_user or "",
            password=settings.qmatic_password.get_secret_value() if settings.qmatic_password else "",
        )
        return Qmatic(way, database, asks=settings.qmatic_fields, products=products, clock=clock)
    if settings.appointments == "jcc" and settings.jcc_url and settings.jcc_client_secret:
        from actions.appointments.jcc import Jcc
        from actions.appointments.jcc_api import Api as JccApi

        secret = settings.jcc_client_secret.get_secret_value()
        return Jcc(
            JccApi(settings.jcc_url, settings.jcc_client_id or "", secret, clock),
            database,
            products=products,
            clock=clock,
        )
    return local_calendar(database, municipality, clock)


def local_calendar(
    database: Database, municipality: Municipality, clock: Clock
) -> AppointmentProvider | None:
    """Our own calendar, as the municipality's file plans it; None where it does not."""
    from actions.appointments.local import LocalCalendar, Plan

    wanted = municipality.appointments
    if wanted is None:
        return None
    desks = {office.id: office.hours for office in wanted.locations}
    plan = Plan(
        products=[Product(one.id, one.name, one.minutes) for one in wanted.products],
        locations=[Location(one.id, one.name, one.address) for one in wanted.locations],
        counters={one.id: one.counters for one in wanted.locations},
        offered={
            office.id: frozenset(
                one.id for one in wanted.products if not one.locations or office.id in one.locations
            )
            for office in wanted.locations
        },
        hours=lambda location, day: municipality.spans(desks[location], day),
        fields={one.id: one.fields for one in wanted.products},
        slot=wanted.slot,
        notice=wanted.notice,
        ahead=wanted.ahead,
    )
    return LocalCalendar(database, plan, clock)


def desk_of(house: House) -> Desk | None:
    """What the actions of appointments need; None where there is no calendar."""
    from actions.appointments.desk import Desk
    from actions.appointments.orders import Orders

    if house.calendar is None:
        return None
    municipality, local = house.municipality, house.calendar.name == LOCAL
    return Desk(
        house.calendar,
        Orders(house.database),
        house.settings.base_url,
        house.clock,
        products=municipality.bookable(local=local),
        hours=municipality.widest_hours,
    )


async def health_of(calendar: AppointmentProvider) -> Health:
    """The state of the calendar as a part of the house: never down, as all else is answered without it."""
    found = await calendar.health()
    return Health("degraded" if found.state == "down" else found.state, found.detail or calendar.name)
