"""Webhooks: verify, store, acknowledge. All thinking happens later."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot import metrics
from bot.ports import Accept, Channel, Refused, WebhookRequest


class Webhooks:
    """`POST /webhooks/<channel>` for every channel that is set up."""

    def __init__(self, channels: Mapping[str, Channel], accept: Accept) -> None:
        self._channels = channels
        self._accept = accept

    def routes(self) -> list[web.RouteDef]:
        """One address a channel."""
        return [web.post("/webhooks/{channel}", self.take)]

    async def take(self, request: web.Request) -> web.Response:
        """200 means: committed. Anything else makes the vendor try again, or tells who was wrong."""
        channel = self._channels.get(request.match_info["channel"])
        if channel is None:
            raise Refused("no such channel", 404)
        body = await request.read()
        try:
            channel.verify(WebhookRequest(request.method, request.headers, request.query, body))
            items = channel.parse(body)
        except Refused as refused:
            metrics.REFUSED.labels(channel.name, str(refused.status)).inc()
            raise
        await self._accept(items)
        return web.json_response({"accepted": len(items)})
