"""The municipality's calendar of appointments, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.clock import Clock
from bot.db.database import Database
from bot.model import Location, Product
from bot.municipality import Municipality
from bot.ports import AppointmentProvider

if TYPE_CHECKING:
    from actions.appointments.desk import Desk


def configured_calendar(
    database: Database, municipality: Municipality, clock: Clock
) -> AppointmentProvider | None:
    """Our own calendar, where the municipality's file has one; None where no appointments can be made here."""
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


def desk_of(
    database: Database, calendar: AppointmentProvider | None, base_url: str, clock: Clock
) -> Desk | None:
    """What the actions of appointments need; None where there is no calendar."""
    from actions.appointments.desk import Desk
    from actions.appointments.orders import Orders

    return Desk(calendar, Orders(database), base_url, clock) if calendar else None
