"""Times of calendars that tell none of their zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from bot.clock import AMSTERDAM


def moments(told: Iterable[datetime], zone: ZoneInfo) -> list[datetime]:
    """Naive times on the wall of a place as moments in Amsterdam, in order, each once. What the clock jumps over in
    spring is none; what it shows twice in autumn is the first of both."""
    found = ((local.replace(tzinfo=zone).astimezone(UTC), local) for local in told)
    real = {at for at, local in found if at.astimezone(zone).replace(tzinfo=None) == local}
    return [at.astimezone(AMSTERDAM) for at in sorted(real)]


def same(one: datetime, other: datetime) -> bool:
    """Whether they are the same moment, also in the hour that comes twice."""
    return one.astimezone(UTC) == other.astimezone(UTC)


def on_day(found: Iterable[datetime], day: date, now: datetime) -> list[datetime]:
    """Of moments in Amsterdam those of one day there that have not passed."""
    return [at for at in found if at.date() == day and at.astimezone(UTC) > now]
