"""Moments as residents read them."""

from __future__ import annotations

from datetime import date, datetime

from bot.clock import AMSTERDAM

DAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip


def day_words(day: date) -> str:
    """`dinsdag 24 november`."""
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"


def birth_words(day: str) -> str:
    """A date of birth: `3 april 1990`."""
    born = date.fromisoformat(day)
    return f"{born.day} {MONTHS[born.month - 1]} {born.year}"


def moment_words(moment: datetime) -> str:
    """`dinsdag 24 november om 9.00 uur`."""
    local = moment.astimezone(AMSTERDAM)
    return f"{day_words(local.date())} om {local.hour}.{local.minute:02d} uur"


def label(moment: datetime) -> str:
    """The same on a button, in at most 20 characters: `di 24 nov 9.00 uur`."""
    local = moment.astimezone(AMSTERDAM)
    day, month = DAYS[local.weekday()][:2], "mrt" if local.month == 3 else MONTHS[local.month - 1][:3]
    return f"{day} {local.day} {month} {local.hour}.{local.minute:02d} uur"
