"""The pages of staff on a real socket: who gets in, who does not, and what stays behind."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
from aiohttp import web
from yarl import URL

from bot.app.staff import first_link, staff_pages
from bot.db.tables import (
    audit,
    conversations,
    media,
    recovery_codes,
    staff_links,
    staff_sessions,
    users,
)
from bot.residents import new_conversation
from bot.staff.members import Wanted
from bot.staff.roles import PERMISSIONS, Permission, Role
from bot.staff.sessions import LONGEST, Visit
from bot.web.kcc.shelf import Shelf
from bot.web.server import application, serving
from bot.web.staff.door import HEADERS, STAFF, Guarded, Unguarded, add_staff, guarded, hold
from tests.conftest import SetClock
from tests.staff import PASSWORD, Browser, Office, open_office

ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def office(database_url: str, tmp_path: Path, clock: SetClock) -> AsyncIterator[Office]:
    async with open_office(database_url, tmp_path, clock) as opened:
        yield opened


@pytest.fixture
async def browser(office: Office) -> Browser:
    return await office.browser()


class TestComingIn:
    async def test_by_a_link_and_then_by_password_and_code(self, office: Office, browser: Browser) -> None:
        sanne = await office.hires("sanne", Role.AGENT, Role.TEAM_LEAD, browser=browser)
        assert len(sanne.codes) == 10
        page = await browser.get("/medewerkers")
        assert page.title == "Welkom, Sanne de Vries"
        assert "medewerker KCC, teamleider KCC" in page.text
        other = await office.browser()
        assert (await sanne.signs_in(other)).goes_to == "/medewerkers"
        assert (await other.get("/medewerkers")).status == 200
        assert await office.noted() == [
            ("engineer", "added member of staff"),
            ("sanne", "chose password and app"),
            ("sanne", "signed in"),
            ("sanne", "signed in"),
        ]

    async def test_a_link_counts_once_and_for_a_day(
        self, office: Office, browser: Browser, clock: SetClock
    ) -> None:
        await office.hires("sanne", Role.AGENT)
        assert await office.rows(staff_links) == []
        link = await office.house.members.add("piet", "Piet", [Role.EDITOR], actor="engineer")
        assert (await browser.get(f"/inloggen/instellen/{link}")).status == 200
        assert (await browser.get(f"/inloggen/instellen/{link[:-1]}x")).status == 404
        clock.forward(hours=24)
        assert (await browser.get(f"/inloggen/instellen/{link}")).status == 404
        assert (await browser.post(f"/inloggen/instellen/{link}")).status == 404

    async def test_who_takes_over_a_browser_takes_over_no_session(
        self, office: Office, browser: Browser
    ) -> None:
        await office.hires("sanne", Role.AGENT, browser=browser)
        await office.hires("piet", Role.EDITOR, browser=browser)
        assert "piet" in (await browser.get("/medewerkers")).text
        assert len(await office.rows(staff_sessions)) == 1
        assert ("sanne", "signed out") in await office.noted()

    async def test_a_bad_password_or_code_is_told_at_its_field(
        self, office: Office, browser: Browser
    ) -> None:
        link = await office.house.members.add("sanne", "Sanne de Vries", [Role.AGENT], actor="engineer")
        path = f"/inloggen/instellen/{link}"
        secret = (await browser.get(path)).secret
        page = await browser.post(path, password="sannesannesanne", again="x", code="000000")
        assert page.status == 422
        assert "Uw naam staat in uw wachtwoord" in page.text
        assert 'aria-describedby="password-error password-hint"' in page.text
        assert '<a class="nl-link" href="#password">' in page.text
        assert "sannesanne" not in page.text
        page = await browser.post(path, password=PASSWORD, again=PASSWORD + "x", code="000000")
        assert 'aria-describedby="again-error"' in page.text
        page = await browser.post(path, password=PASSWORD, again=PASSWORD, code="000000")
        assert 'aria-describedby="code-error"' in page.text
        assert page.secret == secret
        [row] = await office.rows(users)
        assert row.password_hash is row.totp_secret is None

    async def test_all_that_is_wrong_is_answered_alike(self, office: Office, browser: Browser) -> None:
        sanne = await office.hires("sanne", Role.AGENT)
        await office.hires("weg", Role.AGENT)
        await office.house.members.disable("weg", actor="engineer")
        await office.house.members.add("nieuw", "Nieuw", [Role.AGENT], actor="engineer")
        seen = set()
        for wrong in (
            {"password": "iets heel anders"},
            {"code": "000000"},
            {"code": ""},
            {"name": "niemand"},
            {"name": "weg"},
            {"name": "nieuw"},
            {"name": "", "password": "", "code": ""},
        ):
            page = await sanne.signs_in(browser, **wrong)
            typed = wrong.get("name", "sanne")
            shown = page.text.replace(page.csrf, "CSRF").replace(f'type="text" value="{typed}"', "VALUE", 1)
            seen.add((page.status, shown))
            assert (await browser.get("/medewerkers")).status == 303
        assert len(seen) == 1
        assert "klopt niet" in seen.pop()[1]
        failed = [row for row in await office.rows(audit) if row.action == "sign-in failed"]
        assert {row.actor for row in failed} == {"-"}
        assert "niemand" not in str(failed)

    async def test_a_code_counts_once(self, office: Office, browser: Browser, clock: SetClock) -> None:
        sanne = await office.hires("sanne", Role.AGENT)
        assert (await sanne.signs_in(browser)).status == 303
        again, code = await office.browser(), sanne.code
        clock.forward(seconds=-30)  # the same half minute, after `signs_in` has moved on
        assert (await sanne.signs_in(again, code=code)).status == 422

    async def test_a_recovery_code_counts_once(self, office: Office, browser: Browser) -> None:
        sanne = await office.hires("sanne", Role.AGENT)
        code = f" {sanne.codes[3].upper()} "
        assert (await sanne.signs_in(browser, password="verkeerd", code=code)).status == 422
        assert (await sanne.signs_in(browser, code=code)).status == 303
        assert (await sanne.signs_in(await office.browser(), code=code)).status == 422
        assert len(await office.rows(recovery_codes)) == 9

    async def test_after_too_many_tries_one_waits_and_then_may_again(
        self, office: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.staff.signin._ACCOUNT_RATE", 1e-6)
        sanne = await office.hires("sanne", Role.AGENT)
        for name in ("sanne", "niemand"):
            statuses = [(await sanne.signs_in(browser, name=name, code="1")).status for _ in range(9)]
            assert statuses == [422] * 8 + [429]
        page = await sanne.signs_in(browser)
        assert (page.status, page.title) == (429, "Te veel pogingen")
        monkeypatch.setattr("bot.staff.signin._ACCOUNT_RATE", 1000.0)
        assert (await sanne.signs_in(browser)).status == 303

    @ONLY_SQLITE
    async def test_one_address_may_not_try_many_names(
        self, office: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.staff.signin._ADDRESS_RATE", 1e-6)
        await browser.get("/inloggen")
        asked = [await browser.post("/inloggen", name=f"n{n}", password="x", code="1") for n in range(21)]
        assert [page.status for page in asked] == [422] * 20 + [429]

    async def test_after_signing_in_one_goes_on_but_not_elsewhere(
        self, office: Office, browser: Browser
    ) -> None:
        sanne = await office.hires("sanne", Role.AGENT)
        page = await browser.get("/account/app")
        assert page.goes_to == "/inloggen?verder=/account/app"
        page = await browser.get(page.goes_to)
        assert 'name="verder" value="/account/app"' in page.text
        assert (await sanne.signs_in(browser, verder="/account/app")).goes_to == "/account/app"
        for wrong in (
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/account/../..//x?y",
            "/",
        ):
            page = await browser.get(f"/inloggen?verder={wrong}")
            other = await office.browser()
            assert (await sanne.signs_in(other, verder=wrong)).goes_to == "/medewerkers"


class TestTheFirst:
    async def test_comes_in_by_the_printed_link_once(self, office: Office, browser: Browser) -> None:
        link = await first_link(office.house, office.address)
        assert link
        path = URL(link).path
        assert path.rpartition("/")[2] not in str(await office.rows(staff_links))
        page = await browser.get(path, **{"Sec-Fetch-Site": "cross-site"})
        assert page.status == 403
        assert (await browser.get(path)).goes_to == "/medewerkers"
        page = await browser.get("/medewerkers")
        assert "nog geen wachtwoord" in page.text and "beheerder" in page.text
        assert (await (await office.browser()).get(path)).status == 404
        assert await first_link(office.house, office.address) is None

    async def test_an_old_link_does_not_count(
        self, office: Office, browser: Browser, clock: SetClock
    ) -> None:
        old = URL(await first_link(office.house, office.address) or "").path
        new = URL(await first_link(office.house, office.address) or "").path
        assert (await browser.get(old)).status == 404
        clock.forward(hours=1)
        assert (await browser.get(new)).status == 404
        newest = URL(await first_link(office.house, office.address) or "").path
        await office.hires("sanne", Role.AGENT)
        assert (await browser.get(newest)).status == 404

    async def test_chooses_a_password_then(self, office: Office, browser: Browser, clock: SetClock) -> None:
        await browser.get(URL(await first_link(office.house, office.address) or "").path)
        before = browser.token
        page = await browser.get("/account/instellen")
        code = pyotp.TOTP(page.secret).at(clock.now)
        page = await browser.post("/account/instellen", password=PASSWORD, again=PASSWORD, code=code)
        assert page.title == "Bewaar uw herstelcodes"
        assert browser.token != before
        assert (await browser.get("/account/instellen")).status == 404
        assert (await browser.post("/account/instellen", password=PASSWORD, again=PASSWORD)).status == 404


class TestSessions:
    async def test_a_new_token_at_signing_in_and_the_old_one_is_worth_nothing(
        self, office: Office, browser: Browser
    ) -> None:
        sanne = await office.hires("sanne", Role.AGENT)
        await browser.get("/inloggen")
        planted = browser.token
        assert len(planted) == 43
        await sanne.signs_in(browser)
        assert browser.token != planted
        thief = await office.browser()
        thief.session.cookie_jar.update_cookies({"klaartje-staff": planted}, URL(office.address))
        assert (await thief.get("/medewerkers")).status == 303
        assert browser.token not in str([*await office.rows(staff_sessions)])

    async def test_signing_in_again_ends_the_session_before(self, office: Office, browser: Browser) -> None:
        sanne = await office.hires("sanne", Role.AGENT, browser=browser)
        await browser.get("/medewerkers")
        first = browser.token
        page = await browser.post("/inloggen", name="sanne", password=PASSWORD, code=sanne.codes[0])
        assert page.status == 303 and browser.token != first
        assert len(await office.rows(staff_sessions)) == 1

    async def test_it_ends_by_rest(self, office: Office, browser: Browser, clock: SetClock) -> None:
        await office.hires("sanne", Role.AGENT, browser=browser)
        for _ in range(3):
            clock.forward(minutes=59)
            assert (await browser.get("/medewerkers")).status == 200
        clock.forward(minutes=61)
        assert (await browser.get("/medewerkers")).status == 303

    async def test_it_ends_by_age(self, office: Office, browser: Browser, clock: SetClock) -> None:
        await office.hires("sanne", Role.AGENT, browser=browser)
        for _ in range(int(LONGEST.total_seconds() / 3600) - 1):
            clock.forward(minutes=59)
            assert (await browser.get("/medewerkers")).status == 200
        clock.forward(minutes=59)
        clock.forward(minutes=13)
        assert (await browser.get("/medewerkers")).status == 303

    async def test_signing_out_ends_it(self, office: Office, browser: Browser) -> None:
        await office.hires("sanne", Role.AGENT, browser=browser)
        token = browser.token
        assert (await browser.get("/uitloggen")).status == 405
        await browser.get("/medewerkers")
        assert (await browser.post("/uitloggen")).goes_to == "/inloggen"
        browser.session.cookie_jar.update_cookies({"klaartje-staff": token}, URL(office.address))
        assert (await browser.get("/medewerkers")).status == 303
        assert await office.rows(staff_sessions) == []
        assert ("sanne", "signed out") in await office.noted()

    @pytest.mark.parametrize("deed", ["disable", "reset"])
    async def test_who_is_let_in_no_more_is_out_at_once(
        self, office: Office, browser: Browser, deed: str
    ) -> None:
        sanne = await office.hires("sanne", Role.AGENT, browser=browser)
        await getattr(office.house.members, deed)("sanne", actor="engineer")
        assert (await browser.get("/medewerkers")).status == 303
        assert await office.rows(staff_sessions) == []
        assert (await sanne.signs_in(browser)).status == 422
        assert (await sanne.signs_in(browser, code=sanne.codes[0])).status == 422
        if deed == "disable":
            await office.house.members.enable("sanne", actor="engineer")
            assert (await sanne.signs_in(browser)).status == 303

    async def test_other_roles_count_at_once(self, office: Office, browser: Browser) -> None:
        await office.hires("sanne", Role.EDITOR, browser=browser)
        assert (await browser.get(f"/kcc/files/{'x' * 43}")).status == 403
        await office.house.members.change("sanne", Wanted(roles=[Role.AGENT]), actor="engineer")
        assert (await browser.get(f"/kcc/files/{'x' * 43}")).status == 404

    @ONLY_SQLITE
    async def test_the_cookie_is_closed(self, database_url: str, tmp_path: Path, clock: SetClock) -> None:
        for url, name, secure in (
            ("https://chat.example.nl", "__Host-klaartje", True),
            ("http://127.0.0.1:8080", "klaartje-staff", False),
        ):
            async with open_office(database_url, tmp_path, clock, public_url=url) as office:
                page = await (await office.browser()).get("/inloggen")
            cookie = page.headers["Set-Cookie"]
            assert cookie.startswith(f"{name}=")
            parts = {part.strip() for part in cookie.split(";")[1:]}
            assert parts == {"HttpOnly", "Path=/", "SameSite=Lax", *(["Secure"] if secure else [])}


class TestAccount:
    async def test_another_password(self, office: Office, browser: Browser) -> None:
        sanne = await office.hires("sanne", Role.AGENT, browser=browser)
        elsewhere = await office.browser()
        await sanne.signs_in(elsewhere)
        await browser.get("/account")
        new = "vier groene stoelen buiten"
        page = await browser.post("/account/wachtwoord", now="niet dit", password=new, again=new)
        assert page.status == 422 and 'aria-describedby="now-error"' in page.text
        page = await browser.post("/account/wachtwoord", now=PASSWORD, password="kort", again="kort")
        assert page.status == 422 and "te kort" in page.text
        before = browser.token
        page = await browser.post("/account/wachtwoord", now=PASSWORD, password=new, again=new)
        assert page.goes_to == "/account?gelukt"
        assert browser.token != before
        assert [action for _, action in await office.noted()][-1] == "changed password"
        assert "is veranderd" in (await browser.get("/account?gelukt")).text
        assert (await elsewhere.get("/medewerkers")).status == 303
        assert (await sanne.signs_in(elsewhere)).status == 422
        sanne.password = new
        assert (await sanne.signs_in(elsewhere)).status == 303

    async def test_another_app(self, office: Office, browser: Browser, clock: SetClock) -> None:
        sanne = await office.hires("sanne", Role.AGENT, browser=browser)
        page = await browser.get("/account/app")
        assert page.secret != sanne.secret
        code = pyotp.TOTP(page.secret).at(clock.now)
        assert (await browser.post("/account/app", now="niet dit", code=code)).status == 422
        assert (await browser.post("/account/app", now=PASSWORD, code=sanne.code)).status == 422
        told = await browser.post("/account/app", now=PASSWORD, code=code)
        assert len(told.codes) == 10 and not set(told.codes) & set(sanne.codes)
        other = await office.browser()
        assert (await sanne.signs_in(other)).status == 422
        assert (await sanne.signs_in(other, code=sanne.codes[0])).status == 422
        sanne.secret = page.secret
        assert (await sanne.signs_in(other)).status == 303


class TestFiles:
    @pytest.fixture
    async def link(self, office: Office) -> str:
        """A file of a resident, as the engineer's command gives it."""
        now, key = office.clock(), "5f0c1d4e-7a52-4c55-9a0b-0d6f3b8a2c11"
        conversation = new_conversation("telegram", "1", now, greeted=True)
        folder = office.house.settings.state_dir / "media"
        folder.mkdir()
        (folder / "kept").write_bytes(b"photo")
        given = {
            "id": key,
            "message_id": "m",
            "channel": "telegram",
            "ref": "r",
            "mime": "image/jpeg",
            "name": "",
        }
        stored = {"state": "stored", "file": "kept", "attempts": 1, "not_before": now, "created_at": now}
        async with office.house.database.write() as connection:
            await connection.execute(sa.insert(conversations).values(conversation))
            row = {**given, **stored, "conversation_id": conversation["id"]}
            await connection.execute(sa.insert(media).values(row))
        return f"/kcc/files/{await office.house.files.link(key, actor='engineer')}"

    async def test_the_link_is_enough_as_long_as_nobody_can_sign_in(
        self, office: Office, browser: Browser, link: str
    ) -> None:
        assert (await browser.get(link)).text == "photo"
        assert await office.noted() == [("engineer", "opened file")]

    async def test_then_it_is_for_who_may_and_the_audit_names_them(
        self, office: Office, browser: Browser, link: str
    ) -> None:
        await office.hires("sanne", Role.AGENT, browser=browser)
        editor = await office.browser()
        await office.hires("els", Role.EDITOR, browser=editor)
        stranger = await office.browser()
        assert (await stranger.get(link)).goes_to == f"/inloggen?verder={link}"
        assert (await editor.get(link)).status == 403
        assert "opened file" not in str(await office.noted())
        page = await browser.get(link)
        assert (page.status, page.text) == (200, "photo")
        assert page.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert (await office.noted())[-1] == ("sanne", "opened file")

    @ONLY_SQLITE
    async def test_with_work_accounts_it_is_never_enough(
        self, office: Office, link: str, tmp_path: Path, clock: SetClock
    ) -> None:
        url = office.house.settings.database
        more = {
            "oidc_issuer": "https://login.example.nl",
            "oidc_client_id": "klaartje",
            "oidc_roles": ("kcc=agent",),
            "public_url": "https://chat.example.nl",
            "local_accounts": False,
        }
        async with open_office(url, tmp_path, clock, **more) as closed:
            stranger = await closed.browser()
            assert (await stranger.get(link)).status == 303
            assert await first_link(closed.house, closed.address) is None
            page = await stranger.get("/inloggen")
            assert "Inloggen met uw werkaccount" in page.text and "Gebruikersnaam" not in page.text
            assert (await stranger.post("/inloggen", name="x", password="x", code="x")).status == 405
            assert (await stranger.get(f"/inloggen/instellen/{'x' * 43}")).status == 404


