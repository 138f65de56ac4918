"""From evidence to one probability that means what it says, and the thresholds that go with it.

A conditional logit: each candidate and "none of these" gets a score, linear in its evidence, and the
probabilities are the softmax of the scores. The weights are fitted on phrasings that the index did not have
(it is built without them), on questions written as residents ask them, on questions of articles that it did
not have, and on questions outside its scope. Phrasings alone would make it timid: editors write each wording
once, the far-fetched ones too, where residents mostly use the plain ones.
`python -m knowledge.calibration` fits them again on the starter content and stores them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.ports import Thresholds
from knowledge.article import parse
from knowledge.encoder import Encoder, Vectors, encode_texts, load_encoder
from knowledge.index import (
    ARTICLE_FEATURES,
    NONE_FEATURES,
    Entry,
    Evidence,
    Index,
    IndexedArticle,
    build_entries,
    keys_of,
    outside_questions,
)
from knowledge.lexical import words_of
from knowledge.vectors import VectorCache

log = logging.getLogger(__name__)

STORED = Path(__file__).with_name("calibration.json")
EXACT = 0.99
"""An editor wrote this very question down. (Once in a while the resident means something else.)"""

REHEARSAL = Path(__file__).with_name("rehearsal.txt")
"""Questions with the slug of their article: slug, tab, question."""

FOLDS = 10
_SOME_PHRASINGS, _SOME_MISSING = 3, 10
"""One of so many phrasings is asked: more of them tell the same and take minutes."""

_SHARES = {"phrasing": 0.2, "rehearsal": 0.6, "outside": 0.17, "missing": 0.03}
"""The weight of each kind of question: the rehearsal stands for residents, the phrasings steady it, and the
last two are how often we expect a question to be outside our scope, or of an article not yet written."""

_PENALTY = 1e-3
_WRONG_ANSWERS = 0.03
_OUTSIDE_REFUSED = 0.9

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights of the evidence, and the thresholds chosen with them."""

    weights: tuple[float, ...]
    thresholds: Thresholds

    def probabilities(self, evidence: Evidence, prior: Floats | None = None) -> Floats:
        """For each candidate the probability that it answers the question; what is left is for none of them.
        `prior` is added to the scores."""
        split = len(ARTICLE_FEATURES)
        scores = evidence.for_articles @ np.array(self.weights[:split])
        if prior is not None:
            scores = scores + prior
        none = float(evidence.for_none @ np.array(self.weights[split:]))
        return _softmax(np.append(scores, none))[:-1]


@dataclass(frozen=True, slots=True)
class Sample:
    """One question that the index had not seen: its evidence, and the row of the right candidate or None."""

    kind: str
    evidence: Evidence
    right: int | None


def stored(encoder: str) -> Calibration | None:
    """The calibration that ships for this encoder, if there is one."""
    found = json.loads(STORED.read_text("utf-8")).get(encoder) if STORED.exists() else None
    if found is None or list(found["weights"]) != [*ARTICLE_FEATURES, *(f"none: {n}" for n in NONE_FEATURES)]:
        return None
    return Calibration(tuple(found["weights"].values()), Thresholds(**found["thresholds"]))


def rehearsal() -> list[tuple[str, str]]:
    """Slugs, each with a question."""
    lines = REHEARSAL.read_text("utf-8").splitlines()
    pairs = (line.partition("\t") for line in lines if line and not line.startswith("#"))
    return [(slug, question) for slug, _, question in pairs]


def fit(entries: Sequence[Entry], encoder: Encoder, cache: VectorCache | None = None) -> Calibration:
    """Weights and thresholds for these articles and this encoder."""
    return fit_samples(list(samples(entries, encoder, cache)))


def samples(entries: Sequence[Entry], encoder: Encoder, cache: VectorCache | None = None) -> Iterator[Sample]:
    """Questions with their evidence, each against an index that does not know it."""
    outside = outside_questions()
    vectors = encode_texts(encoder, outside, cache, "query")
    yield from _rehearsal(Index(entries, outside, vectors), encoder, cache)
    for fold in range(FOLDS):
        others = [number for number in range(len(outside)) if number % FOLDS != fold]
        index = Index(
            [without(entry, fold) for entry in entries],
            [outside[number] for number in others],
            vectors[others],
        )
        for position, entry in enumerate(entries):
            for row, phrasing in enumerate(entry.article.draft.phrasings):
                if row % FOLDS == fold and (position + row) % _SOME_PHRASINGS == 0:
                    yield _sample("phrasing", index, phrasing, entry.questions[row + 1], position)
        asked = [index.plain(outside[number]) for number in range(fold, len(outside), FOLDS)]
        for text, vector in zip(asked, encode_texts(encoder, asked, cache, "query"), strict=True):
            yield Sample("outside", index.evidence(text, vector), None)
    if len(entries) <= FOLDS:
        return
    for fold in range(FOLDS):
        kept = [entry for position, entry in enumerate(entries) if position % FOLDS != fold]
        index = Index(kept, outside, vectors)
        for entry in entries[fold::FOLDS]:
            for row in range(fold, len(entry.article.draft.phrasings), _SOME_MISSING):
                phrasing, vector = entry.article.draft.phrasings[row], entry.questions[row + 1]
                yield Sample("missing", index.evidence(phrasing, vector), None)


