"""Which language a message is in: Dutch unless enough says otherwise. Broad or misspelt Dutch stays Dutch."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import simplemma
import yaml
from lingua import IsoCode639_1, Language, LanguageDetectorBuilder

DUTCH = "nl"
OTHER = "other"
"""A script that none of our languages uses."""

_FILE = Path(__file__).with_name("languages.yml")
_LONGEST = 400
_NUMBERED = re.compile(r"\S*\d\S*")
"""Numbers of cases, amounts and postcodes are of no language."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SCRIPTS = ("LATIN", "CYRILLIC", "ARABIC")
_PERSIAN = frozenset("پچژگکی")

_SMALL_WORD = 2.0
"""What a small word of a language adds to the logarithm of its probability."""
_DUTCH_WORD = 1.0
"""The same for another word that is in the Dutch dictionary."""
_ENGLISH_FIRST = 1.0
"""Of the others, English is written most."""
_LEAST = 1e-4
_MARGIN = 3.0
"""How far another language must be ahead of Dutch."""
_BEHIND = 2.0
"""How far Dutch must be ahead to be back after another language."""
_SURE = 0.99
"""The probability of letters alone, without any small word, for three words or more."""


@dataclass(frozen=True, slots=True)
class Tongue:
    """What is known of a language (languages.yml). `said` holds whole messages by intent."""

    words: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset()
    said: Mapping[str, str] = field(default_factory=dict)
    follow_up: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def load_tongues(path: Path = _FILE) -> dict[str, Tongue]:
    """The languages by ISO 639-1 code."""
    return {code: _tongue(entry) for code, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items()}


def plain(text: str) -> str:
    """A message without capitals and marks, its words a space apart."""
    return " ".join(_words(text))


class LanguageDetector:
    """Letters are weighed by lingua, small words by our own lists; neither decides alone."""

    def __init__(self, tongues: Mapping[str, Tongue]) -> None:
        self._tongues = tongues
        codes = {code: getattr(IsoCode639_1, code.upper()) for code in tongues}
        languages = [Language.from_iso_code_639_1(code) for code in codes.values()]
        self._letters = LanguageDetectorBuilder.from_languages(*languages).with_low_accuracy_mode().build()

    def detect(self, text: str, before: str | None = None) -> str:
        """The code of the language; `before` is that of the conversation, where it was not Dutch."""
        text = _NUMBERED.sub(" ", unicodedata.normalize("NFC", text[:_LONGEST]))
        words = _words(text)
        if said := next(
            (code for code, tongue in self._tongues.items() if " ".join(words) in tongue.said), None
        ):
            return said
        script = _script(text)
        if script == "LATIN":
            return self._latin(text, words, before)
        if script == "CYRILLIC":
            return self._cyrillic(text, words)
        if script == "ARABIC":
            return OTHER if _PERSIAN & set(text) else "ar"
        return OTHER if script else before or DUTCH

    def _latin(self, text: str, words: list[str], before: str | None) -> str:
        scores, chances = self._scores(text, words)
        best = max(scores, key=scores.__getitem__)
        ahead = scores[best] - scores[DUTCH]
        if before:
            stays = scores[DUTCH] - max(
                scores.get(before, -math.inf), scores[best] if best != DUTCH else -math.inf
            )
            if stays < _BEHIND:
                return (
                    best
                    if best != DUTCH and ahead >= _MARGIN and self._enough(best, words, chances)
                    else before
                )
            return DUTCH
        if best == DUTCH or ahead < _MARGIN or not self._enough(best, words, chances):
            return DUTCH
        return best

    def _scores(self, text: str, words: list[str]) -> tuple[dict[str, float], dict[str, float]]:
        found = self._letters.compute_language_confidence_values(text)
        chances = {value.language.iso_code_639_1.name.lower(): value.value for value in found}
        scores = {
            code: math.log(max(chance, _LEAST))
            + _SMALL_WORD * sum(word in self._tongues[code].words for word in words)
            + (_ENGLISH_FIRST if code == "en" else 0.0)
            for code, chance in chances.items()
        }
        scores[DUTCH] += _DUTCH_WORD * sum(self._is_dutch(word) for word in words)
        return scores, chances

    def _enough(self, code: str, words: list[str], chances: Mapping[str, float]) -> bool:
        """Whether more than a likely look speaks for the language: a message of one Latin word never has enough."""
        tongue, dutch = self._tongues[code], self._tongues[DUTCH]
        if len(words) < 2:
            return False
        if any(word in tongue.words and word not in dutch.words for word in words):
            return True
        if tongue.letters & set("".join(words)):
            return True
        unknown = not any(word in dutch.words or self._is_dutch(word) for word in words)
        return len(words) > 2 and chances[code] >= _SURE and unknown

    def _is_dutch(self, word: str) -> bool:
        return (
            len(word) > 2 and word not in self._tongues[DUTCH].words and simplemma.is_known(word, lang=DUTCH)
        )

    def _cyrillic(self, text: str, words: list[str]) -> str:
        letters = set(text.lower())
        for code in ("uk", "ru", "bg"):
            if self._tongues[code].letters & letters:
                return code
        scores, _ = self._scores(text, words)
        return max(("uk", "ru", "bg"), key=scores.__getitem__)


def _words(text: str) -> list[str]:
    return [word.replace("’", "'") for word in _WORD.findall(text.lower())]


def _script(text: str) -> str:
    """The script of most letters; empty where there are no letters."""
    counts: dict[str, int] = {}
    for letter in filter(str.isalpha, text):
        name = "LATIN" if letter.isascii() else unicodedata.name(letter, "?").partition(" ")[0]
        counts[name] = counts.get(name, 0) + 1
    return max(counts, key=counts.__getitem__) if counts else ""


def _tongue(entry: Mapping[str, object]) -> Tongue:
    said = {
        plain(str(message)): intent
        for intent in ("greet", "thanks", "goodbye", "human")
        for message in _items(entry.get(intent))
    }
    asked = entry.get("follow_up")
    follow_up = {
        str(aspect): tuple(plain(str(words)) for words in _items(given))
        for aspect, given in (asked.items() if isinstance(asked, Mapping) else ())
    }
    return Tongue(
        words=frozenset(str(entry.get("words", "")).split()),
        letters=frozenset(str(entry.get("letters", ""))),
        said=said,
        follow_up=follow_up,
    )


def _items(value: object) -> Iterator[object]:
    yield from value if isinstance(value, Iterable) else ()
