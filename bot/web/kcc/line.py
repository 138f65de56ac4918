"""The queue as a part of the page: the same for all agents of the same teams, and made once for each change of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from bot.board import Boards
from bot.watch import Watch
from bot.web.kcc.pages import Pages

LONGEST = 2.0
"""Seconds that one is given for, at most, where nobody watches whether it changed."""


@dataclass(frozen=True, slots=True)
class _Made:
    mark: object
    at: float
    task: asyncio.Task[str]

    @property
    def failed(self) -> bool:
        return self.task.done() and (self.task.cancelled() or self.task.exception() is not None)


class Lines:
    """Gives it as HTML."""

    def __init__(self, boards: Boards, watch: Watch, pages: Pages) -> None:
        self._boards = boards
        self._watch = watch
        self._pages = pages
        self._made: dict[tuple[str, ...], _Made] = {}

    async def of(self, teams: Iterable[str]) -> str:
        """That of these teams."""
        key = tuple(sorted(teams))
        mark, now = self._watch.mark(key), asyncio.get_running_loop().time()
        known = self._made.get(key)
        if known is None or known.mark != mark or known.failed or now - known.at > LONGEST:
            known = self._made[key] = _Made(mark, now, asyncio.create_task(self._make(key)))
        return await asyncio.shield(known.task)

    async def _make(self, teams: tuple[str, ...]) -> str:
        return self._pages.text("kcc_line.html.j2", line=await self._boards.line(teams), opened="")
