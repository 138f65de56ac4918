"""Live: a page hears at once that a part of it changed, and fetches that part again. Nothing else is in the stream."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.board import Boards
from bot.ports import Bus
from bot.signs import resident_types
from bot.thread import Threads
from bot.web.kcc.doors import As, Door
from bot.web.member import Member, Permission

LOOK = 3.0
"""Seconds between looks without a wake: vendors tell of their receipts without one, and the bus may be gone."""

LEAST = 0.25
"""Seconds between looks at least, however much is said elsewhere."""

HEARTBEAT = 15.0


class Live:
    """`GET /kcc/events?conversation=<id>`."""

    def __init__(self, bus: Bus, boards: Boards, threads: Threads, as_agent: As) -> None:
        self._bus = bus
        self._boards = boards
        self._threads = threads
        self._as_agent = as_agent
        self._closing = asyncio.Event()

    def doors(self) -> list[Door]:
        """The one stream."""
        return [Door("GET", "/kcc/events", Permission.SEE_CONVERSATIONS, self.stream)]

    async def close(self, _app: web.Application) -> None:
        """End the streams, so that a stop need not wait for them."""
        self._closing.set()

    async def stream(self, request: web.Request, member: Member) -> web.StreamResponse:
        """Server-sent events: `board` and `thread`, each at the start and then with every change; and `typing` when
        the resident types. Who comes back fetches the first two, so nothing can be missed or come twice."""
        conversation = request.query.get("conversation", "")
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        topics = ("console", resident_types(conversation)) if conversation else ("console",)
        async with self._bus.subscribe(*topics) as wakes:
            await response.prepare(request)
            known: dict[str, str] = {}
            waiting = asyncio.ensure_future(anext(wakes))
            closing = asyncio.ensure_future(self._closing.wait())
            loop = asyncio.get_running_loop()
            quiet_since = loop.time()
            try:
                while not self._closing.is_set():
                    for name, mark in (await self._marks(member, conversation)).items():
                        if known.get(name) != mark:
                            known[name] = mark
                            await response.write(f"event: {name}\ndata: \n\n".encode())
                            quiet_since = loop.time()
                    if loop.time() - quiet_since > HEARTBEAT:
                        quiet_since = loop.time()
                        await response.write(b": still here\n\n")
                    await asyncio.wait({closing}, timeout=LEAST)
                    await asyncio.wait({waiting, closing}, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
                    types = False
                    while waiting.done() and not closing.done():  # many wakes are one look
                        types = types or waiting.result()[1] == "types"
                        waiting = asyncio.ensure_future(anext(wakes))
                        await asyncio.sleep(0)
                    if types:
                        await response.write(b"event: typing\ndata: \n\n")
                        quiet_since = loop.time()
            except ConnectionResetError:
                pass  # the page has gone; it comes back by itself
            finally:
                waiting.cancel()
                closing.cancel()
        return response

    async def _marks(self, member: Member, conversation: str) -> dict[str, str]:
        agent = self._as_agent(member)
        marks = {"board": await self._boards.mark(agent.id, agent.teams)}
        if conversation:
            marks["thread"] = await self._threads.mark(conversation)
        return marks
