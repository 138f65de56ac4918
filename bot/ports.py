"""The seams of the house. A new channel, engine, bus or search is one file that fits one of these."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol, runtime_checkable

from bot.model import (
    Appointment,
    Booking,
    CallbackRequest,
    Case,
    Contact,
    Field,
    Inbound,
    Item,
    Location,
    Media,
    Outbound,
    Product,
    Proof,
    Reply,
    Template,
    Turn,
)

Body = Mapping[str, Any]
"""One request body for a vendor, JSON-able, complete but for the address: that may change until it is sent."""

Accept = Callable[[Sequence[Item]], Awaitable[None]]
"""Stores what came in; returns when it is committed. Safe to call again with the same."""


class Fault(Exception):
    """Base of what can go wrong at a seam. `reason` is safe to log: no text of a resident, no token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Fault):
    """The caller is at fault: a bad signature, a body that is not what it should be. `status` is the HTTP answer."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


class SendFault(Fault):
    """A message did not go out, or a file not in. `retryable`: later it may; `retry_after` seconds, where the vendor
    says so; `window`: the vendor takes only a template now."""

    def __init__(
        self, reason: str, *, retryable: bool, retry_after: float | None = None, window: bool = False
    ) -> None:
        super().__init__(reason)
        self.retryable = retryable
        self.retry_after = retry_after
        self.window = window


class EngineFault(Fault):
    """The dialogue engine gave no reply. `down`: it can't be reached; else this turn failed in it."""

    def __init__(self, reason: str, *, down: bool) -> None:
        super().__init__(reason)
        self.down = down


