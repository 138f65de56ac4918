"""Whether an article takes questions from others: asked before it is published, not found out after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.calibration import FOLDS, Calibration, rehearsal, without
from knowledge.encoder import Encoder, Vectors, encode_texts
from knowledge.index import Entry, Index, IndexedArticle, build_entries
from knowledge.space import unit
from knowledge.vectors import VectorCache

NEAR = 8
"""So many articles that lie nearest are asked for their questions."""

ROUND = 300
"""So many take part at all: with ten thousand the trial would take minutes, and those far away change nothing."""

_FOLD = 0


@dataclass(frozen=True, slots=True)
class Stolen:
    """A question that would no longer get the article that it belongs to."""

    question: str
    slug: str
    title: str


def stolen(
    entries: Sequence[Entry],
    candidate: IndexedArticle,
    encoder: Encoder,
    cache: VectorCache | None,
    calibration: Calibration,
    outside: tuple[list[str], Vectors],
) -> list[Stolen]:
    """Questions that get the right article now, and with `candidate` in its place would get that.

    Asked are the phrasings of the nearest articles, held out of what is searched as if a resident came up with them,
    and the questions of the rehearsal. Takes a second or two.
    """
    [new] = build_entries([candidate], encoder, cache)
    others = _nearest([entry for entry in entries if entry.article.slug != candidate.slug], new)
    if not others:
        return []
    near = [without(entry, _FOLD) for entry in others[:NEAR]] + others[NEAR:]
    now = [entry for entry in entries if entry.article.slug == candidate.slug]
    before, after = Index([*near, *now], *outside), Index([*near, new], *outside)
    found: dict[str, Stolen] = {}
    for entry, question, vector in _questions(others[:NEAR], before, encoder, cache):
        slug = entry.article.slug
        if _first(before, calibration, question, vector) != slug:
            continue  # that is not this article's doing
        if _first(after, calibration, question, vector) == candidate.slug:
            found[question] = Stolen(question, slug, entry.article.draft.title)
    return list(found.values())


def _nearest(entries: Sequence[Entry], new: Entry) -> list[Entry]:
    if not entries:
        return []
    centres = unit(np.array([entry.questions.mean(axis=0) for entry in entries]))
    order = np.argsort(-(centres @ unit(new.questions.mean(axis=0)[None, :])[0]), kind="stable")
    return [entries[at] for at in order[:ROUND]]


def _questions(
    near: Sequence[Entry], index: Index, encoder: Encoder, cache: VectorCache | None
) -> Iterator[tuple[Entry, str, Vectors]]:
    for entry in near:
        for row, phrasing in enumerate(entry.article.draft.phrasings):
            if row % FOLDS == _FOLD:
                yield entry, phrasing, entry.questions[row + 1]
    mine = {entry.article.slug: entry for entry in near}
    pairs = [(mine[slug], text) for slug, text in rehearsal() if slug in mine and not index.exact(text)]
    asked = [index.plain(text) for _, text in pairs]
    vectors = encode_texts(encoder, asked, cache, "query")
    for (entry, text), vector in zip(pairs, vectors, strict=True):
        yield entry, text, vector


def _first(index: Index, calibration: Calibration, question: str, vector: Vectors) -> str:
    if exact := index.exact(question):
        return index.entries[exact[0]].article.slug
    evidence = index.evidence(index.plain(question), vector)
    best = int(np.argmax(calibration.probabilities(evidence)))
    return index.entries[int(evidence.articles[best])].article.slug
