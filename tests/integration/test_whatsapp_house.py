"""WhatsApp in the house, with a stand-in for Meta: from the handshake to a file that staff open. On both stores."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from time import time as seconds
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession

from bot.app.roles import private_door
from bot.db.tables import conversations, inbox, media, messages, outbox
from bot.files import Files
from bot.model import Delivery, Outbound
from bot.web import webhooks
from bot.worker import Worker
from tests import services
from tests.fakes.whatsapp import FakeWhatsApp, Resident
from tests.fakes.whatsapp_rules import Refusal
from tests.integration.served import Served, serve
from tests.processes import until

SECOND = "106540352240002"
ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(500)
TEMPLATES = """
schrijf_ons: {text: 'Er is antwoord. Stuur een bericht.', opens: true}
antwoord_klaar: {text: 'Er is antwoord over {onderwerp}.', variables: [onderwerp]}
"""


class Time:
    """Seconds that pass when a test says so, on top of those that pass anyway."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return seconds() + self.ahead


@dataclass
class Town:
    """The house, Meta and one resident."""

    served: Served
    fake: FakeWhatsApp
    resident: Resident

    async def rows(self, table: sa.Table) -> list[Any]:
        """All of a table, in order."""
        order = table.c.seq if "seq" in table.c else table.c.created_at
        async with self.served.house.database.read() as connection:
            return list((await connection.execute(sa.select(table).order_by(order))).all())

    async def state(self, wanted: str, table: sa.Table = outbox) -> Any:
        """Wait until a row of a table is in this state; the last such row."""

        async def there() -> Any:
            return next((row for row in reversed(await self.rows(table)) if row.state == wanted), None)

        return await until(there, 20, f"{table.name} {wanted}")

    async def posts(self, body: bytes, signature: str | None) -> int:
        """A call as anyone could make it."""
        headers = {} if signature is None else {"X-Hub-Signature-256": signature}
        async with self.served.session.post(
            "/webhooks/whatsapp", data=BytesIO(body), headers=headers
        ) as answer:
            await answer.read()
            return answer.status


@asynccontextmanager
async def town(url: str, directory: Path, *, time: Time | None = None, **more: Any) -> AsyncIterator[Town]:
    port = services.free_port()
    templates = directory / "templates.yml"
    templates.write_text(TEMPLATES)
    async with FakeWhatsApp(
        **({"clock": time} if time else {}), numbers=more.pop("numbers", ["106540352240001"])
    ) as fake:
        fake.webhook = f"http://127.0.0.1:{port}/webhooks/whatsapp"
        fake.template("schrijf_ons", "Er is antwoord. Stuur een bericht.")
        fake.template("antwoord_klaar", "Er is antwoord over {{1}}.")
        settings = {name.lower(): value for name, value in fake.settings().items()}
        async with serve(
            url, directory, port=port, whatsapp_templates=templates, **settings, **more
        ) as served:
            yield Town(served, fake, fake.resident())
            assert fake.invalid == []


