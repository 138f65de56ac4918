"""How well the shipped articles are found, on questions written apart from their phrasings.

`tests/fixtures/questions.jsonl` is for measuring only: nothing is fitted or chosen on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.article import ArticleDraft, parse
from knowledge.encoder import load_encoder
from knowledge.evaluate import Case, evaluate, lines, read_cases
from knowledge.index import IndexedArticle
from knowledge.search import HybridSearch
from knowledge.vectors import FileVectorCache

QUESTIONS = Path(__file__).parents[1] / "fixtures" / "questions.jsonl"
CONTENT = Path(__file__).parents[2] / "knowledge" / "content"


@pytest.fixture(scope="module")
def drafts() -> list[ArticleDraft]:
    return [parse(path.read_text("utf-8"), path.name) for path in sorted(CONTENT.glob("*.md"))]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return read_cases(QUESTIONS)


@pytest.fixture(scope="module")
def search(drafts: list[ArticleDraft], vectors: Path) -> Iterator[HybridSearch]:
    search = HybridSearch(load_encoder(), FileVectorCache(vectors))
    search.rebuild([IndexedArticle(draft.slug, 1, draft) for draft in drafts])
    yield search
    search.close()


async def test_how_good_it_is(search: HybridSearch, cases: list[Case]) -> None:
    """Floors a little below what was measured; they may only go up."""
    report = await evaluate(search, cases)
    summary = "\n".join(lines(report))
    assert report.right_first.value >= 0.91, summary
    assert report.right_offered.value >= 0.95, summary
    assert report.wrong_answers.value <= 0.025, summary
    assert report.outside_refused.value >= 0.87, summary
    assert report.calibration.error <= 0.08, summary
