"""The search alone, judged as if its best were shown: fast, and without the dialogue."""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter

from bot.model import Route
from bot.ports import Found, KnowledgeSearch, Thresholds
from knowledge.evaluate.cases import Case
from knowledge.evaluate.judge import Given, Judged, judge
from knowledge.evaluate.report import Report, report

CHOICES = 3


async def evaluate(search: KnowledgeSearch, cases: Iterable[Case]) -> Report:
    """Ask the search every question that is one, by its thresholds. It knows no tasks and no small talk: of what
    is expected only articles count, or none."""
    questions = [
        Case(case.text, case.slugs or (Route.OUT_OF_SCOPE,)) for case in cases if case.slugs or case.outside
    ]
    themes = {
        slug: article.theme for case in questions for slug in case.slugs if (article := search.article(slug))
    }
    return report([await _ask(search, case) for case in questions], themes)


async def _ask(search: KnowledgeSearch, case: Case) -> Judged:
    started = perf_counter()
    found = await search.search(case.text)
    return judge(case, given_by(found, search.thresholds), perf_counter() - started)


def given_by(found: list[Found], limits: Thresholds) -> Given:
    """What a resident would get: the first, or the choices, or nothing."""
    top = found[0].probability if found else 0.0
    slugs = tuple(one.slug for one in found[:CHOICES])
    if slugs and top >= limits.answer:
        return Given(Route.ANSWER, slugs[:1], confidence=top)
    if slugs and sum(one.probability for one in found) >= limits.clarify:
        return Given(Route.CLARIFY, (), slugs, top)
    return Given(Route.OUT_OF_SCOPE, confidence=top)
