"""The store: one code path for SQLite (WAL) and PostgreSQL, with a read and a write transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.ports import Health


class Database:
    """Hands out transactions. On SQLite a write starts with BEGIN IMMEDIATE and waits its turn in the process."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.sqlite = url.startswith("sqlite")
        # No error of the store shows the values: they hold what residents wrote.
        options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 10, "hide_parameters": True}
        if not self.sqlite:
            options["pool_pre_ping"] = True
        self._engine = create_async_engine(url, **options)
        self._turn = asyncio.Lock()
        if self.sqlite:
            sa.event.listen(self._engine.sync_engine, "connect", _sqlite_connect)
            sa.event.listen(self._engine.sync_engine, "begin", _sqlite_begin)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading one consistent state."""
        async with self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: commits at the end, rolls back on any exception."""
        if not self.sqlite:
            async with self._engine.begin() as connection:
                yield connection
            return
        async with self._turn, self._engine.connect() as connection:
            await connection.execution_options(immediate=True)
            async with connection.begin():
                yield connection

    def insert_new(self, table: sa.Table) -> Any:
        """An INSERT that leaves a row alone that is there already (by any unique key)."""
        if self.sqlite:
            return sqlite.insert(table).on_conflict_do_nothing()
        return postgresql.insert(table).on_conflict_do_nothing()

    def put(self, table: sa.Table) -> Any:
        """An INSERT that writes over a row with the same primary key."""
        insert = sqlite.insert(table) if self.sqlite else postgresql.insert(table)
        others = {c.name: insert.excluded[c.name] for c in table.c if not c.primary_key}
        return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=others)

    def add_up(self, table: sa.Table, *columns: sa.Column[int]) -> Any:
        """An INSERT that, where there is a row with the same primary key, adds these columns to it."""
        insert = sqlite.insert(table) if self.sqlite else postgresql.insert(table)
        sums = {column.name: column + insert.excluded[column.name] for column in columns}
        return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums)

    async def scrub(self) -> None:
        """Leave nothing legible of what was erased: SQLite keeps it in its log until that is written back. Where
        others read at the same time, the next time does it."""
        if self.sqlite:
            async with self._turn, self._engine.connect() as connection:
                raw: Any = (await connection.get_raw_connection()).driver_connection  # outside a transaction
                await raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def health(self) -> Health:
        """Whether a query gets an answer within two seconds."""
        try:
            async with asyncio.timeout(2), self.read() as connection:
                await connection.execute(sa.text("SELECT 1"))
        except (OSError, sa.exc.SQLAlchemyError, TimeoutError) as error:
            return Health("down", type(error).__name__)
        return Health("ok", "SQLite" if self.sqlite else "PostgreSQL")

    async def close(self) -> None:
        """Give all connections back."""
        await self._engine.dispose()


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by us, see `_sqlite_begin`
    cursor = connection.cursor()
    # The timeout first: asking for WAL needs a lock too, where another process is just starting or stopping.
    for pragma in (
        "busy_timeout=10000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: sa.Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
