"""A text as sentences and tokens that know their place. Markdown, links, numbers and variables don't disturb."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Literal

from knowledge.plain import lists

_MARKUP = re.compile(r"\]\([^)\s]{0,500}\)|[*`\[\]]|^ *#+ |^ *(?:[-•]|\d{1,2}[.)]) +", re.MULTILINE)
_ITEM = re.compile(r"(?:[-•*]|\d{1,2}[.)]) +|#+ ")
_URL = (
    r"https?://[^\s)\]]*[\w/}=]|\{website\}/[\w/?=#-]*|www\.[\w./-]*\w|[\w.+-]+@[\w.-]+\w|"
    r"\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,9}\.(?:nl|com|eu|org|net|be|example)\b(?:/[\w/-]*)?"
)
_NUMBER = (
    r"\{[a-z][a-z0-9_]*\}|€ ?\d+(?:[.,]\d+)*(?:,-)?|\+?\d[\d ()-]{5,}\d|\b14 ?0\d{2,4}\b|\b[1-9]\d{3} ?[A-Z]{2}\b|"
    r"\d+(?:[.,:/-]\d+)*(?:e|%|-)?(?![\w])"
)
_WORD = r"[^\W_]+(?:['’\-][^\W_]+)*"


@lru_cache(maxsize=1)
def _tokens() -> re.Pattern[str]:
    short = sorted((re.escape(name) for name in lists.abbreviations() if name.endswith(".")), key=len)
    dotted = "|".join(reversed(short))
    # A known abbreviation, or letters with dots (b.v.d.).
    abbreviation = rf"(?<![\w.])(?:{dotted})|(?<![\w.])(?:[^\W\d_]\.){{2,}}"
    return re.compile(
        rf"(?P<value>{_URL}|{_NUMBER})|(?P<short>(?i:{abbreviation}))|(?P<slash>(?i:\bt/m\b|\bb&w\b))"
        r"|(?P<initial>\b[A-Z]\.(?= ?[A-Z][a-z.]))"
        rf"|(?P<word>{_WORD})|(?P<mark>[^\s\w]|_)"
    )


@dataclass(frozen=True)
class Token:
    """A word, a value (number, amount, address, initial, variable), an abbreviation with dots, or a mark."""

    text: str
    start: int
    kind: Literal["word", "value", "short", "mark"]

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @cached_property
    def lower(self) -> str:
        return self.text.lower().replace("’", "'")


@dataclass(frozen=True)
class Sentence:
    """Its tokens in order, at least one of them no mark."""

    tokens: tuple[Token, ...]

    @cached_property
    def words(self) -> tuple[Token, ...]:
        """All but the marks: a number, an amount and a web address count as one word."""
        return tuple(token for token in self.tokens if token.kind != "mark")

    @property
    def start(self) -> int:
        return self.words[0].start

    @property
    def end(self) -> int:
        return self.words[-1].end

    @cached_property
    def parts(self) -> tuple[tuple[Token, ...], ...]:
        """The words between commas, semicolons, dashes and brackets."""
        parts: list[list[Token]] = [[]]
        for token in self.tokens:
            if token.kind != "mark":
                parts[-1].append(token)
            elif token.text in ",;()–—":
                parts.append([])
        return tuple(tuple(part) for part in parts if part)


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text. Each item of a list is one of its own, and so is what stands before a colon."""
    clean = _MARKUP.sub(lambda match: _blank(match[0]), text)
    found: list[Sentence] = []
    start = 0
    for end in [*_line_ends(text), len(text)]:
        found += _cut(clean, start, end)
        start = end
    return found


def place(text: str) -> Places:
    """Where a character of the text stands."""
    return Places([0, *(match.end() for match in re.finditer("\n", text))])


@dataclass(frozen=True)
class Places:
    """The starts of the lines of a text."""

    starts: list[int]

    def of(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1


def _blank(markup: str) -> str:
    return "".join(char if char == "\n" else " " for char in markup)


def _line_ends(text: str) -> Iterator[int]:
    """The line breaks that end a sentence: all but those in the middle of a wrapped paragraph."""
    at = 0
    for line, following in pairwise(text.split("\n")):
        at += len(line) + 1
        written = line.strip()
        goes_on = bool(written) and not _ITEM.match(written) and written[-1] not in ".?!:"
        if not (goes_on and following[:1].islower()):
            yield at - 1


def _cut(clean: str, start: int, end: int) -> Iterator[Sentence]:
    tokens: list[Token] = []
    for match in _tokens().finditer(clean, start, end):
        kind = {"slash": "short", "initial": "value"}.get(match.lastgroup or "", match.lastgroup)
        tokens.append(Token(match[0], match.start(), kind))  # type: ignore[arg-type]  # one of its groups
        last = clean[match.end() : match.end() + 1]
        if match[0] in (".", "?", "!", "…", ":") and (last.isspace() or last in ('"', "”", "'", ")", "")):
            yield from _sentence(tokens)
            tokens = []
    yield from _sentence(tokens)


def _sentence(tokens: list[Token]) -> Iterator[Sentence]:
    if any(token.kind != "mark" for token in tokens):
        yield Sentence(tuple(tokens))
