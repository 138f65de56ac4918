"""A full KCC on one machine: how soon a resident's message is on the right console, and how fast agents' acts are."""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import sqlalchemy as sa
from aiohttp import ClientSession, ClientTimeout, TCPConnector

from bench.report import Report, milliseconds, quantile
from bot import queue
from bot.db.database import Database
from bot.db.migrate import migrate
from bot.db.tables import chat_sessions, conversations, handoffs, messages, staff_sessions, users
from bot.model import Author, Kind, Owner
from bot.residents import new_conversation
from bot.staff.members import new_user
from bot.staff.roles import Role
from bot.staff.secret import hashed, new_token
from bot.staff.sessions import Visit
from tests import processes

AGENTS, TAKERS, WAITING, LINES = 200, 3, 1_000, 12
"""The agents each have one conversation and room for no other; the takers take and end others, one after the other."""

WRITES, SENDS, TAKES = 10.0, 5.0, 0.5
"""A second, of all together."""

SECONDS = 60.0


@dataclass
class Times:
    """Seconds that each took."""

    reached: list[float] = field(default_factory=list)
    take: list[float] = field(default_factory=list)
    send: list[float] = field(default_factory=list)
    queue: list[float] = field(default_factory=list)
    lost: int = 0


@dataclass
class Resident:
    """Somebody who waits or is helped, on the web chat."""

    conversation: str
    token: str


@dataclass
class Agent:
    """A console that is open: it fetches what the stream says has changed, as the page does."""

    number: int
    session: ClientSession
    headers: dict[str, str]
    has: Resident | None = None
    awaited: dict[str, float] = field(default_factory=dict)

    async def listen(self, times: Times) -> None:
        """Look at one conversation, for as long as it lasts."""
        assert self.has is not None
        key, tasks = self.has.conversation, set[asyncio.Task[None]]()
        url = f"/kcc/events?conversation={key}"
        async with self.session.get(url, headers=self.headers, timeout=ClientTimeout(total=None)) as answer:
            assert answer.status == 200, answer.status
            pages = {"thread": self._thread, "own": self._own, "queue": self._queue}
            again = {name: asyncio.Event() for name in pages}
            for name, fetch in pages.items():
                tasks.add(asyncio.create_task(_each(again[name], fetch, times)))
            try:
                async for line in answer.content:
                    name = line.decode().partition("event: ")[2].strip()
                    if name in again:
                        again[name].set()
            finally:
                for task in tasks:
                    task.cancel()

    async def _thread(self, times: Times) -> None:
        assert self.has is not None
        text = await self._part(f"/kcc/parts/thread/{self.has.conversation}")
        now = perf_counter()
        for word in [word for word in self.awaited if word in text]:
            times.reached.append(now - self.awaited.pop(word))

    async def _own(self, times: Times) -> None:
        await self._part("/kcc/parts/own")

    async def _queue(self, times: Times) -> None:
        began = perf_counter()
        await self._part("/kcc/parts/queue")
        times.queue.append(perf_counter() - began)

    async def _part(self, path: str) -> str:
        async with self.session.get(path, headers=self.headers) as answer:
            assert answer.status == 200, (path, answer.status)
            return await answer.text()

    async def act(self, path: str, into: list[float], **body: str) -> None:
        """Do something, and note how long it took."""
        began = perf_counter()
        async with self.session.post(path, json=body, headers=self.headers) as answer:
            assert answer.status == 200, (path, answer.status, await answer.text())
        into.append(perf_counter() - began)


async def _each(again: asyncio.Event, fetch: object, times: Times) -> None:
    """One at a time; what is asked for meanwhile is done after it."""
    while True:
        await again.wait()
        again.clear()
        await fetch(times)  # type: ignore[operator]


async def measure(directory: Path) -> Report:
    """`klaartje run` on SQLite, 200 agents with a conversation, 1,000 who wait. CONSOLE_SECONDS makes it shorter."""
    seconds = float(os.environ.get("CONSOLE_SECONDS", SECONDS))
    report = Report(
        f"The console: {AGENTS} agents' streams, {WAITING} who wait, {seconds:.0f} s (SQLite, one process)",
        "make bench ARGS=console",
    )
    waiting, tokens = await fill(processes.sqlite(directory))
    times = Times()
    async with program(directory) as url, crew(url, tokens) as agents:
        await at_work(agents, waiting, times)
        takes = list(times.take)
        times.take.clear()
        await shift(agents, waiting, times, url, seconds)
    spread = f"p50 {milliseconds(quantile(times.reached, 0.5))}, aim: p95 at most 300 ms"
    report.add("message to console, p95", milliseconds(quantile(times.reached, 0.95)), spread)
    for name, values, aim in (
        ("take, p95", times.take, "aim: at most 200 ms"),
        ("take, all at once, p95", takes, f"{AGENTS} agents in a row"),
        ("send, p95", times.send, "aim: at most 200 ms"),
        ("the queue, fetched again, p95", times.queue, ""),
    ):
        report.add(name, milliseconds(quantile(values, 0.95)), f"{len(values)} times; {aim}")
    report.add("messages that did not get there", str(times.lost), f"of {len(times.reached) + times.lost}")
    return report


