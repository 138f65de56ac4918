"""Kill -9 at any point: every message is answered once, in order per resident. With real processes, on both stores."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from bot.db.database import Database
from bot.model import Delivery
from tests import processes, services
from tests.conftest import drop_postgresql, make_postgresql
from tests.crowd import (
    QUESTIONS,
    Crowd,
    Heard,
    Resident,
    WebResident,
    heard,
    opened,
    patient,
    telegram_resident,
    web_resident,
)
from tests.fakes.telegram import FakeTelegram
from tests.processes import Program, alive, until

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]

RESIDENTS, EACH, KILLS = 20, 10, 6
IN_FLIGHT = 25
"""So many messages more than the next kill waits for may be written: it always finds work under way."""

Start = Callable[[Program], Program]
Kill = Callable[[], Awaitable[None]]


@dataclass
class Installation:
    """A running Klaartje, and what can be killed of it; each kill starts again what it killed."""

    url: str
    store: Database
    fake: FakeTelegram
    kills: dict[str, Kill]
    programs: Sequence[Program]


@pytest.mark.parametrize("seed", [20261122])
async def test_embedded(start: Start, state_dir: Path, engine_python: str, seed: int) -> None:
    async with embedded(start, state_dir, engine_python) as house:
        await everyone_is_answered(house, seed)


@pytest.mark.parametrize("seed", [20261123])
async def test_scaled_out(start: Start, state_dir: Path, engine_python: str, seed: int) -> None:
    async with scaled_out(start, state_dir, engine_python) as house:
        await everyone_is_answered(house, seed)


async def everyone_is_answered(house: Installation, seed: int) -> None:
    """200 messages from 20 residents, and six kills meanwhile."""
    chance = random.Random(seed)
    crowd = Crowd(house.store, seed)
    pages: dict[str, WebResident] = {}
    async with patient() as session:
        for _ in range(RESIDENTS // 2):
            resident, page = await web_resident(house.store, session, house.url)
            crowd.residents += [resident, telegram_resident(house.fake)]
            pages[resident.address] = page
        writing = asyncio.create_task(crowd.write(EACH))
        names = list(house.kills) * KILLS
        victims = chance.sample(names[:KILLS], KILLS)
        moments = sorted(chance.sample(range(10, RESIDENTS * EACH - IN_FLIGHT), KILLS))
        for victim, moment in zip(victims, moments, strict=True):
            crowd.limit = moment + IN_FLIGHT
            await crowd.answered(moment, 90)
            await asyncio.sleep(chance.uniform(0, 0.1))
            await house.kills[victim]()
        crowd.limit = RESIDENTS * EACH
        await writing
        repeats: list[int] = []
        for resident in crowd.residents:
            found = await settled(house.store, resident)
            answered_once_in_order(resident, found)
            if resident.channel == "telegram":
                repeats.append(delivered_once_in_order(house.fake, resident, found))
            else:
                await page_shows_the_same(pages[resident.address], found)
    for program in house.programs:
        assert "Traceback" not in program.said, program.said[-3000:]
    sys.stderr.write(f"{sum(repeats)} messages came twice after {KILLS} kills\n")
    assert max(repeats) <= KILLS, "a kill repeats at most one message a resident"


async def settled(store: Database, resident: Resident) -> Heard:
    """What the store holds once all of the resident's messages are answered, and the answers handed over."""
    found = Heard((), ())

    async def done() -> bool:
        nonlocal found
        found = await heard(store, resident)
        return len(found.turns()) == len(resident.wrote) and all(
            letter.state != Delivery.QUEUED for letter in found.letters
        )

    try:
        await until(done, 60, "all answered and handed over")
    except AssertionError as error:
        wrote, taken = resident.wrote, [text for text, _ in found.turns()]
        raise AssertionError(f"{error}: wrote {wrote}, answered {taken}") from None
    return found


def answered_once_in_order(resident: Resident, found: Heard) -> None:
    """Each message stands there once, in order, and exactly one answer follows it."""
    articles = dict(QUESTIONS)
    assert [text for text, _ in found.turns()] == resident.wrote
    for text, answer in found.turns():
        assert [line.trace is not None for line in answer] == [False] * (len(answer) - 1) + [True], text
        if article := articles[text]:
            assert article in (answer[-1].article, answer[-1].trace["article"]), (text, answer[-1].text)


def delivered_once_in_order(fake: FakeTelegram, resident: Resident, found: Heard) -> int:
    """Each answer arrived, in order. How many were repeated: sent, but killed before that was noted."""
    arrived = [m for m in fake.resident(int(resident.address)).transcript if m["from"]["is_bot"]]
    noted = [letter.external_id for letter in found.letters]
    assert all(letter.state == Delivery.SENT for letter in found.letters)
    assert [str(m["message_id"]) for m in arrived if str(m["message_id"]) in noted] == noted
    by_id = {str(m["message_id"]): m["text"] for m in arrived}
    for earlier, later in pairwise(arrived):
        if str(earlier["message_id"]) not in noted:
            assert earlier["text"] == later["text"], "what is repeated comes right after"
    return len(by_id) - len(noted)


