"""Which calendar appointments stand in."""

from __future__ import annotations

from bot.app.house import NotPossible
from bot.clock import Clock
from bot.db.database import Database
from bot.municipality import Municipality
from bot.ports import AppointmentProvider, Health
from bot.settings import Settings


def calendar_of(
    settings: Settings, municipality: Municipality, database: Database, clock: Clock
) -> AppointmentProvider:
    """The calendar of the settings. Raises `NotPossible` where there is none."""
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
    raise NotPossible("there is no calendar of our own yet: APPOINTMENTS may be qmatic or jcc")


async def health_of(calendar: AppointmentProvider) -> Health:
    """The state of the calendar as a part of the house: never down, as all else is answered without it."""
    found = await calendar.health()
    return Health("degraded" if found.state == "down" else found.state, found.detail or calendar.name)
