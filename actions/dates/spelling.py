"""Spelling repair of the words that matter: one slip in a long word, or two letters that changed places.

Short words are only repaired where letters changed places (`hlaf`, `dire`): one letter more or less makes another word
of too many of them. What looks like one of ours and is a word of its own stands in `_OTHERS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from actions.dates.lexicon import MORE_WORDS, WORDS

_LONG = 6
_SLIPS = {
    "morge": "morgen",
    "mogen": "mogen",
    "mogrgen": "morgen",
    "overmorge": "overmorgen",
    "overmogen": "overmorgen",
    "smidags": "middag",
    "middah": "middag",
    "midag": "middag",
    "midags": "middag",
    "weeknd": "weekend",
    "weeked": "weekend",
    "weekent": "weekend",
    "volgnde": "volgende",
    "volgede": "volgende",
    "vlgende": "volgende",
    "vlg": "volgende",
    "volg": "volgende",
    "eersvolgende": "eerstvolgende",
    "kwrt": "kwart",
    "kwar": "kwart",
    "vrydag": "vrijdag",
    "vijdag": "vrijdag",
    "marrt": "maart",
    "wk": "week",
    "aub": "aub",
    "pinkster": "pinksteren",
}
_OWN = (
    "zorgen borgen vorige vandaan morgens middel middelen midden vierde achten tienden zeven negende "
    "overdag avondje dagelijks wekelijks maandelijks jaarlijks volgend volgens volgden vraagde moeilijk "
    "maanden nachten ochtenden paspoort eerder laatst komen kosten worden kunnen december november "
    "dagdeel zesde werkdag werkdagen donder zaterdagen juist julia"
)
_OTHERS = frozenset(_OWN.split())


@lru_cache(maxsize=4096)
def repaired(word: str) -> str:
    """The word that was meant, where that is certain: `dinsdga` is `dinsdag`; else the word itself."""
    if word in _SLIPS:
        return _SLIPS[word]
    if len(word) < 4 or word in _OTHERS or len(word) > 20:
        return word
    candidates = {right for form in _deletions(word) for right in _BY_DELETION.get(form, ())}
    near = {right for right in candidates if _is_near(word, right)}
    return near.pop() if len(near) == 1 else word


def _deletions(word: str) -> Iterator[str]:
    yield word
    yield from (word[:i] + word[i + 1 :] for i in range(len(word)))


def _is_near(word: str, right: str) -> bool:
    """Two letters changed places; or, in a long word, one letter is wrong, missing or too much."""
    if len(word) == len(right):
        differs = [i for i, (a, b) in enumerate(zip(word, right, strict=True)) if a != b]
        if len(differs) == 2 and differs[1] == differs[0] + 1:
            return word[differs[0]] == right[differs[1]] and word[differs[1]] == right[differs[0]]
        return len(differs) == 1 and len(right) >= _LONG and differs[0] > 0
    if min(len(word), len(right)) < _LONG - 1 or len(right) < _LONG or word[0] != right[0]:
        return False
    long, short = (word, right) if len(word) > len(right) else (right, word)
    return len(long) - len(short) == 1 and short in _deletions(long)


_BY_DELETION: dict[str, set[str]] = {}
for _right in (*WORDS, *MORE_WORDS):
    if len(_right) >= 4:
        for _form in _deletions(_right):
            _BY_DELETION.setdefault(_form, set()).add(_right)
