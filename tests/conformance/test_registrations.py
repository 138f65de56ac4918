"""The queue of registrations: written with what it is about, brought until it is in, told where it stays."""

from __future__ import annotations

import logging
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from bot import conversation, registry
from bot.bus.memory import MemoryBus
from bot.callbacks import Callbacks
from bot.db.database import Database
from bot.db.tables import article_revisions, articles, callback_requests, contacts, messages, registrations
from bot.model import CallbackRequest, Command, Contact, Moved, Owner, Reply, Turn
from bot.ports import Health, RegistryFault
from bot.privacy import Privacy
from bot.residents import move
from tests.conftest import START, SetClock
from tests.house import TestHouse

ARGS = {"phone": "06 12345678", "when": "ochtend", "topic": "de zwanenzang"}


@pytest.fixture
def house(database: Database, clock: SetClock) -> TestHouse:
    async def form(turn: Turn) -> Reply:
        return Reply((), (Command("callback", ARGS),))

    return TestHouse(database, MemoryBus(), clock, form)


async def asks(house: TestHouse, address: str = "r1") -> str:
    """A resident asks to be called; the reference."""
    await house.say("bel mij", address)
    await house.work()
    rows = await house.rows(callback_requests, "created_at")
    key = await house.key(address)
    return next(str(row.reference) for row in rows if row.conversation_id == key)


async def talks(house: TestHouse, clock: SetClock, after: Owner = Owner.CLOSED) -> None:
    """A conversation with a human, from start to end."""
    key = await house.key()
    way = (Owner.BOT, Owner.WAITING, Owner.AGENT, after)
    for one, other in pairwise(way):
        clock.forward(minutes=5)
        async with house.database.write() as connection:
            await conversation.change_owner(
                connection, key, one, other, reason="test", actor="els", now=clock()
            )


async def only(house: TestHouse) -> Any:
    [row] = await house.rows(registrations)
    return row


# -- in -----------------------------------------------------------------------------------------------------------


async def test_it_stands_in_the_queue_with_the_request(house: TestHouse) -> None:
    reference = await asks(house)
    row = await only(house)
    assert (row.reference, row.kind, row.state, row.attempts) == (reference, "callback", "pending", 0)
    assert "zwanenzang" not in str(row)  # what was said stands in one place
    assert await house.register() == 1
    [request] = house.registry.taken
    key = await house.key()
    assert request == CallbackRequest(
        Contact(reference, key, "kept", ARGS["topic"], START), ARGS["phone"], ARGS["when"]
    )
    row = await only(house)
    assert (row.state, row.register, row.external_id) == ("registered", "kept", f"kept-{reference}")
    assert (row.error, row.lease_token, row.done_at) == (None, None, START)
    assert await house.register() == 0


