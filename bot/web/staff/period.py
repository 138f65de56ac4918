"""Which days somebody wants figures of, and in which parts: days, weeks or months."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from urllib.parse import urlencode

from bot.municipality import DAYS, MONTHS

Grain = Literal["dag", "week", "maand"]
GRAINS: Mapping[Grain, str] = {"dag": "Dag", "week": "Week", "maand": "Maand"}

LONGEST: Mapping[Grain, int] = {"dag": 92, "week": 400, "maand": 800}
"""So many days at most, so that a table can be read."""

_BAD_DAY = "Deze dag bestaat niet. Schrijf een dag als 2026-11-25."


@dataclass(frozen=True, slots=True)
class Part:
    """Some days that belong together: a day, or as much of a week or month as was asked for."""

    first: date
    last: date
    label: str


@dataclass(frozen=True, slots=True)
class Period:
    """From `first` up to and with `last`, in parts."""

    first: date
    last: date
    grain: Grain

    @property
    def query(self) -> dict[str, str]:
        """As it stands in an address."""
        return {"van": self.first.isoformat(), "tot": self.last.isoformat(), "per": self.grain}

    @property
    def words(self) -> str:
        """`1 november 2026 tot en met 23 november 2026`, or one day."""
        if self.first == self.last:
            return _long(self.first)
        return f"{_long(self.first)} tot en met {_long(self.last)}"

    def parts(self) -> list[Part]:
        """In order, without a gap."""
        found, first = [], self.first
        while first <= self.last:
            last = min(_end(first, self.grain), self.last)
            found.append(Part(first, last, _label(first, last, self.grain)))
            first = last + timedelta(days=1)
        return found


def usual(today: date) -> Period:
    """Without a wish: four weeks."""
    return Period(today - timedelta(days=27), today, "week")


def presets(today: date) -> list[tuple[str, str]]:
    """Periods that are asked for often: what they are called, and their address after the `?`."""
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    named = {
        "Vandaag": Period(today, today, "dag"),
        "Laatste 7 dagen": Period(today - timedelta(days=6), today, "dag"),
        "Deze maand": Period(month, today, "dag"),
        "Vorige maand": Period(before, month - timedelta(days=1), "week"),
        "Dit jaar": Period(today.replace(month=1, day=1), today, "maand"),
    }
    return [(name, urlencode(period.query)) for name, period in named.items()]


def wanted(query: Mapping[str, str], today: date) -> tuple[Period, dict[str, str]]:
    """The period of a form, and what is wrong by field; then it is the usual one."""
    basis, errors = usual(today), {}
    days = {"van": basis.first, "tot": basis.last}
    for name in days:
        try:
            days[name] = date.fromisoformat(query[name]) if query.get(name) else days[name]
        except ValueError:
            errors[name] = _BAD_DAY
            continue
        if not 2000 <= days[name].year <= 2999:
            errors[name] = _BAD_DAY
    grain = next((known for known in GRAINS if known == query.get("per", basis.grain)), None)
    if grain is None:
        errors["per"] = "Kies dag, week of maand."
    elif not errors and days["van"] > days["tot"]:
        errors["van"] = "De eerste dag ligt na de laatste. Kies een eerdere dag."
    elif not errors and (days["tot"] - days["van"]).days >= LONGEST[grain]:
        errors["per"] = f"Dit zijn meer dan {LONGEST[grain]} dagen. Kies een kortere tijd of grotere stukken."
    if errors or grain is None:
        return basis, errors
    return Period(days["van"], days["tot"], grain), {}


def _end(day: date, grain: Grain) -> date:
    if grain == "dag":
        return day
    if grain == "week":
        return day + timedelta(days=6 - day.weekday())
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _label(first: date, last: date, grain: Grain) -> str:
    if grain == "dag":
        return f"{DAYS[first.weekday()]} {first.day} {MONTHS[first.month - 1][:3]}"
    if grain == "week":
        return f"week {first.isocalendar().week} ({_short(first)} – {_short(last)})"
    return f"{MONTHS[first.month - 1]} {first.year}"


def _short(day: date) -> str:
    return f"{day.day}-{day.month}"


def _long(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
