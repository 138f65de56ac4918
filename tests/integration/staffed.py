"""Klaartje as real processes, with a quick stand-in for the dialogue engine: for what happens between people, which
the engine has no part in. With WhatsApp, on both stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.db.database import Database
from tests import processes, services
from tests.crowd import opened
from tests.fakes.dialogue import dialogue
from tests.fakes.whatsapp import FakeWhatsApp
from tests.integration.test_kill import own_postgresql
from tests.processes import Program
from tests.storm import meta


@dataclass(frozen=True, slots=True)
class Staffed:
    """A running Klaartje. `web` and `worker...` are its programs by name; `run` both in one."""

    url: str
    settings: Mapping[str, str]
    directory: Path
    store: Database
    fake: FakeWhatsApp
    programs: Mapping[str, Program]

    def kill(self, name: str) -> None:
        """Kill -9 one of them, and start it again."""
        self.programs[name].kill()
        self.programs[name].start()

    def said(self) -> str:
        """All that they printed."""
        return "\n".join(program.said for program in self.programs.values())


@asynccontextmanager
async def alone(directory: Path, seed: int = 1) -> AsyncIterator[Staffed]:
    """SQLite, and one process."""
    async with _around(directory, processes.sqlite(directory), seed) as (stack, there):
        program = processes.bot("run", directory, {**there.settings, "ACTIONS_PORT": str(processes.port())})
        stack.enter_context(program).start()
        await processes.ready(there.url, "worker", "search", "engine")
        yield Staffed(there.url, there.settings, directory, there.store, there.fake, {"run": program})
        assert await program.stop() == 0


@asynccontextmanager
async def apart(directory: Path, seed: int = 1) -> AsyncIterator[Staffed]:
    """PostgreSQL and Redis, one web process and two workers."""
    async with own_postgresql() as database, _around(directory, database, seed) as (stack, there):
        shared = {**there.settings, "REDIS_URL": services.need(services.redis)}
        migrate = processes.bot("migrate", directory, shared)
        assert await stack.enter_context(migrate).start().exit_code(processes.START) == 0, migrate.said
        doors = {name: processes.port() for name in ("worker1", "worker2")}
        programs = {"web": processes.bot("web", directory, {**shared, "ACTIONS_PORT": "0"})}
        for name, door in doors.items():
            own = {**shared, "ACTIONS_PORT": str(door)}
            programs[name] = processes.bot("worker", directory, own, name=name)
        for program in programs.values():
            stack.enter_context(program).start()
        await processes.ready(there.url)
        for door in doors.values():
            await processes.answers(door)
        yield Staffed(there.url, shared, directory, there.store, there.fake, programs)
        for program in programs.values():
            assert await program.stop() == 0, program.name


@asynccontextmanager
async def _around(directory: Path, database: str, seed: int) -> AsyncIterator[tuple[AsyncExitStack, Staffed]]:
    """The vendor, the dialogue and a look into the store; programs of the stack end before these do."""
    port = processes.port()
    url = f"http://127.0.0.1:{port}"
    async with (
        dialogue(seed) as talk,
        meta(url, seed) as fake,
        opened(database) as store,
        AsyncExitStack() as stack,
    ):
        settings = {
            "PORT": str(port),
            "PUBLIC_URL": url,
            "DATABASE_URL": database,
            **talk.settings(),
            **fake.settings(),
        }
        yield stack, Staffed(url, settings, directory, store, fake, {})
