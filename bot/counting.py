"""Counting one day, from the conversations that are still there. A conversation is what one resident said on one day.

What happens counts on the day that it happens, so that a day that is over hardly changes any more; only a mark that is
given late comes with the conversation that it is of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit import Act
from bot.clock import AMSTERDAM
from bot.db.tables import (
    article_revisions,
    audit,
    callback_requests,
    conversations,
    handoffs,
    messages,
    owner_history,
)
from bot.desk import Outcome
from bot.model import Author, Owner, Route
from bot.tally import HANDED, Key, Name, minutes

ANSWERS = frozenset({Route.ANSWER, Route.STATUS, Route.APPOINTMENT, Route.REPORT})
"""Ways on which the bot helped."""

TRIALS = frozenset({"ask", "terminal"})
"""Channels on which nobody of the town is: what is tried out by a command does not count."""

_TOLD = {Route.STATUS: Name.STATUS, Route.APPOINTMENT: Name.APPOINTMENT, Route.REPORT: Name.REPORT}


def bounds(day: date) -> tuple[datetime, datetime]:
    """When a day in Amsterdam begins and ends; it may have 23 or 25 hours."""
    start, end = (datetime.combine(one, time(), AMSTERDAM) for one in (day, day + timedelta(days=1)))
    return start, end


@dataclass(slots=True)
class _Talk:
    """What was said in a conversation on the day. `article`: the last that the bot gave."""

    channel: str
    wrote: bool = False
    article: str | None = None
    linked: bool = False
    missed: int = 0
    routes: set[str] = field(default_factory=set)


async def count_day(connection: AsyncConnection, day: date) -> Counter[Key]:
    """All figures of the day."""
    start, end = bounds(day)
    themes = await _themes(connection)
    talks = await _talks(connection, start, end)
    helped = await _with_person(connection, start, end)
    calls = await _requests(connection, start, end)
    found: Counter[Key] = Counter()

    def theme(slug: str | None) -> str:
        return themes.get(slug, "") if slug else ""

    for key, talk in talks.items():
        if not talk.wrote:
            continue
        for name, number in _of(talk, person=key in helped or key in calls).items():
            found[Key(talk.channel, theme(talk.article), name)] += number
    for key, row in calls.items():
        slug = talks[key].article if key in talks else None
        found[Key(row.channel, theme(slug), Name.CALLBACKS)] += row.number
        found[Key(row.channel, theme(slug), Name.CALL)] += 1
    for row in await _begun(connection, start, end):
        found[Key(row.channel, theme(row.topic), f"{HANDED}{row.reason}")] += 1
    for row in await _ended(connection, start, end):
        if row.mark is not None:
            found[Key(row.channel, theme(row.topic), Name.MARK, row.mark)] += 1
        if row.outcome == Outcome.CALL_BACK and row.conversation_id not in calls:
            found[Key(row.channel, theme(row.topic), Name.CALL)] += 1
    found.update(await _times(connection, start, end, theme))
    for row in await _called(connection, start, end):
        found[Key(row.channel, theme(row.article), Name.CALLED_BACK)] += 1
    return Counter({key: number for key, number in found.items() if key.channel not in TRIALS})


def _of(talk: _Talk, *, person: bool) -> Mapping[str, int]:
    """What a conversation counts as."""
    answered = bool(ANSWERS & talk.routes)
    how = Name.PERSON if person else Name.ALONE if answered else Name.NEITHER
    counts: dict[str, int] = {Name.CONVERSATIONS: 1, how: 1}
    counts |= {name: 1 for route, name in _TOLD.items() if route in talk.routes}
    counts |= {Name.LINK: 1} if talk.linked else {}
    return counts | ({Name.MISSED: talk.missed} if talk.missed else {})


async def _themes(connection: AsyncConnection) -> dict[str, str]:
    """The theme of each article by its slug, as it was written last; also of those that are not published now."""
    last = sa.select(sa.func.max(article_revisions.c.revision)).group_by(article_revisions.c.slug)
    query = sa.select(
        article_revisions.c.slug, article_revisions.c.content["theme"].as_string().label("theme")
    )
    rows = await connection.execute(query.where(article_revisions.c.revision.in_(last)))
    return {row.slug: str(row.theme or "")[:64] for row in rows}


async def _talks(connection: AsyncConnection, start: datetime, end: datetime) -> dict[str, _Talk]:
    line = messages.c
    said = (
        sa.select(
            line.conversation_id,
            line.author,
            line.trace["route"].as_string().label("route"),
            sa.case((sa.cast(line.links, sa.Text) != "[]", 1), else_=0).label("linked"),
        )
        .where(line.at >= start, line.at < end, line.author.in_((Author.RESIDENT, Author.BOT)))
        .subquery()
    )
    query = (
        sa.select(
            said.c.conversation_id,
            conversations.c.channel,
            said.c.author,
            said.c.route,
            sa.func.max(said.c.linked).label("linked"),
            sa.func.count().label("number"),
        )
        .join(conversations, conversations.c.id == said.c.conversation_id)
        .group_by(said.c.conversation_id, conversations.c.channel, said.c.author, said.c.route)
    )
    talks: dict[str, _Talk] = {}
    for row in await connection.execute(query):
        talk = talks.setdefault(row.conversation_id, _Talk(row.channel))
        talk.wrote = talk.wrote or row.author == Author.RESIDENT
        talk.linked = talk.linked or bool(row.linked)
        if row.route:
            talk.routes.add(row.route)
        if row.route == Route.OUT_OF_SCOPE:
            talk.missed += row.number
    last = (
        sa.select(sa.func.max(line.seq))
        .where(line.at >= start, line.at < end, line.author == Author.BOT, line.article.is_not(None))
        .group_by(line.conversation_id)
    )
    given = sa.select(line.conversation_id, line.article).where(line.seq.in_(last))
    for row in await connection.execute(given):
        talks[row.conversation_id].article = row.article
    return talks


async def _with_person(connection: AsyncConnection, start: datetime, end: datetime) -> set[str]:
    """Conversations that waited for a person or had one at some moment of the day."""
    query = sa.select(handoffs.c.conversation_id).where(
        handoffs.c.waiting_since < end, sa.or_(handoffs.c.ended_at.is_(None), handoffs.c.ended_at >= start)
    )
    return set((await connection.execute(query)).scalars())


async def _requests(connection: AsyncConnection, start: datetime, end: datetime) -> dict[str, Any]:
    """Who asked for a call, and how often."""
    asked = callback_requests.c
    query = (
        sa.select(asked.conversation_id, conversations.c.channel, sa.func.count().label("number"))
        .join(conversations, conversations.c.id == asked.conversation_id)
        .where(asked.created_at >= start, asked.created_at < end)
        .group_by(asked.conversation_id, conversations.c.channel)
    )
    return {row.conversation_id: row for row in await connection.execute(query)}


async def _begun(connection: AsyncConnection, start: datetime, end: datetime) -> Iterable[Any]:
    since = handoffs.c.waiting_since
    return await connection.execute(_handoffs().where(since >= start, since < end))


async def _ended(connection: AsyncConnection, start: datetime, end: datetime) -> Iterable[Any]:
    at = handoffs.c.ended_at
    return await connection.execute(_handoffs().where(at >= start, at < end))


def _handoffs() -> sa.Select[Any]:
    return sa.select(handoffs, conversations.c.channel).join(
        conversations, conversations.c.id == handoffs.c.conversation_id
    )


async def _times(
    connection: AsyncConnection, start: datetime, end: datetime, theme: Callable[[str | None], str]
) -> Counter[Key]:
    """How long residents waited, and were helped; who left before that."""
    changed = owner_history.c
    moved = sa.select(changed.conversation_id).where(changed.at >= start, changed.at < end)
    query = (
        sa.select(owner_history, conversations.c.channel)
        .join(conversations, conversations.c.id == changed.conversation_id)
        .where(changed.conversation_id.in_(moved), changed.at < end)
        .order_by(changed.seq)
    )
    histories = defaultdict(list)
    for row in await connection.execute(query):
        histories[row.conversation_id].append(row)
    topics = {
        (row.conversation_id, row.waiting_since): row.topic
        for row in await connection.execute(_handoffs().where(handoffs.c.conversation_id.in_(moved)))
    }
    found: Counter[Key] = Counter()
    for key, history in histories.items():
        for name, value, began, at in _stays(history):
            if start <= at < end:
                found[Key(history[0].channel, theme(topics.get((key, began))), name, value)] += 1
    return found


def _stays(history: Iterable[Any]) -> Iterable[tuple[str, int, datetime, datetime]]:
    """Of each time in the queue: the name, the minutes, when it began and when it is counted. Who was handed to a
    colleague waited once, and was helped by all of them together."""
    began, since, spent, taken = None, None, timedelta(), False
    for row in history:
        if row.before == Owner.AGENT and since:
            spent += row.at - since
        if row.after == Owner.WAITING and row.before != Owner.AGENT:
            began, spent, taken = row.at, timedelta(), False
        elif row.after == Owner.AGENT:
            since = row.at
            if began and not taken:
                yield Name.WAITED, minutes((row.at - began).total_seconds()), began, row.at
            taken = True
        elif row.after in (Owner.BOT, Owner.CLOSED) and began:
            if taken:
                yield Name.HELPED, minutes(spent.total_seconds()), began, row.at
            else:
                yield Name.LEFT, 0, began, row.at
            began = None


async def _called(connection: AsyncConnection, start: datetime, end: datetime) -> Iterable[Any]:
    """Who was called back on the day, with the last article of before they asked for it. The audit outlives the
    conversation: then the channel is not known any more."""
    asked = callback_requests.c
    article = (
        sa.select(messages.c.article)
        .where(
            messages.c.conversation_id == asked.conversation_id,
            messages.c.article.is_not(None),
            messages.c.at <= asked.created_at,
        )
        .order_by(messages.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        sa.select(sa.func.coalesce(conversations.c.channel, "").label("channel"), article.label("article"))
        .select_from(audit)
        .outerjoin(callback_requests, asked.reference == audit.c.object)
        .outerjoin(conversations, conversations.c.id == asked.conversation_id)
        .where(audit.c.action == Act.CALLED_BACK, audit.c.at >= start, audit.c.at < end)
    )
    return await connection.execute(query)
