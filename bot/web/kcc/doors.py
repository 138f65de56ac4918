"""The doors of the console: each route names the permission that it needs, and nobody comes in without."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from bot.desk import Agent
from bot.web.member import SIGN_IN, Identify, Member, Permission, is_own_page, permitted

Handler = Callable[[web.Request, Member], Awaitable[web.StreamResponse]]

As = Callable[[Member], Agent]
"""Makes an agent of a member."""

_SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Door:
    """One route. `page`: somebody who is not signed in is led to where they can."""

    method: str
    path: str
    permission: Permission
    handler: Handler
    page: bool = False

    def route(self, identify: Identify) -> web.RouteDef:
        """As the server knows it."""

        async def enter(request: web.Request) -> web.StreamResponse:
            member = await identify(request)
            if member is None:
                if self.page:
                    raise web.HTTPSeeOther(SIGN_IN, headers={"Cache-Control": "no-store"})
                return problem(401, "U bent niet (meer) ingelogd.")
            if not permitted(member.roles, self.permission):
                return problem(403, "U mag dit niet.")
            if self.method not in _SAFE and not is_own_page(member, request):
                return problem(403, "Deze pagina is niet meer geldig. Laad de pagina opnieuw.")
            return await self.handler(request, member)

        options = {"allow_head": False} if self.method == "GET" else {}
        return web.route(self.method, self.path, enter, **options)


def problem(status: int, reason: str) -> web.Response:
    """Why something can't be, in words for an agent."""
    safe = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return web.json_response({"error": reason}, status=status, headers=safe)
