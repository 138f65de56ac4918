"""A storm of WhatsApp messages: batches, doubles, shuffled, some forged, a vendor that is out of order at times; and
afterwards what became of each message."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import sqlalchemy as sa

from bot.db.database import Database
from bot.db.tables import conversations, inbox, messages, outbox
from bot.model import Author, Delivery
from tests.fakes.whatsapp import Delivering, FakeWhatsApp, Faults, Resident
from tests.processes import until

RATE = 50
"""Messages a second."""

TEXTS = ("help", "help", "help", "help", "help", "help", "help", "opnieuw", "hallo", "wat kost een paspoort")
"""What they write: mostly what needs no dialogue engine, so that the storm is at the edge and not there."""

SETTINGS = {"WHATSAPP_RESIDENT_BURST": "45", "WHATSAPP_RATE": "200"}
FAULTS = Faults(flood=0.03, error=0.03, gateway=0.01, drop=0.01)
DELIVERING = Delivering(copies=(1, 3), batch=8, shuffled=True, forged=0.02)


@dataclass
class Figures:
    """What came of it."""

    written: int
    calls: int
    seconds: float
    """How long it blew."""
    elapsed: float
    """How long until all was handed over."""
    answers: list[float]
    """Seconds until each webhook call was answered."""
    lost: int
    unanswered: int
    doubled: int
    repeats: int
    """Messages that arrived twice: handed over by a process that was killed before it noted that."""
    forged_in: int
    disordered: int
    invalid: list[str] = field(default_factory=list)


class Storm:
    """`residents` people who write `RATE` messages a second together."""

    def __init__(self, fake: FakeWhatsApp, store: Database, *, residents: int = 100, seed: int = 1) -> None:
        self.fake = fake
        self.store = store
        self.written: dict[str, str] = {}
        """The text of each message by its id."""
        self._chance = random.Random(seed)
        self._residents = [fake.resident() for _ in range(residents)]
        self._seconds = self._elapsed = self._started = 0.0

    async def blow(self, seconds: float) -> None:
        """Write for so long."""
        self.fake.faults, self.fake.delivering = FAULTS, DELIVERING
        started = self._started = perf_counter()
        for number in range(round(seconds * RATE)):
            resident = self._chance.choice(self._residents)
            text = self._chance.choice(TEXTS)
            self.written[resident.say(text)] = text
            if (wait := started + (number + 1) / RATE - perf_counter()) > 0:
                await asyncio.sleep(wait)
        self._seconds = perf_counter() - started

    async def settles(self, seconds: float) -> None:
        """Wait until all is taken in, answered and handed over."""

        async def settled() -> bool:
            return self.fake.idle and not await self._left()

        await until(settled, seconds, "all of the storm answered and handed over")
        self._elapsed = perf_counter() - self._started

    async def _left(self) -> int:
        done = sa.select(sa.func.count()).select_from(inbox).where(inbox.c.state != "pending")
        queued = sa.select(sa.func.count()).select_from(outbox).where(outbox.c.state == Delivery.QUEUED)
        async with self.store.read() as connection:
            handled = await connection.scalar(done)
            waiting = await connection.scalar(queued)
        return len(self.written) - int(handled or 0) + int(waiting or 0)

    async def figures(self) -> Figures:
        """Compare what was written, what is stored and what arrived."""
        async with self.store.read() as connection:
            taken = set((await connection.execute(sa.select(inbox.c.external_id))).scalars())
            lines = (await connection.execute(_ordered(messages))).all()
            letters = (await connection.execute(_ordered(outbox))).all()
            addresses = {row.id: row.address for row in await connection.execute(sa.select(conversations))}
        found = Figures(
            written=len(self.written),
            calls=len(self.fake.webhook_answers),
            seconds=self._seconds,
            elapsed=self._elapsed,
            answers=sorted(self.fake.webhook_seconds),
            lost=len(self.written.keys() - taken),
            unanswered=0,
            doubled=0,
            repeats=0,
            forged_in=sum("FORGED" in key for key in taken),
            disordered=0,
            invalid=self.fake.invalid[:5],
        )
        for key, own in _grouped(lines).items():
            for count in _answers(own):
                found.unanswered += count == 0
                found.doubled += max(0, count - 1)
            self._arrived(self.fake.residents[addresses[key]], _grouped(letters).get(key, []), found)
        written = Counter(self.written.values())
        said = Counter(line.text for line in lines if line.author == Author.RESIDENT)
        found.lost += sum((written - said).values())
        return found

    @staticmethod
    def _arrived(resident: Resident, letters: list[Any], found: Figures) -> None:
        """What the resident has, against what was noted as sent."""
        arrived = [message["id"] for message in resident.transcript if message["bot"]]
        noted = [letter.external_id for letter in letters]
        found.lost += sum(key not in arrived for key in noted)
        found.repeats += sum(key not in noted for key in arrived)
        found.disordered += [key for key in arrived if key in noted] != noted


def _ordered(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table).order_by(table.c.seq)


def _grouped(rows: Any) -> Mapping[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for row in rows:
        groups.setdefault(row.conversation_id, []).append(row)
    return groups


def _answers(lines: list[Any]) -> list[int]:
    """How many answers follow each message of the resident, up to the next."""
    counts: list[int] = []
    for line in lines:
        if line.author == Author.RESIDENT:
            counts.append(0)
        elif line.trace is not None and counts:
            counts[-1] += 1
    return counts


@asynccontextmanager
async def meta(url: str, seed: int = 7) -> AsyncIterator[FakeWhatsApp]:
    """Meta's server, which brings messages to this bot."""
    async with FakeWhatsApp(seed=seed) as fake:
        fake.webhook = f"{url}/webhooks/whatsapp"
        yield fake
