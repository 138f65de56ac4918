"""A stand-in for the dialogue engine: keeps its protocol (docs/flow.md), takes its time, and says what it heard."""

from __future__ import annotations

import asyncio
import hmac
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

SECRET = "engine-secret"


@dataclass
class FakeDialogue:
    """Thinks up to `slowest` seconds about each message, and hands over to who asks for a `mens` or a `medewerker`."""

    chance: random.Random
    slowest: float = 0.05
    url: str = ""

    async def reply(self, request: web.Request) -> web.Response:
        """`POST /reply`."""
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {SECRET}".encode()):
            return web.json_response({"error": "unauthorized"}, status=401)
        message = (await request.json())["message"]
        await asyncio.sleep(self.chance.uniform(0, self.slowest))
        said = message["text"] or message["choice"] or ""
        commands: list[dict[str, Any]] = []
        if said.startswith(("mens ", "medewerker ")):
            commands = [{"name": "handoff", "args": {"reason": "asked", "topic": None}}]
        return web.json_response(
            {
                "messages": [] if commands else [{"text": f"U schreef: {said}"}],
                "commands": commands,
                "memory": {"heard": True},
                "trace": {"route": "handoff" if commands else "answer"},
            }
        )

    async def health(self, _request: web.Request) -> web.Response:
        """`GET /health`."""
        return web.json_response({"state": "ok", "model": "fake"})

    def settings(self) -> dict[str, str]:
        """The environment of a bot that asks it."""
        return {"ENGINE_URL": self.url, "ENGINE_SECRET": SECRET, "ACTIONS_SECRET": "actions-secret"}


@asynccontextmanager
async def dialogue(seed: int) -> AsyncIterator[FakeDialogue]:
    """Run one."""
    fake = FakeDialogue(random.Random(seed))
    app = web.Application()
    app.add_routes([web.post("/reply", fake.reply), web.get("/health", fake.health)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield fake
    finally:
        await runner.cleanup()
