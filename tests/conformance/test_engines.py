"""Every dialogue engine, held to the same: Rasa over HTTP, and search alone. And what HTTP adds: its failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from actions.fallback import SearchEngine
from bot import engine as module
from bot.engine import HttpEngine
from bot.model import Route
from bot.ports import DialogueEngine, EngineFault, KnowledgeSearch
from bot.web.server import serving
from knowledge.search import HybridSearch
from tests import services
from tests.conformance.engine import DialogueEngineConformance, turn
from tests.integration.engine_process import SECRET, EngineProcess


@pytest.fixture
def search(shipped_search: HybridSearch) -> KnowledgeSearch:
    return shipped_search


@pytest.mark.process
class TestRasaOverHttp(DialogueEngineConformance):
    @pytest.fixture
    async def engine(self, brain: EngineProcess) -> AsyncIterator[DialogueEngine]:
        engine = HttpEngine(brain.url, SECRET)
        yield engine
        await engine.close()

    async def test_without_the_secret_it_is_as_good_as_down(self, brain: EngineProcess) -> None:
        engine = HttpEngine(brain.url, "wrong-secret")
        with pytest.raises(EngineFault) as caught:
            await engine.reply(turn("hallo"))
        assert caught.value.down and "wrong-secret" not in caught.value.reason
        await engine.close()


class TestSearchAlone(DialogueEngineConformance):
    @pytest.fixture
    def engine(self, search: KnowledgeSearch) -> DialogueEngine:
        return SearchEngine(search)


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
GOOD = {"messages": [{"text": "Hallo"}], "commands": [], "memory": {}, "trace": {"route": "smalltalk"}}


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[HttpEngine]:
    """An engine that answers so."""
    app = web.Application()
    app.router.add_route("*", "/{path}", answer)
    async with serving(app, "127.0.0.1", 0) as port:
        engine = HttpEngine(f"http://127.0.0.1:{port}", "secret")
        try:
            yield engine
        finally:
            await engine.close()


def says(body: object, status: int = 200) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        if isinstance(body, bytes):
            return web.Response(body=body, status=status)
        return web.json_response(body, status=status)

    return answer


@pytest.mark.parametrize(
    ("body", "status", "down"),
    [
        (b"<html>Bad gateway</html>", 502, True),
        (b"", 200, True),
        (b"{", 200, True),
        (b"\xff", 500, True),
        ({"error": "starting"}, 503, True),
        ({"error": "actions_unreachable", "detail": "action_answer: ClientConnectorError"}, 503, True),
        ({"error": "unauthorized"}, 401, True),
        ({"error": "turn_failed", "detail": "action_answer: status 500"}, 500, False),
        ({"error": "bad_request", "detail": "body"}, 400, False),
        ([], 500, False),
        ("wat", 400, False),
        (None, 500, False),
        ([], 200, False),
        (None, 200, False),
        ({}, 200, False),
        (GOOD | {"messages": [5]}, 200, False),
        (GOOD | {"messages": ["phrase"]}, 200, False),
        (GOOD | {"messages": [{"text": 5}]}, 200, False),
        (GOOD | {"messages": [{"phrase": ["x"]}]}, 200, False),
        (GOOD | {"messages": [{"phrase": "x", "args": []}]}, 200, False),
        (GOOD | {"messages": [{"text": "a", "choices": [{"id": "a"}]}]}, 200, False),
        (GOOD | {"messages": [{"text": "a", "choices": [{"id": 1, "label": "a"}]}]}, 200, False),
        (GOOD | {"messages": [{"text": "a", "links": 5}]}, 200, False),
        (GOOD | {"commands": [{}]}, 200, False),
        (GOOD | {"commands": [{"name": "handoff", "args": "x"}]}, 200, False),
        (GOOD | {"memory": "veel"}, 200, False),
        (GOOD | {"memory": ["veel"]}, 200, False),
        (GOOD | {"trace": {"route": "omweg"}}, 200, False),
        (GOOD | {"trace": {}}, 200, False),
        (GOOD | {"trace": "x"}, 200, False),
    ],
)
async def test_a_reply_that_is_none_is_a_fault(body: object, status: int, down: bool) -> None:
    async with answering(says(body, status)) as engine:
        with pytest.raises(EngineFault) as caught:
            await engine.reply(turn("Geheim van de inwoner"))
    assert caught.value.down is down
    assert caught.value.reason and "Geheim" not in caught.value.reason


async def test_a_good_reply() -> None:
    async with answering(says(GOOD)) as engine:
        reply = await engine.reply(turn("hallo"))
        assert reply.trace and reply.trace.route is Route.SMALLTALK


async def test_an_engine_that_hangs_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    forever = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await forever.wait()
        return web.Response()

    async with answering(hang) as engine:
        with pytest.raises(EngineFault) as caught:
            await engine.reply(turn("hallo"))
        assert caught.value.down
        forever.set()


async def test_an_engine_that_breaks_off_is_down() -> None:
    async def break_off(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with answering(break_off) as engine:
        with pytest.raises(EngineFault) as caught:
            await engine.reply(turn("hallo"))
        assert caught.value.down
        assert (await engine.health()).state == "degraded"


async def test_nobody_there_is_down_and_degraded() -> None:
    engine = HttpEngine(f"http://127.0.0.1:{services.free_port()}", "secret")
    with pytest.raises(EngineFault) as caught:
        await engine.reply(turn("hallo"))
    assert caught.value.down
    assert (await engine.health()).state == "degraded"
    await engine.close()


@pytest.mark.parametrize("body", [b"", b"{", [], None, "ok", {"state": "starting"}, {"state": ["ok"]}])
async def test_a_health_that_is_not_well(body: object) -> None:
    async with answering(says(body)) as engine:
        assert (await engine.health()).state == "degraded"
