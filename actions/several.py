"""More than one question in a message: which articles answer them, in order.

A message is only taken apart where its parts surely belong to different articles; else it stays one question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from actions import aspects, sentences
from actions.lookup import Hit, Lookup
from bot.ports import Found

_CERTAIN = 0.85
"""From here up a part that only tells something counts as asked, where nothing else is."""

_TOP = 5
_SHARE, _TOGETHER, _LEAST = 0.03, 0.7, 0.08
"""So much of what the whole question finds must be each of the two that its halves surely name; where a half is less
sure, so much both together and so much each."""


async def several(lookup: Lookup, text: str) -> list[Hit]:
    """What the parts of a message ask for, each article once; empty for a message that is one question."""
    parts = sentences.parts(text)
    if len(parts) > 1:
        return await _of_parts(lookup, parts)
    return await _of_halves(lookup, text)


async def _of_parts(lookup: Lookup, parts: Sequence[sentences.Part]) -> list[Hit]:
    """Of what is asked; where that is not sure, or names nothing (`wat moet ik doen`), of what is told."""
    asked = await _hits(lookup, [part.text for part in parts if part.asks], lookup.thresholds.answer)
    if asked:
        return asked
    told = [part.text for part in parts if not part.question or aspects.alone(part.text)]
    hits = await _hits(lookup, told, max(_CERTAIN, lookup.thresholds.answer))
    return hits if len(hits) < 2 or not any(_names(part) for part in parts if part.question) else []


def _names(part: sentences.Part) -> bool:
    return bool(sentences.content(part.text)) and aspects.alone(part.text) is None


async def _hits(lookup: Lookup, texts: Sequence[str], least: float) -> list[Hit]:
    hits: dict[str, Hit] = {}
    last: str | None = None
    for text in texts:
        if aspect := aspects.alone(text):
            if last and aspect != "hoe" and aspect not in hits[last].aspects:
                hits[last] = replace(hits[last], aspects=(*hits[last].aspects, aspect))
            continue
        found = await lookup.ranked(text) if sentences.content(text) else []
        hit = lookup.hit(found, aspects.all_asked(text) or (None,), 0)
        if hit is None or (hit.probability or 0.0) < least:
            continue
        last = hit.article.slug
        if known := hits.get(last):
            hit = replace(known, aspects=tuple(dict.fromkeys((*known.aspects, *hit.aspects))))
        hits[last] = hit
    return list(hits.values())


async def _of_halves(lookup: Lookup, text: str) -> list[Hit]:
    """`wat kost een paspoort en een rijbewijs`: what both sides of "en" name, of what the whole finds."""
    sides = sentences.halves(text)
    if sides is None:
        return []
    whole = (await lookup.ranked(text))[:_TOP]
    named = [_named(await lookup.ranked(side), whole) for side in sides]
    first, second = named
    if first is None or second is None or first[0].slug == second[0].slug:
        return []
    clear = min(first[1], second[1]) >= lookup.thresholds.answer
    shares = [found.probability for found, _ in (first, second)]
    if min(shares) < (_SHARE if clear else _LEAST) or not (clear or sum(shares) >= _TOGETHER):
        return []
    asked = aspects.all_asked(text) or (None,)
    hits = (lookup.hit([replace(found, probability=sum(shares))], asked, 0) for found, _ in (first, second))
    return [hit for hit in hits if hit]


def _named(side: Sequence[Found], whole: Sequence[Found]) -> tuple[Found, float] | None:
    """Of what the whole finds, what one side names best; with how sure that side is of it."""
    sure = {found.slug: found.probability for found in side}
    both = [(found, sure[found.slug]) for found in whole if found.slug in sure]
    return max(both, key=lambda pair: pair[0].probability * pair[1], default=None)