async def page_shows_the_same(page: WebResident, found: Heard) -> None:
    """The resident's page reads what the store holds."""
    shown = await page.read()
    assert [(line["id"], line["text"]) for line in shown] == [(line.id, line.text) for line in found.lines]


# -- the two installations ----------------------------------------------------------------------------------


@asynccontextmanager
async def embedded(
    start: Start, directory: Path, python: str, port: int | None = None, **more: str
) -> AsyncIterator[Installation]:
    """SQLite, and one process that has the engine as its child. `more` are settings."""
    port = port or processes.port()
    url = f"http://127.0.0.1:{port}"
    async with FakeTelegram() as fake, opened(processes.sqlite(directory)) as store:
        program = processes.bot(
            "run",
            directory,
            {
                "ENGINE_PYTHON": python,
                "PORT": str(port),
                "ENGINE_PORT": str(processes.port()),
                "ACTIONS_PORT": str(processes.port()),
                **telegram(fake, url),
                **more,
            },
        )

        async def engine_pid() -> int:
            return next(iter(program.children()), 0)

        async def kill_bot() -> None:
            child = await engine_pid()
            program.kill()

            async def gone() -> bool:
                return not alive(child)

            program.start()
            await until(gone, 10, "an engine without its bot ends by itself")

        async def kill_engine() -> None:
            child = await until(engine_pid, 90, "an engine to kill")
            with suppress(ProcessLookupError):
                processes.kill(child)

        start(program)
        await processes.ready(url)
        yield Installation(url, store, fake, {"bot": kill_bot, "engine": kill_engine}, [program])
        assert await program.stop() == 0


@asynccontextmanager
async def scaled_out(
    start: Start, directory: Path, python: str, port: int | None = None, **more: str
) -> AsyncIterator[Installation]:
    """PostgreSQL and Redis; web, two workers and the engine are services of their own. `more` are settings."""
    port = port or processes.port()
    doors, engine_port = [processes.port() for _ in range(2)], processes.port()
    url = f"http://127.0.0.1:{port}"
    secrets = {"ENGINE_SECRET": "engine-secret", "ACTIONS_SECRET": "actions-secret"}
    async with (
        FakeTelegram() as fake,
        balancer(doors) as actions_port,
        own_postgresql() as database,
        opened(database) as store,
    ):
        shared = {
            "DATABASE_URL": database,
            "REDIS_URL": services.need(services.redis),
            "ENGINE_URL": f"http://127.0.0.1:{engine_port}",
            "CONCURRENCY": "4",
            **secrets,
            **telegram(fake, url),
            **more,
        }
        migrate = processes.bot("migrate", directory, shared)
        assert await start(migrate).exit_code(processes.START) == 0, migrate.said
        engine = processes.engine(
            Path(python),
            directory,
            {
                **secrets,
                "ENGINE_PORT": str(engine_port),
                "ACTIONS_URL": f"http://127.0.0.1:{actions_port}/actions/webhook",
            },
        )
        web = processes.bot("web", directory, {**shared, "PORT": str(port), "ACTIONS_PORT": "0"})
        workers = [
            processes.bot("worker", directory, {**shared, "ACTIONS_PORT": str(door)}, name=f"worker{number}")
            for number, door in enumerate(doors, 1)
        ]
        programs = [engine, web, *workers]
        for program in programs:
            start(program)
        await processes.ready(url)
        await asyncio.gather(*(processes.answers(door) for door in doors), processes.answers(engine_port))

        def kill(program: Program) -> Kill:
            async def again() -> None:
                program.kill()
                program.start()

            return again

        kills = {
            "worker1": kill(workers[0]),
            "web": kill(web),
            "engine": kill(engine),
            "worker2": kill(workers[1]),
        }
        yield Installation(url, store, fake, kills, programs)
        for program in programs:
            assert await program.stop() == 0, program.name


@asynccontextmanager
async def own_postgresql() -> AsyncIterator[str]:
    """A database of this test alone."""
    url = await make_postgresql()
    try:
        yield url
    finally:
        await drop_postgresql(url)


def telegram(fake: FakeTelegram, url: str) -> dict[str, str]:
    """The settings of the channel, by webhook."""
    return {
        "TELEGRAM_TOKEN": fake.token,
        "TELEGRAM_API_URL": fake.url,
        "TELEGRAM_WEBHOOK_SECRET": "webhook-secret",
        "PUBLIC_URL": url,
    }


@asynccontextmanager
async def balancer(ports: Sequence[int]) -> AsyncIterator[int]:
    """What stands before the workers' private doors: passes each connection on to one that answers."""
    chance = random.Random(1)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in chance.sample(list(ports), len(ports)):
            with suppress(OSError):
                theirs, ours = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(pump(reader, ours), pump(theirs, writer))
                return
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])
