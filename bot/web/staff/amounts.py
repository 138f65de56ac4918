"""Numbers as the Dutch read them, and cells of a file that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from decimal import Decimal
from io import StringIO

NONE = "–"
"""Where there is nothing to tell."""


def count(number: int) -> str:
    """`1.234`."""
    return f"{number:,}".replace(",", ".")


def percent(share: float | None) -> str:
    """`67 %`, of a share from 0 to 1; the sign stays beside it."""
    return NONE if share is None else f"{round(share * 100)}\u00a0%"


def mark(value: float | None) -> str:
    """`7,5`."""
    return NONE if value is None else f"{value:.1f}".replace(".", ",")


def duration(minutes: int | None) -> str:
    """`4 min`, `2 uur`, `2 uur 30 min`."""
    if minutes is None:
        return NONE
    hours, rest = divmod(minutes, 60)
    parts = [f"{count(hours)} uur"] if hours else []
    return " ".join([*parts, f"{rest} min"] if rest or not parts else parts)


def euro(amount: Decimal, places: int = 2) -> str:
    """`€ 1.234,50`."""
    swapped = f"{amount:,.{places}f}".translate(str.maketrans(",.", ".,"))
    return f"€ {swapped}"


def rows(table: Iterable[Iterable[object]]) -> bytes:
    """As CSV with `;`, as a Dutch spreadsheet expects; no cell is read as a formula."""
    out = StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerows([_harmless(str(cell)) for cell in row] for row in table)
    return out.getvalue().encode()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