@pytest.fixture
async def whatsapp(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    more = {} if database_url.startswith("sqlite") else {"redis_url": services.need(services.redis)}
    async with town(database_url, tmp_path, **more) as there:
        yield there


async def test_the_address_is_entered_at_meta(whatsapp: Town) -> None:
    assert await whatsapp.fake.handshake("verify-me") == (200, "1158201444")
    for guess in ("", "verify-mE", "é"):
        status, answer = await whatsapp.fake.handshake(guess)
        assert (status, "1158201444" in answer) == (403, False)


async def test_a_resident_writes_and_reads_one_message(whatsapp: Town) -> None:
    resident = whatsapp.resident
    first = resident.say("hallo")
    [answer] = await resident.hears(1)
    assert "computer" in answer and answer.endswith("1: hallo")
    resident.say("nog iets")
    assert (await resident.hears(2))[1] == "2: nog iets"
    await whatsapp.fake.until(lambda: first in resident.read)
    assert resident.typing >= 1
    await whatsapp.state(Delivery.READ)
    [row] = await whatsapp.rows(conversations)
    assert row.address == resident.user_id


async def test_the_same_call_five_times_at_once_is_one_answer(whatsapp: Town) -> None:
    whatsapp.fake.delivering.copies = (5, 5)
    whatsapp.resident.say("hallo")
    await whatsapp.resident.hears(1)
    await whatsapp.fake.until(lambda: whatsapp.fake.idle)
    whatsapp.fake.delivering.copies = (1, 1)
    whatsapp.resident.say("klaar")
    assert len(await whatsapp.resident.hears(2)) == 2
    assert await whatsapp.served.count(inbox) == 2


@ONLY_SQLITE
async def test_what_meta_did_not_sign_gets_in_nowhere(whatsapp: Town) -> None:
    body = b'{"object": "whatsapp_business_account", "entry": []}'
    good = whatsapp.fake.sign(body)
    for signature in (None, "", good[:-1], good.upper(), whatsapp.fake.sign(body + b" "), "sha1=" + good[7:]):
        assert await whatsapp.posts(body, signature) == 403
    assert await whatsapp.posts(body, good) == 200
    assert await whatsapp.served.count(conversations) == 0


@ONLY_SQLITE
async def test_large_batches_are_taken_and_too_large_ones_are_not(whatsapp: Town) -> None:
    whatsapp.fake.delivering.batch = 500
    residents = [whatsapp.fake.resident() for _ in range(60)]
    for resident in residents:
        resident.say("x" * 4000)  # some 250 KB in one call
    for resident in residents:
        await resident.hears(1, seconds=30)
    assert set(whatsapp.fake.webhook_answers) == {200}
    body = b" " * (webhooks.MAX_BODY + 1)
    assert await whatsapp.posts(body, whatsapp.fake.sign(body)) == 413


async def test_of_a_batch_every_message_is_answered(whatsapp: Town) -> None:
    whatsapp.fake.delivering.batch = 50
    residents = [whatsapp.fake.resident() for _ in range(5)]
    for number in range(4):
        for resident in residents:
            resident.say(f"bericht {number}")
    for resident in residents:
        heard = await resident.hears(4, seconds=30)
        assert [text.split(": ")[-1] for text in heard] == [f"bericht {number}" for number in range(4)]


async def test_a_vendor_that_is_out_of_order(whatsapp: Town) -> None:
    """429, 500 and a broken line: everything arrives, once and in order."""
    whatsapp.fake.fail(Refusal(131000, "x", status=500), Refusal(131000, "x", status=500))
    for number in range(3):
        whatsapp.resident.say(f"bericht {number}")
    heard = await whatsapp.resident.hears(3, seconds=30)
    assert [text.split(": ")[-1] for text in heard] == [f"bericht {number}" for number in range(3)]


async def test_a_failed_receipt_says_why(whatsapp: Town) -> None:
    whatsapp.fake.delivering.receipts = False
    resident = whatsapp.resident
    resident.say("hallo")
    await resident.hears(1)
    sent = await whatsapp.state(Delivery.SENT)
    whatsapp.fake.status(resident.number, sent.external_id, "failed", resident, 131026)
    failed = await whatsapp.state(Delivery.FAILED)
    assert failed.error == "131026: not on WhatsApp, or an old version"


async def test_a_receipt_that_may_pass_has_it_sent_again(whatsapp: Town) -> None:
    whatsapp.fake.delivering.receipts = False
    resident = whatsapp.resident
    resident.say("hallo")
    await resident.hears(1)
    sent = await whatsapp.state(Delivery.SENT)
    whatsapp.fake.status(resident.number, sent.external_id, "failed", resident, 131000)
    heard = await resident.hears(2, seconds=20)
    assert heard[0] == heard[1]


async def test_the_window(database_url: str, tmp_path: Path) -> None:
    time = Time()
    async with town(database_url, tmp_path, time=time) as there:
        resident = there.resident
        resident.say("hallo")
        await resident.hears(1)
        [row] = await there.rows(conversations)
        async with there.served.house.database.write() as connection:
            long_ago = row.last_inbound_at.replace(year=row.last_inbound_at.year - 1)
            await connection.execute(sa.update(conversations).values(last_inbound_at=long_ago))
        time.ahead = 30 * 3600
        post = there.served.house.post
        await post.say(row.id, Outbound("Uw paspoort ligt klaar."), hold=True)
        assert (await resident.hears(2))[-1] == "Er is antwoord. Stuur een bericht."
        resident.say("ja")
        assert (await resident.hears(4, seconds=20))[2:] == ["Uw paspoort ligt klaar.", "2: ja"]
        await post.template(row.id, "antwoord_klaar", {"onderwerp": "afval"})
        assert (await resident.hears(5))[-1] == "Er is antwoord over afval."


async def test_meta_closes_the_window_and_says_so_later(database_url: str, tmp_path: Path) -> None:
    time = Time()
    async with town(database_url, tmp_path, time=time) as there:
        there.fake.late_window = True
        there.resident.say("hallo")
        await there.resident.hears(1)
        time.ahead = 30 * 3600  # for Meta; our own clock thinks that it is open
        [row] = await there.rows(conversations)
        await there.served.house.post.say(row.id, Outbound("Uw paspoort ligt klaar."))
        held = await there.state(Delivery.HELD)
        assert held.error.startswith("131047: ")
        there.resident.say("ja")
        assert "Uw paspoort ligt klaar." in await there.resident.hears(4, seconds=20)


async def test_another_number_and_user_id_keep_the_conversation(whatsapp: Town) -> None:
    resident = whatsapp.resident
    resident.say("een")
    await resident.hears(1)
    resident.new_number("31619999999")
    await whatsapp.fake.until(lambda: whatsapp.fake.idle)
    resident.say("twee")
    assert (await resident.hears(2))[1] == "2: twee"
    [row] = await whatsapp.rows(conversations)
    assert row.address == resident.user_id


async def test_who_hides_the_number_is_answered_all_the_same(whatsapp: Town) -> None:
    hidden = whatsapp.fake.resident(phone=None)
    hidden.say("hallo")
    assert len(await hidden.hears(1)) == 1


@ONLY_SQLITE
async def test_two_numbers_of_one_app_by_one_address(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = tmp_path / "channels.yml"
    channels.write_text(
        f"whatsapp-wijkteam: {{type: whatsapp, token: EAAfake-token, app_secret: fake-app-secret,"
        f' phone_number_id: "{SECOND}"}}'
    )
    numbers = ["106540352240001", SECOND]
    async with town(database_url, tmp_path, numbers=numbers, channels=channels) as there:
        other = there.fake.resident(number=SECOND)
        other.say("hallo")
        there.resident.say("hallo")
        await other.hears(1)
        await there.resident.hears(1)
        assert sorted(row.channel for row in await there.rows(conversations)) == [
            "whatsapp",
            "whatsapp-wijkteam",
        ]
        assert {sent["number"] for sent in there.fake.sent} == set(numbers)
        there.fake.webhooks[SECOND] = there.fake.webhook.replace("/whatsapp", "/whatsapp-wijkteam")  # type: ignore[union-attr]
        other.say("bij de eigen deur")
        await other.hears(2)


async def test_what_is_not_stored_comes_again(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 while the store is away or too slow; Meta brings it again, and it is answered once."""
    async with town(database_url, tmp_path) as there:
        database = there.served.house.database
        real = database.write

        @asynccontextmanager
        async def away() -> AsyncIterator[None]:
            raise OSError("the store is away")
            yield

        @asynccontextmanager
        async def slow() -> AsyncIterator[Any]:
            await asyncio.sleep(0.5)
            async with real() as connection:
                yield connection

        monkeypatch.setattr(database, "write", away)
        there.resident.say("hallo")
        await there.fake.until(lambda: 503 in there.fake.webhook_answers)
        monkeypatch.setattr(database, "write", slow)
        monkeypatch.setattr(webhooks, "PATIENCE", 0.1)
        before = len(there.fake.webhook_answers)
        await there.fake.until(lambda: len(there.fake.webhook_answers) > before)
        assert there.fake.webhook_answers[-1] == 503
        monkeypatch.undo()
        await there.resident.hears(1, seconds=20)
        await there.fake.until(lambda: there.fake.idle)
        assert await there.served.count(inbox) == 1
        assert len(there.resident.heard) == 1


@ONLY_SQLITE
async def test_who_dawdles_is_sent_away(whatsapp: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "BODY_SECONDS", 0.2)
    port = int(whatsapp.served.address.rsplit(":", 1)[1].strip("/"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    assert b" 408 " in await reader.readline()
    writer.close()


@ONLY_SQLITE
async def test_a_body_that_breaks_off_is_no_fault_of_the_store(
    whatsapp: Town, caplog: pytest.LogCaptureFixture
) -> None:
    port = int(whatsapp.served.address.rsplit(":", 1)[1].strip("/"))
    for _ in range(5):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        await writer.drain()
        writer.transport.abort()
    await asyncio.sleep(0.3)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


class TestFiles:
    @asynccontextmanager
    async def fetching(self, there: Town) -> AsyncIterator[Files]:
        """With a worker that fetches files."""
        house = there.served.house
        files = house.files
        worker = Worker(house.inbox, None, house.outbox, house.bus, {}, files)  # type: ignore[arg-type]
        task = asyncio.create_task(worker.run())
        try:
            yield files
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def test_a_photo_is_kept_and_shown_to_who_has_the_link(self, whatsapp: Town) -> None:
        async with self.fetching(whatsapp) as files:
            whatsapp.resident.send_file("image", JPEG, "image/jpeg", caption="deze prullenbak")
            assert "deze prullenbak" in (await whatsapp.resident.hears(1))[0]
            row = await whatsapp.state("stored", media)
            token = await files.link(row.id, actor="els")
        get = whatsapp.served.session.get
        async with get(f"/kcc/files/{token}") as answer:
            assert answer.status == 200
            assert await answer.read() == JPEG
            assert answer.content_type == "image/jpeg"
            headers = answer.headers
            assert headers["Content-Disposition"] == f'inline; filename="{row.id[:8]}.jpg"'
            assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
            assert "sandbox" in headers["Content-Security-Policy"]
        for wrong in (f"{token}x", "x" * 43, row.id, row.file, "..%2f..%2fklaartje.db", "%00"):
            async with get(f"/kcc/files/{wrong}") as answer:
                assert answer.status == 404
                assert wrong not in await answer.text()

    async def test_what_is_no_picture_is_saved_not_shown(self, whatsapp: Town) -> None:
        async with self.fetching(whatsapp) as files:
            whatsapp.resident.send_file(
                "document", b"%PDF-1.7\n" + bytes(99), "application/pdf", filename="a.html"
            )
            row = await whatsapp.state("stored", media)
            token = await files.link(row.id, actor="els")
        async with whatsapp.served.session.get(f"/kcc/files/{token}") as answer:
            assert answer.headers["Content-Disposition"].startswith("attachment; ")
            assert answer.content_type == "application/pdf"

    async def test_a_photo_that_is_taken_back_is_gone(self, whatsapp: Town) -> None:
        async with self.fetching(whatsapp):
            whatsapp.resident.send_file("image", JPEG, "image/jpeg")
            await whatsapp.state("stored", media)
            whatsapp.resident.revoke()

            await whatsapp.state("withdrawn", media)
        line = next(row for row in await whatsapp.rows(messages) if row.author == "resident")
        assert line.revoked_at is not None


async def test_the_operator_sees_counts_and_what_lies(whatsapp: Town) -> None:
    whatsapp.resident.say("hallo")
    await whatsapp.resident.hears(1)
    await whatsapp.state(Delivery.READ)
    house = whatsapp.served.house
    async with (
        private_door(house) as port,
        ClientSession(f"http://127.0.0.1:{port}") as session,
        session.get("/metrics") as answer,
    ):
        page = await answer.text()
    assert re.search(r'klaartje_month_messages\{channel="whatsapp",kind="service",state="sent"\} 1\.0', page)
    assert re.search(
        r'klaartje_month_messages\{channel="whatsapp",kind="service",state="delivered"\} 1\.0', page
    )
    assert 'klaartje_month_free_left{channel="whatsapp"} 999.0' in page
    assert "klaartje_webhook_refused" in page


@ONLY_SQLITE
async def test_health_tells_what_is_on(whatsapp: Town) -> None:
    async with whatsapp.served.session.get("/health/ready") as answer:
        channels = json.loads(await answer.text())["channels"]
    assert channels["whatsapp"]["state"] == "ok"
    assert channels["telegram"] == {"state": "off", "detail": "TELEGRAM_TOKEN is not set"}
