"""Official words, with the plain ones for them: knowledge/plain/ambtelijk.yml."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from knowledge.plain import lists
from knowledge.plain.hits import Hit
from knowledge.plain.lists import Term
from knowledge.plain.text import Sentence, Token
from knowledge.plain.words import lemma, participle, word_set

_FARTHEST = 20  # words from a separable verb to its loose part
_ENDS = word_set("en of dat als omdat wanneer")


def officialese(sentence: Sentence) -> Iterator[Hit]:
    """Each official phrase, word or verb of a sentence; the longest that fits."""
    words = sentence.words
    at = 0
    while at < len(words):
        size, term = _phrase(words, at) or (1, _verb(words, at, sentence.parts))
        if term is None:
            at += 1
            continue
        yield _hit(words[at : at + size], term)
        at += size


def _hit(found: Sequence[Token], term: Term) -> Hit:
    text = " ".join(token.text for token in found)
    exact = text.lower() == term.text
    choices = " of ".join(f"‘{plain}’" for plain in term.plain)
    is_verb = term.text in lists.officialese().verbs
    suggestion = f"Schrijf liever een vorm van {choices}." if is_verb else f"Schrijf liever {choices}."
    replacement = term.plain[0] if exact and not is_verb else None
    if replacement and text[0].isupper():
        replacement = replacement[0].upper() + replacement[1:]
    start, end = found[0].start, found[-1].end
    reason = f"‘{text}’ is een ambtelijk woord." if len(found) == 1 else f"‘{text}’ is ambtelijke taal."
    return Hit(
        start,
        end,
        "officialese",
        "advice" if term.mild else "error",
        reason,
        suggestion,
        term.source,
        replacement,
    )


def _phrase(words: Sequence[Token], at: int) -> tuple[int, Term] | None:
    if words[at].kind != "word":
        return None
    listed = lists.officialese().phrases
    lower = words[at].lower
    for first in dict.fromkeys((lower, *_bases(lower))):
        for phrase, term in listed.get(first, ()):
            if len(phrase) > 1 and first != lower:
                continue
            if tuple(token.lower for token in words[at + 1 : at + len(phrase)]) == phrase[1:]:
                return len(phrase), term
    return None


def _bases(word: str) -> Iterator[str]:
    """The word without the ending of an adjective, and its lemma."""
    if len(word) > 5 and word.endswith("e"):
        yield word.removesuffix("e")
    yield lemma(word)


def _verb(words: Sequence[Token], at: int, parts: Sequence[Sequence[Token]]) -> Term | None:
    if words[at].kind != "word":
        return None
    listed = lists.officialese()
    lower = words[at].lower
    base = lemma(lower)
    for form in (
        base,
        participle(lower),
        participle(lower.removesuffix("e")) if lower.endswith("e") else None,
    ):
        if form is not None and (term := listed.verbs.get(form)) is not None:
            return term
    before = [token.lower for token in words[max(0, at - 2) : at]]
    for term in (*listed.separable.get(lower, ()), *listed.separable.get(base, ())):
        if before == [term.particle, "te"] or _ends_with(parts, words[at], term.particle):
            return term
    return None


def _ends_with(parts: Sequence[Sequence[Token]], verb: Token, particle: str) -> bool:
    """Whether the loose part of the verb stands after it, last before a comma, an `en` or the end."""
    part = next(part for part in parts if part[-1].start >= verb.start)
    at = bisect_left(part, verb.start, key=lambda token: token.start)
    near = [token.lower for token in part[at : at + _FARTHEST + 1]]
    for place in range(1, min(len(near), _FARTHEST)):
        ends = at + place + 1 == len(part) or near[place + 1] in _ENDS
        if near[place] == particle and ends and not _belongs_to_noun(near[place - 1]):
            return True
    return False


def _belongs_to_noun(word: str) -> bool:
    """An article or an adjective: `een goede plaats` is no part of a verb."""
    return word in {"de", "het", "een", "uw", "deze", "geen"} or (word.endswith("e") and lemma(word) != word)
