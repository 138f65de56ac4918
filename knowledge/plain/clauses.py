"""The rule about subclauses: a sentence has at most one.

Without a parser: the words that open a subclause are counted, and words that can be something else (`als`, `dat`,
`die`, `of`) only where what stands around them says so. `Dat u haast heeft en wanneer u reist` counts as one, and
`om ... te` as none: readers take both in easily.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from knowledge.plain.hits import HVDS, Hit
from knowledge.plain.text import Sentence, Token
from knowledge.plain.words import lemma, participle, word_set

_SUBJECTS = word_set(
    "u uw ik wij we hij zij ze het de een er dit deze die dat iemand niemand alles iedereen mensen mijn onze ons hun "
    "haar zijn geen twee één beide men"
)
ALWAYS = word_set(
    "omdat doordat zodat terwijl hoewel ofschoon indien tenzij mits voordat nadat totdat zodra zolang opdat aangezien "
    "alvorens waarbij waarin waarop waarvoor waarmee waardoor waaraan waarvan waarover waaruit waarnaar waartegen "
    "waaronder waartoe waaromtrent hetgeen doordien ingeval naarmate"
)
"""Words that always open a subclause."""
_ASKING = word_set("wat wie hoe waar wanneer waarom welke welk hoeveel")
_FUNCTION = _ASKING | word_set(
    "de het een en of maar want dus in op aan bij met van voor door uit over naar om te tot na tegen per via als dat "
    "die dit deze u uw ik wij we hij zij ze er zoals niet ook al dan nog wel zo alleen daarna eerst"
)
_LIKE = word_set(
    "zo zowel net evenals even groter kleiner meer minder anders dezelfde hetzelfde zelfde wijze manier"
)
_FINITE = word_set(
    "is zijn was waren heeft hebben kan kunnen mag mogen moet moeten hoeft doet gaat komt helpt staat"
)
_TELLING = word_set(
    "weten vragen kijken controleren bekijken zien horen zeggen schrijven zorgen zorg vertellen melden vinden denken "
    "bewijzen staan betekenen kunnen willen laten bewijs begrijpen lezen onderzoeken beslissen bepalen besluiten "
    "mededelen verzoeken beoordelen"
)
_ARTICLES = word_set("de het een uw deze dit")
_BETWEEN = word_set("door op in bij aan van namens ten ter krachtens")


def clauses(sentence: Sentence) -> Iterator[Hit]:
    """More than one subclause."""
    found = list(_openers(sentence))
    if len(found) > 1:
        reason = f"Deze zin heeft {len(found)} bijzinnen. Eén is genoeg."
        hint = f"Begin bij ‘{found[1].text}’ een nieuwe zin."
        yield Hit(found[1].start, found[1].end, "clauses", "error", reason, hint, HVDS)


def _openers(sentence: Sentence) -> Iterator[Token]:
    """The word that opens each subclause."""
    asked = False
    for number, part in enumerate(sentence.parts):
        opened = False
        for at, token in enumerate(part):
            if opened and at + 2 == len(part) and token.lower in {"die", "dat"}:
                continue  # `als de wet dat zegt`
            if not _opens(part, at, first=number == 0):
                continue
            opened = True
            after_and = at > 0 and part[at - 1].lower in {"en", "of"}
            listed = at == 0 and asked and token.lower in _ASKING  # `wat het is, waar het was`
            asked = token.lower in _ASKING
            if not after_and and not listed:
                yield token
    yield from _squeezed(sentence.words)


def _opens(part: Sequence[Token], at: int, *, first: bool) -> bool:
    """Whether the word at `at` opens a subclause; `first`: its part is the first of the sentence."""
    word = part[at].lower
    if word in ALWAYS:
        return True
    if at + 1 == len(part):
        return False
    follows = part[at + 1].lower
    if word == "als":
        return follows in _SUBJECTS and (at == 0 or part[at - 1].lower not in _LIKE)
    if first and at == 0:
        return False  # `Dat kan`, `Wat u doet`, `Die bakken`
    if at == 0 and word in {"die", "dat"} and follows in _FINITE and len(part) > 2:
        return False  # `, dat is eerlijk`
    leads = at == 0 or (_may_be_noun(part[at - 1]) and not (first and at == 1))
    tells = at > 0 and lemma(part[at - 1].lower) in _TELLING
    if word == "dat":
        return leads or (tells and follows in _SUBJECTS)
    if word == "die":
        return leads
    if word in _ASKING:
        return follows in _SUBJECTS or at == 0
    return word == "of" and tells and follows in _SUBJECTS


def _may_be_noun(token: Token) -> bool:
    word = token.lower
    return token.kind == "word" and word not in _FUNCTION and not lemma(word).endswith("en")


def _squeezed(words: Sequence[Token]) -> Iterator[Token]:
    """A subclause squeezed between article and noun: `de door u ingediende aanvraag`."""
    for at, word in enumerate(words[:-3]):
        if word.lower in _ARTICLES and words[at + 1].lower in _BETWEEN:
            inner = (token.lower for token in words[at + 3 : at + 7])
            if any(one.endswith("e") and participle(one.removesuffix("e")) for one in inner):
                yield word
