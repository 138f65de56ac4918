"""What the check says: findings with their place, a score and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "sentence", "passive", "clauses", "officialese", "difficult", "abbreviation", "men", "negation", "address"
]
Severity = Literal["error", "advice"]

B1 = 80
"""The lowest score of a B1 text. An error keeps a text from being B1, whatever its score."""

_COST: dict[Severity, int] = {"error": 10, "advice": 4}
_SHORTEST = 50  # words: a text is not judged as if it were shorter than this


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that can be plainer. `line` and `column` count from 1, `length` in characters of the text.

    `reason` and `suggestion` are Dutch, for the editor; `replacement` can be put in the place of the text as it
    is, where there is such a thing; `source` tells where the rule comes from.
    """

    line: int
    column: int
    length: int
    kind: Kind
    severity: Severity
    reason: str
    suggestion: str
    source: str
    replacement: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The findings of one text in order. `reading_ease`: Flesch-Douma, only to look at; None without words."""

    findings: tuple[Finding, ...]
    words: int
    sentences: int
    reading_ease: float | None

    @property
    def score(self) -> int:
        """100 for nothing found; each finding costs more in a short text than in a long one."""
        return score_of(self.findings, self.words)

    @property
    def is_b1(self) -> bool:
        """No error, and a score of at least `B1`."""
        return self.score >= B1 and all(finding.severity != "error" for finding in self.findings)

    @property
    def verdict(self) -> str:
        """In one word for the editor."""
        return "B1" if self.is_b1 else "te moeilijk"


def score_of(findings: Sequence[Finding], words: int) -> int:
    """100 less what the findings cost: 10 for an error and 4 for an advice, per 100 words."""
    cost = sum(_COST[finding.severity] for finding in findings)
    return max(0, round(100 - 100 * cost / max(words, _SHORTEST)))
