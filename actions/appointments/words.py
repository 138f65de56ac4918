"""Moments as residents read them."""

from __future__ import annotations

import re
from datetime import date, datetime

from bot.clock import AMSTERDAM

DAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip

LABEL = 20
"""Characters that a button can show everywhere."""


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


def short(told: str) -> str:
    """A span in words (`dinsdag 1 december om 14.30 uur`) on a button of at most 20 characters."""
    told = _DAY.sub(lambda day: f"{day[1][:2]} ", told)
    told = _MONTH.sub(lambda month: "mrt" if month[0] == "maart" else month[0][:3], told)
    told = re.sub(r"\bvanaf (\S+) uur", r"na \1", told)
    plain = re.sub(r"\b(om|de|in|van) ", "", " ".join(told.split()))
    return plain if len(plain) <= LABEL else plain[: LABEL - 1].rsplit(" ", 1)[0] + "…"


_DAY = re.compile(rf"\b({'|'.join(DAYS)})(?=(ochtend|middag|avond|nacht)?\b)")
_MONTH = re.compile(rf"\b({'|'.join(MONTHS)})\b")
