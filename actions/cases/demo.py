"""Made-up cases to try: several types that go their way with the clock, and begin anew. docs/engineer.md lists them.

The same moment gives the same cases, in every process and after every start: nothing is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from actions.cases.proofs import same_address, same_birth_date
from bot.clock import AMSTERDAM, Clock, utc_now
from bot.model import Case, CaseStatus, Proof
from bot.ports import Finding, Health

_BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
_SUSPENDED = "Wacht op informatie"
_ENDS = ("Afgehandeld", "Besluit genomen")


@dataclass(frozen=True, slots=True)
class Path:
    """The way of one case: after how much time which status, and when it begins anew. `due` is its deadline."""

    reference: str
    type: str
    steps: Sequence[tuple[timedelta, str]]
    again: timedelta
    due: timedelta
    postcode: str = "1234AB"
    number: int = 12
    addition: str = ""
    born: str = "1980-02-01"
    result: str = "Verleend"


def _days(*days: int) -> list[timedelta]:
    return [timedelta(days=one) for one in days]


def _minutes(*minutes: int) -> list[timedelta]:
    return [timedelta(minutes=one) for one in minutes]


_WORK = ("Ontvangen", "In behandeling")
PATHS = (
    Path(
        "ZAAK-2026-0000000101",
        "Kapvergunning",
        tuple(
            zip(
                _days(0, 3, 24, 31, 49),
                (*_WORK, _SUSPENDED, "In behandeling", "Besluit genomen"),
                strict=True,
            )
        ),
        timedelta(days=56),
        timedelta(days=56),
    ),
    Path(
        "ZAAK-2026-0000000102",
        "Omgevingsvergunning",
        tuple(zip(_days(0, 7, 63), (*_WORK, "Besluit genomen"), strict=True)),
        timedelta(days=77),
        timedelta(days=56),
        postcode="1234AC",
        number=7,
        addition="A",
    ),
    Path(
        "ZAAK-2026-0000000103",
        "Parkeervergunning",
        tuple(zip(_days(0, 1, 5), (*_WORK, "Afgehandeld"), strict=True)),
        timedelta(days=7),
        timedelta(days=7),
    ),
    Path(
        "ZAAK-2026-0000000104",
        "Kwijtschelding",
        tuple(zip(_days(0, 2, 35), (*_WORK, "Besluit genomen"), strict=True)),
        timedelta(days=42),
        timedelta(days=56),
        result="Toegekend",
    ),
    Path(
        "ZAAK-2026-0000000105",
        "Melding openbare ruimte",
        tuple(zip(_minutes(0, 5, 15), (*_WORK, "Afgehandeld"), strict=True)),
        timedelta(minutes=20),
        timedelta(days=5),
        result="Opgelost",
    ),
    Path(
        "ZAAK-2026-0000000106",
        "Bijstand",
        tuple(zip(_days(0, 2), _WORK, strict=True)),
        timedelta(days=56),
        timedelta(days=56),
    ),
)


class DemoCases:
    """The cases as they are now."""

    name = "demo"

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    async def find(self, reference: str, proof: Proof) -> Case | None:
        """The case, for who knows the address or the date of birth."""
        path = _path(reference)
        if path is None:
            return None
        born = same_birth_date(proof, path.born)
        mine = born if proof.birth_date else same_address(proof, path.postcode, path.number, path.addition)
        return _case(path, self._clock()) if mine else None

    async def look(self, key: str) -> Case | None:
        """The case as it is now."""
        path = _path(key)
        return _case(path, self._clock()) if path else None

    async def health(self) -> Health:
        """It has no parts that could fail."""
        return Health("ok", "made-up cases")

    async def check(self) -> list[Finding]:
        """It is there to be replaced."""
        return [Finding("cases", "todo", "these are made up, to try: set CASES to zgw, or to off")]

    async def close(self) -> None:
        """Nothing to let go of."""


def _path(reference: str) -> Path | None:
    return next((path for path in PATHS if path.reference == reference), None)


def _case(path: Path, now: datetime) -> Case:
    begun = now - (now - _BEGIN) % path.again
    after, name = max(step for step in path.steps if step[0] <= now - begun)
    since = begun + after
    started = _day(begun)
    ended = _day(since) if name in _ENDS else None
    return Case(
        key=path.reference,
        reference=path.reference,
        types=(path.type,),
        started=started,
        status=CaseStatus((name,), "", since),
        planned=None,
        deadline=_day(begun + path.due),
        suspended=name == _SUSPENDED,
        ended=ended,
        result=path.result if ended else "",
    )


def _day(moment: datetime) -> date:
    return moment.astimezone(AMSTERDAM).date()
