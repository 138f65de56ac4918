"""What came of a question, and whether that was right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.model import Route
from knowledge.evaluate.cases import Case

_SHOWN = (Route.ANSWER, Route.APPOINTMENT, Route.REPORT, Route.STATUS)
"""The routes that show an article as the answer, where they name one."""

_PERSON = (Route.OUT_OF_SCOPE, Route.HANDOFF)


@dataclass(frozen=True, slots=True)
class Given:
    """What came of a question: its route, the articles that were quoted and those that were also likely, best first.

    `confidence`: the probability of the first of them, between 0 and 1, or None where nothing was weighed."""

    route: str
    articles: tuple[str, ...] = ()
    likely: tuple[str, ...] = ()
    confidence: float | None = None

    @property
    def shown(self) -> tuple[str, ...]:
        """The articles that the resident read as the answer."""
        return self.articles if self.route in _SHOWN else ()

    @property
    def choices(self) -> tuple[str, ...]:
        """The articles that the resident could choose from."""
        return self.likely if self.route == Route.CLARIFY else ()

    @property
    def first(self) -> str | None:
        """The article that was put first, if any."""
        return next(iter((*self.shown, *self.choices)), None)


class Verdict(StrEnum):
    """What a resident with this question got."""

    RIGHT = "right"
    """The right article, at once; or the right route, where no other article came with it."""
    FIRST = "first"
    """The right article as the first choice."""
    OFFERED = "offered"
    """The right article as another choice, or as the second of two answers."""
    WRONG = "wrong"
    """Another article, as if it were the answer."""
    MISLED = "misled"
    """Choices without the right article."""
    REFUSED = "refused"
    """"That I do not know", or a person."""
    ELSEWHERE = "elsewhere"
    """Another route without an article: small talk for a question, a task that was not asked for."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A case with its outcome. `seconds`: how long the answer took, None where that was not measured."""

    case: Case
    given: Given
    verdict: Verdict
    seconds: float | None = None

    @property
    def routed(self) -> bool:
        """Whether the way was right: one that is expected; for a plain question an answer or choices, or a task
        on its article."""
        if self.case.routes:
            return self.given.route in self.case.accepted
        return self.given.route in (Route.ANSWER, Route.CLARIFY) or self.verdict is Verdict.RIGHT

    @property
    def right(self) -> bool | None:
        """Whether the article that was put first is right; None where none was shown, or none was expected of a
        task."""
        if self.given.first is None or (self.verdict is Verdict.RIGHT and not self.case.slugs):
            return None
        return self.given.first in self.case.slugs


def judge(case: Case, given: Given, seconds: float | None = None) -> Judged:
    """Hold what came against what was expected."""
    return Judged(case, given, _verdict(case, given), seconds)


def _verdict(case: Case, given: Given) -> Verdict:
    shown, choices = given.shown, given.choices
    if shown and shown[0] in case.slugs:
        return Verdict.RIGHT
    if given.route in case.accepted and not (shown and case.slugs):
        return Verdict.RIGHT
    if choices and choices[0] in case.slugs:
        return Verdict.FIRST
    if set(shown + choices) & set(case.slugs):
        return Verdict.OFFERED
    if shown:
        return Verdict.WRONG
    if given.route == Route.CLARIFY:
        return Verdict.MISLED
    return Verdict.REFUSED if given.route in _PERSON else Verdict.ELSEWHERE
