"""Following a report: the button under its number, words that ask for the same, and how news of one is told.

What follows it is what follows a case (`bot.follows`, `bot.tidings`): a report is one, as far as they see.
"""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.casewords import UNFOLLOW
from bot.clock import AMSTERDAM
from bot.db.database import Database
from bot.db.tables import reports
from bot.model import Case, CaseStatus, Choice, Command, Outbound, Reply, Route, Say, Trace, Turn
from bot.ports import CaseFault, DialogueEngine, Health, ReportFault, ReportProvider
from bot.reports import FOLLOW
from bot.wording import Wording

log = logging.getLogger(__name__)

SECONDS = 6.0
"""For all calls of one look: well within the lease of a conversation."""

_ASKS = re.compile(
    r"\W*(?:ja,? )?(?:graag )?hou(?:d|dt)? (?:u |je )?(?:mij|me|ons) (?:graag |aub |svp )?(?:op de hoogte|op hoogte)"
    r"(?: (?:graag|aub|svp|alstublieft|hierover|hiervan|van mijn melding|over mijn melding))*\W*",
    re.IGNORECASE,
)


class ReportCases:
    """Reports as cases, for who looks at what is followed."""

    def __init__(self, provider: ReportProvider) -> None:
        self._provider = provider

    @property
    def name(self) -> str:
        """That of the system, apart from cases."""
        return f"report:{self._provider.name}"

    async def look(self, key: str) -> Case | None:
        """The report as a case. Raises `CaseFault`."""
        try:
            found = await self._provider.look(key)
        except ReportFault as fault:
            raise CaseFault(fault.reason, retryable=fault.retryable) from None
        if found is None:
            return None
        day = found.since.astimezone(AMSTERDAM).date()
        started = found.started.astimezone(AMSTERDAM).date() if found.started else day
        status = CaseStatus((found.words,), "", found.since)
        ended = day if found.closed else None
        return Case(key, found.number, (), started, status, ended=ended, result="closed" if ended else "")


class ReportWords:
    """How a followed report is told."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording

    def kind(self, case: Case) -> object:
        """Every report may be told of."""
        return case

    def now(self, case: Case) -> str:
        """Where it is, in a sentence."""
        key = "report_now_closed" if case.ended else "report_now_open"
        return self._wording.say(key).text

    def news(self, case: Case, now: datetime) -> Outbound:
        """What a follower reads when it changed."""
        if case.ended:
            return self._wording.say("report_ended", number=case.reference)
        said = self._wording.say("report_changed", number=case.reference, now=self.now(case))
        return Outbound(said.text, self._stop(case))

    def following(self, case: Case) -> Outbound:
        """The promise to tell."""
        return Outbound(self._wording.say("report_followed", number=case.reference).text, self._stop(case))

    def _stop(self, case: Case) -> tuple[Choice, ...]:
        return (Choice(f"{UNFOLLOW}:{case.key}"[:64], self._wording.say(f"choice_{UNFOLLOW}").text),)


class ReportDesk:
    """A dialogue engine in whose place residents begin to follow what they reported."""

    def __init__(
        self,
        engine: DialogueEngine,
        database: Database,
        provider: ReportProvider,
        words: ReportWords,
        *,
        minutes: int = 15,
    ) -> None:
        self._engine = engine
        self._database = database
        self._cases = ReportCases(provider)
        self._provider = provider.name
        self._words = words
        self._minutes = minutes

    async def reply(self, turn: Turn) -> Reply:
        """The engine's reply, unless a report is to be followed. Raises `EngineFault`."""
        kind, _, value = (turn.choice or "").partition(":")
        asks = kind == FOLLOW or (not kind and len(turn.text) < 80 and _ASKS.fullmatch(turn.text))
        row = await self._report(turn.conversation_id, value) if asks else None
        if row is None and kind != FOLLOW:
            return await self._engine.reply(turn)
        said, command = await self._follow(row)
        return Reply((said,), (command,) if command else (), turn.memory, Trace(Route.REPORT))

    async def health(self) -> Health:
        """That of the engine."""
        return await self._engine.health()

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()

    async def _follow(self, row: Any) -> tuple[Say | Outbound, Command | None]:
        if row is None:
            return Say("report_gone"), None
        try:
            async with asyncio.timeout(SECONDS):
                case = await self._cases.look(row.external_id)
        except (TimeoutError, CaseFault) as fault:
            log.warning("a report can't be looked at: %s", getattr(fault, "reason", "no answer in time"))
            return Say("report_down"), None
        if case is None:
            return Say("report_gone"), None
        if case.ended:
            return self._words.news(case, row.at), None
        args = {
            "provider": self._cases.name,
            "key": case.key,
            "reference": case.reference,
            "state": case.state,
        }
        return self._words.following(case), Command("follow", {**args, "minutes": self._minutes})

    async def _report(self, conversation_id: str, key: str) -> Any:
        """The report of this button, or the last one; only of the same conversation, and only one that is in."""
        mine = sa.select(reports).where(
            reports.c.conversation_id == conversation_id,
            reports.c.external_id.is_not(None),
            reports.c.provider == self._provider,
        )
        query = mine.where(reports.c.id == key) if key else mine
        async with self._database.read() as connection:
            return (await connection.execute(query.order_by(reports.c.at.desc()).limit(1))).first()
