"""Words of acute danger: which reviewed article they ask for at once. The words stand in `danger.yml`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

_FILE = Path(__file__).with_name("danger.yml")
_LONGEST = 4_000
_GAP = r"(?:(?!niet |nie |geen |nooit |not |never |\. )\S+ ){0,4}"
_PART = re.compile(r"<\w+>|\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\]|\.\.\.|\S+")
_MARKS = re.compile(r"[.!?;\n]+")
_NOISE = re.compile(r"[^\w\s.-]|_")
_LONG_DRAWN = re.compile(r"(.)\1{2,}")
_LETTERS = str.maketrans({"ł": "l", "ı": "i", "ß": "ss", "أ": "ا", "إ": "ا", "آ": "ا", "ة": "ه", "ى": "ي"})


@dataclass(frozen=True, slots=True)
class _Article:
    slug: str
    patterns: re.Pattern[str]
    unless: re.Pattern[str] | None


class DangerWords:
    """Recognises that somebody is in danger now. What it looks at is never kept nor logged."""

    def __init__(self, innocent: re.Pattern[str], articles: Iterable[_Article]) -> None:
        self._innocent = innocent
        self._articles = tuple(articles)

    @classmethod
    def load(cls, path: Path = _FILE) -> DangerWords:
        """Read the patterns. Raises `ValueError` for one that can't be read."""
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        sets = {
            name: tuple(words.split() if isinstance(words, str) else words)
            for name, words in data["sets"].items()
        }
        articles = (
            _Article(
                slug,
                any_of(entry["patterns"], sets),
                any_of(entry["unless"], sets) if "unless" in entry else None,
            )
            for slug, entry in data["articles"].items()
        )
        return cls(any_of(data["innocent"], sets), articles)

    @property
    def slugs(self) -> tuple[str, ...]:
        """The articles that words of danger may ask for, most urgent first."""
        return tuple(article.slug for article in self._articles)

    def find(self, text: str) -> str | None:
        """The slug of the article for the danger that speaks from a message, or None."""
        said = folded(text)
        left = self._innocent.sub(". ", said)
        for article in self._articles:
            if article.patterns.search(left) and not (article.unless and article.unless.search(said)):
                return article.slug
        return None


def folded(text: str) -> str:
    """The words of a message, a space around each, without capitals and accents; ` . ` ends a sentence."""
    text = unicodedata.normalize("NFKC", text[:_LONGEST]).lower().replace("'", "").replace("’", "")
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(_LETTERS)
    plain = _LONG_DRAWN.sub(r"\1\1", _NOISE.sub(" ", _MARKS.sub(" . ", plain)))
    return f" {' '.join(plain.split())} . "


def any_of(lines: Iterable[str], sets: Mapping[str, tuple[str, ...]]) -> re.Pattern[str]:
    """One regular expression for all these patterns, to be searched for in a `folded` text."""
    return re.compile("(?<= )(?:" + "|".join(compiled(line, sets) for line in lines) + ")")


def compiled(pattern: str, sets: Mapping[str, tuple[str, ...]]) -> str:
    """The regular expression of a pattern; each word in it takes the space behind it too."""
    return "".join(_part(part, sets) for part in _PART.findall(pattern))


def _part(part: str, sets: Mapping[str, tuple[str, ...]]) -> str:
    if part == "...":
        return _GAP
    if part == ".":
        return r"\. "
    if part.startswith("<") and part.endswith(">"):
        return _choice(sets[part[1:-1]], sets)
    if part.startswith("(") and part.endswith(")"):
        return _choice(_split(part[1:-1]), sets)
    if part.startswith("[") and part.endswith("]"):
        return _choice(_split(part[1:-1]), sets) + "?"
    if set(part) & set("()[]<>|"):
        raise ValueError(f"{part!r} is no part of a pattern")
    if part == "*":
        return r"\S+ "
    word = folded(part.rstrip("*"))[1:-3]
    if not word:
        raise ValueError(f"{part!r} holds no word")
    return re.escape(word).replace(r"\ ", " ").strip() + (r"\S* " if part.endswith("*") else " ")


def _split(alternatives: str) -> list[str]:
    """At the bars that are not within brackets of their own."""
    return re.split(r"\|(?![^(]*\))(?![^\[]*\])", alternatives)


def _choice(alternatives: Iterable[str], sets: Mapping[str, tuple[str, ...]]) -> str:
    return "(?:" + "|".join(compiled(alternative, sets) for alternative in alternatives) + ")"
