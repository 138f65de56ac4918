"""What every register of contacts owes the house. Inherit, tell how to open it and what can go wrong with it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from bot import registry as module
from bot.bus.memory import MemoryBus
from bot.callbacks import request as ask
from bot.db.database import Database
from bot.db.tables import conversations, registrations
from bot.model import CallbackRequest, Command, Contact
from bot.ports import ContactRegistry, RegistryFault
from bot.registry import Registrations
from bot.residents import new_conversation
from tests.conftest import START, SetClock

PHONE, TOPIC = "06 12345678", "de zwanenzang in het park"


@dataclass(frozen=True)
class Seen:
    """What the register has of one reference. `tasks` is None where tasks are not the register's to keep."""

    contacts: int
    tasks: int | None
    phones: tuple[str, ...] | None

    @property
    def is_whole(self) -> bool:
        """Whether a callback request is in once, with one task and the one number."""
        tasks, phones = self.tasks in (1, None), self.phones in ((PHONE.replace(" ", ""),), None)
        return self.contacts == 1 and tasks and phones


@dataclass(frozen=True)
class Misfortune:
    """Something that goes wrong, until `mend`, and whether it may pass by itself."""

    name: str
    cause: Callable[[], Awaitable[None] | None]
    mend: Callable[[], Awaitable[None] | None]
    retryable: bool = True
    retry_after: float | None = None


async def _do(what: Callable[[], Awaitable[None] | None]) -> None:
    waiting = what()
    if waiting is not None:
        await waiting


