"""Reports in Signalen, through the way that is open to residents: no account, and nothing of others to be seen.

That way takes only the keys that it knows, needs a point on the map, and can't be asked whether it has a report
already. So each text ends with our reference: should one come twice, its people see it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from actions.reports.signalen_api import Api, Missing, Row, unreadable
from bot.model import Report, ReportReceipt, ReportStatus
from bot.ports import Finding, Health, ReportFault

_LOCAL = ("localhost", "127.0.0.1", "::1")
_KEEP_GOOD, _KEEP_BAD = 60.0, 15.0
"""Seconds that a state of health is kept."""

_TEXT = 3_000
"""Characters that its field takes."""

_IMAGES = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif"}
_LARGEST = 20 * 2**20
_CLOSED = "CLOSED"


class Signalen:
    """The Signalen behind `url`. `point` is the middle of the municipality (latitude, longitude): where a report is
    put of which the place is known in words only."""

    name = "signalen"

    def __init__(
        self, url: str, point: tuple[float, float], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = Api(url)
        self._host = urlsplit(url).hostname or ""
        self._point = point
        self._clock = clock
        self._asking = asyncio.Lock()
        self._health: tuple[float, Health] | None = None

    async def categories(self) -> list[str]:
        """`main/sub`, of those that can be used."""
        answer = await self._api.get("terms/categories")
        try:
            return [
                f"{main['slug']}/{sub['slug']}"
                for main in answer["results"]
                for sub in main["sub_categories"]
                if sub.get("is_active", True)
            ]
        except (KeyError, TypeError, AttributeError):
            raise unreadable() from None

    async def send(self, report: Report, key: str) -> ReportReceipt:
        """Make the report."""
        answer = await self._api.post("signals", self._body(report))
        try:
            return ReportReceipt(str(UUID(answer["signal_id"])), _display(answer))
        except (KeyError, TypeError, ValueError):
            raise ReportFault("unreadable answer to a report", retryable=True, unknown=True) from None

    async def attach(self, report: str, photo: bytes, mime: str, key: str) -> None:
        """Send the photo. It takes JPEG, PNG and GIF, of at most 20 MB."""
        if mime not in _IMAGES or len(photo) > _LARGEST:
            raise ReportFault(f"a photo of kind {mime} and {len(photo)} bytes is not taken", retryable=False)
        await self._api.upload(f"signals/{UUID(report)}/attachments", photo, f"{key}.{_IMAGES[mime]}", mime)

    async def look(self, report: str) -> ReportStatus | None:
        """What residents may know of it: open or closed."""
        try:
            row = await self._api.get(f"signals/{UUID(report)}")
        except ValueError:
            return None
        except Missing:
            # Is it the report that is gone, or all of it? An address that is wrong must not end what people follow.
            await self._api.get("terms/categories")
            return None
        try:
            closed = str(row["status"]["state"]) == _CLOSED
            started, changed = _moment(row["created_at"]), _moment(row["updated_at"])
            words = str(row["status"]["state"]).lower()
            return ReportStatus(_display(row), words, changed if closed else started, closed, started)
        except (KeyError, TypeError, ValueError):
            raise unreadable() from None

    async def health(self) -> Health:
        """Whether it answers. Kept for a while."""
        async with self._asking:
            if self._health is None or self._clock() >= self._health[0]:
                try:
                    await self.categories()
                    state = Health("ok", "Signalen")
                except ReportFault as fault:
                    # Everything else still works: reports wait until they are in.
                    state = Health("degraded", fault.reason)
                self._health = (self._clock() + (_KEEP_GOOD if state.state == "ok" else _KEEP_BAD), state)
            return self._health[1]

    async def check(self) -> list[Finding]:
        """Address, and the categories."""
        found = []
        if not self._api.safe and self._host not in _LOCAL:
            found.append(Finding("address", "todo", "use https: what residents tell can be read on the way"))
        try:
            known = await self.categories()
        except ReportFault as fault:
            return [*found, Finding("address", "wrong", fault.reason)]
        found.append(Finding("address", "ok"))
        advice = "it has no categories: is SIGNALEN_URL right?"
        return [*found, Finding("categories", "ok") if known else Finding("categories", "wrong", advice)]

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close()

    def _body(self, report: Report) -> Row:
        main, _, sub = report.category.partition("/")
        known = report.latitude is not None and report.longitude is not None
        latitude, longitude = (report.latitude, report.longitude) if known else self._point
        place = report.place if known else f"{report.place} (het punt op de kaart is niet precies)"
        end = f"\n\nPlek: {place}\nGemeld in de chat, kenmerk {report.reference}."
        return {
            "text": report.text[: _TEXT - len(end)] + end,
            "location": {"geometrie": {"type": "Point", "coordinates": [longitude, latitude]}},
            "category": {"sub_category": self._api.address(f"terms/categories/{main}/sub_categories/{sub}")},
            "reporter": {
                "email": report.email or None,
                "phone": report.phone or None,
                "sharing_allowed": False,
            },
            "incident_date_start": report.at.isoformat(timespec="seconds"),
        }


def _display(row: Any) -> str:
    """`SIG-123`, however this version calls it."""
    found = row.get("id_display") or row.get("_display")
    if not isinstance(found, str) or not 0 < len(found) <= 64:
        raise ValueError("no number")
    return found.split(" ")[0]


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment
