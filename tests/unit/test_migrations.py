"""The migrations make exactly the tables of `bot.db.tables`, on both kinds, and can be undone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from bot.db import migrate as migrations
from bot.db.migrate import is_current, migrate
from bot.db.tables import callback_requests, conversations, metadata, registrations
from tests.conftest import START, drop_postgresql, make_postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database without anything."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'deep' / 'down' / 'klaartje.db'}"
        return
    url = await make_postgresql()
    yield url
    await drop_postgresql(url)


async def look(url: str, see: object) -> object:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(see)  # type: ignore[arg-type]
    await engine.dispose()
    return found


def differences(connection: sa.Connection) -> object:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True, "render_as_batch": True}
    )
    return compare_metadata(context, metadata)


def tables(connection: sa.Connection) -> object:
    return set(sa.inspect(connection).get_table_names())


async def test_from_nothing_to_the_tables_and_back(empty: str) -> None:
    await migrate(empty)
    assert await look(empty, differences) == []
    assert await look(empty, tables) == {*metadata.tables, "alembic_version"}
    engine = create_async_engine(empty)
    async with engine.connect() as connection:
        assert await is_current(connection)
        await connection.run_sync(_downgrade)
        await connection.commit()
        assert not await is_current(connection)
    await engine.dispose()
    assert await look(empty, tables) <= {"alembic_version"}  # type: ignore[operator]
    await migrate(empty)
    assert await look(empty, differences) == []


async def test_who_waits_for_a_call_already_gets_into_the_register(empty: str) -> None:
    await migrate(empty)
    engine = create_async_engine(empty)
    async with engine.begin() as connection:
        await connection.run_sync(_downgrade, "0002")
        await connection.execute(
            sa.insert(conversations).values(id="c", owner_since=START, created_at=START, **_CONVERSATION)
        )
        for reference, state in (("T1", "open"), ("T2", "done")):
            row = {"reference": reference, "conversation_id": "c", "phone": "06", "part_of_day": "middag"}
            await connection.execute(
                sa.insert(callback_requests).values(topic="x", state=state, created_at=START, **row)
            )
    await migrate(empty)
    async with engine.connect() as connection:
        [row] = (await connection.execute(sa.select(registrations))).all()
    await engine.dispose()
    assert (row.reference, row.kind, row.topic, row.state, row.at) == ("T1", "callback", "", "pending", START)


_CONVERSATION = {"channel": "webchat", "address": "a", "owner": "bot", "greeted": True}


async def test_again_changes_nothing(empty: str) -> None:
    await migrate(empty)
    await migrate(empty)
    assert await look(empty, differences) == []


@pytest.mark.parametrize("empty", ["postgresql"], indirect=True)
async def test_several_at_once(empty: str) -> None:
    await asyncio.gather(*(migrate(empty) for _ in range(4)))
    assert await look(empty, differences) == []


@pytest.mark.parametrize("empty", ["sqlite"], indirect=True)
async def test_several_processes_at_once(empty: str, tmp_path: Path) -> None:
    """On one machine too: a `make run` beside a `klaartje migrate`."""
    import sys

    code = f"import asyncio; from bot.db.migrate import migrate; asyncio.run(migrate({empty!r}))"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, env=environment, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    ends = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0, 0, 0], [error[-400:] for _, error in ends]
    assert await look(empty, differences) == []


def _downgrade(connection: sa.Connection, to: str = "base") -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.__file__).replace("migrate.py", "migrations"))
    config.attributes["connection"] = connection
    command.downgrade(config, to)
