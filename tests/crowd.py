"""Residents who write at the same time, by web chat and by Telegram, and what became of what they wrote."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.db.database import Database
from bot.db.tables import chat_sessions, conversations, inbox, messages, outbox
from bot.model import Author
from tests.fakes.telegram import FakeTelegram
from tests.processes import until

QUESTIONS = (
    ("hoe vraag ik een paspoort aan", "paspoort-aanvragen"),
    ("help", None),
    ("hoe verleng ik mijn rijbewijs", "rijbewijs-aanvragen"),
    ("hoe geef ik mijn verhuizing door", "verhuizing-doorgeven"),
    ("hallo", None),
)
"""What they write, and the article that answers it; None where another approved text does."""

AHEAD = 3
"""So many of one's messages may wait for an answer before one writes the next."""


@dataclass
class Resident:
    """Someone who writes so many messages; `send` returns when the message is taken."""

    channel: str
    address: str
    send: Callable[[int, str], Awaitable[None]]
    wrote: list[str] = field(default_factory=list)


class Crowd:
    """All of them. `limit` is how many messages they may have written together."""

    def __init__(self, store: Database, seed: int) -> None:
        self.residents: list[Resident] = []
        self.limit = 0
        self._store = store
        self._random = random.Random(seed)
        self._written = 0
        self._done: dict[str, int] = {}

    async def write(self, count: int) -> None:
        """Each writes `count` messages, a few ahead of the answers."""
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._look())
            await asyncio.gather(*(self._write(resident, count) for resident in self.residents))
            looking.cancel()

    async def _write(self, resident: Resident, count: int) -> None:
        offset = self._random.randrange(len(QUESTIONS))
        for number in range(count):
            while (
                len(resident.wrote) - self._done.get(resident.address, 0) >= AHEAD
                or self._written >= self.limit
            ):
                await asyncio.sleep(0.02)
            self._written += 1
            text = QUESTIONS[(offset + number) % len(QUESTIONS)][0]
            resident.wrote.append(text)
            await resident.send(number, text)
            await asyncio.sleep(self._random.uniform(0, 0.1))

    async def _look(self) -> None:
        query = (
            sa.select(conversations.c.address, sa.func.count().label("done"))
            .join(inbox, inbox.c.conversation_id == conversations.c.id)
            .where(inbox.c.state != "pending")
            .group_by(conversations.c.address)
        )
        while True:
            async with self._store.read() as connection:
                self._done = {row.address: row.done for row in await connection.execute(query)}
            await asyncio.sleep(0.05)

    async def answered(self, count: int, seconds: float) -> None:
        """Wait until so many messages are answered."""

        async def reached() -> bool:
            return sum(self._done.values()) >= count

        await until(reached, seconds, f"{count} messages answered")


class WebResident:
    """Writes as the page does: with an id of its own for each message, again until it is taken."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self.token = ""

    @classmethod
    async def open(cls, session: ClientSession, url: str) -> WebResident:
        """A new conversation."""
        resident = cls(session, url)
        resident.token = (await resident._insist("POST", "/chat/sessions", 201))["token"]
        return resident

    async def send(self, number: int, text: str) -> None:
        """Have the message taken."""
        await self._insist("POST", "/chat/messages", 202, {"text": text, "client_id": f"m{number}"})

    async def read(self) -> list[dict[str, Any]]:
        """The transcript."""
        return list((await self._insist("GET", "/chat/messages", 200))["messages"])

    async def _insist(self, method: str, path: str, status: int, body: Any = None) -> Any:
        result: Any = None
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}

        async def taken() -> bool:
            nonlocal result
            try:
                async with self._session.request(
                    method, self._url + path, json=body, headers=headers
                ) as response:
                    assert response.status in (status, 429, 503), response.status
                    result = await response.json()
                    return response.status == status
            except (ClientError, TimeoutError, OSError):
                return False

        await until(taken, 120, f"{method} {path} is answered with {status}")
        return result


async def web_resident(store: Database, session: ClientSession, url: str) -> tuple[Resident, WebResident]:
    """Someone on the web page, as one of the crowd, and as one who reads the page."""
    page = await WebResident.open(session, url)
    mine = chat_sessions.c.token_hash == hashlib.sha256(page.token.encode()).hexdigest()
    async with store.read() as connection:
        address = await connection.scalar(sa.select(chat_sessions.c.address).where(mine))
    return Resident("webchat", str(address), page.send), page


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """A look into the store from outside."""
    store = Database(url)
    try:
        yield store
    finally:
        await store.close()


def patient() -> ClientSession:
    """A client whose requests end, whatever happens to the server."""
    return ClientSession(timeout=ClientTimeout(total=5))


def telegram_resident(fake: FakeTelegram) -> Resident:
    """Someone with Telegram, which brings each message until it is taken."""
    person = fake.resident()

    async def send(_number: int, text: str) -> None:
        person.say(text)

    return Resident("telegram", str(person.id), send)


@dataclass
class Heard:
    """What the store holds of one resident's conversation, in order."""

    lines: Sequence[Any]
    letters: Sequence[Any]

    def turns(self) -> list[tuple[str, list[Any]]]:
        """Each message of the resident with what followed it, up to the next."""
        found: list[tuple[str, list[Any]]] = []
        for line in self.lines:
            if line.author == Author.RESIDENT:
                found.append((line.text, []))
            elif found:
                found[-1][1].append(line)
        return found


async def heard(store: Database, resident: Resident) -> Heard:
    """Read it."""
    mine = sa.select(conversations.c.id).where(
        conversations.c.channel == resident.channel, conversations.c.address == resident.address
    )
    async with store.read() as connection:
        conversation = await connection.scalar(mine)
        lines, letters = [
            (await connection.execute(_all(table, conversation))).all() for table in (messages, outbox)
        ]
    return Heard(lines, letters)


def _all(table: sa.Table, conversation: str | None) -> sa.Select[Any]:
    return sa.select(table).where(table.c.conversation_id == conversation).order_by(table.c.seq)
