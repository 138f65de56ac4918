"""The passive: `worden` with a past participle, and `zijn` with one where somebody did it.

`U bent geboren`, `u bent getrouwd`, `het is geregeld` tell how things are and pass. `Uw aanvraag is afgewezen`
tells what somebody did: werkwoorden.yml lists those verbs. `Is ... door` counts for every verb.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from knowledge.plain import lists
from knowledge.plain.hits import HVDS, RIJK, Hit
from knowledge.plain.text import Sentence, Token
from knowledge.plain.words import participle, word_set

_WORDEN = word_set("word wordt worden werd werden geworden")
_ZIJN = word_set("is zijn bent ben was waren")
_ARTICLES = word_set("de het een één geen uw dit dat deze die zo'n elk ieder")
_FARTHEST = 25  # words from the auxiliary to its participle
_SEPARATE = word_set("terug vast mede toe mee aan uit weg op af in over voor bij door")


def passive(sentence: Sentence) -> Iterator[Hit]:
    """Each auxiliary with its participle. With nobody in it at all (`er wordt`, `dient te worden`) it is an error."""
    done: set[int] = set()
    for part in sentence.parts:
        for at, token in enumerate(part):
            if token.lower in _WORDEN:
                found = _nearest(part, at) or _last(sentence, part)
                official = _is_impersonal(part, at)
            elif token.lower in _ZIJN:
                found, official = _done_by_someone(part, at), False
            else:
                continue
            if found is None or found.start in done:
                continue
            done.add(found.start)
            yield _hit(token, found, official=official)


def _hit(auxiliary: Token, found: Token, *, official: bool) -> Hit:
    first, last = sorted((auxiliary, found), key=lambda token: token.start)
    reason = f"Lijdende vorm: ‘{auxiliary.text} … {found.text}’. De lezer ziet niet wie iets doet."
    if first is found:
        reason = f"Lijdende vorm: ‘{found.text} {auxiliary.text}’. De lezer ziet niet wie iets doet."
    hint = f"Zeg wie het doet, bijvoorbeeld: ‘wij {_active(found.lower)}’."
    return Hit(
        first.start,
        last.end,
        "passive",
        "error" if official else "advice",
        reason,
        hint,
        HVDS if official else RIJK,
    )


def _nearest(part: Sequence[Token], at: int) -> Token | None:
    """The participle that goes with the auxiliary at `at`: the first one after it, else the word before it."""
    places = [*range(at + 1, min(len(part), at + _FARTHEST)), *range(at - 1, max(-1, at - 3), -1)]
    return next((part[place] for place in places if _is_verb(part, place)), None)


def _last(sentence: Sentence, part: Sequence[Token]) -> Token | None:
    """The participle at the end, where something was put in between: `wordt, als dat kan, behandeld`."""
    last = sentence.words[-1]
    return (
        last if part is not sentence.parts[-1] and len(sentence.parts) > 2 and _is_participle(last) else None
    )


def _done_by_someone(part: Sequence[Token], at: int) -> Token | None:
    found = _nearest(part, at)
    if found is None:
        return None
    doer = any(token.lower == "door" for token in part)
    return found if doer or participle(found.lower) in lists.verbs().acts else None


def _is_participle(token: Token) -> bool:
    word = token.lower
    return (
        token.kind == "word"
        and word not in lists.verbs().states
        and word not in _WORDEN
        and participle(word) is not None
    )


def _is_verb(part: Sequence[Token], at: int) -> bool:
    """A participle that is not an adjective: not `een bepaald aantal`."""
    return _is_participle(part[at]) and (at == 0 or part[at - 1].lower not in _ARTICLES)


def _is_impersonal(part: Sequence[Token], at: int) -> bool:
    """`Er wordt`, `wordt er`, and `te worden` after `dient` or `moet`."""
    around = {token.lower for token in part[max(0, at - 1) : at + 2]}
    needing = (
        at > 0
        and part[at - 1].lower == "te"
        and any(t.lower in lists.verbs().needing for t in part[max(0, at - _FARTHEST) : at])
    )
    return "er" in around or needing


def _active(word: str) -> str:
    """The plural of the present tense: `opgehaald` gives `halen op`."""
    verb = participle(word) or word
    for particle in _SEPARATE:
        if verb.startswith(particle) and len(verb) > len(particle) + 4 and word.startswith(particle + "ge"):
            return f"{verb.removeprefix(particle)} … {particle}"
    return verb
