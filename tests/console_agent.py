"""An agent at the console, over HTTP as the page does it: signed in, each act again until it is answered, listening."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pyotp
from aiohttp import ClientError, ClientSession, ClientTimeout, CookieJar

from bot.clock import utc_now
from bot.db.database import Database
from bot.staff.members import Members
from bot.staff.roles import Role
from tests.processes import until
from tests.staff import PASSWORD, Browser

AGAIN = 0.1
"""Seconds until something is tried again."""


@dataclass
class ConsoleAgent:
    """Somebody who signed in. `lines` counts how often the stream of events was opened, `heard` what came over it."""

    name: str
    browser: Browser
    lines: int = 0
    heard: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def cookies(self) -> dict[str, str]:
        """What a browser must have to be this agent."""
        return {cookie.key: cookie.value for cookie in self.browser.session.cookie_jar}

    async def act(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Do something, again until there is an answer; status and answer."""
        answered: list[tuple[int, dict[str, Any]]] = []
        headers = {"X-CSRF-Token": self.browser.csrf}

        async def done() -> bool:
            try:
                async with self.browser.session.post(
                    f"/kcc{path}", json=body or {}, headers=headers
                ) as answer:
                    if answer.status < 500:
                        answered.append((answer.status, await answer.json()))
                        return True
            except (ClientError, TimeoutError, OSError):
                pass  # killed meanwhile, or not there yet
            await asyncio.sleep(AGAIN)
            return False

        await until(done, 120, f"{path} is answered")
        return answered[0]

    async def takes(self, conversation: str) -> None:
        """Have it, as soon as it waits."""

        async def has_it() -> bool:
            return (await self.act(f"/conversations/{conversation}/take"))[0] == 200

        await until(has_it, 120, "the agent has the conversation")

    async def says(self, conversation: str, text: str) -> None:
        """Send a message: with one id, however often it goes."""
        body = {"text": text, "id": str(uuid.uuid4())}
        status, told = await self.act(f"/conversations/{conversation}/send", body)
        assert status == 200, told

    async def returns(self, conversation: str) -> None:
        """Give it back to the bot; a second time it is not theirs any more."""
        status, told = await self.act(f"/conversations/{conversation}/return", {"outcome": "handled"})
        assert status == 200 or "niet (meer)" in told["error"], told

    async def listens(self, conversation: str) -> None:
        """Read the stream of events; where it breaks, open it again. Until cancelled."""
        while True:
            try:
                async with self.browser.session.get(
                    "/kcc/events", params={"conversation": conversation}, timeout=ClientTimeout(total=None)
                ) as answer:
                    assert answer.status == 200, answer.status
                    self.lines += 1
                    while line := await answer.content.readline():
                        self.heard += line.startswith(b"event: thread")
            except (ClientError, TimeoutError, OSError):
                pass  # as a page: it comes back by itself
            await asyncio.sleep(AGAIN)


@asynccontextmanager
async def agent_at(store: Database, url: str, name: str) -> AsyncIterator[ConsoleAgent]:
    """Somebody new, who chose a password by their link and so is signed in."""
    link = await Members(store).add(name, name.title(), [Role.AGENT], actor="engineer")
    timeout = ClientTimeout(total=30)
    async with ClientSession(url, cookie_jar=CookieJar(unsafe=True), timeout=timeout) as session:
        browser = Browser(session)
        secret = (await browser.get(f"/inloggen/instellen/{link}")).secret
        given = {"password": PASSWORD, "again": PASSWORD, "code": pyotp.TOTP(secret).at(utc_now())}
        page = await browser.post(f"/inloggen/instellen/{link}", **given)
        assert page.title == "Bewaar uw herstelcodes", page.title
        await browser.get("/medewerkers")
        yield ConsoleAgent(name, browser)
