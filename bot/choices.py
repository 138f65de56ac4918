"""The choices that a conversation was offered: which one a resident made, and those that did not fit on the screen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from bot.db.database import Database
from bot.db.tables import messages
from bot.inbox import Row
from bot.masking import mask_bsn
from bot.model import Author, Choice, Outbound, Reply, Route, Trace
from bot.wording import Wording

_MORE = re.compile(r"more:(\d{1,4})")

_LATELY = 50
"""So many messages back a choice can be made."""


class Choices:
    """Reads what was offered, and offers what is too much for a channel in parts."""

    def __init__(self, database: Database, wording: Wording) -> None:
        self._database = database
        self._wording = wording

    async def said(self, conversation_id: str, row: Row) -> tuple[str, bool]:
        """The resident's words for the transcript; for a choice its label, and whether we offered it."""
        if row.choice is None:
            return row.text, True
        for choices in await self._offered(conversation_id):
            for choice in choices:
                if choice.id == row.choice:
                    return choice.label, True
        if _MORE.fullmatch(row.choice):
            return self._wording.say("choice_more").text, False
        standing = f"choice_{row.choice}"
        if standing in self._wording:
            return self._wording.say(standing).text, True
        return row.text or mask_bsn(row.choice), False

    async def paged(self, conversation_id: str, row: Row, memory: Mapping[str, Any] | None) -> Reply | None:
        """The rest of a list that was too long for the channel, where the resident asks for it."""
        if row.choice is None or not (more := _MORE.fullmatch(row.choice)):
            return None
        shown = int(more[1])
        offered = await self._offered(conversation_id)
        rest = next((some[shown:] for some in offered if len(some) > shown > 0), None)
        if rest is None:
            return None
        page = replace(self._wording.say("more_choices"), choices=tuple(rest))
        return Reply((page,), memory=memory, trace=Trace(Route.CLARIFY))

    def fitting(self, message: Outbound, most: int | None) -> Outbound:
        """As the channel can show it: of too many choices the first, and one that asks for the rest."""
        if most is None or len(message.choices) <= most:
            return message
        more = Choice(f"more:{most - 1}", self._wording.say("choice_more").text)
        return replace(message, choices=(*message.choices[: most - 1], more))

    async def _offered(self, conversation_id: str) -> list[list[Choice]]:
        """What could be chosen lately, the newest message first."""
        query = (
            sa.select(messages.c.choices)
            .where(messages.c.conversation_id == conversation_id, messages.c.author != Author.RESIDENT)
            .order_by(messages.c.seq.desc())
            .limit(_LATELY)
        )
        async with self._database.read() as connection:
            return [
                [Choice(**choice) for choice in choices]
                for choices in (await connection.execute(query)).scalars()
            ]
