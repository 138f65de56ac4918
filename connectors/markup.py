"""Text for residents: the mini markup of `Outbound.text` read, split, cut and written for a channel."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import escape
from itertools import takewhile

_BOLD = re.compile(r"\*\*(?=[^\s*])([^\n]{0,2000}?[^\s*])\*\*")
_ITEM = re.compile(r"^- ", re.MULTILINE)
_UNBROKEN = re.compile(r"https?://\S+|www\.\S+|tel:\S+|mailto:\S+|[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAKS = (
    re.compile(r"\n\n+"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…])\s+"),
    re.compile(r"\s+"),
)


@dataclass(frozen=True, slots=True)
class Marked:
    """Text as a resident reads it, and which stretches of it are bold, as (start, end)."""

    text: str
    bold: tuple[tuple[int, int], ...] = ()

    def between(self, start: int, end: int) -> Marked:
        """That part, without the white space around it."""
        part = self.text[start:end]
        start += len(part) - len(part.lstrip())
        end = start + len(part.strip())
        bold = ((max(a, start) - start, min(b, end) - start) for a, b in self.bold if a < end and b > start)
        return Marked(self.text[start:end], tuple(bold))


def clean(text: str) -> str:
    """Without what no screen should get: control characters, NUL, halves of a surrogate pair."""
    return _UNSEEN.sub("", text.replace("\t", " "))


def read(text: str) -> Marked:
    """Mini markup as plain text with bold stretches; list lines get a bullet."""
    text = _ITEM.sub("• ", clean(text)).strip()
    plain: list[str] = []
    bold: list[tuple[int, int]] = []
    length = last = 0
    for match in _BOLD.finditer(text):
        before = text[last : match.start()]
        length += len(before)
        bold.append((length, length + len(match[1])))
        length += len(match[1])
        plain += (before, match[1])
        last = match.end()
    plain.append(text[last:])
    return Marked("".join(plain), tuple(bold))


def width(text: str) -> int:
    """Length as the vendors may count it, at the worst: in UTF-16 units, where an emoji is two."""
    return len(text) + sum(c > "\uffff" for c in text)


def split(marked: Marked, limit: int) -> list[Marked]:
    """Parts of at most `limit`, at paragraph, line, sentence or word ends, never inside a link or an emoji
    unless that alone is longer. Only white space is lost; blank text has no parts."""
    parts: list[Marked] = []
    start = 0
    while start < len(marked.text):
        end = _reach(marked.text, start, limit)
        if end < len(marked.text):
            end = _break(marked.text, start, end)
        part = marked.between(start, end)
        if part.text:
            parts.append(part)
        start = end
    return parts


def cut(label: str, limit: int) -> str:
    """One line of at most `limit`, shortened at a word boundary with an ellipsis."""
    label = " ".join(clean(label).split())
    if width(label) <= limit:
        return label
    end = _reach(label, 0, limit - 1)
    word = label.rfind(" ", end // 2, end + 1)
    while word < 0 < end and _glued(label, end):
        end -= 1
    return label[: word if word > 0 else end].rstrip(" ,;:-–") + "…"


def to_html(marked: Marked) -> str:
    """As HTML with <b> only, everything else escaped."""
    html: list[str] = []
    last = 0
    for start, end in marked.bold:
        html += (_escape(marked.text[last:start]), "<b>", _escape(marked.text[start:end]), "</b>")
        last = end
    html.append(_escape(marked.text[last:]))
    return "".join(html)


def to_ansi(marked: Marked) -> str:
    """For a terminal: bold in ANSI, nothing else that a terminal obeys."""
    text = marked.text
    for start, end in reversed(marked.bold):
        text = f"{text[:start]}\x1b[1m{text[start:end]}\x1b[22m{text[end:]}"
    return text


def _escape(text: str) -> str:
    return escape(text, quote=False)


def _reach(text: str, start: int, limit: int) -> int:
    """How far a part that starts here can go: one character at least."""
    end = min(start + limit, len(text))
    while (over := width(text[start:end]) - limit) > 0 and end > start + 1:
        end -= max(1, over // 2)
    return end


def _break(text: str, start: int, end: int) -> int:
    """The best place to break, in the second half of the part where it can be; never at its start."""
    half = start + (end - start) // 2
    for pattern in _BREAKS:
        places = [m.start() for m in pattern.finditer(text, half, end + 1) if half < m.start() <= end]
        if places:
            return places[-1]
    place = next((a for a, b in _links(text, start, end) if start < a < end < b), end)
    while place > start and _glued(text, place):
        place -= 1
    return place if place > start else end


def _links(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Links that begin in this part."""
    return [
        m.span() for m in takewhile(lambda m: m.start() < end, _UNBROKEN.finditer(text, start, end + 100))
    ]


def _glued(text: str, place: int) -> bool:
    """Whether a break here would tear what the eye sees as one character."""
    if place <= 0 or place >= len(text):
        return False
    before, after = text[place - 1], text[place]
    if before == "\u200d" or after == "\u200d" or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True
    return _flag(before) and _flag(after) and _flags_before(text, place) % 2 == 1


def _flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _flags_before(text: str, place: int) -> int:
    """How many regional indicators stand right before this place: two of them make one flag."""
    count = 0
    while place > count and _flag(text[place - count - 1]):
        count += 1
    return count
