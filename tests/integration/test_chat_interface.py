"""The web chat interface on a real socket: what it takes, what it refuses, and a stream without gaps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import pytest
from aiohttp import ClientSession, ClientTimeout

from bot.db.tables import chat_sessions, conversations, inbox, messages
from bot.model import Choice, Outbound, Reply, Turn
from tests import services
from tests.integration.served import Reader, Served, Visitor, serve

ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    """With Redis beside PostgreSQL, with neither beside SQLite: the two ways in which it runs."""
    more = {} if database_url.startswith("sqlite") else {"redis_url": services.need(services.redis)}
    async with serve(database_url, tmp_path, **more) as house:
        yield house


@pytest.fixture
async def visitor(served: Served) -> Visitor:
    return await served.visitor()


class TestConversation:
    async def test_a_session_opens_with_the_welcome(self, visitor: Visitor) -> None:
        [welcome] = await visitor.reads()
        assert "computer" in welcome["text"]
        assert welcome["from"] == "bot"
        assert welcome["choices"] == [{"id": "human", "label": "Praat met een mens"}]
        assert set(welcome) == {"id", "from", "text", "choices", "links", "article", "at"}

    async def test_a_question_is_answered_once_and_in_order(self, visitor: Visitor) -> None:
        [welcome] = await visitor.reads()
        ids = [await visitor.says(str(number)) for number in range(10)]
        lines = await visitor.waits(21)
        assert [line["id"] for line in lines if line["from"] == "resident"] == ids
        assert [line["text"] for line in lines if line["from"] == "bot"][1:] == [
            f"{n + 1}: {n}" for n in range(10)
        ]
        assert len({line["id"] for line in lines}) == 21
        assert await visitor.reads(after=lines[10]["id"]) == lines[11:]
        assert await visitor.reads(after=lines[-1]["id"]) == []
        assert (await visitor.reads(after="unknown"))[0] == welcome

    async def test_sessions_do_not_see_each_other(self, served: Served, visitor: Visitor) -> None:
        other = await served.visitor()
        key = await visitor.says("geheim")
        await visitor.waits(3)
        assert len(await other.reads()) == 1
        assert all("geheim" not in line["text"] for line in await other.reads(after=key))

    async def test_the_same_message_five_times_at_once_is_one(self, served: Served, visitor: Visitor) -> None:
        ids = await asyncio.gather(*(visitor.says("hallo", client_id="c1") for _ in range(5)))
        assert len(set(ids)) == 1
        lines = await visitor.waits(3)
        assert [line["text"] for line in lines[1:]] == ["hallo", "1: hallo"]
        assert await served.count(inbox) == 1
        assert await visitor.says("hallo", client_id="c1") == ids[0]  # long after
        assert len(await visitor.waits(3)) == 3

    async def test_the_same_client_id_of_two_residents_is_two_messages(
        self, served: Served, visitor: Visitor
    ) -> None:
        other = await served.visitor()
        assert await visitor.says("hallo", client_id="c1") != await other.says("hallo", client_id="c1")
        assert (await other.waits(3))[1]["text"] == "hallo"

    @ONLY_SQLITE
    async def test_a_choice_is_shown_by_its_label(self, served: Served, visitor: Visitor) -> None:
        async def offer(turn: Turn) -> Reply:
            return Reply((Outbound(turn.choice or "Bedoelt u?", (Choice("article:x", "Een <b>x</b>"),)),))

        served.engine.think = offer
        await visitor.says("hoi")
        await visitor.waits(3)
        assert (await visitor.posts(choice="article:x"))[0] == 202
        lines = await visitor.waits(5)
        assert [line["text"] for line in lines[3:]] == ["Een <b>x</b>", "article:x"]
        assert (await visitor.posts(choice="article:never-offered"))[0] == 202
        assert "knop" in (await visitor.waits(7))[-1]["text"]


class TestStream:
    async def test_it_brings_what_happens(self, visitor: Visitor) -> None:
        async with visitor.listens() as reader:
            [welcome] = await reader.messages(1)
            await visitor.says("hallo")
            await reader.messages(3)
        assert reader.seen == await visitor.reads()
        assert reader.seen[0] == welcome
        assert reader.last == reader.seen[-1]["id"]

    async def test_no_gap_and_no_double_over_reconnects(self, served: Served, visitor: Visitor) -> None:
        last, seen = "", []
        for round_ in range(5):
            async with visitor.listens(last) as reader:
                await visitor.says(f"bericht {round_}")
                seen += await reader.messages(2 if round_ else 3)
                last = reader.last
            await visitor.says(f"onder de tunnel {round_}")  # nobody listens
            whole = await visitor.waits(1 + 4 * (round_ + 1))
            async with visitor.listens(last) as reader:
                seen += await reader.messages(2)
                last = reader.last
        assert [line["id"] for line in seen] == [line["id"] for line in whole]

    async def test_what_came_while_another_waited_is_not_passed_over(
        self, served: Served, visitor: Visitor
    ) -> None:
        """Who has seen the second question before the first answer still gets that answer."""
        first_answer = asyncio.Event()

        async def slow(turn: Turn) -> Reply:
            await first_answer.wait()
            return Reply((Outbound(f"antwoord op {turn.text}"),))

        served.engine.think = slow
        one, two = await visitor.says("een"), await visitor.says("twee")
        assert [line["id"] for line in await visitor.reads()][1:] == [one, two]
        async with visitor.listens() as reader:
            await reader.messages(3)
            first_answer.set()
            await reader.messages(5)
        whole = await visitor.waits(5)
        assert sorted(line["id"] for line in reader.seen) == sorted(line["id"] for line in whole)
        after = [line["text"] for line in await visitor.reads(after=two)]
        assert after == ["antwoord op een", "antwoord op twee"]
        async with visitor.listens(two) as again:
            while not again.seen or again.seen[-1] != whole[-1]:
                await again.messages(len(again.seen) + 1)
        assert {"antwoord op een", "antwoord op twee"} <= {line["text"] for line in again.seen}

    async def test_the_lines_come_in_their_order_after_a_reconnect(self, visitor: Visitor) -> None:
        for number in range(5):
            await visitor.says(str(number))
        whole = await visitor.waits(11)
        for line in whole[:-1]:
            rest = whole[whole.index(line) + 1 :]
            async with visitor.listens(line["id"]) as reader:
                while not reader.seen or reader.seen[-1] != whole[-1]:
                    await reader.messages(len(reader.seen) + 1)
            assert reader.seen == rest or line["from"] == "resident"
            assert [seen for seen in reader.seen if seen in rest] == rest

    async def test_two_readers_see_the_same(self, visitor: Visitor) -> None:
        async with visitor.listens() as one, visitor.listens() as two:
            await visitor.says("hallo")
            assert await one.messages(3) == await two.messages(3)

    @ONLY_SQLITE
    async def test_who_types_is_told(self, served: Served, visitor: Visitor) -> None:
        go_on = asyncio.Event()

        async def slow(turn: Turn) -> Reply:
            await go_on.wait()
            return Reply((Outbound("klaar"),))

        served.engine.think = slow
        async with visitor.listens() as reader, asyncio.timeout(10):
            await visitor.says("hallo")
            while (await reader.next()) != ("typing", {"typing": True, "owner": "bot"}):
                pass
            go_on.set()
            while (await reader.next()) != ("typing", {"typing": False, "owner": "bot"}):
                pass
            assert [line["text"] for line in await visitor.reads()][1:] == ["hallo", "klaar"]

    async def test_a_stop_ends_the_streams(self, database_url: str, tmp_path: Path) -> None:
        async with ClientSession() as session:
            async with serve(database_url, tmp_path) as served:
                visitor = await served.visitor()
                url = f"{served.address}chat/events"
                answer = await session.get(url, headers=visitor.headers, timeout=ClientTimeout(total=None))
                reader = Reader(answer)
                await reader.messages(1)
                began = monotonic()
            assert monotonic() - began < 3
            with pytest.raises(EOFError):
                while True:
                    await reader.next()


NASTY = {
    "emoji": "👍👩‍👩‍👧‍👦",
    "right to left": "مرحبا كيف حالك\u202egnirts",
    "NUL": "a\x00b",
    "half a character": "a\ud83db",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "SQL": "'; DROP TABLE messages; --",
    "newlines": "a\r\n\r\nevent: message\ndata: {}\n\n",
    "4000": "é" * 4000,
    "4000 emoji": "😀" * 4000,
}


@ONLY_SQLITE
class TestNastyTexts:
    @pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
    async def test_it_is_kept_as_it_is_and_answered(self, visitor: Visitor, text: str) -> None:
        kept = text.replace("\x00", "").encode("utf-8", "ignore").decode().strip()
        async with visitor.listens() as reader:
            await visitor.says(text)
            lines = await reader.messages(3)
        assert [line["text"] for line in lines[1:]] == [kept, f"1: {kept}"]
        assert await visitor.reads() == lines

    async def test_as_json_and_never_as_a_page(self, served: Served, visitor: Visitor) -> None:
        await visitor.says("<script>alert(1)</script>")
        await visitor.waits(3)
        for path in ("/chat/messages", "/chat/messages?after=<script>alert(1)</script>"):
            async with served.session.get(path, headers=visitor.headers) as answer:
                assert answer.content_type == "application/json"


REFUSED = {
    "nothing": (b"", 400),
    "half": (b'{"text": "hal', 400),
    "not UTF-8": (b"\xff\xfe", 400),
    "a list": (b'["hallo"]', 400),
    "a string": (b'"hallo"', 400),
    "null": (b"null", 400),
    "empty": (b'{"text": ""}', 400),
    "only space": (b'{"text": " \\n\\t "}', 400),
    "only NUL": (b'{"text": "\\u0000"}', 400),
    "a number": (b'{"text": 5}', 400),
    "an object": (b'{"text": {"$gt": ""}}', 400),
    "a choice that is a list": (b'{"choice": ["human"]}', 400),
    "both": (b'{"text": "a", "choice": "human"}', 400),
    "a long choice": (b'{"choice": "' + b"x" * 65 + b'"}', 400),
    "a long client id": (b'{"text": "a", "client_id": "' + b"x" * 65 + b'"}', 400),
    "too deep": (b'{"text": ' + b"[" * 40_000 + b"]" * 40_000 + b"}", 400),
    "a huge number": (b'{"text": ' + b"9" * 90_000 + b"}", 400),
    "4001": (json.dumps({"text": "x" * 4001}).encode(), 413),
    "100 KB": (json.dumps({"text": "x" * 100 * 1024}).encode(), 413),
    "900 KB": (b"x" * 900 * 1024, 413),
}


@ONLY_SQLITE
class TestRefusals:
    @pytest.mark.parametrize(("body", "status"), REFUSED.values(), ids=REFUSED.keys())
    async def test_a_body_that_is_not_a_message(
        self, served: Served, visitor: Visitor, body: bytes, status: int
    ) -> None:
        got, answer = await visitor.posts(body)
        assert (got, set(answer)) == (status, {"error"})
        assert 0 < len(answer["error"]) < 100
        assert "xxx" not in answer["error"]
        assert await served.count(inbox) == 0
        assert len(await visitor.reads()) == 1

    @pytest.mark.parametrize(
        "authorization",
        [
            None,
            "",
            "Bearer",
            "Bearer ",
            "Bearer wrong",
            "Basic abc",
            "Bearer " + "x" * 4000,
            "Bearer \u00e9\u0142",
        ],
    )
    async def test_an_unknown_session(self, served: Served, authorization: str | None) -> None:
        headers = {} if authorization is None else {"Authorization": authorization}
        for method, path in (("POST", "/chat/messages"), ("GET", "/chat/messages"), ("GET", "/chat/events")):
            async with served.session.request(method, path, data=b'{"text": "a"}', headers=headers) as answer:
                assert answer.status == 401
                assert set(await answer.json()) == {"error"}
        assert await served.count(conversations) == 0

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/chat/sessions", 405),
            ("DELETE", "/chat/messages", 405),
            ("POST", "/chat/events", 405),
            ("POST", "/", 405),
            ("GET", "/chat", 404),
            ("GET", "/<script>alert(1)</script>", 404),
            ("GET", "/static/../bot/settings.py", 404),
            ("GET", "/static/0123456789abcdef/..%2f..%2fserver.py", 404),
            ("GET", "/actions/webhook", 404),
            ("GET", "/metrics", 404),
            ("PATCH", "/chat/messages", 405),
        ],
    )
    async def test_a_way_that_is_not_there(self, served: Served, method: str, path: str, status: int) -> None:
        async with served.session.request(method, path) as answer:
            assert answer.status == status
            assert answer.content_type == "application/json"
            body = await answer.text()
        assert "script" not in body

    async def test_huge_headers_and_lines(self, served: Served) -> None:
        for raw in (
            b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03<script>\r\n\r\n",
            b"POST /chat/messages HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        ):
            first, rest = await _raw(served, raw)
            assert first.startswith(b"HTTP/1.") and b" 400 " in first
            assert b"Content-Type: text/plain" in rest
        async with served.session.get("/health/live") as answer:
            assert answer.status == 200

    async def test_a_body_that_never_comes_holds_nobody_up(self, served: Served, visitor: Visitor) -> None:
        port = int(served.address.rsplit(":", 1)[1].rstrip("/"))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /chat/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {visitor.token}\r\n"
        writer.write(head.encode() + b"Content-Length: 100\r\n\r\n{")
        await writer.drain()
        await visitor.says("hallo")
        assert len(await visitor.waits(3)) == 3
        writer.close()
        await writer.wait_closed()

    async def test_too_many_messages(self, served: Served, visitor: Visitor) -> None:
        results = [await visitor.posts(text="a", client_id=str(number)) for number in range(25)]
        statuses = [status for status, _ in results]
        assert statuses.count(202) >= 20
        assert statuses[-1] == 429 and "error" in results[-1][1]
        assert await served.count(inbox) == statuses.count(202)
        other = await served.visitor()
        assert (await other.posts(text="a"))[0] == 202

    async def test_too_many_sessions(self, served: Served) -> None:
        statuses = []
        for _ in range(35):
            async with served.session.post("/chat/sessions") as answer:
                statuses.append(answer.status)
        assert statuses[-1] == 429
        assert await served.count(chat_sessions) == await served.count(conversations) == statuses.count(201)
        assert await served.count(messages) == statuses.count(201)


async def test_no_token_is_stored(served: Served, visitor: Visitor, database_url: str) -> None:
    async with served.house.database.read() as connection:
        for row in await connection.execute(chat_sessions.select()):
            assert visitor.token not in str(row)


async def test_a_session_outlives_a_restart(database_url: str, tmp_path: Path) -> None:
    async with serve(database_url, tmp_path) as served:
        visitor = await served.visitor()
        await visitor.says("hallo")
        before = await visitor.waits(3)
    async with serve(database_url, tmp_path) as served:
        again = Visitor(served, visitor.token)
        assert await again.reads() == before
        await again.says("nog iets")
        assert (await again.waits(5))[-1]["text"] == "2: nog iets"


async def test_what_came_in_while_the_worker_was_away_is_answered(database_url: str, tmp_path: Path) -> None:
    async with serve(database_url, tmp_path, worker=False) as served:
        visitor = await served.visitor()
        key = await visitor.says("hallo")
        assert [line["id"] for line in await visitor.reads()][1:] == [key]  # it is shown at once
        assert await visitor.reads(after=key) == []
    async with serve(database_url, tmp_path) as served:
        lines = await Visitor(served, visitor.token).waits(3)
        assert [line["text"] for line in lines[1:]] == ["hallo", "1: hallo"]
        assert lines[1]["id"] == key


@ONLY_SQLITE
async def test_a_forgotten_resident_is_a_stranger(served: Served, visitor: Visitor) -> None:
    from bot.privacy import Privacy

    await visitor.says("hallo")
    await visitor.waits(3)
    async with served.house.database.read() as connection:
        address = await connection.scalar(chat_sessions.select().with_only_columns(chat_sessions.c.address))
    assert await Privacy(served.house.database).forget("webchat", str(address), actor="test")
    status, answer = await visitor.posts(text="ben ik er nog?")
    assert (status, set(answer)) == (401, {"error"})
    assert await served.count(conversations) == 0


@ONLY_SQLITE
async def test_the_page_is_there(served: Served) -> None:
    async with served.session.get("/") as answer:
        assert answer.status == 200
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "Zonneveen" in await answer.text()


async def _raw(served: Served, raw: bytes) -> tuple[bytes, bytes]:
    port = int(served.address.rsplit(":", 1)[1].rstrip("/"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer.split(b"\r\n", 1)[0], answer
