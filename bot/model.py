"""The words of the house: what comes in, what goes out, and what a turn is. Plain values, no behaviour."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class Owner(StrEnum):
    """Who owns a conversation. The allowed changes stand in `bot.conversation`."""

    BOT = "bot"
    WAITING = "waiting"
    AGENT = "agent"
    CLOSED = "closed"


class Author(StrEnum):
    """Who wrote a line of the transcript; the values are those of the web chat interface."""

    RESIDENT = "resident"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


class Kind(StrEnum):
    """What a resident sent. Only TEXT and CHOICE carry words of their own."""

    TEXT = "text"
    CHOICE = "choice"
    START = "start"
    """The resident opened the conversation (Telegram's /start); `text` holds a deep-link payload or nothing."""
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    EDIT = "edit"
    """A changed text of an earlier message; changes the transcript, starts no turn of its own."""
    REACTION = "reaction"
    """An emoji under an earlier message, of either side; `text` is the emoji, empty where it was taken away."""
    REVOKE = "revoke"
    """An earlier message that its writer took back: its words and files go."""
    UNSUPPORTED = "unsupported"


SILENT = frozenset({Kind.EDIT, Kind.REACTION, Kind.REVOKE})
"""What only changes the transcript: no turn, no answer, and no window of the vendor opens for it."""


class Route(StrEnum):
    """Which way a message went: shown by `klaartje ask`, stored with each turn."""

    ANSWER = "answer"
    CLARIFY = "clarify"
    HANDOFF = "handoff"
    STATUS = "status"
    APPOINTMENT = "appointment"
    REPORT = "report"
    SMALLTALK = "smalltalk"
    OUT_OF_SCOPE = "out_of_scope"


class Delivery(StrEnum):
    """How far an outgoing message got. Moves forward only, in this order; FAILED is an end of its own, and HELD
    waits: free words outside the vendor's window, until the resident writes again."""

    QUEUED = "queued"
    HELD = "held"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Media:
    """A file that a resident sent, as the vendor tells of it; nothing here is to be trusted.

    `ref` is what the channel fetches it by; `mime`, `name` and `size` (bytes) as far as they were given; `sha256`
    in lower-case hexadecimals.
    """

    ref: str
    mime: str = ""
    name: str = ""
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A spot on the map (WGS 84, degrees), with its name and address where the resident chose a known one."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message of a resident, as a channel parsed it.

    `external_id` is the vendor's id and unique within `channel`: the inbox takes each only once.
    `address` is where to answer on that channel (a chat id, a session id); never shown, never logged.
    `reply_to` is what a channel needs to acknowledge it (a callback query id), or None.
    `ref` is the vendor's name of the written message itself: an EDIT, REACTION or REVOKE has that of the message it
    is about.
    `also` are other addresses of the same resident on this channel, weaker ones: a telephone number can go to
    somebody else.
    """

    channel: str
    address: str
    external_id: str
    kind: Kind = Kind.TEXT
    text: str = ""
    choice: str | None = None
    reply_to: str | None = None
    ref: str | None = None
    sent_at: datetime | None = None
    also: tuple[str, ...] = ()
    media: Media | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a vendor says of a message that we sent.

    `error` is safe to log: a code and our words for it, never the vendor's text. Of a FAILED one `retryable` says
    that sending it again may help, and `window` that only a template may go now.
    """

    channel: str
    external_id: str
    state: Delivery
    error: str | None = None
    retryable: bool = False
    window: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A resident has another address now; the conversation goes along. `lasting`: nobody else can ever get the one
    before, so what still comes from there is theirs too."""

    channel: str
    before: str
    after: str
    lasting: bool = False


Item = Inbound | Receipt | Moved
"""What a channel can bring in."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A button. `id` is `intent` or `intent:value`, at most 64 bytes; `label` is what the resident reads."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link (click) under a message."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Template:
    """A message that a vendor approved beforehand and that may go at any time.

    `text` is what the vendor has, with `{name}` for each of `variables`, in order; `category` is the vendor's price
    class (`utility`, `marketing`, `authentication`); `choices` are its buttons, in order. One that `opens` asks the
    resident to write, so that what is held can go: it has no variables.
    """

    name: str
    language: str
    category: str
    text: str
    variables: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message to a resident: approved words, with the article revision they came from.

    `text` is plain text with `**bold**`, `- ` list lines and blank lines between paragraphs, no other markup.
    `template` is set where it goes as one, with a value for each variable in `values`; `text` then holds it filled in.
    """

    text: str
    choices: tuple[Choice, ...] = ()
    links: tuple[Link, ...] = ()
    article: str | None = None
    revision: int | None = None
    template: Template | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """Something a reply asks the turn to do in its own transaction: `handoff`, `topic` (ask what a
    person is wanted for), `callback`, `mark`, `remark`."""

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contact:
    """That a resident was in contact, for the municipality's register: a summary, never the transcript.

    `reference` is ours, in capitals and digits, and never given out again. `conversation_id` is whose it is with us
    and stays here. `topic` may be in the resident's own words, or empty.
    """

    reference: str
    conversation_id: str
    channel: str
    topic: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A contact that asks for a call: at which number, in which part of the day (Dutch, as the resident chose it)."""

    contact: Contact
    phone: str
    part_of_day: str


@dataclass(frozen=True, slots=True)
class Product:
    """What an appointment can be made for. `id` is the calendar's own; `minutes` is how long one person takes, None
    where the calendar does not tell."""

    id: str
    name: str
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """Where an appointment can be. `id` is the calendar's own."""

    id: str
    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """Something that the calendar wants to know of who comes. `name` is one of `name`, `birth_date`, `phone`, `email`;
    a calendar that asks for more can't be used for the product, and says so in `check`."""

    name: str
    required: bool


@dataclass(frozen=True, slots=True)
class Booking:
    """What is asked of a calendar. `start` has a zone; `details` holds the values of the fields by their names
    (`birth_date` as ISO 8601, `phone` as +31...)."""

    product: str
    location: str
    start: datetime
    people: int = 1
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Appointment:
    """One that stands in a calendar. `id` is the calendar's own, and how it is looked up; `start` has a zone; `end` is
    None where the calendar does not tell."""

    id: str
    product: str
    location: str
    start: datetime
    end: datetime | None = None
    people: int = 1


@dataclass(frozen=True, slots=True)
class Proof:
    """What only who asked for something is likely to know: where they live, or when they were born. One of the two is
    set. Never stored and never logged: it has no words of its own.

    `postcode` is in capitals without a space (`1234AB`); `addition` is what stands behind the number (`A`, `bis`).
    """

    postcode: str = ""
    house_number: int = 0
    addition: str = ""
    birth_date: date | None = None

    def __repr__(self) -> str:
        return f"Proof({self.fact})"

    @property
    def fact(self) -> str:
        """Which of the two it is: `address` or `birth_date`."""
        return "birth_date" if self.birth_date else "address"


@dataclass(frozen=True, slots=True)
class CaseStatus:
    """Where a case is. `names` are those by which a status is known, the most telling first; `text` is what the
    municipality's system has for who asked, or empty."""

    names: tuple[str, ...]
    text: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """Something that a resident asked of the municipality, and how it stands. Nothing in it tells who.

    `key` is the system's own id, by which it is looked at again; `types` are the names by which its type is known.
    `planned` is when it should be done, `deadline` when at the latest. `suspended`: the time limit stands still, mostly
    because something is needed of who asked. `ended` with a `result`: it is done.
    """

    key: str
    reference: str
    types: tuple[str, ...]
    started: date
    status: CaseStatus | None = None
    planned: date | None = None
    deadline: date | None = None
    suspended: bool = False
    ended: date | None = None
    result: str = ""

    @property
    def state(self) -> str:
        """All that a resident would be told of, as one word: another word means that it changed."""
        status = (self.status.names, self.status.since.isoformat()) if self.status else None
        parts = (status, self.deadline, self.suspended, self.ended, self.result)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Trace:
    """How an answer was reached; `confidence` is a calibrated probability between 0 and 1, or None."""

    route: Route
    article: str | None = None
    alternatives: tuple[str, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One message with all that the dialogue engine may know. `memory` is the engine's own, opaque to us."""

    conversation_id: str
    text: str
    choice: str | None = None
    memory: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """`channel`, `now` (ISO 8601 with offset), `turn` (inbox id, for idempotency keys)."""


@dataclass(frozen=True, slots=True)
class Say:
    """An approved sentence by its key in the phrase book, with the values to fill in."""

    phrase: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the dialogue engine makes of a turn. Keeps nothing: `memory` goes back in with the next turn."""

    messages: tuple[Say | Outbound, ...]
    commands: tuple[Command, ...] = ()
    memory: Mapping[str, Any] | None = None
    trace: Trace | None = None
