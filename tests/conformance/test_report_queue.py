"""The queue of reports, on both stores: kept with the turn, brought until it is in, told once, and erased in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from actions.reports.local import LocalReports
from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import case_follows, inbox, local_photos, local_reports, media, reports
from bot.model import Command, Kind, Media, Reply, Report, ReportReceipt, Route, Trace, Turn
from bot.ports import Channel, ReportFault
from bot.privacy import Privacy
from bot.reportdesk import ReportCases, ReportDesk, ReportWords
from bot.reports import LEASE, Reports
from bot.tidings import Tidings
from tests.conftest import SetClock
from tests.conversations.reports import StagedReports
from tests.house import TestHouse

ARGS = {
    "category": "afval/huisafval",
    "text": "de zwanenzang ligt op straat",
    "place": "Beukenlaan 12",
    "latitude": 52.1,
    "longitude": 5.1,
    "phone": "06 12345678",
    "email": "zwaan@voorbeeld.nl",
    "photos": [],
}


class Staged(StagedReports):
    """As in the conversations, and with faults of a test's own; `asked` counts the ways in."""

    fault: ReportFault | None = None
    asked = 0

    refuses = False

    async def attach(self, report: str, photo: bytes, mime: str, key: str) -> None:
        if self.refuses:
            raise ReportFault("a photo of kind image/webp is not taken", retryable=False)
        await super().attach(report, photo, mime, key)

    async def send(self, report: Report, key: str) -> ReportReceipt:
        self.asked += 1
        if self.fault:
            raise self.fault
        return await super().send(report, key)


class Scene:
    """A house whose residents report with every message, and its queue."""

    def __init__(self, database: Database, clock: SetClock, directory: Path) -> None:
        self.photos: list[str] = []

        async def form(turn: Turn) -> Reply:
            command = Command("report", {**ARGS, "photos": self.photos})
            return Reply((), (command,), trace=Trace(Route.REPORT))

        self.database, self.clock, self.directory = database, clock, directory
        bus = MemoryBus()
        self.house = TestHouse(database, bus, clock, form)
        self.system = Staged(LocalReports(database, clock))
        channels: dict[str, Channel] = {"kept": self.house.channel}
        wording = self.house.wording
        self.queue = Reports(database, bus, channels, self.system, wording, directory, clock)
        self.words = ReportWords(wording)
        self.tidings = Tidings(
            database, bus, channels, ReportCases(self.system), self.words, wording, clock, minutes=15
        )

    async def bring(self) -> int:
        """What is due, once; how many. Then what was said is delivered."""
        orders = await self.queue.claim(10)
        for order in orders:
            await self.queue.bring(order)
        await self.house.work()
        return len(orders)

    async def report(self) -> str:
        """A resident reports; the id of the message."""
        key = await self.house.say("stuur maar")
        await self.house.work()
        return key

    async def only(self) -> Any:
        [row] = await self.house.rows(reports)
        return row

    def told(self) -> list[str]:
        """What the resident read after the welcome."""
        return [said for said in self.house.read() if "Ik ben een computer" not in said]

    async def own(self) -> Sequence[Any]:
        return await self.system.reports.listed(every=True)

    def desk(self) -> ReportDesk:
        return ReportDesk(self.house.engine, self.database, self.system, self.words)


@pytest.fixture
def scene(database: Database, clock: SetClock, tmp_path: Path) -> Scene:
    return Scene(database, clock, tmp_path)


async def test_it_is_kept_with_the_turn_and_brought_once(scene: Scene) -> None:
    key = await scene.report()
    row = await scene.only()
    assert (row.id, row.state, row.text, row.phone) == (key, "pending", ARGS["text"], ARGS["phone"])
    assert await scene.bring() == 1
    row = await scene.only()
    assert (row.state, row.provider, row.number, row.lease_token) == ("done", "local", "M-2026-00001", None)
    assert (row.text, row.phone, row.email, row.place, row.latitude) == ("", "", "", "", None)
    [own] = await scene.own()
    assert (own.text, own.place, own.phone, own.email) == tuple(
        ARGS[name] for name in ("text", "place", "phone", "email")
    )
    assert await scene.bring() == 0
    assert sum("M-2026-00001" in said for said in scene.told()) == 1


async def test_a_turn_that_runs_again_reports_once(scene: Scene) -> None:
    """Killed before its commit: the same message is thought about anew. After it: the message is done."""
    await scene.house.say("stuur maar")
    [lease] = await scene.house.inbox.claim(1, ["kept"])  # this worker is killed
    scene.clock.forward(minutes=1)
    await scene.house.work()
    assert lease.rows and (await scene.only()).state == "pending"
    await scene.house.say("stuur maar", external_id="m1")  # the vendor brings it again
    await scene.house.work()
    await scene.bring()
    assert len(await scene.own()) == len(await scene.house.rows(reports)) == 1
    async with scene.database.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(inbox)) == 1


