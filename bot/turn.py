"""One turn: a message, its answer and everything that follows from it, committed together or not at all."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import appointments, marks, metrics, queue
from bot.clock import AMSTERDAM, Clock, utc_now
from bot.conversation import NotAllowed, change_owner
from bot.db.database import Database
from bot.db.tables import Utc, conversations, messages
from bot.files import hopeful
from bot.handoff import FindArticle, Handoff
from bot.inbox import LEASE, MAX_ATTEMPTS, Lease, Row
from bot.keywords import Keyword, keyword
from bot.model import SILENT, Author, Choice, Command, Kind, Outbound, Owner, Reply, Route, Say, Trace, Turn
from bot.ports import Alarm, Bus, Channel, DialogueEngine, EngineFault
from bot.record import record
from bot.window import release
from bot.wording import Wording, WordingError

WORDED = frozenset({Kind.TEXT, Kind.IMAGE, Kind.VIDEO, Kind.DOCUMENT})
"""Kinds in which a resident can write something."""

KEPT = frozenset({Kind.IMAGE, Kind.VIDEO, Kind.DOCUMENT})
"""What we can't look at, and keep for a person."""

_MORE = re.compile(r"more:(\d{1,4})")

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Somebody else has the conversation now (another worker, or an agent): nothing of this turn was stored."""


class Unfinished(Exception):
    """Nothing may be answered yet: the turn runs again when its lease is over, and this was no attempt. Nothing of it
    was stored."""


@dataclass(frozen=True, slots=True)
class State:
    """What a turn starts from."""

    owner: Owner
    memory: Mapping[str, Any] | None
    greeted: bool
    asks: str | None = None
    """What the bot asked after a conversation with a person: `mark:<handoff>` or `remark:<handoff>`."""


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
        *,
        article: FindArticle = lambda slug: None,
        media_limit: int = 16 * 2**20,
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
        self._article = article
        self._media_limit = media_limit

    async def run(self, lease: Lease) -> None:
        """Answer all messages of the lease. Raises `LeaseLost`; what was committed before stays."""
        state = State(lease.owner, lease.memory, lease.greeted, lease.asks)
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
        if marked := marks.answer(row, word, state.asks) if row.kind not in SILENT else None:
            words = () if silent else (marked.say,)
            thanks = Reply(words, (marked.command,), state.memory, Trace(Route.SMALLTALK))
            return Outcome(thanks, said, state.greeted)
        if silent or row.kind in SILENT:
            return Outcome(Reply((), memory=state.memory), said, state.greeted)
        reply = await self._paged(lease, row, memory) or self._standing(
            row, word, memory, offered=offered, resumed=resumed is not None
        )
        if reply is None:
            reply = await self._think(self._turn(lease, row, memory))
        if row.kind in KEPT and row.text:
            kept = Say("kept" if self._keeps(row) else "not_kept")
            reply = replace(reply, messages=(kept, *reply.messages))
        if row.kind is Kind.START or not state.greeted:
            reply = replace(reply, messages=(Say("welcome"), *reply.messages))
        return Outcome(reply, said, greeted=True, resumed=resumed)

    def _urgent(self, lease: Lease, row: Row, owner: Owner, memory: Mapping[str, Any] | None) -> Reply | None:
        if row.kind not in WORDED or owner is Owner.AGENT or row.attempts > MAX_ATTEMPTS:
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
            return None if self._article(row.text) else Reply((), trace=Trace(Route.SMALLTALK))
        if row.kind is not Kind.CHOICE and not (row.kind in WORDED and row.text):
            kind = f"kind_{row.kind}"
            if row.kind in KEPT and not self._keeps(row):
                kind = "kind_not_kept"
            return _smalltalk(kind if kind in self._wording else "unsupported_kind", memory)
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

    def _keeps(self, row: Row) -> bool:
        return row.media is not None and hopeful(row.media, self._media_limit)

    def _turn(self, lease: Lease, row: Row, memory: Mapping[str, Any] | None) -> Turn:
        now = self._clock().astimezone(AMSTERDAM).isoformat(timespec="seconds")
        metadata = {"channel": lease.channel, "now": now, "turn": row.id}
        # A link to the chat can name an article: that is as if its button was pressed.
        choice = f"article:{row.text}" if row.kind is Kind.START else row.choice
        return Turn(lease.conversation_id, row.text, choice, memory, metadata)

    async def _think(self, turn: Turn) -> Reply:
        try:
            return await self._engine.reply(turn)
        except EngineFault as fault:
            metrics.ENGINE_FAULTS.labels("down" if fault.down else "turn").inc()
            log.log(logging.WARNING if fault.down else logging.ERROR, "dialogue engine: %s", fault.reason)
            if fault.down and await self._is_booking(turn.conversation_id):
                raise Unfinished(
                    "a booking is under way, and the engine is not there to tell of it"
                ) from fault
            if not fault.down:
                return _APOLOGY
        try:
            return await self._fallback.reply(turn)
        except EngineFault as fault:
            log.error("fallback without the engine: %s", fault.reason)
            return _APOLOGY

    async def _is_booking(self, conversation_id: str) -> bool:
        return await appointments.is_under_way(self._database, conversation_id, self._clock())

    async def _said(self, lease: Lease, row: Row) -> tuple[str, bool]:
        """The resident's words for the transcript; for a choice its label, and whether we offered it."""
        if row.choice is None:
            return row.text, True
        for choices in await self._offered(lease):
            for choice in choices:
                if choice.id == row.choice:
                    return choice.label, True
        if _MORE.fullmatch(row.choice):
            return self._wording.say("choice_more").text, False
        standing = f"choice_{row.choice}"
        if standing in self._wording:
            return self._wording.say(standing).text, True
        return row.text or row.choice, False

    async def _offered(self, lease: Lease) -> list[list[Choice]]:
        """What could be chosen lately, the newest message first."""
        query = (
            sa.select(messages.c.choices)
            .where(messages.c.conversation_id == lease.conversation_id, messages.c.author != Author.RESIDENT)
            .order_by(messages.c.seq.desc())
            .limit(50)
        )
        async with self._database.read() as connection:
            return [
                [Choice(**choice) for choice in choices]
                for choices in (await connection.execute(query)).scalars()
            ]

    async def _paged(self, lease: Lease, row: Row, memory: Mapping[str, Any] | None) -> Reply | None:
        """The rest of a list that was too long for the channel, where the resident asks for it."""
        if row.choice is None or not (more := _MORE.fullmatch(row.choice)):
            return None
        shown = int(more[1])
        rest = next((some[shown:] for some in await self._offered(lease) if len(some) > shown > 0), None)
        if rest is None:
            return None
        page = replace(self._wording.say("more_choices"), choices=tuple(rest))
        return Reply((page,), memory=memory, trace=Trace(Route.CLARIFY))

    def _fitting(self, message: Outbound, most: int | None) -> Outbound:
        """As the channel can show it: of too many choices the first, and one that asks for the rest."""
        if most is None or len(message.choices) <= most:
            return message
        more = Choice(f"more:{most - 1}", self._wording.say("choice_more").text)
        return replace(message, choices=(*message.choices[: most - 1], more))

    # -- committing: all of it or nothing -------------------------------------------------------------------

    async def commit(self, lease: Lease, row: Row, state: State, outcome: Outcome, *, last: bool) -> State:
        """Store the turn in one transaction, fenced by the lease; wake the others after it."""
        now = self._clock()
        reply = outcome.reply
        said = self._words(reply)
        owner, memory, changed = state.owner, reply.memory, False
        async with self._database.write() as connection:
            await self._fence(connection, lease, row, state, outcome, now, last=last)
            if row.kind not in SILENT:
                await release(connection, lease.conversation_id, now)
            asks = None if row.kind not in SILENT else state.asks
            silent = owner is Owner.WAITING and not outcome.resumed and not said and row.kind not in SILENT
            if outcome.resumed:
                await self._move(connection, lease, owner, Owner.BOT, outcome.resumed, now)
                await queue.leave(connection, lease.conversation_id, outcome.resumed[:32], now)
                owner = Owner.BOT
                await connection.execute(_mine(lease).values(memory=_json(memory)))
            for command in reply.commands:
                match command.name:
                    case "handoff":
                        await self._move(connection, lease, owner, Owner.WAITING, command.args["reason"], now)
                        key = lease.conversation_id
                        said.append(await self._handoff.begin(connection, key, command, now))
                        owner, memory = Owner.WAITING, None
                    case "callback":
                        said.append(
                            await self._handoff.call_back(connection, lease.conversation_id, command, now)
                        )
                    case "appointment":
                        await appointments.note(connection, lease.conversation_id, command.args, now)
                        changed = True
                    case "mark" | "remark":
                        asks = await marks.note(connection, lease.conversation_id, command)
                    case unknown:
                        raise ValueError(f"unknown command {unknown!r}")
            if silent and await queue.acknowledge(connection, lease.conversation_id):
                said.append(self._wording.say("waiting_noted"))
            await connection.execute(_mine(lease).values(asks=asks))
            channel = self._channels[lease.channel]
            bodies = channel.render([self._fitting(message, channel.limits.choices) for message in said])
            await record(connection, lease, row, outcome.said, said, bodies, reply.trace, now)
        await self._bus.publish("outbox")
        await self._bus.publish("console", lease.conversation_id)
        if changed:
            await self._bus.publish(appointments.TOPIC)
        return State(owner, memory, outcome.greeted, asks)

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
        row: Row,
        state: State,
        outcome: Outcome,
        now: datetime,
        *,
        last: bool,
    ) -> None:
        """Go on only while the conversation is leased to us and its owner is who we answered for."""
        lease_after = (None, None) if last else (lease.token, now + LEASE)
        before = conversations.c.last_inbound_at
        said = sa.literal(row.said_at, Utc())
        said_at = sa.case((sa.or_(before.is_(None), before < said), said), else_=before)
        held = await connection.execute(
            _mine(lease)
            .where(conversations.c.lease_token == lease.token, conversations.c.owner == state.owner)
            .values(
                lease_token=lease_after[0],
                lease_until=lease_after[1],
                memory=_json(outcome.reply.memory),
                greeted=outcome.greeted,
                last_inbound_at=before if row.kind in SILENT else said_at,
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
    if owner is Owner.CLOSED and row.kind not in SILENT:
        return "wrote again"
    if owner is Owner.WAITING and word in (Keyword.BOT, Keyword.STOP, Keyword.RESTART):
        return f"resident: {word}"
    return "resident: callback" if owner is Owner.WAITING and row.choice == "callback" else None


def _mine(lease: Lease) -> sa.Update:
    return sa.update(conversations).where(conversations.c.id == lease.conversation_id)


def _json(memory: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if memory is None else dict(memory)
