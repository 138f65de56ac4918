"""Whether a probability means what it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.evaluate.judge import Judged

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers and choices whose first probability lies between two tenths."""

    low: float
    count: int
    said: float
    """Their mean probability."""
    right: float
    """The share whose first article was right."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """`error`: the expected calibration error, the mean distance between what is said and what is true, in ten
    bins (Naeini et al. 2015). `brier`: the mean squared distance of each probability from 0 or 1. Both of what was
    shown: answers and first choices. Less is better."""

    error: float
    brier: float
    count: int
    bins: tuple[Bin, ...]


def calibration(judged: Iterable[Judged]) -> Calibration:
    """Of all that showed an article with a probability."""
    pairs = [
        (one.given.confidence, one.right)
        for one in judged
        if one.given.confidence is not None and one.right is not None
    ]
    groups: dict[int, list[tuple[float, bool]]] = {}
    for chance, right in pairs:
        groups.setdefault(min(int(chance * BINS), BINS - 1), []).append((chance, right))
    bins = tuple(
        Bin(
            number / BINS,
            len(rows),
            sum(chance for chance, _ in rows) / len(rows),
            sum(right for _, right in rows) / len(rows),
        )
        for number, rows in sorted(groups.items())
    )
    total = max(1, len(pairs))
    return Calibration(
        error=sum(abs(one.said - one.right) * one.count for one in bins) / total,
        brier=sum((chance - right) ** 2 for chance, right in pairs) / total,
        count=len(pairs),
        bins=bins,
    )
