"""What all learn from, what thresholds are chosen on, and what all are measured on."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from bot.model import Route
from bot.settings import ROOT
from knowledge.article import ArticleDraft, parse
from knowledge.calibration import rehearsal
from knowledge.evaluate import Case, read_cases
from knowledge.index import outside_questions
from knowledge.tokens import normal

QUESTIONS = Path(os.environ.get("QUESTIONS") or ROOT / "tests" / "fixtures" / "questions.jsonl")

_HELD_BACK = 5
"""Each fifth outside question is not trained on: a threshold chosen on what was trained on would be too bold."""


@cache
def articles() -> tuple[ArticleDraft, ...]:
    """The shipped articles."""
    paths = sorted((ROOT / "knowledge" / "content").glob("*.md"))
    return tuple(parse(path.read_text("utf-8"), path.name) for path in paths)


def training() -> list[tuple[str, str]]:
    """Texts, each with its intent: titles and phrasings with their slug, and what no article answers."""
    pairs = [(text, draft.slug) for draft in articles() for text in (draft.title, *draft.phrasings)]
    outside = [text for number, text in enumerate(outside_questions()) if number % _HELD_BACK]
    return pairs + [(text, str(Route.OUT_OF_SCOPE)) for text in outside]


def tuning() -> list[Case]:
    """Questions that nobody was trained on: for choosing thresholds, and nothing else."""
    slugs = {draft.slug for draft in articles()}
    cases = [Case(text, (slug,)) for slug, text in rehearsal() if slug in slugs]
    cases += [Case(text, (str(Route.OUT_OF_SCOPE),)) for text in outside_questions()[::_HELD_BACK]]
    learned = {normal(text) for text, _ in training()}
    return [case for case in cases if normal(case.text) not in learned]


def evaluation() -> list[Case]:
    """The questions of QUESTIONS that an article answers, or that none does; tasks and small talk are left out."""
    cases = [case for case in read_cases(QUESTIONS) if case.outside or not case.routes]
    return [case for case in cases if case.slugs or case.outside]
