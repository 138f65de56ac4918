"""The private port: figures for the operator. The actions are added to it by `bot.app.roles`."""

from __future__ import annotations

import logging
from collections.abc import Collection

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from bot import metrics
from bot.usage import Usage, free_left

log = logging.getLogger(__name__)


def add_metrics(app: web.Application, usage: Usage, free: int, numbers: Collection[str]) -> None:
    """Serve `/metrics` and a sign of life. `numbers`: the channels that have `free` messages a month."""

    async def figures(_request: web.Request) -> web.Response:
        try:
            await _count(usage, free, numbers)
        except (SQLAlchemyError, OSError) as error:  # the other figures are worth the more then
            log.warning("the counts of messages can't be read: %s", type(error).__name__)
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def live(_request: web.Request) -> web.Response:
        return web.json_response({"state": "ok"})

    app.add_routes([web.get("/metrics", figures), web.get("/health/live", live)])


async def _count(usage: Usage, free: int, numbers: Collection[str]) -> None:
    counts, waiting = await usage.month(), await usage.waiting()
    for gauge in (metrics.MONTH, metrics.FREE_LEFT, metrics.OUTBOX):
        gauge.clear()
    for one in counts:
        metrics.MONTH.labels(one.channel, one.kind, "sent").set(one.sent)
        metrics.MONTH.labels(one.channel, one.kind, "delivered").set(one.delivered)
    for channel in numbers:
        metrics.FREE_LEFT.labels(channel).set(free_left(counts, channel, free))
    for (channel, state), number in waiting.items():
        metrics.OUTBOX.labels(channel, state).set(number)
