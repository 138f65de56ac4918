"""What is counted, and what can be told from it: sums, shares, and honest medians from counts of minutes."""

from __future__ import annotations

import math
from collections import Counter
from enum import StrEnum
from typing import NamedTuple


class Name(StrEnum):
    """What is counted. `docs/sturing.md` and the page tell the same in Dutch."""

    COUNTED = "counted"
    """That the day was counted at all: once a day, of no channel and no theme."""
    CONVERSATIONS = "conversations"
    """A resident who wrote on this day. Each is one of the next three."""
    ALONE = "alone"
    """Got an answer, and had nothing to do with a person."""
    PERSON = "person"
    """Waited for a person, had one, or asked for a call."""
    NEITHER = "neither"
    """Got no answer and no person: greeted, was not understood, or left."""
    MISSED = "missed"
    """A message on which there was no answer."""
    STATUS = "status"
    """Asked how a request stands."""
    APPOINTMENT = "appointment"
    """Was about an appointment: the way to a visit."""
    REPORT = "report"
    """Reported something."""
    LINK = "link"
    """Got a link to do it online."""
    CALL = "call"
    """Asked for a call, or heard from an employee that there will be one."""
    CALLBACKS = "callbacks"
    """Asked for a call in the chat."""
    CALLED_BACK = "called back"
    """Was called back."""
    WAITED = "waited"
    """Minutes until the first person took it, on the day of the taking."""
    HELPED = "helped"
    """Minutes with persons, on the day of the end."""
    LEFT = "left"
    """Left the queue before anybody took it."""
    MARK = "mark"
    """What a resident thought of it, 1 to 10, on the day of the end."""


HANDED = "handed:"
"""Before the reason: so often somebody was handed over for it."""

GOAL = 8
"""The mark that we want on average."""


class Key(NamedTuple):
    """Where a number belongs. `theme` is that of the articles, or empty."""

    channel: str
    theme: str
    name: str
    value: int = 0


def minutes(seconds: float) -> int:
    """Rounded up to a bound that keeps the table small: each minute up to half an hour, then per 5 up to two hours,
    per 30 up to eight, and per 60."""
    whole = max(1, math.ceil(seconds / 60))
    step = 1 if whole <= 30 else 5 if whole <= 120 else 30 if whole <= 480 else 60
    return math.ceil(whole / step) * step


class Tally:
    """The counts of some days together."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int]] = Counter()

    def add(self, name: str, value: int, number: int) -> None:
        """Count it in."""
        self._counts[name, value] += number

    def merge(self, other: Tally) -> None:
        """Count all of another in."""
        self._counts += other._counts

    def __getitem__(self, name: str) -> int:
        """How often."""
        return sum(number for (known, _), number in self._counts.items() if known == name)

    def values(self, name: str) -> dict[int, int]:
        """How often each value, from low to high."""
        return {value: n for (known, value), n in sorted(self._counts.items()) if known == name and n}

    def share(self, name: str, of: str = Name.CONVERSATIONS) -> float | None:
        """Which part, from 0 to 1; None of nothing."""
        whole = self[of]
        return self[name] / whole if whole else None

    def at_most(self, name: str, part: float) -> int | None:
        """The bound that this part (0.5: the median) stayed within, by nearest rank; None where there is none. The
        bounds were rounded up, so it is never too rosy."""
        values = self.values(name)
        left = math.ceil(part * sum(values.values()))
        for value, number in values.items():
            left -= number
            if left <= 0:
                return value
        return None

    @property
    def average_mark(self) -> float | None:
        """None where nobody gave one."""
        marks = self.values(Name.MARK)
        number = sum(marks.values())
        return sum(mark * n for mark, n in marks.items()) / number if number else None

    @property
    def reasons(self) -> dict[str, int]:
        """Why residents were handed over, the most frequent first."""
        found = {
            name.removeprefix(HANDED): n for (name, _), n in self._counts.items() if name.startswith(HANDED)
        }
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    @property
    def handed(self) -> int:
        """How often residents were handed over."""
        return sum(self.reasons.values())