class TestForgery:
    @pytest.fixture
    async def inside(self, office: Office, browser: Browser) -> Browser:
        await office.hires("sanne", *Role, browser=browser)
        await browser.get("/medewerkers")
        return browser

    async def test_every_unsafe_route_wants_the_word(self, office: Office, inside: Browser) -> None:
        routes = await staff_routes(office)
        unsafe = [(method, path) for method, path, _ in routes if method not in ("GET", "HEAD")]
        assert len(unsafe) >= 6
        for method, path in unsafe:
            async with inside.session.request(
                method, filled(path), data={"a": "b"}, allow_redirects=False
            ) as answer:
                assert answer.status == 409, path
        assert len(await office.rows(staff_sessions)) == 1

    async def test_the_word_of_another_session_does_not_count(self, office: Office, inside: Browser) -> None:
        stranger = await office.browser()
        await stranger.get("/inloggen")
        assert (await inside.post("/uitloggen", csrf=stranger.csrf)).status == 409
        assert (await inside.post("/uitloggen", csrf="é" * 64)).status == 409
        assert (await inside.post("/uitloggen")).status == 303

    async def test_the_word_may_come_in_a_header(self, inside: Browser) -> None:
        page = await inside.post("/uitloggen", {"X-CSRF-Token": "wrong"})
        assert page.status == 409 and "error" in page.text
        assert (await inside.post("/uitloggen", {"X-CSRF-Token": inside.csrf}, csrf="")).status == 303

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            {"Origin": "https://evil.example"},
            {"Origin": "http://127.0.0.1:1"},
            {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        ],
        ids=str,
    )
    async def test_another_site_may_not_even_with_the_word(
        self, inside: Browser, headers: dict[str, str]
    ) -> None:
        assert (await inside.post("/uitloggen", headers)).status == 403
        assert (await inside.get("/medewerkers")).status == 200

    async def test_a_page_of_ours_may(self, office: Office, inside: Browser) -> None:
        here = office.address.rstrip("/")
        for headers in (
            {"Origin": here, "Sec-Fetch-Site": "same-origin"},
            {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        ):
            page = await inside.post("/account/wachtwoord", headers, now="x", password="x", again="x")
            assert page.status == 422


async def staff_routes(office: Office) -> list[tuple[str, str, Guarded]]:
    """Every route of staff as it is served: method, path, guard."""
    app = application()
    async with staff_pages(office.house, "/static/0", lambda _: "here", Shelf(office.house.wording)) as staff:
        add_staff(app, staff.routes)
    hold(app)
    found = []
    for route in app.router.routes():
        owner = guarded(route.handler)
        assert route.resource and owner
        found.append((route.method, route.resource.canonical, owner))
    return found


def filled(path: str) -> str:
    """An address of a route, of what is not there."""
    return re.sub(r"\{\w+\}", "x" * 43, path)


OPEN = {
    ("GET", "/inloggen"),
    ("POST", "/inloggen"),
    ("POST", "/uitloggen"),
    ("GET", "/inloggen/eenmalig/{token}"),
    ("GET", "/inloggen/instellen/{token}"),
    ("POST", "/inloggen/instellen/{token}"),
}
"""What anybody may ask for. A new one needs a reason."""


class TestTheDoor:
    async def test_every_route_declares_what_it_needs(self, office: Office) -> None:
        found = await staff_routes(office)
        assert {(method, path) for method, path, guard in found if guard.needs is None} == OPEN
        assert all(STAFF.match(path) for _, path, _ in found)

    @ONLY_SQLITE
    @pytest.mark.parametrize("role", [None, *Role])
    async def test_every_route_for_every_role(self, office: Office, role: Role | None) -> None:
        browser = await office.browser()
        await office.hires("ander", Role.ADMIN)
        if role:
            await office.hires("sanne", role, browser=browser)
        for method, path, guard in await staff_routes(office):
            if guard.needs is None:
                continue
            place = filled(path)
            page = await (browser.get(place) if method == "GET" else browser.post(place, csrf=""))
            allowed = role is not None and guard.needs in PERMISSIONS[role]
            if allowed:
                assert page.status in (200, 404, 409), (method, path)
            elif role is None:
                assert page.status == (303 if method == "GET" else 401), (method, path)
            else:
                assert page.status == 403, (method, path)

    @ONLY_SQLITE
    async def test_each_permission_decides_by_itself(self, office: Office) -> None:
        """A page for each permission, asked for by each role: exactly the table."""

        async def fine(_request: web.Request, _visit: Visit) -> web.Response:
            return web.Response(text="fine")

        app = application()
        async with staff_pages(
            office.house, "/static/0", lambda _: "here", Shelf(office.house.wording)
        ) as staff:
            routes = [staff.door.get(f"/kcc/p{n}", needs, fine) for n, needs in enumerate(Permission)]
            add_staff(app, routes)
            async with serving(app, "127.0.0.1", 0) as port:
                for role in Role:
                    browser = await office.browser()
                    await office.hires(f"m-{role}", role, browser=browser)
                    there = URL(f"http://127.0.0.1:{port}/")
                    for number, needs in enumerate(Permission):
                        async with browser.session.get(there / f"kcc/p{number}") as answer:
                            assert (answer.status == 200) == (needs in PERMISSIONS[role]), (role, needs)

    def test_a_page_without_a_guard_is_not_served(self) -> None:
        async def page(_request: web.Request) -> web.Response:
            return web.Response()

        for path in ("/kcc", "/kcc/x/{y}", "/redactie", "/sturing/x", "/beheer/x", "/account", "/inloggen/x"):
            app = application()
            app.router.add_get(path, page)
            with pytest.raises(Unguarded, match=path.split("{")[0]):
                hold(app)
        app = application()
        app.router.add_get("/kccx", page)
        hold(app)

    async def test_headers_on_every_answer(self, office: Office, browser: Browser) -> None:
        await office.hires("sanne", Role.EDITOR, browser=browser)
        stranger = await office.browser()
        for asking, path in (
            (stranger, "/inloggen"),
            (stranger, "/medewerkers"),
            (browser, "/medewerkers"),
            (browser, "/kcc/files/x"),
            (browser, "/kcc/nothing"),
            (stranger, "/inloggen/instellen/x"),
        ):
            page = await asking.get(path)
            for name, value in HEADERS.items():
                assert page.headers[name] == value, (path, name)
        policy = HEADERS["Content-Security-Policy"]
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
        page = await browser.get("/medewerkers")
        assert "<script" not in page.text and " style=" not in page.text and "<style" not in page.text

    async def test_a_program_gets_json(self, browser: Browser) -> None:
        page = await browser.get("/medewerkers", Accept="application/json")
        assert page.status == 401
        assert page.text == '{"error": "sign in first"}'

    @ONLY_SQLITE
    async def test_a_store_that_is_away_is_told(
        self, office: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await office.hires("sanne", Role.EDITOR, browser=browser)

        async def away(*_: Any) -> None:
            raise OSError

        monkeypatch.setattr("bot.staff.sessions.Sessions.find", away)
        page = await browser.get("/medewerkers")
        assert (page.status, page.title) == (503, "Het systeem is even niet bereikbaar")
        assert page.headers["Cache-Control"] == "no-store"
