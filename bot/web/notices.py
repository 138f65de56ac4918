"""Notices of the Notificaties API: something happened to a case, so that who follows it hears at once."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from aiohttp import web

from bot import metrics
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.follows import hasten
from bot.ports import Bus, Refused
from bot.tidings import TOPIC

log = logging.getLogger(__name__)

PATH = "/webhooks/zgw/notificaties"
PROVIDER = "zgw"
_CHANNEL = "zaken"
_MAX_BODY = 64 * 1024
_BODY_SECONDS, _PATIENCE = 10.0, 8.0


class Notices:
    """The address that is registered there, with a word of its own in `Authorization`. A notice only says where to
    look: what is told is asked of the system of cases."""

    def __init__(self, database: Database, bus: Bus, secret: str, clock: Clock = utc_now) -> None:
        self._database = database
        self._bus = bus
        self._expected = {secret.encode(), f"Bearer {secret}".encode()}
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """One address."""
        return [web.post(PATH, self.take)]

    async def take(self, request: web.Request) -> web.Response:
        """204: taken. 403 without the word: so the Notificaties API looks, when registering us, whether we are safe."""
        given = request.headers.get("Authorization", "").encode()
        if not any(hmac.compare_digest(given, one) for one in self._expected):
            metrics.REFUSED.labels(PROVIDER, "403").inc()
            raise Refused("not from the Notificaties API", 403)
        key = _case(await self._body(request))
        if key is not None:
            async with asyncio.timeout(_PATIENCE), self._database.write() as connection:
                followed = await hasten(connection, PROVIDER, key, self._clock())
            if followed:
                await self._bus.publish(TOPIC)
        return web.Response(status=204)

    @staticmethod
    async def _body(request: web.Request) -> dict[str, Any]:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = json.loads(await request.clone(client_max_size=_MAX_BODY).read())
        except TimeoutError:
            raise Refused("the body did not come in time", 408) from None
        except (ValueError, RecursionError):
            raise Refused("not JSON") from None
        if not isinstance(body, dict) or not isinstance(body.get("kanaal"), str):
            raise Refused("not a notice")
        return body


def _case(notice: dict[str, Any]) -> str | None:
    """The id of the case that it is about; None where it is about something else, such as a test."""
    address = notice.get("hoofdObject")
    if notice["kanaal"] != _CHANNEL or not isinstance(address, str):
        return None
    try:
        return str(UUID(urlsplit(address).path.rstrip("/").rpartition("/")[2]))
    except ValueError:
        raise Refused("hoofdObject is not the address of a case") from None
