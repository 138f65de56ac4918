"""The window, held messages and templates; receipts; the pace; and what is counted. On both stores."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot import outbox, receipts
from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import early_receipts, media, messages
from bot.db.tables import outbox as outbox_table
from bot.model import Author, Choice, Delivery, Kind, Media, Outbound, Place, Receipt, Reply, Template
from bot.ports import Pace, SendFault
from bot.post import NoConversation
from bot.usage import Count, free_left
from bot.window import MARGIN, TemplateError, WindowClosed
from tests.conftest import SetClock
from tests.house import LIMITS, TestHouse

READY = Template("antwoord_klaar", "nl", "utility", "Er is antwoord over {onderwerp}.", ("onderwerp",))
OPENER = Template("schrijf_ons", "nl", "utility", "Er is antwoord. Stuur een bericht.", opens=True)


@pytest.fixture
def house(database: Database, clock: SetClock) -> TestHouse:
    made = TestHouse(database, MemoryBus(lambda: clock().timestamp()), clock)
    made.channel.limits = replace(LIMITS, window_hours=24, receipts=True, counted=True)
    return made


async def states(house: TestHouse) -> list[str]:
    return [row.state for row in await house.rows(outbox_table, "seq")]


async def talked(house: TestHouse) -> str:
    """A resident who wrote and was answered; the key of the conversation."""
    await house.say("hallo")
    await house.work()
    return await house.key()


class TestWindow:
    async def test_it_is_counted_from_when_the_resident_sent_it(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        await house.say("hallo", sent_at=clock() - timedelta(hours=23))
        await house.work()
        window = await house.post.window(await house.key())
        assert (window.is_open, window.until) == (True, clock() + timedelta(hours=1) - MARGIN)

    async def test_an_agent_is_told_before_sending_and_nothing_is_stored(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        house.channel.templates = {READY.name: READY}
        key = await talked(house)
        clock.forward(hours=24)
        assert not (await house.post.window(key)).is_open
        before = len(await house.transcript())
        with pytest.raises(WindowClosed) as told:
            await house.post.say(key, Outbound("Uw paspoort ligt klaar."))
        assert told.value.templates == ("antwoord_klaar",)
        assert len(await house.transcript()) == before

    async def test_within_it_free_words_go(self, house: TestHouse, clock: SetClock) -> None:
        key = await talked(house)
        clock.forward(hours=23)
        await house.post.say(key, Outbound("Uw paspoort ligt klaar."))
        await house.work()
        assert house.read()[-1] == "Uw paspoort ligt klaar."
        assert (await house.transcript())[-1].author == Author.AGENT

    async def test_what_is_held_goes_first_when_the_resident_writes(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        key = await talked(house)
        clock.forward(hours=25)
        await house.post.say(key, Outbound("Uw paspoort ligt klaar."), hold=True)
        await house.work()
        assert (await states(house))[-1] == Delivery.HELD
        await house.say("oh ja?")
        await house.work()
        assert house.read()[-2:] == ["Uw paspoort ligt klaar.", "2: oh ja?"]

    async def test_a_template_asks_once_to_write(self, house: TestHouse, clock: SetClock) -> None:
        house.channel.templates = {OPENER.name: OPENER, READY.name: READY}
        key = await talked(house)
        for _ in range(2):
            clock.forward(hours=25)
            for text in ("een", "twee"):
                await house.post.say(key, Outbound(text), hold=True)
            await house.work()
            assert house.read()[-1] == OPENER.text
            await house.say("ik luister")
            await house.work()
        assert house.read().count(OPENER.text) == 2
        assert [text for text in house.read() if text in ("een", "twee")] == ["een", "twee"] * 2

    async def test_an_answer_that_comes_too_late_is_held_not_lost(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        house.channel.templates = {OPENER.name: OPENER}
        house.channel.fault = SendFault("HTTP 500", retryable=True)
        await house.say("hallo")
        await house.work()
        house.channel.fault = None
        clock.forward(hours=25)
        await house.work()
        assert house.read() == [OPENER.text]
        assert (await states(house))[:2] == [Delivery.HELD, Delivery.HELD]
        await house.say("en?")
        await house.work()
        assert house.read()[1:] == [house.wording.say("welcome").text, "1: hallo", "2: en?"]

    async def test_the_vendor_knows_better(self, house: TestHouse) -> None:
        key = await talked(house)
        house.channel.fault = SendFault("131047: window closed", retryable=False, window=True)
        await house.post.say(key, Outbound("klaar"))
        await house.work()
        [row] = await house.outbox.kept(Delivery.HELD)
        assert row.error == "131047: window closed"
        house.channel.fault = None
        await house.say("ja?")
        await house.work()
        assert "klaar" in house.read()

    async def test_another_template_is_no_reason_not_to_ask(self, house: TestHouse, clock: SetClock) -> None:
        house.channel.templates = {OPENER.name: OPENER, READY.name: READY}
        key = await talked(house)
        clock.forward(days=2)
        await house.post.template(key, READY.name, {"onderwerp": "afval"})
        await house.post.say(key, Outbound("klaar"), hold=True)
        await house.work()
        assert house.read()[-1] == OPENER.text

    async def test_an_opener_that_never_arrived_is_sent_again(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        house.channel.templates = {OPENER.name: OPENER}
        key = await talked(house)
        clock.forward(days=2)
        house.channel.fault = SendFault("132001: not there", retryable=False)
        await house.post.say(key, Outbound("een"), hold=True)
        await house.work()
        house.channel.fault = None
        await house.post.say(key, Outbound("twee"), hold=True)
        await house.work()
        assert house.read()[-1] == OPENER.text

    async def test_what_is_held_by_a_receipt_asks_too(self, house: TestHouse) -> None:
        house.channel.templates = {OPENER.name: OPENER}
        await talked(house)
        told = Receipt("kept", "sent-2", Delivery.FAILED, "131047: window closed", window=True)
        await house.outbox.receipts([told, told])
        await house.work()
        assert house.read().count(OPENER.text) == 1

    async def test_who_writes_while_it_is_tried_gets_it_at_once(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        key = await talked(house)
        await house.post.say(key, Outbound("klaar"))
        [letter] = await house.outbox.claim(1)
        clock.forward(seconds=5)
        await house.say("ja?")
        for lease in await house.inbox.claim(1, ["kept"]):
            await house.turns.run(lease)
        house.channel.fault = SendFault("131047: window closed", retryable=False, window=True)
        await house.outbox.deliver(letter)
        house.channel.fault = None
        await house.work()
        assert house.read()[-2:] == ["klaar", "2: ja?"]

    async def test_a_held_one_does_not_stop_a_template(self, house: TestHouse, clock: SetClock) -> None:
        house.channel.templates = {READY.name: READY}
        key = await talked(house)
        clock.forward(days=3)
        await house.post.say(key, Outbound("klaar"), hold=True)
        await house.post.template(key, "antwoord_klaar", {"onderwerp": "uw\n paspoort"})
        await house.work()
        assert house.read()[-1] == "Er is antwoord over uw paspoort."

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("onbekend", {}),
            ("antwoord_klaar", {}),
            ("antwoord_klaar", {"onderwerp": " "}),
            ("antwoord_klaar", {"onderwerp": "x", "meer": "y"}),
        ],
    )
    async def test_a_template_that_does_not_fit_is_refused(
        self, house: TestHouse, name: str, values: dict[str, str]
    ) -> None:
        house.channel.templates = {READY.name: READY}
        key = await talked(house)
        with pytest.raises(TemplateError):
            await house.post.template(key, name, values)

    async def test_who_never_wrote_can_not_be_written_to(self, house: TestHouse) -> None:
        with pytest.raises(NoConversation):
            await house.post.find("kept", "nobody")
        with pytest.raises(NoConversation):
            await house.post.say("no-such-conversation", Outbound("hallo"))

    async def test_a_channel_without_a_window(self, house: TestHouse, clock: SetClock) -> None:
        house.channel.limits = LIMITS
        key = await talked(house)
        clock.forward(days=20)
        assert (await house.post.window(key)).is_open
        await house.post.say(key, Outbound("klaar"))
        await house.work()
        assert house.read()[-1] == "klaar"


class TestOurOwnFaults:
    async def test_they_are_given_up_too_and_stop_nobody(
        self, house: TestHouse, clock: SetClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def broken(address: str, body: Any) -> str:
            raise ValueError("forbidden character in geheim")

        await house.say("hallo")
        monkeypatch.setattr(house.channel, "send", broken)
        for _ in range(outbox.MAX_ATTEMPTS + 1):
            await house.work()
            clock.forward(minutes=6)
        monkeypatch.undo()
        await house.work()
        assert [row.error for row in await house.outbox.failed()] == ["our fault: ValueError"]
        assert house.read() == ["1: hallo"]

    async def test_who_dies_each_time_does_not_try_for_ever(self, house: TestHouse, clock: SetClock) -> None:
        await talked(house)
        await house.post.say(await house.key(), Outbound("dodelijk"))
        for _ in range(outbox.MAX_ATTEMPTS + outbox.CRASHES):
            assert len(await house.outbox.claim(1)) == 1
            clock.forward(seconds=outbox.LEASE.total_seconds() + 1)
        await house.work()
        assert [row.error for row in await house.outbox.failed()] == ["whoever tried did not come back"]


class TestReceipts:
    async def state(self, house: TestHouse, external_id: str = "sent-1") -> Any:
        query = sa.select(outbox_table).where(outbox_table.c.external_id == external_id)
        async with house.database.read() as connection:
            return (await connection.execute(query)).one()

    async def test_one_that_comes_before_the_mark_is_not_lost(self, house: TestHouse) -> None:
        await house.say("hallo")
        for lease in await house.inbox.claim(1, ["kept"]):
            await house.turns.run(lease)
        await house.outbox.receipts([Receipt("kept", "sent-1", Delivery.READ)])
        assert len(await house.rows(early_receipts)) == 1
        await house.work()
        assert (await self.state(house)).state == Delivery.READ
        assert not await house.rows(early_receipts)

    async def test_shuffled_and_doubled_they_come_to_the_same(self, house: TestHouse) -> None:
        chance = random.Random(4)
        kinds = [Delivery.SENT, Delivery.DELIVERED, Delivery.READ]
        for number in range(10):
            await house.say(f"m{number}")
        await house.work()
        told = [Receipt("kept", f"sent-{n}", kind) for n in range(1, 12) for kind in kinds] * 3
        chance.shuffle(told)
        await asyncio.gather(*(house.outbox.receipts(told[at : at + 7]) for at in range(0, len(told), 7)))
        assert set(await states(house)) == {Delivery.READ}
        assert await house.usage.month() == [Count("kept", "2026-11", "service", 11, 11)]

    async def test_what_may_help_is_sent_again_and_then_given_up(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        await talked(house)
        for attempt in range(1, receipts.MAX_RESENDS + 1):
            sent = f"sent-{len(house.channel.sent)}"
            failed = Receipt("kept", sent, Delivery.FAILED, "131000: unknown", retryable=True)
            await house.outbox.receipts([failed, failed])
            clock.forward(minutes=6)
            await house.work()
            assert len(house.channel.sent) == 2 + min(attempt, receipts.MAX_RESENDS - 1)
        [row] = await house.outbox.failed()
        assert row.error == "131000: unknown"

    async def test_final_is_final(self, house: TestHouse) -> None:
        await talked(house)
        told = Receipt("kept", "sent-2", Delivery.FAILED, "131026: not on WhatsApp")
        await house.outbox.receipts([told, Receipt("kept", "sent-2", Delivery.DELIVERED)])
        assert (await self.state(house, "sent-2")).state == Delivery.FAILED
        assert await states(house) == [Delivery.SENT, Delivery.FAILED]

    async def test_a_closed_window_that_is_told_late_holds_it(self, house: TestHouse) -> None:
        await talked(house)
        told = Receipt("kept", "sent-2", Delivery.FAILED, "131047: window closed", window=True)
        await house.outbox.receipts([told])
        assert await states(house) == [Delivery.SENT, Delivery.HELD]
        await house.say("ja?")
        await house.work()
        assert house.read()[-2:] == ["1: hallo", "2: ja?"]

    async def test_what_was_never_ours_is_forgotten_after_a_day(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        from bot.privacy import Privacy

        await house.outbox.receipts([Receipt("kept", "never-ours", Delivery.READ)])
        clock.forward(hours=25)
        await Privacy(house.database, clock).purge(28)
        assert not await house.rows(early_receipts)


class TestPace:
    async def test_a_resident_gets_them_at_the_pace_and_in_order(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        house.channel.limits = replace(house.channel.limits, resident_pace=Pace(1 / 6, 2))
        for number in range(4):
            await house.say(f"m{number}")
        await house.work()
        assert len(house.read()) == 2
        for _ in range(3):
            clock.forward(seconds=6.1)
            await house.work()
        assert [text[3:] for text in house.read()[1:]] == ["m0", "m1", "m2", "m3"]
        assert {row.attempts for row in await house.rows(outbox_table)} == {1}

    async def test_the_number_has_a_pace_too(self, house: TestHouse, clock: SetClock) -> None:
        house.channel.limits = replace(house.channel.limits, pace=Pace(1.0, 5))
        for number in range(8):
            await house.say("hallo", address=f"r{number}")
        await house.work()
        assert len(house.channel.sent) == 5
        clock.forward(seconds=1.01)
        await house.work()
        assert len(house.channel.sent) == 6
        for _ in range(20):
            clock.forward(seconds=5)
            await house.work()
        assert len(house.channel.sent) == 16

    async def test_waiting_is_no_attempt(self, house: TestHouse, clock: SetClock) -> None:
        house.channel.limits = replace(house.channel.limits, resident_pace=Pace(0.0001, 1))
        await talked(house)
        for _ in range(outbox.MAX_ATTEMPTS + 2):
            clock.forward(seconds=60)
            await house.work()
        assert await states(house) == [Delivery.SENT, Delivery.QUEUED]


class TestCounts:
    async def test_by_month_and_kind(self, house: TestHouse, clock: SetClock) -> None:
        house.channel.templates = {READY.name: READY}
        key = await talked(house)
        await house.post.template(key, READY.name, {"onderwerp": "afval"})
        await house.work()
        clock.forward(days=8)
        await house.say("nog iets")
        await house.work()
        november, december = await house.usage.month("2026-11"), await house.usage.month()
        assert november == [
            Count("kept", "2026-11", "service", 2, 0),
            Count("kept", "2026-11", "utility", 1, 0),
        ]
        assert december == [Count("kept", "2026-12", "service", 1, 0)]
        assert free_left(november, "kept", 1000) == 998
        assert free_left(november, "kept", 1) == 0

    async def test_the_month_ends_in_amsterdam(self, house: TestHouse, clock: SetClock) -> None:
        clock.now = clock.now.replace(day=30, hour=23, minute=30)
        await talked(house)
        assert [one.month for one in await house.usage.month("2026-12")] == ["2026-12"]

    async def test_they_outlive_the_conversation(self, house: TestHouse, clock: SetClock) -> None:
        from bot.privacy import Privacy

        await talked(house)
        await Privacy(house.database, clock).forget("kept", "r1", actor="engineer")
        assert [one.sent for one in await house.usage.month()] == [2]

    async def test_what_lies_in_the_outbox(self, house: TestHouse) -> None:
        house.channel.fault = SendFault("blocked", retryable=False)
        await talked(house)
        assert await house.usage.waiting() == {("kept", "failed"): 2}

    async def test_a_channel_that_is_not_counted(self, house: TestHouse) -> None:
        house.channel.limits = LIMITS
        await talked(house)
        assert await house.usage.month() == []


class TestOneMessageATurn:
    async def test_what_goes_together_is_known_of_each_line(self, house: TestHouse) -> None:
        house.channel.joins = True
        await talked(house)
        assert house.read() == [f"{house.wording.say('welcome').text} | 1: hallo"]
        _, welcome, answer = await house.transcript()
        [letter] = await house.rows(outbox_table)
        assert letter.message_id == welcome.id == answer.sent_with
        await house.say("👍", kind=Kind.REACTION, ref="sent-1")
        await house.work()
        assert [line.reaction for line in await house.transcript()] == [None, "👍", None]

    async def test_too_many_choices_come_in_pages(self, house: TestHouse) -> None:
        house.channel.limits = replace(house.channel.limits, choices=10)
        choices = tuple(Choice(f"slot:{number}", f"Tijd {number}") for number in range(25))

        async def offer(turn: Any) -> Reply:
            return Reply((Outbound("Wanneer?" if turn.choice is None else turn.choice, choices),))

        house.engine.think = offer
        await house.say("afspraak")
        await house.work()
        shown = (await house.rows(outbox_table, "seq"))[-1].body["choices"]
        assert shown == [*(f"slot:{number}" for number in range(9)), "more:9"]
        await house.say(choice="more:9")
        await house.work()
        shown = (await house.rows(outbox_table, "seq"))[-1].body["choices"]
        assert shown == [*(f"slot:{number}" for number in range(9, 18)), "more:9"]
        await house.say(choice="more:9")
        await house.work()
        shown = (await house.rows(outbox_table, "seq"))[-1].body["choices"]
        assert shown == [f"slot:{number}" for number in range(18, 25)]
        lines = [line.text for line in await house.transcript() if line.author == "resident"]
        assert lines == ["afspraak", "Meer keuzes", "Meer keuzes"]
        await house.say(choice="slot:20")
        await house.work()
        assert house.engine.turns[-1].choice == "slot:20"
        assert (await house.transcript())[-2].text == "Tijd 20"

    @pytest.mark.parametrize("choice", ["more:9", "more:0", "more:x", "more:99999"])
    async def test_more_of_nothing(self, house: TestHouse, choice: str) -> None:
        await talked(house)
        await house.say(choice=choice)
        await house.work()
        assert house.read()[-1] == house.wording.say("unknown_choice").text


class TestKinds:
    @pytest.mark.parametrize(
        ("kind", "phrase"),
        [
            (Kind.AUDIO, "kind_audio"),
            (Kind.VIDEO, "kind_video"),
            (Kind.DOCUMENT, "kind_document"),
            (Kind.LOCATION, "kind_location"),
            (Kind.STICKER, "kind_sticker"),
            (Kind.CONTACT, "kind_contact"),
            (Kind.UNSUPPORTED, "unsupported_kind"),
        ],
    )
    async def test_each_has_its_answer(self, house: TestHouse, kind: Kind, phrase: str) -> None:
        await talked(house)
        await house.say(kind=kind, media=Media("f1", "image/jpeg", size=1000))
        await house.work()
        assert house.read()[-1] == house.wording.say(phrase).text
        assert len(house.engine.turns) == 1
        assert len(await house.rows(media)) == (kind is not Kind.STICKER)

    async def test_what_the_dialogue_may_have_asked_for_goes_to_it(self, house: TestHouse) -> None:
        """A place on the map, and a photo, without words: only the dialogue knows what for."""
        await talked(house)
        key = await house.say(kind=Kind.IMAGE, media=Media("f1", "image/jpeg", size=1000))
        await house.work()
        await house.say(kind=Kind.LOCATION, place=Place(52.1, 5.1, "Kerkplein"))
        await house.work()
        _, photo, place = house.engine.turns
        assert (photo.choice, photo.metadata["photo"], photo.metadata["turn"]) == ("photo", True, key)
        assert place.choice == "place"
        assert place.metadata["place"] == {
            "latitude": 52.1,
            "longitude": 5.1,
            "name": "Kerkplein",
            "address": "",
        }
        assert len(await house.rows(media)) == 1

    @pytest.mark.parametrize(
        "found",
        [
            None,
            Media("f1", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            Media("f1", "image/svg+xml"),
            Media("f1", "application/pdf", size=10**9),
        ],
    )
    async def test_what_can_not_be_kept_is_not_promised(self, house: TestHouse, found: Media | None) -> None:
        await talked(house)
        await house.say(kind=Kind.DOCUMENT, media=found)
        await house.say("kijk eens", kind=Kind.DOCUMENT, media=found)
        await house.work()
        assert house.read()[-3:] == [
            house.wording.say("kind_not_kept").text,
            house.wording.say("not_kept").text,
            "2: kijk eens",
        ]

    async def test_what_is_written_with_a_photo_is_answered(self, house: TestHouse) -> None:
        await talked(house)
        await house.say("deze prullenbak is vol", kind=Kind.IMAGE, media=Media("f1"))
        await house.work()
        assert house.read()[-2:] == [house.wording.say("kept").text, "2: deze prullenbak is vol"]

    async def test_a_link_to_an_article(self, house: TestHouse) -> None:
        await house.say("paspoort-aanvragen", kind=Kind.START)
        await house.work()
        assert house.read() == [house.wording.say("welcome").text, "1: paspoort-aanvragen"]
        assert house.engine.turns[-1].choice == "article:paspoort-aanvragen"

    async def test_a_link_with_anything_else(self, house: TestHouse) -> None:
        await house.say("folder-2026", kind=Kind.START)
        await house.work()
        assert house.read() == [house.wording.say("welcome").text]
        assert not house.engine.turns
        assert len(await house.rows(messages)) == 2
