"""Kill -9 in the middle of conversations between an agent and residents: nobody is dropped, nothing is said twice, and
the bot keeps silent. With real processes, on both stores."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from bot.app.house import open_house
from bot.db.database import Database
from bot.db.tables import conversations, messages, outbox
from bot.model import Author, Delivery, Owner
from bot.settings import Settings
from tests.console_agent import ConsoleAgent, agent_at
from tests.crowd import WebResident, patient
from tests.fakes.whatsapp import Resident
from tests.integration.staffed import Staffed, alone, apart
from tests.integration.test_silence import DROPPED, RESIDENTS, rounds_in
from tests.integration.test_silence import EACH as ROUNDS
from tests.processes import until

pytestmark = [pytest.mark.process, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module")]

LONG = int(os.environ.get("TEST_LONG", "1"))
"""So many times as long as usual: `TEST_LONG=10` for a night."""

EACH = 8 * LONG
"""So many messages of each resident, and of the agent to each."""

IN_FLIGHT = 6
"""So many more than the next kill waits for may be written: it always finds work under way."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def separate(tmp_path_factory: pytest.TempPathFactory, vectors: Path) -> AsyncIterator[Staffed]:
    """One installation for all tests here that need its processes."""
    async with apart(_with(tmp_path_factory.mktemp("apart"), vectors), seed=4) as there:
        yield there


def _with(directory: Path, vectors: Path) -> Path:
    """A state directory that knows the vectors of the articles."""
    (directory / "vectors").symlink_to(vectors)
    return directory


async def test_two_workers_keep_silent(separate: Staffed) -> None:
    """500 rounds of messages that race the taking and the giving back; see `test_silence`."""
    settings = Settings(
        database_url=separate.settings["DATABASE_URL"],
        redis_url=separate.settings["REDIS_URL"],
        state_dir=separate.directory,
    )
    async with open_house(settings) as house:
        rounds = rounds_in(house, 2)
        await rounds.play(RESIDENTS, ROUNDS)
        assert await rounds.check() == RESIDENTS * ROUNDS
    assert all(separate.programs[name].said.count(DROPPED) > 0 for name in ("worker1", "worker2"))
    assert "Traceback" not in separate.said() and "ERROR" not in separate.said()


async def test_apart(separate: Staffed) -> None:
    await nobody_is_dropped(separate, ["worker1", "web", "worker2", "web"] * LONG, seed=4)


async def test_alone(tmp_path: Path, vectors: Path) -> None:
    async with alone(_with(tmp_path, vectors), seed=3) as there:
        await nobody_is_dropped(there, ["run", "run"] * LONG, seed=3)


async def nobody_is_dropped(there: Staffed, victims: Sequence[str], seed: int) -> None:
    """Two residents talk with one agent while these are killed, one after the other."""
    chance = random.Random(seed)
    async with patient() as session, agent_at(there.store, there.url, "els") as els:
        page = await WebResident.open(session, there.url)
        noor = there.fake.resident()
        web = await begun(there.store, "webchat", lambda: page.send(0, "medewerker over mijn tuin"))
        phone = await begun(there.store, "whatsapp", lambda: said_by(noor, "medewerker over mijn tuin"))
        for key in (web, phone):
            await els.takes(key)
        listening = asyncio.create_task(els.listens(web))
        talk = Talk(there.store, chance, (web, phone))
        writing = asyncio.gather(
            talk.write("web", page.send),
            talk.write("phone", lambda _, text: said_by(noor, text)),
            talk.write("els-web", lambda _, text: els.says(web, text)),
            talk.write("els-phone", lambda _, text: els.says(phone, text)),
        )
        moments = sorted(chance.sample(range(4, 4 * EACH - IN_FLIGHT), len(victims)))
        for victim, moment in zip(victims, moments, strict=True):
            talk.limit = moment + IN_FLIGHT
            await talk.stored(moment)
            await asyncio.sleep(chance.uniform(0, 0.1))
            there.kill(victim)
        talk.limit = 4 * EACH
        await writing
        await talk.stored(4 * EACH)
        heard = els.heard
        await els.says(web, "tot slot")
        await until(lambda: _more(els, heard), 120, "the stream of events is there again")
        for key in (web, phone):
            await els.returns(key)
        await page.send(EACH + 1, "help")
        noor.say("help")
        await answered(there, web, page, talk.wrote["web"], [*talk.wrote["els-web"], "tot slot"])
        lines = await answered(there, phone, None, talk.wrote["phone"], talk.wrote["els-phone"])
        repeats = await all_arrived(there, phone, lines, noor)
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
    assert els.lines > 1, "the line broke, and came back by itself"
    assert there.fake.invalid == [] and "Traceback" not in there.said()
    sys.stderr.write(f"{repeats} of {len(lines)} came twice on WhatsApp after {len(victims)} kills\n")
    assert repeats <= len(victims)


