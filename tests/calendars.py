"""Our own calendar as tests have it: the plan of the shipped municipality, or a small one."""

from __future__ import annotations

from bot.app.calendar import configured_calendar
from bot.clock import Clock
from bot.db.database import Database
from bot.municipality import Appointments, Bookable, Office
from bot.ports import AppointmentProvider
from tests.house import MUNICIPALITY

SMALL = Appointments(
    slot=5,
    notice=30,
    ahead=60,
    locations=(
        Office(id="hal", name="Gemeentehuis", address="Plein 1", hours="balie", counters=1),
        Office(id="noord", name="Noord", address="Laan 2", hours="servicepunt", counters=2),
    ),
    products=(
        Bookable(id="paspoort", name="Paspoort", minutes=15),
        Bookable(id="uittreksel", name="Uittreksel", minutes=10, fields=("name",)),
        Bookable(id="huwelijk", name="Trouwen", minutes=45, locations=("hal",)),
    ),
)
DETAILS = {"name": "Noor Bakker", "birth_date": "1990-04-03", "phone": "+31612345678"}


def calendar(database: Database, clock: Clock, plan: Appointments = SMALL) -> AppointmentProvider:
    """One of our own."""
    municipality = MUNICIPALITY.model_copy(update={"appointments": plan})
    found = configured_calendar(database, municipality, clock)
    assert found is not None
    return found
