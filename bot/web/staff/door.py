"""The door to every page of staff: who comes in, with which permission, from which page, and with which headers."""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

import sqlalchemy as sa
from aiohttp import web

from bot.logs import trail
from bot.ports import Refused
from bot.staff.roles import Permission
from bot.staff.secret import is_token, new_token
from bot.staff.sessions import Sessions, Visit
from bot.web.staff.look import Look

log = logging.getLogger(__name__)

Handler = Callable[[web.Request, Visit], Awaitable[web.StreamResponse]]
Reach = Callable[[], Awaitable[bool]]

STAFF = re.compile(
    r"/(kcc|redactie|sturing|beheer|medewerkers|afspraken-beheer|account|inloggen|uitloggen)(/|$)"
)
"""What is behind the door."""

_ONWARD = re.compile(
    r"/(kcc|redactie|sturing|beheer|medewerkers|afspraken-beheer|account)(/[A-Za-z0-9_./-]{0,200})?"
)
START = "/medewerkers"

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "font", "connect")),
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Unguarded(Exception):
    """A page of staff that says of nobody who may see it; it must not be served."""


class Door:
    """Makes routes that only who may can reach. `public_url` decides what is our own page, and how safe the cookie."""

    def __init__(self, sessions: Sessions, look: Look, public_url: str | None) -> None:
        self.sessions = sessions
        self.look = look
        self._host = urlsplit(public_url).netloc if public_url else None
        self._secure = bool(public_url and public_url.startswith("https://"))
        self.cookie = "__Host-klaartje" if self._secure else "klaartje-staff"

    def get(
        self, path: str, needs: Permission | None, handler: Handler, *, unless: Reach | None = None
    ) -> web.RouteDef:
        """A page to look at. `needs` None: anybody may, for signing in. `unless`: with yes it is open after all."""
        return web.get(path, Guarded(self, needs, handler, unless).__call__, allow_head=False)

    def post(self, path: str, needs: Permission | None, handler: Handler) -> web.RouteDef:
        """Something to do. The form, or the header X-CSRF-Token, must bring back the word of the session."""
        return web.post(path, Guarded(self, needs, handler).__call__)

    async def visit(self, request: web.Request) -> Visit:
        """Who is there; with a new token for who has none."""
        token = request.cookies.get(self.cookie, "")
        if not is_token(token):
            return Visit(new_token())
        return Visit(token, await self.sessions.find(token))

    def remember(self, response: web.StreamResponse, token: str) -> None:
        """Put the token in the cookie; the browser keeps it until it closes."""
        response.set_cookie(self.cookie, token, path="/", httponly=True, secure=self._secure, samesite="Lax")

    async def let_in(self, visit: Visit, token: str, path: str) -> web.Response:
        """Go on with a new session, and only with that."""
        if visit.member:  # somebody was in already, in this browser
            await self.sessions.end(visit.token, visit.member.name)
        response = see_other(path)
        self.remember(response, token)
        return response

    def forget(self, response: web.StreamResponse) -> None:
        """Take the cookie away."""
        response.del_cookie(self.cookie, path="/", httponly=True, secure=self._secure, samesite="Lax")

    async def check(self, request: web.Request, visit: Visit) -> None:
        """Raises `Refused` unless a page of ours asked for it, in this session."""
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin", "null")
        # Without a referrer browsers send the origin "null", also from our own pages.
        if site is not None and site != "same-origin":
            raise Refused("another site asked for this", 403)
        if origin != "null" and origin.partition("://")[2] != (self._host or request.host):
            raise Refused("another site asked for this", 403)
        word = request.headers.get("X-CSRF-Token")
        if word is None and request.content_type in _FORMS:
            field = (await request.post()).get("csrf")
            word = field if isinstance(field, str) else None
        if not hmac.compare_digest((word or "").encode("utf-8", "replace"), visit.csrf.encode()):
            raise Refused("the word of the session (X-CSRF-Token) is missing or old", 409)


class Guarded:
    """A handler behind the door."""

    def __init__(
        self, door: Door, needs: Permission | None, handler: Handler, unless: Reach | None = None
    ) -> None:
        self.needs = needs
        self._door = door
        self._handler = handler
        self._unless = unless

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Let in or refuse; what goes wrong is told in words, to a program in JSON."""
        try:
            visit = await self._door.visit(request)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            log.error("the store did not say who it is: %s", trail(error))
            return self._told(request, Visit(""), Refused("not now: try again", 503))
        try:
            response = await self._answer(request, visit)
        except Refused as refused:
            response = self._told(request, visit, refused)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            response = self._told(request, visit, Refused(error.reason, error.status))
        except (sa.exc.SQLAlchemyError, OSError) as error:
            log.error("the store did not take it: %s", trail(error))
            response = self._told(request, visit, Refused("not stored: try again", 503))
        except Exception as error:  # outermost boundary: told to the operator, not to who asked
            log.error("%s failed: %s", request.match_info.route.resource, trail(error))
            response = self._told(request, visit, Refused("something went wrong here: try again later", 500))
        known = self._door.cookie in response.cookies or request.cookies.get(self._door.cookie) == visit.token
        if not known and not response.prepared:
            self._door.remember(response, visit.token)
        return response

    async def _answer(self, request: web.Request, visit: Visit) -> web.StreamResponse:
        if self.needs is not None and not (self._unless and await self._unless()):
            if visit.member is None:
                if request.method not in _SAFE or _is_program(request):
                    raise Refused("sign in first", 401)
                onward = request.path if _ONWARD.fullmatch(request.path) else START
                return see_other(f"/inloggen?verder={onward}" if onward != START else "/inloggen")
            if not visit.member.may(self.needs):
                log.info("%s is not for who asked: %s", request.match_info.route.resource, self.needs)
                raise Refused(f"this needs the permission to {self.needs}", 403)
        if request.method not in _SAFE:
            await self._door.check(request, visit)
        return await self._handler(request, visit)

    def _told(self, request: web.Request, visit: Visit, refused: Refused) -> web.StreamResponse:
        if _is_program(request):
            return web.json_response({"error": refused.reason}, status=refused.status)
        return self._door.look.message(visit, refused.status)


def onward(wanted: object) -> str:
    """Where to go on after signing in: a page of staff that was asked for, or the start page."""
    return wanted if isinstance(wanted, str) and _ONWARD.fullmatch(wanted) else START


def see_other(path: str) -> web.Response:
    """Go and look there."""
    return web.Response(status=303, headers={"Location": path})


def add_staff(app: web.Application, routes: Iterable[web.RouteDef]) -> None:
    """Add pages of staff, with the headers that keep them closed."""
    app.add_routes(routes)
    app.on_response_prepare.append(_close)


def hold(app: web.Application) -> None:
    """Raises `Unguarded` where a page of staff is not behind the door."""
    for route in app.router.routes():
        path = route.resource.canonical if route.resource else ""
        if STAFF.match(path) and guarded(route.handler) is None:
            raise Unguarded(f"{route.method} {path} declares no permission")


def guarded(handler: object) -> Guarded | None:
    """What a route's handler is guarded by."""
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, Guarded) else None


async def _close(request: web.Request, response: web.StreamResponse) -> None:
    if STAFF.match(request.path):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)


def _is_program(request: web.Request) -> bool:
    """Whether a script of ours asks, that wants JSON."""
    accepts = request.headers.get("Accept", "")
    return "X-CSRF-Token" in request.headers or "json" in accepts or "event-stream" in accepts
