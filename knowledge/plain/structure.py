"""Rules about the building of a sentence: its length, and its negations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from knowledge.plain.clauses import ALWAYS
from knowledge.plain.hits import HOUSE, TAALWINKEL, Hit
from knowledge.plain.report import Severity
from knowledge.plain.text import Sentence, Token
from knowledge.plain.words import is_common, lemma, word_set

LONGEST = 15
"""Words in a sentence."""

_JOINTS = word_set("en maar omdat zodat want dus als terwijl die dat waarbij waarin of indien")
_BORDERS = ALWAYS | word_set("als dat die wat wie hoe waar wanneer maar want dus en of")
_NOT = word_set("niet geen nooit niemand niets nergens zonder noch nimmer geenszins evenmin")
_AGAINST = word_set(
    "verbieden verboden nalaten ontkennen uitsluiten uitgesloten vermijden weigeren onthouden ontbreken"
)
_NOT_UN = re.compile(r"on(?!der|s|ts?|lang|geveer|geluk|kruid|weer|roerend|gedierte|line)\w{4,}")


def length(sentence: Sentence) -> Iterator[Hit]:
    """A sentence of more than 15 words."""
    words = sentence.words
    if len(words) <= LONGEST:
        return
    joints = [at for at, word in enumerate(words) if word.lower in _JOINTS and 3 < at < len(words) - 2]
    hint = "Maak er twee zinnen van."
    if joints:
        joint = words[min(joints, key=lambda at: abs(at - len(words) / 2))]
        hint = f"Maak er twee zinnen van, bijvoorbeeld bij ‘{joint.text}’."
    reason = f"Deze zin heeft {len(words)} woorden. Hoogstens {LONGEST} leest prettig."
    yield Hit(sentence.start, sentence.end, "sentence", "error", reason, hint, HOUSE)


def negation(sentence: Sentence) -> Iterator[Hit]:
    """Two negations in one clause: `niet onmogelijk`, `geen ... nooit`; `niet ... zonder` is an advice."""
    for clause in _clauses(sentence):
        nots = [at for at, token in enumerate(clause) if token.lower in _NOT]
        for at in nots:
            other = _second(clause, at, nots)
            if other is not None:
                first, second = sorted((clause[at], other), key=lambda token: token.start)
                reason = f"‘{first.text}’ en ‘{second.text}’ samen: de lezer moet twee keer omdenken."
                severity: Severity = "advice" if "zonder" in (first.lower, second.lower) else "error"
                hint = "Zeg wat er wel geldt of wel kan."
                yield Hit(first.start, second.end, "negation", severity, reason, hint, TAALWINKEL)
                break


def _clauses(sentence: Sentence) -> Iterator[list[Token]]:
    for part in sentence.parts:
        clause: list[Token] = []
        for token in part:
            if token.lower in _BORDERS:
                yield clause
                clause = []
            clause.append(token)
        yield clause


def _second(clause: Sequence[Token], at: int, nots: Sequence[int]) -> Token | None:
    """The other half of a double negation that starts at `at`."""
    for other in nots:
        if other > at and clause[other].lower != clause[at].lower:
            return clause[other]
    if clause[at].lower not in {"niet", "geen", "nooit"}:
        return None
    follows = clause[at + 1] if at + 1 < len(clause) else None
    if follows is not None and _NOT_UN.fullmatch(follows.lower) and is_common(follows.lower[2:]):
        return follows
    return next(
        (token for token in clause if token.lower in _AGAINST or lemma(token.lower) in _AGAINST), None
    )
