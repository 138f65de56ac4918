"""Files from Telegram: what residents sent comes as it was, and nothing of it is trusted."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bot.model import Inbound, Kind, Media
from bot.ports import SendFault
from connectors.telegram import Telegram
from tests.fakes.telegram import FILE_LIMIT, Dropped, FakeTelegram
from tests.fakes.telegram_rules import Refusal

PHOTO = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 300
LIMIT = 1_000_000


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server
        assert server.invalid == []


@pytest.fixture
async def telegram(fake: FakeTelegram) -> AsyncIterator[Telegram]:
    channel = Telegram(fake.token, api_url=fake.url)
    yield channel
    await channel.close()


async def fault(telegram: Telegram, media: Media, limit: int = LIMIT) -> tuple[str, bool]:
    """Why the file does not come, and whether it may later."""
    with pytest.raises(SendFault) as caught:
        await telegram.fetch(media, limit)
    return caught.value.reason, caught.value.retryable


def times(method: str, trouble: Exception) -> int:
    """How often it must go wrong: a GET whose connection breaks is asked once more by the client itself."""
    return 2 if method == "file" and isinstance(trouble, Dropped) else 1


@pytest.mark.parametrize(
    ("kind", "mime", "more", "meaning", "caption"),
    [
        ("photo", None, {}, Kind.IMAGE, ""),
        ("voice", "audio/ogg", {}, Kind.AUDIO, ""),
        ("audio", "audio/mpeg", {"file_name": "lied.mp3"}, Kind.AUDIO, ""),
        ("video", "video/mp4", {}, Kind.VIDEO, ""),
        ("animation", "video/mp4", {}, Kind.VIDEO, ""),
        ("video_note", None, {}, Kind.VIDEO, ""),
        ("sticker", None, {}, Kind.STICKER, ""),
        (
            "document",
            "application/pdf",
            {"file_name": "brief.pdf", "caption": "Mijn brief"},
            Kind.DOCUMENT,
            "Mijn brief",
        ),
    ],
)
async def test_a_file_comes_as_it_was_sent(
    fake: FakeTelegram,
    telegram: Telegram,
    kind: str,
    mime: str | None,
    more: dict[str, str],
    meaning: Kind,
    caption: str,
) -> None:
    fake.resident().send_file(kind, PHOTO, mime, **more)
    [message] = telegram.parse(json.dumps(fake.pending[0][2]).encode())
    assert isinstance(message, Inbound)
    assert (message.kind, message.text) == (meaning, caption)
    assert message.media is not None
    assert (message.media.mime, message.media.name) == (mime or "", more.get("file_name", ""))
    assert message.media.size == len(PHOTO)
    assert await telegram.fetch(message.media, LIMIT) == PHOTO


async def test_an_empty_file_is_a_file(fake: FakeTelegram, telegram: Telegram) -> None:
    assert await telegram.fetch(Media(fake.keep(b"")), LIMIT) == b""


async def test_a_file_that_is_too_large_is_not_fetched(fake: FakeTelegram, telegram: Telegram) -> None:
    too_large = ("the file is too large", False)
    key = fake.keep(PHOTO)
    assert await fault(telegram, Media(key, size=len(PHOTO)), len(PHOTO) - 1) == too_large
    assert not fake.sent("getFile")
    assert await fault(telegram, Media(key), len(PHOTO) - 1) == too_large
    assert not fake.sent("file")
    assert await fault(telegram, Media(fake.keep(bytes(FILE_LIMIT + 1))), 2 * FILE_LIMIT) == too_large
    assert await telegram.fetch(Media(key), len(PHOTO)) == PHOTO


async def test_a_file_may_be_larger_than_they_say(
    fake: FakeTelegram, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = fake.keep(PHOTO)
    about = {"file_id": key, "file_size": 3, "file_path": fake.files[key][0]}
    monkeypatch.setattr(fake, "_get_file", lambda _: about)
    assert await fault(telegram, Media(key, size=3), 100) == ("the file is too large", False)


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "photos/../../x",
        "photos/./x.jpg",
        "/var/lib/telegram/photos/file_1.jpg",
        "//elsewhere.example/x",
        "https://elsewhere.example/x.jpg",
        "photos//x.jpg",
        "photos\\x.jpg",
        "photos/%2e%2e/x.jpg",
        "photos/x.jpg?y=1",
        "photos/x.jpg#y",
        "photos/x\n.jpg",
        "x" * 1_000_000 + "..",
        "",
        5,
        None,
    ],
    ids=lambda path: str(path)[:20],
)
async def test_a_path_is_not_trusted(
    fake: FakeTelegram, telegram: Telegram, monkeypatch: pytest.MonkeyPatch, path: object
) -> None:
    monkeypatch.setattr(fake, "_get_file", lambda _: {"file_id": "x", "file_path": path})
    reason, retryable = await fault(telegram, Media("x"))
    assert reason in ("the file is at a place that is not Telegram's", "unreadable answer")
    assert retryable is (not isinstance(path, str))
    assert not fake.sent("file")


@pytest.mark.parametrize(
    "path", ["photos/file_0.jpg", "voice/file_12.oga", "documents/file 3 (1).tar.gz", "documents/bärchen"]
)
async def test_an_ordinary_path_is_fine(fake: FakeTelegram, telegram: Telegram, path: str) -> None:
    assert await telegram.fetch(Media(fake.keep(PHOTO, path)), LIMIT) == PHOTO


@pytest.mark.parametrize(
    ("method", "trouble", "reason", "retryable"),
    [
        ("getFile", Refusal(400, "Bad Request: invalid file_id"), "bad request: ", False),
        (
            "getFile",
            Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable"),
            "the file is unknown, or can't be had just now",
            True,
        ),
        ("getFile", Refusal(400, "Bad Request: file is too big"), "the file is too large", False),
        ("getFile", Refusal(401, "Unauthorized"), "the token is not accepted", True),
        (
            "getFile",
            Refusal(429, "Too Many Requests: retry after 3", retry_after=3),
            "too many requests",
            True,
        ),
        ("getFile", Refusal(502, "Bad Gateway"), "no answer: HTTP 502", True),
        ("getFile", Dropped(), "no answer: ServerDisconnectedError", True),
        ("file", Refusal(404, "Not Found"), "HTTP 404", True),
        ("file", Refusal(500, "Internal Server Error"), "HTTP 500", True),
        ("file", Refusal(302, "Found", Location="http://elsewhere.example/"), "HTTP 302", False),
        ("file", Dropped(), "no answer: ", True),
    ],
)
async def test_what_goes_wrong_has_a_reason(
    fake: FakeTelegram, telegram: Telegram, method: str, trouble: Exception, reason: str, retryable: bool
) -> None:
    key = fake.keep(PHOTO)
    fake.fail(method, *[trouble] * times(method, trouble))
    found = await fault(telegram, Media(key))
    assert found[0].startswith(reason)
    assert found[1] is retryable
    if retryable:
        assert await telegram.fetch(Media(key), LIMIT) == PHOTO


async def test_a_file_that_breaks_off_comes_later(
    fake: FakeTelegram, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": str(len(PHOTO))})
        await answer.prepare(request)
        await answer.write(PHOTO[:100])
        assert request.transport is not None
        request.transport.close()
        return answer

    app = web.Application()
    app.router.add_get("/{path:.*}", half)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setattr(
        telegram._api, "_base_file_url", f"http://127.0.0.1:{runner.addresses[0][1]}/file/bot1:x"
    )
    assert await fault(telegram, Media(fake.keep(PHOTO))) == ("no answer: ClientPayloadError", True)
    await runner.cleanup()


async def test_reasons_and_logs_hold_no_token(fake: FakeTelegram, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    channel = Telegram(fake.token, api_url=fake.url)
    key = fake.keep(PHOTO)
    troubles: list[tuple[str, Any]] = [
        ("file", Dropped()),
        ("file", Refusal(404, fake.token)),
        ("getFile", Refusal(400, f'Bad Request: "{fake.token}"')),
        ("getFile", Refusal(404, "Not Found")),
    ]
    reasons = []
    for method, trouble in troubles:
        fake.fail(method, *[trouble] * times(method, trouble))
        reasons.append((await fault(channel, Media(key)))[0])
    await channel.close()
    reasons.append((await fault(channel, Media(key)))[0])
    for words in (caplog.text, *reasons):
        assert "fake-token" not in words
        assert "1234567" not in words
        assert key not in words
