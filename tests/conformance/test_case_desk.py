"""Looking a case up and following it, on both stores: who may, how often, what is kept of it, and each change once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession

from bot import residents
from bot import tidings as module
from bot.app.house import STATUSES
from bot.attempts import LOOKS, PERIOD, WRONG, Attempts
from bot.bus.memory import MemoryBus
from bot.casedesk import CaseDesk
from bot.casewords import CaseWords
from bot.db.database import Database
from bot.db.tables import case_attempts, case_follows, handoffs, messages, metadata, outbox
from bot.follows import MOST
from bot.model import Author, Command, Kind, Moved, Outbound, Owner, Reply, Template, Turn
from bot.ports import Bus, CaseFault
from bot.privacy import Privacy
from bot.statuses import Statuses
from bot.tidings import TEMPLATE, Tidings
from bot.web.notices import PATH, Notices
from bot.web.server import application, serving
from tests.conftest import SetClock
from tests.house import LIMITS, MUNICIPALITY, Engine, TestHouse
from tests.kept_cases import KeptCases, case

PROOF = "1234 AB 12"
DOWN = CaseFault("no answer", retryable=True)


async def asks(turn: Turn) -> Reply:
    """An engine that asks the desk for what follows the word `zoek`: a number and a house number, or a birth date."""
    if not turn.text.startswith("zoek "):
        return Reply((Outbound(f"engine: {turn.text or turn.choice}"),), memory={"slots": {}})
    _, number, fact = turn.text.split(" ", 2)
    born = fact if "-" in fact else ""
    asked = {
        "reference": f"ZAAK-2026-{int(number):010}",
        "postcode": "" if born else "1234AB",
        "house_number": 0 if born else int(fact.split()[-1]),
        "addition": "",
        "birth_date": born,
        "parts": [fact],
    }
    return Reply((), (Command("case_lookup", asked),), {"slots": {}})


class Desk:
    """A house with a desk, and cases 1 to 12."""

    def __init__(self, database: Database, clock: SetClock) -> None:
        self.cases = KeptCases()
        self.cases.put(*(case(number) for number in range(1, 13)))
        self.bus = MemoryBus(lambda: clock().timestamp())
        self.engine = Engine(asks)
        self.house = TestHouse(database, self.bus, clock, self.think)
        assert MUNICIPALITY.cases
        self.words = words = CaseWords(self.house.wording, Statuses.load(STATUSES), MUNICIPALITY.cases)
        desk = CaseDesk(self.cases, words, Attempts(database, clock), clock, seconds=5.0)
        self.around = desk.around(self.engine)
        channels = {"kept": self.house.channel}
        self.tidings = [
            Tidings(database, self.bus, channels, self.cases, words, self.house.wording, clock)
            for _ in range(3)
        ]

    async def think(self, turn: Turn) -> Reply:
        return await self.around.reply(turn)

    async def say(self, text: str = "", address: str = "r1", **more: Any) -> str:
        """A message and what is read then."""
        before = len(self.house.read(address))
        await self.house.say(text, address, **more)
        await self.house.work()
        return "\n".join(self.house.read(address)[before:])

    async def hears(self) -> list[str]:
        """What comes by itself after a look at all that is due."""
        before = len(self.house.channel.sent)
        await self.tidings[0].look()
        await self.house.work()
        return [text for _, text in self.house.channel.sent[before:]]

    async def follow(self, number: int = 1, address: str = "r1") -> str:
        await self.say(f"zoek {number} {PROOF}", address)
        return await self.say(address=address, choice=f"follow:key-{number}")


@pytest.fixture
def desk(database: Database, clock: SetClock) -> Desk:
    return Desk(database, clock)


async def everything(desk: Desk) -> str:
    """All that stands in the store."""
    rows = [row for table in metadata.sorted_tables for row in await desk.house.rows(table)]
    return "\n".join(map(repr, rows))


class TestLookingUp:
    async def test_it_is_told_as_a_parcel_is(self, desk: Desk) -> None:
        desk.cases.put(case(1, deadline=case().started + timedelta(days=56)))
        told = await desk.say(f"zoek 1 {PROOF}")
        for part in (
            "kapvergunning",
            "ZAAK-2026-0000000001",
            "bekijkt",
            "besluit",
            "28 december 2026",
            "niets te doen",
        ):
            assert part in told
        [line] = [row for row in await desk.house.transcript() if "bekijkt" in row.text]
        assert [choice["id"] for choice in line.choices] == ["follow:key-1", "case_ask:ZAAK-2026-0000000001"]

    async def test_unknown_and_wrong_are_the_same_answer(self, desk: Desk) -> None:
        """Word for word: also where the case needs another fact than the one that is right."""
        desk.cases.put(case(20, "Kwijtschelding"))
        answers = {
            (await desk.say(text, address)).removeprefix(_welcome(desk))
            for address, text in {
                "a": "zoek 99 1234 AB 12",
                "b": "zoek 1 1234 AB 13",
                "c": "zoek 1 1980-02-01",
                "d": "zoek 20 1234 AB 12",
            }.items()
        }
        assert len(answers) == 1
        assert "geen zaak" in answers.pop()
        assert "kwijtschelding" in await desk.say("zoek 20 1980-02-01", "e")

    async def test_a_type_that_is_not_allowed_tells_nothing_of_it(self, desk: Desk) -> None:
        desk.cases.put(case(21, "Jeugdhulp"))
        told = await desk.say(f"zoek 21 {PROOF}")
        assert "DigiD" in told and "behandeling" not in told and "Jeugdhulp" not in told

    async def test_an_outage_is_never_an_unknown_case(self, desk: Desk) -> None:
        desk.cases.fault = DOWN
        told = await desk.say(f"zoek 99 {PROOF}")
        assert "niet in ons systeem kijken" in told and "geen zaak" not in told
        desk.cases.fault = None
        desk.cases.pause = 60.0
        quick = CaseDesk(desk.cases, desk.words, Attempts(desk.house.database), seconds=0.05)
        desk.around = quick.around(desk.engine)
        assert "niet in ons systeem kijken" in await desk.say(f"zoek 1 {PROOF}")

    async def test_what_proves_is_nowhere_afterwards(self, desk: Desk) -> None:
        await desk.say(f"zoek 1 {PROOF}", ref="m-1")
        await desk.say("zoek 99 1980-02-01")
        await desk.say(f"zoek 1 {PROOF} en nog wat", kind=Kind.EDIT, ref="m-1")
        kept = await everything(desk)
        for secret in ("1234 AB", "1234AB", "1980-02-01", "1980, 2, 1"):
            assert secret not in kept
        lines = [row.text for row in await desk.house.transcript() if row.author == Author.RESIDENT]
        assert lines == ["zoek 1 [niet bewaard] en nog wat", "zoek 99 [niet bewaard]"]

    async def test_a_question_about_it_goes_to_a_person_with_the_number(self, desk: Desk) -> None:
        await desk.say(f"zoek 1 {PROOF}")
        await desk.say(choice="case_ask:ZAAK-2026-0000000001")
        assert await desk.house.owner() is Owner.WAITING
        [row] = await desk.house.rows(handoffs)
        assert row.topic == "Zaak ZAAK-2026-0000000001"


class TestLimits:
    async def test_after_five_wrong_ones_the_conversation_is_locked(
        self, desk: Desk, clock: SetClock
    ) -> None:
        for number in range(WRONG):
            assert "geen zaak" in await desk.say(f"zoek {number + 1} 1234 AB 99")
        assert "te vaak" in await desk.say(f"zoek 1 {PROOF}")
        assert len(desk.cases.found) == WRONG
        assert "kapvergunning" in await desk.say(f"zoek 6 {PROOF}", "somebody else")
        clock.forward(seconds=PERIOD.total_seconds() + 1)
        assert "kapvergunning" in await desk.say(f"zoek 1 {PROOF}")

    async def test_five_wrong_ones_lock_a_number_whoever_asks(self, desk: Desk) -> None:
        for number in range(WRONG):
            await desk.say("zoek 1 1234 AB 99", f"r{number}")
        assert "te vaak" in await desk.say(f"zoek 1 {PROOF}", "owner")
        assert "kapvergunning" in await desk.say(f"zoek 2 {PROOF}", "owner")

    async def test_an_unknown_number_is_locked_just_so(self, desk: Desk) -> None:
        for number in range(WRONG):
            await desk.say("zoek 99 1234 AB 99", f"r{number}")
        assert "te vaak" in await desk.say(f"zoek 99 {PROOF}", "other")

    async def test_many_at_the_same_moment_are_not_more(
        self, desk: Desk, database: Database, clock: SetClock
    ) -> None:
        """As if by as many processes."""
        for number in range(12):
            await desk.say("hallo", f"r{number}")
        keys = [await desk.house.key(f"r{number}") for number in range(12)]
        took = await asyncio.gather(
            *(Attempts(database, clock).take(f"turn-{key[:30]}", key, "ZAAK-1") for key in keys)
        )
        assert sum(took) <= WRONG

    async def test_a_message_that_is_thought_of_again_counts_once(self, desk: Desk) -> None:
        await desk.say("hallo")
        key, attempts = await desk.house.key(), Attempts(desk.house.database, desk.house.clock)
        for _ in range(20):
            assert await attempts.take("the same", key, "ZAAK-1")

    async def test_an_outage_does_not_count_as_wrong(self, desk: Desk) -> None:
        desk.cases.fault = DOWN
        for _ in range(WRONG + 1):
            await desk.say(f"zoek 1 {PROOF}")
        desk.cases.fault = None
        assert "kapvergunning" in await desk.say(f"zoek 1 {PROOF}")

    async def test_right_ones_are_not_without_end_either(self, desk: Desk, clock: SetClock) -> None:
        for number in range(LOOKS):
            assert "kapvergunning" in await desk.say(f"zoek {number + 1} {PROOF}")
        assert "te vaak" in await desk.say(f"zoek 1 {PROOF}")
        clock.forward(minutes=61)
        assert "kapvergunning" in await desk.say(f"zoek 1 {PROOF}")

    async def test_attempts_go_with_their_time(self, desk: Desk, clock: SetClock) -> None:
        await desk.say(f"zoek 1 {PROOF}")
        privacy = Privacy(desk.house.database, clock)
        await privacy.purge(28)
        assert len(await desk.house.rows(case_attempts)) == 1
        clock.forward(days=2)
        await privacy.purge(28)
        assert await desk.house.rows(case_attempts) == []


class TestFollowing:
    async def test_each_change_is_told_once_and_the_end_is_the_end(self, desk: Desk, clock: SetClock) -> None:
        assert "bericht als er iets verandert" in await desk.follow()
        clock.forward(minutes=16)
        assert await desk.hears() == []
        desk.cases.move("key-1", "Wacht op informatie", clock(), suspended=True)
        clock.forward(minutes=16)
        [told] = await desk.hears()
        assert "foto's van de boom" in told
        clock.forward(minutes=16)
        assert await desk.hears() == []
        desk.cases.move("key-1", "Besluit genomen", clock(), ended=clock().date(), result="Verleend")
        clock.forward(minutes=16)
        [told] = await desk.hears()
        assert "Verleend" in told and "geen berichten meer" in told
        assert await desk.house.rows(case_follows) == []

    async def test_several_processes_tell_it_once(self, desk: Desk, clock: SetClock) -> None:
        await desk.follow()
        desk.cases.move("key-1", "Wacht op informatie", clock())
        clock.forward(minutes=16)
        before = len(await desk.house.transcript())
        await asyncio.gather(*(one.look() for one in desk.tidings))
        assert len(await desk.house.transcript()) == before + 1

    async def test_a_kill_before_the_commit_loses_nothing_and_doubles_nothing(
        self, desk: Desk, clock: SetClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.follow()
        desk.cases.move("key-1", "Wacht op informatie", clock())
        clock.forward(minutes=16)
        before = len(await desk.house.transcript())

        async def killed(*_: object) -> None:
            await real(*_)  # type: ignore[arg-type]
            raise KeyboardInterrupt

        real = module.tell
        with monkeypatch.context() as patched:
            patched.setattr(module, "tell", killed)
            with pytest.raises(KeyboardInterrupt):
                await desk.tidings[0].look()
        assert len(await desk.house.transcript()) == before
        await desk.tidings[1].look()
        await desk.tidings[2].look()
        assert len(await desk.house.transcript()) == before + 1

    async def test_only_what_was_shown_can_be_followed(self, desk: Desk) -> None:
        await desk.say("hallo")
        await desk.say(choice="follow:key-2")
        assert desk.cases.looked == []
        assert await desk.house.rows(case_follows) == []

    async def test_the_same_twice_is_once_and_eleven_are_too_many(self, desk: Desk, clock: SetClock) -> None:
        await desk.follow()
        await desk.say(choice="follow:key-1")
        assert len(await desk.house.rows(case_follows)) == 1
        for number in range(2, MOST + 1):
            clock.forward(minutes=10)
            await desk.follow(number)
        assert "al 10 zaken" in await desk.follow(11)
        assert len(await desk.house.rows(case_follows)) == MOST

    async def test_one_word_stops_all_and_a_button_stops_one(self, desk: Desk, clock: SetClock) -> None:
        await desk.follow(1)
        await desk.follow(2)
        assert "geen berichten meer" in await desk.say(choice="unfollow:key-1")
        assert [row.key for row in await desk.house.rows(case_follows)] == ["key-2"]
        await desk.say("medewerker")
        assert await desk.house.owner() is Owner.WAITING
        assert "geen berichten meer" in await desk.say("Stop volgen!")  # also while a person is waited for
        assert await desk.house.rows(case_follows) == []

    async def test_stop_stops_following_too_and_says_so(self, desk: Desk) -> None:
        assert "uw zaken" not in await desk.say("stop")
        await desk.follow()
        assert "geen berichten meer over uw zaken" in await desk.say("stop")
        assert await desk.house.rows(case_follows) == []

    async def test_an_outage_ends_nothing_and_is_looked_at_again(self, desk: Desk, clock: SetClock) -> None:
        await desk.follow(1)
        await desk.follow(2)
        desk.cases.fault = DOWN
        clock.forward(minutes=16)
        assert await desk.hears() == []
        assert len(desk.cases.looked) == 3  # two to begin with; the rest of a round waits
        desk.cases.fault = None
        desk.cases.move("key-1", "Wacht op informatie", clock())
        clock.forward(minutes=2)
        assert len(await desk.hears()) == 1

    async def test_a_case_that_is_gone_or_not_allowed_any_more_is_told_once(
        self, desk: Desk, clock: SetClock
    ) -> None:
        await desk.follow(1)
        await desk.follow(2)
        del desk.cases.cases["key-1"]
        desk.cases.put(replace(case(2), types=("Jeugdhulp",), suspended=True))
        clock.forward(minutes=16)
        told = await desk.hears()
        assert len(told) == 2 and all("niet meer volgen" in one for one in told)
        assert await desk.house.rows(case_follows) == []

    async def test_outside_the_window_it_goes_as_a_template(self, desk: Desk, clock: SetClock) -> None:
        desk.house.channel.limits = replace(LIMITS, window_hours=24)
        text = "Nieuws over {zaak}: {stand}"
        desk.house.channel.templates = {
            TEMPLATE: Template(TEMPLATE, "nl", "utility", text, ("zaak", "stand"))
        }
        await desk.follow()
        desk.cases.move("key-1", "Wacht op informatie", clock())
        clock.forward(hours=25)
        assert await desk.hears() == [
            "Nieuws over ZAAK-2026-0000000001: We kunnen niet verder. We missen nog iets van u."
        ]
        assert {row.kind for row in await desk.house.rows(outbox, "seq")} == {"service", "utility"}

    async def test_without_a_template_it_waits_for_the_resident(self, desk: Desk, clock: SetClock) -> None:
        desk.house.channel.limits = replace(LIMITS, window_hours=24)
        await desk.follow()
        desk.cases.move("key-1", "Wacht op informatie", clock())
        clock.forward(hours=25)
        assert await desk.hears() == []
        assert "foto's van de boom" in await desk.say("hallo")

    async def test_two_addresses_that_are_one_resident_follow_together(
        self, desk: Desk, clock: SetClock
    ) -> None:
        await desk.follow(1, "before")
        await desk.follow(2, "before")
        await desk.follow(2, "after")
        await desk.house.inbox.move([Moved("kept", "before", "after")])
        rows = await desk.house.rows(case_follows, "key")
        assert [row.key for row in rows] == ["key-1", "key-2"]
        assert {row.conversation_id for row in rows} == {await desk.house.key("after")}
        desk.cases.move("key-1", "Wacht op informatie", clock())
        clock.forward(minutes=16)
        assert len(await desk.hears()) == 1

    def test_all_that_belongs_to_a_conversation_goes_along(self) -> None:
        belonging = {table for table in metadata.tables.values() if "conversation_id" in table.c}
        assert belonging == set(residents._BELONGING)

    async def test_who_does_not_have_the_channel_leaves_it_to_others(
        self, desk: Desk, database: Database, clock: SetClock
    ) -> None:
        await desk.follow()
        desk.cases.move("key-1", "Wacht op informatie", clock())
        clock.forward(minutes=16)
        words, wording = desk.words, desk.house.wording
        other = Tidings(database, desk.bus, {"ask": desk.house.channel}, desk.cases, words, wording, clock)
        assert await other.look() == 0
        assert len(await desk.hears()) == 1

    async def test_forgetting_ends_it_and_retention_waits_for_it(self, desk: Desk, clock: SetClock) -> None:
        await desk.follow()
        privacy = Privacy(desk.house.database, clock)
        clock.forward(days=40)
        assert await privacy.purge(28) == 0
        assert await privacy.forget("kept", "r1", actor="test")
        assert await desk.house.rows(case_follows) == []
        assert await desk.house.rows(case_attempts) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_it_goes_on_looking_and_can_be_woken(
    desk: Desk, bus: Bus, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By both buses: after intervals without a wake, after a store that was away, and at once when woken."""
    tidings = Tidings(
        database,
        bus,
        {"kept": desk.house.channel},
        desk.cases,
        desk.words,
        desk.house.wording,
        desk.house.clock,
    )
    looked = asyncio.Semaphore(0)

    async def look() -> int:
        looked.release()
        raise OSError("the store is away")

    async def looks(times: int) -> None:
        async with asyncio.timeout(20):
            for _ in range(times):
                await looked.acquire()

    monkeypatch.setattr(tidings, "look", look)
    monkeypatch.setattr(module, "EVERY", 0.01)
    task = asyncio.create_task(tidings.keep_looking())
    try:
        await looks(5)
        monkeypatch.setattr(module, "EVERY", 3600.0)
        await asyncio.sleep(0.1)  # the last short interval is over
        while not looked.locked():
            await looked.acquire()
        for _ in range(3):
            await bus.publish("cases")
            await looks(1)
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})


