"""Webhooks on a real socket: only the genuine are taken, each once, and 200 means that it is stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from bot.db.tables import conversations, inbox, messages, outbox
from bot.web.webhooks import MAX_BODY
from tests import services
from tests.fakes.telegram import FakeTelegram
from tests.integration.served import Served, serve

SECRET = "webhook-secret-for-tests"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Webhook:
    """The house with Telegram, whose server is a fake that calls us."""

    served: Served
    fake: FakeTelegram

    async def calls(
        self, body: bytes | BytesIO, secret: str | None = SECRET, channel: str = "telegram"
    ) -> tuple[int, Any]:
        """A call as anyone could make it; status and answer."""
        headers = {} if secret is None else {HEADER: secret}
        url = f"/webhooks/{channel}"
        async with self.served.session.post(url, data=body, headers=headers) as answer:
            assert answer.content_type == "application/json"
            return answer.status, await answer.json()


@asynccontextmanager
async def webhook(url: str, directory: Path, *, worker: bool = True, **more: Any) -> AsyncIterator[Webhook]:
    port = services.free_port()
    async with FakeTelegram() as fake:
        settings = {
            "port": port,
            "public_url": f"http://127.0.0.1:{port}",
            "telegram_token": fake.token,
            "telegram_api_url": fake.url,
            "telegram_webhook_secret": SECRET,
        }
        async with serve(url, directory, worker=worker, **settings, **more) as served:
            yield Webhook(served, fake)


@pytest.fixture
async def telegram(database_url: str, tmp_path: Path) -> AsyncIterator[Webhook]:
    more = {} if database_url.startswith("sqlite") else {"redis_url": services.need(services.redis)}
    async with webhook(database_url, tmp_path, **more) as house:
        await house.fake.until(lambda: bool(house.fake.webhook))
        yield house


def update(number: int, text: str, chat: int = 5_000_000) -> bytes:
    """An update as Telegram writes it."""
    resident = {"id": chat, "is_bot": False, "first_name": "Noor"}
    message = {
        "message_id": number,
        "date": 1_795_424_400,
        "chat": {"id": chat, "type": "private", "first_name": "Noor"},
        "from": resident,
        "text": text,
    }
    return json.dumps({"update_id": 800_000_000 + number, "message": message}).encode()


async def test_a_resident_writes_and_reads_the_answer(telegram: Webhook) -> None:
    resident = telegram.fake.resident()
    resident.say("hallo")
    welcome, answer = await resident.hears(2)
    assert "computer" in welcome
    assert answer == "1: hallo"
    assert telegram.fake.webhook_answers == [200]


async def test_the_same_update_five_times_at_once_is_one_message_and_one_answer(telegram: Webhook) -> None:
    resident = telegram.fake.resident(5_000_000)
    answers = await asyncio.gather(*(telegram.calls(update(1, "hallo")) for _ in range(5)))
    assert answers == [(200, {"accepted": 1})] * 5
    await resident.hears(2)
    assert await telegram.calls(update(1, "hallo")) == (200, {"accepted": 1})
    resident.say("klaar")
    assert (await resident.hears(3))[1:] == ["1: hallo", "2: klaar"]
    assert await telegram.served.count(messages, messages.c.author == "resident") == 2
    assert await telegram.served.count(inbox) == 2


async def test_many_at_once_are_all_stored_and_answered(telegram: Webhook) -> None:
    residents = [telegram.fake.resident(6_000_000 + number) for number in range(20)]
    calls = [
        telegram.calls(update(number, f"{number // 20}", residents[number % 20].id)) for number in range(60)
    ]
    assert {status for status, _ in await asyncio.gather(*calls)} == {200}
    for resident in residents:
        heard = await resident.hears(4, seconds=30)
        assert sorted(text.split(": ")[1] for text in heard[1:]) == ["0", "1", "2"]
        assert [text.split(": ")[0] for text in heard[1:]] == ["1", "2", "3"]


@ONLY_SQLITE
@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", "x" * 5000, "né"])
async def test_who_does_not_know_the_secret_is_refused(telegram: Webhook, secret: str | None) -> None:
    status, answer = await telegram.calls(update(1, "hallo"), secret)
    assert (status, set(answer)) == (403, {"error"})
    assert await telegram.served.count(conversations) == 0


@ONLY_SQLITE
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 50_000],
    ids=["none", "half", "list", "null", "text", "bytes", "deep"],
)
async def test_a_body_that_is_no_update_is_refused(telegram: Webhook, body: bytes) -> None:
    status, answer = await telegram.calls(body)
    assert (status, set(answer)) == (400, {"error"})


@ONLY_SQLITE
@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"update_id": "x"}',
        b'{"update_id": 1, "message": 5}',
        b'{"update_id": 1, "message": {"text": 5}}',
    ],
)
async def test_an_update_that_is_not_for_us_is_thanked_for(telegram: Webhook, body: bytes) -> None:
    """Any other answer would make Telegram send it for a day."""
    assert await telegram.calls(body) == (200, {"accepted": 0})
    assert await telegram.served.count(conversations) == 0


@ONLY_SQLITE
async def test_too_large(telegram: Webhook) -> None:
    status, answer = await telegram.calls(BytesIO(b" " * (MAX_BODY + 1)))
    assert (status, set(answer)) == (413, {"error"})


@ONLY_SQLITE
@pytest.mark.parametrize("channel", ["whatsapp", "Telegram", "telegram/", "webchat", "<b>", "%00"])
async def test_an_unknown_channel(telegram: Webhook, channel: str) -> None:
    status, answer = await telegram.calls(update(1, "hallo"), channel=channel)
    assert (status, set(answer)) == (404, {"error"})
    assert channel not in answer["error"]


@ONLY_SQLITE
async def test_only_post(telegram: Webhook) -> None:
    async with telegram.served.session.get("/webhooks/telegram") as answer:
        assert answer.status == 405


@pytest.mark.parametrize("kind", ["nobody listens", "read only", "not migrated"])
async def test_what_is_not_stored_is_not_acknowledged(kind: str, tmp_path: Path) -> None:
    """503: the vendor tries again."""
    url = {
        "nobody listens": f"postgresql+asyncpg://nobody@127.0.0.1:{services.free_port()}/x",
        "read only": f"sqlite+aiosqlite:///file:{_empty_file(tmp_path)}?mode=ro&uri=true",
        "not migrated": f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}",
    }[kind]
    async with webhook(url, tmp_path, worker=False) as house:
        status, answer = await house.calls(update(1, "Geheim van de inwoner"))
        assert (status, set(answer)) == (503, {"error"})
        for path in ("/chat/sessions", "/chat/messages"):
            headers = {"Authorization": "Bearer x"}
            async with house.served.session.post(path, data=b'{"text": "a"}', headers=headers) as refused:
                assert refused.status == 503
                assert refused.headers["Retry-After"]
        async with house.served.session.get("/health/live") as answer_:
            assert answer_.status == 200


async def test_what_the_vendor_brings_again_is_stored_when_the_store_is_back(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with webhook(database_url, tmp_path) as house:
        await house.fake.until(lambda: bool(house.fake.webhook))
        resident = house.fake.resident()
        real = house.served.house.database.write

        @asynccontextmanager
        async def away() -> AsyncIterator[None]:
            raise OSError("the store is away")
            yield

        monkeypatch.setattr(house.served.house.database, "write", away)
        resident.say("hallo")
        await house.fake.until(lambda: 503 in house.fake.webhook_answers)
        monkeypatch.setattr(house.served.house.database, "write", real)
        assert (await resident.hears(2, seconds=20))[1] == "1: hallo"
        assert house.fake.webhook_answers[-1] == 200
        assert await house.served.count(inbox) == 1
        assert await house.served.count(outbox) == 2


def _empty_file(directory: Path) -> Path:
    path = directory / "readonly.db"
    path.touch()
    return path
