"""Who comes, as calendars want it: our one name in parts."""

from __future__ import annotations

import re

_PREFIXES = frozenset(
    {"van", "de", "den", "der", "het", "'t", "ten", "ter", "te", "von", "el", "al", "in", "op"}
)


def split_name(name: str) -> tuple[str, str]:
    """First names and last name, with what stands before it: `Anna Maria`, `van den Berg`. One word is a last name."""
    words = re.sub(r"[\x00-\x1f\x7f]", " ", name).split()
    if len(words) < 2:
        return "", " ".join(words)
    begin = next((n for n, word in enumerate(words[1:], 1) if word.lower() in _PREFIXES), len(words) - 1)
    return " ".join(words[:begin]), " ".join(words[begin:])


def initials(first: str) -> str:
    """`Anna Maria` is `A.M.`, and `J.P.` stays so."""
    words = first.replace(".", " ").split()
    return "".join(f"{word[0].upper()}." for word in words)