class TestNotices:
    SECRET = "geheim-van-de-notificaties"
    KEY = "5b4dfbe3-b9d6-4734-a8fb-5c2c6d37bca9"

    @pytest.fixture
    async def address(self, desk: Desk, clock: SetClock) -> AsyncIterator[str]:
        app = application()
        app.add_routes(Notices(desk.house.database, desk.bus, self.SECRET, clock).routes())
        async with serving(app, "127.0.0.1", 0) as port:
            yield f"http://127.0.0.1:{port}{PATH}"

    def notice(self, **values: Any) -> dict[str, Any]:
        case = f"https://openzaak.example/zaken/api/v1/zaken/{self.KEY}"
        return {"kanaal": "zaken", "hoofdObject": case, "resource": "status", "actie": "create", **values}

    async def post(self, address: str, body: Any, word: str | None = None) -> int:
        headers = {"Authorization": f"Bearer {self.SECRET}" if word is None else word}
        async with ClientSession() as session, session.post(address, json=body, headers=headers) as answer:
            return answer.status

    async def test_a_notice_makes_it_look_at_once(self, desk: Desk, address: str, clock: SetClock) -> None:
        desk.cases.name = "zgw"
        desk.cases.put(replace(case(1), key=self.KEY))
        await desk.say(f"zoek 1 {PROOF}")
        del desk.cases.cases["key-1"]
        await desk.say(f"zoek 1 {PROOF}")
        await desk.say(choice=f"follow:{self.KEY}")
        desk.cases.move(self.KEY, "Wacht op informatie", clock())
        assert await desk.hears() == []  # it is not due yet
        async with desk.bus.subscribe("cases") as wakes:
            assert await self.post(address, self.notice()) == 204
            async with asyncio.timeout(10):
                assert (await anext(wakes))[0] == "cases"
        assert len(await desk.hears()) == 1
        assert await self.post(address, self.notice()) == 204
        assert await desk.hears() == []

    async def test_only_with_the_word(self, address: str) -> None:
        for word in ("", "Bearer", "Bearer fout", self.SECRET[:-1], f"Token {self.SECRET}"):
            assert await self.post(address, self.notice(), word) == 403
        assert await self.post(address, self.notice(), self.SECRET) == 204

    async def test_the_test_at_registration_and_other_channels_are_taken(self, address: str) -> None:
        for kind in ("test", "documenten"):
            assert await self.post(address, self.notice(kanaal=kind, hoofdObject="https://x.example/")) == 204

    @pytest.mark.parametrize(
        "body", [None, [], "x", {}, {"kanaal": 5}, {"kanaal": "zaken", "hoofdObject": "../x"}]
    )
    async def test_anything_else_is_refused_clearly(self, address: str, body: Any) -> None:
        assert await self.post(address, body) == 400


