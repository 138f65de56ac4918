"""When a resident wants to come."""

from __future__ import annotations

from datetime import datetime

import pytest

from actions.appointments.moments import understand
from actions.appointments.words import label
from bot.clock import AMSTERDAM

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=AMSTERDAM)
"""A Monday."""


def spans(text: str, now: datetime = NOW) -> list[str]:
    found = understand(text, now)
    return [f"{a:%m-%d %H:%M}/{b:%H:%M}" for a, b in found.spans] if found else []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dinsdagmiddag na drie uur", ["11-24 15:00/23:59"]),
        ("morgen half drie", ["11-24 14:30/14:31"]),
        ("morgenochtend", ["11-24 00:00/12:00"]),
        ("overmorgen", ["11-25 00:00/23:59"]),
        ("vanmiddag", ["11-23 12:00/18:00"]),
        ("donderdagavond", ["11-26 17:00/23:59"]),
        ("vrijdag om 9 uur", ["11-27 09:00/09:01"]),
        ("vrijdag 9:30", ["11-27 09:30/09:31"]),
        ("liefst woensdag tussen 10 en 12", ["11-25 10:00/12:00"]),
        ("kan het donderdag voor elf uur", ["11-26 00:00/11:00"]),
        ("dinsdag over twee weken", ["12-08 00:00/23:59"]),
        ("dinsdag volgende week", ["12-01 00:00/23:59"]),
        ("volgende dinsdag", ["11-24 00:00/23:59", "12-01 00:00/23:59"]),
        ("maandagmorgen", ["11-23 00:00/12:00", "11-30 00:00/12:00"]),
        ("24 december kwart over tien", ["12-24 10:15/10:16"]),
        ("op 3-12", ["12-03 00:00/23:59"]),
        ("15 januari", ["01-15 00:00/23:59"]),
        ("tomorrow morning", ["11-24 00:00/12:00"]),
        ("di 24 nov 9.00 uur", ["11-24 09:00/09:01"]),
        ("jan de vries", []),
        ("wat moet ik meenemen", []),
        ("ja", []),
        ("30 februari", []),
        ("afspraak voor een paspoort", []),
        ("een afspraak voor 4 personen", []),
        ("morgen voor een uur", ["11-24 00:00/13:00"]),
        ("morgen half een", ["11-24 12:30/12:31"]),
        ("morgen na 2 graag", ["11-24 14:00/23:59"]),
    ],
)
def test_when(text: str, expected: list[str]) -> None:
    assert spans(text) == expected


def test_a_whole_week_and_any_day() -> None:
    assert [span[:5] for span in spans("volgende week")] == [
        "11-30", "12-01", "12-02", "12-03", "12-04", "12-05", "12-06",
    ]  # fmt: skip
    assert len(spans("na drie uur")) == 61
    assert len(spans("deze week")) == 7


def test_the_29th_of_february_is_in_the_next_year_that_has_one() -> None:
    found = understand("29 februari", NOW)
    assert found is not None and found.spans[0][0].date().isoformat() == "2028-02-29"
    assert spans("29 februari", datetime(2028, 2, 1, 9, tzinfo=AMSTERDAM)) == ["02-29 00:00/23:59"]


def test_around_midnight_tomorrow_is_the_next_day_in_amsterdam() -> None:
    late = datetime(2026, 11, 23, 23, 59, 59, tzinfo=AMSTERDAM)
    assert spans("morgen", late) == ["11-24 00:00/23:59"]
    early = datetime.fromisoformat("2026-11-23T23:00:01+00:00")  # the 24th in Amsterdam
    assert spans("morgen", early) == ["11-25 00:00/23:59"]


@pytest.mark.parametrize("month", range(1, 13))
def test_a_button_holds_every_moment(month: int) -> None:
    assert len(label(datetime(2026, month, 28, 10, 30, tzinfo=AMSTERDAM))) <= 20
