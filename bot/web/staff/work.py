"""Signing in with a work account: to the provider and back."""

from __future__ import annotations

import logging
from collections.abc import Callable

from aiohttp import web

from bot.ports import Bus, Refused
from bot.staff.oidc import OidcFault
from bot.staff.sessions import Visit
from bot.staff.work import NoAccess, WorkAccounts
from bot.web.staff.door import Door, onward, see_other

log = logging.getLogger(__name__)


class WorkPages:
    """`/inloggen/werkaccount`, and `/inloggen/terug`, which the provider must know."""

    def __init__(
        self, door: Door, work: WorkAccounts, bus: Bus, client: Callable[[web.Request], str]
    ) -> None:
        self._door = door
        self._work = work
        self._bus = bus
        self._client = client

    def routes(self) -> list[web.RouteDef]:
        """There and back."""
        return [
            self._door.get("/inloggen/werkaccount", None, self.leave),
            self._door.get("/inloggen/terug", None, self.come_back),
        ]

    async def leave(self, request: web.Request, visit: Visit) -> web.Response:
        """To the provider. It is noted who goes, so that is limited: widely, for many come from one office."""
        if not await self._bus.allow(f"work:{self._client(request)}", rate=5, burst=100):
            raise Refused("too many at once: wait a moment", 429)
        try:
            address = await self._work.leave(visit.token, onward(request.query.get("verder")))
        except OidcFault as fault:
            log.error("work accounts: %s", fault.reason)
            raise Refused("the provider of work accounts does not answer", 502) from None
        return see_other(address)

    async def come_back(self, request: web.Request, visit: Visit) -> web.Response:
        """From the provider: a session, or the reason why not."""
        asked = request.query
        if not asked.get("code") or not asked.get("state"):
            log.warning("work accounts: the provider let somebody not in")
            return self._door.look.page("no_access", visit, status=403, known=False)
        try:
            entered = await self._work.enter(visit.token, asked["state"], asked["code"], asked.get("iss"))
        except OidcFault as fault:
            log.error("work accounts: %s", fault.reason)
            raise Refused("signing in with a work account failed", 502) from None
        except NoAccess:
            return self._door.look.page("no_access", visit, status=403, known=True)
        return await self._door.let_in(visit, entered.token, entered.onward)
