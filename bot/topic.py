"""The one question that may come before a person: what it is about. Whatever is said then leads on to the person."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.database import Database
from bot.db.tables import messages
from bot.handoff import RECENT, Handoff
from bot.inbox import Row
from bot.keywords import Keyword, says_nothing
from bot.model import SILENT, Author, Command, Kind, Reply, Route, Say, Trace, Turn
from bot.ports import ABOUT, DialogueEngine, EngineFault

log = logging.getLogger(__name__)

ASKED = Command("handoff", {"reason": "asked"})
SKIP = "human:skip"
"""The button that goes on without an answer. Later it is a wish for a person like any other."""

_KIND = "topic"
_LEAVES = (Keyword.STOP, Keyword.RESTART, Keyword.BOT)
_LOOKED_AT = 50


def asking(now: datetime) -> str:
    """What the conversation asks from now on."""
    return f"{_KIND}:{int(now.timestamp())}"


def is_answer(row: Row, word: Keyword | None, asks: str | None, now: datetime) -> bool:
    """Whether a message answers the question, however it does: all but a word that leaves, a button that stands for
    something else, and what comes when the question is long forgotten."""
    kind, _, at = (asks or "").partition(":")
    if kind != _KIND or row.kind in SILENT or row.kind is Kind.START or word in _LEAVES:
        return False
    return row.choice in (None, SKIP, Keyword.HUMAN) and now.timestamp() - int(at) < RECENT.total_seconds()


class TopicQuestion:
    """Asks it, and takes the answer. `search` is a dialogue engine that needs no other process: the question's answer
    is never lost on one that is down."""

    def __init__(self, database: Database, search: DialogueEngine, handoff: Handoff) -> None:
        self._database = database
        self._search = search
        self._handoff = handoff

    async def first(self, conversation_id: str, row: Row, reply: Reply, now: datetime) -> Reply:
        """The reply; or, where a person is asked for and nobody knows what for, the question. Only while people are
        there: at other times the resident reads first when they are back."""
        if not _may_be_asked(row, reply) or not self._handoff.is_open(now):
            return reply
        async with self._database.read() as connection:
            if await _is_known(connection, conversation_id, now):
                return reply
        said = (*reply.messages, Say("handoff_topic"))
        return replace(reply, messages=said, commands=(Command("topic"),))

    async def answered(self, row: Row, turn: Turn) -> Reply:
        """The person, with what the resident says it is about: search knows which team has that."""
        plain = Reply((), (ASKED,), turn.memory, Trace(Route.HANDOFF))
        if row.choice or says_nothing(row.text):
            return plain
        try:
            led = await self._search.reply(replace(turn, metadata={**turn.metadata, "asked": ABOUT}))
        except EngineFault as fault:
            log.error("topic of a handoff: %s", fault.reason)
            return plain
        return led if any(command.name == "handoff" for command in led.commands) else plain


def _may_be_asked(row: Row, reply: Reply) -> bool:
    """Whether a reply brings a person only because one was asked for, with no word of what it is about."""
    asked = any(c.name == "handoff" and c.args["reason"] == "asked" for c in reply.commands)
    plain = row.kind is Kind.CHOICE or (row.kind is Kind.TEXT and says_nothing(row.text))
    return asked and plain and row.choice != SKIP


async def _is_known(connection: AsyncConnection, conversation_id: str, now: datetime) -> bool:
    """Whether the last hour tells what it is about: an article that was given, or words of the resident."""
    query = (
        sa.select(messages.c.author, messages.c.kind, messages.c.text, messages.c.article)
        .where(messages.c.conversation_id == conversation_id, messages.c.at > now - RECENT)
        .order_by(messages.c.seq.desc())
        .limit(_LOOKED_AT)
    )
    for line in await connection.execute(query):
        if line.article:
            return True
        if line.author == Author.RESIDENT and line.kind != Kind.CHOICE and not says_nothing(line.text or ""):
            return True
    return False
