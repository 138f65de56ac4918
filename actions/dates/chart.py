"""The engine of the grammar: rules over typed values, tried on ever longer runs of tokens (a chart, as CYK).

A rule's pattern names what must stand in a row: `over N UNIT`. A name in capitals is a type, `a|b` one of some words;
both are given to the rule, other words are not. `?` behind makes it optional. A rule that returns None does not hold.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from actions.dates.tokens import Token

Make = Callable[..., object | None]
_F = TypeVar("_F", bound=Make)


@dataclass(frozen=True, slots=True)
class Element:
    """One place in a pattern; `words` where it is not a type."""

    kind: str
    words: frozenset[str]
    given: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern without options; `places` are where its values go among the arguments of `make`."""

    makes: str
    elements: tuple[Element, ...]
    places: tuple[int | None, ...]
    arguments: int
    make: Make


@dataclass(frozen=True, slots=True)
class Item:
    """A value over a run of tokens; `cost` counts the rules it took, so that one special rule beats two general."""

    value: object
    cost: int


Cell = dict[str, Item]


@dataclass(slots=True)
class Grammar:
    """The rules, by what they begin with."""

    longer: dict[str, list[Rule]] = field(default_factory=dict)
    single: dict[str, list[Rule]] = field(default_factory=dict)
    literals: set[str] = field(default_factory=set)

    def rule(self, makes: str, *patterns: str) -> Callable[[_F], _F]:
        """Register a function as the rule of some patterns."""

        def register(make: _F) -> _F:
            for pattern in patterns:
                for rule in _rules(makes, pattern, make):
                    self._add(rule)
            return make

        return register

    def _add(self, rule: Rule) -> None:
        table = self.longer if len(rule.elements) > 1 else self.single
        first = rule.elements[0]
        for name in first.words or (first.kind,):
            table.setdefault(name, []).append(rule)
        for element in rule.elements:
            self.literals |= element.words

    def parse(self, run: Sequence[Token], wanted: Sequence[str]) -> list[tuple[int, int, str, object]]:
        """The values of the wanted types that together cover most tokens, as few as can be, each with its place."""
        chart = self._chart(run)
        best: list[tuple[tuple[int, int, int], list[tuple[int, int, str, object]]]] = [((0, 0, 0), [])]
        for end in range(1, len(run) + 1):
            options = [best[end - 1]]
            for start in range(end):
                for kind in wanted:
                    if item := chart[start, end].get(kind):
                        (covered, count, cost), chosen = best[start]
                        score = (covered + end - start, count - 1, cost - item.cost)
                        options.append((score, [*chosen, (start, end, kind, item.value)]))
            best.append(max(options, key=lambda option: option[0]))
        return best[-1][1]

    def _chart(self, run: Sequence[Token]) -> dict[tuple[int, int], Cell]:
        chart: dict[tuple[int, int], Cell] = {}
        for end in range(1, len(run) + 1):
            for start in range(end - 1, -1, -1):
                cell: Cell = {}
                chart[start, end] = cell
                if end - start == 1:
                    token = run[start]
                    cell[token.text] = Item(token.text, 0)
                    for kind, value in token.kinds:
                        cell[kind] = Item(value, 0)
                self._fill(chart, start, end)
                self._lift(cell)
        return chart

    def _fill(self, chart: dict[tuple[int, int], Cell], start: int, end: int) -> None:
        cell = chart[start, end]
        for middle in range(start + 1, end):
            for name, first in chart[start, middle].items():
                for rule in self.longer.get(name, ()):
                    if len(rule.elements) <= end - start:
                        for items in _matches(rule.elements[1:], chart, middle, end):
                            _apply(rule, (first, *items), cell)

    def _lift(self, cell: Cell) -> None:
        """Rules of one element, until nothing changes."""
        waiting = list(cell)
        while waiting:
            name = waiting.pop()
            for rule in self.single.get(name, ()):
                if _apply(rule, (cell[name],), cell):
                    waiting.append(rule.makes)


def _matches(
    elements: Sequence[Element], chart: dict[tuple[int, int], Cell], start: int, end: int
) -> Iterator[tuple[Item, ...]]:
    """All ways in which the elements fill the tokens from `start` until `end`."""
    first = elements[0]
    middles = (end,) if len(elements) == 1 else range(start + 1, end - len(elements) + 2)
    for middle in middles:
        cell = chart[start, middle]
        for name in first.words or (first.kind,):
            if item := cell.get(name):
                if len(elements) == 1:
                    yield (item,)
                else:
                    yield from ((item, *rest) for rest in _matches(elements[1:], chart, middle, end))


def _apply(rule: Rule, items: Sequence[Item], cell: Cell) -> bool:
    """Put what the rule makes into the cell, where that is the simplest so far."""
    cost = 1 + sum(item.cost for item in items)
    known = cell.get(rule.makes)
    if known and known.cost <= cost:
        return False
    arguments: list[object] = [None] * rule.arguments
    for place, item in zip(rule.places, items, strict=True):
        if place is not None:
            arguments[place] = item.value
    value = rule.make(*arguments)
    if value is None:
        return False
    cell[rule.makes] = Item(value, cost)
    return True


def _rules(makes: str, pattern: str, make: Make) -> Iterator[Rule]:
    """The pattern with and without each of its options."""
    written = pattern.split()
    places: list[int | None] = []
    elements: list[Element] = []
    for name in written:
        bare = name.rstrip("?")
        words = frozenset() if bare.isupper() else frozenset(bare.split("|"))
        given = bare.isupper() or "|" in bare
        places.append(sum(p is not None for p in places) if given else None)
        elements.append(Element(bare, words, given))
    arguments = sum(place is not None for place in places)
    inspect.signature(make).bind(
        *range(arguments)
    )  # a rule that can't take what its pattern gives fails at once
    choices = [(True, False) if name.endswith("?") else (True,) for name in written]
    for chosen in itertools.product(*choices):
        kept = [i for i, keep in enumerate(chosen) if keep]
        yield Rule(makes, tuple(elements[i] for i in kept), tuple(places[i] for i in kept), arguments, make)