async def _more(agent: ConsoleAgent, before: int) -> bool:
    return agent.heard > before


async def said_by(resident: Resident, text: str) -> None:
    resident.say(text)


async def begun(store: Database, channel: str, ask: Callable[[], Awaitable[None]]) -> str:
    """The conversation of the only resident on this channel, who asks for a person."""
    await ask()
    found: list[str] = []

    async def waits() -> bool:
        query = sa.select(conversations.c.id).where(
            conversations.c.channel == channel,
            conversations.c.owner == Owner.WAITING,
            conversations.c.address.not_like("round%"),
        )
        async with store.read() as connection:
            found.extend((await connection.execute(query)).scalars())
        return bool(found)

    await until(waits, 120, f"the resident on {channel} waits")
    return found[0]


@dataclass
class Talk:
    """Who writes what, and how far they may go: `limit` messages together."""

    store: Database
    chance: random.Random
    keys: Sequence[str]
    limit: int = 0
    written: int = 0
    wrote: dict[str, list[str]] = field(default_factory=dict)

    async def write(self, who: str, send: Callable[[int, str], Awaitable[None]]) -> None:
        """One of them writes all that they have to say."""
        own = self.wrote.setdefault(who, [])
        for number in range(1, EACH + 1):
            while self.written >= self.limit:
                await asyncio.sleep(0.02)
            self.written += 1
            own.append(f"{who} {number}")
            await send(number, own[-1])
            await asyncio.sleep(self.chance.uniform(0, 0.2))

    async def stored(self, count: int) -> None:
        """Wait until so many of theirs stand in the transcripts."""

        async def there() -> bool:
            query = sa.select(messages.c.text).where(messages.c.conversation_id.in_(self.keys))
            async with self.store.read() as connection:
                texts = set((await connection.execute(query)).scalars())
            return len(texts & {text for some in self.wrote.values() for text in some}) >= count

        await until(there, 120, f"{count} lines stored")


async def transcript(store: Database, key: str) -> Sequence[Any]:
    query = sa.select(messages).where(messages.c.conversation_id == key).order_by(messages.c.seq)
    async with store.read() as connection:
        return (await connection.execute(query)).all()


async def answered(
    there: Staffed, key: str, page: WebResident | None, resident: Sequence[str], agent: Sequence[str]
) -> Sequence[Any]:
    """All stands there once, the bot was silent meanwhile, and it answers again; the transcript."""
    lines: Sequence[Any] = ()

    async def done() -> bool:
        nonlocal lines
        lines = await transcript(there.store, key)
        return [line.author for line in lines[-2:]] == [Author.RESIDENT, Author.BOT]

    await until(done, 120, "the bot answers again")
    said = [line.text for line in lines if line.author == Author.RESIDENT]
    assert Counter(said) == Counter(["medewerker over mijn tuin", *resident, "help"])
    if page is not None:  # who waits for an answer before the next is heard in order
        assert said == ["medewerker over mijn tuin", *resident, "help"]
    assert [line.text for line in lines if line.author == Author.AGENT] == list(agent)
    joined, returned = [at for at, line in enumerate(lines) if line.author == Author.SYSTEM]
    assert {line.author for line in lines[joined + 1 : returned]} == {Author.RESIDENT, Author.AGENT}
    if page is not None:
        shown = await page.read()
        assert [(line["id"], line["text"]) for line in shown] == [(line.id, line.text) for line in lines]
    return lines


async def all_arrived(there: Staffed, key: str, lines: Sequence[Any], resident: Resident) -> int:
    """Nothing that was said is missing on the telephone, and it came in order. How many came twice: sent by a process
    that was killed before it noted that."""
    letters: Sequence[Any] = ()
    query = sa.select(outbox).where(outbox.c.conversation_id == key).order_by(outbox.c.seq)

    async def sent() -> bool:
        nonlocal letters
        async with there.store.read() as connection:
            letters = (await connection.execute(query)).all()
        return all(letter.state not in (Delivery.QUEUED, Delivery.FAILED) for letter in letters)

    await until(sent, 120 * LONG, "all is handed over")
    texts = {line.id: line.text for line in lines}
    arrived = [message for message in resident.transcript if message["bot"]]
    noted = [letter.external_id for letter in letters]
    assert [message["id"] for message in arrived if message["id"] in noted] == noted
    agent = [text for text in (texts[letter.message_id] for letter in letters) if text.startswith("els-")]
    assert list(dict.fromkeys(m["text"] for m in arrived if m["text"].startswith("els-"))) == agent
    return len(arrived) - len(noted)
