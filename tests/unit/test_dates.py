"""Dates and times in Dutch: what residents write, what is said back, and days on which clocks are strange."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from actions.dates import Grain, Reading, Span, understand, words
from actions.dates.chart import Grammar
from actions.dates.grammar import GRAMMAR
from actions.dates.lexicon import MONTHS, WEEKDAYS
from actions.dates.span import AMSTERDAM, aware, wall
from actions.dates.spelling import repaired
from bot.cli import main as klaartje
from bot.settings import ROOT

PHRASES = [
    json.loads(line)
    for line in (ROOT / "tests" / "fixtures" / "dates.jsonl").read_text(encoding="utf-8").splitlines()
]
MONDAY = datetime(2026, 11, 23, 10, tzinfo=AMSTERDAM)

moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(aware)
texts = st.lists(
    st.one_of(
        st.sampled_from(sorted({w for p in PHRASES for w in p["text"].split()})),
        st.integers(0, 3000).map(str),
        st.text(max_size=6),
    ),
    max_size=12,
).map(" ".join)


def shown(span: Span, *, offset: bool) -> str:
    """As the fixture writes it."""

    def at(moment: datetime) -> str:
        return (moment if offset else wall(moment)).isoformat(timespec="minutes")

    end = at(span.end) if span.end else ".."
    return f"{at(span.start)}/{end} {span.grain}{f' every {span.every}' if span.every else ''}"


def judged(phrase: dict[str, Any]) -> tuple[object, object]:
    """What was expected of a phrase and what came of it. What is fine, and the ways to read it, have no order."""
    offset = "+" in json.dumps(phrase)
    hours = tuple(time.fromisoformat(at) for at in phrase["hours"].split("-")) if "hours" in phrase else None
    found = understand(
        phrase["text"],
        datetime.fromisoformat(phrase["now"]),
        than=datetime.fromisoformat(phrase["than"]) if "than" in phrase else None,
        hours=hours,  # type: ignore[arg-type]
    )

    def reading(spans: Reading) -> list[str]:
        return sorted(shown(span, offset=offset) for span in spans)

    expected = (
        sorted(phrase.get("spans", [])),
        sorted(phrase.get("alternatives", [])),
        phrase.get("soonest", False),
        sorted(phrase.get("unwanted", [])) if "unwanted" in phrase else reading(found.unwanted),
    )
    return expected, (
        reading(found.spans),
        sorted(reading(each) for each in found.alternatives),
        found.soonest,
        reading(found.unwanted),
    )


def test_what_residents_write() -> None:
    wrong = []
    for phrase in PHRASES:
        expected, found = judged(phrase)
        if found != expected:
            wrong.append((phrase["text"], expected, found))
    assert wrong == []


def test_there_are_many_phrases() -> None:
    assert len(PHRASES) > 300
    assert sum(phrase.get("blind", False) for phrase in PHRASES) == 60


def test_the_part_that_was_used_is_told_as_it_was_written() -> None:
    assert understand("Ik kan DINSDAGMIDDAG, na 3 uur wel", MONDAY).used == ("DINSDAGMIDDAG, na 3 uur",)
    assert understand("hallo", MONDAY).used == ()
    assert not understand("hallo", MONDAY)


def test_what_fits() -> None:
    def fits(text: str, *moment: int) -> bool:
        return understand(text, MONDAY).fits(datetime(*moment, tzinfo=AMSTERDAM))  # type: ignore[arg-type, misc]

    assert fits("dinsdag of woensdag", 2026, 11, 25, 9)
    assert not fits("dinsdag of woensdag", 2026, 11, 26, 9)
    assert fits("na drie uur", 2026, 12, 9, 16) and not fits("na drie uur", 2026, 12, 9, 14)
    assert fits("niet op maandag", 2026, 12, 8, 9) and not fits("niet op maandag", 2026, 12, 7, 9)
    assert fits("vanaf december", 2027, 1, 5, 9) and not fits("vanaf december", 2026, 11, 30, 9)
    assert not fits("8 uur", 2026, 11, 24, 8), "which of the two is not known"


def test_a_time_on_a_day_that_is_known() -> None:
    (span,) = understand("half drie", MONDAY).spans
    assert span.on(date(2026, 12, 1)).start == datetime(2026, 12, 1, 14, 30, tzinfo=AMSTERDAM)
    (span,) = understand("vanaf morgen", MONDAY).spans
    assert span.on(date(2026, 12, 1)).end is None


def test_moments_of_other_zones_are_on_the_clock_in_amsterdam() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert understand("vandaag", late).spans[0].start == datetime(2026, 11, 24, tzinfo=AMSTERDAM)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("dinsdga", "dinsdag"),
        ("woendsdag", "woensdag"),
        ("overmogen", "overmorgen"),
        ("hlaf", "half"),
        ("dire", "drie"),
        ("zorgen", "zorgen"),
        ("help", "help"),
        ("weer", "weer"),
        ("werk", "werk"),
        ("drink", "drink"),
        ("paspoort", "paspoort"),
        ("mooi", "mooi"),
        ("middel", "middel"),
    ],
)
def test_spelling(written: str, meant: str) -> None:
    assert repaired(written) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 december half drie", "dinsdag 1 december om 14.30 uur"),
        ("dinsdagmiddag", "dinsdagmiddag 24 november"),
        ("morgen", "dinsdag 24 november"),
        ("volgende week", "de week van maandag 30 november"),
        ("voor vrijdag", "voor vrijdag 27 november"),
        ("vanaf vrijdag", "vanaf vrijdag 27 november"),
        ("in januari", "januari 2027"),
        ("tussen 2 en 4", "tussen 14.00 en 16.00 uur"),
        ("morgen tussen 2 en 4", "dinsdag 24 november tussen 14.00 en 16.00 uur"),
        ("morgen na drie uur", "dinsdag 24 november vanaf 15.00 uur"),
        ("morgen voor 11 uur", "dinsdag 24 november voor 11.00 uur"),
        ("'s middags", "in de middag"),
        ("half drie", "om 14.30 uur"),
        ("begin december", "van dinsdag 1 december tot en met donderdag 10 december"),
        ("29 februari", "dinsdag 29 februari 2028"),
        ("gisteren", "zondag 22 november 2026"),
        ("in 2027", "2027"),
    ],
)
def test_saying_it_back(text: str, said: str) -> None:
    (span,) = understand(text, MONDAY).spans
    assert words(span, MONDAY) == said


def test_saying_what_is_not_wanted() -> None:
    (span,) = understand("geen vrijdagmiddag", MONDAY).unwanted
    assert words(span) == "elke vrijdagmiddag"


@given(now=moments, minutes=st.integers(0, 2 * 365 * 24 * 60))
@settings(max_examples=150, deadline=None)
@example(now=aware(datetime(2026, 10, 24, 10)), minutes=16 * 60 + 45)
@example(now=aware(datetime(2028, 2, 28, 10)), minutes=24 * 60)
def test_a_moment_said_back_and_read_is_the_same(now: datetime, minutes: int) -> None:
    start = aware((wall(now) + timedelta(minutes=minutes)).replace(second=0, microsecond=0))
    moment = Span(start, aware(wall(start) + timedelta(minutes=1)), Grain.MINUTE)
    found = understand(words(moment, now), now)
    assert start in [span.start for span in (*found.spans, *(r[0] for r in found.alternatives))]
    assert not found.alternatives or start.replace(fold=1).utcoffset() != start.replace(fold=0).utcoffset()


@given(now=moments, ahead=st.integers(0, 700))
@settings(max_examples=150, deadline=None)
@example(now=aware(datetime(2023, 5, 5)), ahead=300)
def test_a_day_said_back_and_read_is_the_same(now: datetime, ahead: int) -> None:
    day = datetime.combine(wall(now).date() + timedelta(days=ahead), time())
    span = Span(aware(day), aware(day + timedelta(days=1)), Grain.DAY)
    assert understand(words(span, now), now).spans == (span,)


@given(now=moments, text=texts, than=st.none() | moments)
@settings(max_examples=150, deadline=None)
@example(now=MONDAY, text="1-" * 500, than=None)
@example(now=MONDAY, text="31-12-9999 00-00-0000 0000-00-00 9999-12-31 24:60", than=None)
@example(now=MONDAY, text="niet geen niet van tot en met 31 2 2027", than=None)
def test_no_text_raises_and_every_span_is_one(now: datetime, text: str, than: datetime | None) -> None:
    found = understand(text, now, than=than, hours=(time(9), time(17)))
    assert not (found.spans and found.alternatives)
    assert len(found.alternatives) != 1
    for span in (*found.spans, *found.unwanted, *(s for reading in found.alternatives for s in reading)):
        assert span.start.tzinfo and (span.end is None or span.start <= span.end)
        assert words(span, now)


@given(now=moments, number=st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_a_weekday_is_the_next_one_and_asked_about_where_it_is_today(now: datetime, number: int) -> None:
    found = understand(WEEKDAYS[number], now)
    today = wall(now).date()
    days = [wall(reading[0].start).date() for reading in found.alternatives or (found.spans,)]
    assert all(day.weekday() == number for day in days)
    ahead = [(day - today).days for day in days]
    assert ahead == ([0, 7] if today.weekday() == number else [(number - today.weekday()) % 7])


@given(now=moments, day=st.integers(1, 28), month=st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_ways_to_write_a_date_are_one_date(now: datetime, day: int, month: int) -> None:
    name = MONTHS[month - 1]
    written = (f"{day} {name}", f"{day}-{month}", f"op {day}e {name}", f"kan het {day:02d}-{month:02d}?")
    found = {understand(text, now).spans for text in written}
    assert len(found) == 1
    ((span,),) = found
    assert 0 <= (wall(span.start).date() - wall(now).date()).days < 366


def test_a_rule_that_cannot_take_what_its_pattern_gives_fails_at_once() -> None:
    with pytest.raises(TypeError):
        Grammar().rule("W", "N UNIT")(lambda only: only)


def test_every_example_of_a_rule_is_understood() -> None:
    """The first example of each docstring; lengths and counts say nothing of themselves."""
    rules = {
        rule.make for table in (GRAMMAR.longer, GRAMMAR.single) for each in table.values() for rule in each
    }
    without = {"LENGTH", "VOID", "WHICH", "PERIOD"}
    makes = {
        rule.make: rule.makes
        for table in (GRAMMAR.longer, GRAMMAR.single)
        for e in table.values()
        for rule in e
    }
    for make in sorted(rules, key=lambda make: make.__name__):
        told = (make.__doc__ or "").split("`")
        if len(told) > 2 and makes[make] not in without:
            found = understand(told[1], MONDAY, than=MONDAY + timedelta(days=14))
            assert found, f"{make.__name__}: {told[1]}"


# -- the command ---------------------------------------------------------------------------------------------


def when(*arguments: str) -> tuple[int, Any]:
    result = CliRunner().invoke(klaartje, ["when", *arguments])
    return result.exit_code, json.loads(result.stdout) if result.exit_code < 2 else result.output


def test_the_command_prints_what_was_understood() -> None:
    assert when("volgende week dinsdagmiddag", "--now", "2026-11-22T10:00") == (
        0,
        {"from": "2026-11-24T12:00:00+01:00", "to": "2026-11-24T18:00:00+01:00", "grain": "hour"},
    )
    assert when("hallo") == (1, {"from": None, "to": None, "grain": None})
    assert when("vanaf morgen", "--now", "2026-07-01T10:00+00:00") == (
        0,
        {"from": "2026-07-02T00:00:00+02:00", "to": None, "grain": "day"},
    )


def test_the_command_tells_ways_sets_and_what_is_not_wanted() -> None:
    _, ways = when("volgende donderdag", "--now", "2026-11-23T10:00")
    assert [way["from"][:10] for way in ways["alternatives"]] == ["2026-11-26", "2026-12-03"]
    _, either = when("morgen of overmorgen", "--now", "2026-11-23T10:00")
    assert [one["from"][:10] for one in either["any"]] == ["2026-11-24", "2026-11-25"]
    _, found = when("niet op vrijdag", "--now", "2026-11-23T10:00")
    assert found["from"] == "2026-11-23T10:00:00+01:00" and found["not"][0]["every"] == "week"


def test_the_command_knows_hours_and_what_was_proposed() -> None:
    _, found = when("half vijf", "--now", "2026-11-23T10:00", "--hours", "9-17")
    assert found["from"] == "2026-11-23T16:30:00+01:00"
    _, found = when("een uur later", "--now", "2026-11-23T10:00", "--than", "2026-12-01T14:00")
    assert found["from"] == "2026-12-01T15:00:00+01:00"


@pytest.mark.parametrize("wrong", [("--now", "morgen"), ("--than", "2026-13-01"), ("--hours", "9"), ()])
def test_the_command_refuses_what_it_cannot_read(wrong: tuple[str, ...]) -> None:
    code, told = when("morgen", *wrong) if wrong else when()
    assert code == 2 and "Error" in told