class RegistryFault(Fault):
    """The municipality's register did not take something, or nobody knows whether it did. `retryable`: later it may;
    `retry_after` seconds, where the register says so."""

    def __init__(self, reason: str, *, retryable: bool, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retryable = retryable
        self.retry_after = retry_after


class CalendarFault(Fault):
    """A calendar can't be reached, is too slow, or answers with what nobody can read. Never the same as `no slots`.
    `retryable`: later it may work (an outage), else an engineer must look (wrong credentials)."""

    def __init__(self, reason: str, *, retryable: bool) -> None:
        super().__init__(reason)
        self.retryable = retryable


class SlotGone(Fault):
    """Somebody else has the time now, or it has passed."""


class BookingRefused(Fault):
    """The calendar does not take these details, or this product there; another time would not help."""


class CaseFault(Fault):
    """The system of cases can't be reached, is too slow, does not let us in, or answers with what nobody can read.
    Never the same as a case that is not there. `retryable`: later it may work, else an engineer must look."""

    def __init__(self, reason: str, *, retryable: bool) -> None:
        super().__init__(reason)
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class Health:
    """State of a part: `ok`, `off` (not set up), `degraded` or `down`, and a sentence for an engineer."""

    state: str
    detail: str = ""

    @property
    def ready(self) -> bool:
        """Whether messages are accepted and answered with the part in this state."""
        return self.state in ("ok", "off", "degraded")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, for an engineer: `ok`, `todo` (something is missing) or `wrong`, and then
    `advice` says what to do."""

    what: str
    state: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a channel may send: `rate` messages a second, `burst` at once."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel can show and bear; all that differs between channels, besides `Channel.render`.

    `text` in characters after rendering. `choices` is how many one message shows, at most; of more it shows the first
    and one `more:<count>` that asks for the rest. `window_hours`: after a resident's message free words may go for so
    long. `pace` is that of the account, `resident_pace` towards one resident. `reads`: who writes sees that it was
    read, so every message is acknowledged at once. `receipts`: the vendor tells how far a message got. `counted`: sent
    messages are counted, for they may cost money. `typing_seconds`: so long does a sign that somebody types stay.
    """

    text: int
    buttons: int
    button_label: int
    choice_id_bytes: int = 64
    choices: int | None = None
    window_hours: int | None = None
    pace: Pace | None = None
    resident_pace: Pace | None = None
    reads: bool = False
    receipts: bool = False
    counted: bool = False
    typing_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """What a channel may look at to decide whether a webhook call is genuine."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@runtime_checkable
class Channel(Protocol):
    """A way to residents. It parses and sends; it never decides."""

    @property
    def name(self) -> str: ...

    @property
    def limits(self) -> Limits: ...

    @property
    def templates(self) -> Mapping[str, Template]:
        """What may go outside the window, by name; empty where there is no window."""
        ...

    def handshake(self, request: WebhookRequest) -> str:
        """What to answer to a vendor that asks (GET) whether the address is ours. Raises `Refused`."""
        ...

    def verify(self, request: WebhookRequest) -> None:
        """Raise `Refused` unless the request is genuine."""
        ...

    def parse(self, body: bytes) -> list[Item]:
        """All messages, receipts and moves in a webhook body; unknown kinds become UNSUPPORTED or nothing, and one
        that can't be read is logged without its content and left out.
        Raises `Refused` when the body as a whole is not readable, never anything else."""
        ...

    def render(self, messages: Sequence[Outbound]) -> list[Body]:
        """Request bodies for what is said in one turn, within `limits`, in order, as few as the channel wants.
        A pure function. A message with a template comes alone."""
        ...

    async def send(self, address: str, body: Body) -> str:
        """Hand one body to the vendor for this resident; the vendor's message id. Raises `SendFault`."""
        ...

    async def acknowledge(self, message: Inbound, *, typing: bool = True) -> None:
        """Show that the message is read and, where the bot answers, being worked on (read mark, typing, callback
        answered). Best effort: raises `SendFault`."""
        ...

    async def fetch(self, media: Media, limit: int) -> bytes:
        """A file that a resident sent, of at most `limit` bytes. Raises `SendFault`; a larger one is not
        retryable."""
        ...

    async def listen(self, accept: Accept) -> None:
        """Fetch messages where the vendor does not call us (polling); returns at once where it does."""
        ...

    async def health(self) -> Health: ...

    async def check(self) -> list[Finding]:
        """Look at all that must be right for this channel, at the vendor too. Never raises."""
        ...

    async def close(self) -> None: ...


ABOUT = "about"
"""In a turn's metadata under `asked`: the message answers what the resident wants a person for."""


@runtime_checkable
class DialogueEngine(Protocol):
    """A pure function from a turn to a reply. It keeps nothing."""

    async def reply(self, turn: Turn) -> Reply:
        """Raises `EngineFault`, nothing else."""
        ...

    async def health(self) -> Health: ...

    async def close(self) -> None: ...


LOCAL = "local"
"""The name of our own register: who must be called stands in our own list there, and nowhere else."""


@runtime_checkable
class ContactRegistry(Protocol):
    """The municipality's register of contacts and of who must be called. Both ways in may be called again with the
    same, also after a call of which nobody knows how it ended: there is one of each reference, and it becomes whole.
    """

    @property
    def name(self) -> str: ...

    async def register_contact(self, contact: Contact) -> str:
        """See to it that the contact is in; the register's id of it. Raises `RegistryFault`, nothing else."""
        ...

    async def register_callback(self, request: CallbackRequest) -> str:
        """See to it that the contact is in, with a task for who must call; the register's id of the contact.
        Raises `RegistryFault`, nothing else."""
        ...

    async def health(self) -> Health: ...

    async def check(self) -> list[Finding]:
        """Look at all that must be right, at the register too. Never raises."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class AppointmentProvider(Protocol):
    """The municipality's calendar. All its times have a zone. Whatever it can't do now raises `CalendarFault`: a full
    day is an empty list, an outage never is."""

    @property
    def name(self) -> str: ...

    async def products(self) -> list[Product]: ...

    async def locations(self, product: str) -> list[Location]:
        """Where the product can be had; empty for one that is not known."""
        ...

    async def days(self, product: str, location: str, first: date, last: date, people: int = 1) -> list[date]:
        """Days from `first` up to and including `last` that have a free time, in order."""
        ...

    async def times(self, product: str, location: str, day: date, people: int = 1) -> list[datetime]:
        """Free times of a day in Amsterdam, in order; none that has passed."""
        ...

    async def fields(self, product: str) -> list[Field]:
        """What must and may be told of who comes."""
        ...

    async def book(self, booking: Booking, key: str) -> Appointment:
        """Book it. Called again with the same `key`, also after a call of which nobody knows how it ended, it gives the
        same appointment: there is one. Raises `SlotGone`, `BookingRefused`, `CalendarFault`."""
        ...

    async def get(self, appointment: str) -> Appointment | None:
        """One that stands; None where it was cancelled or never was."""
        ...

    async def cancel(self, appointment: str) -> None:
        """See to it that it does not stand (any more); its time is free at once."""
        ...

    async def health(self) -> Health: ...

    async def check(self) -> list[Finding]:
        """Look at all that must be right, at the calendar too. Never raises."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class CaseProvider(Protocol):
    """The municipality's system of cases. Whatever it can't tell now raises `CaseFault`: None is only ever a case that
    is not there, or not for who asks."""

    @property
    def name(self) -> str: ...

    async def find(self, reference: str, proof: Proof) -> Case | None:
        """The case with this reference, for who proves to have asked for it. None for one that is not there and for a
        proof that is not right: nobody may learn which."""
        ...

    async def look(self, key: str) -> Case | None:
        """A case that was found before, by its `Case.key`; None where it is not there any more."""
        ...

    async def health(self) -> Health: ...

    async def check(self) -> list[Finding]:
        """Look at all that must be right, at the system too. Never raises."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Bus(Protocol):
    """Wakes, fans out and limits rates. Never holds the truth: a lost wake costs time, nothing else."""

    async def publish(self, topic: str, payload: str = "") -> None:
        """Never raises: a bus that is down is logged, and work goes on by polling."""
        ...

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[AsyncIterator[tuple[str, str]]]:
        """`async with bus.subscribe("inbox") as wakes: async for topic, payload in wakes`. After a lost
        connection each subscriber gets one wake per topic with an empty payload: it may have missed some."""
        ...

    async def delay(self, key: str, *, rate: float, burst: int) -> float:
        """Token bucket: `rate` tokens a second, at most `burst` saved. 0.0 where one was taken, else in how many
        seconds there will be one. A bus that is down has none to wait for."""
        ...

    async def allow(self, key: str, *, rate: float, burst: int) -> bool:
        """The same as a question: whether a token was taken."""
        ...

    async def health(self) -> Health: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Found:
    """An article that may answer the question. `probability` is calibrated: of all 0.8s, 80 % are right."""

    slug: str
    revision: int
    title: str
    probability: float


@dataclass(frozen=True, slots=True)
class SearchContext:
    """What the search may know besides the words: the article the conversation is about."""

    article: str | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """What a resident reads of an article, in another language than Dutch; part of the same revision."""

    title: str
    answer: str
    aspects: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Article:
    """A published article, as the actions see it. All texts may hold `{variables}`, filled in by `bot.wording`."""

    slug: str
    revision: int
    title: str
    theme: str
    answer: str
    aspects: Mapping[str, str] = field(default_factory=dict)
    links: Sequence[tuple[str, str]] = ()
    actions: Sequence[str] = ()
    translations: Mapping[str, Translation] = field(default_factory=dict)
    """By ISO 639-1 code."""
    related: Sequence[str] = ()
    """Slugs of the articles beside it."""
    policy: Sequence[str] = ()
    """The ways that the municipality prefers, in order: `click`, `call`, `face`; at `person` an employee takes over."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What probabilities are good for: with a best one from `answer` up an answer; with all together (that the
    question is one for us at all) from `clarify` up a choice; below that neither."""

    answer: float
    clarify: float


class KnowledgeSearch(Protocol):
    """Finds the approved answer."""

    @property
    def thresholds(self) -> Thresholds: ...

    async def search(self, text: str, context: SearchContext | None = None) -> list[Found]:
        """Ranked, best first, at most ten; empty for text without a word in it."""
        ...

    def article(self, slug: str) -> Article | None:
        """The published article, or None where there is none (any more)."""
        ...


class Alarm(Protocol):
    """Hears words of danger before anything else: before the engine, in a form, and while a person is waited for."""

    def hears(self, turn: Turn, *, waiting: bool) -> Reply | None:
        """What must be said at once, or None. `waiting`: a person is on the way and needs no offering. The memory of
        the reply is not looked at: the conversation goes on where it was."""
        ...
