"""The watch: all consoles of this process are told what changed, and the store is asked once for all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bot import queue
from bot.board import Boards
from bot.logs import trail
from bot.ports import Bus
from bot.signs import TYPES
from bot.thread import Threads

LOOK = 3.0
"""Seconds between looks at everything: vendors tell of their receipts without a wake, and the bus may be gone."""

QUEUE_PACE, QUEUE_SHARE = 2.0, 0.05
"""Seconds between two words about the queue alone to one console, at least, and with many consoles so many for each of
them: all see the queue, and it moves all the time."""

OWN, QUEUE, THREAD, TYPING = "own", "queue", "thread", "typing"

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Viewer:
    """One open console: whose it is, the queues they see, and the conversation on the screen, empty without one."""

    agent: str
    teams: frozenset[str]
    conversation: str
    changed: set[str] = field(default_factory=set)
    queue_due: bool = False
    queue_told: float = 0.0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, part: str) -> None:
        """This part of the screen is not what it was."""
        self.changed.add(part)
        self._wake.set()

    async def next(self) -> list[str]:
        """Wait for what changed since the last call, however often it did."""
        await self._wake.wait()
        self._wake.clear()
        changed, self.changed = sorted(self.changed), set()
        return changed


class Watch:
    """Looks at the store when the bus wakes it, and now and then anyway."""

    def __init__(self, bus: Bus, boards: Boards, threads: Threads) -> None:
        self._bus = bus
        self._boards = boards
        self._threads = threads
        self._viewers: set[Viewer] = set()
        self._handoffs: dict[str, Any] = {}
        self._presences: dict[str, str] = {}
        self._marks: dict[str, Any] = {}
        self._versions: dict[str, int] = {}

    @asynccontextmanager
    async def viewer(self, agent: str, teams: Iterable[str], conversation: str) -> AsyncIterator[Viewer]:
        """Somebody who looks, until they leave. All parts count as changed at first: who comes back fetches them."""
        viewer = Viewer(agent, frozenset(teams), conversation)
        # Not all at the same moment: what they fetch then would keep others waiting.
        viewer.queue_told = asyncio.get_running_loop().time() - self._pace * (len(self._viewers) % 20) / 20
        self._viewers.add(viewer)
        try:
            if conversation:
                self._marks |= await self._threads.marks([conversation])
                viewer.tell(THREAD)
            viewer.tell(OWN)
            viewer.tell(QUEUE)
            yield viewer
        finally:
            self._viewers.discard(viewer)

    def mark(self, teams: Iterable[str]) -> object:
        """Something that changes with the queue of these teams, as long as somebody looks."""
        return tuple(self._versions.get(team, 0) for team in teams)

    async def keep_watching(self) -> None:
        """Look again and again, until cancelled."""
        clock = asyncio.get_running_loop().time
        async with self._bus.subscribe("console", TYPES) as wakes:
            waiting = asyncio.ensure_future(anext(wakes))
            try:
                full = clock()
                while True:
                    await asyncio.wait({waiting}, timeout=max(0.0, self._due(full) - clock()))
                    woken: set[str] = set()
                    while waiting.done():  # many wakes are one look
                        topic, key = waiting.result()
                        if topic == TYPES:
                            self._tell_typing(key)
                        else:
                            woken.add(key)
                        waiting = asyncio.ensure_future(anext(wakes))
                        await asyncio.sleep(0)
                    everything = "" in woken or clock() >= full
                    try:
                        if self._viewers:
                            await self._look(None if everything else woken)
                    except Exception as error:  # the store is away: say so, and look again
                        log.error("the consoles can't be told what changed: %s", trail(error))
                        everything = True
                    if everything:
                        full = clock() + LOOK
                    self._tell_queue(clock())
            finally:
                waiting.cancel()

    @property
    def _pace(self) -> float:
        return max(QUEUE_PACE, QUEUE_SHARE * len(self._viewers))

    def _due(self, full: float) -> float:
        return min([full, *(viewer.queue_told + self._pace for viewer in self._viewers if viewer.queue_due)])

    async def _look(self, woken: Collection[str] | None) -> None:
        """At these conversations, or at all: tell whom it concerns."""
        if woken is not None and not woken:
            return
        agents, teams = await self._board_changes(woken)
        viewed = {viewer.conversation for viewer in self._viewers if viewer.conversation}
        shown = viewed if woken is None else viewed.intersection(woken)
        marks = await self._threads.marks(shown)
        # A wake always means something, if only an edited word that no mark shows.
        threads = {key for key in shown if woken is not None or marks.get(key) != self._marks.get(key)}
        self._marks = {key: mark for key, mark in {**self._marks, **marks}.items() if key in viewed}
        for viewer in self._viewers:
            if viewer.agent in agents:
                viewer.tell(OWN)
            if not teams.isdisjoint(viewer.teams):
                viewer.queue_due = True
            if viewer.conversation in threads:
                viewer.tell(THREAD)

    async def _board_changes(self, woken: Collection[str] | None) -> tuple[set[str], set[str]]:
        """The agents whose own list or presence changed, and the teams whose queue did."""
        found = await self._boards.rows(woken)
        before = {
            key: row for key, row in self._handoffs.items() if woken is None or row.conversation_id in woken
        }
        changed = {key for key in before.keys() | found.keys() if before.get(key) != found.get(key)}
        rows = [side[key] for key in changed for side in (before, found) if key in side]
        for key in before:
            del self._handoffs[key]
        self._handoffs |= found
        agents = {row.agent for row in rows if row.state == queue.TAKEN} | {row.offered for row in rows}
        teams = {row.team for row in rows if row.state == queue.WAITING}
        for team in teams:
            self._versions[team] = self._versions.get(team, 0) + 1
        if woken is None:
            presences = await self._boards.presences()
            agents |= {one for one, state in presences.items() if self._presences.get(one) != state}
            self._presences = presences
        return agents, teams

    def _tell_typing(self, conversation_id: str) -> None:
        for viewer in self._viewers:
            if viewer.conversation == conversation_id != "":
                viewer.tell(TYPING)

    def _tell_queue(self, now: float) -> None:
        for viewer in self._viewers:
            if viewer.queue_due and now >= viewer.queue_told + self._pace:
                viewer.queue_due, viewer.queue_told = False, now
                viewer.tell(QUEUE)
