"""The hand-over note: what an agent must know to go on at once, by rules from what is stored. Nothing is invented."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import phonenumbers
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import queue
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import callback_requests, conversations, handoffs, messages, notes
from bot.handoff import FindArticle
from bot.keywords import says_nothing
from bot.model import Author, Kind
from bot.ports import Channel
from bot.window import Window, window

REASONS: Mapping[str, str] = {
    "asked": "vroeg om een medewerker",
    "offered": "zei ja tegen een medewerker",
    "not_understood": "Klaartje begreep het twee keer niet",
    "unhelpful": "het antwoord hielp niet",
    "anger": "is boos of teleurgesteld",
    "distress": "zit in de problemen",
    "policy": "dit onderwerp doet een medewerker",
    "failed": "bij Klaartje ging iets mis",
}
"""Why somebody is handed over, as an agent reads it."""

LANGUAGES: Mapping[str, str] = {
    "en": "Engels",
    "de": "Duits",
    "pl": "Pools",
    "tr": "Turks",
    "ar": "Arabisch",
    "uk": "Oekraïens",
}

MOODS: Mapping[str, str] = {"distress": "in nood", "anger": "boos", "insult": "geërgerd"}
"""How somebody sounds, the worst first, as an agent reads it."""

FindMood = Callable[[str], str | None]
"""How a text sounds: one of `MOODS`; None where nothing stands out."""

_LONGEST = 200
_HEARD = 10
"""From so many of the last messages the mood is heard."""

_FACTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("Postcode", re.compile(r"\b[1-9]\d{3} ?[A-Za-z]{2}\b(?: ?\d{1,5}(?: ?[A-Za-z])?\b)?")),
    ("E-mail", re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")),
    ("Kenmerk", re.compile(r"\b[A-Z]{1,8}-?(?:20\d\d)[-.]?\d{3,12}\b|\bT[0-9A-F]{8}\b")),
    ("Datum", re.compile(r"\b[0-3]?\d[-/](?:0?\d|1[0-2])[-/](?:19|20)\d\d\b")),
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A time before that this resident was helped by a person, or asked to be called."""

    at: datetime
    what: str
    topic: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Briefing:
    """What an agent reads beside the conversation."""

    wish: str
    """What the resident wants, in their own words; empty where nobody knows."""
    topic: str | None
    reason: str
    tried: tuple[str, ...]
    """Titles of the answers that the bot gave, the newest last."""
    facts: tuple[tuple[str, str], ...]
    """What the resident filled in, by its label."""
    language: str
    mood: str
    channel: str
    window: Window
    waited_since: datetime
    earlier: tuple[Earlier, ...]
    notes: tuple[tuple[str, str, datetime], ...]
    """What colleagues wrote: who, what and when."""


