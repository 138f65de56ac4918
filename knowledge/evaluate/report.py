"""The figures of an evaluation. Shares are between 0 and 1, and know of how many they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from knowledge.evaluate.calibration import Calibration, calibration
from knowledge.evaluate.judge import Judged, Verdict

QUESTION = "question"
"""How a plain question, that expects articles and no route, stands in the table of routes."""

_Z = 1.959964  # 95 % of a normal distribution lies within so many standard deviations


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share; 0 of nothing."""
        return self.count / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies with 95 % certainty, by Wilson's score (1927)."""
        if not self.of:
            return 0.0, 1.0
        spread = _Z**2 / self.of
        centre = (self.value + spread / 2) / (1 + spread)
        reach = _Z * sqrt(self.value * (1 - self.value) / self.of + spread / self.of / 4) / (1 + spread)
        return max(0.0, centre - reach), min(1.0, centre + reach)


@dataclass(frozen=True, slots=True)
class Theme:
    """The questions of one theme."""

    name: str
    questions: int
    right_first: Share
    right_offered: Share
    wrong: Share
    refused: Share


@dataclass(frozen=True, slots=True)
class Report:
    """Of the questions that an article answers, unless said otherwise."""

    judged: tuple[Judged, ...]
    questions: int
    outside: int
    right_first: Share
    """The right article is given, or is the first choice; or the task that was asked for."""
    right_offered: Share
    """The same, or the right article is another choice."""
    answered: Share
    """The right article is given at once."""
    wrong_answers: Share
    """Of all questions and messages: an article is given that is not the answer."""
    refused: Share
    beside: Share
    """Another article was given beside the right one."""
    outside_refused: Share
    """Of the questions that no article answers: refused, or a person offered."""
    routed: Share
    """Of what should go a certain way (a task, a person, small talk, outside): it did."""
    taken_for_question: Share
    """Of what is just a question: it was taken for one."""
    calibration: Calibration
    themes: tuple[Theme, ...]
    confusions: tuple[tuple[str, str, int], ...]
    """What was expected, what came first instead, how often."""
    routes: Mapping[str, Mapping[str, int]]
    """What was expected, where it went, how often."""
    seconds: tuple[float, ...]
    """How long each measured answer took, shortest first."""


def report(judged: Sequence[Judged], themes: Mapping[str, str]) -> Report:
    """The figures; `themes`: the theme of each slug."""
    inside = [one for one in judged if one.case.slugs]
    outside = [one for one in judged if one.case.outside]
    return Report(
        judged=tuple(judged),
        questions=len(inside),
        outside=len(outside),
        right_first=_verdicts(inside, Verdict.RIGHT, Verdict.FIRST),
        right_offered=_verdicts(inside, Verdict.RIGHT, Verdict.FIRST, Verdict.OFFERED),
        answered=_verdicts(inside, Verdict.RIGHT),
        wrong_answers=_verdicts(judged, Verdict.WRONG),
        refused=_verdicts(inside, Verdict.REFUSED),
        beside=share(set(one.given.shown) - set(one.case.slugs) and one.right for one in inside),
        outside_refused=_verdicts(outside, Verdict.RIGHT),
        routed=share(one.routed for one in judged if one.case.routes),
        taken_for_question=share(one.routed for one in judged if not one.case.routes),
        calibration=calibration(judged),
        themes=tuple(_themes(inside, themes)),
        confusions=_confusions(inside),
        routes=_routes(judged),
        seconds=tuple(sorted(one.seconds for one in judged if one.seconds is not None)),
    )


def share(holds: Iterable[object]) -> Share:
    """Of how many something holds."""
    flags = [bool(one) for one in holds]
    return Share(sum(flags), len(flags))


def _verdicts(judged: Iterable[Judged], *wanted: Verdict) -> Share:
    return share(one.verdict in wanted for one in judged)


def _themes(inside: Iterable[Judged], themes: Mapping[str, str]) -> Iterable[Theme]:
    groups: defaultdict[str, list[Judged]] = defaultdict(list)
    for one in inside:
        groups[themes.get(one.case.slugs[0], "?")].append(one)
    for name, found in sorted(groups.items()):
        yield Theme(
            name,
            len(found),
            _verdicts(found, Verdict.RIGHT, Verdict.FIRST),
            _verdicts(found, Verdict.RIGHT, Verdict.FIRST, Verdict.OFFERED),
            _verdicts(found, Verdict.WRONG),
            _verdicts(found, Verdict.REFUSED),
        )


def _confusions(inside: Iterable[Judged], most: int = 10) -> tuple[tuple[str, str, int], ...]:
    missed = [one for one in inside if one.verdict not in (Verdict.RIGHT, Verdict.FIRST)]
    pairs = Counter((one.case.slugs[0], one.given.first or one.given.route) for one in missed)
    ordered = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple((*pair, count) for pair, count in ordered[:most])


def _routes(judged: Iterable[Judged]) -> Mapping[str, Mapping[str, int]]:
    rows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in judged:
        rows[" or ".join(one.case.routes) or QUESTION][one.given.route] += 1
    return {name: dict(row.most_common()) for name, row in sorted(rows.items())}
