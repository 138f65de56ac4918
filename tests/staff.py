"""An office: the web role with its pages of staff, a clock that a test moves, and browsers as staff have them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import pyotp
import sqlalchemy as sa
from aiohttp import ClientSession, CookieJar
from yarl import URL

from bot.app.house import House, open_house
from bot.app.roles import web_role
from bot.app.staff import sessions_of
from bot.db.tables import audit, users
from bot.ports import KnowledgeSearch
from bot.settings import Settings
from bot.staff.members import new_user
from bot.staff.roles import Role
from bot.web.kcc.shelf import Shelf
from tests.conftest import SetClock

PASSWORD = "paarse fiets onder water"


@dataclass
class Page:
    """What came back."""

    status: int
    text: str
    headers: Any

    @property
    def goes_to(self) -> str:
        """Where a redirect leads."""
        return str(self.headers.get("Location", ""))

    @property
    def title(self) -> str:
        """The first heading."""
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.text, re.S)
        return unescape(found[1]) if found else ""

    @property
    def csrf(self) -> str:
        """The word of the session."""
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', self.text)
        return found[1] if found else ""

    @property
    def secret(self) -> str:
        """The key that is shown for the app."""
        found = re.search(r'<code class="secret"[^>]*>([A-Z2-7 ]+)</code>', self.text)
        assert found, self.title
        return found[1].replace(" ", "")

    @property
    def codes(self) -> list[str]:
        """The recovery codes that are shown."""
        return re.findall(r"<li><code>([a-z0-9-]+)</code>", self.text)


@dataclass
class Browser:
    """A browser with cookies of its own; it follows nothing by itself."""

    session: ClientSession
    csrf: str = ""

    async def get(self, path: str, **headers: str) -> Page:
        """Look at a page."""
        return await self._ask("GET", path, headers=headers)

    async def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> Page:
        """Send a form, with the word of the page that was seen last."""
        form = {"csrf": self.csrf, **fields}
        return await self._ask("POST", path, headers=headers or {}, data=form)

    async def _ask(self, method: str, path: str, **more: Any) -> Page:
        async with self.session.request(method, path, allow_redirects=False, **more) as answer:
            page = Page(answer.status, await answer.text(errors="replace"), answer.headers)
        self.csrf = page.csrf or self.csrf
        return page

    @property
    def token(self) -> str:
        """What is in the cookie."""
        return next((cookie.value for cookie in self.session.cookie_jar if "klaartje" in cookie.key), "")


@dataclass
class Colleague:
    """A member of staff, with all that is needed to sign in."""

    name: str
    secret: str
    codes: list[str]
    clock: SetClock
    password: str = PASSWORD

    @property
    def code(self) -> str:
        """What the app shows now."""
        return pyotp.TOTP(self.secret).at(self.clock.now)

    async def signs_in(self, browser: Browser, path: str = "/inloggen", **otherwise: str) -> Page:
        """By the form, with the next code of the app."""
        self.clock.forward(seconds=30)
        await browser.get(path)
        given = {"name": self.name, "password": self.password, "code": self.code}
        return await browser.post("/inloggen", **{**given, **otherwise})


@dataclass
class Office:
    """The house with its address; `browser` opens one more."""

    house: House
    address: str
    clock: SetClock
    stack: AsyncExitStack = field(repr=False)

    async def browser(self) -> Browser:
        """A new one."""
        session = ClientSession(self.address, cookie_jar=CookieJar(unsafe=True))
        return Browser(await self.stack.enter_async_context(session))

    async def hires(self, name: str, *roles: Role, browser: Browser | None = None) -> Colleague:
        """Somebody who chose a password by the link, and is signed in where a browser is given."""
        link = await self.house.members.add(name, "Sanne de Vries", roles, actor="engineer")
        used = browser or await self.browser()
        secret = (await used.get(f"/inloggen/instellen/{link}")).secret
        given = {"password": PASSWORD, "again": PASSWORD, "code": pyotp.TOTP(secret).at(self.clock.now)}
        page = await used.post(f"/inloggen/instellen/{link}", **given)
        assert page.title == "Bewaar uw herstelcodes", page.text
        return Colleague(name, secret, page.codes, self.clock)

    async def seats(self, name: str, *roles: Role) -> Browser:
        """Somebody who is in already, without the seconds that a password takes."""
        user = new_user(name, "Sanne de Vries", roles, password_hash="-")
        async with self.house.database.write() as connection:
            await connection.execute(sa.insert(users).values(**user, created_at=self.clock.now))
            token = await sessions_of(self.house).renew(connection, user["id"])
        browser = await self.browser()
        browser.session.cookie_jar.update_cookies({"klaartje-staff": token}, URL(self.address))
        return browser

    async def noted(self) -> list[tuple[str, str]]:
        """The audit: actor and action."""
        return [(row.actor, row.action) for row in await self.rows(audit, audit.c.seq)]

    async def rows(self, table: sa.Table, *order: sa.Column[Any]) -> Sequence[Any]:
        """All of a table."""
        async with self.house.database.read() as connection:
            return (await connection.execute(sa.select(table).order_by(*order))).all()


@asynccontextmanager
async def open_office(
    url: str, directory: Path, clock: SetClock, search: KnowledgeSearch | None = None, **more: Any
) -> AsyncIterator[Office]:
    """Run it. `more` are settings."""
    settings = Settings(database_url=url, state_dir=directory, **{"port": 0, **more})
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(settings, clock=clock))
        shelf = Shelf(house.wording)
        shelf.search = search
        address = await stack.enter_async_context(web_role(house, {}, shelf=shelf))
        yield Office(house, address, clock, stack)
