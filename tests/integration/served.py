"""The web role on a real socket, wired by `bot.app`, with a worker whose dialogue a test writes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import sqlalchemy as sa
from aiohttp import ClientResponse, ClientSession, ClientTimeout

from bot.app.house import House, open_house
from bot.app.roles import background, web_role
from bot.handoff import Handoff
from bot.ports import KnowledgeSearch
from bot.settings import Settings
from bot.turn import Turns
from bot.web.kcc.shelf import Shelf
from bot.web.member import Identify
from bot.worker import Worker
from tests.house import Engine, Quiet, Think, echo, fallback

DEADLINE = 20.0


@dataclass
class Served:
    """A house that runs; `engine` keeps what it was asked."""

    house: House
    address: str
    session: ClientSession
    engine: Engine

    async def visitor(self) -> Visitor:
        """Somebody with a new session."""
        async with self.session.post("/chat/sessions") as answer:
            assert answer.status == 201, await answer.text()
            return Visitor(self, (await answer.json())["token"])

    async def count(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
        """Rows of a table."""
        query = sa.select(sa.func.count()).select_from(table).where(*where)
        async with self.house.database.read() as connection:
            return int(await connection.scalar(query) or 0)


@dataclass
class Visitor:
    """A resident's page."""

    served: Served
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def posts(self, body: bytes | None = None, **fields: Any) -> tuple[int, dict[str, Any]]:
        """A body, or fields as JSON; status and answer."""
        data = json.dumps(fields).encode() if body is None else body
        async with self.served.session.post("/chat/messages", data=data, headers=self.headers) as answer:
            return answer.status, await answer.json()

    async def says(self, text: str, **fields: Any) -> str:
        """A text that is taken; its id."""
        status, answer = await self.posts(text=text, **fields)
        assert status == 202, answer
        return str(answer["id"])

    async def reads(self, after: str = "") -> list[dict[str, Any]]:
        """The transcript, or what came after."""
        parameters = {"after": after} if after else {}
        url = "/chat/messages"
        async with self.served.session.get(url, params=parameters, headers=self.headers) as answer:
            assert answer.status == 200, await answer.text()
            return list((await answer.json())["messages"])

    async def waits(self, count: int) -> list[dict[str, Any]]:
        """The transcript, once it has so many lines and nothing is being answered."""
        end = monotonic() + DEADLINE
        while True:
            async with self.served.session.get("/chat/messages", headers=self.headers) as answer:
                page = await answer.json()
            if len(page["messages"]) >= count and not page["typing"]:
                return list(page["messages"])
            assert monotonic() < end, f"{len(page['messages'])} of {count} lines"
            await asyncio.sleep(0.02)

    @asynccontextmanager
    async def listens(self, last: str = "") -> AsyncIterator[Reader]:
        """The stream, from the last event that one has."""
        headers = {**self.headers, **({"Last-Event-ID": last} if last else {})}
        async with self.served.session.get(
            "/chat/events", headers=headers, timeout=ClientTimeout(total=None)
        ) as answer:
            assert answer.status == 200, await answer.text()
            yield Reader(answer, last)


@dataclass
class Reader:
    """Reads server-sent events as a browser does."""

    answer: ClientResponse
    last: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def next(self) -> tuple[str, dict[str, Any]]:
        """One event. Raises EOFError at the end of the stream."""
        name, data, key = "", "", ""
        while line := (await self.answer.content.readline()).decode():
            field_name, _, value = line.rstrip("\n").partition(": ")
            if not field_name and name:
                self.last = key or self.last
                return name, json.loads(data)
            match field_name:
                case "event":
                    name = value
                case "data":
                    data = value
                case "id":
                    key = value
        raise EOFError

    async def messages(self, count: int) -> list[dict[str, Any]]:
        """Go on until so many messages were seen in all."""
        async with asyncio.timeout(DEADLINE):
            while len(self.seen) < count:
                name, data = await self.next()
                if name == "message":
                    self.seen.append(data)
        return self.seen


@asynccontextmanager
async def serve(
    url: str,
    directory: Path,
    *,
    think: Think = echo,
    worker: bool = True,
    identify: Identify | None = None,
    search: KnowledgeSearch | None = None,
    files: bool = False,
    **more: Any,
) -> AsyncIterator[Served]:
    """Run it. `identify` knows the staff, who look things up with the `search`; `files` are fetched where
    asked; `more` are settings."""
    settings = Settings(database_url=url, state_dir=directory, **{"port": 0, **more})
    engine = Engine(think)
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(settings))
        parts = {
            "database": house.database.health,
            "bus": house.bus.health,
            "contacts": house.registrations.health,
        }
        shelf = Shelf(house.wording)
        shelf.search = search
        address = await stack.enter_async_context(web_role(house, parts, identify=identify, shelf=shelf))
        if worker:
            handoff = Handoff(house.wording, house.municipality)
            turns = Turns(
                house.database,
                house.bus,
                house.channels,
                engine,
                Engine(fallback),
                Quiet(),
                house.wording,
                handoff,
            )
            work = Worker(
                house.inbox,
                turns,
                house.outbox,
                house.bus,
                house.channels,
                house.files if files else None,
                registrations=house.registrations,
            )
            await stack.enter_async_context(background(work.run()))
        session = await stack.enter_async_context(ClientSession(address))
        yield Served(house, address, session, engine)
