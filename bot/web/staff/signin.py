"""Signing in with a password, and out: `/inloggen` and `/uitloggen`."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.ports import Refused
from bot.staff.credentials import Credentials
from bot.staff.sessions import Visit
from bot.staff.signin import Proofs, SignIn, TooFast
from bot.web.staff.door import START, Door, onward, see_other
from bot.web.staff.form import field

_WRONG = (
    "Uw gebruikersnaam, wachtwoord of code klopt niet. Controleer alle drie en probeer het nog een keer. "
    "Elke code werkt één keer: wacht zo nodig tot uw app een nieuwe laat zien."
)


class SignInPages:
    """`local`: whether there are passwords with us; `work`: whether there is a provider of work accounts."""

    def __init__(
        self,
        door: Door,
        sign_in: SignIn,
        credentials: Credentials,
        client: Callable[[web.Request], str],
        *,
        local: bool,
        work: bool,
    ) -> None:
        self._door = door
        self._sign_in = sign_in
        self._credentials = credentials
        self._client = client
        self._local = local
        self._work = work

    def routes(self) -> list[web.RouteDef]:
        """What is needed to come in and to leave."""
        found = [
            self._door.get("/inloggen", None, self.show),
            self._door.post("/uitloggen", None, self.leave),
        ]
        if self._local:
            found.append(self._door.post("/inloggen", None, self.enter))
            found.append(self._door.get("/inloggen/eenmalig/{token}", None, self.enter_first))
        return found

    async def show(self, request: web.Request, visit: Visit) -> web.Response:
        """The form."""
        if visit.member:
            return see_other(START)
        return self._form(visit, onward(request.query.get("verder")))

    def _form(self, visit: Visit, onward: str, *, status: int = 200, **values: str) -> web.Response:
        shown = {"name": "", "problem": "", **values}
        more = {"local": self._local, "work": self._work, "onward": onward}
        return self._door.look.page("sign_in", visit, status=status, **more, **shown)

    async def enter(self, request: web.Request, visit: Visit) -> web.Response:
        """Name, password and code; a new session where all are right."""
        form = await request.post()
        name, further = field(form, "name"), onward(form.get("verder"))
        proofs = Proofs(name, field(form, "password"), field(form, "code"))
        try:
            token = await self._sign_in.try_in(proofs, self._client(request))
        except TooFast:
            raise Refused("too many tries: wait a few minutes", 429) from None
        if token is None:
            return self._form(visit, further, status=422, name=name[:64], problem=_WRONG)
        return await self._door.let_in(visit, token, further)

    async def enter_first(self, request: web.Request, visit: Visit) -> web.Response:
        """The link that was printed at the start, on an installation where nobody is known yet."""
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise Refused(
                "another site asked for this", 403
            )  # else it could sign somebody in without their knowing
        token = await self._credentials.first(request.match_info["token"])
        if token is None:
            raise Refused("this link does not work (any more)", 404)
        return await self._door.let_in(visit, token, START)

    async def leave(self, _request: web.Request, visit: Visit) -> web.Response:
        """Sign out."""
        if visit.member:
            await self._door.sessions.end(visit.token, visit.member.name)
        response = see_other("/inloggen")
        self._door.forget(response)
        return response
