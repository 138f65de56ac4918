"""What was booked in the chat, as the actions know it. An order is noted before the calendar is asked, so that a
booking of which the resident never heard can be found and taken back (`bot/appointments.py`)."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.db.database import Database
from bot.db.tables import appointments, waiting_list
from bot.model import Booking, Location

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without what is read or heard as something else: 0 and O, 1 and I and L, U and V."""

_REFERENCE = re.compile(rf"\bA[ -]?([{ALPHABET}]{{4}})[ -]?([{ALPHABET}]{{4}})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Known:
    """An appointment that was booked in the chat and stands."""

    key: str
    reference: str
    external_id: str
    product: str
    title: str
    article: str | None
    location: str
    place: str
    address: str
    start: datetime
    people: int
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Order:
    """What the resident will be told of a booking: the reference, and the secret word of its calendar file."""

    reference: str
    token: str


@dataclass(frozen=True, slots=True)
class Offered:
    """A time that came free for somebody on the waiting list."""

    product: str
    article: str | None
    location: str
    people: int
    start: datetime


class Orders:
    """The list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def place(
        self,
        key: str,
        conversation_id: str,
        calendar: str,
        booking: Booking,
        *,
        title: str,
        article: str | None,
        location: Location,
        now: datetime,
    ) -> Order:
        """Note that this is about to be booked. Again with the same key: the same order, with a new secret word, for
        the one before was never told."""
        token = secrets.token_urlsafe(32)
        hashed = hashlib.sha256(token.encode()).hexdigest()
        values = {
            "key": key,
            "reference": new_reference(),
            "token_hash": hashed,
            "conversation_id": conversation_id,
            "calendar": calendar,
            "product": booking.product,
            "title": title[:128],
            "article": article,
            "location": booking.location,
            "place": location.name[:128],
            "address": location.address[:255],
            "start": booking.start,
            "people": booking.people,
            "details": dict(booking.details),
            "state": "ordered",
            "created_at": now,
        }
        mine = appointments.c.key == key
        async with self._database.write() as connection:
            await connection.execute(self._database.insert_new(appointments).values(values))
            await connection.execute(sa.update(appointments).where(mine).values(token_hash=hashed))
            reference = await connection.scalar(sa.select(appointments.c.reference).where(mine))
        return Order(str(reference), token)

    async def drop(self, key: str) -> None:
        """Nothing was booked under this key."""
        mine = sa.and_(appointments.c.key == key, appointments.c.state == "ordered")
        async with self._database.write() as connection:
            await connection.execute(sa.delete(appointments).where(mine))

    async def own(self, conversation_id: str, now: datetime) -> list[Known]:
        """Those of a conversation that are still to come, the first one first."""
        return await self._found(appointments.c.conversation_id == conversation_id, now)

    async def get(self, key: str, now: datetime) -> Known | None:
        """The one under this key, where it stands and is still to come."""
        return next(iter(await self._found(appointments.c.key == key, now)), None)

    async def prove(self, reference: str, said: Mapping[str, str], now: datetime) -> Known | None:
        """The one with this reference, for who also knows a date of birth, a phone number or an e-mail address of it.
        None alike where it is not there and where it is somebody else's."""
        found = next(iter(await self._found(appointments.c.reference == reference, now)), None)
        if found is None:
            return None
        proofs = [
            name for name in ("birth_date", "phone", "email") if said.get(name) and found.details.get(name)
        ]
        right = any(said[name].lower() == found.details[name].lower() for name in proofs)
        return found if right else None

    async def offered(self, conversation_id: str, now: datetime) -> Offered | None:
        """The time that came free and was offered to this resident, where it is still to come."""
        query = sa.select(waiting_list).where(
            waiting_list.c.conversation_id == conversation_id,
            waiting_list.c.offered > now,
            waiting_list.c.state.in_(("offered", "done")),
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query.order_by(waiting_list.c.offered_at.desc()))).first()
        if row is None:
            return None
        return Offered(row.product, row.article, row.location, row.people, row.offered)

    async def _found(self, which: sa.ColumnElement[bool], now: datetime) -> list[Known]:
        query = (
            sa.select(appointments)
            .where(which, appointments.c.state == "booked", appointments.c.start > now)
            .order_by(appointments.c.start)
        )
        async with self._database.read() as connection:
            return [_known(row) for row in (await connection.execute(query)).all()]


def new_reference() -> str:
    """One that nobody guesses: 39 random bits."""
    return "A" + "".join(secrets.choice(ALPHABET) for _ in range(8))


def reference_in(text: str) -> str | None:
    """The reference that a text names, as it is stored."""
    found = _REFERENCE.search(text)
    return f"A{found[1]}{found[2]}".upper() if found else None


def _known(row: Any) -> Known:
    names = ("key", "reference", "external_id", "product", "title", "article", "location", "place", "address")
    return Known(
        **{name: getattr(row, name) for name in names},
        start=row.start,
        people=row.people,
        details=row.details,
    )
