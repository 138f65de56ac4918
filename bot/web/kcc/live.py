"""Live: a page hears at once that a part of it changed, and fetches that part again. Nothing else is in the stream."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.watch import Watch
from bot.web.kcc.doors import As, Door
from bot.web.member import Member, Permission

HEARTBEAT = 15.0


class Live:
    """`GET /kcc/events?conversation=<id>`."""

    def __init__(self, watch: Watch, as_agent: As) -> None:
        self._watch = watch
        self._as_agent = as_agent
        self._closing = asyncio.Event()

    def doors(self) -> list[Door]:
        """The one stream."""
        return [Door("GET", "/kcc/events", Permission.SEE_CONVERSATIONS, self.stream)]

    async def close(self, _app: web.Application) -> None:
        """End the streams, so that a stop need not wait for them."""
        self._closing.set()

    async def stream(self, request: web.Request, member: Member) -> web.StreamResponse:
        """Server-sent events: `own`, `queue` and `thread`, each at the start and then with every change; and `typing`
        when the resident types. Who comes back fetches the first three, so nothing can be missed or come twice."""
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        agent = self._as_agent(member)
        conversation = request.query.get("conversation", "")
        async with self._watch.viewer(agent.id, agent.teams, conversation) as viewer:
            await response.prepare(request)
            closing = asyncio.ensure_future(self._closing.wait())
            changed = asyncio.ensure_future(viewer.next())
            try:
                while not closing.done():
                    await asyncio.wait(
                        {changed, closing}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED
                    )
                    if changed.done():
                        events = "".join(f"event: {part}\ndata: \n\n" for part in changed.result())
                        await response.write(events.encode())
                        changed = asyncio.ensure_future(viewer.next())
                    elif not closing.done():
                        await response.write(b": still here\n\n")
            except ConnectionResetError:
                pass  # the page has gone; it comes back by itself
            finally:
                changed.cancel()
                closing.cancel()
        return response