async def fill(url: str) -> tuple[list[Resident], list[str]]:
    """A store with agents that are signed in, and residents who wait, with some lines each."""
    await migrate(url)
    store, now = Database(url), datetime.now(UTC)
    residents, tokens = [], [new_token() for _ in range(AGENTS + TAKERS)]
    async with store.write() as connection:
        for number, token in enumerate(tokens):
            most = 1 if number < AGENTS else 20
            user = new_user(f"agent{number}", f"Agent {number}", [Role.AGENT], most=most)
            await connection.execute(sa.insert(users).values(**user, created_at=now))
            session = {"token_hash": hashed(token), "user_id": user["id"]}
            moments = {"created_at": now, "seen_at": now, "until": now + timedelta(hours=8)}
            await connection.execute(sa.insert(staff_sessions).values(**session, **moments))
        lines = []
        for number in range(WAITING + AGENTS):
            token, address, since = new_token(), str(uuid.uuid4()), now - timedelta(seconds=3600 - number)
            row = new_conversation("webchat", address, since, greeted=True)
            row |= {"owner": Owner.WAITING, "owner_since": since, "last_inbound_at": since}
            await connection.execute(sa.insert(conversations).values(**row))
            session = {"token_hash": sha256(token.encode()).hexdigest(), "address": address}
            await connection.execute(sa.insert(chat_sessions).values(**session, created_at=since))
            await queue.enter(
                connection,
                row["id"],
                reason="asked",
                topic=None,
                language=None,
                team="kcc",
                priority=0,
                now=since,
            )
            told = sa.update(handoffs).where(handoffs.c.conversation_id == row["id"])
            await connection.execute(told.values(told_minutes=60, told_at=now))
            lines += [_line(row["id"], line, since) for line in range(LINES)]
            residents.append(Resident(row["id"], token))
        await connection.execute(sa.insert(messages), lines)
    await store.close()
    return residents, tokens


def _line(conversation: str, number: int, since: datetime) -> dict[str, object]:
    return {
        "id": str(uuid.uuid4()),
        "conversation_id": conversation,
        "author": Author.RESIDENT if number % 2 else Author.BOT,
        "kind": Kind.TEXT,
        "text": f"Regel {number}: " + "ik heb een vraag over mijn paspoort en mijn afspraak " * 2,
        "choices": [],
        "links": [],
        "at": since,
    }


@asynccontextmanager
async def program(directory: Path) -> AsyncIterator[str]:
    """`klaartje run`, ready."""
    port = processes.port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "ENGINE_PYTHON": str(processes.trained()),
        "PORT": str(port),
        "ENGINE_PORT": str(processes.port()),
        "ACTIONS_PORT": str(processes.port()),
        "PUBLIC_URL": url,
    }
    with processes.bot("run", directory, environment).start() as house:
        await processes.ready(url, seconds=300)
        yield url
        await house.stop()


@asynccontextmanager
async def crew(url: str, tokens: list[str]) -> AsyncIterator[list[Agent]]:
    """The agents, each with a session of their own."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession(url, connector=TCPConnector(limit=0)))
        yield [
            Agent(
                number,
                session,
                {
                    "Cookie": f"klaartje-staff={token}",
                    "X-CSRF-Token": Visit(token).csrf,
                    "Sec-Fetch-Site": "same-origin",
                },
            )
            for number, token in enumerate(tokens)
        ]


async def at_work(agents: list[Agent], waiting: list[Resident], times: Times) -> None:
    """Each agent is available, and takes who waits longest."""
    for agent in agents[:AGENTS]:
        await agent.act("/kcc/presence", [], state="available")
        agent.has = waiting.pop(0)
        await agent.act(f"/kcc/conversations/{agent.has.conversation}/take", times.take)


async def shift(agents: list[Agent], waiting: list[Resident], times: Times, url: str, seconds: float) -> None:
    """Residents write, agents answer, and now and then one ends a conversation and takes the next."""
    chosen, end = random.Random(5), asyncio.get_running_loop().time() + seconds + 15.0
    agents, takers = agents[:AGENTS], agents[AGENTS:]
    listening = [asyncio.create_task(agent.listen(times)) for agent in agents]
    await asyncio.sleep(15.0)  # all fetch all once

    async def writes(number: int) -> None:
        agent = chosen.choice(agents)
        assert agent.has is not None
        resident = agent.has if number % 10 else chosen.choice(waiting)
        word = f"woord{number}woord"
        if number % 10:
            agent.awaited[word] = perf_counter()
        headers = {"Authorization": f"Bearer {resident.token}"}
        async with agent.session.post("/chat/messages", json={"text": word}, headers=headers) as answer:
            assert answer.status == 202, answer.status

    async def sends(number: int) -> None:
        agent = chosen.choice(agents)
        assert agent.has is not None
        path = f"/kcc/conversations/{agent.has.conversation}/send"
        await agent.act(path, times.send, text=f"antwoord {number}", id=str(uuid.uuid4()))

    async def takes(number: int) -> None:
        agent = takers[number % TAKERS]
        resident = waiting.pop(0)
        path = f"/kcc/conversations/{resident.conversation}"
        await agent.act(f"{path}/take", times.take)
        await agent.act(f"{path}/close", [], outcome="handled")

    async def steadily(rate: float, act: object) -> None:
        loop, number, running = asyncio.get_running_loop(), 0, set[asyncio.Task[None]]()
        began = loop.time()
        while loop.time() < end:
            running.add(asyncio.create_task(act(number)))  # type: ignore[operator]
            number += 1
            await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
        await asyncio.gather(*running)

    await asyncio.gather(steadily(WRITES, writes), steadily(SENDS, sends), steadily(TAKES, takes))
    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            while any(agent.awaited for agent in agents):
                await asyncio.sleep(0.1)
    times.lost = sum(len(agent.awaited) for agent in agents)
    for task in listening:
        task.cancel()
    for done in await asyncio.gather(*listening, return_exceptions=True):
        if isinstance(done, Exception):
            raise done
