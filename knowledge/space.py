"""The room in which vectors are compared: what varies within articles counts for less.

Sentence encoders put all questions in a narrow cone; taking away the mean and shrinking the directions in
which phrasings of the same article differ makes the difference between articles visible (linear discriminant
analysis). A ridge regression on the same vectors tells for each article how much a question is one of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.encoder import Vectors

_SHRINKAGE = 1.0
_RIDGE = 1.0
_SAMPLE = 20_000
"""So many rows tell enough about directions; more of them cost seconds."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the room makes of the texts of one article (or of all questions outside our scope)."""

    rows: Vectors
    lengths: Vectors
    """Of each row, mean taken away."""
    turned: Vectors
    """Of each row after turning."""
    centre: Vectors
    """Where the rows lie together, after turning: a unit vector."""
    pull: Vectors
    """The sum of the rows as unit vectors, mean taken away."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A question in the room."""

    plain: Vectors
    turned: Vectors
    row: Vectors
    """What a row is multiplied with to be compared with the turned question."""
    solved: Vectors
    """What a pull is multiplied with to tell how much the question belongs there."""


class Space:
    """Made of groups of vectors, one group an article; then only read."""

    def __init__(self, groups: Sequence[Vectors], outside: Vectors) -> None:
        everything = np.concatenate(groups)
        self.mean: Vectors = everything.mean(axis=0, dtype=np.float32)
        within = _sampled(np.concatenate([group - group.mean(axis=0) for group in groups]))
        scatter = (within.T @ within).astype(np.float64) / len(within)
        spread = float(np.trace(scatter)) / len(scatter)
        values, axes = np.linalg.eigh(scatter + _SHRINKAGE * max(spread, 1e-6) * np.eye(len(scatter)))
        self._turn: Vectors = (axes / np.sqrt(values)).astype(np.float32)
        alike = unit(_sampled(np.concatenate([everything, outside])) - self.mean)
        share = (len(everything) + len(outside)) / len(alike)
        gram = share * (alike.T @ alike).astype(np.float64) + _RIDGE * np.eye(len(scatter))
        self._solve: Vectors = np.linalg.inv(gram).astype(np.float32)

    def shapes(self, groups: Sequence[Vectors]) -> list[Shape]:
        """Each group of texts in the room; one multiplication for all of them."""
        moved = np.concatenate(groups) - self.mean
        lengths = np.maximum(np.linalg.norm(moved, axis=1), 1e-9).astype(np.float32)
        projected = moved @ self._turn
        turned = np.maximum(np.linalg.norm(projected, axis=1), 1e-9).astype(np.float32)
        projected /= turned[:, None]
        moved /= lengths[:, None]
        made: list[Shape] = []
        start = 0
        for group in groups:
            own = slice(start, start + len(group))
            centre = unit(projected[own].mean(axis=0)[None, :])[0]
            made.append(Shape(group, lengths[own], turned[own], centre, moved[own].sum(axis=0)))
            start += len(group)
        return made

    def place(self, question: Vectors) -> Placed:
        """One question."""
        plain = unit((question - self.mean)[None, :])[0]
        turned = unit((plain @ self._turn)[None, :])[0]
        return Placed(plain, turned, self._turn @ turned, self._solve @ plain)

    def nearness(self, question: Placed, shapes: Sequence[Shape]) -> tuple[Vectors, Vectors]:
        """How near the question is to each text of all these shapes, in a row: turned, and as it is."""
        moved = np.concatenate([shape.rows for shape in shapes]) - self.mean
        near, alike = (moved @ np.column_stack([question.row, question.plain])).T
        return (
            near / np.concatenate([shape.turned for shape in shapes]),
            alike / np.concatenate([shape.lengths for shape in shapes]),
        )


def unit(vectors: Vectors) -> Vectors:
    """Rows of length one."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    made: Vectors = (vectors / np.maximum(norms, 1e-9)).astype(np.float32)
    return made


def _sampled(rows: Vectors) -> NDArray[np.float32]:
    return rows[:: max(1, len(rows) // _SAMPLE)]
