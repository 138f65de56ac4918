"""A municipality's facts and hours: holidays, closures, summer time, and how they are said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.clock import AMSTERDAM
from bot.municipality import Municipality, MunicipalityError, moment_words
from tests.house import MUNICIPALITY

DESK = "medewerkers"


def at(text: str) -> datetime:
    """A moment in Amsterdam."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


def made(**changes: Any) -> Municipality:
    week = {"ma": ["09:00-12:30", "13:30-17:00"], "do": ["09:00-20:00"]}
    whole = {"name": "Testdam", "facts": {"telefoon": "14 0"}, "hours": {"balie": week, DESK: week}} | changes
    return Municipality.model_validate(whole)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T08:59:59", False),
        ("2026-11-23T09:00:00", True),
        ("2026-11-23T12:30:00", False),
        ("2026-11-23T13:00:00", False),
        ("2026-11-23T13:30:00", True),
        ("2026-11-23T17:00:00", False),
        ("2026-11-24T10:00:00", False),
        ("2026-11-26T19:59:00", True),
        ("2026-12-24T10:00:00", False),  # closed
        ("2026-12-28T10:00:00", True),
        ("2027-03-29T10:00:00", False),  # second day of Easter
        ("2027-04-26T10:00:00", True),
        ("2027-05-06T10:00:00", False),  # Ascension
        ("2027-05-17T10:00:00", False),  # second day of Pentecost
    ],
)
def test_open(moment: str, is_open: bool) -> None:
    closed = [{"from": "2026-12-24", "to": "2026-12-24", "why": "Kerstavond"}]
    place = made(closed=closed)
    assert place.is_open(DESK, at(moment)) is is_open
    assert (place.closing(DESK, at(moment)) is not None) is is_open


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-11-23T08:00:00", "2026-11-23T09:00:00"),
        ("2026-11-23T12:45:00", "2026-11-23T13:30:00"),
        ("2026-11-23T17:00:00", "2026-11-26T09:00:00"),
        ("2026-12-21T18:00:00", "2026-12-28T09:00:00"),  # over a closed Thursday and Christmas
        ("2026-12-31T23:59:00", "2027-01-04T09:00:00"),
    ],
)
def test_next_opening(now: str, opening: str) -> None:
    place = made(
        closed=[
            {"from": "2026-12-24", "to": "2026-12-24", "why": "x"},
            {"from": "2026-12-31", "to": "2026-12-31", "why": "x"},
        ]
    )
    assert place.next_opening(DESK, at(now)) == at(opening)


def test_never_open() -> None:
    assert made(hours={"balie": {}, DESK: {}}).next_opening(DESK, at("2026-11-23T08:00:00")) is None


def test_the_clock_of_the_server_does_not_matter() -> None:
    place = made()
    assert place.is_open(DESK, datetime(2026, 11, 23, 8, 0, tzinfo=UTC))  # winter: one hour
    assert not place.is_open(DESK, datetime(2026, 11, 23, 7, 59, tzinfo=UTC))
    assert place.is_open(DESK, datetime(2026, 6, 22, 7, 0, tzinfo=UTC))  # summer: two
    assert not place.is_open(DESK, datetime(2026, 6, 22, 6, 59, tzinfo=UTC))


@pytest.mark.parametrize(
    ("moment", "now", "words"),
    [
        ("2026-11-23T13:00:00", "2026-11-23T10:00:00", "vandaag om 13.00 uur"),
        ("2026-11-24T08:30:00", "2026-11-23T23:59:00", "morgen om 8.30 uur"),
        ("2026-11-24T00:05:00", "2026-11-23T23:59:00", "morgen om 0.05 uur"),
        ("2026-11-27T09:00:00", "2026-11-23T10:00:00", "vrijdag om 9.00 uur"),
        ("2026-11-30T09:00:00", "2026-11-23T10:00:00", "maandag 30 november om 9.00 uur"),
        ("2027-01-04T09:00:00", "2026-12-24T10:00:00", "maandag 4 januari om 9.00 uur"),
    ],
)
def test_when_in_words(moment: str, now: str, words: str) -> None:
    assert moment_words(at(moment), at(now)) == words
    assert moment_words(at(moment).astimezone(UTC), at(now).astimezone(UTC)) == words


@pytest.mark.parametrize(
    ("week", "words"),
    [
        ({}, "gesloten"),
        ({"ma": ["09:00-17:00"]}, "maandag van 9.00 tot 17.00 uur"),
        ({"ma": ["09:00-17:00"], "di": ["09:00-17:00"]}, "maandag en dinsdag van 9.00 tot 17.00 uur"),
        (
            {day: ["09:00-17:00"] for day in ("ma", "di", "wo", "vr")},
            "maandag tot en met woensdag van 9.00 tot 17.00 uur en vrijdag van 9.00 tot 17.00 uur",
        ),
        (
            {"ma": ["09:00-12:00", "13:00-17:00"], "do": ["18:00-20:00"], "za": ["10:00-12:00"]},
            "maandag van 9.00 tot 12.00 uur en van 13.00 tot 17.00 uur, donderdag van 18.00 tot 20.00 uur"
            " en zaterdag van 10.00 tot 12.00 uur",
        ),
    ],
)
def test_the_week_in_words(week: dict[str, list[str]], words: str) -> None:
    assert made(hours={"balie": week, DESK: {}}).variables["openingstijden_balie"] == words


