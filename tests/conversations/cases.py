"""The system of cases in a conversation: the made-up cases, and a file can say that it is away or slow."""

from __future__ import annotations

import asyncio

from bot.model import Case, Proof
from bot.ports import CaseFault, CaseProvider, Finding, Health


class StagedCases:
    """A system that does as it is told: `down`, `slow`, `locked out` (of it, by wrong credentials), or as it should."""

    def __init__(self, cases: CaseProvider) -> None:
        self._cases = cases
        self.mood = ""

    @property
    def name(self) -> str:
        """That of the system behind it."""
        return self._cases.name

    async def find(self, reference: str, proof: Proof) -> Case | None:
        """The case, if the mood allows."""
        await self._act()
        return await self._cases.find(reference, proof)

    async def look(self, key: str) -> Case | None:
        """The same."""
        await self._act()
        return await self._cases.look(key)

    async def health(self) -> Health:
        """That of the system behind it."""
        return await self._cases.health()

    async def check(self) -> list[Finding]:
        """That of the system behind it."""
        return await self._cases.check()

    async def close(self) -> None:
        """Nothing of its own."""

    async def _act(self) -> None:
        match self.mood:
            case "down":
                raise CaseFault("no answer: ClientConnectorError", retryable=True)
            case "locked out":
                raise CaseFault("HTTP 403: is ZGW_SECRET right?", retryable=False)
            case "slow":
                await asyncio.Event().wait()
