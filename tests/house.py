"""A small house for tests: real store and bus, a channel that keeps what is sent, and an engine that a test writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bot.clock import Clock
from bot.db.database import Database
from bot.db.tables import conversations, messages, owner_history
from bot.desk import Desk
from bot.handoff import Handoff
from bot.inbox import Inbox, message_id
from bot.model import (
    CallbackRequest,
    Command,
    Contact,
    Inbound,
    Item,
    Kind,
    Media,
    Outbound,
    Owner,
    Reply,
    Route,
    Template,
    Trace,
    Turn,
)
from bot.municipality import Municipality, Team
from bot.offers import Offers
from bot.outbox import Outbox
from bot.ports import (
    Accept,
    Article,
    Body,
    Bus,
    Channel,
    Finding,
    Health,
    Limits,
    Refused,
    RegistryFault,
    SendFault,
    WebhookRequest,
)
from bot.post import Post
from bot.registry import Registrations
from bot.settings import ROOT
from bot.tending import Tending
from bot.turn import Turns
from bot.usage import Usage
from bot.wording import Wording

TEAMS = (
    Team(name="kcc", title="het KCC"),
    Team(
        name="burgerzaken",
        title="Burgerzaken",
        themes=("reisdocumenten",),
        overflow_to="kcc",
        overflow_minutes=10,
    ),
)
PASSPORT = Article("paspoort-aanvragen", 1, "Paspoort aanvragen", "reisdocumenten", "Kom langs.")


def article(slug: str) -> Article | None:
    """The one article of the house."""
    return PASSPORT if slug == PASSPORT.slug else None


LIMITS = Limits(text=4096, buttons=10, button_label=64)
MUNICIPALITY = Municipality.load(ROOT / "knowledge" / "municipality.yml")


@dataclass
class KeptChannel:
    """A channel whose vendor is a list. `fault` is raised by the next sends while it is set."""

    name: str = "kept"
    limits: Limits = LIMITS
    sent: list[tuple[str, str]] = field(default_factory=list)
    fault: SendFault | None = None
    acknowledged: list[tuple[str, bool]] = field(default_factory=list)
    templates: dict[str, Template] = field(default_factory=dict)
    files: dict[str, bytes | SendFault] = field(default_factory=dict)
    joins: bool = False
    """Whether all that is said in one turn goes as one message."""

    def handshake(self, request: WebhookRequest) -> str:
        raise Refused("nobody calls", 405)

    def verify(self, request: WebhookRequest) -> None: ...

    def parse(self, body: bytes) -> list[Item]:
        return []

    def render(self, messages: Sequence[Outbound]) -> list[Body]:
        bodies: list[Body] = [
            {"text": message.text, "choices": [choice.id for choice in message.choices]}
            for message in messages
        ]
        if not self.joins or not bodies:
            return bodies
        return [{"text": " | ".join(body["text"] for body in bodies), "choices": []}]

    async def send(self, address: str, body: Body) -> str:
        if self.fault:
            raise self.fault
        self.sent.append((address, body["text"]))
        return f"sent-{len(self.sent)}"

    async def acknowledge(self, message: Inbound, *, typing: bool = True) -> None:
        self.acknowledged.append((message.external_id, typing))

    async def fetch(self, media: Media, limit: int) -> bytes:
        match self.files[media.ref]:
            case SendFault() as fault:
                raise fault
            case content:
                return content

    async def check(self) -> list[Finding]:
        return []

    async def listen(self, accept: Accept) -> None: ...

    async def health(self) -> Health:
        return Health("ok")

    async def close(self) -> None: ...


@dataclass
class KeptRegistry:
    """A register that is a list. `fault` is raised by the next ways in while it is set."""

    name: str = "kept"
    taken: list[Contact | CallbackRequest] = field(default_factory=list)
    fault: RegistryFault | None = None
    state: Health = field(default_factory=lambda: Health("ok"))

    async def register_contact(self, contact: Contact) -> str:
        return self._take(contact, contact.reference)

    async def register_callback(self, request: CallbackRequest) -> str:
        return self._take(request, request.contact.reference)

    def _take(self, what: Contact | CallbackRequest, reference: str) -> str:
        if self.fault:
            raise self.fault
        if what not in self.taken:
            self.taken.append(what)
        return f"kept-{reference}"

    async def health(self) -> Health:
        return self.state

    async def check(self) -> list[Finding]:
        return []

    async def close(self) -> None: ...


Think = Callable[[Turn], Awaitable[Reply]]


async def echo(turn: Turn) -> Reply:
    """An engine that says what it heard, counts in its memory, and hands over at `mens over mijn tuin`."""
    count = (turn.memory or {}).get("count", 0) + 1
    commands = (Command("handoff", {"reason": "asked"}),) if turn.text == "mens over mijn tuin" else ()
    text = f"{count}: {turn.text or turn.choice}"
    return Reply((Outbound(text),), commands, {"count": count}, Trace(Route.ANSWER))


@dataclass
class Engine:
    """An engine that a test writes as a function; keeps the turns it was asked."""

    think: Think = echo
    turns: list[Turn] = field(default_factory=list)

    async def reply(self, turn: Turn) -> Reply:
        self.turns.append(turn)
        return await self.think(turn)

    async def health(self) -> Health:
        return Health("ok")

    async def close(self) -> None: ...


class Quiet:
    """An alarm that hears no danger."""

    def hears(self, turn: Turn, *, waiting: bool) -> Reply | None:
        return None


class TestHouse:
    """The parts together; `work` does what a worker would do until nothing is left."""

    __test__ = False

    def __init__(self, database: Database, bus: Bus, clock: Clock, think: Think = echo) -> None:
        self.database = database
        self.bus = bus
        self.clock = clock
        self.channel = KeptChannel()
        channels: dict[str, Channel] = {"kept": self.channel}
        self.engine, self.fallback = Engine(think), Engine(fallback)
        self.wording = Wording.load(ROOT / "knowledge" / "phrases.yml", MUNICIPALITY.variables)
        self.inbox = Inbox(database, bus, clock)
        self.outbox = Outbox(database, bus, channels, clock)
        self.post = Post(database, bus, channels, clock)
        self.usage = Usage(database, clock)
        self.registry = KeptRegistry()
        self.registrations = Registrations(database, bus, self.registry, clock)
        self.municipality = MUNICIPALITY.model_copy(update={"teams": TEAMS})
        handoff = Handoff(self.wording, self.municipality, article, ["noodgeval"])
        self.desk = Desk(database, bus, channels, self.wording, self.municipality, handoff, clock)
        silent = timedelta(minutes=5)
        self.offers = Offers(database, bus, timedelta(seconds=self.municipality.offer_seconds), clock)
        self.tending = Tending(
            database, bus, channels, self.wording, self.municipality, handoff, silent, self.offers, clock
        )
        self.turns = Turns(
            database,
            bus,
            channels,
            self.engine,
            self.fallback,
            Quiet(),
            self.wording,
            handoff,
            clock,
            article=article,
        )
        self._count = 0

    async def say(self, text: str = "", address: str = "r1", **more: Any) -> str:
        """A resident's message into the inbox; its id."""
        self._count += 1
        external = more.pop("external_id", f"m{self._count}")
        kind = Kind.CHOICE if "choice" in more else more.pop("kind", Kind.TEXT)
        await self.inbox.accept([Inbound("kept", address, external, kind, text, **more)])
        return message_id("kept", external)

    async def work(self) -> None:
        """Turns and deliveries, until nothing is due."""
        while leases := await self.inbox.claim(10, ["kept"]):
            for lease in leases:
                await self.turns.run(lease)
        while letters := await self.outbox.claim(10):
            for letter in letters:
                await self.outbox.deliver(letter)

    async def register(self) -> int:
        """What is due for the register, once; how many."""
        orders = await self.registrations.claim(10)
        for order in orders:
            await self.registrations.register(order)
        return len(orders)

    async def key(self, address: str = "r1") -> str:
        """The id of the conversation at this address."""
        query = sa.select(conversations.c.id).where(conversations.c.address == address)
        async with self.database.read() as connection:
            return str(await connection.scalar(query))

    async def rows(self, table: sa.Table, *order: str) -> Sequence[Any]:
        """All of a table."""
        query = sa.select(table).order_by(*(table.c[name] for name in order))
        async with self.database.read() as connection:
            return (await connection.execute(query)).all()

    def read(self, address: str = "r1") -> list[str]:
        """What the resident got."""
        return [text for to, text in self.channel.sent if to == address]

    async def owner(self, address: str = "r1") -> Owner:
        query = sa.select(conversations.c.owner).where(conversations.c.address == address)
        async with self.database.read() as connection:
            return Owner(await connection.scalar(query))

    async def transcript(self) -> Sequence[Any]:
        async with self.database.read() as connection:
            return (await connection.execute(sa.select(messages).order_by(messages.c.seq))).all()

    async def history(self) -> list[tuple[str, str, str]]:
        async with self.database.read() as connection:
            rows = await connection.execute(sa.select(owner_history).order_by(owner_history.c.seq))
            return [(row.before, row.after, row.reason) for row in rows]


async def fallback(turn: Turn) -> Reply:
    """What is said while the engine is down."""
    return Reply((Outbound("uit de zoeker"),), memory=turn.memory, trace=Trace(Route.ANSWER))