async def test_without_the_request_there_is_no_registration(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction: what fails after it takes both along."""

    async def fails(*_: object) -> None:
        raise RuntimeError

    await house.say("bel mij")
    monkeypatch.setattr("bot.turn.record", fails)
    [lease] = await house.inbox.claim(1, ["kept"])
    with pytest.raises(RuntimeError):
        await house.turns.run(lease)
    assert not await house.rows(registrations)
    assert not await house.rows(callback_requests)


@pytest.mark.parametrize("after", [Owner.CLOSED, Owner.BOT])
async def test_what_ended_with_a_human_is_a_contact(house: TestHouse, clock: SetClock, after: Owner) -> None:
    await house.say("hallo", external_id="m0")
    key_of = sa.insert(articles).values(slug="paspoort", revision=None)
    async with house.database.write() as connection:
        await connection.execute(key_of)
        revision = {
            "slug": "paspoort",
            "digest": "x",
            "content": {"title": "Paspoort aanvragen"},
            "author": "els",
        }
        result = await connection.execute(
            sa.insert(article_revisions)
            .values(created_at=START, **revision)
            .returning(article_revisions.c.revision)
        )
        number = result.scalar_one()
        line = {
            "id": "x",
            "conversation_id": await house.key(),
            "author": "bot",
            "kind": "text",
            "text": "hoi",
        }
        await connection.execute(
            sa.insert(messages).values(
                choices=[], links=[], article="paspoort", revision=number, at=START, **line
            )
        )
    await talks(house, clock, after)
    row = await only(house)
    assert (row.kind, row.topic, row.at) == ("contact", "Paspoort aanvragen", START + timedelta(minutes=10))
    await house.register()
    [contact] = house.registry.taken
    assert contact == Contact(row.reference, await house.key(), "kept", "Paspoort aanvragen", row.at)


async def test_who_was_never_helped_by_a_human_is_none(house: TestHouse, clock: SetClock) -> None:
    await house.say("hallo")
    key = await house.key()
    for before, after in ((Owner.BOT, Owner.WAITING), (Owner.WAITING, Owner.BOT), (Owner.BOT, Owner.CLOSED)):
        async with house.database.write() as connection:
            await conversation.change_owner(
                connection, key, before, after, reason="test", actor="x", now=clock()
            )
    assert not await house.rows(registrations)


# -- until it is in -----------------------------------------------------------------------------------------------


async def test_what_may_pass_is_never_given_up_and_waits_an_hour_at_most(
    house: TestHouse, clock: SetClock
) -> None:
    await asks(house)
    house.registry.fault = RegistryFault("HTTP 503", retryable=True)
    waits = []
    for attempt in range(1, 41):
        assert await house.register() == 1
        row = await only(house)
        assert (row.state, row.attempts, row.error) == ("pending", attempt, "HTTP 503")
        waits.append((row.not_before - clock()).total_seconds())
        assert await house.register() == 0
        clock.now = row.not_before
    assert 0.4 <= waits[0] <= 0.6
    assert 3600 * 0.8 <= waits[-1] <= 3600 * 1.2
    assert len({round(wait) for wait in waits[-20:]}) > 5  # not all at the same moment
    house.registry.fault = None
    assert await house.register() == 1
    row = await only(house)
    assert (row.state, row.error) == ("registered", None)


async def test_no_sooner_than_the_register_asks(house: TestHouse, clock: SetClock) -> None:
    await asks(house)
    house.registry.fault = RegistryFault("HTTP 429", retryable=True, retry_after=600)
    await house.register()
    assert (await only(house)).not_before >= clock() + timedelta(seconds=600)


async def test_too_long_is_not_in(house: TestHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: CallbackRequest) -> str:
        raise TimeoutError

    await asks(house)
    monkeypatch.setattr(house.registry, "register_callback", never)
    await house.register()
    row = await only(house)
    assert (row.state, row.error) == ("pending", "no answer in time")


async def test_a_fault_that_stays_is_told_and_tried_again_when_asked(
    house: TestHouse, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    reference = await asks(house)
    house.registry.fault = RegistryFault("HTTP 400: not taken: kanaal (invalid)", retryable=False)
    with caplog.at_level(logging.INFO):
        await house.register()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert reference in caplog.text and "klaartje callbacks list" in caplog.text
    assert "zwanenzang" not in caplog.text and "12345678" not in caplog.text
    clock.forward(days=2)
    assert await house.register() == 0
    [waiting] = await Callbacks(house.database, clock).waiting()
    assert (waiting.registration_state, waiting.registration_attempts) == ("failed", 1)
    assert waiting.registration_error == "HTTP 400: not taken: kanaal (invalid)"
    state = await house.registrations.health()
    assert (state.state, "1 can't be registered" in state.detail) == ("degraded", True)
    house.registry.fault = None
    assert await house.registrations.again(["T00000000"]) == 0
    assert await house.registrations.again([reference]) == 1
    assert await house.register() == 1
    assert (await only(house)).state == "registered"
    assert (await house.registrations.health()) == Health("ok", "kept")
    assert await house.registrations.again([reference]) == 0
    assert await house.registrations.again() == 0


async def test_a_fault_that_does_not_pass_becomes_loud(
    house: TestHouse, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    await asks(house)
    house.registry.fault = RegistryFault("no answer: ClientConnectorError", retryable=True)
    for _ in range(registry.STUBBORN):
        await house.register()
        clock.forward(hours=2)
    levels = [record.levelname for record in caplog.records]
    assert levels == ["WARNING"] * (registry.STUBBORN - 1) + ["ERROR"]
    assert "1 wait for long" in (await house.registrations.health()).detail
    assert await house.registrations.again() == 1  # at once, and from the start
    row = await only(house)
    assert (row.attempts, row.not_before) == (0, clock())


async def test_the_registers_own_state_never_takes_the_house_down(house: TestHouse) -> None:
    house.registry.state = Health("down", "HTTP 401")
    state = await house.registrations.health()
    assert (state.state, state.detail, state.ready) == ("degraded", "kept: HTTP 401", True)


async def test_another_register_gets_who_still_waits(house: TestHouse, clock: SetClock) -> None:
    """Open Klant is connected: who is in our own list, and was not called yet, goes there."""
    first, second = await asks(house, "r1"), await asks(house, "r2")
    while await house.register():
        pass
    await Callbacks(house.database, clock).done(first, actor="els")
    house.registry.name = "another"
    assert await house.registrations.again() == 1
    await house.register()
    rows = {row.reference: row.register for row in await house.rows(registrations)}
    assert rows == {first: "kept", second: "another"}


async def test_who_was_called_needs_no_task(house: TestHouse, clock: SetClock) -> None:
    reference = await asks(house)
    house.registry.fault = RegistryFault("HTTP 503", retryable=True)
    await house.register()
    await Callbacks(house.database, clock).done(reference, actor="els")
    house.registry.fault = None
    clock.forward(hours=2)
    assert await house.register() == 0
    assert (await only(house)).state == "withdrawn"
    assert await house.registrations.again() == 0


# -- more than one worker -------------------------------------------------------------------------------------------


async def test_one_worker_has_it(house: TestHouse, clock: SetClock) -> None:
    for address in ("r1", "r2", "r3"):
        await asks(house, address)
    [one] = await house.registrations.claim(1)
    two = await house.registrations.claim(10)
    assert len({order.reference for order in (one, *two)}) == 3
    assert await house.registrations.claim(10) == []
    await house.registrations.clear_leases()
    assert len(await house.registrations.claim(10)) == 3


async def test_who_lost_the_lease_marks_nothing(house: TestHouse, clock: SetClock) -> None:
    await asks(house)
    [late] = await house.registrations.claim(1)
    clock.forward(seconds=registry.LEASE.total_seconds() + 1)
    [order] = await house.registrations.claim(1)
    assert order.attempts == 2
    house.registry.fault = RegistryFault("HTTP 400: not taken", retryable=False)
    await house.registrations.register(late)
    assert (await only(house)).state == "pending"
    house.registry.fault = None
    await house.registrations.register(order)
    assert (await only(house)).state == "registered"
    assert len(house.registry.taken) == 1


# -- privacy ------------------------------------------------------------------------------------------------------


async def test_it_goes_with_the_conversation(house: TestHouse, clock: SetClock) -> None:
    from actions.contacts.local import LocalRegistry

    await asks(house)
    [order] = await house.registrations.claim(1)
    assert isinstance(order.what, CallbackRequest)
    await LocalRegistry(house.database).register_callback(order.what)
    assert len(await house.rows(contacts)) == 1
    assert await Privacy(house.database, clock).forget("kept", "r1", actor="fg")
    assert not await house.rows(registrations)
    assert not await house.rows(contacts)


async def test_what_the_register_must_still_get_is_not_purged(house: TestHouse, clock: SetClock) -> None:
    reference = await asks(house)
    privacy = Privacy(house.database, clock)
    house.registry.fault = RegistryFault("HTTP 503", retryable=True)
    await house.register()
    clock.forward(days=40)
    assert await privacy.purge(28) == 0
    house.registry.fault = None
    await house.register()
    assert reference in [row.reference for row in await Callbacks(house.database, clock).waiting()]
    assert await privacy.purge(28) == 1  # the register has it, and its people see to it


async def test_a_contact_that_is_not_in_is_not_purged(house: TestHouse, clock: SetClock) -> None:
    await house.say("hallo")
    await talks(house, clock)
    house.registry.fault = RegistryFault("HTTP 400: not taken", retryable=False)
    await house.register()
    clock.forward(days=40)
    privacy = Privacy(house.database, clock)
    assert await privacy.purge(28) == 0
    [stuck] = await house.registrations.stuck()
    assert (stuck.state, stuck.error) == ("failed", "HTTP 400: not taken")
    house.registry.fault = None
    assert await house.registrations.again() == 1
    await house.register()
    assert await house.registrations.stuck() == []
    assert await privacy.purge(28) == 1


async def test_in_our_own_list_who_waits_for_a_call_is_kept(house: TestHouse, clock: SetClock) -> None:
    reference = await asks(house)
    house.registry.name = "local"
    await house.register()
    clock.forward(days=40)
    privacy = Privacy(house.database, clock)
    assert await privacy.purge(28) == 0
    await Callbacks(house.database, clock).done(reference, actor="els")
    assert await privacy.purge(28) == 1


async def test_it_goes_along_when_two_residents_are_one(house: TestHouse) -> None:
    await asks(house, "r1")
    await house.say("hallo", "r2")
    await house.work()
    async with house.database.write() as connection:
        await move(connection, house.database, Moved("kept", "r1", "r2"), house.clock())
    assert {row.conversation_id for row in await house.rows(registrations)} == {await house.key("r2")}
    while await house.register():
        pass
    assert {row.state for row in await house.rows(registrations)} == {"registered"}