@pytest.mark.parametrize(
    ("week", "words"),
    [
        ({}, "closed"),
        ({"ma": ["09:00-17:00"]}, "Monday from 9.00 to 17.00"),
        (
            {day: ["09:00-17:00"] for day in ("ma", "di", "wo", "vr")},
            "Monday to Wednesday from 9.00 to 17.00 and Friday from 9.00 to 17.00",
        ),
        (
            {"ma": ["09:00-12:00", "13:00-17:00"], "do": ["18:00-20:00"], "za": ["10:00-12:00"]},
            "Monday from 9.00 to 12.00 and from 13.00 to 17.00, Thursday from 18.00 to 20.00"
            " and Saturday from 10.00 to 12.00",
        ),
    ],
)
def test_the_week_in_english_words(week: dict[str, list[str]], words: str) -> None:
    assert made(hours={"balie": week, DESK: {}}).variables["openingstijden_balie_en"] == words


def test_the_shipped_one_has_its_variables() -> None:
    variables = MUNICIPALITY.variables
    assert variables["gemeente"] == "Zonneveen"
    assert "donderdag van 9.00 tot 20.00 uur" in variables["openingstijden_balie"]
    assert not MUNICIPALITY.is_open(DESK, at("2026-12-24T10:00:00"))
    assert all(isinstance(value, str) and value for value in variables.values())


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": None}, "name"),
        ({"facts": {"Telefoon": "x"}}, "Telefoon"),
        ({"facts": {"telefoon": 14}}, "facts.telefoon"),
        ({"facts": None}, "facts"),
        ({"hours": {"balie": {}}}, "hours.medewerkers"),
        ({"hours": {"balie": {"maandag": []}, DESK: {}}}, "maandag"),
        ({"hours": {"balie": {"ma": ["9-17"]}, DESK: {}}}, "09:00-17:00"),
        ({"hours": {"balie": {"ma": ["25:00-26:00"]}, DESK: {}}}, "hours.balie.ma"),
        ({"hours": {"balie": {"ma": ["17:00-09:00"]}, DESK: {}}}, "end after it starts"),
        ({"closed": [{"from": "gisteren", "to": "2026-12-24", "why": "x"}]}, "closed.0.from"),
        ({"closed": [{"from": "2026-12-25", "to": "2026-12-24", "why": "x"}]}, "closed.0"),
        ({"calendar_products": {"Paspoort aanvragen": "x"}}, "Paspoort aanvragen"),
        ({"calendar_products": {"paspoort": " "}}, "paspoort has no id"),
        ({"calendar_products": {"paspoort": 12}}, "calendar_products.paspoort"),
        ({"onbekend": 1}, "onbekend"),
        ({"most_conversations": 0}, "most_conversations"),
        ({"offer_seconds": 601}, "offer_seconds"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, change: dict[str, Any], place: str) -> None:
    whole = {"name": "X", "facts": {"telefoon": "14 0"}, "hours": {"balie": {}, DESK: {}}} | change
    path = tmp_path / "gemeente.yml"
    path.write_text(yaml.safe_dump(whole))
    with pytest.raises(MunicipalityError) as caught:
        Municipality.load(path)
    assert str(path) in str(caught.value)
    assert place in str(caught.value)


def test_what_a_calendar_calls_our_products(tmp_path: Path) -> None:
    whole = {"name": "X", "facts": {"telefoon": "14 0"}, "hours": {"balie": {}, DESK: {}}}
    path = tmp_path / "gemeente.yml"
    path.write_text(yaml.safe_dump(whole | {"calendar_products": {"paspoort": "2e65-13"}}))
    found = Municipality.load(path)
    assert (found.product_for("paspoort"), found.product_for("rijbewijs")) == ("2e65-13", "rijbewijs")


@pytest.mark.parametrize("text", ["", "- a", "{", "a: b: c", "\x00", "text"])
def test_a_file_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gemeente.yml"
    path.write_text(text)
    with pytest.raises(MunicipalityError, match=r"gemeente\.yml"):
        Municipality.load(path)


def test_a_file_of_other_bytes(tmp_path: Path) -> None:
    path = tmp_path / "gemeente.yml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MunicipalityError):
        Municipality.load(path)
    with pytest.raises(MunicipalityError):
        Municipality.load(tmp_path / "nergens.yml")


def test_closures_are_whole_days() -> None:
    place = made(closed=[{"from": date(2026, 11, 23), "to": date(2026, 11, 26), "why": "verhuizing"}])
    assert place.next_opening(DESK, at("2026-11-22T10:00:00")) == at("2026-11-30T09:00:00")
