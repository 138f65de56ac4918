"""Our own list of reports, where the municipality has no other system: an engineer lists, exports and closes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import AMSTERDAM, Clock, utc_now
from bot.db.database import Database
from bot.db.tables import audit, local_photos, local_reports
from bot.model import Report, ReportReceipt, ReportStatus
from bot.ports import Finding, Health, ReportFault

OPEN, CLOSED = "open", "closed"


class LocalReports:
    """Reports in our own store; one a key."""

    name = "local"

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock
        self._insert = database.insert_new(local_reports)
        self._insert_photo = database.insert_new(local_photos)

    async def categories(self) -> list[str]:
        """It takes anything."""
        return []

    async def send(self, report: Report, key: str) -> ReportReceipt:
        """Write it down, once."""
        names = (
            "reference", "category", "text", "place", "at", "latitude", "longitude", "phone", "email",
        )  # fmt: skip
        row = {name: getattr(report, name) for name in names}
        try:
            async with self._database.write() as connection:
                await connection.execute(self._insert, [{"key": key, **row}])
                found = await _row(connection, local_reports.c.key == key)
        except sa.exc.SQLAlchemyError as error:
            raise ReportFault(f"the store does not answer: {type(error).__name__}", retryable=True) from None
        return ReportReceipt(key, number_of(found))

    async def attach(self, report: str, photo: bytes, mime: str, key: str) -> None:
        """Keep it with the report, once."""
        row = {"key": key, "report_key": report, "mime": mime, "content": photo}
        try:
            async with self._database.write() as connection:
                if await _row(connection, local_reports.c.key == report) is None:
                    raise ReportFault("there is no such report", retryable=False)
                await connection.execute(self._insert_photo, [row])
        except sa.exc.SQLAlchemyError as error:
            raise ReportFault(f"the store does not answer: {type(error).__name__}", retryable=True) from None

    async def look(self, report: str) -> ReportStatus | None:
        """Open, or closed since."""
        try:
            async with self._database.read() as connection:
                row = await _row(connection, local_reports.c.key == report)
        except sa.exc.SQLAlchemyError as error:
            raise ReportFault(f"the store does not answer: {type(error).__name__}", retryable=True) from None
        if row is None:
            return None
        state = CLOSED if row.closed_at else OPEN
        return ReportStatus(number_of(row), state, row.closed_at or row.at, row.closed_at is not None, row.at)

    async def listed(self, *, every: bool = False) -> Sequence[Any]:
        """The open ones, oldest first, or all, each with its number and how many photos it has."""
        photos = (
            sa.select(sa.func.count())
            .where(local_photos.c.report_key == local_reports.c.key)
            .scalar_subquery()
            .label("photos")
        )
        query = sa.select(local_reports, photos).order_by(local_reports.c.seq)
        if not every:
            query = query.where(local_reports.c.closed_at.is_(None))
        async with self._database.read() as connection:
            return (await connection.execute(query)).all()

    async def photos(self, report: str) -> Sequence[Any]:
        """The photos of a report, by its key."""
        query = sa.select(local_photos).where(local_photos.c.report_key == report)
        async with self._database.read() as connection:
            return (await connection.execute(query.order_by(local_photos.c.key))).all()

    async def done(self, number: str, *, actor: str) -> bool:
        """Note that nothing more is done for the report of this number; False where it is not open. Who follows it
        hears so."""
        year, _, seq = number.removeprefix("M-").partition("-")
        if not (seq.isdecimal() and year.isdecimal() and len(seq) <= 15):
            return False
        now: datetime = self._clock()
        async with self._database.write() as connection:
            row = await _row(connection, local_reports.c.seq == int(seq))
            if row is None or number_of(row) != number or row.closed_at is not None:
                return False
            closing = sa.update(local_reports).where(local_reports.c.seq == row.seq).values(closed_at=now)
            await connection.execute(closing)
            note = sa.insert(audit).values(at=now, action="closed report", object=number, detail={})
            await connection.execute(note.values(actor=actor[:64]))
        return True

    async def health(self) -> Health:
        """It is as well as the store."""
        return Health("ok", "our own list")

    async def check(self) -> list[Finding]:
        """Nothing to set up; but somebody must read it."""
        advice = "nobody hears of one but by `klaartje reports list`; set SIGNALEN_URL"
        return [Finding("reports", "todo", advice)]

    async def close(self) -> None:
        """Nothing to let go of."""


def number_of(row: Any) -> str:
    """What the resident gets: the year, and a number that only rises."""
    return f"M-{row.at.astimezone(AMSTERDAM).year}-{row.seq:05d}"


async def _row(connection: AsyncConnection, where: sa.ColumnElement[bool]) -> Any:
    return (await connection.execute(sa.select(local_reports).where(where))).one_or_none()
