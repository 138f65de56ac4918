"""Special days by name and year."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

import holidays

_FIXED = {
    "dodenherdenking": (5, 4),
    "sinterklaas": (12, 5),
    "kerstavond": (12, 24),
    "oudjaar": (12, 31),
    "valentijnsdag": (2, 14),
    "halloween": (10, 31),
    "allerheiligen": (11, 1),
    "Bevrijdingsdag": (5, 5),  # a day off once in five years, a day with a name in all
}
_SEASONS = {"lente": ((3, 21), (6, 20)), "zomer": ((6, 21), (9, 23)), "herfst": ((9, 24), (12, 20))}
_SUNDAYS = {"moederdag": (5, 2), "vaderdag": (6, 3)}
_LONGER = {"kerst": "Eerste Kerstdag", "pasen": "Eerste paasdag", "pinksteren": "Eerste Pinksterdag"}
_CHRISTMAS_HOLIDAYS = {
    # Set by the ministry for all regions (rijksoverheid.nl, "Overzicht schoolvakanties"): Saturday until Sunday.
    2025: (date(2025, 12, 20), date(2026, 1, 4)),
    2026: (date(2026, 12, 19), date(2027, 1, 3)),
}
"""By the year in which they begin. Later years are not known here and so not understood."""


def special_day(name: str, year: int) -> tuple[date, date] | None:
    """The first and the last day that are called so in a year; None where that year has none that we know."""
    if name == "kerstvakantie":
        return _CHRISTMAS_HOLIDAYS.get(year)
    if name in _FIXED:
        day = date(year, *_FIXED[name])
        return day, day
    if name in _SEASONS:
        (month, first), (last_month, last) = _SEASONS[name]
        return date(year, month, first), date(year, last_month, last)
    if name == "winter":
        return date(year, 12, 21), date(year + 1, 3, 20)
    if name in _SUNDAYS:
        month, nth = _SUNDAYS[name]
        day = _nth_weekday(year, month, nth, 6)
        return day, day
    if name == "prinsjesdag":  # the third Tuesday of September (Grondwet, art. 65)
        day = _nth_weekday(year, 9, 3, 1)
        return day, day
    first_day = _named(year).get(_LONGER.get(name, name).lower())
    if first_day is None:
        return None
    return first_day, first_day + timedelta(days=1 if name in _LONGER else 0)


def _nth_weekday(year: int, month: int, nth: int, weekday: int) -> date:
    start = date(year, month, 1)
    return start + timedelta(days=(weekday - start.weekday()) % 7 + 7 * (nth - 1))


@lru_cache(maxsize=32)
def _named(year: int) -> Mapping[str, date]:
    found = holidays.country_holidays("NL", years=year, language="nl", categories=("public", "optional"))
    return {name.lower(): day for day in sorted(found) for name in found.get_list(day)}
