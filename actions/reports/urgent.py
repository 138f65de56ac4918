"""Before the dialogue hears of a report: what is dangerous in the street now gets the telephone number first, and a
report with a telephone number in it is no wish to be called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from actions import report_answers
from actions.reports.categories import Categories
from bot.model import Reply, Route, Say, Turn
from bot.ports import DialogueEngine, Health


class UrgentFirst:
    """A dialogue engine that says the number first. What endangers a life is heard sooner (`actions.alarm`)."""

    def __init__(self, engine: DialogueEngine, categories: Categories) -> None:
        self._engine = engine
        self._categories = categories

    async def reply(self, turn: Turn) -> Reply:
        """The engine's reply, behind the number where that is needed. Raises `EngineFault`."""
        if turn.choice:
            return await self._engine.reply(turn)
        urgent = self._categories.urgent(turn.text)
        reply = await self._engine.reply(self._understood(turn))
        return replace(reply, messages=(Say("report_urgent"), *reply.messages)) if urgent else reply

    async def health(self) -> Health:
        """That of the engine."""
        return await self._engine.health()

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()

    def _understood(self, turn: Turn) -> Turn:
        """`Er ligt een losse tegel, mijn nummer is 06...` tells what is wrong; the number in it leads astray."""
        if _in_form(turn.memory) or report_answers.contact(turn.text) is None:
            return turn
        guess = self._categories.guess(report_answers.without_contact(turn.text))
        return replace(turn, choice=Route.REPORT.value) if guess.sure and guess.tells else turn


def _in_form(memory: Mapping[str, Any] | None) -> bool:
    """Whether a form runs; the memory is the engine's, and may hold anything."""
    return bool(isinstance(memory, Mapping) and memory.get("loop"))
