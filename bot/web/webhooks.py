"""Webhooks: verify, store, acknowledge. All thinking happens later."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import web

from bot import metrics
from bot.ports import Accept, Channel, Refused, WebhookRequest

MAX_BODY = 3 * 2**20
"""Bytes of a webhook call: so large are WhatsApp's batches at the most."""

BODY_SECONDS = 10.0
"""Seconds in which a body must be here."""

PATIENCE = 8.0
"""Seconds that the store may take. Then the vendor hears 503 and brings it again, whatever becomes of it here: what
was stored after all is stored once."""


class Webhooks:
    """`/webhooks/<channel>` for every channel that is set up: POST brings messages, GET asks whether it is us."""

    def __init__(self, channels: Mapping[str, Channel], accept: Accept) -> None:
        self._channels = channels
        self._accept = accept

    def routes(self) -> list[web.RouteDef]:
        """One address a channel."""
        return [
            web.post("/webhooks/{channel}", self.take),
            web.get("/webhooks/{channel}", self.greet, allow_head=False),
        ]

    async def greet(self, request: web.Request) -> web.Response:
        """A vendor looks whether the address is ours, before it brings anything."""
        channel = self._channel(request)
        try:
            answer = channel.handshake(WebhookRequest("GET", request.headers, request.query, b""))
        except Refused as refused:
            metrics.REFUSED.labels(channel.name, str(refused.status)).inc()
            raise
        return web.Response(text=answer, headers={"X-Content-Type-Options": "nosniff"})

    @staticmethod
    async def _body(request: web.Request) -> bytes:
        """All of it. Anybody can call: who dawdles does not keep us."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await request.clone(client_max_size=MAX_BODY).read()
        except TimeoutError:
            raise Refused("the body did not come in time", 408) from None
        except (ConnectionError, web.RequestPayloadError):
            raise Refused("the body broke off", 400) from None

    def _channel(self, request: web.Request) -> Channel:
        channel = self._channels.get(request.match_info["channel"])
        if channel is None:
            raise Refused("no such channel", 404)
        return channel

    async def take(self, request: web.Request) -> web.Response:
        """200 means: committed. Anything else makes the vendor try again, or tells who was wrong."""
        channel = self._channel(request)
        body = await self._body(request)
        try:
            channel.verify(WebhookRequest(request.method, request.headers, request.query, body))
            items = channel.parse(body)
        except Refused as refused:
            metrics.REFUSED.labels(channel.name, str(refused.status)).inc()
            raise
        async with asyncio.timeout(PATIENCE):
            await self._accept(items)
        return web.json_response({"accepted": len(items)})
