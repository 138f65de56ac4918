"""The private port: figures for the operator. The actions are added to it by `bot.app.roles`."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


def add_metrics(app: web.Application) -> None:
    """Serve `/metrics` and a sign of life."""

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def live(_request: web.Request) -> web.Response:
        return web.json_response({"state": "ok"})

    app.add_routes([web.get("/metrics", metrics), web.get("/health/live", live)])
