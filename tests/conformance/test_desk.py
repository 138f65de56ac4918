"""The desk: agents take, answer, hand over and end conversations; residents wait, hear how long, and give a mark. On
both stores."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest

from bot import queue
from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import handoffs, notes, presences
from bot.db.tables import outbox as outbox_table
from bot.desk import Agent, DeskError, Full, NotWaiting, NotYours, Outcome, TakenBy
from bot.inbox import LEASE
from bot.model import Author, Command, Delivery, Outbound, Owner, Reply, Turn
from bot.turn import LeaseLost
from bot.window import WindowClosed
from tests.conftest import SetClock
from tests.house import LIMITS, TestHouse, echo

ELS = Agent("els", "Els", ("kcc", "burgerzaken"), 2)
JAN = Agent("jan", "Jan", ("kcc",), 3)


@pytest.fixture
def house(database: Database, clock: SetClock) -> TestHouse:
    return TestHouse(database, MemoryBus(), clock)


async def waits(
    house: TestHouse, address: str = "r1", *, reason: str = "asked", topic: str | None = None
) -> str:
    """A resident who waits for a person; the conversation."""

    async def hand_over(turn: Turn) -> Reply:
        return Reply((), (Command("handoff", {"reason": reason, "topic": topic}),))

    house.engine.think = hand_over
    await house.say("ik wil iemand spreken over mijn zaak", address)
    await house.work()
    house.engine.think = echo
    return await house.key(address)


async def here(house: TestHouse, *agents: Agent) -> None:
    for agent in agents:
        await house.desk.seen(agent, queue.AVAILABLE)


async def row(house: TestHouse) -> Any:
    return (await house.rows(handoffs, "queued_at", "id"))[-1]


class TestTaking:
    async def test_the_resident_hears_who_it_is_and_the_bot_is_silent(self, house: TestHouse) -> None:
        key = await waits(house)
        await here(house, ELS)
        await house.desk.take(key, ELS)
        await house.work()
        assert house.read()[-1] == house.wording.say("agent_joined", agent="Els").text
        assert await house.owner() is Owner.AGENT
        before = len(house.read())
        await house.say("mijn nummer is 12")
        await house.work()
        assert len(house.read()) == before
        await house.desk.send(key, ELS, "Ik kijk het voor u na.")
        await house.work()
        assert house.read()[-1] == "Ik kijk het voor u na."
        assert [line.author for line in await house.transcript()][-3:] == [
            Author.SYSTEM,
            Author.RESIDENT,
            Author.AGENT,
        ]

    async def test_of_many_agents_exactly_one_gets_it(self, house: TestHouse) -> None:
        key = await waits(house)
        agents = [Agent(f"a{number}", f"Agent {number}", ("kcc",), 3) for number in range(12)]
        await here(house, *agents)
        done = await asyncio.gather(
            *(house.desk.take(key, agent) for agent in agents), return_exceptions=True
        )
        winners = [agent for agent, result in zip(agents, done, strict=True) if result is None]
        assert len(winners) == 1
        assert {str(result) for result in done if result} == {f"{winners[0].name} heeft dit gesprek al."}
        assert all(isinstance(result, TakenBy) for result in done if result is not None)

    async def test_who_has_it_already_has_it(self, house: TestHouse) -> None:
        """The answer to the first try got lost, and the page tries again."""
        key = await waits(house)
        await here(house, ELS)
        for _ in range(2):
            await house.desk.take(key, ELS)
        await house.work()
        assert house.read().count(house.wording.say("agent_joined", agent="Els").text) == 1

    async def test_no_more_than_one_can_have(self, house: TestHouse) -> None:
        keys = [await waits(house, f"r{number}") for number in range(3)]
        await here(house, ELS)
        for key in keys[:2]:
            await house.desk.take(key, ELS)
        with pytest.raises(Full):
            await house.desk.take(keys[2], ELS)
        await house.desk.close(keys[0], ELS, Outcome.HANDLED)
        await house.desk.take(keys[2], ELS)

    async def test_who_is_with_the_bot_is_not_taken(self, house: TestHouse) -> None:
        await house.say("hallo")
        await house.work()
        with pytest.raises(NotWaiting):
            await house.desk.take(await house.key(), ELS)
        with pytest.raises(NotWaiting):
            await house.desk.take("nobody", ELS)

    async def test_next_is_who_waits_longest_of_ones_teams_and_trouble_goes_first(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        passport = await waits(house, "r1", topic="paspoort-aanvragen")
        clock.forward(minutes=1)
        other = await waits(house, "r2")
        clock.forward(minutes=1)
        trouble = await waits(house, "r3", reason="distress")
        await here(house, ELS, JAN)
        assert await house.desk.next(JAN) == trouble
        assert await house.desk.next(JAN) == other
        assert await house.desk.next(JAN) is None
        assert await house.desk.next(ELS) == passport

    async def test_messages_that_race_the_take_over(self, house: TestHouse, clock: SetClock) -> None:
        """However they fall, the bot says nothing after the agent has it."""
        chance = random.Random(5)
        await here(house, replace(ELS, most=1000))
        agent = replace(ELS, most=1000)
        for number in range(60):
            address = f"race{number}"
            key = await waits(house, address)
            await house.say("verder met klaartje" if number % 2 else "hallo?", address)
            leases = await house.inbox.claim(1, ["kept"])
            turn = [house.turns.run(lease) for lease in leases]
            moves = [house.desk.take(key, agent), *turn]
            chance.shuffle(moves)
            done = await asyncio.gather(*moves, return_exceptions=True)
            assert all(result is None or isinstance(result, LeaseLost | NotWaiting) for result in done), done
            for lease in leases:
                await house.inbox.give_back(lease)
            clock.forward(seconds=LEASE.total_seconds() + 1)
            await house.work()
            lines = [line for line in await house.transcript() if line.conversation_id == key]
            joined = [at for at, line in enumerate(lines) if line.author == Author.SYSTEM]
            if joined:
                assert await house.owner(address) is Owner.AGENT
                assert all(line.author != Author.BOT for line in lines[joined[0] :])
            else:
                assert await house.owner(address) is Owner.BOT


class TestWaiting:
    async def test_place_and_wait_are_told(self, house: TestHouse, clock: SetClock) -> None:
        await here(house, JAN)
        for number in range(5):
            await waits(house, f"r{number}")
            clock.forward(seconds=1)
        assert "**1 minuut**" in house.read("r0")[-1]
        # Three at the same time; nobody knows yet how long one takes: six minutes.
        assert "nummer 5 in de rij" in house.read("r4")[-1]
        assert "**4 minuten**" in house.read("r4")[-1]

    async def test_the_guess_is_made_of_what_conversations_took(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        one = replace(JAN, most=1)
        await here(house, one)
        for number in range(3):
            key = await waits(house, f"done{number}")
            await house.desk.take(key, one)
            clock.forward(minutes=20)
            await house.desk.close(key, one, Outcome.HANDLED)
        await here(house, one)
        await waits(house, "r1")
        clock.forward(seconds=1)
        await waits(house, "r2")
        assert "**20 minuten**" in house.read("r2")[-1]

    async def test_without_anybody_there_is_no_guess(self, house: TestHouse) -> None:
        await waits(house)
        assert house.read()[-1] == house.wording.say("handoff_open", place=1).text

    async def test_a_change_is_told_when_it_is_large_and_not_too_often(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        one = replace(JAN, most=1)
        await here(house, one)
        for number in range(4):
            await waits(house, f"r{number}")
            clock.forward(seconds=1)
        before = len(house.read("r3"))
        assert await house.tending.inform() == 0
        clock.forward(minutes=15)
        await house.desk.seen(one)
        await house.desk.seen(replace(JAN, id="piet", most=1), queue.AVAILABLE)
        assert await house.tending.inform() > 0
        assert await house.tending.inform() == 0
        await house.work()
        assert len(house.read("r3")) == before + 1
        assert "Het duurt nog ongeveer" in house.read("r3")[-1]

    async def test_who_asks_for_a_person_is_about_what_was_answered_last(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        async def answer(turn: Turn) -> Reply:
            return Reply((Outbound("Kom langs.", article="paspoort-aanvragen", revision=1),))

        house.engine.think = answer
        await house.say("paspoort")
        await house.say("medewerker")
        await house.work()
        found = await row(house)
        assert (found.topic, found.team, found.priority) == ("paspoort-aanvragen", "burgerzaken", 0)
        await house.say("paspoort", "later")
        await house.work()
        clock.forward(hours=2)
        await house.say("medewerker", "later")
        await house.say(choice="human:skip", address="later")
        await house.work()
        assert (await row(house)).topic is None

    async def test_who_was_in_danger_goes_first(self, house: TestHouse, clock: SetClock) -> None:
        async def answer(turn: Turn) -> Reply:
            return Reply((Outbound("Bel 112.", article="noodgeval", revision=1),))

        await waits(house, "r1")
        clock.forward(minutes=5)
        house.engine.think = answer
        await house.say("het brandt", "r2")
        await house.say("medewerker", "r2")
        await house.work()
        await here(house, JAN)
        assert await house.desk.next(JAN) == await house.key("r2")

    async def test_so_does_who_is_handed_over_with_that_article(self, house: TestHouse) -> None:
        await waits(house, reason="policy", topic="noodgeval")
        assert (await row(house)).priority > 0

    async def test_the_first_message_is_acknowledged_and_no_other(self, house: TestHouse) -> None:
        await waits(house)
        for text in ("en nog iets", "en dit"):
            await house.say(text)
            await house.work()
        noted = house.wording.say("waiting_noted").text
        assert house.read().count(noted) == 1
        assert house.engine.turns[-1].text == "ik wil iemand spreken over mijn zaak"

    async def test_who_goes_on_with_the_bot_leaves_the_queue(self, house: TestHouse) -> None:
        await waits(house)
        await house.say("verder met klaartje")
        await house.work()
        assert (await row(house)).state == queue.ENDED
        await waits(house)
        assert len(await house.rows(handoffs)) == 2

    async def test_after_ten_minutes_another_team_helps_out(self, house: TestHouse, clock: SetClock) -> None:
        key = await waits(house, topic="paspoort-aanvragen")
        assert (await row(house)).team == "burgerzaken"
        clock.forward(minutes=9)
        assert await house.tending.overflow() == 0
        clock.forward(minutes=2)
        assert await house.tending.overflow() == 1
        await here(house, JAN)
        assert await house.desk.next(JAN) == key

    async def test_at_night_it_is_in_the_queue_for_the_morning(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        clock.forward(hours=10)
        key = await waits(house)
        assert "morgen om 8.30 uur" in house.read()[-1]
        clock.forward(hours=13)
        await here(house, JAN)
        assert await house.desk.next(JAN) == key


class TestGone:
    async def test_an_agent_who_is_gone_loses_it_to_its_old_place(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        key = await waits(house)
        clock.forward(minutes=1)
        await waits(house, "later")
        await here(house, ELS)
        await house.desk.take(key, ELS)
        clock.forward(minutes=4)
        assert await house.tending.reclaim() == 0
        clock.forward(minutes=2)
        assert await house.tending.reclaim() == 1
        assert await house.tending.reclaim() == 0
        await house.work()
        assert house.read()[-1] == house.wording.say("agent_gone").text
        assert await house.owner() is Owner.WAITING
        [note] = await house.rows(notes)
        assert note.author == "system"
        with pytest.raises(NotYours):
            await house.desk.send(key, ELS, "daar ben ik weer")
        await here(house, JAN)
        assert await house.desk.next(JAN) == key

    async def test_who_is_seen_keeps_it(self, house: TestHouse, clock: SetClock) -> None:
        key = await waits(house)
        await here(house, ELS)
        await house.desk.take(key, ELS)
        for _ in range(10):
            clock.forward(minutes=2)
            await house.desk.seen(ELS)
            assert await house.tending.reclaim() == 0
        assert [one.state for one in await house.rows(presences)] == [queue.AVAILABLE]


class TestHandingOver:
    async def test_to_a_team_it_goes_back_in_the_queue(self, house: TestHouse) -> None:
        key = await waits(house)
        await here(house, ELS, JAN)
        await house.desk.take(key, JAN)
        await house.desk.hand_over(key, JAN, "gaat over een paspoort", team="burgerzaken")
        await house.work()
        assert house.read()[-1] == house.wording.say("handed_over", team="Burgerzaken").text
        assert await house.desk.next(JAN) is None
        assert await house.desk.next(ELS) == key
        assert [note.text for note in await house.rows(notes)] == ["Overgedragen: gaat over een paspoort"]

    async def test_to_a_colleague_who_is_there(self, house: TestHouse) -> None:
        key = await waits(house)
        await here(house, ELS, JAN)
        await house.desk.take(key, ELS)
        await house.desk.hand_over(key, ELS, "jij weet dit", to="jan")
        await house.work()
        assert house.read()[-1] == house.wording.say("agent_joined", agent="Jan").text
        await house.desk.send(key, JAN, "Goedemiddag")
        with pytest.raises(NotYours, match="Jan heeft dit gesprek nu"):
            await house.desk.send(key, ELS, "nog iets")

    @pytest.mark.parametrize("way", [{}, {"team": "geen"}, {"to": "niemand"}, {"team": "kcc", "to": "jan"}])
    async def test_to_nobody_it_stays(self, house: TestHouse, way: dict[str, str]) -> None:
        key = await waits(house)
        await here(house, ELS)
        await house.desk.take(key, ELS)
        with pytest.raises(DeskError):
            await house.desk.hand_over(key, ELS, "zo", **way)
        await house.desk.send(key, ELS, "ik blijf bij u")

    async def test_a_colleague_who_is_full(self, house: TestHouse) -> None:
        key, other = await waits(house), await waits(house, "r2")
        jan = replace(JAN, most=1)
        await here(house, ELS, jan)
        await house.desk.take(other, jan)
        await house.desk.take(key, ELS)
        with pytest.raises(Full, match="Jan heeft al 1"):
            await house.desk.hand_over(key, ELS, "zo", to="jan")


class TestEnding:
    @pytest.mark.parametrize(("way", "owner"), [("give_back", Owner.BOT), ("close", Owner.CLOSED)])
    async def test_the_resident_is_told_and_asked_for_a_mark(
        self, house: TestHouse, way: str, owner: Owner
    ) -> None:
        key = await waits(house)
        await here(house, ELS)
        await house.desk.take(key, ELS)
        await getattr(house.desk, way)(key, ELS, Outcome.HANDLED)
        await house.work()
        phrase = "returned" if way == "give_back" else "closed"
        asked = house.wording.say("mark_request").text
        assert house.read()[-2:] == [house.wording.say(phrase, agent="Els").text, asked]
        assert await house.owner() is owner
        last = (await house.transcript())[-1]
        assert [choice["label"] for choice in last.choices] == [str(mark) for mark in range(1, 11)]
        await house.say(choice=last.choices[7]["id"])
        await house.say("Els was heel vriendelijk")
        await house.work()
        done = await row(house)
        assert (done.outcome, done.mark, done.remark) == ("handled", 8, "Els was heel vriendelijk")
        before = len(house.engine.turns)
        await house.say("hoe vraag ik een paspoort aan")
        await house.work()
        assert len(house.engine.turns) == before + 1
        assert await house.owner() is Owner.BOT

    @pytest.mark.parametrize(
        ("said", "mark"),
        [("8", 8), ("een 9!", 9), ("tien", 10), ("10/10", 10), ("0", None), ("11", None), ("8 uur", None)],
    )
    async def test_a_mark_that_is_typed(self, house: TestHouse, said: str, mark: int | None) -> None:
        key = await waits(house)
        await here(house, ELS)
        await house.desk.take(key, ELS)
        await house.desk.give_back(key, ELS, Outcome.HANDLED)
        await house.say(said)
        await house.work()
        assert (await row(house)).mark == mark

    async def test_a_question_is_no_remark(self, house: TestHouse) -> None:
        key = await waits(house)
        await here(house, ELS)
        await house.desk.take(key, ELS)
        await house.desk.give_back(key, ELS, Outcome.HANDLED)
        await house.say("7")
        await house.say("hoe laat gaat u open?")
        await house.work()
        done = await row(house)
        assert (done.mark, done.remark) == (7, None)
        assert house.engine.turns[-1].text == "hoe laat gaat u open?"
        await house.say("en een remark later")
        await house.work()
        assert (await row(house)).remark is None

    async def test_a_mark_of_somebody_else_counts_nowhere(self, house: TestHouse) -> None:
        key = await waits(house)
        await here(house, ELS)
        await house.desk.take(key, ELS)
        await house.desk.close(key, ELS, Outcome.HANDLED)
        done = await row(house)
        await house.say(choice=f"mark:1:{done.id}", address="stranger")
        await house.work()
        assert (await row(house)).mark is None

    async def test_an_old_button_says_nothing_while_a_person_has_it(self, house: TestHouse) -> None:
        key = await waits(house)
        await here(house, ELS)
        await house.desk.take(key, ELS)
        await house.desk.give_back(key, ELS, Outcome.HANDLED)
        first = (await row(house)).id
        await waits(house)
        await house.desk.take(key, ELS)
        await house.work()
        before = house.read()
        await house.say(choice=f"mark:9:{first}")
        await house.work()
        assert house.read() == before
        marks = {one.id: one.mark for one in await house.rows(handoffs)}
        assert marks[first] == 9

    async def test_not_ones_own(self, house: TestHouse) -> None:
        key = await waits(house)
        await here(house, ELS, JAN)
        for act in (house.desk.close, house.desk.give_back):
            with pytest.raises(NotYours):
                await act(key, JAN, Outcome.HANDLED)
        await house.desk.take(key, ELS)
        for act in (house.desk.close, house.desk.give_back):
            with pytest.raises(NotYours, match="Els heeft dit gesprek nu"):
                await act(key, JAN, Outcome.HANDLED)


class TestWindow:
    async def test_free_words_outside_the_window(self, house: TestHouse, clock: SetClock) -> None:
        house.channel.limits = replace(LIMITS, window_hours=24)
        key = await waits(house)
        await here(house, ELS)
        await house.desk.take(key, ELS)
        await house.work()
        clock.forward(hours=25)
        with pytest.raises(WindowClosed):
            await house.desk.send(key, ELS, "Uw paspoort ligt klaar.")
        await house.desk.send(key, ELS, "Uw paspoort ligt klaar.", hold=True)
        await house.work()
        assert (await house.rows(outbox_table, "seq"))[-1].state == Delivery.HELD
        await house.say("ja?")
        await house.work()
        assert house.read()[-1] == "Uw paspoort ligt klaar."

    async def test_notes_are_for_colleagues(self, house: TestHouse) -> None:
        key = await waits(house)
        before = house.read()
        await house.desk.note(key, ELS, "belde vorige week ook")
        await house.work()
        assert house.read() == before
        assert [note.text for note in await house.rows(notes)] == ["belde vorige week ook"]

    async def test_a_note_that_is_tried_again_is_one_note(self, house: TestHouse) -> None:
        """The answer to the first try got lost. Later, or by a colleague, the same words are a note of their own."""
        key = await waits(house)
        for agent, text in ((ELS, "belde"), (ELS, "belde"), (JAN, "belde"), (ELS, "komt"), (ELS, "belde")):
            await house.desk.note(key, agent, text)
        written = [(note.author, note.text) for note in await house.rows(notes, "seq")]
        assert written == [("els", "belde"), ("jan", "belde"), ("els", "komt"), ("els", "belde")]
