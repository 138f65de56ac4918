"""What all tests share: real stores and buses, and time as a value."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from bot.bus.memory import MemoryBus
from bot.bus.redis import RedisBus
from bot.db.database import Database
from bot.db.migrate import migrate
from bot.ports import Bus
from tests import services

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday, ten o'clock in Amsterdam: the desks are open."""


class SetClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **step: float) -> None:
        self.now += timedelta(**step)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


_templates: dict[str, str] = {}
"""A migrated store of each kind, made once a run and copied for each test."""


async def make_postgresql(*, template: str | None = None) -> str:
    """A database of our own on the PostgreSQL server."""
    server = sa.make_url(services.need(services.postgresql))
    name = f"klaartje_test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    await _administer(server, f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
    return server.set(database=name).render_as_string(hide_password=False)


async def _migrated(kind: str, directory: Path) -> str:
    if kind not in _templates:
        url = f"sqlite+aiosqlite:///{directory / 'klaartje.db'}" if kind == "sqlite" else await make_postgresql()
        await migrate(url)
        _templates[kind] = url
    return _templates[kind]


@pytest.fixture(scope="session", autouse=True)
def _no_templates_left() -> Iterator[None]:
    yield
    if url := _templates.get("postgresql"):
        asyncio.run(drop_postgresql(url))


async def drop_postgresql(url: str) -> None:
    """Take it away again, whoever still looks at it."""
    name = sa.make_url(url).database
    await _administer(sa.make_url(services.postgresql()), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _administer(server: sa.URL, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(sa.text(statement))
    await engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """An empty, migrated store of each kind."""
    if request.param == "sqlite":
        template = sa.make_url(await _migrated("sqlite", tmp_path_factory.mktemp("template"))).database
        shutil.copy(str(template), tmp_path / "klaartje.db")
        yield f"sqlite+aiosqlite:///{tmp_path / 'klaartje.db'}"
        return
    template = sa.make_url(await _migrated("postgresql", tmp_path)).database
    url = await make_postgresql(template=template)
    yield url
    await drop_postgresql(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    store = Database(database_url)
    yield store
    await store.close()


@pytest.fixture
def redis_prefix() -> str:
    return f"klaartje-test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(params=["memory", "redis"])
async def bus(request: pytest.FixtureRequest, redis_prefix: str) -> AsyncIterator[Bus]:
    made: Bus = (
        MemoryBus() if request.param == "memory" else RedisBus(services.need(services.redis), prefix=redis_prefix)
    )
    yield made
    await made.close()


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """An environment without settings of ours; gives a way to set one."""
    from bot.settings import Settings

    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    yield monkeypatch.setenv
