"""Our own register of contacts, where the municipality has no other: a table. Tasks are the list of callbacks."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from bot.db.database import Database
from bot.db.tables import contacts
from bot.model import CallbackRequest, Contact
from bot.ports import LOCAL, Finding, Health, RegistryFault


class LocalRegistry:
    """Keeps contacts beside the conversations, and as long as these."""

    name = LOCAL

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register_contact(self, contact: Contact) -> str:
        """Keep it; the same one again changes nothing."""
        return await self._keep(contact, callback=False)

    async def register_callback(self, request: CallbackRequest) -> str:
        """Keep the contact. Who must be called stands in the list of callbacks already."""
        return await self._keep(request.contact, callback=True)

    async def _keep(self, contact: Contact, *, callback: bool) -> str:
        row = {
            "reference": contact.reference,
            "conversation_id": contact.conversation_id,
            "channel": contact.channel,
            "topic": contact.topic,
            "callback": callback,
            "at": contact.at,
        }
        try:
            async with self._database.write() as connection:
                await connection.execute(self._database.insert_new(contacts), [row])
        except (SQLAlchemyError, OSError) as error:
            raise RegistryFault(f"the store: {type(error).__name__}", retryable=True) from None
        return contact.reference

    async def health(self) -> Health:
        """That of the store."""
        state = await self._database.health()
        return Health(state.state, "in our own store" if state.state == "ok" else state.detail)

    async def check(self) -> list[Finding]:
        """Nothing to set up; only that somebody must look at the list."""
        advice = "nobody is told of a callback request but by `klaartje callbacks list`; set OPENKLANT_URL"
        return [Finding("register", "todo", advice)]

    async def close(self) -> None:
        """The store is not ours to close."""
