"""Which way messages go, with the real engine and the articles that we ship.

The lines of `fixtures/routes.jsonl` were looked at while the examples were written: they guard what works, and say
nothing about questions not seen.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.db.migrate import migrate
from bot.model import Route
from bot.settings import ROOT
from knowledge.search import HybridSearch
from tests.calendars import SWITCHED
from tests.conftest import SetClock
from tests.integration.engine_process import Conversation, EngineProcess

pytestmark = pytest.mark.process

ROUTES = [
    json.loads(line) for line in (ROOT / "tests" / "fixtures" / "routes.jsonl").read_text().splitlines()
]
FLOOR, FLOOR_EACH = 0.95, 0.88
"""Right ones of all, and of each route."""


def right(expected: list[str], trace: Mapping[str, Any]) -> tuple[str, bool]:
    """The kind of message, and whether it went the way that was expected; for a question that may be a choice."""
    routes = [one for one in expected if one in set(Route)]
    slugs = [one for one in expected if one not in set(Route)]
    if routes:
        return routes[0], trace["route"] in routes and (not slugs or trace["article"] in slugs)
    named = {trace["article"], *(trace["alternatives"] if trace["route"] == "clarify" else ())}
    return "question", bool(named & set(slugs))


@pytest.fixture
async def calendar(tmp_path: Path, clock: SetClock) -> AsyncIterator[None]:
    """Our own calendar, for who wants an appointment."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'klaartje.db'}"
    await migrate(url)
    SWITCHED.open(url, clock)
    yield
    SWITCHED.close()


@pytest.mark.usefixtures("calendar")
async def test_messages_go_the_right_way(brain: EngineProcess, shipped_search: HybridSearch) -> None:
    total: Counter[str] = Counter()
    good: Counter[str] = Counter()
    async with aiohttp.ClientSession() as session:
        for line in ROUTES:
            conversation = Conversation(session, brain.url)
            await conversation.say(line["text"])
            kind, is_right = right(line["expect"], conversation.reply["trace"])
            total[kind] += 1
            good[kind] += is_right
    shares = {kind: good[kind] / total[kind] for kind in total}
    assert len(ROUTES) >= 200 and len(total) == 7
    assert good.total() / total.total() >= FLOOR, shares
    assert min(shares.values()) >= FLOOR_EACH, shares


async def test_slugs_and_routes_are_known(shipped_search: HybridSearch) -> None:
    for line in ROUTES:
        assert all(one in set(Route) or shipped_search.article(one) for one in line["expect"]), line
