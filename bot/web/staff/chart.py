"""Charts as shapes, for a picture in the page itself: the table beside it tells the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT, WIDTH, GAP = 100, 12, 3
"""Of the picture, and of a column with the gap beside it; the page stretches it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a column: the `layer` from 0, and where it is."""

    layer: int
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Columns:
    """`top` is the number that the highest line stands for."""

    width: int
    top: int
    blocks: tuple[Block, ...]


def columns(stacks: Sequence[Sequence[int]]) -> Columns:
    """A column for each stack of numbers, the first at the bottom."""
    top = _round(max((sum(stack) for stack in stacks), default=0))
    blocks = []
    for place, stack in enumerate(stacks):
        base = float(HEIGHT)
        for layer, number in enumerate(stack):
            height = round(HEIGHT * number / top, 2)
            base = round(base - height, 2)
            if number:
                blocks.append(Block(layer, place * WIDTH + GAP, base, height))
    return Columns(max(1, len(stacks)) * WIDTH + GAP, top, tuple(blocks))


def _round(number: int) -> int:
    """The next one that is easily read: 1, 2 or 5 with noughts, at least 5."""
    step = 1
    while True:
        for first in (1, 2, 5):
            if (bound := first * step) >= max(number, 5):
                return bound
        step *= 10
