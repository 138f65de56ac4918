"""The system of reports in a conversation: our own list, and a file can say that it is away or does not answer."""

from __future__ import annotations

from typing import Any

from actions.reports.local import LocalReports
from bot.model import Report, ReportReceipt, ReportStatus
from bot.ports import Finding, Health, ReportFault


class StagedReports:
    """A system that does as it is told: `down`, `no photos`, `unsure` (nobody knows whether it took it), or as it
    should."""

    def __init__(self, reports: LocalReports) -> None:
        self.reports = reports
        self.mood = ""

    @property
    def name(self) -> str:
        """That of the list behind it."""
        return self.reports.name

    async def categories(self) -> list[str]:
        """Anything."""
        return await self.reports.categories()

    async def send(self, report: Report, key: str) -> ReportReceipt:
        """Take it, if the mood allows."""
        self._act()
        receipt = await self.reports.send(report, key)
        if self.mood == "unsure":
            raise ReportFault("no answer: TimeoutError", retryable=True, unknown=True)
        return receipt

    async def attach(self, report: str, photo: bytes, mime: str, key: str) -> None:
        """Take it, if the mood allows."""
        self._act()
        if self.mood == "no photos":
            raise ReportFault("HTTP 503", retryable=True)
        await self.reports.attach(report, photo, mime, key)

    async def look(self, report: str) -> ReportStatus | None:
        """The same."""
        self._act()
        return await self.reports.look(report)

    async def health(self) -> Health:
        """That of the list behind it."""
        return await self.reports.health()

    async def check(self) -> list[Finding]:
        """That of the list behind it."""
        return await self.reports.check()

    async def close(self) -> None:
        """Nothing of its own."""

    async def listed(self) -> list[dict[str, Any]]:
        """All that it has, without what chance made."""
        names = ("category", "text", "place", "latitude", "longitude", "phone", "email", "photos")
        rows = await self.reports.listed(every=True)
        return [
            {name: value for name in names if (value := getattr(row, name)) not in ("", None, 0)}
            for row in rows
        ]

    def _act(self) -> None:
        if self.mood == "down":
            raise ReportFault("no answer: ClientConnectorError", retryable=True)