class TestBsn:
    BSN = "123456782"

    async def test_it_is_nowhere(self, desk: Desk) -> None:
        assert "Stuur uw BSN nooit" in await desk.say(f"mijn bsn is {self.BSN}")
        await desk.say(f"zie {self.BSN}", ref="m-1")
        await desk.say(f"zie toch 1{self.BSN[1:]}", kind=Kind.EDIT, ref="m-1")
        await desk.say(f"kijk {self.BSN}", kind=Kind.IMAGE)
        await desk.house.say(f"en {self.BSN}")  # still waits for its turn
        await desk.say("medewerker", "r2")
        assert "Stuur uw BSN nooit" in await desk.say(f"mijn bsn: {self.BSN}", "r2")
        kept = await everything(desk)
        assert self.BSN not in kept
        assert all(self.BSN not in turn.text for turn in desk.engine.turns)

    async def test_what_else_was_asked_is_answered(self, desk: Desk) -> None:
        told = await desk.say(f"Wat kost een paspoort voor mijn dochter met bsn {self.BSN}?")
        assert "Stuur uw BSN nooit" in told
        assert "engine: Wat kost een paspoort voor mijn dochter met bsn ?" in told

    async def test_what_an_agent_types_stays(self, desk: Desk) -> None:
        await desk.say("medewerker")
        await desk.house.post.say(await desk.house.key(), Outbound(f"Uw nummer is {self.BSN}"))
        query = sa.select(messages.c.text).where(messages.c.author == Author.AGENT)
        async with desk.house.database.read() as connection:
            assert self.BSN in str(await connection.scalar(query))


def _welcome(desk: Desk) -> str:
    return desk.house.wording.say("welcome").text + "\n"
