"""Rounds between the bot and people: residents who write while agents take their conversation and give it back; and
afterwards who said what while whose it was."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from bot import queue
from bot.db.database import Database
from bot.db.tables import conversations, inbox, messages, outbox
from bot.desk import Agent, Desk, NotWaiting, Outcome, TakenBy
from bot.inbox import Inbox, message_id
from bot.model import Author, Inbound, Kind, Owner
from bot.wording import Wording
from tests.processes import until

AGENTS = tuple(Agent(f"agent{number}", f"Agent {number}", ("kcc",), most=10_000) for number in range(4))
PERSON = ("medewerker over mijn tuin", "mens over mijn tuin")
"""How they ask for a person, with what it is about: nothing is asked back, at whatever time of day."""

PATIENCE = 120.0
"""Seconds for one step of a round, on a machine that is very busy."""


@dataclass(frozen=True, slots=True)
class State:
    """A conversation now, and whose it is."""

    key: str
    owner: Owner


@dataclass
class Resident:
    """One, with all that they sent, by the id that it has with us."""

    address: str
    chance: random.Random
    sent: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """Ids of what agents said to them."""


class Rounds:
    """Plays them on the web chat's channel: into the inbox, over the desk, with workers that somebody else runs."""

    def __init__(self, store: Database, box: Inbox, desk: Desk, wording: Wording, seed: int) -> None:
        self.residents: list[Resident] = []
        self._store = store
        self._inbox = box
        self._desk = desk
        self._joined = {wording.say("agent_joined", agent=agent.name).text for agent in AGENTS}
        self._returned = {wording.say("returned", agent=agent.name).text for agent in AGENTS}
        self._seed = seed
        self._states: dict[str, State] = {}

    async def play(self, residents: int, each: int) -> None:
        """So many residents at once, each `each` rounds."""
        self.residents = [
            Resident(f"round{number}", random.Random(f"{self._seed}/{number}")) for number in range(residents)
        ]
        for agent in AGENTS:
            await self._desk.seen(agent, queue.AVAILABLE)
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._look())
            await asyncio.gather(*(self._rounds(resident, each) for resident in self.residents))
            await self._settled()
            looking.cancel()

    async def _rounds(self, resident: Resident, count: int) -> None:
        for _ in range(count):
            asking = asyncio.create_task(self._says(resident, resident.chance.choice(PERSON)))
            if resident.chance.random() < 0.5:
                await asking
                await self._is(resident, Owner.WAITING)
            writing = [asyncio.create_task(self._writes(resident, resident.chance.randint(0, 1)))]
            agent = await self._taken(resident)
            await asking
            writing.append(asyncio.create_task(self._writes(resident, resident.chance.randint(0, 1))))
            await self._answers(resident, agent)
            await asyncio.sleep(resident.chance.uniform(0, 0.03))
            await self._desk.give_back(self._states[resident.address].key, agent, Outcome.HANDLED)
            await asyncio.gather(*writing)
        await self._says(resident, "bent u er weer?")

    async def _says(self, resident: Resident, text: str) -> str:
        external = f"{resident.address}-{len(resident.sent)}"
        resident.sent.append(message_id("webchat", external))
        await self._inbox.accept([Inbound("webchat", resident.address, external, Kind.TEXT, text)])
        return resident.sent[-1]

    async def _writes(self, resident: Resident, count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(resident.chance.uniform(0, 0.04))
            await self._says(resident, resident.chance.choice(("hallo?", "help", "nog iets", "bent u daar?")))

    async def _taken(self, resident: Resident) -> Agent:
        """Two agents press at the same time, until one has it."""
        found: list[Agent] = []

        async def pressed() -> bool:
            state = self._states.get(resident.address)
            # Mostly when their page shows that somebody waits; now and then too soon.
            if state is None or (state.owner is not Owner.WAITING and resident.chance.random() > 0.05):
                return False
            two = resident.chance.sample(AGENTS, 2)
            done = await asyncio.gather(
                *(self._desk.take(state.key, agent) for agent in two), return_exceptions=True
            )
            assert all(one is None or isinstance(one, NotWaiting | TakenBy) for one in done), done
            found.extend(agent for agent, one in zip(two, done, strict=True) if one is None)
            return bool(found)

        await until(pressed, PATIENCE, "somebody has it")
        [winner] = found
        return winner

    async def _answers(self, resident: Resident, agent: Agent) -> None:
        """A line that goes once, however often it is sent."""
        key = f"{resident.chance.getrandbits(128):032x}"
        resident.said.append(key)
        here = self._states[resident.address].key
        await asyncio.gather(
            *(
                self._desk.send(here, agent, "Ik kijk het na.", key=key)
                for _ in range(resident.chance.choice((1, 1, 2)))
            )
        )

    async def _is(self, resident: Resident, owner: Owner) -> None:
        async def now() -> bool:
            state = self._states.get(resident.address)
            return state is not None and state.owner is owner

        await until(now, PATIENCE, f"{resident.address} is with {owner}")

    async def _look(self) -> None:
        query = sa.select(conversations.c.id, conversations.c.address, conversations.c.owner)
        while True:
            async with self._store.read() as connection:
                rows = (await connection.execute(query)).all()
            self._states = {row.address: State(row.id, Owner(row.owner)) for row in rows}
            await asyncio.sleep(0.03)

    async def _settled(self) -> None:
        """All that was sent has had its turn."""
        waiting = sa.select(sa.func.count()).where(inbox.c.state == "done")

        async def nothing_waits() -> bool:
            async with self._store.read() as connection:
                done = await connection.scalar(waiting)
            return int(done or 0) == sum(len(resident.sent) for resident in self.residents)

        await until(nothing_waits, PATIENCE, "all turns")

    async def check(self) -> int:
        """Fails where the bot spoke while a person had the conversation, where something is missing or stands twice,
        or where the bot did not answer when it had it back. How many rounds there were."""
        async with self._store.read() as connection:
            lines = (await connection.execute(sa.select(messages).order_by(messages.c.seq))).all()
            letters = (await connection.execute(sa.select(outbox).order_by(outbox.c.seq))).all()
        rounds = 0
        for resident in self.residents:
            key = self._states[resident.address].key
            own = [line for line in lines if line.conversation_id == key]
            assert Counter(line.id for line in own if line.author == Author.RESIDENT) == Counter(
                resident.sent
            )
            assert Counter(line.id for line in own if line.author == Author.AGENT) == Counter(resident.said)
            rounds += self._nobody_else_speaks(own)
            self._the_bot_answers(own)
            at = {line.id: line.seq for line in own}
            going = [at[letter.message_id] for letter in letters if letter.conversation_id == key]
            assert going == sorted(going), "what is said first goes first"
        return rounds

    def _nobody_else_speaks(self, lines: Sequence[Any]) -> int:
        """How often a person had it."""
        with_agent, count = False, 0
        for before, line in zip([None, *lines], lines, strict=False):
            if line.author == Author.SYSTEM and line.text in self._joined:
                assert not with_agent, "nobody joins twice"
                with_agent, count = True, count + 1
            elif line.author == Author.SYSTEM and line.text in self._returned:
                assert with_agent, "only who joined gives it back"
                with_agent = False
            elif line.author == Author.BOT:
                assert not with_agent, f"the bot said {line.text!r} after {before.text if before else ''!r}"
            elif line.author == Author.AGENT:
                assert with_agent, "an agent speaks only while they have it"
        assert not with_agent
        return count

    def _the_bot_answers(self, lines: Sequence[Any]) -> None:
        """Each message after a return, up to the one that asks for a person again, and that one too."""
        with_bot = False
        for line, after in zip(lines, [*lines[1:], None], strict=True):
            if line.author == Author.SYSTEM and line.text in self._returned:
                with_bot = True
            elif line.author == Author.RESIDENT and with_bot:
                assert after is not None and after.author == Author.BOT, f"{line.text!r} has no answer"
                with_bot = line.text not in PERSON
        assert with_bot, "the last word is the bot's"
