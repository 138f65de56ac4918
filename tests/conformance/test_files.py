"""Files of residents: fetched once, checked, kept where nobody finds them, shown to staff, purged. On both stores."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from bot import files
from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import audit, media, media_links
from bot.files import Files, Unwelcome, examined
from bot.model import Kind, Media
from bot.ports import SendFault
from bot.privacy import Privacy
from tests.conftest import SetClock
from tests.house import TestHouse

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(500)
LIMIT = 1000


@pytest.fixture
def house(database: Database, clock: SetClock) -> TestHouse:
    return TestHouse(database, MemoryBus(), clock)


@pytest.fixture
def kept(house: TestHouse, tmp_path: Path) -> Files:
    channels = {"kept": house.channel}
    return Files(house.database, MemoryBus(), channels, tmp_path / "media", LIMIT, house.clock)


async def sends(house: TestHouse, ref: str, content: bytes | SendFault, **more: Any) -> None:
    """A resident sends a file."""
    house.channel.files[ref] = content
    await house.say(kind=Kind.IMAGE, media=Media(ref, **more))
    await house.work()


async def fetches(kept: Files) -> int:
    """What is due, done; how many."""
    orders = await kept.claim(10)
    for order in orders:
        await kept.fetch(order)
    return len(orders)


async def test_it_is_kept_under_a_name_that_says_nothing(
    house: TestHouse, kept: Files, tmp_path: Path
) -> None:
    await sends(house, "f1", JPEG, name="../../etc/paspoort Jan.html", mime="text/html")
    assert await fetches(kept) == 1
    [row] = await house.rows(media)
    assert (row.state, row.mime, row.size) == ("stored", "image/jpeg", len(JPEG))
    [path] = (tmp_path / "media").iterdir()
    assert path.name == row.file
    assert len(path.name) == 32
    assert path.read_bytes() == JPEG
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await fetches(kept) == 0


@pytest.mark.parametrize(
    ("content", "more", "why"),
    [
        (JPEG, {"size": LIMIT + 1}, "too large"),
        (JPEG + bytes(LIMIT), {}, "too large"),
        (b"", {}, "empty"),
        (b"<html><script>alert(1)</script></html>", {"mime": "image/jpeg"}, "kind not kept"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", {"mime": "image/svg+xml"}, "kind not kept"),
        (b"MZ" + bytes(300), {"mime": "image/png"}, "kind not kept"),
        (b"PK\x03\x04" + bytes(300), {"name": "brief.docx"}, "kind not kept"),
        (b"hallo", {}, "kind not kept"),
    ],
    ids=["told", "larger than told", "empty", "page", "drawing", "program", "archive", "text"],
)
async def test_what_is_not_kept(
    house: TestHouse, kept: Files, tmp_path: Path, content: bytes, more: dict[str, Any], why: str
) -> None:
    await sends(house, "f1", content, **more)
    await fetches(kept)
    [row] = await house.rows(media)
    assert (row.state, row.file) == ("refused", None)
    assert row.error.startswith(why)
    assert not (tmp_path / "media").exists()


async def test_it_is_tried_again_and_then_given_up(house: TestHouse, kept: Files, clock: SetClock) -> None:
    await sends(house, "f1", SendFault("HTTP 500", retryable=True))
    tried = 0
    for _ in range(files.MAX_ATTEMPTS + 3):
        tried += await fetches(kept)
        clock.forward(minutes=6)
    assert tried == files.MAX_ATTEMPTS
    [row] = await house.rows(media)
    assert (row.state, row.error) == ("failed", "HTTP 500")


async def test_a_resident_hears_that_it_was_not_kept_after_all(house: TestHouse, kept: Files) -> None:
    kept._wording = house.wording
    await sends(house, "f1", b"<html></html>", mime="image/jpeg")
    await sends(house, "f2", b"<svg/>", mime="image/svg+xml")  # that was said at once
    await fetches(kept)
    await house.work()
    assert house.read().count(house.wording.say("file_refused").text) == 1


async def test_a_full_disk_is_not_filled_up(
    house: TestHouse, kept: Files, tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    await sends(house, "f1", JPEG)
    monkeypatch.setattr(files.os, "fsync", full)
    await fetches(kept)
    assert list((tmp_path / "media").iterdir()) == []
    monkeypatch.undo()
    clock.forward(minutes=1)
    await fetches(kept)
    assert [row.state for row in await house.rows(media)] == ["stored"]


async def test_a_fault_of_ours_is_given_up(house: TestHouse, kept: Files, clock: SetClock) -> None:
    await sends(house, "f1", JPEG)
    house.channel.files.clear()  # a KeyError in the channel
    for _ in range(files.MAX_ATTEMPTS):
        await fetches(kept)
        clock.forward(minutes=6)
    assert [row.state for row in await house.rows(media)] == ["failed"]


async def test_what_was_withdrawn_is_taken_away(house: TestHouse, kept: Files, tmp_path: Path) -> None:
    house.channel.files["f1"] = JPEG
    await house.say(kind=Kind.IMAGE, media=Media("f1"), ref="7")
    await house.work()
    await fetches(kept)
    [row] = await house.rows(media)
    token = await kept.link(row.id, actor="els")
    await house.say(kind=Kind.REVOKE, ref="7")
    await house.work()
    assert token
    assert await kept.opened(token) is None
    await kept.tidy()
    assert list((tmp_path / "media").iterdir()) == []
    assert not await house.rows(media)


async def test_what_is_gone_at_the_vendor_is_given_up(house: TestHouse, kept: Files) -> None:
    await sends(house, "f1", SendFault("gone", retryable=False))
    await fetches(kept)
    assert [row.state for row in await house.rows(media)] == ["failed"]


async def test_a_dead_worker_is_followed_up(house: TestHouse, kept: Files, clock: SetClock) -> None:
    await sends(house, "f1", JPEG)
    assert len(await kept.claim(10)) == 1
    assert await fetches(kept) == 0
    clock.forward(seconds=files.LEASE.total_seconds() + 1)
    assert await fetches(kept) == 1


async def test_a_link_opens_it_for_ten_minutes_and_that_is_noted(
    house: TestHouse, kept: Files, clock: SetClock
) -> None:
    await sends(house, "f1", JPEG)
    [row] = await house.rows(media)
    assert await kept.link(row.id, actor="els") is None
    await fetches(kept)
    token = await kept.link(row.id, actor="els")
    assert token
    found = await kept.opened(token)
    assert found
    assert (found.mime, found.name) == ("image/jpeg", f"{row.id[:8]}.jpg")
    assert found.path.read_bytes() == JPEG
    [note] = await house.rows(audit)
    assert (note.actor, note.action, note.object) == ("els", "opened file", row.id)
    assert token not in str([tuple(link) for link in await house.rows(media_links)])
    assert await kept.opened(token[:-1]) is None
    clock.forward(minutes=11)
    assert await kept.opened(token) is None
    await kept.tidy()
    assert not await house.rows(media_links)


async def test_it_goes_with_the_conversation(
    house: TestHouse, kept: Files, tmp_path: Path, clock: SetClock
) -> None:
    await sends(house, "f1", JPEG)
    await fetches(kept)
    privacy = Privacy(house.database, clock, kept)
    clock.forward(days=27)
    assert await privacy.purge(28) == 0
    assert len(list((tmp_path / "media").iterdir())) == 1
    clock.forward(days=2)
    assert await privacy.purge(28) == 1
    assert list((tmp_path / "media").iterdir()) == []
    assert not await house.rows(media)


async def test_what_a_crash_left_is_tidied(house: TestHouse, kept: Files, tmp_path: Path) -> None:
    await sends(house, "f1", JPEG)
    await fetches(kept)
    [row] = await house.rows(media)
    for name in ("0" * 32, f"{'1' * 32}.part", "2" * 32):
        (tmp_path / "media" / name).write_bytes(b"x")
    hours_ago = time.time() - 2 * files.ORPHAN_AGE
    for path in (tmp_path / "media").iterdir():
        if not path.name.startswith("2"):
            os.utime(path, (hours_ago, hours_ago))
    assert await kept.tidy() == 2
    assert {path.name for path in (tmp_path / "media").iterdir()} == {row.file, "2" * 32}


def test_every_kind_that_is_kept_is_recognised() -> None:
    box = b"\x00\x00\x00\x18ftyp%b\x00\x00\x00\x00%b" + bytes(200)
    heads = {
        "image/jpeg": JPEG,
        "image/png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(200),
        "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(200),
        "image/gif": b"GIF89a" + bytes(200),
        "image/heic": box % (b"heic", b"mif1heic"),
        "audio/ogg": b"OggS\x00\x02" + bytes(22) + b"OpusHead" + bytes(200),
        "audio/mpeg": b"ID3\x03\x00\x00\x00\x00\x00\x21" + bytes(200),
        "audio/mp4": box % (b"M4A ", b"M4A "),
        "audio/aac": b"\xff\xf1\x50\x80" + bytes(200),
        "audio/amr": b"#!AMR\n" + bytes(200),
        "video/mp4": box % (b"mp42", b"mp42isom"),
        "video/3gpp": box % (b"3gp4", b"isom"),
        "video/quicktime": box % (b"qt  ", b"qt  "),
        "application/pdf": b"%PDF-1.7\n" + bytes(200),
    }
    assert set(heads) == set(files.ALLOWED)
    assert {mime: examined(head, LIMIT) for mime, head in heads.items()} == {mime: mime for mime in heads}
    for brand in (b"isom", b"iso2", b"iso5", b"iso6", b"mp41", b"avc1", b"dash"):
        assert examined(box % (brand, brand), LIMIT) == "video/mp4"
    assert examined(box % (b"mif1", b"heic"), LIMIT) == "image/heic"
    for frame in (b"\xff\xfb\x90\x64", b"\xff\xf3\x90\x64"):
        assert examined(frame + bytes(200), LIMIT) == "audio/mpeg"
    assert examined(b"\xef\xbb\xbf%PDF-1.7\n" + bytes(200), LIMIT) == "application/pdf"
    for other in (b"%!PS", b"<html>%PDF-</html>"):
        with pytest.raises(Unwelcome):
            examined(other, LIMIT)
