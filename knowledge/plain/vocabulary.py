"""Words that readers may not know: rare ones, and abbreviations that are not written out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache

from knowledge.plain import lists
from knowledge.plain.hits import FREQUENCY, ZUID_HOLLAND, Hit
from knowledge.plain.text import Sentence, Token
from knowledge.plain.words import in_glossary, is_common

_EXPLAINED = re.compile(r"\b(?:heet|heten|noemen|noemt|betekent|bedoelen|ander woord voor)\b", re.IGNORECASE)
_ACRONYM = re.compile(r"[A-Z][A-Za-z]*[A-Z]|[A-Z]{2,}")
_TOLD = re.compile(r"\(([A-Z]\w+)\)|\b([A-Z]\w+)(?= \(| (?:betekent|is|staat voor|heet)\b)")
_LONGEST = 24  # letters of one word


def names(found: Sequence[Sentence]) -> frozenset[str]:
    """The words that have a capital inside a sentence: so they are names at the start of one too."""
    inside = (token for sentence in found for token in sentence.words[1:])
    return frozenset(token.text for token in inside if token.text[0].isupper())


def difficult(sentence: Sentence, text: str, named: Set[str]) -> Iterator[Hit]:
    """Rare words; not the glossary's, not names, and not in a sentence that explains them."""
    if _EXPLAINED.search(text, sentence.start, sentence.end):
        return
    for token in sentence.words:
        if token.kind != "word" or token.text in named or _is_name(token, sentence):
            continue
        word = token.lower
        if len(word) > _LONGEST and not in_glossary(word):
            reason = f"‘{token.text}’ is een lang woord."
            yield _hit(token, reason, "Knip het in stukken, of gebruik een korter woord.")
        elif len(word) > 3 and not is_common(word):
            reason = f"‘{token.text}’ is een moeilijk woord: het komt weinig voor."
            yield _hit(token, reason, "Gebruik een gewoon woord, of leg het uit: ‘dat is …’.")


def _hit(token: Token, reason: str, suggestion: str) -> Hit:
    return Hit(token.start, token.end, "difficult", "advice", reason, suggestion, FREQUENCY)


def _is_name(token: Token, sentence: Sentence) -> bool:
    """A capital inside a sentence, or a capital inside a word."""
    if not token.text[0].isupper():
        return False
    return token is not sentence.words[0] or not token.text[1:].islower()


def terms(text: str) -> list[tuple[int, int]]:
    """Where terms of several words of the glossary stand: `voorlopige voorziening`. Nothing in them is a fault."""
    return [match.span() for match in _phrases().finditer(text)]


@lru_cache(maxsize=1)
def _phrases() -> re.Pattern[str]:
    phrases = "|".join(re.escape(term) for term in lists.glossary() if " " in term)
    return re.compile(rf"\b(?:{phrases})\b", re.IGNORECASE)


def abbreviations(sentence: Sentence, told: Set[str]) -> Iterator[Hit]:
    """Abbreviations with dots or known ones without, and capitals that neither glossary nor text explains."""
    known = lists.abbreviations()
    for token in sentence.words:
        key = token.lower.replace(" ", "")
        full = known.get(key) or known.get(key.removesuffix(".")) if token.kind in ("short", "word") else None
        if full is not None or token.kind == "short":
            hint = f"Schrijf voluit: ‘{full}’." if full else "Schrijf voluit wat er staat."
            reason = f"‘{token.text}’ is een afkorting."
            yield Hit(token.start, token.end, "abbreviation", "error", reason, hint, ZUID_HOLLAND, full)
        elif token.kind == "word" and _ACRONYM.fullmatch(token.text) and not _is_told(token, told):
            reason = f"‘{token.text}’ is een afkorting die niet is uitgelegd."
            hint = f"Schrijf de eerste keer voluit, met ‘({token.text})’ erachter."
            yield Hit(token.start, token.end, "abbreviation", "error", reason, hint, ZUID_HOLLAND)


def _is_told(token: Token, told: Set[str]) -> bool:
    return in_glossary(token.lower) or token.text in told


def told(text: str) -> frozenset[str]:
    """The abbreviations that a text writes out somewhere: `... (BGHU)`, `BGHU (...)`, `BGHU betekent ...`."""
    return frozenset(match[1] or match[2] for match in _TOLD.finditer(text))
