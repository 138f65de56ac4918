"""What a Dutch word is: its lemma, how common it is, the parts of a compound, whether it is a participle.

Lemmas from simplemma, frequencies from wordfreq's small list: every word that appears at least once in a million,
which is 3 on the Zipf scale, the border of the rare words (Van Heuven and others, 2014, SUBTLEX-UK).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from knowledge.plain import lists


def word_set(words: str) -> frozenset[str]:
    """The words of a line."""
    return frozenset(words.split())


_LINKS = ("", "s", "en", "n", "e", "er")
_PARTICLES = (
    "aan|achter|af|bij|binnen|door|goed|in|klaar|kwijt|los|mede|mee|na|neer|om|onder|op|over|samen|tegen|terug|"
    "toe|uit|vast|vol|voor|voort|vrij|weg|zorg"
)
_PARTICIPLE = re.compile(
    rf"(?:{_PARTICLES})?ge.+(?:d|t|en|aan|ien)|(?:{_PARTICLES})?(?:be|ver|ont|her|er)\w+"
    r"|(?:onder|over|door|om|voor|mis|weer|vol|aan)\w+"
)
_SAME = frozenset({"ontvangen", "behouden", "verlaten", "voorbehouden"})  # like their infinitives
_OTHER = frozenset(
    {"geheel", "gemeen", "gesprekken", "gewoon", "gerecht", "verder", "beter", "bent", "beide", "erg"}
)
_PREFIXES = (
    "aan", "achter", "af", "bij", "door", "her", "hoofd", "in", "mede", "mee", "na", "om", "on", "onder", "op", "over",
    "samen", "te", "tegen", "terug", "toe", "tussen", "uit", "ver", "voor", "vooraf", "weg", "ex", "super",
)  # fmt: skip


@lru_cache(maxsize=1)
def _common() -> Mapping[str, float]:
    from wordfreq import get_frequency_dict  # 0.3 seconds, and only the check needs it

    return get_frequency_dict("nl", wordlist="small")


@lru_cache(maxsize=20_000)
def lemma(word: str) -> str:
    """The lemma of a lower-case word, separable verbs in one piece."""
    import simplemma

    return str(simplemma.lemmatize(word, lang="nl")).lower().replace("_", "")


@lru_cache(maxsize=20_000)
def is_common(word: str) -> bool:
    """Whether most readers know the lower-case word: common itself, by its lemma, or by all parts of it."""
    if any(char.isdigit() for char in word):
        return True
    if _is_known(word):
        return True
    parts = [part for part in re.split(r"[-']", word) if part]
    if len(parts) > 1:
        return all(len(part) < 3 or is_common(part) for part in parts)
    return _parts(word) is not None


def _is_known(word: str) -> bool:
    return word in _common() or lemma(word) in _common() or in_glossary(word)


def in_glossary(word: str) -> bool:
    """Whether the municipal glossary has the lower-case word: by itself, by its lemma, or without an ending."""
    glossary = lists.glossary()
    if word in glossary or lemma(word) in glossary:
        return True
    return any(word.endswith(end) and word.removesuffix(end) in glossary for end in ("'s", "s", "en", "e"))


@lru_cache(maxsize=20_000)
def _parts(word: str) -> tuple[str, ...] | None:
    """The known words that a compound is made of, with the longest first part that works; None for no compound."""
    if not 6 <= len(word) <= 40 or not word.isalpha():
        return None
    for size in range(len(word) - 3, 1, -1):
        head, rest = word[:size], word[size:]
        if head not in _PREFIXES and not (size >= 3 and _is_part(head)):
            continue
        for link in _LINKS:
            tail = rest.removeprefix(link)
            if len(tail) < 3 or (link and tail == rest):
                continue
            if _is_part(tail):
                return head, tail
            if (deeper := _parts(tail)) is not None:
                return head, *deeper
    return None


def _is_part(piece: str) -> bool:
    import simplemma

    if in_glossary(piece):
        return True
    if not simplemma.is_known(piece, lang="nl"):
        return False  # a name, or foreign
    if len(piece) > 3:
        return _is_known(piece)
    return _common().get(piece, 0.0) >= 1e-5  # 4 on the Zipf scale: `bak`, `dag`, `pas`


@lru_cache(maxsize=20_000)
def participle(word: str) -> str | None:
    """The infinitive, where a lower-case word can be a past participle: `opgehaald` gives `ophalen`."""
    if word in _SAME:
        return word
    if word in _OTHER or not word.endswith(("d", "t", "n")) or not _PARTICIPLE.fullmatch(word):
        return None
    base = lemma(word)
    if base == word:  # unknown to simplemma: believe the shape, if it is more than ge-
        unknown = re.fullmatch(rf"(?:{_PARTICLES})ge\w{{2,}}d|geï\w+eerd|ge\w+eerd", word)
        return word if unknown else None
    if not base.endswith("n") or word == base + "d":  # `volgend`
        return None
    if word.endswith("t"):
        # A weak participle in -t has a voiceless stem: `gemaakt` is one, `ontvangt` is not.
        voiceless = word[-2] in "kfspxh" and not base.endswith(("zen", "ven"))
        return base if voiceless or base.endswith("ten") else None
    return base