class Briefings:
    """Makes them."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        article: FindArticle,
        clock: Clock = utc_now,
        mood: FindMood = lambda text: None,
    ) -> None:
        self._database = database
        self._channels = channels
        self._article = article
        self._clock = clock
        self._mood = mood

    async def of(self, conversation_id: str) -> Briefing | None:
        """That of a conversation which was handed over; None where there is none."""
        async with self._database.read() as connection:
            conversation = await _conversation(connection, conversation_id)
            found = await _last_handoff(connection, conversation_id)
            if conversation is None or found is None or conversation.channel not in self._channels:
                return None
            before = await _before(connection, found)
            lines = await _lines(connection, conversation_id, before)
            earlier = [
                *await self._handed(connection, found),
                *await self._calls(connection, conversation_id),
            ]
            written = await _notes(connection, conversation_id)
        limits = self._channels[conversation.channel].limits
        topic = self._title(found.topic)
        said = [line.text for line in lines if line.author == Author.RESIDENT]
        return Briefing(
            wish=wish(lines, found.queued_at) or topic or "",
            topic=topic,
            reason=REASONS.get(found.reason, REASONS["asked"]),
            tried=self._tried(lines),
            facts=facts(said),
            language=LANGUAGES.get(found.language or "", "Nederlands"),
            mood=self._sounds(said[-_HEARD:]),
            channel=conversation.channel,
            window=window(limits, conversation.last_inbound_at, self._clock()),
            waited_since=found.waiting_since,
            earlier=tuple(sorted(earlier, key=lambda one: one.at)),
            notes=tuple(written),
        )

    def _sounds(self, texts: Sequence[str]) -> str:
        """The worst of what was said of late."""
        heard = {self._mood(text) for text in texts}
        return next((words for mood, words in MOODS.items() if mood in heard), "rustig")

    def _title(self, slug: str | None) -> str | None:
        found = self._article(slug) if slug else None
        return found.title if found else slug

    def _tried(self, lines: Sequence[Any]) -> tuple[str, ...]:
        titles = [self._title(line.article) for line in lines if line.author == Author.BOT and line.article]
        return tuple(dict.fromkeys(title for title in titles if title))

    async def _handed(self, connection: AsyncConnection, current: Any) -> list[Earlier]:
        query = sa.select(handoffs).where(
            handoffs.c.conversation_id == current.conversation_id,
            handoffs.c.state == queue.ENDED,
            handoffs.c.id != current.id,
        )
        rows = (await connection.execute(query.order_by(handoffs.c.ended_at))).all()
        return [Earlier(row.ended_at, "gesprek", self._title(row.topic), row.outcome) for row in rows]

    @staticmethod
    async def _calls(connection: AsyncConnection, conversation_id: str) -> list[Earlier]:
        query = sa.select(callback_requests).where(callback_requests.c.conversation_id == conversation_id)
        rows = (await connection.execute(query.order_by(callback_requests.c.created_at))).all()
        return [Earlier(row.created_at, "terugbelverzoek", row.topic, row.state) for row in rows]


def wish(lines: Sequence[Any], until: datetime) -> str:
    """The last thing that the resident asked before the handoff, in their own words and on one line: the longest of
    the last three, for somebody who is stuck repeats it shorter and shorter. That a person is wanted is no wish."""
    said = [
        " ".join(line.text.split())
        for line in lines
        if line.author == Author.RESIDENT
        and line.kind in (Kind.TEXT, Kind.IMAGE, Kind.VIDEO, Kind.DOCUMENT)
        and line.at <= until
        and not says_nothing(line.text)
    ]
    longest = max(said[-3:], key=len, default="")
    return longest if len(longest) <= _LONGEST else longest[: _LONGEST - 1].rsplit(" ", 1)[0] + "…"


def facts(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Postcodes, telephone numbers, e-mail addresses, reference numbers and dates that the resident gave, each once."""
    found: dict[tuple[str, str], None] = {}
    for text in texts:
        for match in phonenumbers.PhoneNumberMatcher(text, "NL"):
            number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
            found[("Telefoon", number)] = None
        for label, pattern in _FACTS:
            for value in pattern.findall(text):
                found[(label, " ".join(value.upper().split()) if label == "Postcode" else value)] = None
    return tuple(found)


async def _conversation(connection: AsyncConnection, conversation_id: str) -> Any | None:
    query = sa.select(conversations).where(conversations.c.id == conversation_id)
    return (await connection.execute(query)).one_or_none()


async def _last_handoff(connection: AsyncConnection, conversation_id: str) -> Any | None:
    query = sa.select(handoffs).where(handoffs.c.conversation_id == conversation_id)
    return (await connection.execute(query.order_by(handoffs.c.queued_at.desc()).limit(1))).one_or_none()


async def _before(connection: AsyncConnection, current: Any) -> datetime | None:
    """When the handoff before this one ended: what was said until then is about something else."""
    query = sa.select(sa.func.max(handoffs.c.ended_at)).where(
        handoffs.c.conversation_id == current.conversation_id, handoffs.c.id != current.id
    )
    moment: datetime | None = await connection.scalar(query)
    return moment


async def _lines(connection: AsyncConnection, conversation_id: str, after: datetime | None) -> list[Any]:
    query = sa.select(messages).where(messages.c.conversation_id == conversation_id)
    if after is not None:
        query = query.where(messages.c.at > after)
    rows = (await connection.execute(query.order_by(messages.c.seq.desc()).limit(200))).all()
    return list(reversed(rows))


async def _notes(connection: AsyncConnection, conversation_id: str) -> list[tuple[str, str, datetime]]:
    query = sa.select(notes).where(notes.c.conversation_id == conversation_id).order_by(notes.c.seq)
    return [(row.author, row.text, row.at) for row in await connection.execute(query)]
