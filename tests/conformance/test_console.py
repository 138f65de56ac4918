"""What the console reads: the board, a conversation, the shift, and signs of life. On both stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from bot import queue
from bot.board import QUEUE, Boards
from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import handoffs, media, messages, outbox
from bot.desk import DeskError, NotYours, Outcome
from bot.model import Author, Delivery, Kind, Media, Owner, Place, Template
from bot.ports import SendFault
from bot.shift import Shifts
from bot.signs import Signs
from bot.thread import PAGE, Threads
from bot.window import TemplateError
from tests.conformance.test_desk import ELS, JAN, here, waits
from tests.conftest import SetClock
from tests.house import LIMITS, PASSPORT, TestHouse, article

KEY = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def house(database: Database, clock: SetClock) -> TestHouse:
    return TestHouse(database, MemoryBus(), clock)


def boards(house: TestHouse) -> Boards:
    return Boards(house.database, house.municipality, article, house.clock)


def threads(house: TestHouse) -> Threads:
    return Threads(house.database, {"kept": house.channel}, house.clock)


class TestBoard:
    async def test_who_waits_for_ones_teams_and_what_one_has(self, house: TestHouse, clock: SetClock) -> None:
        passport = await waits(house, "r1", topic=PASSPORT.slug)
        clock.forward(minutes=1)
        trouble = await waits(house, "r2", reason="distress")
        clock.forward(minutes=1)
        other = await waits(house, "r3")
        await here(house, ELS)
        line = await boards(house).line(ELS.teams)
        assert [card.conversation_id for card in line.cards] == [trouble, passport, other]
        assert [card.distress for card in line.cards] == [True, False, False]
        assert line.cards[1].topic == "Paspoort aanvragen"
        assert line.cards[1].team == "Burgerzaken"
        assert line.cards[1].excerpt == "ik wil iemand spreken over mijn zaak"
        of_jan = await boards(house).line(("kcc",))
        assert [card.conversation_id for card in of_jan.cards] == [trouble, other]
        await house.desk.take(other, ELS)
        own = await boards(house).own("els")
        assert own.presence == queue.AVAILABLE
        assert [card.conversation_id for card in own.cards] == [other]
        assert own.cards[0].unanswered == 0
        clock.forward(seconds=1)
        await house.say("hallo?", "r3")
        await house.say(address="r3", kind=Kind.IMAGE, media=Media("f"))
        await house.work()
        [card] = (await boards(house).own("els")).cards
        assert (card.unanswered, card.excerpt) == (2, "hallo?")
        await house.desk.send(other, ELS, "Dag")
        [card] = (await boards(house).own("els")).cards
        assert card.unanswered == 0

    async def test_nobody(self, house: TestHouse) -> None:
        own, line = await boards(house).own("els"), await boards(house).line(())
        assert (line.cards, line.count, own.cards, own.presence) == ((), 0, (), queue.AWAY)

    async def test_the_rows_change_with_it(self, house: TestHouse, clock: SetClock) -> None:
        read = boards(house)
        rows = [await read.rows()]
        key = await waits(house)
        rows.append(await read.rows())
        clock.forward(seconds=1)
        await house.say("nog iets", "r1")
        await house.work()
        rows.append(await read.rows())
        await here(house, JAN)
        await house.desk.take(key, JAN)
        rows.append(await read.rows())
        await house.desk.close(key, JAN, Outcome.HANDLED)
        rows.append(await read.rows())
        assert all(one != other for one, other in pairwise(rows))
        assert rows[0] == rows[-1] == {}
        other = await waits(house, "r2")
        third = await waits(house, "r3")
        assert [row.conversation_id for row in (await read.rows([other])).values()] == [other]
        assert len(await read.rows([other, third, key])) == 2
        assert await read.presences() == {"jan": queue.AVAILABLE}

    async def test_of_a_long_queue_the_first_are_shown(self, house: TestHouse, clock: SetClock) -> None:
        keys = []
        for number in range(QUEUE + 2):
            clock.forward(seconds=1)
            keys.append(await waits(house, f"r{number}"))
        line = await boards(house).line(ELS.teams)
        assert [card.conversation_id for card in line.cards] == keys[:QUEUE]
        assert line.count == QUEUE + 2

    async def test_search(self, house: TestHouse) -> None:
        key = await waits(house, topic=PASSPORT.slug)
        await house.say("mijn nummer is 100%_zeker", "r1")
        await house.say("zeker met de bot", "r2")
        await house.work()
        read = boards(house)
        assert [hit.conversation_id for hit in await read.find("  ZEKER ")] == [key]
        assert (await read.find("100%_"))[0].topic == "Paspoort aanvragen"
        assert await read.find("100_") == []
        assert await read.find("ze") == []


class TestThread:
    async def test_who_wrote_what_and_how_far_it_got(self, house: TestHouse, clock: SetClock) -> None:
        key = await waits(house)
        await here(house, ELS, JAN)
        await house.desk.take(key, ELS)
        clock.forward(seconds=1)
        await house.desk.send(key, ELS, "ik ben Els")
        clock.forward(seconds=1)
        await house.desk.hand_over(key, ELS, "zo", to="jan")
        clock.forward(seconds=1)
        await house.desk.send(key, JAN, "ik ben Jan")
        await house.work()
        house.channel.fault = SendFault("refused", retryable=False)
        await house.desk.send(key, JAN, "dit niet")
        await house.work()
        thread = await threads(house).of(key)
        assert thread is not None
        said = [(line.who, line.text, line.delivery) for line in thread.lines if line.author is Author.AGENT]
        assert said == [
            ("Els", "ik ben Els", Delivery.SENT),
            ("Jan", "ik ben Jan", Delivery.SENT),
            ("Jan", "dit niet", Delivery.FAILED),
        ]
        assert thread.lines[0].delivery is None, "the resident's own"
        assert (thread.agent, thread.agent_name, thread.owner) == ("jan", "Jan", Owner.AGENT)

    async def test_what_a_message_can_have(self, house: TestHouse) -> None:
        await waits(house)
        await house.say("oeps", ref="a")
        await house.say(kind=Kind.LOCATION, place=Place(52.1, 5.1, "Kerkplein"))
        await house.say(kind=Kind.IMAGE, media=Media("f", "image/png", "foto.png", 3))
        await house.work()
        await house.say("dank", kind=Kind.EDIT, ref="a")
        await house.say("👍", kind=Kind.REACTION, ref="a")
        await house.work()
        thread = await threads(house).of(await house.key())
        assert thread is not None
        residents = [line for line in thread.lines if line.author is Author.RESIDENT]
        assert (residents[1].text, residents[1].reaction) == ("dank", "👍")
        assert residents[1].edited_at is not None
        assert residents[2].place == Place(52.1, 5.1, "Kerkplein")
        assert [(file.name, file.state) for file in residents[3].files] == [("foto.png", "pending")]

    async def test_pages_meet_without_a_gap(self, house: TestHouse, clock: SetClock) -> None:
        key = await waits(house)
        lines = [
            {
                "id": f"l{number}",
                "conversation_id": key,
                "author": Author.RESIDENT,
                "kind": Kind.TEXT,
                "text": str(number),
                "choices": [],
                "links": [],
                "at": clock(),
            }
            for number in range(2 * PAGE)
        ]
        async with house.database.write() as connection:
            await connection.execute(sa.insert(messages), lines)
        read, seen, before = threads(house), [], None
        for _ in range(9):
            thread = await read.of(key, before=before)
            assert thread is not None
            seen = [line.seq for line in thread.lines] + seen
            before = thread.before
            if before is None:
                break
        assert seen == [row.seq for row in await house.transcript()]

    async def test_with_the_bot_alone_it_cannot_be_read(self, house: TestHouse) -> None:
        await house.say("hallo")
        await house.work()
        assert await threads(house).of(await house.key()) is None
        assert await threads(house).of("nobody") is None

    async def test_the_mark_changes_with_what_no_wake_tells_of(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        house.channel.limits = replace(LIMITS, window_hours=24)
        key = await waits(house)
        await here(house, ELS)
        read = threads(house)
        marks = [await read.marks([key])]
        await house.desk.take(key, ELS)
        marks.append(await read.marks([key]))
        await house.work()
        marks.append(await read.marks([key]))
        await house.desk.note(key, ELS, "notitie")
        marks.append(await read.marks([key]))
        async with house.database.write() as connection:
            await connection.execute(sa.update(outbox).values(state=Delivery.READ))
        marks.append(await read.marks([key]))
        await house.say(kind=Kind.IMAGE, media=Media("f", "image/png", "foto.png", 3))
        await house.work()
        marks.append(await read.marks([key]))
        async with house.database.write() as connection:
            await connection.execute(sa.update(media).values(state="stored"))
        marks.append(await read.marks([key]))
        clock.forward(hours=25)
        marks.append(await read.marks([key]))
        await house.desk.close(key, ELS, Outcome.HANDLED)
        marks.append(await read.marks([key]))
        assert all(one != other for one, other in pairwise(marks))
        other = await waits(house, "r2")
        assert set(await read.marks([key, other, "nobody"])) == {key, other}
        assert await read.marks([]) == {}


class TestSaying:
    async def test_with_a_key_it_is_said_once(self, house: TestHouse) -> None:
        key, other = await waits(house), await waits(house, "r2")
        await here(house, ELS)
        for one in (key, other):
            await house.desk.take(one, ELS)
        for _ in range(3):
            assert await house.desk.send(key, ELS, "een keer", key=KEY) == KEY
        await house.work()
        assert house.read().count("een keer") == 1
        with pytest.raises(DeskError):
            await house.desk.send(other, ELS, "een keer", key=KEY)

    async def test_a_template_is_the_agents_own(self, house: TestHouse, clock: SetClock) -> None:
        house.channel.limits = replace(LIMITS, window_hours=24)
        house.channel.templates["klaar"] = Template(
            "klaar", "nl", "utility", "Uw {ding} is klaar.", ("ding",)
        )
        key = await waits(house)
        await here(house, ELS)
        with pytest.raises(NotYours):
            await house.desk.template(key, ELS, "klaar", {"ding": "pas"})
        await house.desk.take(key, ELS)
        clock.forward(hours=30)
        for name, values in (("geen", {}), ("klaar", {}), ("klaar", {"ding": " "})):
            with pytest.raises(TemplateError):
                await house.desk.template(key, ELS, name, values)
        for _ in range(2):
            await house.desk.template(key, ELS, "klaar", {"ding": "pas"}, KEY)
        await house.work()
        assert house.read().count("Uw pas is klaar.") == 1
        assert (await house.transcript())[-1].author == Author.AGENT

    async def test_where_the_words_are_from(self, house: TestHouse) -> None:
        key = await waits(house)
        await here(house, ELS)
        await house.desk.take(key, ELS)
        await house.desk.send(key, ELS, "Kom langs.", source=(PASSPORT.slug, 1))
        line = (await house.transcript())[-1]
        assert (line.article, line.revision) == (PASSPORT.slug, 1)


class TestSigns:
    async def test_only_who_has_it_types(self, house: TestHouse) -> None:
        key = await waits(house)
        await house.say("nog iets")
        await house.work()
        signs = Signs(house.database, house.bus, {"kept": house.channel})
        await signs.typing(key, "els")
        assert house.channel.acknowledged == []
        await here(house, ELS)
        await house.desk.take(key, ELS)
        await signs.typing(key, "jan")
        await signs.typing("nobody", "els")
        assert house.channel.acknowledged == []
        await signs.typing(key, "els")
        assert house.channel.acknowledged == [("m2", True)]
        await signs.typing(key, "els")
        assert house.channel.acknowledged == [("m2", True)], "the sign still stays"
        await house.desk.send(key, ELS, "Dag")
        await signs.typing(key, "els")
        assert house.channel.acknowledged == [("m2", True)] * 2, "what was said took it away"


class TestShift:
    async def test_who_is_on_and_how_it_goes(self, house: TestHouse, clock: SetClock) -> None:
        key = await waits(house, topic=PASSPORT.slug)
        await here(house, ELS)
        await house.desk.seen(JAN, queue.BREAK)
        shifts = Shifts(house.database, house.municipality, clock)
        clock.forward(seconds=30)
        await waits(house, "r2", topic=PASSPORT.slug)
        shift = await shifts.now()
        assert [(one.name, one.state, one.busy, one.most) for one in shift.agents] == [
            ("Els", queue.AVAILABLE, 0, 2),
            ("Jan", queue.BREAK, 0, 3),
        ]
        lines = {line.team: line for line in shift.lines}
        assert (lines["Burgerzaken"].waiting, lines["het KCC"].waiting) == (2, 0)
        assert lines["Burgerzaken"].longest == clock() - timedelta(seconds=30)
        assert (shift.marks, shift.average) == ((), None)
        await house.desk.take(key, ELS)
        await house.desk.close(key, ELS, Outcome.HANDLED)
        async with house.database.write() as connection:
            mine = handoffs.c.conversation_id == key
            await connection.execute(sa.update(handoffs).where(mine).values(mark=9, remark="fijn"))
        shift = await shifts.now()
        assert (shift.marks, shift.average) == ((9,), 9.0)
        assert [one[:2] for one in shift.remarks] == [(9, "fijn")]
        lines = {line.team: line for line in shift.lines}
        assert (lines["Burgerzaken"].waiting, lines["Burgerzaken"].ended) == (1, 1)
        clock.forward(days=1)
        shift = await shifts.now()
        assert (shift.agents, shift.marks) == ((), ())
