"""Bring the store to the newest schema, with Alembic; safe to run from several processes at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 7104182366
"""PostgreSQL advisory lock: one migration at a time."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


async def migrate(url: str) -> None:
    """Make or update the tables."""
    if url.startswith("sqlite"):
        path = sa.make_url(url).database
        if path:
            await asyncio.to_thread(Path(path).parent.mkdir, parents=True, exist_ok=True)
    engine = create_async_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine.sync_engine, "connect", _sqlite_connect)
        sa.event.listen(engine.sync_engine, "begin", _sqlite_begin)
    try:
        async with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _sqlite_connect(connection: Any, _record: Any) -> None:
    """Foreign keys stay off here: else a table that is made anew would take along what points to it."""
    connection.isolation_level = None  # transactions are begun by us, see `_sqlite_begin`
    cursor = connection.cursor()
    for pragma in ("busy_timeout=60000", "journal_mode=WAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _upgrade(connection: sa.Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def is_current(connection: AsyncConnection) -> bool:
    """Whether the store has the newest schema."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    found = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    return found == newest
