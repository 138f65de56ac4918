"""What the store does, on SQLite and on PostgreSQL: inbox, turn, outbox, ownership. Real transactions throughout."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import conversation, inbox, outbox
from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import audit, callback_requests, conversations, messages
from bot.db.tables import inbox as inbox_table
from bot.db.tables import outbox as outbox_table
from bot.model import Command, Delivery, Inbound, Kind, Outbound, Owner, Receipt, Reply, Route, Trace, Turn
from bot.ports import EngineFault, SendFault
from bot.privacy import Privacy
from bot.turn import LeaseLost
from tests.conftest import SetClock
from tests.house import TestHouse, echo


@pytest.fixture
def house(database: Database, clock: SetClock) -> TestHouse:
    return TestHouse(database, MemoryBus(), clock)


async def _dies(house: TestHouse, clock: SetClock, times: int) -> None:
    """A worker takes the conversation, and is gone before anything came of it."""
    for _ in range(times):
        assert await house.inbox.claim(1, ["kept"])
        clock.forward(seconds=inbox.LEASE.total_seconds() + 1)


def _failed(house: TestHouse) -> list[str]:
    """What is read after a turn that failed."""
    return [house.wording.say("failed").text, house.wording.say("handoff_open", place=1).text]


async def _count(database: Database, table: sa.Table) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


class TestInbox:
    async def test_the_same_message_five_times_at_once_is_one(self, house: TestHouse) -> None:
        message = Inbound("kept", "r1", "m1", text="hallo")
        await asyncio.gather(*(house.inbox.accept([message, message]) for _ in range(5)))
        assert await _count(house.database, inbox_table) == 1
        assert await _count(house.database, conversations) == 1
        await house.work()
        assert house.read()[-1] == "1: hallo"
        await house.inbox.accept([message])
        await house.work()
        assert len(house.read()) == 2  # the welcome and the answer, once

    async def test_one_conversation_a_time_is_leased_once(self, house: TestHouse) -> None:
        for number in range(20):
            await house.say("hallo", address=f"r{number}")
        leased: list[str] = []

        async def claim_all() -> None:
            while leases := await house.inbox.claim(3, ["kept"]):
                leased.extend(lease.conversation_id for lease in leases)

        await asyncio.gather(*(claim_all() for _ in range(6)))
        assert len(leased) == len(set(leased)) == 20

    async def test_messages_of_a_resident_are_read_in_order(self, house: TestHouse) -> None:
        for number in range(30):
            await house.say(str(number), address=f"r{number % 3}")
        await house.work()
        for resident in range(3):
            answers = [text.split(": ")[1] for text in house.read(f"r{resident}")[1:]]
            assert answers == [str(n) for n in range(30) if n % 3 == resident]

    async def test_a_dead_worker_gives_the_conversation_back(self, house: TestHouse, clock: SetClock) -> None:
        await house.say("hallo")
        assert len(await house.inbox.claim(1, ["kept"])) == 1
        assert await house.inbox.claim(1, ["kept"]) == []
        clock.forward(seconds=inbox.LEASE.total_seconds() + 1)
        (again,) = await house.inbox.claim(1, ["kept"])
        assert again.rows[0].attempts == 2

    async def test_only_channels_that_we_have_are_claimed(self, house: TestHouse) -> None:
        await house.inbox.accept([Inbound("elders", "x", "1", text="hoi")])
        assert await house.inbox.claim(5, ["kept"]) == []

    async def test_one_bad_message_does_not_take_its_neighbours_along(self, house: TestHouse) -> None:
        bad = Inbound("kept", "r" * 300 + "\x00", "bad", text="x", kind="geen soort")  # type: ignore[arg-type]
        good = [Inbound("kept", f"r{n}", f"g{n}", text="hallo") for n in range(5)]
        results = await asyncio.gather(
            *(house.inbox.accept([message]) for message in [*good[:2], bad, *good[2:]]),
            return_exceptions=True,
        )
        stored = await _count(house.database, inbox_table)
        assert stored == sum(result is None for result in results)
        assert stored >= 5

    @pytest.mark.parametrize(
        "text", ["nul\x00teken", "half \ud83d teken", "مرحبا", "👩‍👩‍👧‍👦" * 50, "<b>&amp;", ""]
    )
    async def test_any_text_is_stored(self, house: TestHouse, text: str) -> None:
        await house.say(text)
        await house.work()
        assert (await house.transcript())[0].text == inbox.clean(text)


class TestTurn:
    async def test_the_first_answer_says_that_it_is_a_computer(self, house: TestHouse) -> None:
        await house.say("hallo")
        await house.say("nog iets")
        await house.work()
        welcome, *answers = house.read()
        assert "computer" in welcome
        assert answers == ["1: hallo", "2: nog iets"]

    async def test_memory_goes_in_and_out(self, house: TestHouse) -> None:
        for _ in range(3):
            await house.say("hallo")
            await house.work()
        assert [turn.memory for turn in house.engine.turns] == [None, {"count": 1}, {"count": 2}]

    async def test_what_an_answer_came_from_is_kept(self, house: TestHouse) -> None:
        async def answer(turn: Turn) -> Reply:
            message = Outbound("Kom langs.", article="paspoort-aanvragen", revision=7)
            return Reply((message,), trace=Trace(Route.ANSWER, "paspoort-aanvragen", confidence=0.9))

        house.engine.think = answer
        await house.say("paspoort")
        await house.work()
        last = (await house.transcript())[-1]
        assert (last.article, last.revision, last.trace["confidence"]) == ("paspoort-aanvragen", 7, 0.9)

    async def test_a_lost_lease_commits_nothing(self, house: TestHouse, clock: SetClock) -> None:
        await house.say("hallo")
        (slow,) = await house.inbox.claim(1, ["kept"])
        clock.forward(seconds=inbox.LEASE.total_seconds() + 1)
        await house.work()
        assert len(house.read()) == 2
        with pytest.raises(LeaseLost):
            await house.turns.run(slow)
        assert len(await house.transcript()) == 3
        await house.work()
        assert len(house.read()) == 2

    async def test_a_failure_while_committing_leaves_nothing(self, house: TestHouse, clock: SetClock) -> None:
        async def impossible(turn: Turn) -> Reply:
            return Reply((Outbound("half"),), (Command("onbekend"),))

        house.engine.think = impossible
        await house.say("hallo")
        with pytest.raises(ValueError, match="unknown command"):
            await house.work()
        assert await _count(house.database, messages) == 0
        assert await _count(house.database, outbox_table) == 0
        house.engine.think = echo
        clock.forward(seconds=inbox.LEASE.total_seconds() + 1)
        await house.work()
        assert house.read()[-1] == "1: hallo"

    async def test_a_message_that_kills_its_worker_gets_an_apology_and_a_person(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        await house.say("gif")
        await house.say("gewoon")
        await _dies(house, clock, inbox.MAX_ATTEMPTS)
        await house.work()
        assert house.read()[1:] == [*_failed(house), house.wording.say("waiting_noted").text]

    async def test_where_bringing_a_person_kills_it_too_the_apology_stands_alone(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        await house.say("gif")
        await house.say("gewoon")
        await _dies(house, clock, inbox.MAX_ATTEMPTS + 1)
        await house.work()
        assert house.read()[1:] == [house.wording.say("apology").text, "1: gewoon"]

    async def test_the_engine_is_down(self, house: TestHouse) -> None:
        async def down(turn: Turn) -> Reply:
            raise EngineFault("ClientConnectorError", down=True)

        house.engine.think = down
        await house.say("paspoort")
        await house.work()
        assert house.read()[-1] == "uit de zoeker"

    async def test_the_engine_is_down_and_the_search_too(self, house: TestHouse) -> None:
        async def down(turn: Turn) -> Reply:
            raise EngineFault("ClientConnectorError", down=True)

        house.engine.think = house.fallback.think = down
        await house.say("paspoort")
        await house.work()
        assert house.read()[-2:] == _failed(house)

    async def test_a_text_that_can_not_be_filled_in_gets_an_apology_and_a_person(
        self, house: TestHouse
    ) -> None:
        async def unknown_fact(turn: Turn) -> Reply:
            return Reply((Outbound("Het kost {prijs_die_niemand_kent}."),))

        house.engine.think = unknown_fact
        await house.say("wat kost het")
        await house.work()
        assert house.read()[-2:] == _failed(house)
        assert await house.history() == [("bot", "waiting", "failed")]

    async def test_a_failed_turn_gets_an_apology_and_a_person_and_starts_fresh(
        self, house: TestHouse
    ) -> None:
        await house.say("een")

        async def broken(turn: Turn) -> Reply:
            raise EngineFault("turn_failed action_answer", down=False)

        await house.work()
        house.engine.think = broken
        await house.say("twee")
        await house.work()
        assert house.read()[-2:] == _failed(house)
        house.engine.think = echo
        await house.say("verder")
        await house.say("drie")
        await house.work()
        assert house.read()[-1] == "1: drie"

    @pytest.mark.parametrize(
        ("text", "phrase"),
        [
            ("stop", "stopped"),
            ("STOP!", "stopped"),
            ("opnieuw", "restarted"),
            ("Help?", "help"),
            ("menu", "help"),
        ],
    )
    async def test_words_that_always_work(self, house: TestHouse, text: str, phrase: str) -> None:
        await house.say(text)
        await house.work()
        assert house.read()[-1] == house.wording.say(phrase).text
        assert house.engine.turns == []

    async def test_a_choice_is_said_in_its_own_words(self, house: TestHouse) -> None:
        async def offer(turn: Turn) -> Reply:
            from bot.model import Choice

            return Reply((Outbound("Bedoelt u?", (Choice("article:pasfoto", "Pasfoto"),)),))

        house.engine.think = offer
        await house.say("foto")
        await house.say(choice="article:pasfoto")
        await house.say(choice="article:nooit-aangeboden")
        await house.work()
        said = [row.text for row in await house.transcript() if row.author == "resident"]
        assert said[:2] == ["foto", "Pasfoto"]
        assert [turn.choice for turn in house.engine.turns] == [None, "article:pasfoto"]
        assert house.read()[-1] == house.wording.say("unknown_choice").text

    async def test_a_sticker_gets_an_honest_answer(self, house: TestHouse) -> None:
        await house.say(kind=Kind.STICKER)
        await house.work()
        assert house.read()[-1] == house.wording.say("kind_sticker").text

    async def test_start_is_the_welcome_once(self, house: TestHouse) -> None:
        await house.say(kind=Kind.START)
        await house.work()
        assert house.read() == [house.wording.say("welcome").text]

    async def test_an_edit_changes_the_transcript_and_nothing_else(self, house: TestHouse) -> None:
        await house.say("paspoord", ref="7")
        await house.work()
        before = house.read()
        await house.say("paspoort", kind=Kind.EDIT, ref="7")
        await house.work()
        first = (await house.transcript())[0]
        assert (first.text, first.edited_at is not None) == ("paspoort", True)
        assert house.read() == before


class TestOwnership:
    async def test_a_person_is_asked_for_and_the_bot_is_silent(self, house: TestHouse) -> None:
        await house.say("mens over mijn tuin")
        await house.work()
        assert await house.owner() is Owner.WAITING
        assert house.read()[-1] == house.wording.say("handoff_open", place=1).text
        before = house.read()
        for text in ("hoe vraag ik een paspoort aan", "hallo??", "help"):
            await house.say(text)
            await house.work()
        noted = house.wording.say("waiting_noted").text
        assert house.read() == [*before, noted]
        assert len(house.engine.turns) == 1
        assert [row.text for row in await house.transcript()][-4:] == [
            "hoe vraag ik een paspoort aan",
            noted,
            "hallo??",
            "help",
        ]

    async def test_the_place_in_the_queue(self, house: TestHouse, clock: SetClock) -> None:
        for number in range(3):
            await house.say("mens over mijn tuin", address=f"r{number}")
            await house.work()
            clock.forward(seconds=1)
        assert house.read("r2")[-1] == house.wording.say("handoff_open", place=3).text

    async def test_outside_opening_hours_it_says_when(self, house: TestHouse, clock: SetClock) -> None:
        clock.forward(days=4, hours=12)  # Friday evening
        await house.say("mens over mijn tuin")
        await house.work()
        assert "maandag om" in house.read()[-1]
        assert await house.owner() is Owner.WAITING

    @pytest.mark.parametrize("way", [{"text": "verder"}, {"choice": "bot"}, {"text": "stop"}])
    async def test_the_resident_goes_on_with_the_bot(self, house: TestHouse, way: dict[str, str]) -> None:
        await house.say("hallo")
        await house.say("mens over mijn tuin")
        await house.work()
        await house.say(**way)
        await house.say("paspoort")
        await house.work()
        assert await house.owner() is Owner.BOT
        assert house.read()[-1] == "1: paspoort"  # fresh memory: no stale form resumes
        assert [(before, after) for before, after, _ in await house.history()] == [
            ("bot", "waiting"),
            ("waiting", "bot"),
        ]

    async def test_while_waiting_a_callback_can_be_asked(self, house: TestHouse) -> None:
        await house.say("mens over mijn tuin")
        await house.work()

        async def form(turn: Turn) -> Reply:
            args = {"phone": "+31 6 12345678", "when": "ochtend", "topic": "paspoort"}
            return Reply((), (Command("callback", args),), {"done": True})

        house.engine.think = form
        await house.say(choice="callback")
        await house.work()
        assert await house.owner() is Owner.BOT
        assert await _count(house.database, callback_requests) == 1
        await house.say("dank")
        await house.work()
        assert house.engine.turns[-1].memory == {"done": True}

    async def test_an_agent_takes_over_while_the_bot_thinks(self, house: TestHouse, clock: SetClock) -> None:
        await house.say("mens over mijn tuin")
        await house.work()
        await house.say("verder")
        (lease,) = await house.inbox.claim(1, ["kept"])
        async with house.database.write() as connection:
            await conversation.change_owner(
                connection,
                lease.conversation_id,
                Owner.WAITING,
                Owner.AGENT,
                reason="taken",
                actor="agent",
                now=clock(),
            )
        with pytest.raises(LeaseLost):
            await house.turns.run(lease)
        await house.inbox.give_back(lease)
        before = house.read()
        await house.work()
        assert house.read() == before
        assert (await house.transcript())[-1].text == "verder"

    async def test_only_the_table_changes_owners(self, house: TestHouse, clock: SetClock) -> None:
        await house.say("hallo")
        await house.work()
        key = (await house.transcript())[0].conversation_id
        for before in Owner:
            for after in Owner:
                if after in conversation.ALLOWED[before]:
                    continue
                with pytest.raises(conversation.NotAllowed):
                    async with house.database.write() as connection:
                        await conversation.change_owner(
                            connection, key, before, after, reason="", actor="", now=clock()
                        )
        assert await house.history() == []

    async def test_who_writes_after_the_end_is_answered(self, house: TestHouse, clock: SetClock) -> None:
        await house.say("hallo")
        await house.work()
        key = (await house.transcript())[0].conversation_id
        async with house.database.write() as connection:
            await conversation.change_owner(
                connection, key, Owner.BOT, Owner.CLOSED, reason="done", actor="agent", now=clock()
            )
        await house.say("nog iets")
        await house.work()
        assert await house.owner() is Owner.BOT
        assert house.read()[-1] == "1: nog iets"


class TestOutbox:
    async def test_a_retry_keeps_the_order(self, house: TestHouse, clock: SetClock) -> None:
        house.channel.fault = SendFault("HTTP 500", retryable=True)
        await house.say("een")
        await house.say("twee")
        await house.work()
        assert house.read() == []
        house.channel.fault = None
        clock.forward(seconds=2)
        await house.work()
        assert house.read()[1:] == ["1: een", "2: twee"]

    async def test_the_vendor_says_when_to_come_back(self, house: TestHouse, clock: SetClock) -> None:
        house.channel.fault = SendFault("HTTP 429", retryable=True, retry_after=60)
        await house.say("een")
        await house.work()
        house.channel.fault = None
        clock.forward(seconds=59)
        await house.work()
        assert house.read() == []
        clock.forward(seconds=2)
        await house.work()
        assert len(house.read()) == 2

    async def test_what_can_not_be_delivered_is_given_up_and_replayed(self, house: TestHouse) -> None:
        house.channel.fault = SendFault("blocked", retryable=False)
        await house.say("een")
        await house.work()
        rows = await house.outbox.failed()
        assert [(row.error, row.attempts) for row in rows] == [("blocked", 1)] * 2
        house.channel.fault = None
        assert await house.outbox.replay([row.seq for row in rows]) == 2
        await house.work()
        assert house.read()[-1] == "1: een"

    async def test_it_stops_at_some_point(self, house: TestHouse, clock: SetClock) -> None:
        house.channel.fault = SendFault("HTTP 500", retryable=True)
        await house.say("een")
        for _ in range(outbox.MAX_ATTEMPTS):
            await house.work()
            clock.forward(minutes=10)
        assert len(await house.outbox.failed()) == 1

    async def test_a_dead_sender_is_followed_up(self, house: TestHouse, clock: SetClock) -> None:
        await house.say("een")
        for lease in await house.inbox.claim(1, ["kept"]):
            await house.turns.run(lease)
        assert len(await house.outbox.claim(10)) == 1
        assert await house.outbox.claim(10) == []
        clock.forward(seconds=outbox.LEASE.total_seconds() + 1)
        await house.work()
        assert house.read()[-1] == "1: een"

    async def test_a_state_only_moves_forward(self, house: TestHouse) -> None:
        await house.say("een")
        await house.work()

        async def state() -> str:
            query = sa.select(outbox_table.c.state).where(outbox_table.c.external_id == "sent-1")
            async with house.database.read() as connection:
                return str(await connection.scalar(query))

        seen = []
        for said in (Delivery.READ, Delivery.DELIVERED, Delivery.SENT, Delivery.FAILED):
            await house.outbox.receipts([Receipt("kept", "sent-1", said)])
            seen.append(await state())
        assert seen == ["read", "read", "read", "failed"]
        await house.outbox.receipts([Receipt("kept", "never-sent", Delivery.READ)])

    def test_waits_double_with_jitter_and_have_an_end(self, house: TestHouse) -> None:
        waits = [house.outbox.backoff(attempt) for attempt in range(1, 20)]
        assert 0.4 <= waits[0] <= 0.6
        assert max(waits) <= 360
        assert house.outbox.backoff(1, retry_after=30) >= 30


class TestPrivacy:
    async def test_forgetting_leaves_nothing_but_the_fact(self, house: TestHouse, clock: SetClock) -> None:
        await house.say("mijn geheim")
        await house.say("mens over mijn tuin", address="r2")
        await house.work()
        assert await Privacy(house.database, clock).forget("kept", "r1", actor="engineer")
        assert not await Privacy(house.database, clock).forget("kept", "r1", actor="engineer")
        assert {row.text for row in await house.transcript()}.isdisjoint({"mijn geheim"})
        async with house.database.read() as connection:
            for table in (inbox_table, outbox_table, messages):
                query = sa.select(sa.func.count(sa.distinct(table.c.conversation_id)))
                assert await connection.scalar(query) == 1
            assert (await connection.scalar(sa.select(audit.c.action))) == "forget"

    async def test_old_conversations_go_and_waiting_ones_stay(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        await house.say("oud")
        await house.say("mens over mijn tuin", address="wacht")
        await house.work()
        clock.forward(days=29)
        await house.say("nieuw", address="vers")
        await house.work()
        assert await Privacy(house.database, clock).purge(28) == 1
        async with house.database.read() as connection:
            left = (await connection.execute(sa.select(conversations.c.address))).scalars().all()
        assert sorted(left) == ["vers", "wacht"]


def test_a_lease_outlives_a_turn() -> None:
    from bot.engine import TIMEOUT

    assert timedelta(seconds=2 * TIMEOUT) < inbox.LEASE
    assert timedelta(seconds=outbox.SEND_TIMEOUT) < outbox.LEASE
