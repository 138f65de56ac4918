"""Two versions of an article held side by side, word by word, for people to read."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_WORD = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs. `pieces`: stretches that are the same (`=`), gone (`-`) or new (`+`)."""

    field: str
    pieces: tuple[tuple[str, str], ...]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs, in the order of the form."""
    old, new = dict(_lines(before)), dict(_lines(after))
    return [
        Change(name, tuple(_pieces(old.get(name, ""), new.get(name, ""))))
        for name in dict.fromkeys((*new, *old))
        if old.get(name, "") != new.get(name, "")
    ]


def _pieces(old: str, new: str) -> Iterator[tuple[str, str]]:
    a, b = _WORD.findall(old), _WORD.findall(new)
    for kind, a_from, a_to, b_from, b_to in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "=", "".join(a[a_from:a_to])
            continue
        if a_from < a_to:
            yield "-", "".join(a[a_from:a_to])
        if b_from < b_to:
            yield "+", "".join(b[b_from:b_to])


def _lines(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each field as text."""
    for name, value in content.items():
        if name == "aspects":
            yield from ((part, str(text)) for part, text in value.items())
        elif name == "links":
            yield name, "\n".join(f"{link['label']}: {link['url']}" for link in value)
        elif name == "upl":
            yield name, f"{value['name']} {value['uri']}"
        elif name == "translations":
            for code, made in value.items():
                yield code, "\n\n".join((made["title"], made["answer"], *made["aspects"].values()))
        elif isinstance(value, (list, tuple)):
            yield name, "\n".join(map(str, value))
        else:
            yield name, str(value or "")
