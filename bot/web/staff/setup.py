"""Choosing a password and an app: by a link that counts once, or by who came in without a password."""

from __future__ import annotations

from aiohttp import web

from bot.ports import Refused
from bot.staff import passwords, totp
from bot.staff.credentials import Credentials, WrongCode
from bot.staff.members import Member
from bot.staff.roles import Permission
from bot.staff.sessions import Visit
from bot.web.staff.door import Door
from bot.web.staff.form import field

WRONG_CODE = "Deze code klopt niet. Kijk in uw app en vul de code in die er nu staat."


class SetupPages:
    """`/inloggen/instellen/<token>` and `/account/instellen`."""

    def __init__(self, door: Door, credentials: Credentials) -> None:
        self._door = door
        self._credentials = credentials

    def routes(self) -> list[web.RouteDef]:
        """Both, to look and to do."""
        own = Permission.OWN_ACCOUNT
        return [
            self._door.get("/inloggen/instellen/{token}", None, self.show),
            self._door.post("/inloggen/instellen/{token}", None, self.take),
            self._door.get("/account/instellen", own, self.show),
            self._door.post("/account/instellen", own, self.take),
        ]

    async def show(self, request: web.Request, visit: Visit) -> web.Response:
        """The form, with the picture for the app."""
        return await self._form(request, visit, await self._who(request, visit), {})

    async def take(self, request: web.Request, visit: Visit) -> web.Response:
        """Take them; the answer shows the recovery codes, once."""
        member = await self._who(request, visit)
        form = await request.post()
        password, again, code = (field(form, name) for name in ("password", "again", "code"))
        errors = wrong(password, again, member)
        if not code:
            errors["code"] = "Vul de code van 6 cijfers uit uw app in."
        if errors:
            return await self._form(request, visit, member, errors)
        try:
            chosen = await self._credentials.choose(member, password, code, request.match_info.get("token"))
        except WrongCode:
            return await self._form(request, visit, member, {"code": WRONG_CODE})
        if chosen is None:
            raise Refused("this link does not work (any more)", 404)
        if visit.member:  # somebody else, in the same browser
            await self._door.sessions.end(visit.token, visit.member.name)
        signed_in = Visit(chosen.token, member)
        response = self._door.look.page("codes", signed_in, codes=chosen.codes)
        self._door.remember(response, chosen.token)
        return response

    async def _who(self, request: web.Request, visit: Visit) -> Member:
        token = request.match_info.get("token")
        member = await self._credentials.invited(token) if token is not None else visit.member
        if member is None or (token is None and (member.has_password or not member.local)):
            raise Refused("this link does not work (any more)", 404)
        return member

    async def _form(
        self, request: web.Request, visit: Visit, member: Member, errors: dict[str, str]
    ) -> web.Response:
        shown = await app_to_set_up(self._door, self._credentials, member)
        status = 422 if errors else 200
        more = {"member": member, "action": request.path, "errors": errors}
        return self._door.look.page("setup", visit, status=status, **more, **shown)


async def app_to_set_up(door: Door, credentials: Credentials, member: Member) -> dict[str, str]:
    """What a form needs to show the secret of the app."""
    secret = await credentials.pending(member)
    told = totp.address(secret, member.name, f"Klaartje {door.look.municipality}")
    return {"picture": totp.picture(told), "secret": totp.spaced(secret)}


def wrong(password: str, again: str, member: Member) -> dict[str, str]:
    """What is wrong with a new password, by field."""
    if found := passwords.problems(password, member.name, member.display_name):
        return {"password": " ".join(found)}
    return {} if password == again else {"again": "De twee wachtwoorden zijn niet hetzelfde."}
