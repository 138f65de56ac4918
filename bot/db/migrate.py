"""Bring the store to the newest schema, with Alembic; safe to run from several processes at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

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
    try:
        async with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(_upgrade)
            await connection.commit()
    finally:
        await engine.dispose()


def _upgrade(connection: sa.Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def is_current(connection: AsyncConnection) -> bool:
    """Whether the store has the newest schema."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    found = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    return found == newest
