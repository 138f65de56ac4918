"""That somebody types, both ways: over two web processes, to who may know it, and with nothing kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientResponse, ClientTimeout

from bot.db.tables import conversations, inbox, messages
from bot.signs import TYPES
from tests import services
from tests.browser.kcc import COOKIE, ELS, identify
from tests.integration.served import DEADLINE, Served, Visitor, serve

HEADERS = {"Cookie": f"{COOKIE}={ELS.id}", "X-CSRF-Token": ELS.csrf}


@pytest.fixture
async def web(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Served, Served]]:
    """Two web processes on PostgreSQL and Redis; on SQLite one, twice."""
    options: dict[str, Any] = {"identify": identify}
    if database_url.startswith("sqlite"):
        async with serve(database_url, tmp_path, **options) as one:
            yield one, one
        return
    options["redis_url"] = services.need(services.redis)
    async with (
        serve(database_url, tmp_path, **options) as one,
        serve(database_url, tmp_path, worker=False, **options) as two,
    ):
        yield one, two


async def key_of(served: Served) -> str:
    async with served.house.database.read() as connection:
        return str(await connection.scalar(sa.select(conversations.c.id)))


@asynccontextmanager
async def console(served: Served, key: str) -> AsyncIterator[ClientResponse]:
    """The stream of an agent who looks at the conversation."""
    url = f"/kcc/events?conversation={key}"
    async with served.session.get(url, headers=HEADERS, timeout=ClientTimeout(total=None)) as answer:
        assert answer.status == 200, await answer.text()
        for part in (b"own", b"queue", b"thread"):
            await until(answer, part)
        yield answer


async def until(answer: ClientResponse, event: bytes) -> None:
    async with asyncio.timeout(DEADLINE):
        while await answer.content.readline() != b"event: " + event + b"\n":
            assert not answer.content.at_eof()


async def types(served: Served, visitor: Visitor) -> int:
    async with served.session.post("/chat/typing", headers=visitor.headers) as answer:
        return answer.status


async def act(served: Served, key: str, name: str, **body: Any) -> None:
    async with served.session.post(f"/kcc/conversations/{key}/{name}", json=body, headers=HEADERS) as answer:
        assert answer.status == 200, await answer.text()


async def test_both_see_it_wherever_they_are_connected(web: tuple[Served, Served]) -> None:
    one, two = web
    visitor = await one.visitor()
    await visitor.says("mens over mijn tuin")
    await visitor.waits(3)
    key, before = await key_of(one), await one.count(messages)
    async with console(two, key) as stream:
        assert await types(one, visitor) == 204
        await until(stream, b"typing")
    assert (await one.count(messages), await one.count(inbox)) == (before, 1)
    await act(two, key, "take")
    async with visitor.listens() as reader, asyncio.timeout(DEADLINE):
        while (await reader.next())[1] != {"typing": False, "owner": "agent", "agent": "Els"}:
            pass
        await act(two, key, "typing")
        while (await reader.next()) != ("typing", {"typing": True, "owner": "agent", "agent": "Els"}):
            pass
        await act(two, key, "send", text="Dag")
        while (await reader.next()) != ("typing", {"typing": False, "owner": "agent", "agent": "Els"}):
            pass
        assert (await visitor.reads())[-1]["text"] == "Dag"
        await act(two, key, "typing")
        while (await reader.next()) != ("typing", {"typing": True, "owner": "agent", "agent": "Els"}):
            pass  # at once: something was said since
        await act(two, key, "close", outcome="handled")
        while (await reader.next()) != ("typing", {"typing": False, "owner": "closed"}):
            pass
    async with console(two, key) as stream:
        assert await types(one, visitor) == 204
        await act(two, key, "note", text="dit komt wel")
        async with asyncio.timeout(DEADLINE):
            while (line := await stream.content.readline()) != b"event: thread\n":
                assert line != b"event: typing\n", "nobody has it"


async def test_who_may_say_it_and_how_often(web: tuple[Served, Served]) -> None:
    served, _ = web
    visitor = await served.visitor()
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        async with served.session.post("/chat/typing", headers=headers) as answer:
            assert (answer.status, set(await answer.json())) == (401, {"error"})
    async with served.house.bus.subscribe(TYPES) as wakes:
        done = [await types(served, visitor) for _ in range(20)]
        assert done[:5] == [204] * 5 and 429 in done[5:]
        heard = asyncio.ensure_future(anext(wakes))
        await served.house.bus.publish(TYPES, "last")
        async with asyncio.timeout(DEADLINE):
            assert (await heard)[1] == "last", "Klaartje has it: nobody hears anything"
