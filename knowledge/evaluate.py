"""How good a search is, on questions with the answer they should get."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.ports import Found, KnowledgeSearch

CHOICES = 3
_BINS = 10


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and what may come of it: slugs of articles, or names of routes (such as `out_of_scope`)."""

    text: str
    expect: tuple[str, ...]


class Verdict(StrEnum):
    """What a resident with this question would get."""

    ANSWERED = "answered"
    """The right article."""
    OFFERED = "offered"
    """The right article among the choices."""
    WRONG = "wrong"
    """Another article, as if it were the answer."""
    MISLED = "misled"
    """Choices without the right article."""
    REFUSED = "refused"
    """"That I do not know.\""""


@dataclass(frozen=True, slots=True)
class Judged:
    """A case with its outcome."""

    case: Case
    verdict: Verdict
    found: tuple[Found, ...]
    in_scope: bool
    first: bool
    """Whether the article that the search puts first is right."""


@dataclass(frozen=True, slots=True)
class Report:
    """Shares are between 0 and 1: of the questions that an article answers, unless said otherwise."""

    questions: int
    outside: int
    right_first: float
    """The right article is first, and is given or offered."""
    right_offered: float
    """The right article is given or among the choices."""
    answered: float
    """The right article is given straight away."""
    wrong_answers: float
    """Of all questions: an article is given that is not the answer."""
    refused: float
    outside_refused: float
    """Of the questions that no article answers: refused."""
    calibration_error: float
    """Expected calibration error of the first probability, over all questions, in ten bins."""
    confusions: tuple[tuple[str, str, int], ...]
    """Which slug was expected, which came first, how often."""
    judged: tuple[Judged, ...]

    def lines(self) -> list[str]:
        """The report as text."""
        return [
            f"questions                   {self.questions} and {self.outside} outside",
            f"right first                 {self.right_first:6.1%}",
            f"right first or offered      {self.right_offered:6.1%}",
            f"answered at once            {self.answered:6.1%}",
            f"wrong answer given          {self.wrong_answers:6.1%}",
            f"refused                     {self.refused:6.1%}",
            f"outside: refused            {self.outside_refused:6.1%}",
            f"expected calibration error  {self.calibration_error:6.3f}",
            *(f"confused {count}x: {wanted} -> {got}" for wanted, got, count in self.confusions),
        ]


def read_cases(path: Path) -> list[Case]:
    """Cases of a JSON-lines file: `{"text", "expect": [...]}`. Raises ValueError that names the line."""
    lines = enumerate(path.read_text("utf-8").splitlines(), 1)
    return [_case(number, line) for number, line in lines if line.strip()]


def _case(number: int, line: str) -> Case:
    try:
        row = json.loads(line)
        text, expect = row["text"], row["expect"]
    except (ValueError, TypeError, KeyError):
        text = expect = None
    if not isinstance(text, str) or not isinstance(expect, list):
        raise ValueError(f'line {number} is not {{"text": "...", "expect": ["slug"]}}')
    return Case(text, tuple(map(str, expect)))


async def evaluate(search: KnowledgeSearch, cases: Iterable[Case]) -> Report:
    """Ask every question and judge what comes of it."""
    return _report([await _judge(search, case) for case in cases])


async def _judge(search: KnowledgeSearch, case: Case) -> Judged:
    found = tuple(await search.search(case.text))
    top = found[0].probability if found else 0.0
    limits = search.thresholds
    shown = found[:1] if top >= limits.answer else found[:CHOICES]
    right = any(one.slug in case.expect for one in shown)
    if top < limits.clarify or not found:
        verdict = Verdict.REFUSED
    elif top >= limits.answer:
        verdict = Verdict.ANSWERED if right else Verdict.WRONG
    else:
        verdict = Verdict.OFFERED if right else Verdict.MISLED
    in_scope = any(search.article(slug) for slug in case.expect)
    return Judged(case, verdict, found, in_scope, bool(found) and found[0].slug in case.expect)


def _report(judged: Sequence[Judged]) -> Report:
    inside = [one for one in judged if one.in_scope]
    outside = [one for one in judged if not one.in_scope]
    shown = (Verdict.ANSWERED, Verdict.OFFERED)
    confused = Counter(
        (one.case.expect[0], one.found[0].slug) for one in inside if one.found and not one.first
    )
    return Report(
        questions=len(inside),
        outside=len(outside),
        right_first=_share(one.first and one.verdict in shown for one in inside),
        right_offered=_share(one.verdict in shown for one in inside),
        answered=_share(one.verdict is Verdict.ANSWERED for one in inside),
        wrong_answers=_share(one.verdict is Verdict.WRONG for one in judged),
        refused=_share(one.verdict is Verdict.REFUSED for one in inside),
        outside_refused=_share(one.verdict is Verdict.REFUSED for one in outside),
        calibration_error=_calibration_error(judged),
        confusions=tuple((*pair, count) for pair, count in confused.most_common(10)),
        judged=tuple(judged),
    )


def _calibration_error(judged: Sequence[Judged]) -> float:
    bins: dict[int, list[tuple[float, bool]]] = {}
    for one in judged:
        top = one.found[0].probability if one.found else 0.0
        bins.setdefault(min(int(top * _BINS), _BINS - 1), []).append((top, one.first))
    gaps = (abs(sum(top for top, _ in rows) - sum(right for _, right in rows)) for rows in bins.values())
    return sum(gaps) / max(1, len(judged))


def _share(holds: Iterable[bool]) -> float:
    flags = list(holds)
    return sum(flags) / len(flags) if flags else 0.0
