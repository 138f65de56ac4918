"""What is known of an appointment that is being made, moved or cancelled: the memory of the form, in one slot."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Self

from actions.appointments.moments import Span, Wanted, Way, together, within

BOOK, MOVE, CANCEL, SHOW = "book", "move", "cancel", "show"


@dataclass(slots=True)
class Draft:
    """The form so far. `mode` is what the resident wants; moments are ISO 8601 with offset.

    `wish` are spans that the resident named, `allowed` what is left after all that they did not want, `unclear` the
    ways in which what they named can be read, `shown` the times that were offered last, `start` the one that is chosen.
    `old` is the key of the appointment that is moved, cancelled or shown; `reference` the one that was told of it, and
    `tries` how often that led nowhere. `key` names the booking: the message on which it was summed up. `note` is a
    phrase to say before the next question; `changing` that the resident is asked what is wrong; `ready` that they said
    yes. `way` is `earlier` or `later` where other times than `shown` were asked for.
    """

    mode: str = BOOK
    article: str | None = None
    product: str | None = None
    title: str = ""
    child: bool = False
    people: int = 1
    location: str | None = None
    place: str = ""
    wish: list[list[str]] = field(default_factory=list)
    exact: bool = False
    allowed: list[list[str]] = field(default_factory=list)
    unclear: list[dict[str, Any]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    way: str = ""
    start: str | None = None
    details: dict[str, str] = field(default_factory=dict)
    old: str | None = None
    reference: str | None = None
    tries: int = 0
    key: str | None = None
    note: str | None = None
    changing: bool = False
    ready: bool = False

    @classmethod
    def load(cls, slot: object) -> Self:
        """The draft in a slot; a new one where there is none, or one of another version."""
        try:
            found = json.loads(slot) if isinstance(slot, str) else {}
            known = {one.name for one in fields(cls)}
            return cls(**{name: value for name, value in found.items() if name in known})
        except (ValueError, TypeError, AttributeError):
            return cls()

    def dump(self) -> str:
        """For the slot: only what is not as at the start."""
        plain = asdict(type(self)())
        return json.dumps({name: value for name, value in asdict(self).items() if value != plain[name]})

    @property
    def moment(self) -> datetime | None:
        """The chosen start."""
        return datetime.fromisoformat(self.start) if self.start else None

    @property
    def wanted(self) -> Wanted | None:
        """What the resident named."""
        spans = _spans(self.wish)
        return Wanted(spans, self.exact) if spans else None

    def want(self, wanted: Wanted | None) -> None:
        """Take what the resident named now in place of before; nothing where None. A time of day alone is one of the
        days that were named before, and what was not wanted stays so until it is asked for itself."""
        before, allowed = self.wanted.spans if self.wanted else (), _spans(self.allowed)
        if wanted and wanted.less:
            self.allowed = _pairs(within(allowed, wanted))
        if wanted:
            wanted = within(allowed, together(before, wanted))
        self.start, self.way = None, ""
        self.unclear = [_plain(way, before, allowed) for way in wanted.ways] if wanted else []
        if not self.unclear:
            self.wish = _pairs(wanted) if wanted else []
            self.exact = bool(wanted and wanted.exact)

    def mean(self, way: int) -> None:
        """Of what was unclear this is meant."""
        chosen = self.unclear[way]
        self.wish, self.exact, self.unclear = chosen["wish"], chosen["exact"], []

    def ways(self, wanted: Wanted) -> list[int]:
        """Which of what was unclear fits with what is said now."""
        return [
            number
            for number, way in enumerate(self.unclear)
            if any(
                datetime.fromisoformat(a) < d and c < datetime.fromisoformat(b)
                for a, b in way["wish"]
                for c, d in wanted.spans
            )
        ]


def _pairs(wanted: Wanted) -> list[list[str]]:
    return [[a.isoformat(), b.isoformat()] for a, b in wanted.spans]


def _spans(pairs: list[list[str]]) -> tuple[Span, ...]:
    return tuple((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in pairs)


def _plain(way: Way, before: tuple[Span, ...], allowed: tuple[Span, ...]) -> dict[str, Any]:
    wanted = within(allowed, together(before, way.wanted))
    return {"told": way.told, "label": way.label, "wish": _pairs(wanted), "exact": wanted.exact}
