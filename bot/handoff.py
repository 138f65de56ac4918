"""The way to a person: what the resident hears on it, and a request to be called back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import callbacks, queue
from bot.db.tables import messages
from bot.model import Author, Choice, Command, Outbound
from bot.municipality import Municipality, moment_words
from bot.ports import Article
from bot.wording import Wording

DESK = "medewerkers"
"""The opening hours that count for a person in the chat."""

RECENT = timedelta(hours=1)
"""What was answered in this time is what a resident who asks for a person is about."""

FindArticle = Callable[[str], Article | None]


class Handoff:
    """Says what happens next and when; the turn changes the owner. Who was given one of the articles `urgent` is in
    trouble, and goes first."""

    def __init__(
        self,
        wording: Wording,
        municipality: Municipality,
        article: FindArticle = lambda slug: None,
        urgent: Collection[str] = (),
    ) -> None:
        self._wording = wording
        self._municipality = municipality
        self._article = article
        self._urgent = frozenset(urgent)

    async def begin(
        self, connection: AsyncConnection, conversation_id: str, command: Command, now: datetime
    ) -> Outbound:
        """Put the conversation in the queue of the team for its topic; what the resident will read."""
        recent = await self._recent(connection, conversation_id, now)
        topic = command.args.get("topic") or next(iter(recent), None)
        found = self._article(topic) if topic else None
        distress = command.args["reason"] == "distress" or bool(self._urgent.intersection([topic, *recent]))
        await queue.enter(
            connection,
            conversation_id,
            reason=command.args["reason"],
            topic=topic,
            language=command.args.get("language"),
            team=self._municipality.team_for(found.theme if found else None).name,
            priority=queue.DISTRESS if distress else 0,
            now=now,
        )
        return await self.announce(connection, conversation_id, now)

    @staticmethod
    async def _recent(connection: AsyncConnection, conversation_id: str, now: datetime) -> list[str]:
        """The articles that the bot gave in the last hour, the newest first."""
        query = (
            sa.select(messages.c.article)
            .where(
                messages.c.conversation_id == conversation_id,
                messages.c.author == Author.BOT,
                messages.c.article.is_not(None),
                messages.c.at > now - RECENT,
            )
            .order_by(messages.c.seq.desc())
            .limit(20)
        )
        return list((await connection.execute(query)).scalars())

    async def announce(self, connection: AsyncConnection, conversation_id: str, now: datetime) -> Outbound:
        """What a resident who begins to wait now will read. The guess is noted, so that a change can be told."""
        if not self._municipality.is_open(DESK, now):
            opening = self._municipality.next_opening(DESK, now)
            if opening is None:
                return self._wording.say("handoff_never")
            return self._wording.say("handoff_closed", when=moment_words(opening, now))
        handoff = await queue.open_handoff(connection, conversation_id)
        place = await queue.place(connection, handoff, now)
        await queue.told(connection, conversation_id, place, now)
        if place.minutes is None:
            return self._wording.say("handoff_open", place=place.number)
        return self._wording.say("handoff_open_wait", place=place.number, minutes=minute_words(place.minutes))

    def still_waiting(self, place: queue.Place) -> Outbound:
        """What somebody who waits will read when the guess has changed much."""
        return self._wording.say("wait_changed", place=place.number, minutes=minute_words(place.minutes or 1))

    def is_open(self, now: datetime) -> bool:
        """Whether people are there."""
        return self._municipality.is_open(DESK, now)

    def mark_request(self, handoff_id: str) -> Outbound:
        """Ask for a mark. Each choice names the handoff: an old button still counts for its own."""
        choices = tuple(Choice(f"mark:{mark}:{handoff_id}", str(mark)) for mark in range(1, 11))
        asked = self._wording.say("mark_request")
        return Outbound(asked.text, choices)

    async def call_back(
        self, connection: AsyncConnection, conversation_id: str, command: Command, now: datetime
    ) -> Outbound:
        """Note the request in the turn's transaction, and confirm it with its reference."""
        reference = await callbacks.request(connection, conversation_id, command, now)
        return self._wording.say("callback_done", reference=reference, **command.args)


def minute_words(minutes: int) -> str:
    """As a resident reads it: `1 minuut`, `25 minuten`, `1 uur`, `2 uur`."""
    if minutes < 60:
        return "1 minuut" if minutes == 1 else f"{minutes} minuten"
    return f"{round(minutes / 60)} uur"
