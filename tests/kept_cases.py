"""A system of cases that is a list, for tests of what stands around it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from bot.model import Case, CaseStatus, Proof
from bot.ports import CaseFault, Finding, Health
from tests.conftest import START

HOME = Proof(postcode="1234AB", house_number=12)


def case(number: int = 1, kind: str = "Kapvergunning", **values: Any) -> Case:
    """A case that is being worked on."""
    status = CaseStatus(("In behandeling",), "", START)
    reference = f"ZAAK-2026-{number:010}"
    return Case(f"key-{number}", reference, (kind,), date(2026, 11, 2), status, **values)


@dataclass
class KeptCases:
    """All of who lives at `HOME` and was born on 1 February 1980. `fault` is raised while it is set."""

    cases: dict[str, Case] = field(default_factory=dict)
    fault: CaseFault | None = None
    found: list[str] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    name: str = "kept"
    pause: float = 0.0

    def put(self, *some: Case) -> None:
        """Keep these."""
        self.cases |= {one.key: one for one in some}

    def move(self, key: str, name: str, at: datetime, **values: Any) -> None:
        """The next status of a case."""
        self.cases[key] = replace(self.cases[key], status=CaseStatus((name,), "", at), **values)

    async def find(self, reference: str, proof: Proof) -> Case | None:
        self.found.append(reference)
        await asyncio.sleep(self.pause)
        if self.fault:
            raise self.fault
        right = proof in (HOME, Proof(birth_date=date(1980, 2, 1)))
        return next((one for one in self.cases.values() if one.reference == reference and right), None)

    async def look(self, key: str) -> Case | None:
        self.looked.append(key)
        if self.fault:
            raise self.fault
        return self.cases.get(key)

    async def health(self) -> Health:
        return Health("ok")

    async def check(self) -> list[Finding]:
        return []

    async def close(self) -> None: ...
