"""Who is who: which conversation a resident's addresses on a channel lead to, and what happens when one changes."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import queue
from bot.db.database import Database
from bot.db.tables import (
    aliases,
    appointments,
    callback_requests,
    case_attempts,
    case_follows,
    contacts,
    conversations,
    handoffs,
    inbox,
    media,
    messages,
    notes,
    outbox,
    owner_history,
    registrations,
    reports,
    waiting_list,
)
from bot.model import Inbound, Moved, Owner

Resident = tuple[str, str]
"""A channel and an address on it."""

_BELONGING = (
    messages,
    inbox,
    outbox,
    owner_history,
    callback_requests,
    case_attempts,
    case_follows,
    registrations,
    reports,
    appointments,
    waiting_list,
    contacts,
    media,
    aliases,
    handoffs,
    notes,
)
"""What goes along when two conversations turn out to be one."""

_ONCE = ((case_follows, case_follows.c.key), (waiting_list, waiting_list.c.product, waiting_list.c.location))
"""What a conversation has once of each of these: of two the one that stays is kept."""


async def conversations_of(
    connection: AsyncConnection, database: Database, batch: Sequence[Inbound], now: datetime
) -> dict[Resident, str]:
    """The conversation of each message's resident; it is begun where there is none.

    By the address itself, or another that it is known by; else a conversation that so far had only one of the weaker
    addresses (`Inbound.also`) goes on under the stronger one. A weaker address of a conversation that has a stronger
    one proves nothing: telephone numbers get new owners.
    """
    residents = {(m.channel, m.address): tuple((m.channel, one) for one in m.also) for m in batch}
    weaker = {one for also in residents.values() for one in also}
    found = await _by_address(connection, residents.keys() | weaker)
    known = await _by_alias(connection, residents.keys() - found.keys() | weaker)
    chosen: dict[Resident, str] = {}
    for resident, also in sorted(residents.items()):
        key = found.get(resident) or known.get(resident)
        if key is None and (old := next((one for one in also if one in found), None)):
            key = found.pop(old)
            await connection.execute(
                sa.update(conversations).where(conversations.c.id == key).values(address=resident[1])
            )
        if key is not None:
            chosen[resident] = key
    if new := sorted(residents.keys() - chosen.keys()):
        rows = [new_conversation(channel, address, now) for channel, address in new]
        await connection.execute(database.insert_new(conversations), rows)
        chosen |= await _by_address(connection, new)
    links = {one: chosen[resident] for resident, also in residents.items() for one in also}
    if changed := [(one, key) for one, key in sorted(links.items()) if known.get(one) != key]:
        rows = [{"channel": c, "alias": alias, "conversation_id": key} for (c, alias), key in changed]
        await connection.execute(database.put(aliases), rows)
    return chosen


async def conversation_at(connection: AsyncConnection, channel: str, address: str) -> str | None:
    """The conversation of who is known at this address, strong or weak; None where there is none."""
    resident = (channel, address)
    found = await _by_address(connection, [resident])
    found = found or await _by_alias(connection, [resident])
    return found.get(resident)


async def move(connection: AsyncConnection, database: Database, moved: Moved, now: datetime) -> bool:
    """Let a conversation go on at another address; False where nobody is known at the one before.

    The one before leads to it only as long as it can't be given to somebody else. Where the resident wrote from the
    new one already, the two conversations become one.
    """
    before, after = (moved.channel, moved.before), (moved.channel, moved.after)
    at_home = (await _by_address(connection, [before])).get(before)
    old = at_home or (await _by_alias(connection, [before])).get(before)
    if old is None or before == after:
        return False
    new = (await _by_address(connection, [after])).get(after)
    await connection.execute(
        sa.delete(aliases).where(aliases.c.channel == before[0], aliases.c.alias == before[1])
    )
    stays = old if new in (None, old) else await _unite(connection, old, str(new), now)
    if at_home and stays == old:
        await connection.execute(
            sa.update(conversations).where(conversations.c.id == old).values(address=after[1])
        )
    elif stays == old:
        await _also(connection, database, after, stays)
    if moved.lasting:
        await _also(connection, database, before, stays)
    return True


async def _also(connection: AsyncConnection, database: Database, resident: Resident, stays: str) -> None:
    row = {"channel": resident[0], "alias": resident[1], "conversation_id": stays}
    await connection.execute(database.put(aliases), [row])


async def _unite(connection: AsyncConnection, old: str, new: str, now: datetime) -> str:
    """Both become the newer one, unless a person has (or is asked for in) the older; the one that stays. Whoever has
    the other one leased loses it, stores nothing, and the message runs again in its new place."""
    rows = await connection.execute(sa.select(conversations).where(conversations.c.id.in_((old, new))))
    states = {row.id: row for row in rows}
    stays, goes = (old, new) if states[old].owner in (Owner.WAITING, Owner.AGENT) else (new, old)
    # Whoever has (or waits for) a person in both is helped in the one that stays.
    await queue.leave(connection, goes, "united", now)
    for table, *columns in _ONCE:
        there = table.alias()
        same = [there.c[column.name] == column for column in columns]
        twice = sa.exists().where(there.c.conversation_id == stays, *same)
        await connection.execute(sa.delete(table).where(table.c.conversation_id == goes, twice))
    for table in _BELONGING:
        await connection.execute(
            sa.update(table).where(table.c.conversation_id == goes).values(conversation_id=stays)
        )
    await connection.execute(sa.delete(conversations).where(conversations.c.id == goes))
    moments = [row.last_inbound_at for row in states.values() if row.last_inbound_at]
    values: dict[str, Any] = {
        "greeted": any(row.greeted for row in states.values()),
        "created_at": min(row.created_at for row in states.values()),
        "last_inbound_at": max(moments, default=None),
        "lease_token": None,
        "lease_until": None,
    }
    await connection.execute(sa.update(conversations).where(conversations.c.id == stays).values(**values))
    return stays


async def _by_address(connection: AsyncConnection, residents: Collection[Resident]) -> dict[Resident, str]:
    """The conversation at each address (and at some that nobody asked for)."""
    if not residents:
        return {}
    rows = await connection.execute(_AT, _sets(residents))
    return {(row.channel, row.address): row.id for row in rows}


async def _by_alias(connection: AsyncConnection, residents: Collection[Resident]) -> dict[Resident, str]:
    if not residents:
        return {}
    rows = await connection.execute(_KNOWN_AS, _sets(residents))
    return {(row.channel, row.alias): row.conversation_id for row in rows}


def _sets(residents: Collection[Resident]) -> Mapping[str, list[str]]:
    channels, addresses = zip(*residents, strict=True)
    return {"channels": list(set(channels)), "addresses": list(set(addresses))}


_AT = sa.select(conversations.c.channel, conversations.c.address, conversations.c.id).where(
    conversations.c.channel.in_(sa.bindparam("channels", expanding=True)),
    conversations.c.address.in_(sa.bindparam("addresses", expanding=True)),
)
_KNOWN_AS = sa.select(aliases).where(
    aliases.c.channel.in_(sa.bindparam("channels", expanding=True)),
    aliases.c.alias.in_(sa.bindparam("addresses", expanding=True)),
)


def new_conversation(channel: str, address: str, now: datetime, *, greeted: bool = False) -> dict[str, Any]:
    """The row of a conversation that begins."""
    return {
        "id": str(uuid.uuid4()),
        "channel": channel,
        "address": address,
        "owner": Owner.BOT,
        "owner_since": now,
        "greeted": greeted,
        "created_at": now,
    }
