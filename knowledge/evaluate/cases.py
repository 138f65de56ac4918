"""Questions, each with what may come of it."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.model import Route

ROUTES = frozenset(map(str, Route))


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and what may come of it: slugs of articles and names of routes. Any of them is right."""

    text: str
    expect: tuple[str, ...]

    @property
    def slugs(self) -> tuple[str, ...]:
        """The articles of which each is an answer."""
        return tuple(name for name in self.expect if name not in ROUTES)

    @property
    def routes(self) -> tuple[str, ...]:
        """The ways of which each is right; none for a plain question."""
        return tuple(name for name in self.expect if name in ROUTES)

    @property
    def accepted(self) -> tuple[str, ...]:
        """The same, and where it should be refused a person too: a way on is as good."""
        return (*self.routes, Route.HANDOFF) if self.outside else self.routes

    @property
    def outside(self) -> bool:
        """Whether it should be refused: no article answers it."""
        return Route.OUT_OF_SCOPE in self.expect and not self.slugs


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
    if not isinstance(text, str) or not isinstance(expect, list) or not expect:
        raise ValueError(f'line {number} is not {{"text": "...", "expect": ["slug or route"]}}')
    return Case(text, tuple(map(str, expect)))


def unknown_names(cases: Iterable[Case], slugs: Container[str]) -> list[str]:
    """What is expected and is no route, nor among the articles: mostly a slug with a typing error."""
    return sorted({slug for case in cases for slug in case.slugs if slug not in slugs})
