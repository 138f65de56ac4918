"""Questions that lean on the one before: `en wat kost dat?`, `en voor mijn kind?`, `en een rijbewijs?`.

Such a question gets a part of the article that the conversation is about, or the article beside it that its own
words name. It never drags a question that can stand alone back to the old subject.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from actions import aspects, sentences
from actions.lookup import UNKNOWN, Hit, Lookup, Topic
from bot.ports import Article, Found

_LEAD = re.compile(r"^\W*(?:(?:en|maar|of|oh|ok|oke|oké|and|but|dan|dus|nou|ook)\b[\s,.]*)+", re.IGNORECASE)
_BACK = re.compile(
    r"\b(dan|dat|dit|die|deze|hij|hem|ze|daarvoor|ervoor|hiervoor|daarvan|ervan|hiervan|daarmee|ermee|hiermee|daarbij|that|it)\b"
    r"|\bhet(?=\W*$| (?:ook|dan|niet|al|wel|zelf|online|nog|voor|met|zonder|op|af|aan|als|in|laten|eerst|klaar)\b)"
    r"|\b(?:zelfde|hetzelfde)\b",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"^\W*(?:voor |van |for )?(?:een|de|het|mijn|m'n|mn|onze|ons|nog|twee|an?|my|the)\b", re.IGNORECASE
)
_LED, _POINTING, _BARE = 9, 9, 3
"""Most words of a question that begins with "en", that points back, and that is hardly a sentence."""

_OWN = 3
"""Words with a meaning of their own; with more of them a question stands alone."""

_CLEAR = 0.85
"""From here up its own words say what it is about."""

_NEAR = 2.0
"""The article in conversation and those related to it count so many times."""

_CARRIED = ("kosten", "meenemen", "duur")
"""Parts that are still asked for when only the subject changes: `en een rijbewijs?`"""

_HEARD, _HEARD_NEAR, _SHARE = 0.2, 0.03, 0.5
"""Less than that its own words may not say of an article, or of a related one; and that much of the weight it has to
have."""


def leans(text: str) -> bool:
    """Whether a question leans on the one before: short, and pointing back or half a sentence."""
    length, own = len(sentences.words(text)), len(sentences.content(text))
    if own > _OWN:
        return False
    led = length <= _LED and _LEAD.search(text) is not None
    return led or length <= _BARE or (length <= _POINTING and _BACK.search(text) is not None)


async def followed(lookup: Lookup, text: str, topic: Topic) -> Hit | None:
    """What a question that leans on the article in conversation asks for; None where it stands alone."""
    article = lookup.article(topic.article)
    if article is None:
        return None
    if aspect := aspects.alone(text):
        return Hit(article, (aspect if aspect != "hoe" or "hoe" in article.aspects else None,))
    if not leans(text):
        return None
    plain = _LEAD.sub("", text)
    own = await lookup.ranked(plain)
    if own and own[0].probability >= _CLEAR:
        return _beside(lookup, own[0].slug, text, topic, own[0].probability)
    together = await lookup.ranked(f"{article.title} {' '.join(sentences.content(plain))}", article.slug)
    led = _LEAD.search(text) is not None or not _BACK.search(text)
    if led and (slug := _named(article, own, together)):
        return _beside(lookup, slug, text, topic)
    if _BACK.search(text) and together and together[0].slug == article.slug:
        asked = aspects.asked(text)
        return Hit(article, (asked if asked in article.aspects else UNKNOWN,))
    return None


def _beside(
    lookup: Lookup, slug: str, text: str, topic: Topic, probability: float | None = None
) -> Hit | None:
    """An article, in the part that is asked for now, or else the part that the conversation was about."""
    article = lookup.article(slug)
    if article is None:
        return None
    aspect = aspects.asked(text)
    rest = _LEAD.sub("", text)
    if aspect is None and topic.aspect in _CARRIED and _SUBJECT.search(rest) and sentences.fragment(rest):
        aspect = topic.aspect
    return Hit(article, (aspect if aspect in article.aspects else None,), probability)


def _named(article: Article, own: Sequence[Found], together: Sequence[Found]) -> str | None:
    """The article that the words of a question name, seen beside the title of the one in conversation."""
    fits = {found.slug: found.probability for found in together}
    near = {article.slug, *article.related}
    weights = {
        found.slug: found.probability * fits[found.slug] ** 0.5 * (_NEAR if found.slug in near else 1.0)
        for found in own
        if found.slug in fits and found.probability >= (_HEARD_NEAR if found.slug in near else _HEARD)
    }
    if not weights:
        return None
    best = max(weights, key=weights.__getitem__)
    return best if weights[best] >= _SHARE * sum(weights.values()) else None
