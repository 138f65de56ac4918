"""From a message to tokens: words, numbers, clock times and dates in figures, each with where it stood.

`kan het dinsdagmiddag om 14.30u?` gives `kan` (unknown), `het` (left out), `dinsdag`, `middag`, `om`, `14.30`, `uur`.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from actions.dates.lexicon import FILLERS, GOES_ON, MORE_WORDS, PHRASES, UNSURE, WORDS
from actions.dates.spelling import repaired

_LONGEST = 1000
"""Characters that are looked at: who writes more does not name a moment after that."""

_MOST = 80
"""Words that say when: nobody needs more, and who sends thousands may not keep us busy."""

_TOKEN = re.compile(
    r"""
    (?P<full>\d{4}-\d{1,2}-\d{1,2})
  | (?P<date>\d{1,2}(?P<sep>[-/.])\d{1,2}(?P=sep)(?:\d{4}|\d{2})(?!\d))
  | (?P<clock>\d{1,2}[:.]\d{2}|\d{1,2}\s?[uh]\s?[0-5]\d)(?!\d)(?=\s?(?P<unit>u|h|uur)?\b)
  | (?P<short>\d{1,2}[-/]\d{1,2})(?![\d/-])
  | (?P<ordinal>\d{1,2}\s?(?:e|de|ste)\b)
  | (?P<number>\d+)
  | (?P<till>t/m)
  | (?P<word>['’`]?[^\W\d_]+(?:['’`][^\W\d_]+)*)
  | (?P<mark>[-–—/&,])
    """,
    re.VERBOSE,
)
_MONTH = "|".join(
    ("jan", "feb", "mrt", "maart", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
)
_SUNDAY = re.compile(rf"zo\.?,?\s*(?:$|\d{{1,2}}(?:[-/]\d|e?\s+(?:{_MONTH})))")
"""`zo` is a Sunday before a date only, or as all that is written; else a small word."""

_DAY_HEADS = {w for w, kinds in WORDS.items() if any(k in ("WD", "DAY") for k, _ in kinds) and len(w) > 5}
_TAILS = {w for w, kinds in WORDS.items() if any(k == "PART" for k, _ in kinds)} | {"morgen"}


@dataclass(frozen=True, slots=True)
class Token:
    """`text` as the grammar reads it, what it can be, and its place in the message."""

    text: str
    start: int
    end: int
    kinds: tuple[tuple[str, object], ...] = field(default=())


def tokens(message: str, literals: frozenset[str]) -> list[list[Token]]:
    """The runs of known words; `literals` are the words that the rules name. What lies between means nothing here."""
    runs: list[list[Token]] = [[]]
    known = 0
    found = list(_joined(list(_written(message[:_LONGEST], literals))))
    for token, following in itertools.zip_longest(found, found[1:]):
        if token.text in FILLERS:
            continue
        kinds = token.kinds or tuple(WORDS.get(token.text, ()))
        if following and not _known_word(following, literals):
            kinds = tuple(kind for kind in kinds if kind[0] not in ("ORD", "H"))
        if kinds or token.text in literals:
            known += 1
            if known > _MOST:
                break
            runs[-1].append(Token(token.text, token.start, token.end, kinds))
        elif runs[-1]:
            runs.append([])
    nothing_else = all(_known_word(token, literals) for token in found)
    return [run for run in runs if run and (nothing_else or any(t.text not in UNSURE for t in run))]


def _known_word(token: Token, literals: frozenset[str]) -> bool:
    return bool(token.kinds) or any(token.text in words for words in (WORDS, FILLERS, GOES_ON, literals))


def _written(message: str, literals: frozenset[str]) -> Iterator[Token]:
    """Each token as it stands, spelling repaired and compounds taken apart."""
    text = message.lower().replace("’", "'").replace("`", "'")
    for found in _TOKEN.finditer(text):
        start, end = found.span()
        kind = found.lastgroup if found.lastgroup not in ("sep", "unit") else None
        kind = kind or next(k for k in ("full", "date", "clock", "short") if found[k])
        if kind == "clock" and "." in found[0] and not found["unit"] and text[:start].endswith("op "):
            kind = "short"  # "op 10.10" is a day, "om 10.10" a time
        if found[0] == "zo" and _SUNDAY.match(text, start) and (found.end() + 1 < len(text) or not start):
            yield Token("zondag", start, end)
            continue
        yield from (
            _word(found[0], start, end, literals)
            if kind in ("word", "mark", "till")
            else (Token(found[0], start, end, tuple(_figures(kind, found[0]))),)
        )


def _figures(kind: str, text: str) -> Iterator[tuple[str, object]]:
    parts = [int(part) for part in re.findall(r"\d+", text)]
    if kind == "full":
        yield "DATE", (parts[2], parts[1], parts[0])
    elif kind == "date":
        year = _full_year(parts[2])
        yield "DATE", (parts[0], parts[1], year)
    elif kind == "clock":
        yield "CLOCK", (parts[0], parts[1], text[0] == "0")
    elif kind == "short":
        yield ("SLASHED" if "/" in text else "DASHED"), (parts[0], parts[1])
    elif kind == "ordinal":
        yield "ORD", parts[0]
    else:
        number = parts[0]
        if number < 100:
            yield "N", number
        if number <= 24:
            yield ("ZERO" if len(text) == 2 and text[0] == "0" else "H"), number
        if 2000 <= number < 2100:
            yield "YEAR", number


def _full_year(year: int) -> int:
    """`26` is 2026; who was born in `74` was so in 1974."""
    return year if year >= 100 else 2000 + year if year < 70 else 1900 + year


def _word(word: str, start: int, end: int, literals: frozenset[str]) -> Iterator[Token]:
    accented = word.startswith("é")
    word = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    word = word.strip("'") if word.strip("'") in ("s", "") else word
    if accented and word == "een":
        yield Token(word, start, end, (("N", 1), ("H", 1)))
        return
    word = word if word in literals or word in FILLERS else _known(word)
    if word in ("u", "h", "uurs"):
        word = "uur"
    for head in ("half", "kwart"):
        tail = word.removeprefix(head)
        if tail != word and any(kind == "N" for kind, _ in WORDS.get(tail, ())):
            yield Token(head, start, end)
            yield Token(tail, start, end)
            return
    tail = word.removesuffix("uur")
    if tail != word and any(kind == "N" for kind, _ in WORDS.get(tail, ())):
        yield Token(tail, start, end)
        yield Token("uur", start, end)
        return
    if word not in WORDS:
        for at in range(len(word) - 3, 3, -1):
            head, tail = _known(word[:at]), _known(word[at:])
            if head in _DAY_HEADS and tail in _TAILS:
                yield Token(head, start, end)
                yield Token("ochtend" if tail == "morgen" else tail, start, end)
                return
    yield Token(word, start, end)


def _known(word: str) -> str:
    return word if word in WORDS or word in MORE_WORDS else repaired(word)


def _joined(found: list[Token]) -> Iterator[Token]:
    """Words in a row that mean one thing, the longest first."""
    at = 0
    while at < len(found):
        for length in (4, 3, 2, 1):
            run = found[at : at + length]
            if len(run) == length and (one := PHRASES.get(tuple(token.text for token in run))):
                yield Token(one, run[0].start, run[-1].end)
                at += length
                break
        else:
            yield found[at]
            at += 1
