"""Every route that is served, with what it needs, asked for by every role: a route without a row here fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.app import roles
from bot.staff.roles import PERMISSIONS, Permission, Role
from bot.web import member
from bot.web.server import serving
from bot.web.staff.door import guarded
from tests.conftest import SetClock
from tests.integration.test_kcc_doors import DOORS
from tests.integration.test_staff import ONLY_SQLITE, OPEN
from tests.staff import Office, open_office

Route = tuple[str, str]

RESIDENTS: frozenset[Route] = frozenset(
    {
        ("GET", "/"),
        ("GET", "/static/{version}/{name}"),
        ("POST", "/chat/sessions"),
        ("POST", "/chat/messages"),
        ("GET", "/chat/messages"),
        ("POST", "/chat/typing"),
        ("GET", "/chat/events"),
        ("GET", "/webhooks/{channel}"),
        ("POST", "/webhooks/{channel}"),
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/afspraken/{token}.ics"),
    }
)
"""What is for the whole internet. A new one needs a reason."""

STAFF: Mapping[Route, Permission] = {
    **{route: Permission(needs.value) for route, needs in DOORS.items()},
    ("GET", "/kcc/files/{token}"): Permission.SEE_FILES,
    ("GET", "/medewerkers"): Permission.OWN_ACCOUNT,
    ("GET", "/account"): Permission.OWN_ACCOUNT,
    ("POST", "/account/wachtwoord"): Permission.OWN_ACCOUNT,
    ("GET", "/account/app"): Permission.OWN_ACCOUNT,
    ("POST", "/account/app"): Permission.OWN_ACCOUNT,
    ("GET", "/account/instellen"): Permission.OWN_ACCOUNT,
    ("POST", "/account/instellen"): Permission.OWN_ACCOUNT,
    ("GET", "/redactie"): Permission.EDIT_ARTICLES,
    ("GET", "/redactie/nieuw"): Permission.EDIT_ARTICLES,
    ("POST", "/redactie/nieuw"): Permission.EDIT_ARTICLES,
    ("GET", "/redactie/proberen"): Permission.EDIT_ARTICLES,
    ("POST", "/redactie/bekijk"): Permission.EDIT_ARTICLES,
    ("GET", "/redactie/artikel/{slug}"): Permission.EDIT_ARTICLES,
    ("POST", "/redactie/artikel/{slug}"): Permission.EDIT_ARTICLES,
    ("GET", "/redactie/artikel/{slug}/controle"): Permission.EDIT_ARTICLES,
    ("POST", "/redactie/artikel/{slug}/controle"): Permission.PUBLISH_ARTICLES,
    ("GET", "/redactie/artikel/{slug}/versies"): Permission.EDIT_ARTICLES,
    ("POST", "/redactie/artikel/{slug}/versies"): Permission.EDIT_ARTICLES,
    ("POST", "/redactie/artikel/{slug}/weggooien"): Permission.EDIT_ARTICLES,
    ("POST", "/redactie/artikel/{slug}/intrekken"): Permission.PUBLISH_ARTICLES,
    ("GET", "/beheer/medewerkers"): Permission.MANAGE_STAFF,
    ("GET", "/beheer/medewerkers/nieuw"): Permission.MANAGE_STAFF,
    ("POST", "/beheer/medewerkers/nieuw"): Permission.MANAGE_STAFF,
    ("GET", "/beheer/medewerkers/{id}"): Permission.MANAGE_STAFF,
    ("POST", "/beheer/medewerkers/{id}"): Permission.MANAGE_STAFF,
    ("GET", "/beheer/medewerkers/{id}/{deed}"): Permission.MANAGE_STAFF,
    ("POST", "/beheer/medewerkers/{id}/{deed}"): Permission.MANAGE_STAFF,
    ("GET", "/afspraken-beheer"): Permission.MANAGE_APPOINTMENTS,
    ("POST", "/afspraken-beheer/afspraak"): Permission.MANAGE_APPOINTMENTS,
    ("POST", "/afspraken-beheer/sluiten"): Permission.MANAGE_APPOINTMENTS,
    ("POST", "/afspraken-beheer/openen"): Permission.MANAGE_APPOINTMENTS,
    ("GET", "/beheer/logboek"): Permission.SEE_AUDIT,
    ("GET", "/beheer/logboek.csv"): Permission.SEE_AUDIT,
    ("GET", "/sturing"): Permission.SEE_FIGURES,
    ("GET", "/sturing/cijfers.csv"): Permission.SEE_FIGURES,
}
"""What is for staff, each with what it needs."""


@pytest.fixture
async def office(
    database_url: str, tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Office, web.Application]]:
    """The house, and the very application that it serves."""
    served: list[web.Application] = []

    def watched(app: web.Application, host: str, port: int) -> Any:
        served.append(app)
        return serving(app, host, port)

    monkeypatch.setattr(roles, "serving", watched)
    async with open_office(database_url, tmp_path, clock) as opened:
        [app] = served
        yield opened, app


@ONLY_SQLITE
async def test_every_route_has_its_row(office: tuple[Office, web.Application]) -> None:
    found: dict[Route, Permission | None] = {}
    for route in office[1].router.routes():
        assert route.resource
        if route.method != "HEAD":
            guard = guarded(route.handler)
            found[route.method, route.resource.canonical] = guard.needs if guard else None
            assert (guard is None) == ((route.method, route.resource.canonical) in RESIDENTS)
    assert found.keys() == RESIDENTS | OPEN | STAFF.keys()
    assert {route: needs for route, needs in found.items() if needs} == STAFF


@ONLY_SQLITE
async def test_every_route_for_every_role(office: tuple[Office, web.Application]) -> None:
    house, _ = office
    for role in (None, *Role):
        browser = await house.browser()
        await house.hires(f"somebody-{role}", role or Role.ADMIN, browser=browser)
        if role is None:  # nobody: the page is asked for without signing in
            browser = await house.browser()
        for (method, path), needs in STAFF.items():
            place = path.format(id="nobody", slug="nothing", token="x" * 43, deed="blokkeren")
            # Without the word of the session nothing is done: who may is told so (409), who may not that (403).
            async with browser.session.request(method, place, allow_redirects=False) as answer:
                status = answer.status
            if role is None:
                assert status == (303 if method == "GET" else 401), (method, path)
            elif needs not in PERMISSIONS[role]:
                assert status == 403, (role, method, path)
            elif method == "GET":
                assert status in (200, 303, 400, 404), (role, method, path, status)
            else:
                assert status == 409, (role, method, path, status)


def test_the_console_knows_the_same_roles() -> None:
    """It has a table of its own; what a role may by one, it may by the other."""
    theirs = {permission.value for permission in member.Permission}
    for role in Role:
        here = {permission.value for permission in PERMISSIONS[role]} & theirs
        assert {one.value for one in member.PERMISSIONS.get(role.value, ())} == here, role
    assert set(member.PERMISSIONS) <= {role.value for role in Role}
