"""Conversations as truth files: what a resident says, and all that the resident then reads, in the real house."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.search import HybridSearch
from tests.conversations import truth
from tests.conversations.play import playing
from tests.integration.engine_process import EngineProcess

pytestmark = [
    pytest.mark.process,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.mark.parametrize("path", truth.files(), ids=lambda path: path.stem)
async def test_conversation(
    path: Path,
    database_url: str,
    brain: EngineProcess,
    shipped_search: HybridSearch,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    written = truth.read(path)
    async with playing(written, database_url, brain.url, shipped_search, tmp_path) as play:
        played = await play.all(written)
    if pytestconfig.getoption("--update-conversations"):
        truth.write(path, played)
    assert played == truth.read(path)