async def test_killed_after_it_was_taken_it_is_brought_again_and_there_once(scene: Scene) -> None:
    await scene.report()
    [order] = await scene.queue.claim(10)
    first = await scene.system.send(order.report, order.id)  # and then this worker is killed
    assert await scene.bring() == 0  # it is leased
    scene.clock.forward(seconds=LEASE.total_seconds() + 1)
    assert await scene.bring() == 1
    [own] = await scene.own()
    row = await scene.only()
    assert (row.external_id, row.number, own.key) == (first.id, first.number, first.id)
    await scene.queue.bring(order)  # the one that was taken for dead goes on
    assert sum(first.number in said for said in scene.told()) == 1


async def test_an_outage_is_told_once_and_ends(scene: Scene) -> None:
    await scene.report()
    scene.system.mood = "down"
    for _ in range(4):
        await scene.bring()
        scene.clock.forward(minutes=40)
    [said] = scene.told()
    assert "niet weg" in said
    row = await scene.only()
    assert (row.state, row.attempts, row.text) == ("pending", 4, ARGS["text"])
    scene.system.mood = ""
    await scene.bring()
    assert "M-2026-00001" in scene.told()[-1]


async def test_what_nobody_knows_is_said_so(scene: Scene) -> None:
    await scene.report()
    scene.system.mood = "unsure"
    await scene.bring()
    assert "niet zeker" in scene.told()[-1]
    scene.system.mood = ""
    scene.clock.forward(minutes=1)
    await scene.bring()
    assert len(await scene.own()) == 1
    assert "M-2026-00001" in scene.told()[-1]


async def test_a_fault_that_stays_waits_for_an_engineer(scene: Scene) -> None:
    await scene.report()
    scene.system.fault = ReportFault("HTTP 400", retryable=False)
    await scene.bring()
    scene.clock.forward(days=1)
    assert await scene.bring() == 0
    assert "niet weg" in scene.told()[-1]
    [waiting] = await scene.queue.waiting()
    assert (waiting.state, waiting.error) == ("failed", "HTTP 400")
    health = await scene.queue.health()
    assert health.state == "degraded" and "1 are not in" in health.detail
    scene.system.fault = None
    assert await scene.queue.again() == 1
    await scene.bring()
    assert len(await scene.own()) == 1
    assert (await scene.queue.health()).state == "ok"


async def test_who_has_other_channels_leaves_it_alone(scene: Scene) -> None:
    await scene.report()
    wording = scene.house.wording
    other = Reports(scene.database, MemoryBus(), {}, scene.system, wording, scene.directory, scene.clock)
    assert await other.claim(10) == []
    assert await scene.bring() == 1


async def test_it_waits_as_long_as_the_system_asks(scene: Scene) -> None:
    await scene.report()
    scene.system.fault = ReportFault("HTTP 429", retryable=True, retry_after=120)
    await scene.bring()
    scene.system.fault = None
    scene.clock.forward(seconds=119)
    assert await scene.bring() == 0
    scene.clock.forward(seconds=2)
    assert await scene.bring() == 1


async def photo(scene: Scene, name: str = "p1") -> str:
    """A message with a photo that is still to be fetched; its id."""
    key = await scene.house.say(
        "foto", kind=Kind.IMAGE, external_id=name, media=Media("ref", "image/png", size=4)
    )
    lease = (await scene.house.inbox.claim(1, ["kept"]))[0]
    scene.photos = []
    await scene.house.turns.run(lease)
    async with scene.database.write() as connection:  # what this message itself reported is of no matter here
        await connection.execute(sa.delete(reports))
    return key


async def fetched(scene: Scene, key: str, content: bytes = b"\x89PNG") -> None:
    (scene.directory / "file").write_bytes(content)
    async with scene.database.write() as connection:
        stored = sa.update(media).where(media.c.message_id == key)
        await connection.execute(stored.values(state="stored", file="file", mime="image/png"))


async def test_photos_follow_when_they_are_here(scene: Scene) -> None:
    key = await photo(scene)
    scene.photos = [key]
    await scene.report()
    await scene.bring()
    assert (await scene.only()).state == "sent"
    assert "M-2026-00001" in scene.told()[-1]  # nobody waits for a photo
    await fetched(scene, key)
    scene.clock.forward(seconds=3)
    await scene.bring()
    assert (await scene.only()).state == "done"
    [kept] = await scene.house.rows(local_photos)
    assert (kept.content, kept.mime) == (b"\x89PNG", "image/png")


