"""How well the shipped articles are found, on questions written apart from their phrasings.

`tests/fixtures/questions.jsonl` is for measuring only: nothing is fitted or chosen on it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.model import Route
from knowledge.article import ArticleDraft, parse
from knowledge.calibration import rehearsal
from knowledge.encoder import load_encoder
from knowledge.evaluate import Case, evaluate, read_cases
from knowledge.index import IndexedArticle, outside_questions
from knowledge.search import HybridSearch
from knowledge.tokens import normal
from knowledge.vectors import FileVectorCache

QUESTIONS = Path(__file__).parents[1] / "fixtures" / "questions.jsonl"
CONTENT = Path(__file__).parents[2] / "knowledge" / "content"
NEARLY = 0.88


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


def test_the_questions(cases: list[Case], drafts: list[ArticleDraft]) -> None:
    slugs = {draft.slug for draft in drafts}
    assert len({normal(case.text) for case in cases}) == len(cases) >= 150
    assert sum(case.expect == (Route.OUT_OF_SCOPE,) for case in cases) >= 30
    assert all(set(case.expect) <= slugs or case.expect == (Route.OUT_OF_SCOPE,) for case in cases)


def test_no_question_was_seen_before(cases: list[Case], drafts: list[ArticleDraft]) -> None:
    """Not among the phrasings, and not among what the calibration learns from: exactly or nearly."""
    seen = {normal(phrasing) for draft in drafts for phrasing in draft.phrasings}
    seen |= {normal(text) for _, text in rehearsal()} | {normal(text) for text in outside_questions()}
    matcher = difflib.SequenceMatcher(autojunk=False)
    found = []
    for case in cases:
        matcher.set_seq2(normal(case.text))
        for other in seen:
            matcher.set_seq1(other)
            bounds = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)
            if all(bound() >= NEARLY for bound in bounds):
                found.append((case.text, other))
    assert found == []


async def test_how_good_it_is(search: HybridSearch, cases: list[Case]) -> None:
    """Floors a little below what was measured; they may only go up."""
    report = await evaluate(search, cases)
    summary = "\n".join(report.lines())
    assert report.right_first >= 0.84, summary
    assert report.right_offered >= 0.88, summary
    assert report.wrong_answers <= 0.03, summary
    assert report.outside_refused >= 0.85, summary
    assert report.calibration_error <= 0.11, summary
