"""One turn: a message, its answer and everything that follows from it, committed together or not at all."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics
from bot.clock import AMSTERDAM, Clock, utc_now
from bot.conversation import NotAllowed, change_owner
from bot.db.database import Database
from bot.db.tables import conversations, messages
from bot.handoff import Handoff
from bot.inbox import LEASE, MAX_ATTEMPTS, Lease, Row
from bot.keywords import Keyword, keyword
from bot.model import Author, Command, Kind, Outbound, Owner, Reply, Route, Say, Trace, Turn
from bot.ports import Alarm, Bus, Channel, DialogueEngine, EngineFault
from bot.record import record
from bot.wording import Wording, WordingError

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Somebody else has the conversation now (another worker, or an agent): nothing of this turn was stored."""


@dataclass(frozen=True, slots=True)
class State:
    """What a turn starts from."""

    owner: Owner
    memory: Mapping[str, Any] | None
    greeted: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a turn will commit. `resumed` says why the bot gets the conversation back, where it does."""

    reply: Reply
    said: str
    greeted: bool
    resumed: str | None = None


class Turns:
    """Answers the messages of a leased conversation, one by one, in order."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        channels: Mapping[str, Channel],
        engine: DialogueEngine,
        fallback: DialogueEngine,
        alarm: Alarm,
        wording: Wording,
        handoff: Handoff,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._bus = bus
        self._channels = channels
        self._engine = engine
        self._fallback = fallback
        self._alarm = alarm
        self._wording = wording
        self._handoff = handoff
        self._clock = clock

    async def run(self, lease: Lease) -> None:
        """Answer all messages of the lease. Raises `LeaseLost`; what was committed before stays."""
        state = State(lease.owner, lease.memory, lease.greeted)
        for row in lease.rows:
            started = perf_counter()
            outcome = await self.decide(lease, row, state)
            state = await self.commit(lease, row, state, outcome, last=row is lease.rows[-1])
            metrics.TURN_SECONDS.observe(perf_counter() - started)
            metrics.WAIT_SECONDS.observe((self._clock() - row.received_at).total_seconds())
            metrics.TURNS.labels(outcome.reply.trace.route if outcome.reply.trace else "silent").inc()

    # -- deciding: no effect yet ----------------------------------------------------------------------------

    async def decide(self, lease: Lease, row: Row, state: State) -> Outcome:
        """What to answer, and whether the bot may: while a human owns the conversation it is silent. Words of danger
        are answered before all else, as long as no human is there."""
        said, offered = await self._said(lease, row)
        word = keyword(row.text, row.choice) if row.kind in (Kind.TEXT, Kind.CHOICE) else None
        resumed = _resumed(state.owner, row, word)
        memory = None if resumed else state.memory
        if urgent := self._urgent(lease, row, state.owner, memory):
            return Outcome(urgent, said, greeted=True, resumed=resumed)
        silent = state.owner in (Owner.WAITING, Owner.AGENT) and resumed is None
        if silent or row.kind is Kind.EDIT:
            return Outcome(Reply((), memory=state.memory), said, state.greeted)
        reply = self._standing(row, word, memory, offered=offered, resumed=resumed is not None)
        if reply is None:
            reply = await self._think(self._turn(lease, row, memory))
        if not state.greeted and row.kind is not Kind.START:
            reply = replace(reply, messages=(Say("welcome"), *reply.messages))
        return Outcome(reply, said, greeted=True, resumed=resumed)

    def _urgent(self, lease: Lease, row: Row, owner: Owner, memory: Mapping[str, Any] | None) -> Reply | None:
        if row.kind is not Kind.TEXT or owner is Owner.AGENT or row.attempts > MAX_ATTEMPTS:
            return None
        urgent = self._alarm.hears(self._turn(lease, row, memory), waiting=owner is Owner.WAITING)
        return urgent and replace(urgent, memory=memory)

    def _standing(
        self,
        row: Row,
        word: Keyword | None,
        memory: Mapping[str, Any] | None,
        *,
        offered: bool,
        resumed: bool,
    ) -> Reply | None:
        """The answer that needs no understanding, or None."""
        if row.attempts > MAX_ATTEMPTS:
            log.error("message %s failed %d times: answered with an apology", row.id, MAX_ATTEMPTS)
            return _APOLOGY
        if row.kind is Kind.START:
            return _smalltalk("welcome")
        if row.kind not in (Kind.TEXT, Kind.CHOICE):
            return _smalltalk("unsupported_kind", memory)
        if word is Keyword.HUMAN:
            return Reply((), (Command("handoff", {"reason": "asked"}),), None, Trace(Route.HANDOFF))
        if word is Keyword.BOT and (resumed or row.choice):
            return _smalltalk("back_to_bot", memory)
        if word in (Keyword.STOP, Keyword.RESTART):
            return _smalltalk("stopped" if word is Keyword.STOP else "restarted")
        if word is Keyword.HELP:
            return _smalltalk("help", memory)
        if row.choice is not None and not offered:
            return _smalltalk("unknown_choice", memory)
        return None

    def _turn(self, lease: Lease, row: Row, memory: Mapping[str, Any] | None) -> Turn:
        now = self._clock().astimezone(AMSTERDAM).isoformat(timespec="seconds")
        metadata = {"channel": lease.channel, "now": now, "turn": row.id}
        return Turn(lease.conversation_id, row.text, row.choice, memory, metadata)

    async def _think(self, turn: Turn) -> Reply:
        try:
            return await self._engine.reply(turn)
        except EngineFault as fault:
            metrics.ENGINE_FAULTS.labels("down" if fault.down else "turn").inc()
            log.log(logging.WARNING if fault.down else logging.ERROR, "dialogue engine: %s", fault.reason)
            if not fault.down:
                return _APOLOGY
        try:
            return await self._fallback.reply(turn)
        except EngineFault as fault:
            log.error("fallback without the engine: %s", fault.reason)
            return _APOLOGY

    async def _said(self, lease: Lease, row: Row) -> tuple[str, bool]:
        """The resident's words for the transcript; for a choice its label, and whether we offered it."""
        if row.choice is None:
            return row.text, True
        offered = (
            sa.select(messages.c.choices)
            .where(messages.c.conversation_id == lease.conversation_id, messages.c.author != Author.RESIDENT)
            .order_by(messages.c.seq.desc())
            .limit(50)
        )
        async with self._database.read() as connection:
            for choices in (await connection.execute(offered)).scalars():
                for choice in choices:
                    if choice["id"] == row.choice:
                        return str(choice["label"]), True
        standing = f"choice_{row.choice}"
        if standing in self._wording:
            return self._wording.say(standing).text, True
        return row.text or row.choice, False

    # -- committing: all of it or nothing -------------------------------------------------------------------

    async def commit(self, lease: Lease, row: Row, state: State, outcome: Outcome, *, last: bool) -> State:
        """Store the turn in one transaction, fenced by the lease; wake the others after it."""
        now = self._clock()
        reply = outcome.reply
        said = self._words(reply)
        owner, memory = state.owner, reply.memory
        async with self._database.write() as connection:
            await self._fence(connection, lease, state, outcome, now, last=last)
            if outcome.resumed:
                await self._move(connection, lease, owner, Owner.BOT, outcome.resumed, now)
                owner = Owner.BOT
                await connection.execute(_mine(lease).values(memory=_json(memory)))
            for command in reply.commands:
                match command.name:
                    case "handoff":
                        await self._move(connection, lease, owner, Owner.WAITING, command.args["reason"], now)
                        said.append(await self._handoff.announce(connection, now))
                        owner, memory = Owner.WAITING, None
                    case "callback":
                        said.append(
                            await self._handoff.call_back(connection, lease.conversation_id, command, now)
                        )
                    case unknown:
                        raise ValueError(f"unknown command {unknown!r}")
            bodies = [self._channels[lease.channel].render(lease.address, message) for message in said]
            await record(
                connection, lease, row, outcome.said, list(zip(said, bodies, strict=True)), reply.trace, now
            )
        if said:
            await self._bus.publish("outbox")
        await self._bus.publish("console", lease.conversation_id)
        return State(owner, memory, outcome.greeted)

    def _words(self, reply: Reply) -> list[Outbound]:
        """What the resident will read; an apology where a text names what no one filled in."""
        try:
            return [self._wording.finish(message) for message in reply.messages]
        except WordingError as error:
            log.error("a text can't be filled in: %s", error)
            return [self._wording.say("apology")]

    async def _fence(
        self,
        connection: AsyncConnection,
        lease: Lease,
        state: State,
        outcome: Outcome,
        now: datetime,
        *,
        last: bool,
    ) -> None:
        """Go on only while the conversation is leased to us and its owner is who we answered for."""
        lease_after = (None, None) if last else (lease.token, now + LEASE)
        held = await connection.execute(
            _mine(lease)
            .where(conversations.c.lease_token == lease.token, conversations.c.owner == state.owner)
            .values(
                lease_token=lease_after[0],
                lease_until=lease_after[1],
                memory=_json(outcome.reply.memory),
                greeted=outcome.greeted,
                last_inbound_at=now,
            )
        )
        if held.rowcount != 1:
            raise LeaseLost(lease.conversation_id)

    @staticmethod
    async def _move(
        connection: AsyncConnection, lease: Lease, before: Owner, after: Owner, reason: str, now: datetime
    ) -> None:
        try:
            await change_owner(
                connection, lease.conversation_id, before, after, reason=reason, actor="resident", now=now
            )
        except NotAllowed as error:
            raise LeaseLost(str(error)) from error


_APOLOGY = Reply((Say("apology"),), trace=Trace(Route.HANDOFF))


def _smalltalk(phrase: str, memory: Mapping[str, Any] | None = None) -> Reply:
    return Reply((Say(phrase),), memory=memory, trace=Trace(Route.SMALLTALK))


def _resumed(owner: Owner, row: Row, word: Keyword | None) -> str | None:
    """Why the bot gets the conversation back with this message, or None where it does not."""
    if owner is Owner.CLOSED and row.kind is not Kind.EDIT:
        return "wrote again"
    if owner is Owner.WAITING and word in (Keyword.BOT, Keyword.STOP, Keyword.RESTART):
        return f"resident: {word}"
    return "resident: callback" if owner is Owner.WAITING and row.choice == "callback" else None


def _mine(lease: Lease) -> sa.Update:
    return sa.update(conversations).where(conversations.c.id == lease.conversation_id)


def _json(memory: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if memory is None else dict(memory)
