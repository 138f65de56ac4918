"""The way to a person: what the resident hears when one is asked for, and a request to be called back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import callbacks
from bot.conversation import place_in_queue
from bot.model import Command, Outbound
from bot.municipality import Municipality, moment_words
from bot.wording import Wording

DESK = "medewerkers"
"""The opening hours that count for a person in the chat."""


class Handoff:
    """Says what happens next and when; the turn changes the owner."""

    def __init__(self, wording: Wording, municipality: Municipality) -> None:
        self._wording = wording
        self._municipality = municipality

    async def announce(self, connection: AsyncConnection, now: datetime) -> Outbound:
        """What a resident who begins to wait now will read."""
        if self._municipality.is_open(DESK, now):
            place = await place_in_queue(connection, now)
            return self._wording.say("handoff_open", place=place)
        opening = self._municipality.next_opening(DESK, now)
        if opening is None:
            return self._wording.say("handoff_never")
        return self._wording.say("handoff_closed", when=moment_words(opening, now))

    async def call_back(
        self, connection: AsyncConnection, conversation_id: str, command: Command, now: datetime
    ) -> Outbound:
        """Note the request in the turn's transaction, and confirm it with its reference."""
        reference = await callbacks.request(connection, conversation_id, command, now)
        return self._wording.say("callback_done", reference=reference, **command.args)
