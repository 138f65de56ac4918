"""The check of one text: all rules over all sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from knowledge.plain import address, structure, vocabulary
from knowledge.plain.clauses import clauses
from knowledge.plain.hits import Hit
from knowledge.plain.officialese import officialese
from knowledge.plain.passive import passive
from knowledge.plain.report import Finding, Report
from knowledge.plain.text import Sentence, place, sentences

if TYPE_CHECKING:
    from pyphen import Pyphen


def check(text: str, *, whole: bool = True) -> Report:
    """What can be plainer in a Dutch text, in the order of the text. Never fails: every text has a report.

    `whole`: the text stands by itself, so it should speak to its reader; a part of an article need not.
    """
    found = sentences(text)
    hits = [*_hits(found, text), *(address.nobody(found) if whole else ())]
    hits.sort(key=lambda hit: (hit.start, hit.end))
    places = place(text)
    findings = tuple(
        Finding(
            *places.of(hit.start), hit.end - hit.start, hit.kind, hit.severity,
            hit.reason, hit.suggestion, hit.source, hit.replacement,
        )
        for hit in hits
    )  # fmt: skip
    words = sum(len(sentence.words) for sentence in found)
    return Report(findings, words, len(found), reading_ease(found))


def _hits(found: Sequence[Sentence], text: str) -> Iterator[Hit]:
    terms, named, told = vocabulary.terms(text), vocabulary.names(found), vocabulary.told(text)
    for sentence in found:
        yield from structure.length(sentence)
        yield from clauses(sentence)
        yield from structure.negation(sentence)
        yield from passive(sentence)
        official = [hit for hit in officialese(sentence) if not _inside(hit, terms)]
        yield from official
        taken = [*terms, *((hit.start, hit.end) for hit in official)]
        yield from (hit for hit in vocabulary.difficult(sentence, text, named) if not _inside(hit, taken))
        yield from vocabulary.abbreviations(sentence, told)
        yield from address.men(sentence)
        yield from address.familiar(sentence)


def _inside(hit: Hit, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= hit.start < end for start, end in spans)


def reading_ease(found: Sequence[Sentence]) -> float | None:
    """Flesch-Douma: 206.835 - 0.93 words a sentence - 77 syllables a word (Douma 1960); 60 and up is normal.

    Only a figure beside the verdict: such formulas say nothing about what to repair (Jansen and Lentz, Onze Taal
    2008). None for a text without words.
    """
    words = [token.lower for sentence in found for token in sentence.words if token.kind == "word"]
    if not words:
        return None
    syllables = sum(_syllables(word) for word in words)
    return round(206.835 - 0.93 * len(words) / len(found) - 77 * syllables / len(words), 1)


@lru_cache(maxsize=20_000)
def _syllables(word: str) -> int:
    return len(_hyphens().positions(word)) + 1


@lru_cache(maxsize=1)
def _hyphens() -> Pyphen:
    from pyphen import Pyphen

    return Pyphen(lang="nl")
