"""A house with a console, residents on the web chat and on WhatsApp, and agents whose pages are real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import Browser, Page, ViewportSize

from bot.db.migrate import migrate
from bot.model import Command, Outbound, Reply, Route, Trace, Turn
from bot.web.member import Member
from tests.fakes.search import PASSPORT, WordSearch
from tests.fakes.whatsapp import FakeWhatsApp, Resident
from tests.integration.served import Served, Visitor, serve
from tests.integration.test_whatsapp_house import Town, town

COOKIE = "who"

ELS = Member("els", "Els", frozenset({"agent"}), csrf="token-of-els")
JAN = Member("jan", "Jan", frozenset({"agent"}), csrf="token-of-jan")
LEA = Member("lea", "Lea", frozenset({"team-lead"}), csrf="token-of-lea")
EDITOR = Member("eva", "Eva", frozenset({"editor"}), csrf="token-of-eva")
STAFF: Mapping[str, Member] = {member.id: member for member in (ELS, JAN, LEA, EDITOR)}


async def identify(request: web.Request) -> Member | None:
    """Whoever the cookie says."""
    return STAFF.get(request.cookies.get(COOKIE, ""))


async def think(turn: Turn) -> Reply:
    """An answer about passports, and for all else a person, as if one had been offered."""
    if "paspoort" in turn.text.lower():
        text = "Een paspoort kost **€ 88,65**. Neem mee:\n\n- uw oude paspoort\n- een pasfoto"
        said = Outbound(text, article=PASSPORT.slug, revision=PASSPORT.revision)
        return Reply((said,), trace=Trace(Route.ANSWER, PASSPORT.slug))
    reason = "distress" if "hulp nodig" in turn.text.lower() else "offered"
    topic = PASSPORT.slug if "kwijt" in turn.text.lower() else None
    return Reply((), (Command("handoff", {"reason": reason, "topic": topic}),), None, Trace(Route.HANDOFF))


@dataclass
class Desk:
    """The house, with what runs around it."""

    town: Town
    chromium: Browser
    pages: list[Page] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def served(self) -> Served:
        return self.town.served

    @property
    def fake(self) -> FakeWhatsApp:
        return self.town.fake

    @property
    def noor(self) -> Resident:
        """A resident on WhatsApp."""
        return self.town.resident

    async def visitor(self, *texts: str) -> Visitor:
        """A resident on the web chat, who says this."""
        visitor = await self.served.visitor()
        lines = 1
        for text in texts:
            await visitor.says(text)
            lines += 2
            await visitor.waits(lines)
        return visitor

    async def agent(
        self, member: Member, *, size: tuple[int, int] = (1280, 900), path: str = "/kcc", **more: Any
    ) -> Page:
        """Somebody at the console, in a browser of their own."""
        view: ViewportSize = {"width": size[0], "height": size[1]}
        context = await self.chromium.new_context(
            viewport=view,
            locale="nl-NL",
            timezone_id="Europe/Amsterdam",
            base_url=self.served.address,
            **more,
        )
        context.set_default_timeout(20_000)
        await context.add_cookies([{"name": COOKIE, "value": member.id, "url": self.served.address}])
        page = await context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on(
            "console",
            lambda line: self.problems.append(line.text) if "Security Policy" in line.text else None,
        )
        self.pages.append(page)
        await page.goto(path)
        return page


@asynccontextmanager
async def desk(chromium: Browser, directory: Path, **more: Any) -> AsyncIterator[Desk]:
    """Run it; fails where a script on a page did, or asked for more than the page's policy allows."""
    directory.mkdir(parents=True, exist_ok=True)
    url = f"sqlite+aiosqlite:///{directory / 'klaartje.db'}"
    await migrate(url)
    options = {"think": think, "identify": identify, "search": WordSearch(), "files": True, **more}
    async with town(url, directory, **options) as there:
        made = Desk(there, chromium)
        try:
            yield made
        finally:
            for page in made.pages:
                await page.context.close()
        assert made.problems == [], made.problems


__all__ = ["EDITOR", "ELS", "JAN", "LEA", "Desk", "desk", "identify", "serve", "think"]
