"""The word lists of the check: files beside this one that an editor can read and extend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Term:
    """An official word or phrase: the plain words for it, and who says so. `particle`: of a separable verb.

    `mild`: the plain word is better, but this one is no error.
    """

    text: str
    plain: tuple[str, ...]
    source: str
    mild: bool = False
    particle: str = ""


@dataclass(frozen=True, slots=True)
class Officialese:
    """The list ready to look in. `phrases` by their first word, longest first; `verbs` by their infinitive."""

    phrases: Mapping[str, tuple[tuple[tuple[str, ...], Term], ...]]
    verbs: Mapping[str, Term]
    separable: Mapping[str, tuple[Term, ...]]


@lru_cache(maxsize=1)
def officialese() -> Officialese:
    """ambtelijk.yml."""
    data = _read("ambtelijk.yml")
    phrases: dict[str, list[tuple[tuple[str, ...], Term]]] = {}
    verbs: dict[str, Term] = {}
    separable: dict[str, list[Term]] = {}
    for key, group in data.items():
        if key == "bronnen":
            continue
        source = f"{data['bronnen'][key]['name']}, {data['bronnen'][key]['url']}"
        mild = group.get("advies", False)
        for text, plain in group.get("woorden", {}).items():
            term = Term(text, _split(plain), source, mild)
            words = tuple(text.split())
            phrases.setdefault(words[0], []).append((words, term))
        for text, plain in group.get("werkwoorden", {}).items():
            particle, _, stem = text.rpartition("|")
            term = Term(text.replace("|", ""), _split(plain), source, mild, particle)
            verbs[term.text] = term
            if particle:
                separable.setdefault(stem, []).append(term)
    by_length = {
        first: tuple(sorted(found, key=lambda one: -len(one[0]))) for first, found in phrases.items()
    }
    return Officialese(by_length, verbs, {stem: tuple(terms) for stem, terms in separable.items()})


@lru_cache(maxsize=1)
def glossary() -> Mapping[str, str]:
    """begrippen.yml: words of the municipality that may stand, lower-case, each with a plain explanation."""
    return {str(word).lower(): str(told) for word, told in _read("begrippen.yml").items()}


@lru_cache(maxsize=1)
def abbreviations() -> Mapping[str, str]:
    """afkortingen.yml: as written, with and without dots, and what it stands for."""
    found: dict[str, str] = {}
    for short, full in _read("afkortingen.yml").items():
        found[short] = full
        bare = short.replace(".", "")
        if short.count(".") > 1 and len(bare) > 2:  # "nr" and "art" may be words; "ivm" is none
            found.setdefault(bare, full)
    return found


@dataclass(frozen=True, slots=True)
class Verbs:
    """werkwoorden.yml: `acts` and `states` tell when a participle is passive, `needing` stands before `te worden`."""

    acts: frozenset[str]
    states: frozenset[str]
    needing: frozenset[str]


@lru_cache(maxsize=1)
def verbs() -> Verbs:
    """werkwoorden.yml."""
    data = _read("werkwoorden.yml")
    return Verbs(frozenset(data["handelingen"]), frozenset(data["gewoon"]), frozenset(data["moeten"]))


def _read(name: str) -> dict[str, Any]:
    data = yaml.load((_HERE / name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return dict(data)


def _split(plain: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in plain.split(","))
