"""The own account: another password, another app. And the page on which everybody begins."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.ports import Refused
from bot.staff.credentials import Credentials, WrongCode
from bot.staff.members import Member
from bot.staff.roles import Permission
from bot.staff.sessions import Visit
from bot.staff.signin import SignIn, TooFast
from bot.web.staff.door import START, Door, see_other
from bot.web.staff.form import field
from bot.web.staff.setup import WRONG_CODE, app_to_set_up, wrong

_WRONG_NOW = "Dit is niet uw wachtwoord. Probeer het nog een keer."

PLACES: tuple[tuple[Permission, str, str, str], ...] = (
    (Permission.SEE_CONVERSATIONS, "/kcc", "Gesprekken", "Wie er wacht, en uw gesprekken met bewoners."),
    (
        Permission.ASSIGN,
        "/kcc/overzicht",
        "Overzicht",
        "Wie er is, hoe lang bewoners wachten, en de cijfers van vandaag.",
    ),
    (Permission.SEE_FIGURES, "/sturing", "Sturing", "Hoe het gaat: gesprekken, wachten, cijfers en kosten."),
    (
        Permission.MANAGE_APPOINTMENTS,
        "/afspraken-beheer",
        "Afspraken",
        "Wie er vandaag komt, en welke dagen en loketten gesloten zijn.",
    ),
    (
        Permission.EDIT_ARTICLES,
        "/redactie",
        "Artikelen",
        "Wat Klaartje antwoordt: schrijven, controleren en publiceren.",
    ),
    (
        Permission.MANAGE_STAFF,
        "/beheer/medewerkers",
        "Medewerkers",
        "Wie er mag inloggen, met welke rollen en in welke teams.",
    ),
    (Permission.SEE_AUDIT, "/beheer/logboek", "Logboek", "Wie wat deed, en wanneer."),
)
"""Where somebody may go from the start page: permission, address, name and what is there."""


class AccountPages:
    """`/medewerkers` and `/account`."""

    def __init__(
        self,
        door: Door,
        credentials: Credentials,
        sign_in: SignIn,
        client: Callable[[web.Request], str],
    ) -> None:
        self._door = door
        self._credentials = credentials
        self._sign_in = sign_in
        self._client = client

    def routes(self) -> list[web.RouteDef]:
        """Pages for everybody who has signed in."""
        own = Permission.OWN_ACCOUNT
        return [
            self._door.get(START, own, self.start),
            self._door.get("/account", own, self.show),
            self._door.post("/account/wachtwoord", own, self.change_password),
            self._door.get("/account/app", own, self.show_app),
            self._door.post("/account/app", own, self.change_app),
        ]

    async def start(self, _request: web.Request, visit: Visit) -> web.Response:
        """Who you are and where you may go."""
        member = who(visit)
        places = [place[1:] for place in PLACES if member.may(place[0])]
        return self._door.look.page("start", visit, member=member, places=places)

    async def show(self, request: web.Request, visit: Visit) -> web.Response:
        """The account; `gelukt` says that the password was changed."""
        return self._account(visit, done="gelukt" in request.query)

    def _account(
        self, visit: Visit, *, done: bool = False, errors: dict[str, str] | None = None
    ) -> web.Response:
        more = {"member": who(visit), "done": done, "errors": errors or {}}
        return self._door.look.page("account", visit, status=422 if errors else 200, **more)

    async def change_password(self, request: web.Request, visit: Visit) -> web.Response:
        """Another password, for who knows the one of now."""
        member, form = with_password(visit), await request.post()
        known = await self._confirmed(request, member, field(form, "now"))
        errors = {} if known else {"now": _WRONG_NOW}
        errors |= wrong(field(form, "password"), field(form, "again"), member)
        if errors:
            return self._account(visit, errors=errors)
        response = see_other("/account?gelukt")
        self._door.remember(
            response, await self._credentials.change_password(member, field(form, "password"))
        )
        return response

    async def show_app(self, _request: web.Request, visit: Visit) -> web.Response:
        """The picture for another app."""
        return await self._app(visit, with_password(visit), {})

    async def change_app(self, request: web.Request, visit: Visit) -> web.Response:
        """Another app, for who knows the password; the answer shows new recovery codes, once."""
        member, form = with_password(visit), await request.post()
        if not await self._confirmed(request, member, field(form, "now")):
            return await self._app(visit, member, {"now": _WRONG_NOW})
        try:
            chosen = await self._credentials.change_app(member, field(form, "code"))
        except WrongCode:
            return await self._app(visit, member, {"code": WRONG_CODE})
        response = self._door.look.page("codes", Visit(chosen.token, member), codes=chosen.codes)
        self._door.remember(response, chosen.token)
        return response

    async def _app(self, visit: Visit, member: Member, errors: dict[str, str]) -> web.Response:
        shown = await app_to_set_up(self._door, self._credentials, member)
        return self._door.look.page("app", visit, status=422 if errors else 200, errors=errors, **shown)

    async def _confirmed(self, request: web.Request, member: Member, password: str) -> bool:
        try:
            return await self._sign_in.confirms(member.id, password, self._client(request))
        except TooFast:
            raise Refused("too many tries: wait a few minutes", 429) from None


def who(visit: Visit) -> Member:
    """Who has signed in. Raises `Refused` where nobody has."""
    if visit.member is None:
        raise Refused("sign in first", 401)
    return visit.member


def with_password(visit: Visit) -> Member:
    """The same, for who has a password with us. Raises `Refused`."""
    member = who(visit)
    if not member.has_password:
        raise Refused("this account has no password here", 404)
    return member
