"""The table that is printed: a figure, what it is compared with, and the command that gives it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    value: str
    note: str = ""


@dataclass(slots=True)
class Report:
    """The figures of one part, and the command that measures them again."""

    title: str
    command: str
    figures: list[Figure] = field(default_factory=list)

    def add(self, name: str, value: str, note: str = "") -> None:
        """One more line."""
        self.figures.append(Figure(name, value, note))

    def lines(self) -> Iterator[str]:
        """The table as text."""
        yield ""
        yield f"{self.title}    ({self.command})"
        wide = max(len(figure.name) for figure in self.figures)
        for figure in self.figures:
            yield f"  {figure.name:{wide}}  {figure.value:>14}  {figure.note}".rstrip()


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which this part of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def milliseconds(seconds: float) -> str:
    """A duration as it stands in the table."""
    return f"{seconds * 1000:.1f} ms"
