"""The desk of cases: does what the dialogue asks of it, around whichever engine runs.

The engine's reply holds the command `case_lookup`, with the number and the fact that a resident gave. The case is
looked up here, after the engine and before the turn commits, so that no transaction waits for another system; the
command never gets further. What the desk says of a case is said in the engine's place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from bot import metrics
from bot.attempts import Attempts
from bot.casewords import ASK, FOLLOW, CaseWords
from bot.clock import Clock, utc_now
from bot.model import Case, Command, Outbound, Proof, Reply, Route, Say, Trace, Turn
from bot.ports import CaseFault, CaseProvider, DialogueEngine, Health

log = logging.getLogger(__name__)

LOOKUP = "case_lookup"

SECONDS = 6.0
"""For all calls of one look: well within the lease of a conversation."""


class CaseDesk:
    """Looks up and begins to follow. `minutes`: how often a case that is followed is looked at;
    `seconds` that all calls of one look may take."""

    def __init__(
        self,
        provider: CaseProvider,
        words: CaseWords,
        attempts: Attempts,
        clock: Clock = utc_now,
        *,
        minutes: int = 15,
        seconds: float = SECONDS,
    ) -> None:
        self._provider = provider
        self._words = words
        self._attempts = attempts
        self._clock = clock
        self._minutes = minutes
        self._seconds = seconds

    def around(self, engine: DialogueEngine) -> DialogueEngine:
        """The engine with the desk behind it."""
        return _AtTheDesk(self, engine)

    async def look_up(self, turn: Turn, asked: Mapping[str, Any]) -> Say | Outbound:
        """What is said to somebody who gave a number and a fact. The same for a case that is not there, one that the
        fact is wrong for, and one that another fact is needed for."""
        reference, key = asked["reference"], turn.metadata["turn"]
        if not await self._attempts.take(key, turn.conversation_id, reference):
            metrics.CASE_LOOKUPS.labels("locked").inc()
            return Say("case_locked")
        proof = _proof(asked)
        try:
            async with asyncio.timeout(self._seconds):
                case = await self._provider.find(reference, proof)
        except (TimeoutError, CaseFault) as fault:
            return await self._down(key, fault)
        kind = self._words.kind(case) if case else None
        missed = case is None or (kind is not None and kind.proof != proof.fact)
        await self._attempts.mark(key, "missed" if missed else "found")
        metrics.CASE_LOOKUPS.labels("missed" if missed else "found").inc()
        if case is None or missed:
            return Say("case_unknown")
        return self._words.answer(case, self._clock()) if kind else Say("case_not_here")

    async def follow(self, key: str) -> tuple[Say | Outbound, Command | None]:
        """What is said to somebody who wants to hear of a case that was shown, and what the turn is to do."""
        try:
            async with asyncio.timeout(self._seconds):
                case = await self._provider.look(key)
        except (TimeoutError, CaseFault) as fault:
            return await self._down(None, fault), None
        if case is None or self._words.kind(case) is None:
            return Say("case_not_here"), None
        if case.ended:
            return Say("case_follow_ended"), None
        return self._words.following(case), self._command(case)

    def _command(self, case: Case) -> Command:
        args = {"key": case.key, "reference": case.reference, "state": case.state}
        return Command("follow", {"provider": self._provider.name, "minutes": self._minutes, **args})

    async def _down(self, key: str | None, fault: TimeoutError | CaseFault) -> Say:
        reason = fault.reason if isinstance(fault, CaseFault) else "no answer in time"
        later = isinstance(fault, TimeoutError) or fault.retryable
        log.log(logging.WARNING if later else logging.ERROR, "cases can't be looked up: %s", reason)
        metrics.CASE_LOOKUPS.labels("fault").inc()
        if key:
            await self._attempts.mark(key, "fault")
        return Say("case_down")


class _AtTheDesk:
    """A dialogue engine whose requests for cases are done."""

    def __init__(self, desk: CaseDesk, engine: DialogueEngine) -> None:
        self._desk = desk
        self._engine = engine

    async def reply(self, turn: Turn) -> Reply:
        """The engine's reply with what the desk has to say; buttons of the desk's own don't reach the engine. Raises
        `EngineFault`."""
        kind, _, value = (turn.choice or "").partition(":")
        if kind == FOLLOW:
            said, command = await self._desk.follow(value)
            return Reply((said,), (command,) if command else (), turn.memory, Trace(Route.STATUS))
        if kind == ASK:
            command = Command("handoff", {"reason": "asked", "topic": f"Zaak {value}"[:64]})
            return Reply((), (command,), turn.memory, Trace(Route.HANDOFF))
        reply = await self._engine.reply(turn)
        asked = next((command for command in reply.commands if command.name == LOOKUP), None)
        if asked is None:
            return reply
        said = await self._desk.look_up(turn, asked.args)
        others = tuple(command for command in reply.commands if command is not asked)
        hidden = Command("conceal", {"parts": list(asked.args["parts"])})
        return replace(reply, messages=(*reply.messages, said), commands=(*others, hidden))

    async def health(self) -> Health:
        """That of the engine."""
        return await self._engine.health()

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()


def _proof(asked: Mapping[str, Any]) -> Proof:
    if asked["birth_date"]:
        return Proof(birth_date=date.fromisoformat(asked["birth_date"]))
    return Proof(asked["postcode"], asked["house_number"], asked["addition"])