async def test_an_outage_between_a_report_and_its_photo(scene: Scene) -> None:
    key = await photo(scene)
    await fetched(scene, key)
    scene.photos = [key]
    await scene.report()
    [order] = await scene.queue.claim(10)
    receipt = await scene.system.send(order.report, order.id)
    await scene.queue._sent(order, receipt)
    scene.system.mood = "down"
    scene.clock.forward(seconds=LEASE.total_seconds() + 1)
    await scene.bring()
    assert "M-2026-00001" in scene.told()[-1]  # the report is in: nothing more to tell
    scene.system.mood = ""
    scene.clock.forward(minutes=5)
    await scene.bring()
    assert len(await scene.house.rows(local_photos)) == 1 and scene.system.asked == 1


async def test_a_photo_that_can_not_go_yet_is_nothing_to_tell_of(scene: Scene) -> None:
    key = await photo(scene)
    await fetched(scene, key)
    scene.photos = [key]
    await scene.report()
    scene.system.mood = "no photos"
    before = len(scene.told())
    await scene.bring()
    assert (await scene.only()).state == "sent"
    assert len(scene.told()) == before + 1 and "M-2026-00001" in scene.told()[-1]
    scene.system.mood = ""
    scene.clock.forward(minutes=1)
    await scene.bring()
    assert (await scene.only()).state == "done" and len(await scene.house.rows(local_photos)) == 1


async def test_a_photo_that_is_refused_is_told(scene: Scene) -> None:
    key = await photo(scene)
    await fetched(scene, key)
    scene.photos = [key]
    await scene.report()
    scene.system.refuses = True
    await scene.bring()
    assert "foto kon ik niet meesturen" in scene.told()[-1]
    assert (await scene.only()).state == "done"


@pytest.mark.parametrize("state", ["refused", "failed", "withdrawn", None])
async def test_a_photo_that_never_comes_holds_nothing_up(scene: Scene, state: str | None) -> None:
    key = await photo(scene)
    async with scene.database.write() as connection:
        mine = media.c.message_id == key
        gone = sa.update(media).where(mine).values(state=state) if state else sa.delete(media).where(mine)
        await connection.execute(gone)
    scene.photos = [key]
    await scene.report()
    await scene.bring()
    assert (await scene.only()).state == "done"


async def test_retention_waits_for_what_is_not_in_and_erases_who_it_was(scene: Scene) -> None:
    await scene.report()
    scene.system.mood = "down"
    await scene.bring()
    privacy = Privacy(scene.database, scene.clock)
    scene.clock.forward(days=40)
    assert await privacy.purge(28) == 0
    scene.system.mood = ""
    await scene.bring()
    assert await privacy.purge(28) == 1
    assert await scene.house.rows(reports) == []
    [own] = await scene.house.rows(local_reports)
    assert (own.text, own.phone, own.email) == (ARGS["text"], "", "")


async def test_who_is_forgotten_is_forgotten_at_once(scene: Scene) -> None:
    await scene.report()
    assert await Privacy(scene.database, scene.clock).forget("kept", "r1", actor="els")
    assert await scene.house.rows(reports) == []
    assert await scene.bring() == 0


async def test_it_is_followed_until_it_is_closed(scene: Scene) -> None:
    key = await scene.report()
    await scene.bring()
    conversation = await scene.house.key()
    turn = Turn(conversation, "", f"report_follow:{key}", {"a": 1}, {"turn": "t"})
    reply = await scene.desk().reply(turn)
    assert [command.name for command in reply.commands] == ["follow"] and reply.memory == {"a": 1}
    by_words = await scene.desk().reply(Turn(conversation, "houd mij op de hoogte", metadata={"turn": "t"}))
    assert by_words.commands == reply.commands
    async with scene.database.write() as connection:
        row = {name: reply.commands[0].args[name] for name in ("provider", "key", "reference", "state")}
        now = scene.clock()
        await connection.execute(
            sa.insert(case_follows).values(
                id="f", conversation_id=conversation, faults=0, look_at=now, created_at=now, **row
            )
        )
    assert await scene.tidings.look() == 1
    assert len(scene.told()) == 1
    assert await scene.system.reports.done("M-2026-00001", actor="els")
    scene.clock.now += timedelta(minutes=20)
    await scene.tidings.look()
    await scene.house.work()
    assert "afgehandeld" in scene.told()[-1]
    assert await scene.house.rows(case_follows) == []


@pytest.mark.parametrize("choice", ["report_follow:x", "report_follow:", "report_follow"])
async def test_a_report_of_somebody_else_is_not_there(scene: Scene, choice: str) -> None:
    key = await scene.report()
    await scene.bring()
    for one in (choice, f"report_follow:{key}"):
        reply = await scene.desk().reply(Turn("someone-else", "", one, metadata={"turn": "t"}))
        assert not reply.commands


async def test_following_while_the_system_is_away(scene: Scene) -> None:
    key = await scene.report()
    await scene.bring()
    scene.system.mood = "down"
    turn = Turn(await scene.house.key(), "", f"report_follow:{key}", metadata={"turn": "t"})
    reply = await scene.desk().reply(turn)
    assert not reply.commands and reply.messages
