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

from bot import appointments, follows, marks, metrics, queue, topic
from bot.choices import Choices
from bot.clock import AMSTERDAM, Clock, utc_now
from bot.conversation import NotAllowed, change_owner
from bot.db.database import Database
from bot.db.tables import Utc, conversations
from bot.files import hopeful
from bot.handoff import FindArticle, Handoff
from bot.inbox import LEASE, MAX_ATTEMPTS, Lease, Row
from bot.keywords import Keyword, keyword
from bot.masking import BSN, conceal, has_bsn
from bot.model import SILENT, Command, Kind, Outbound, Owner, Reply, Route, Say, Trace, Turn
from bot.ports import Alarm, Bus, Channel, DialogueEngine, EngineFault
from bot.record import record
from bot.topic import ASKED, TopicQuestion
from bot.window import release
from bot.wording import Wording, WordingError

WORDED = frozenset({Kind.TEXT, Kind.IMAGE, Kind.VIDEO, Kind.DOCUMENT})
"""Kinds in which a resident can write something."""

KEPT = frozenset({Kind.IMAGE, Kind.VIDEO, Kind.DOCUMENT})
"""What we can't look at, and keep for a person."""

_WORD, _FEW = re.compile(r"[^\W\d_]{2,}"), 4
"""So few words around a masked number (`mijn bsn is`) ask nothing."""

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
    """What the bot asked: after a person `mark:<handoff>` or `remark:<handoff>`, before one `topic:<when>`."""


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
        self._choices = Choices(database, wording)
        self._topic = TopicQuestion(database, fallback, handoff)
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
        said, offered = await self._choices.said(lease.conversation_id, row)
        word = keyword(row.text, row.choice) if row.kind in (Kind.TEXT, Kind.CHOICE) else None
        resumed = _resumed(state.owner, row, word)
        memory = None if resumed else state.memory
        now = self._clock()
        told = topic.is_answer(row, word, state.asks, now)
        if urgent := self._urgent(lease, row, state.owner, memory, coming=told):
            return Outcome(urgent, said, greeted=True, resumed=resumed)
        silent = state.owner in (Owner.WAITING, Owner.AGENT) and resumed is None
        if marked := marks.answer(row, word, state.asks) if row.kind not in SILENT else None:
            words = () if silent else (marked.say,)
            thanks = Reply(words, (marked.command,), state.memory, Trace(Route.SMALLTALK))
            return Outcome(thanks, said, state.greeted)
        if stopped := follows.answer(row):
            words = () if state.owner is Owner.AGENT else (stopped.say,)
            stops = Reply(words, (stopped.command,), state.memory, Trace(Route.STATUS))
            return Outcome(stops, said, state.greeted)
        heard = row.kind not in SILENT and state.owner is not Owner.AGENT
        masked = (Say("bsn_masked"),) if heard and has_bsn(row.text) else ()
        if silent or row.kind in SILENT:
            return Outcome(Reply(masked, memory=state.memory), said, state.greeted)
        reply = None
        if told and row.attempts <= MAX_ATTEMPTS:
            reply = await self._topic.answered(row, self._turn(lease, row, memory))
        reply = reply or await self._choices.paged(lease.conversation_id, row, memory)
        reply = reply or self._standing(row, word, memory, offered=offered, resumed=resumed is not None)
        if masked and reply is None and len(_WORD.findall(row.text.replace(BSN, ""))) <= _FEW:
            reply = Reply((), memory=memory, trace=Trace(Route.SMALLTALK))  # there is nothing else in it
        if reply is None:
            reply = await self._think(self._turn(lease, row, memory))
        if not told:
            reply = await self._topic.first(lease.conversation_id, row, reply, now)
        reply = replace(reply, messages=(*masked, *reply.messages))
        if row.kind in KEPT and (row.text or told):
            kept = Say("kept" if self._keeps(row) else "not_kept")
            reply = replace(reply, messages=(kept, *reply.messages))
        if row.kind is Kind.START or not state.greeted:
            reply = replace(reply, messages=(Say("welcome"), *reply.messages))
        return Outcome(reply, said, greeted=True, resumed=resumed)

    def _urgent(
        self, lease: Lease, row: Row, owner: Owner, memory: Mapping[str, Any] | None, *, coming: bool
    ) -> Reply | None:
        """The number in danger. `coming`: a person was asked for already, and comes now without another word."""
        if row.kind not in WORDED or owner is Owner.AGENT or row.attempts > MAX_ATTEMPTS:
            return None
        waiting = coming or owner is Owner.WAITING
        urgent = self._alarm.hears(self._turn(lease, row, memory), waiting=waiting)
        commands = (Command("handoff", {"reason": "distress"}),) if coming else ()
        return urgent and replace(urgent, memory=memory, commands=commands)

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
            log.error("message %s failed %d times: answered with an apology", row.id, row.attempts - 1)
            return _FAILED if row.attempts == MAX_ATTEMPTS + 1 else _APOLOGY
        if row.kind is Kind.START:
            return None if self._article(row.text) else Reply((), trace=Trace(Route.SMALLTALK))
        if row.kind is not Kind.CHOICE and not (row.kind in WORDED and row.text):
            kind = f"kind_{row.kind}"
            if row.kind in KEPT and not self._keeps(row):
                kind = "kind_not_kept"
            return _smalltalk(kind if kind in self._wording else "unsupported_kind", memory)
        if word is Keyword.HUMAN:
            return Reply((), (ASKED,), memory, Trace(Route.HANDOFF))
        if word is Keyword.BOT and (resumed or row.choice):
            return _smalltalk("back_to_bot", memory)
        if word is Keyword.STOP:  # nothing more is sent then, of cases neither
            ends = Command("unfollow", {"key": None, "say": "case_unfollowed_too"})
            return replace(_smalltalk("stopped"), commands=(ends,))
        if word is Keyword.RESTART:
            return _smalltalk("restarted")
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
        return Turn(lease.conversation_id, row.text.replace(BSN, ""), choice, memory, metadata)

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
                return _FAILED
        try:
            return await self._fallback.reply(turn)
        except EngineFault as fault:
            log.error("fallback without the engine: %s", fault.reason)
            return _FAILED

    async def _is_booking(self, conversation_id: str) -> bool:
        return await appointments.is_under_way(self._database, conversation_id, self._clock())

    # -- committing: all of it or nothing -------------------------------------------------------------------

    async def commit(self, lease: Lease, row: Row, state: State, outcome: Outcome, *, last: bool) -> State:
        """Store the turn in one transaction, fenced by the lease; wake the others after it."""
        now = self._clock()
        reply = outcome.reply
        said, failed = self._words(reply)
        owner, memory, text, changed = state.owner, reply.memory, outcome.said, False
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
            for command in _with_person(reply.commands) if failed and owner is Owner.BOT else reply.commands:
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
                    case "topic":
                        asks = topic.asking(now)
                    case "follow":
                        if against := await follows.follow(connection, lease.conversation_id, command, now):
                            said = [self._wording.finish(against)]
                    case "unfollow":
                        ended = await follows.unfollow(connection, lease.conversation_id, command.args["key"])
                        if ended and (phrase := command.args.get("say")):
                            said.append(self._wording.say(phrase))
                    case "conceal":
                        text = conceal(text, command.args["parts"])
                    case "mark" | "remark":
                        asks = await marks.note(connection, lease.conversation_id, command)
                    case unknown:
                        raise ValueError(f"unknown command {unknown!r}")
            if silent and await queue.acknowledge(connection, lease.conversation_id):
                said.append(self._wording.say("waiting_noted"))
            await connection.execute(_mine(lease).values(asks=asks))
            channel = self._channels[lease.channel]
            bodies = channel.render(
                [self._choices.fitting(message, channel.limits.choices) for message in said]
            )
            await record(connection, lease, row, text, said, bodies, reply.trace, now)
        await self._bus.publish("outbox")
        await self._bus.publish("console", lease.conversation_id)
        if changed:
            await self._bus.publish(appointments.TOPIC)
        return State(owner, memory, outcome.greeted, asks)

    def _words(self, reply: Reply) -> tuple[list[Outbound], bool]:
        """What the resident will read; an apology, and that it failed, where a text names what no one filled in."""
        try:
            return [self._wording.finish(message) for message in reply.messages], False
        except WordingError as error:
            log.error("a text can't be filled in: %s", error)
            return [self._wording.say("failed")], True

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


_FAILED = Reply((Say("failed"),), (Command("handoff", {"reason": "failed"}),), trace=Trace(Route.HANDOFF))
_APOLOGY = Reply((Say("apology"),), trace=Trace(Route.HANDOFF))
"""Where even that fails: words alone, so that the message does not block its conversation."""


def _with_person(commands: tuple[Command, ...]) -> tuple[Command, ...]:
    """These, and a person where none comes yet."""
    coming = any(command.name == "handoff" for command in commands)
    return commands if coming else (*commands, *_FAILED.commands)


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
