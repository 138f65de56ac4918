"""When a resident wants to come."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from actions.appointments.moments import Wanted, together, understand, without
from actions.appointments.words import label, short
from bot.clock import AMSTERDAM

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=AMSTERDAM)
"""A Monday."""


HOURS = (time(9), time(16, 59))


def found_in(text: str, now: datetime = NOW, **more: datetime) -> Wanted | None:
    return understand(text, now, hours=HOURS, **more)


def spans(text: str, now: datetime = NOW, **more: datetime) -> list[str]:
    return shown(found_in(text, now, **more))


def shown(found: Wanted | None) -> list[str]:
    return [f"{a:%m-%d %H:%M}/{b:%H:%M}" for a, b in found.spans] if found else []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dinsdagmiddag na drie uur", ["11-24 15:00/18:00"]),
        ("morgen half drie", ["11-24 14:30/14:31"]),
        ("morgenochtend", ["11-24 00:00/12:00"]),
        ("overmorgen", ["11-25 00:00/00:00"]),
        ("vanmiddag", ["11-23 12:00/18:00"]),
        ("donderdagavond", ["11-26 18:00/00:00"]),
        ("vrijdag om 9 uur", ["11-27 09:00/09:01"]),
        ("vrijdag 9:30", ["11-27 09:30/09:31"]),
        ("liefst woensdag tussen 10 en 12", ["11-25 10:00/12:00"]),
        ("kan het donderdag voor elf uur", ["11-26 00:00/11:00"]),
        ("dinsdag over twee weken", ["12-08 00:00/00:00"]),
        ("dinsdag volgende week", ["12-01 00:00/00:00"]),
        ("volgende dinsdag", ["11-24 00:00/00:00", "12-01 00:00/00:00"]),
        ("maandagmorgen", ["11-23 00:00/12:00", "11-30 00:00/12:00"]),
        ("24 december kwart over tien", ["12-24 10:15/10:16"]),
        ("op 3-12", ["12-03 00:00/00:00"]),
        ("15 januari", ["01-15 00:00/00:00"]),
        ("tomorrow morning", ["11-24 00:00/12:00"]),
        ("di 24 nov 9.00 uur", ["11-24 09:00/09:01"]),
        ("jan de vries", []),
        ("wat moet ik meenemen", []),
        ("ja", []),
        ("30 februari", ["03-01 00:00/00:00", "02-29 00:00/00:00"]),
        ("afspraak voor een paspoort", []),
        ("een afspraak voor 4 personen", []),
        ("morgen voor een uur", ["11-24 00:00/13:00"]),
        ("morgen half een", ["11-24 12:30/12:31"]),
        ("morgen na 2 graag", ["11-24 14:00/00:00"]),
    ],
)
def test_when(text: str, expected: list[str]) -> None:
    assert spans(text) == expected


def test_a_whole_week_and_any_day() -> None:
    assert spans("volgende week") == ["11-30 00:00/00:00"]
    assert spans("volgende maand") == ["12-01 00:00/00:00"]
    assert spans("eind december") == ["12-21 00:00/00:00"]
    found = found_in("na drie uur")
    assert found and found.daily and len(found.spans) == 61


def test_what_is_not_wanted_is_taken_off() -> None:
    found = found_in("liever niet op maandag")
    assert found and found.less
    tuesday, monday = (
        datetime(2026, 12, 1, 10, tzinfo=AMSTERDAM),
        datetime(2026, 11, 30, 10, tzinfo=AMSTERDAM),
    )
    assert any(a <= tuesday < b for a, b in found.spans)
    assert not any(a <= monday < b for a, b in found.spans)
    assert spans("volgende week maar niet op dinsdag") == ["11-30 00:00/00:00", "12-02 00:00/00:00"]


def test_what_was_named_before_goes_with_what_is_named_now() -> None:
    week, afternoon, not_monday = map(found_in, ("volgende week", "na drie uur", "niet op maandag"))
    assert week and afternoon and not_monday
    both = together(week.spans, afternoon)
    assert shown(both)[:2] == ["11-30 15:00/00:00", "12-01 15:00/00:00"] and len(both.spans) == 7
    assert shown(together(both.spans, not_monday))[0] == "12-01 15:00/00:00"
    half = found_in("half tien")
    assert half and together(week.spans, half).exact
    monday = found_in("maandag 30 november")
    assert monday and together(monday.spans, not_monday) == not_monday, (
        "they contradict: what is said now counts"
    )
    assert together(week.spans, monday) == monday


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("volgende dinsdag", ["di 24 nov", "di 1 dec"]),
        ("maandagmorgen", ["ma ochtend 23 nov", "ma ochtend 30 nov"]),
        ("maandag of woensdag na drieen", ["ma 23 nov na 15.00", "ma 30 nov na 15.00"]),
        ("8 uur", ["om 8.00 uur", "om 20.00 uur"]),
    ],
)
def test_what_can_be_read_in_more_ways_is_to_be_asked(text: str, labels: list[str]) -> None:
    found = found_in(text)
    assert found and [way.label for way in found.ways] == [label.removeprefix("om ") for label in labels]
    assert all(len(way.label) <= 20 for way in found.ways)
    assert set(found.spans) == {span for way in found.ways for span in way.wanted.spans}


def test_what_is_compared_with_what_was_proposed() -> None:
    than = datetime(2026, 11, 26, 9, tzinfo=AMSTERDAM)
    assert spans("een uurtje later", than=than) == ["11-26 10:00/10:01"]
    assert spans("een week later", than=than) == ["12-03 00:00/00:00"]
    for mere in ("kan het eerder?", "later", "liever wat later"):
        assert found_in(mere, than=than) is None, "all that is free may be meant"
    assert found_in("een uurtje later") is None


@pytest.mark.parametrize(
    "text",
    [
        "Noor Bakker, 3-4-1990, 06 12345678",
        "3 april 1990",
        "06-12345678",
        "Jan de Vries",
        "zo snel mogelijk",
        "1 januari 2020",
    ],
)
def test_what_is_no_wish(text: str) -> None:
    assert found_in(text) is None


def test_an_hour_to_choose_from_is_not_exact() -> None:
    for text, exact in (
        ("woensdag tussen 10 en 11", False),
        ("rond 3 uur", False),
        ("woensdag 10 uur", True),
    ):
        found = found_in(text)
        assert found and found.exact == exact
        assert all(b - a == timedelta(minutes=1 if exact else 60) for a, b in found.spans)


def test_the_rest_says_what_for() -> None:
    assert without("paspoort dinsdagmiddag na drie uur", NOW).split() == ["paspoort"]


@pytest.mark.parametrize(
    "told", ["de week van maandag 30 november", "donderdagmiddag 24 september", "maart 2027"]
)
def test_a_span_on_a_button(told: str) -> None:
    assert 0 < len(short(told)) <= 20


def test_the_29th_of_february_is_in_the_next_year_that_has_one() -> None:
    found = found_in("29 februari")
    assert found is not None and found.spans[0][0].date().isoformat() == "2028-02-29"
    assert spans("29 februari", datetime(2028, 2, 1, 9, tzinfo=AMSTERDAM)) == ["02-29 00:00/00:00"]


def test_around_midnight_tomorrow_is_the_next_day_in_amsterdam() -> None:
    late = datetime(2026, 11, 23, 23, 59, 59, tzinfo=AMSTERDAM)
    assert spans("morgen", late) == ["11-24 00:00/00:00"]
    early = datetime.fromisoformat("2026-11-23T23:00:01+00:00")  # the 24th in Amsterdam
    assert spans("morgen", early) == ["11-25 00:00/00:00"]


@pytest.mark.parametrize("month", range(1, 13))
def test_a_button_holds_every_moment(month: int) -> None:
    assert len(label(datetime(2026, month, 28, 10, 30, tzinfo=AMSTERDAM))) <= 20
