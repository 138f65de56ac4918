"""Without the engine nobody is left without an answer; and a stop finishes what runs. With real processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession, ClientTimeout

from bot.db.database import Database
from bot.db.tables import conversations, inbox
from tests import processes
from tests.crowd import WebResident, opened, patient
from tests.processes import Program, until

pytestmark = [pytest.mark.process, pytest.mark.timeout(400)]

QUESTION = "hoe vraag ik een paspoort aan"

Start = Callable[[Program], Program]


def program(directory: Path, engine_python: str | Path) -> tuple[Program, str]:
    """`klaartje run` with this for an engine; and its address."""
    port = processes.port()
    environment = {
        "ENGINE_PYTHON": str(engine_python),
        "PORT": str(port),
        "ENGINE_PORT": str(processes.port()),
        "ACTIONS_PORT": str(processes.port()),
    }
    return processes.bot("run", directory, environment), f"http://127.0.0.1:{port}"


@asynccontextmanager
async def resident(url: str) -> AsyncIterator[Talk]:
    """Someone on the web page."""
    async with patient() as session:
        yield Talk(await WebResident.open(session, url))


class Talk:
    """A conversation of which one waits for each answer."""

    def __init__(self, page: WebResident) -> None:
        self.page = page
        self._count = 0

    async def say(self, text: str) -> Mapping[str, Any]:
        """The last line of the answer to a text."""
        self._count += 1
        await self.page.send(self._count, text)

        async def answered() -> Mapping[str, Any] | None:
            lines = await self.page.read()
            mine = [line["from"] for line in lines].count("resident")
            return lines[-1] if mine == self._count and lines[-1]["from"] == "bot" else None

        return dict(await until(answered, 60, f"an answer to {text!r}"))


def no_trace(program: Program) -> None:
    assert "Traceback" not in program.said, program.said[-3000:]


async def test_an_engine_that_never_starts(start: Start, state_dir: Path) -> None:
    house, url = program(state_dir, "/bin/false")
    start(house)
    health = await processes.ready(url, "engine", state="degraded")
    assert health["state"] == "degraded"
    assert health["parts"]["search"]["state"] == "ok"
    async with resident(url) as talk:
        answer = await talk.say(QUESTION)
        assert answer["article"] == "paspoort-aanvragen"
        answer = await talk.say("wat is de zin van het leven")
        assert "human" in [choice["id"] for choice in answer["choices"]], (
            "what search does not know, a person may"
        )
        answer = await talk.say("ik wil een medewerker spreken")
        assert (await talk.page.read())[-1]["text"] == answer["text"]

    async def tried_again() -> bool:
        return house.said.count("starting it again") >= 2

    await until(tried_again, 30, "the supervisor tries again")
    assert await house.stop() == 0
    no_trace(house)


async def test_back_up_all_goes_on_by_itself(
    start: Start, state_dir: Path, tmp_path: Path, engine_python: str
) -> None:
    broken, python = tmp_path / "broken", tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ ! -e "{broken}" ] || exit 1\nexec "{engine_python}" "$@"\n')
    python.chmod(0o755)
    house, url = program(state_dir, python)
    start(house)
    await processes.ready(url)
    async with resident(url) as talk:
        asked = await talk.say("bel me terug")
        assert "telefoonnummer" in asked["text"], "the form has begun"
        broken.touch()
        processes.kill(house.children()[0])
        await processes.ready(url, "engine", state="degraded")
        assert (await talk.say(QUESTION))["article"] == "paspoort-aanvragen"
        broken.unlink()
        await processes.ready(url)
        asked = await talk.say("06 12345678")
        assert "telefoonnummer" not in asked["text"], "the form goes on where it was"
    assert await house.stop() == 0
    no_trace(house)


async def test_a_stop_finishes_what_runs(start: Start, state_dir: Path, engine_python: str) -> None:
    house, url = program(state_dir, engine_python)
    start(house)
    await processes.ready(url)
    async with (
        opened(processes.sqlite(state_dir)) as store,
        patient() as session,
        ClientSession(timeout=ClientTimeout(total=None)) as streaming,
    ):
        pages = [await WebResident.open(session, url) for _ in range(10)]
        stream = asyncio.create_task(read_stream(streaming, url, pages[0]))
        await asyncio.gather(*(page.send(number, QUESTION) for page in pages for number in range(3)))
        assert await house.stop(15) == 0
        events = await asyncio.wait_for(stream, 5)
        assert events[0]["from"] == "bot"
        assert await halves(store) == 0, "no turn was cut off in the middle"
        no_trace(house)
        start(house)
        for page in pages:

            async def answered(page: WebResident = page) -> bool:
                return len(await page.read()) == 1 + 3 * 2

            await until(answered, 90, "after the next start every message has its answer")
    assert await house.stop(15) == 0
    no_trace(house)


async def read_stream(session: ClientSession, url: str, page: WebResident) -> list[dict[str, Any]]:
    """The messages of a stream, up to its end."""
    headers = {"Authorization": f"Bearer {page.token}"}
    async with session.get(f"{url}/chat/events", headers=headers) as response:
        text = (await response.read()).decode()
    return [
        json.loads(event.split("data: ", 1)[1]) for event in text.split("\n\n") if "event: message" in event
    ]


async def halves(store: Database) -> int:
    """Conversations that somebody still holds, and messages that were begun and not finished."""
    held = sa.select(sa.func.count()).where(conversations.c.lease_token.is_not(None))
    begun = sa.select(sa.func.count()).where(inbox.c.state == "pending", inbox.c.attempts > 0)
    async with store.read() as connection:
        return int(await connection.scalar(held) or 0) + int(await connection.scalar(begun) or 0)


async def test_a_port_that_is_taken_is_one_clear_line(start: Start, state_dir: Path) -> None:
    house, url = program(state_dir, "/bin/false")
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", int(url.rsplit(":", 1)[1]))
    async with server:
        assert await start(house).exit_code(60) == 1
    assert f"port {url.rsplit(':', 1)[1]}" in house.said.splitlines()[-1]
    no_trace(house)
