"""Marks: after a conversation with a person the resident may give one from 1 to 10, and a remark."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.tables import handoffs
from bot.inbox import Row
from bot.keywords import Keyword
from bot.model import Command, Kind, Say

_CHOICE = re.compile(r"mark:(10|[1-9]):([0-9a-f-]{36})")
_NUMBER = re.compile(r"(?:een |cijfer )?(10|[1-9])(?:\.|!)*(?:/10)?")
_WORDS = {"tien": 10, "negen": 9, "acht": 8, "zeven": 7, "zes": 6, "vijf": 5, "vier": 4, "drie": 3, "twee": 2}
NO_REMARK = "no_remark"
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Marked:
    """What to say to it, and what to note."""

    say: Say
    command: Command


def answer(row: Row, word: Keyword | None, asks: str | None) -> Marked | None:
    """The mark or remark in a message, or None where it is something else: then nobody asks for it any more. A button
    counts whenever it is pressed."""
    if row.choice and (pressed := _CHOICE.fullmatch(row.choice)):
        return _mark(int(pressed[1]), pressed[2])
    kind, _, key = (asks or "").partition(":")
    if kind == "remark" and row.choice == NO_REMARK:
        return Marked(Say("mark_done"), Command("remark", {"handoff": key, "text": ""}))
    if row.kind is not Kind.TEXT or word is not None or not key:
        return None
    if kind == "mark" and (mark := _number(row.text)):
        return _mark(mark, key)
    if kind == "remark" and "?" not in row.text:  # a question is one for the bot
        return Marked(Say("remark_done"), Command("remark", {"handoff": key, "text": row.text[:_LONGEST]}))
    return None


def _mark(mark: int, key: str) -> Marked:
    return Marked(Say("mark_thanks"), Command("mark", {"handoff": key, "mark": mark}))


def _number(text: str) -> int | None:
    plain = " ".join(text.casefold().split())
    if plain in _WORDS:
        return _WORDS[plain]
    found = _NUMBER.fullmatch(plain)
    return int(found[1]) if found else None


async def note(connection: AsyncConnection, conversation_id: str, command: Command) -> str | None:
    """Keep it with its handoff; what is asked next."""
    mine = sa.update(handoffs).where(
        handoffs.c.id == command.args["handoff"], handoffs.c.conversation_id == conversation_id
    )
    if command.name == "mark":
        await connection.execute(mine.values(mark=command.args["mark"]))
        return f"remark:{command.args['handoff']}"
    if command.args["text"]:
        await connection.execute(mine.values(remark=command.args["text"]))
    return None
