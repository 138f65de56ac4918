"""The console's pages and parts: what an agent and a team lead read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot import queue
from bot.audit import Act, audit
from bot.board import SHORTEST, Board, Boards
from bot.briefing import Briefings
from bot.clock import Clock
from bot.db.database import Database
from bot.municipality import Municipality
from bot.quick import QuickReplies
from bot.shift import Shifts
from bot.thread import Thread, Threads, agent_names
from bot.web.kcc.doors import As, Door, problem
from bot.web.kcc.pages import Pages
from bot.web.kcc.shelf import Shelf
from bot.web.member import Member, Permission, permitted

_SEE = Permission.SEE_CONVERSATIONS


class Console:
    """Gives them."""

    def __init__(
        self,
        database: Database,
        municipality: Municipality,
        boards: Boards,
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
            Door("GET", "/kcc/parts/board", _SEE, self.board),
            Door("GET", "/kcc/parts/thread/{id}", _SEE, self.thread),
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
        values = await self._around(member, thread)
        response = self._pages.page(
            "kcc.html.j2",
            member,
            board=await self._board(member),
            quick=self._quick.for_agent(member.name),
            teams=self._municipality.teams,
            leads=permitted(member.roles, Permission.ASSIGN),
            missing=missing,
            **values,
        )
        response.set_status(404 if missing else 200)
        return response

    async def _board(self, member: Member) -> Board:
        agent = self._as_agent(member)
        return await self._boards.of(agent.id, agent.teams)

    async def _around(self, member: Member, thread: Thread | None) -> dict[str, Any]:
        """What the templates of a conversation need."""
        briefing = await self._briefings.of(thread.conversation_id) if thread else None
        async with self._database.read() as connection:
            names = await agent_names(connection)
        return {
            "thread": thread,
            "briefing": briefing,
            "names": names,
            "mine": thread is not None and thread.agent == member.id,
            "answers": permitted(member.roles, Permission.ANSWER),
            "files": permitted(member.roles, Permission.SEE_FILES),
            "titles": self._titles(thread),
        }

    def _titles(self, thread: Thread | None) -> Mapping[str, str]:
        slugs = {line.article for line in thread.lines if line.article} if thread else set()
        found = {slug: self._shelf.article(slug) for slug in slugs}
        return {slug: article.title if article else slug for slug, article in found.items()}

    async def board(self, request: web.Request, member: Member) -> web.Response:
        """Both lists."""
        board = await self._board(member)
        return self._pages.part(
            "kcc_board.html.j2", member, board=board, opened=request.query.get("open", "")
        )

    async def thread(self, request: web.Request, member: Member) -> web.Response:
        """A conversation and all around it. `opened`: it was not on the screen before, and that is noted."""
        thread = await self._threads.of(request.match_info["id"])
        if thread is None:
            return problem(404, "Dit gesprek is er niet (meer).")
        if "opened" in request.query:
            await self._noted(member, Act.OPENED_CONVERSATION, thread.conversation_id)
        return self._pages.part("kcc_thread.html.j2", member, **await self._around(member, thread))

    async def lines(self, request: web.Request, member: Member) -> web.Response:
        """Older lines."""
        before = request.query.get("before", "")
        if not before.isdecimal() or len(before) > 18:
            return problem(400, "Dit verzoek is niet te lezen.")
        thread = await self._threads.of(request.match_info["id"], before=int(before))
        if thread is None:
            return problem(404, "Dit gesprek is er niet (meer).")
        return self._pages.part("kcc_older.html.j2", member, **await self._around(member, thread))

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
