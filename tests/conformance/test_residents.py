"""Who is who: addresses that change, numbers with new owners, and messages in any order. On both stores."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot import conversation
from bot import inbox as inbox_module
from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import aliases, conversations, handoffs, inbox, media, messages, waiting_list
from bot.edge import Edge
from bot.model import Inbound, Kind, Media, Moved, Owner, Place
from bot.residents import conversation_at
from bot.turn import LeaseLost
from tests.conftest import SetClock
from tests.house import TestHouse

PHONE, USER, OTHER = "31610000001", "NL.1001", "NL.2002"


@pytest.fixture
def house(database: Database, clock: SetClock) -> TestHouse:
    return TestHouse(database, MemoryBus(), clock)


async def at(house: TestHouse, address: str) -> str | None:
    async with house.database.read() as connection:
        return await conversation_at(connection, "kept", address)


class TestAddresses:
    async def test_a_number_gets_its_user_id_and_the_conversation_goes_on(self, house: TestHouse) -> None:
        await house.say("een", PHONE)
        await house.work()
        await house.say("twee", USER, also=(PHONE,))
        await house.work()
        assert house.read(USER) == ["2: twee"]
        [row] = await house.rows(conversations)
        assert row.address == USER
        assert await at(house, PHONE) == row.id

    async def test_once_known_the_number_alone_is_enough(self, house: TestHouse) -> None:
        await house.say("een", USER, also=(PHONE,))
        await house.work()
        await house.say("twee", PHONE)
        await house.work()
        assert house.read(USER)[-1] == "2: twee"
        assert len(await house.rows(conversations)) == 1

    async def test_a_number_with_a_new_owner_is_somebody_else(self, house: TestHouse) -> None:
        await house.say("geheim", USER, also=(PHONE,))
        await house.work()
        await house.say("hallo", OTHER, also=(PHONE,))
        await house.work()
        first, second = await at(house, USER), await at(house, OTHER)
        assert first != second
        assert await at(house, PHONE) == second
        assert house.read(OTHER)[-1] == "1: hallo"

    async def test_many_messages_of_one_batch(self, house: TestHouse) -> None:
        batch = [
            Inbound("kept", PHONE, "a", text="een"),
            Inbound("kept", USER, "b", text="twee", also=(PHONE,)),
            Inbound("kept", USER, "c", text="drie", also=(PHONE,)),
        ]
        await house.inbox.accept(batch[:1])
        await house.inbox.accept(batch[1:])
        await house.work()
        assert [text for _, text in house.channel.sent[1:]] == ["1: een", "2: twee", "3: drie"]

    async def test_at_the_same_time(self, house: TestHouse) -> None:
        def message(number: int) -> Inbound:
            return Inbound("kept", USER, f"m{number}", text="hoi", also=(PHONE,))

        await asyncio.gather(*(house.inbox.accept([message(number)]) for number in range(20)))
        assert len(await house.rows(conversations)) == 1
        assert len(await house.rows(aliases)) == 1
        assert len(await house.rows(inbox)) == 20

    async def test_who_is_forgotten_by_number_is_forgotten(self, house: TestHouse, clock: SetClock) -> None:
        from bot.privacy import Privacy

        await house.say("geheim", USER, also=(PHONE,))
        await house.work()
        assert await Privacy(house.database, clock).forget("kept", PHONE, actor="engineer")
        assert not await house.rows(aliases)
        assert not await house.rows(messages)


class TestMoves:
    async def test_a_changed_id_keeps_the_conversation(self, house: TestHouse) -> None:
        await house.say("een", USER)
        await house.work()
        await house.inbox.move([Moved("kept", USER, OTHER)])
        await house.say("twee", OTHER)
        await house.work()
        assert house.read(OTHER) == ["2: twee"]
        assert await at(house, USER) is None

    async def test_what_waits_in_the_outbox_goes_to_the_new_address(self, house: TestHouse) -> None:
        await house.say("een", USER)
        for lease in await house.inbox.claim(1, ["kept"]):
            await house.turns.run(lease)
        await house.inbox.move([Moved("kept", USER, OTHER)])
        await house.work()
        assert house.read(OTHER)[-1] == "1: een"
        assert house.read(USER) == []

    async def test_a_changed_number_is_another_name_of_the_same(self, house: TestHouse) -> None:
        await house.say("een", USER, also=(PHONE,))
        await house.work()
        key = await at(house, USER)
        await house.inbox.move([Moved("kept", PHONE, "31610000002")])
        assert await at(house, PHONE) is None
        assert await at(house, "31610000002") == await at(house, USER) == key

    async def test_nobody_moves(self, house: TestHouse) -> None:
        await house.inbox.move([Moved("kept", USER, OTHER), Moved("kept", USER, USER)])
        assert not await house.rows(conversations)

    async def test_who_waits_for_the_same_time_twice_waits_once(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        for address in (USER, OTHER):
            await house.say("een", address)
            await house.work()
        waits = {"people": 1, "before": clock(), "state": "waiting", "created_at": clock()}
        places = ((USER, "hal"), (USER, "noord"), (OTHER, "hal"))
        async with house.database.write() as connection:
            for address, location in places:
                key = await conversation_at(connection, "kept", address)
                row = {**waits, "conversation_id": key, "product": "paspoort", "location": location}
                await connection.execute(sa.insert(waiting_list).values(**row))
        await house.inbox.move([Moved("kept", USER, OTHER)])
        [stays] = await house.rows(conversations)
        rows = await house.rows(waiting_list)
        assert {(row.conversation_id, row.location) for row in rows} == {
            (stays.id, "hal"),
            (stays.id, "noord"),
        }
        assert len(rows) == 2

    async def test_who_wrote_from_the_new_one_already_has_one_conversation(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        await house.say("een", USER, also=(PHONE,))
        await house.work()
        clock.forward(minutes=1)
        await house.say("twee", OTHER)
        await house.work()
        await house.inbox.move([Moved("kept", USER, OTHER)])
        [row] = await house.rows(conversations)
        assert (row.address, row.lease_token) == (OTHER, None)
        said = [line.text for line in await house.transcript() if line.author == "resident"]
        assert said == ["een", "twee"]
        assert await at(house, PHONE) == row.id
        await house.say("drie", OTHER)
        await house.work()
        assert house.read(OTHER)[-1] == "2: drie"

    async def test_a_person_who_is_waited_for_is_not_lost(self, house: TestHouse) -> None:
        await house.say("mens over mijn tuin", USER)
        await house.work()
        await house.say("hallo", OTHER)
        await house.work()
        await house.inbox.move([Moved("kept", USER, OTHER)])
        [row] = await house.rows(conversations)
        assert (row.owner, row.address) == (Owner.WAITING, OTHER)
        before = house.read(OTHER)
        await house.say("bent u daar?", OTHER)
        await house.work()
        assert house.read(OTHER) == [*before, house.wording.say("waiting_noted").text]

    async def test_who_waits_in_both_waits_once(self, house: TestHouse) -> None:
        for address in (USER, OTHER):
            await house.say("mens over mijn tuin", address)
            await house.work()
        await house.inbox.move([Moved("kept", USER, OTHER)])
        [row] = await house.rows(conversations)
        states = sorted((one.state, one.outcome) for one in await house.rows(handoffs))
        assert (row.owner, states) == (Owner.WAITING, [("ended", "united"), ("waiting", None)])

    async def test_a_turn_under_way_runs_again_in_its_new_place(self, house: TestHouse) -> None:
        await house.say("een", USER)
        await house.work()
        await house.say("twee", OTHER)
        [lease] = await house.inbox.claim(1, ["kept"])
        await house.inbox.move([Moved("kept", OTHER, USER)])
        with pytest.raises(LeaseLost):
            await house.turns.run(lease)
        await house.work()
        assert house.read(USER)[-1] == "2: twee"
        assert len(await house.rows(conversations)) == 1

    async def test_an_agent_keeps_the_conversation(self, house: TestHouse, clock: SetClock) -> None:
        await house.say("mens over mijn tuin", USER)
        await house.work()
        async with house.database.write() as connection:
            await conversation.change_owner(
                connection,
                await house.key(USER),
                Owner.WAITING,
                Owner.AGENT,
                reason="taken",
                actor="a",
                now=clock(),
            )
        await house.say("hallo", OTHER)
        await house.work()
        await house.inbox.move([Moved("kept", USER, OTHER)])
        assert await house.owner(OTHER) is Owner.AGENT

    async def test_what_comes_late_from_a_lasting_address_is_theirs(self, house: TestHouse) -> None:
        await house.say("een", USER, also=(PHONE,))
        await house.work()
        await house.inbox.move([Moved("kept", USER, OTHER, lasting=True)])
        await house.say("nog van voor de verhuizing", USER, also=(PHONE,))
        await house.work()
        assert house.read(OTHER) == ["2: nog van voor de verhuizing"]
        assert len(await house.rows(conversations)) == 1

    async def test_all_in_one_call_in_the_order_in_which_it_happened(self, house: TestHouse) -> None:
        edge = Edge(house.inbox, house.outbox)
        before = Inbound("kept", PHONE, "a", text="van het oude nummer")
        after = Inbound("kept", OTHER, "b", text="van het nieuwe", also=("31610000009",))
        await edge([before, Moved("kept", PHONE, OTHER), after])
        await house.work()
        assert [text[3:] for text in house.read(OTHER)[1:]] == ["van het oude nummer", "van het nieuwe"]
        assert len(await house.rows(conversations)) == 1

    async def test_who_is_waited_for_is_known_by_the_new_number_too(self, house: TestHouse) -> None:
        await house.say("mens over mijn tuin", USER, also=(PHONE,))
        await house.work()
        await house.say("hallo", "31610000002")
        await house.work()
        await house.inbox.move([Moved("kept", PHONE, "31610000002")])
        assert await at(house, "31610000002") == await at(house, USER)
        assert len(await house.rows(conversations)) == 1


class TestOrder:
    async def test_what_waits_is_answered_in_the_order_in_which_it_was_sent(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        sent = [clock() - timedelta(seconds=seconds) for seconds in (10, 30, 20)]
        for number, moment in enumerate(sent):
            await house.say(f"m{number}", sent_at=moment)
        await house.work()
        assert [text[3:] for text in house.read()[1:]] == ["m1", "m2", "m0"]

    async def test_a_clock_that_is_ahead_is_not_believed(self, house: TestHouse, clock: SetClock) -> None:
        await house.say("een", sent_at=clock() + timedelta(days=1))
        clock.forward(seconds=1)
        await house.say("twee")
        await house.work()
        assert [text[3:] for text in house.read()[1:]] == ["een", "twee"]
        [row] = await house.rows(conversations)
        assert row.last_inbound_at == clock()

    async def test_a_time_beyond_reason_is_not_believed(self, house: TestHouse, clock: SetClock) -> None:
        await house.say("een", sent_at=clock() - timedelta(days=9000))
        await house.work()
        [row] = await house.rows(conversations)
        assert row.last_inbound_at == clock() - inbox_module.LATEST

    async def test_the_first_in_order_counts_the_attempts(self, house: TestHouse, clock: SetClock) -> None:
        await house.say("later")
        await house.say("eerst", sent_at=clock() - timedelta(seconds=5))
        [lease] = await house.inbox.claim(1, ["kept"])
        assert [(row.text, row.attempts) for row in lease.rows] == [("eerst", 1), ("later", 0)]


class TestChanges:
    async def test_an_edit_that_came_first_is_done_when_its_message_comes(self, house: TestHouse) -> None:
        await house.say("nieuw", kind=Kind.EDIT, ref="7")
        await house.work()
        assert house.read() == []
        await house.say("oud", ref="7")
        await house.work()
        first = (await house.transcript())[0]
        assert (first.text, first.edited_at is not None) == ("nieuw", True)
        assert [(row.state, row.text) for row in await house.rows(inbox, "seq")] == [("done", "")] * 2

    @pytest.mark.parametrize("first", ["message", "revoke"])
    async def test_what_is_taken_back_is_gone(self, house: TestHouse, first: str) -> None:
        photo: dict[str, Any] = {"kind": Kind.IMAGE, "media": Media("f1"), "place": Place(52.1, 5.1)}
        said = {
            "message": lambda: house.say("mijn geheim", ref="7", **photo),
            "revoke": lambda: house.say(kind=Kind.REVOKE, ref="7"),
        }
        await said[first]()
        await house.work()
        await said["revoke" if first == "message" else "message"]()
        await house.work()
        line = next(row for row in await house.transcript() if row.author == "resident")
        assert (line.text, line.place, line.revoked_at is not None) == ("", None, True)
        # Only its file is still to be taken away: nobody can open it.
        assert {(row.state, row.ref, row.name) for row in await house.rows(media)} <= {("withdrawn", "", "")}
        await house.say("toch iets anders", kind=Kind.EDIT, ref="7")
        await house.work()
        assert (await house.transcript())[0].text == ""

    async def test_a_reaction_stands_with_its_message_and_is_taken_away(self, house: TestHouse) -> None:
        await house.say("hallo", ref="7")
        await house.work()
        before = house.read()
        for ref, emoji in (("7", "👍"), ("sent-1", "❤️"), ("sent-1", ""), ("unknown", "🙏")):
            await house.say(emoji, kind=Kind.REACTION, ref=ref)
        await house.work()
        lines = await house.transcript()
        assert [line.reaction for line in lines] == ["👍", None, None]
        assert house.read() == before
        assert len(house.engine.turns) == 1

    async def test_they_open_no_window_and_end_no_silence(self, house: TestHouse, clock: SetClock) -> None:
        await house.say("hallo", ref="7")
        await house.work()
        [before] = await house.rows(conversations)
        async with house.database.write() as connection:
            key = before.id
            await conversation.change_owner(
                connection, key, Owner.BOT, Owner.CLOSED, reason="done", actor="a", now=clock()
            )
        clock.forward(hours=1)
        for kind in (Kind.EDIT, Kind.REACTION, Kind.REVOKE):
            await house.say("x", kind=kind, ref="7")
        await house.work()
        [after] = await house.rows(conversations)
        assert (after.owner, after.last_inbound_at) == (Owner.CLOSED, before.last_inbound_at)
