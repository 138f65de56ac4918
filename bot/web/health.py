"""Health: is the process alive, and is each part ready."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from bot.logs import trail
from bot.ports import Health

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[Health]]


PATIENCE = 4.0
"""Seconds that a part may take to answer; who asks us waits no longer."""


class HealthPage:
    """`/health/live` says that the process runs; `/health/ready` the state of each part and channel."""

    def __init__(self, parts: Mapping[str, Check], channels: Mapping[str, Check]) -> None:
        self._parts = parts
        self._channels = channels

    def routes(self) -> list[web.RouteDef]:
        """Both pages."""
        return [web.get("/health/live", self.live), web.get("/health/ready", self.ready)]

    async def live(self, _request: web.Request) -> web.Response:
        """Always 200: the process answers."""
        return web.json_response({"state": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """503 where a part is down without which no message is taken or answered. A channel that is down is
        told but is no reason: the others work."""
        parts, channels = await asyncio.gather(_look(self._parts), _look(self._channels))
        states = [health.state for health in parts.values()]
        state = "down" if "down" in states else "degraded" if "degraded" in states else "ok"
        body = {"state": state, "parts": _words(parts), "channels": _words(channels)}
        return web.json_response(body, status=503 if state == "down" else 200)


async def _look(checks: Mapping[str, Check]) -> dict[str, Health]:
    checks = dict(checks)  # parts come and go while we look
    found = await asyncio.gather(*(_state(name, check) for name, check in checks.items()))
    return dict(zip(checks, found, strict=True))


async def _state(name: str, check: Check) -> Health:
    try:
        async with asyncio.timeout(PATIENCE):
            return await check()
    except TimeoutError:
        return Health("down", f"no answer within {PATIENCE:.0f} s")
    except Exception as error:  # whatever is wrong with one part: the others must still be told
        log.error("health of %s: %s", name, trail(error))
        return Health("down", type(error).__name__)


def _words(found: Mapping[str, Health]) -> dict[str, dict[str, str]]:
    return {name: {"state": health.state, "detail": health.detail} for name, health in found.items()}
