"""What is dangerous in the street now: the telephone number goes before all else that is said."""

from __future__ import annotations

from dataclasses import replace

from actions.reports.categories import Categories
from bot.model import Reply, Say, Turn
from bot.ports import DialogueEngine, Health


class UrgentFirst:
    """A dialogue engine that says the number first. What endangers a life is heard sooner (`actions.alarm`)."""

    def __init__(self, engine: DialogueEngine, categories: Categories) -> None:
        self._engine = engine
        self._categories = categories

    async def reply(self, turn: Turn) -> Reply:
        """The engine's reply, behind the number where that is needed. Raises `EngineFault`."""
        reply = await self._engine.reply(turn)
        if turn.choice or not self._categories.urgent(turn.text):
            return reply
        return replace(reply, messages=(Say("report_urgent"), *reply.messages))

    async def health(self) -> Health:
        """That of the engine."""
        return await self._engine.health()

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()
