"""What `klaartje when` tells: a phrase, read as a moment of an appointment is read in the chat."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time

from actions.dates import Reading, Span, understand


def when(
    text: str, now: datetime, *, than: datetime | None = None, hours: tuple[time, time] | None = None
) -> Mapping[str, object]:
    """What was understood, for JSON: `from`, `to` and `grain`, or `any` of some, or `alternatives` to ask about.

    Where nothing was understood all three are None. What the resident said no to stands in `not`.
    """
    found = understand(text, now, than=than, hours=hours)
    no = {"not": [_span(span) | _every(span) for span in found.unwanted]} if found.unwanted else {}
    if found.alternatives:
        return {"alternatives": [_reading(reading) for reading in found.alternatives]} | no
    return _reading(found.spans) | no


def _reading(reading: Reading) -> dict[str, object]:
    if not reading:
        return {"from": None, "to": None, "grain": None}
    return _span(reading[0]) if len(reading) == 1 else {"any": [_span(span) for span in reading]}


def _span(span: Span) -> dict[str, object]:
    end = span.end.isoformat() if span.end else None
    return {"from": span.start.isoformat(), "to": end, "grain": str(span.grain)}


def _every(span: Span) -> dict[str, object]:
    return {"every": span.every} if span.every else {}
