"""The desk: what agents do with conversations. Each act is one transaction that holds the conversation first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import queue
from bot.audit import Act, audit
from bot.clock import Clock, utc_now
from bot.conversation import change_owner
from bot.db.database import Database
from bot.db.tables import conversations, handoffs, messages, notes, presences
from bot.handoff import Handoff
from bot.model import Author, Outbound, Owner
from bot.municipality import Municipality
from bot.ports import Bus, Channel
from bot.window import TemplateError, WindowClosed, fill, opener, tell, window
from bot.window import queue as queue_message
from bot.wording import Wording


class Outcome(StrEnum):
    """What came of a conversation with a person; the values are those of the table."""

    HANDLED = "handled"
    CALL_BACK = "call_back"
    PASSED_ON = "passed_on"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody of the staff, with the teams whose queue they see; `most` conversations at the same time."""

    id: str
    name: str
    teams: tuple[str, ...]
    most: int


class DeskError(Exception):
    """What an agent asked can't be done now; the reason is Dutch and theirs to read."""


class TakenBy(DeskError):
    """Somebody else was first."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} heeft dit gesprek al.")
        self.name = name


class NotWaiting(DeskError):
    """The resident does not wait (any more)."""


class NotYours(DeskError):
    """Another agent has the conversation, or nobody."""


class Full(DeskError):
    """The agent has as many conversations as they can have."""


class Desk:
    """Takes, answers, hands over and ends conversations for agents."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        channels: Mapping[str, Channel],
        wording: Wording,
        municipality: Municipality,
        handoff: Handoff,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._bus = bus
        self._channels = channels
        self._wording = wording
        self._municipality = municipality
        self._handoff = handoff
        self._clock = clock

    # -- agents ---------------------------------------------------------------------------------------------

    async def seen(self, agent: Agent, state: str | None = None) -> None:
        """The agent's console is there; `state` where the agent changes it."""
        async with self._database.write() as connection:
            presence = {
                "agent": agent.id,
                "name": agent.name,
                "teams": list(agent.teams),
                "most": agent.most,
            }
            await queue.seen(self._database, connection, presence, state, self._clock())
        if state is not None:
            await self._bus.publish("console")

    async def next(self, agent: Agent) -> str | None:
        """Take who waits longest for one of the agent's teams; the conversation, None where nobody waits."""
        async with self._database.read() as connection:
            rows = await queue.waiting(connection, agent.teams)
        for row in rows:
            try:
                await self.take(row.conversation_id, agent)
            except (TakenBy, NotWaiting):
                continue
            return str(row.conversation_id)
        return None

    # -- conversations ----------------------------------------------------------------------------------------

    async def take(self, conversation_id: str, agent: Agent) -> None:
        """Get a conversation that waits. Of several agents exactly one gets it; for who has it already nothing
        changes: the answer to their first try may have got lost. Raises `TakenBy`, `NotWaiting`, `Full`."""
        now = self._clock()
        async with self._database.write() as connection:
            row = await self._held(connection, conversation_id)
            found = await queue.open_handoff(connection, conversation_id, lock=True)
            if row is None or found is None:
                raise NotWaiting("Dit gesprek wacht niet meer.")
            if found.state == queue.TAKEN and found.agent == agent.id:
                return
            if found.state == queue.TAKEN:
                raise TakenBy(await self._name(connection, found.agent))
            await self._room(connection, agent)
            await change_owner(
                connection,
                conversation_id,
                Owner.WAITING,
                Owner.AGENT,
                reason="taken",
                actor=agent.id,
                now=now,
            )
            values = {"state": queue.TAKEN, "agent": agent.id, "taken_at": now, "passed_by": []}
            await self._update(connection, found.id, values)
            await audit(connection, agent.id, Act.TOOK_CONVERSATION, conversation_id, at=now)
            await self._tell(connection, row, self._wording.say("agent_joined", agent=agent.name), now)
        await self._wake(conversation_id)

    async def send(
        self,
        conversation_id: str,
        agent: Agent,
        text: str,
        *,
        hold: bool = False,
        key: str | None = None,
        source: tuple[str, int] | None = None,
    ) -> str:
        """Say something to the resident; the id of its line, which is `key` where the caller gives one: with the same
        it is said once. `source`: the article and revision that the words are of. Raises `NotYours`, and
        `WindowClosed` where free words may not go now and are not to be held."""
        now = self._clock()
        async with self._database.write() as connection:
            row, _ = await self._mine(connection, conversation_id, agent)
            if key is not None and await _is_said(connection, conversation_id, key):
                return key
            channel = self._channels[row.channel]
            closed = not window(channel.limits, row.last_inbound_at, now).is_open
            if closed and not hold:
                raise WindowClosed(sorted(channel.templates))
            article, revision = source or (None, None)
            said = Outbound(text, article=article, revision=revision)
            key = await queue_message(
                connection, channel, conversation_id, said, Author.AGENT, now, held=closed, key=key
            )
            if closed:
                await opener(connection, channel, conversation_id, now)
        await self._wake(conversation_id)
        return key

    async def template(
        self, conversation_id: str, agent: Agent, name: str, values: dict[str, str], key: str | None = None
    ) -> str:
        """Say a template, which may go at any time; the id of its line, as in `send`. Raises `NotYours`, and
        `TemplateError` where there is none of that name or its values don't fit."""
        now = self._clock()
        async with self._database.write() as connection:
            row, _ = await self._mine(connection, conversation_id, agent)
            if key is not None and await _is_said(connection, conversation_id, key):
                return key
            channel = self._channels[row.channel]
            if name not in channel.templates:
                raise TemplateError(f"no template {name!r}")
            said = fill(channel.templates[name], values)
            key = await queue_message(connection, channel, conversation_id, said, Author.AGENT, now, key=key)
        await self._wake(conversation_id)
        return key

    async def note(self, conversation_id: str, agent: Agent, text: str) -> None:
        """Write something for colleagues; the resident never sees it. The same again, right after it, is one note:
        the answer to the first try may have got lost."""
        now = self._clock()
        async with self._database.write() as connection:
            if await self._held(connection, conversation_id) is None:
                raise NotYours("Dit gesprek is er niet meer.")
            if await _last_note(connection, conversation_id) == (agent.id, text):
                return
            await _note(connection, conversation_id, agent.id, text, now)
        await self._bus.publish("console", conversation_id)

    async def give_back(self, conversation_id: str, agent: Agent, outcome: Outcome) -> None:
        """The bot goes on. The resident is told, and asked for a mark. Raises `NotYours`."""
        await self._end(conversation_id, agent, outcome, Owner.BOT, "returned")

    async def close(self, conversation_id: str, agent: Agent, outcome: Outcome) -> None:
        """The conversation is over. The resident is told, and asked for a mark. Raises `NotYours`."""
        await self._end(conversation_id, agent, outcome, Owner.CLOSED, "closed")

    async def _end(
        self, conversation_id: str, agent: Agent, outcome: Outcome, after: Owner, phrase: str
    ) -> None:
        now = self._clock()
        async with self._database.write() as connection:
            row, found = await self._mine(connection, conversation_id, agent)
            reason = f"agent: {outcome}"
            await change_owner(
                connection, conversation_id, Owner.AGENT, after, reason=reason, actor=agent.id, now=now
            )
            await queue.leave(connection, conversation_id, outcome, now)
            await queue.freed(connection, agent.id, now)
            await self._tell(connection, row, self._wording.say(phrase, agent=agent.name), now)
            await self._tell(connection, row, self._handoff.mark_request(found.id), now, Author.BOT)
            await connection.execute(
                sa.update(conversations)
                .where(conversations.c.id == conversation_id)
                .values(asks=f"mark:{found.id}")
            )
        await self._wake(conversation_id)

    async def hand_over(
        self,
        conversation_id: str,
        agent: Agent,
        reason: str,
        *,
        team: str | None = None,
        to: str | None = None,
    ) -> None:
        """Give a conversation to another team, or to a colleague who is there and has room. To a team it goes back
        in the queue, in its old place. Raises `NotYours`, `Full`, `DeskError`."""
        now = self._clock()
        async with self._database.write() as connection:
            row, found = await self._mine(connection, conversation_id, agent)
            chosen = self._municipality.team(team) if team else None
            if (team is None) == (to is None) or (team is not None and chosen is None):
                raise DeskError("Kies een team of een collega.")
            await queue.hold(connection, agent.id, to or agent.id)
            colleague = await self._colleague(connection, to, now) if to else None
            await change_owner(
                connection,
                conversation_id,
                Owner.AGENT,
                Owner.WAITING,
                reason="handed over",
                actor=agent.id,
                now=now,
            )
            await _note(connection, conversation_id, agent.id, f"Overgedragen: {reason}", now)
            await queue.freed(connection, agent.id, now)
            if colleague is not None:
                await self._update(connection, found.id, {"agent": colleague.id, "taken_at": now})
                await change_owner(
                    connection,
                    conversation_id,
                    Owner.WAITING,
                    Owner.AGENT,
                    reason="handed over",
                    actor=colleague.id,
                    now=now,
                )
                message = self._wording.say("agent_joined", agent=colleague.name)
            else:
                title = chosen.title if chosen else ""
                values = {
                    "state": queue.WAITING,
                    "agent": None,
                    "team": team,
                    "queued_at": now,
                    **queue.FRESH,
                }
                await self._update(connection, found.id, values)
                message = self._wording.say("handed_over", team=title)
            await self._tell(connection, row, message, now)
        await self._wake(conversation_id)

    # -- inner workings -----------------------------------------------------------------------------------------

    async def _held(self, connection: AsyncConnection, conversation_id: str) -> Any | None:
        """The conversation, ours until the commit: what a turn commits meanwhile waits, and then fails its fence."""
        query = sa.select(conversations).where(conversations.c.id == conversation_id).with_for_update()
        row = (await connection.execute(query)).one_or_none()
        return row if row is not None and row.channel in self._channels else None

    async def _mine(self, connection: AsyncConnection, conversation_id: str, agent: Agent) -> tuple[Any, Any]:
        row = await self._held(connection, conversation_id)
        found = await queue.open_handoff(connection, conversation_id, lock=True)
        if row is None or row.owner != Owner.AGENT or found is None or found.agent != agent.id:
            name = await self._name(connection, found.agent) if found is not None and found.agent else None
            raise NotYours(f"{name} heeft dit gesprek nu." if name else "U heeft dit gesprek niet (meer).")
        return row, found

    async def _room(self, connection: AsyncConnection, agent: Agent) -> None:
        await queue.hold(connection, agent.id)
        count = sa.select(sa.func.count()).select_from(handoffs)
        own = count.where(handoffs.c.agent == agent.id, handoffs.c.state == queue.TAKEN)
        if int(await connection.scalar(own) or 0) >= agent.most:
            raise Full(f"U heeft al {_count(agent.most)}. Rond er eerst een af.")

    async def _colleague(self, connection: AsyncConnection, key: str, now: datetime) -> Agent:
        here = [row for row in await queue.agents(connection, now) if row.agent == key]
        if not here:
            raise DeskError("Deze collega is er nu niet.")
        found = Agent(here[0].agent, here[0].name, tuple(here[0].teams), here[0].most)
        try:
            await self._room(connection, found)
        except Full:
            raise Full(f"{found.name} heeft al {_count(found.most)}.") from None
        return found

    @staticmethod
    async def _name(connection: AsyncConnection, agent: str) -> str:
        query = sa.select(presences.c.name).where(presences.c.agent == agent)
        return str(await connection.scalar(query) or "Een collega")

    @staticmethod
    async def _update(connection: AsyncConnection, handoff_id: str, values: Mapping[str, Any]) -> None:
        await connection.execute(sa.update(handoffs).where(handoffs.c.id == handoff_id).values(**values))

    async def _tell(
        self,
        connection: AsyncConnection,
        row: Any,
        message: Outbound,
        now: datetime,
        author: Author = Author.SYSTEM,
    ) -> None:
        await tell(connection, self._channels[row.channel], row, message, author, now)

    async def _wake(self, conversation_id: str) -> None:
        await self._bus.publish("outbox")
        await self._bus.publish("console", conversation_id)


def _count(number: int) -> str:
    return "1 gesprek" if number == 1 else f"{number} gesprekken"


async def _note(
    connection: AsyncConnection, conversation_id: str, author: str, text: str, now: datetime
) -> None:
    row = {"conversation_id": conversation_id, "author": author, "text": text, "at": now}
    await connection.execute(sa.insert(notes).values(**row))


async def _last_note(connection: AsyncConnection, conversation_id: str) -> tuple[str, str] | None:
    query = sa.select(notes.c.author, notes.c.text).where(notes.c.conversation_id == conversation_id)
    row = (await connection.execute(query.order_by(notes.c.seq.desc()).limit(1))).one_or_none()
    return (row.author, row.text) if row else None


async def _is_said(connection: AsyncConnection, conversation_id: str, key: str) -> bool:
    query = sa.select(messages.c.conversation_id).where(messages.c.id == key)
    said_in = await connection.scalar(query)
    if said_in is not None and said_in != conversation_id:
        raise DeskError("Dit bericht hoort bij een ander gesprek.")
    return said_in is not None
