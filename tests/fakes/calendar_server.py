"""What the stand-ins for calendars of others share: a server, what goes wrong with it, and how many fit in a time."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from aiohttp import web

Json = dict[str, Any]
FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "calendars"


@dataclass
class Mishap:
    """What goes wrong, at calls of a method whose path has `path` in it (all where empty), so many times. `after`: it
    is done first. `status` with a `body`, or the connection breaks; `wait` seconds pass before."""

    status: int | None = None
    body: bytes = b""
    method: str = ""
    path: str = ""
    times: int = 1_000_000
    after: bool = False
    wait: float = 0.0
    headers: Mapping[str, str] | None = None

    def meets(self, method: str, path: str) -> bool:
        """Whether this call is one of them."""
        return self.times > 0 and self.method in ("", method) and self.path in path


class CalendarServer(ABC):
    """The server. `places` is how many more fit in each time on the wall, by product and location; `calls` what was
    asked, in order; `bodies` what came with it; `mishap` what goes wrong."""

    def __init__(self, shapes: str) -> None:
        self.places: dict[tuple[str, str], dict[datetime, int]] = {}
        self.appointments: dict[str, Json] = {}
        self.calls: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.mishap: Mishap | None = None
        self.url = ""
        self._shapes: Mapping[str, Json] = json.loads((FIXTURES / shapes).read_text(encoding="utf-8"))
        self._runner: web.AppRunner | None = None

    @abstractmethod
    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What it says when all is well."""

    def shape(self, shape: str, /, **values: Any) -> Json:
        """An object as the real one tells it, with these values."""
        found = deepcopy(self._shapes[shape])
        assert set(values) <= set(found), values
        return found | values

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.calls.append((request.method, request.raw_path))
        mishap = self.mishap if self.mishap and self.mishap.meets(request.method, request.raw_path) else None
        answer: web.StreamResponse | None = None
        if mishap is None or mishap.after:
            answer = await self.answer(request)
        if mishap is None:
            assert answer
            return answer
        mishap.times -= 1
        await asyncio.sleep(mishap.wait)
        if mishap.status is not None:
            return web.Response(status=mishap.status, body=mishap.body, headers=dict(mishap.headers or {}))
        if mishap.wait and answer is None:
            return await self.answer(request)
        assert request.transport
        request.transport.abort()
        return web.Response()