def _rehearsal(index: Index, encoder: Encoder, cache: VectorCache | None) -> Iterator[Sample]:
    pairs = [(slug, text) for slug, text in rehearsal() if slug in index.positions and not index.exact(text)]
    asked = [index.plain(text) for _, text in pairs]
    vectors = encode_texts(encoder, asked, cache, "query")
    for (slug, _), text, vector in zip(pairs, asked, vectors, strict=True):
        yield _sample("rehearsal", index, text, vector, index.positions[slug])


def _sample(kind: str, index: Index, text: str, vector: Vectors, right: int) -> Sample:
    evidence = index.evidence(text, vector, keep=right)
    return Sample(kind, evidence, int(np.flatnonzero(evidence.articles == right)[0]))


def fit_samples(found: Sequence[Sample]) -> Calibration:
    """Weights by Newton's method with a line search (the loss is convex), then thresholds."""
    counts = {kind: sum(sample.kind == kind for sample in found) for kind in _SHARES}
    shares = np.array([_SHARES[sample.kind] / counts[sample.kind] for sample in found])
    shares /= shares.sum()
    data = [
        (_design(sample.evidence), sample.right, share) for sample, share in zip(found, shares, strict=True)
    ]
    weights = np.zeros(len(ARTICLE_FEATURES) + len(NONE_FEATURES))
    for _ in range(100):
        gradient = _PENALTY * weights
        curvature = _PENALTY * np.eye(len(weights))
        for design, right, share in data:
            chances = _softmax(design @ weights)
            mean = chances @ design
            gradient = gradient + share * (mean - design[_row(right)])
            curvature = curvature + share * ((design.T * chances) @ design - np.outer(mean, mean))
        step = np.linalg.solve(curvature, gradient)
        before = _loss(weights, data)
        while _loss(weights - step, data) > before and float(np.abs(step).max()) > 1e-6:
            step = step / 2
        weights = weights - step
        if float(np.abs(step).max()) <= 1e-6:
            break
    calibration = Calibration(tuple(weights.tolist()), Thresholds(answer=1.0, clarify=1.0))
    return replace(calibration, thresholds=_thresholds(calibration, found, shares))


def _loss(weights: Floats, data: Sequence[tuple[Floats, int | None, float]]) -> float:
    likelihood = sum(
        share * float(np.log(_softmax(design @ weights)[_row(right)] + 1e-12))
        for design, right, share in data
    )
    return 0.5 * _PENALTY * float(weights @ weights) - likelihood


def _row(right: int | None) -> int:
    """The row of the right candidate in a design; the last one is for none of them."""
    return -1 if right is None else right


def _thresholds(calibration: Calibration, found: Sequence[Sample], shares: Floats) -> Thresholds:
    """The lowest answer threshold with few enough wrong answers, and the clarify threshold below which most
    questions outside our scope fall."""
    chances = [calibration.probabilities(sample.evidence) for sample in found]
    top = np.array([each.max() for each in chances])
    right = np.array(
        [sample.right == int(each.argmax()) for sample, each in zip(found, chances, strict=True)]
    )
    order = np.argsort(-top)
    wrong = np.cumsum(np.where(right, 0.0, shares)[order])
    allowed = np.flatnonzero(wrong <= _WRONG_ANSWERS * shares.sum())
    answer = float(top[order][allowed[-1]]) if len(allowed) else 1.0
    outside = np.array([sample.kind == "outside" for sample in found])
    within = np.array([each.sum() for each in chances])
    clarify = float(np.quantile(within[outside], _OUTSIDE_REFUSED)) if outside.any() else answer / 2
    return Thresholds(answer=round(answer, 3), clarify=round(clarify, 3))


def without(entry: Entry, fold: int) -> Entry:
    """The article as if a part of its phrasings were not there: of all folds the one of this number."""
    draft = entry.article.draft
    kept = [row for row in range(len(draft.phrasings)) if row % FOLDS != fold]
    shorter = replace(draft, phrasings=tuple(draft.phrasings[row] for row in kept))
    article = replace(entry.article, draft=shorter)
    return replace(
        entry,
        article=article,
        words=words_of(shorter),
        keys=keys_of(shorter),
        questions=entry.questions[[0, *(row + 1 for row in kept)]],
    )


def _design(evidence: Evidence) -> Floats:
    """One row a candidate and one for none of them; each has columns of its own."""
    rows, columns = evidence.for_articles.shape
    design = np.zeros((rows + 1, columns + len(evidence.for_none)))
    design[:rows, :columns] = evidence.for_articles
    design[rows, columns:] = evidence.for_none
    return design


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max())
    chances: Floats = powers / powers.sum()
    return chances


def save(calibrations: Mapping[str, Calibration], path: Path = STORED) -> None:
    """Write calibrations by encoder name."""
    names = [*ARTICLE_FEATURES, *(f"none: {name}" for name in NONE_FEATURES)]
    data = {
        encoder: {
            "weights": {name: round(weight, 4) for name, weight in zip(names, found.weights, strict=True)},
            "thresholds": {"answer": found.thresholds.answer, "clarify": found.thresholds.clarify},
        }
        for encoder, found in calibrations.items()
    }
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")


def main() -> None:
    """Fit on the starter content with the bundled encoder, and store."""
    content = Path(__file__).with_name("content")
    drafts = [parse(path.read_text("utf-8"), path.name) for path in sorted(content.glob("*.md"))]
    encoder = load_encoder()
    entries = build_entries([IndexedArticle(draft.slug, 1, draft) for draft in drafts], encoder)
    save({encoder.name: fit(entries, encoder)})


if __name__ == "__main__":
    main()