class ContactRegistryConformance(ABC):
    """Inherit as `Test...`. A test has its own instance, so `open` may keep the register's stand-in on `self`."""

    @abstractmethod
    @asynccontextmanager
    async def open(self, database: Database) -> AsyncIterator[ContactRegistry]:
        """The register over this store, empty."""
        yield NotImplemented

    @abstractmethod
    async def seen(self, reference: str) -> Seen:
        """What is in it."""

    @abstractmethod
    def misfortunes(self) -> list[Misfortune]:
        """What can go wrong."""

    def cuts(self) -> list[Misfortune]:
        """What breaks off after it was done: the register has it, or a part, and we don't know."""
        return []

    @pytest.fixture
    async def registry(self, database: Database) -> AsyncIterator[ContactRegistry]:
        async with self.open(database) as registry:
            self.store = database
            yield registry

    async def callback(self, reference: str = "TAAAA0001", **more: Any) -> CallbackRequest:
        return CallbackRequest(await self.contact(reference, **more), PHONE, "ochtend")

    async def contact(self, reference: str = "CAAAA0001", **more: Any) -> Contact:
        """One of a conversation that there is."""
        row = new_conversation("webchat", f"adres-{reference}", START)
        async with self.store.write() as connection:
            await connection.execute(conversations.insert().values(**row))
        return replace(Contact(reference, row["id"], "webchat", TOPIC, START), **more)

    # -- once, whatever happens -----------------------------------------------------------------------------

    async def test_a_contact_is_in_once(self, registry: ContactRegistry) -> None:
        contact = await self.contact()
        key = await registry.register_contact(contact)
        assert key
        assert await registry.register_contact(contact) == key
        seen = await self.seen(contact.reference)
        assert seen.contacts == 1
        assert seen.tasks in (0, None)

    async def test_a_callback_is_in_once_with_its_task_and_number(self, registry: ContactRegistry) -> None:
        request = await self.callback()
        key = await registry.register_callback(request)
        assert await registry.register_callback(request) == key
        seen = await self.seen(request.contact.reference)
        assert seen.is_whole, seen

    async def test_two_are_two(self, registry: ContactRegistry) -> None:
        one, other = await self.callback("TAAAA0001"), await self.callback("TAAAA0002")
        assert await registry.register_callback(one) != await registry.register_callback(other)
        for request in (one, other):
            assert (await self.seen(request.contact.reference)).is_whole

    async def test_at_the_same_moment_it_is_once(self, registry: ContactRegistry) -> None:
        """Only after a lease ran out can two be at it. One contact, one task; the number may stand there twice."""
        request = await self.callback()
        keys = await asyncio.gather(*(registry.register_callback(request) for _ in range(4)))
        assert len(set(keys)) == 1
        seen = await self.seen(request.contact.reference)
        once = seen.phones and tuple(sorted(set(seen.phones)))
        assert replace(seen, phones=once).is_whole, seen

    @pytest.mark.parametrize(
        "more",
        [
            {"topic": ""},
            {"topic": "x" * 5000},
            {"topic": "regel\neen\ttwee \u202e 👍🏽 '; DROP TABLE x; -- {telefoon} <b>"},
            {"topic": "é" * 300},
            {"channel": "whatsapp-wijkteam"},
            {"channel": "een-kanaal-met-een-lange-naam"},
            {"at": START - timedelta(days=400)},
        ],
        ids=lambda more: f"{next(iter(more))}-{str(next(iter(more.values())))[:8]}",
    )
    async def test_whatever_it_is_about(self, registry: ContactRegistry, more: dict[str, Any]) -> None:
        request = await self.callback(**more)
        await registry.register_callback(request)
        assert (await self.seen(request.contact.reference)).is_whole
        contact = await self.contact(**more)
        await registry.register_contact(contact)
        assert (await self.seen(contact.reference)).contacts == 1

    # -- what goes wrong ------------------------------------------------------------------------------------

    async def test_what_goes_wrong_is_told_and_after_it_all_is_well(self, registry: ContactRegistry) -> None:
        for number, misfortune in enumerate(self.misfortunes()):
            request = await self.callback(f"TBBBB{number:04}")
            await _do(misfortune.cause)
            with pytest.raises(RegistryFault) as caught:
                await registry.register_callback(request)
            assert caught.value.retryable is misfortune.retryable, misfortune.name
            if misfortune.retry_after is not None:
                assert caught.value.retry_after == misfortune.retry_after
            self.check_discreet(caught.value)
            await _do(misfortune.mend)
            await registry.register_callback(request)
            assert (await self.seen(request.contact.reference)).is_whole, misfortune.name

    async def test_what_breaks_off_after_it_was_done_is_not_done_twice(
        self, registry: ContactRegistry
    ) -> None:
        for number, cut in enumerate(self.cuts()):
            request = await self.callback(f"TCCCC{number:04}")
            await _do(cut.cause)
            with pytest.raises(RegistryFault) as caught:
                await registry.register_callback(request)
            assert caught.value.retryable, cut.name
            await _do(cut.mend)
            await registry.register_callback(request)
            seen = await self.seen(request.contact.reference)
            assert seen.is_whole, (cut.name, seen)

    def check_discreet(self, fault: RegistryFault) -> None:
        """Nothing of the resident, and no secret."""
        for secret in ("zwanenzang", "12345678", "geheim", "TBBBB"):
            assert secret not in fault.reason

    async def test_health_and_check_never_raise(self, registry: ContactRegistry) -> None:
        assert (await registry.health()).state == "ok"
        assert all(finding.state in ("ok", "todo") for finding in await registry.check())
        for misfortune in self.misfortunes():
            await _do(misfortune.cause)
            assert (await registry.health()).state in ("ok", "degraded", "down")
            assert isinstance(await registry.check(), list)
            await _do(misfortune.mend)

    # -- in the queue ---------------------------------------------------------------------------------------

    async def test_a_kill_between_the_call_and_the_mark(
        self, registry: ContactRegistry, database: Database, clock: SetClock
    ) -> None:
        """The register has it, the process dies, another one takes over: still one, and marked."""
        queue = Registrations(database, MemoryBus(), registry, clock)
        row = new_conversation("webchat", "adres", START)
        command = Command("callback", {"phone": PHONE, "when": "middag", "topic": TOPIC})
        async with database.write() as connection:
            await connection.execute(conversations.insert().values(**row))
            reference = await ask(connection, row["id"], command, START)
        [order] = await queue.claim(10)
        assert isinstance(order.what, CallbackRequest)
        key = await registry.register_callback(order.what)  # and the mark never comes
        assert await queue.claim(10) == []
        clock.forward(seconds=module.LEASE.total_seconds() + 1)
        [order] = await queue.claim(10)
        await queue.register(order)
        async with database.read() as connection:
            marked = (await connection.execute(registrations.select())).one()
        assert (marked.state, marked.register, marked.external_id) == ("registered", registry.name, key)
        seen = await self.seen(reference)
        assert seen.is_whole, seen
