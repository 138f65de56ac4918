"""The console's pages and parts: what an agent and a team lead read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from bot import queue
from bot.audit import Act, audit
from bot.board import SHORTEST, Boards
from bot.briefing import Briefings
from bot.clock import Clock
from bot.db.database import Database
from bot.db.tables import audit as notes
from bot.municipality import Municipality
from bot.quick import QuickReplies
from bot.shift import Shifts
from bot.thread import Thread, Threads, agent_names
from bot.web.kcc.doors import As, Door, problem
from bot.web.kcc.line import Lines
from bot.web.kcc.pages import Pages
from bot.web.kcc.shelf import Shelf
from bot.web.member import Member, Permission, permitted

AWHILE = timedelta(hours=1)

_SEE = Permission.SEE_CONVERSATIONS


class Console:
    """Gives them."""

    def __init__(
        self,
        database: Database,
        municipality: Municipality,
        boards: Boards,
        lines: Lines,
        threads: Threads,
        briefings: Briefings,
        shifts: Shifts,
        quick: QuickReplies,
        shelf: Shelf,
        pages: Pages,
        as_agent: As,
        clock: Clock,
    ) -> None:
        self._database = database
        self._municipality = municipality
        self._boards = boards
        self._lines = lines
        self._threads = threads
        self._briefings = briefings
        self._shifts = shifts
        self._quick = quick
        self._shelf = shelf
        self._pages = pages
        self._as_agent = as_agent
        self._clock = clock

    def doors(self) -> list[Door]:
        """All of them."""
        return [
            Door("GET", "/kcc", _SEE, self.home, page=True),
            Door("GET", "/kcc/conversations/{id}", _SEE, self.conversation, page=True),
            Door("GET", "/kcc/overzicht", Permission.ASSIGN, self.overview, page=True),
            Door("GET", "/kcc/parts/own", _SEE, self.own),
            Door("GET", "/kcc/parts/queue", _SEE, self.line),
            Door("GET", "/kcc/parts/thread/{id}", _SEE, self.thread),
            Door("GET", "/kcc/parts/side/{id}", _SEE, self.side),
            Door("GET", "/kcc/parts/lines/{id}", _SEE, self.lines),
            Door("GET", "/kcc/parts/colleagues", _SEE, self.colleagues),
            Door("GET", "/kcc/parts/overview", Permission.ASSIGN, self.overview_part),
            Door("POST", "/kcc/parts/search", _SEE, self.search),
            Door("POST", "/kcc/parts/knowledge", _SEE, self.knowledge),
        ]

    async def home(self, _request: web.Request, member: Member) -> web.Response:
        """The screen with no conversation open."""
        return await self._screen(member, None)

    async def conversation(self, request: web.Request, member: Member) -> web.Response:
        """The screen with one. That it was opened is noted."""
        thread = await self._threads.of(request.match_info["id"])
        if thread is not None:
            await self._noted(member, Act.OPENED_CONVERSATION, thread.conversation_id)
        return await self._screen(member, thread, missing=thread is None)

    async def _screen(self, member: Member, thread: Thread | None, *, missing: bool = False) -> web.Response:
        values, agent = await self._around(member, thread), self._as_agent(member)
        response = self._pages.page(
            "kcc.html.j2",
            member,
            own=await self._boards.own(agent.id),
            line=await self._boards.line(agent.teams),
            most=agent.most,
            quick=self._quick.for_agent(member.name),
            teams=self._municipality.teams,
            leads=permitted(member.roles, Permission.ASSIGN),
            missing=missing,
            **values,
        )
        response.set_status(404 if missing else 200)
        return response

    async def _around(self, member: Member, thread: Thread | None, *, briefed: bool = True) -> dict[str, Any]:
        """What the templates of a conversation need; with the briefing where it is shown."""
        briefing = await self._briefings.of(thread.conversation_id) if thread and briefed else None
        return {
            "thread": thread,
            "briefing": briefing,
            "names": await self._names() if briefing else {},
            "mine": thread is not None and thread.agent == member.id,
            "answers": permitted(member.roles, Permission.ANSWER),
            "files": permitted(member.roles, Permission.SEE_FILES),
            "titles": self._titles(thread),
            "topic": self._topic(thread),
        }

    async def _names(self) -> Mapping[str, str]:
        async with self._database.read() as connection:
            return await agent_names(connection)

    def _topic(self, thread: Thread | None) -> str:
        slug = thread.topic if thread else None
        found = self._shelf.article(slug) if slug else None
        return found.title if found else slug or ""

    def _titles(self, thread: Thread | None) -> Mapping[str, str]:
        slugs = {line.article for line in thread.lines if line.article} if thread else set()
        found = {slug: self._shelf.article(slug) for slug in slugs}
        return {slug: article.title if article else slug for slug, article in found.items()}

    async def own(self, _request: web.Request, member: Member) -> web.Response:
        """What the agent has in hand, and what is offered."""
        agent = self._as_agent(member)
        own = await self._boards.own(agent.id)
        return self._pages.part("kcc_desk.html.j2", member, own=own, most=agent.most, opened="")

    async def line(self, _request: web.Request, member: Member) -> web.Response:
        """Who waits."""
        return self._pages.made(await self._lines.of(self._as_agent(member).teams))

    async def thread(self, request: web.Request, member: Member) -> web.Response:
        """A conversation. `opened`: it was not on the screen before; that is noted, and all around it comes along."""
        thread = await self._threads.of(request.match_info["id"])
        if thread is None:
            return problem(404, "Dit gesprek is er niet (meer).")
        opened = "opened" in request.query
        if opened:
            await self._noted(member, Act.OPENED_CONVERSATION, thread.conversation_id)
        elif thread.agent != member.id:
            await self._read_by(member, thread.conversation_id)
        around = await self._around(member, thread, briefed=opened)
        return self._pages.part("kcc_thread.html.j2", member, opened=opened, **around)

    async def side(self, request: web.Request, member: Member) -> web.Response:
        """The note of the handoff, with those of colleagues and what was before."""
        key = request.match_info["id"]
        briefing = await self._briefings.of(key)
        if briefing is None:
            return problem(404, "Dit gesprek is er niet (meer).")
        await self._read_by(member, key)
        names = await self._names()
        return self._pages.part("kcc_aside.html.j2", member, briefing=briefing, names=names)

    async def lines(self, request: web.Request, member: Member) -> web.Response:
        """Older lines."""
        before = request.query.get("before", "")
        if not before.isdecimal() or len(before) > 18:
            return problem(400, "Dit verzoek is niet te lezen.")
        thread = await self._threads.of(request.match_info["id"], before=int(before))
        if thread is None:
            return problem(404, "Dit gesprek is er niet (meer).")
        await self._read_by(member, thread.conversation_id)
        return self._pages.part(
            "kcc_older.html.j2", member, **await self._around(member, thread, briefed=False)
        )

    async def colleagues(self, _request: web.Request, member: Member) -> web.Response:
        """To whom a conversation can go."""
        async with self._database.read() as connection:
            here = [row for row in await queue.agents(connection, self._clock()) if row.agent != member.id]
        return self._pages.part(
            "kcc_colleagues.html.j2", member, colleagues=here, teams=self._municipality.teams
        )

    async def search(self, request: web.Request, member: Member) -> web.Response:
        """Earlier conversations. By POST: what is looked for is often a name, and belongs in no log of addresses. That
        somebody searched is noted, not for what."""
        text = await _wanted(request)
        hits = await self._boards.find(text)
        await self._noted(member, Act.SEARCHED, "")
        short = len(" ".join(text.split())) < SHORTEST
        return self._pages.part("kcc_found.html.j2", member, hits=hits, short=short)

    async def knowledge(self, request: web.Request, member: Member) -> web.Response:
        """Approved answers."""
        found = await self._shelf.find(await _wanted(request))
        return self._pages.part(
            "kcc_knowledge.html.j2", member, found=found, ready=self._shelf.search is not None
        )

    async def overview(self, _request: web.Request, member: Member) -> web.Response:
        """The shift."""
        return self._pages.page("kcc_overview.html.j2", member, shift=await self._shifts.now())

    async def overview_part(self, _request: web.Request, member: Member) -> web.Response:
        """The same, fetched again."""
        return self._pages.part("kcc_shift.html.j2", member, shift=await self._shifts.now())

    async def _read_by(self, member: Member, conversation_id: str) -> None:
        """What is read without being opened on the page is noted as well, unless that was done a short while ago."""
        known = sa.select(notes.c.seq).where(
            notes.c.actor == member.id,
            notes.c.object == conversation_id,
            notes.c.at > self._clock() - AWHILE,
            notes.c.action.in_((Act.OPENED_CONVERSATION, Act.TOOK_CONVERSATION)),
        )
        async with self._database.read() as connection:
            if await connection.scalar(known.limit(1)) is not None:
                return
        await self._noted(member, Act.OPENED_CONVERSATION, conversation_id)

    async def _noted(self, member: Member, act: Act, what: str) -> None:
        async with self._database.write() as connection:
            await audit(connection, member.id, act, what, at=self._clock())


async def _wanted(request: web.Request) -> str:
    try:
        body = json.loads(await request.read() or b"{}")
    except (ValueError, RecursionError):
        return ""
    text = body.get("text") if isinstance(body, dict) else None
    return text[:200] if isinstance(text, str) else ""
