"""What a report is about: the words of a message, and the category for it. The words stand in
`knowledge/report_categories.yml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from actions.danger import compiled, folded

FILE = Path(__file__).resolve().parents[2] / "knowledge" / "report_categories.yml"
OTHER = "overig"
"""The category of what fits in no other."""

_THING, _SIGN = 2, 1
_MOST = 3
"""Choices, at most."""


@dataclass(frozen=True, slots=True)
class Category:
    """One: `label` for a button, `name` for a sentence, `target` as the system of reports calls it."""

    id: str
    label: str
    name: str
    target: str


@dataclass(frozen=True, slots=True)
class Guess:
    """What a text seems to be about, the likeliest first. `sure`: the first one is meant. `tells`: the text also says
    what is wrong with it."""

    categories: tuple[Category, ...]
    sure: bool
    tells: bool = False


class Categories:
    """All of them, and the words by which they are recognised."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._all = {
            one["id"]: Category(one["id"], one["label"], one["name"], one["signalen"])
            for one in data["categories"]
        }
        self._words = {
            one["id"]: ((_THING, _words(one["things"])), (_SIGN, _words(one["signs"])))
            for one in data["categories"]
        }
        self._common = tuple(self._all[name] for name in data["common"])
        self._urgent = re.compile("(?<= )(?:" + "|".join(compiled(line, {}) for line in data["urgent"]) + ")")
        if OTHER not in self._all:
            raise ValueError(f"report_categories.yml needs a category {OTHER!r}")

    @classmethod
    def load(cls, path: Path = FILE) -> Categories:
        """Read the file. Raises `ValueError` or `KeyError` for one that is not right."""
        return cls(yaml.safe_load(path.read_text(encoding="utf-8")))

    @property
    def targets(self) -> tuple[str, ...]:
        """What the system of reports must have."""
        return tuple(dict.fromkeys(one.target for one in self._all.values()))

    @property
    def other(self) -> Category:
        """The one for what fits in no other."""
        return self._all[OTHER]

    def get(self, name: str | None) -> Category | None:
        """The category of this id."""
        return self._all.get(name or "")

    def guess(self, text: str) -> Guess:
        """What a text is about; the common ones where nothing in it says so."""
        said = folded(text)
        scores = {name: _score(said, words) for name, words in self._words.items()}
        ranked = sorted((name for name in scores if scores[name]), key=lambda name: -scores[name])
        if not ranked or scores[ranked[0]] < _THING:
            return Guess(self._common, sure=False)
        best = scores[ranked[0]]
        near = [name for name in ranked if scores[name] >= max(_THING, best - _SIGN + 1)]
        return Guess(
            tuple(self._all[name] for name in near[:_MOST]), sure=len(near) == 1, tells=best > _THING
        )

    def urgent(self, text: str) -> bool:
        """Whether a text tells of something that is dangerous now."""
        return self._urgent.search(folded(text)) is not None


def _words(beginnings: Iterable[str]) -> re.Pattern[str] | None:
    # A word may come first in a compound (`prullenbakken`) but a short one stands alone, or with an e: `los` and
    # `losse`, `rat` and not `ratio`.
    parts: Sequence[str] = [
        re.escape(word) + (f"(?:{re.escape(word[-1])}?e)?(?= )" if len(word) < 5 else "")
        for word in beginnings
    ]
    return re.compile("(?<= )(?:" + "|".join(parts) + ")") if parts else None


def _score(said: str, words: Iterable[tuple[int, re.Pattern[str] | None]]) -> int:
    return sum(weight * bool(pattern and pattern.search(said)) for weight, pattern in words)
