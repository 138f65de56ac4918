"""All published articles, made ready for finding: immutable, so that a search never sees a half of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.article import ArticleDraft
from knowledge.encoder import Encoder, Vectors, encode_texts
from knowledge.lexical import Bm25, CharGrams, Words, words_of
from knowledge.tokens import normal, words
from knowledge.vectors import VectorCache

OUTSIDE = Path(__file__).with_name("outside.txt")
"""One question a line."""

CANDIDATES = 32
"""So many articles are weighed against each other; the others get no probability."""

_SHRINKAGE = 1.0
_NEIGHBOURS = 2


@dataclass(frozen=True, slots=True)
class IndexedArticle:
    """A published article as search gets it."""

    slug: str
    revision: int
    draft: ArticleDraft


@dataclass(frozen=True, slots=True)
class Entry:
    """One article with all that can be made of it without looking at the others."""

    article: IndexedArticle
    words: Words
    questions: Vectors
    """Of the title and each phrasing."""
    answer: Vectors


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for each candidate (`articles` are positions in the index), and for none of them."""

    articles: NDArray[np.intp]
    for_articles: NDArray[np.float64]
    for_none: NDArray[np.float64]


ARTICLE_FEATURES = ("words", "letters", "nearest", "centre", "answer")
NONE_FEATURES = ("always", "background", "unknown", "outside", "length")


class Index:
    """Built once, then only read."""

    def __init__(self, entries: Sequence[Entry], outside: Vectors) -> None:
        """`outside`: vectors of questions that no article answers; what lies close to them is refused sooner."""
        self.entries = tuple(entries)
        self.positions = {entry.article.slug: position for position, entry in enumerate(entries)}
        self._exact: dict[str, tuple[int, ...]] = {}
        for position, entry in enumerate(entries):
            for phrasing in entry.article.draft.phrasings:
                key = normal(phrasing)
                self._exact[key] = tuple(dict.fromkeys((*self._exact.get(key, ()), position)))
        self._bm25 = Bm25([entry.words for entry in entries])
        self._letters = CharGrams([entry.words for entry in entries])
        ends = np.cumsum([len(entry.questions) for entry in entries]).tolist()
        self._rows = [slice(start, end) for start, end in pairwise([0, *ends])]
        if entries:
            self._space = _Space([entry.questions for entry in entries])
            self._questions = self._space.project(np.concatenate([entry.questions for entry in entries]))
            self._centres = _unit(np.array([self._questions[rows].mean(axis=0) for rows in self._rows]))
            self._outside = self._space.project(outside)
            answers = np.concatenate([entry.answer for entry in entries])
            self._answer_mean: Vectors = answers.mean(axis=0, dtype=np.float32)
            self._answers = _unit(answers - self._answer_mean)

    def __len__(self) -> int:
        return len(self.entries)

    def exact(self, text: str) -> tuple[int, ...]:
        """The articles that have this very phrasing."""
        return self._exact.get(normal(text), ())

    def evidence(self, text: str, vector: Vectors, keep: int | None = None) -> Evidence:
        """Weigh the articles against a question; `keep` is an article that is a candidate in any case."""
        covered, unknown = self._bm25.scores(text)
        question = self._space.project(vector[None, :])[0]
        centre = self._centres @ question
        answer = self._answers @ _unit((vector - self._answer_mean)[None, :])[0]
        order = np.argsort(-(covered + centre), kind="stable")[:CANDIDATES]
        if keep is not None and keep not in order:
            order = np.append(order[:-1], keep)
        letters = self._letters.scores(text, order.tolist())
        nearest = [float((self._questions[self._rows[position]] @ question).max()) for position in order]
        features = np.column_stack([covered[order], letters, nearest, centre[order], answer[order]])
        background = float(np.mean(nearest))
        beyond = float(np.sort(self._outside @ question)[-_NEIGHBOURS:].mean()) if len(self._outside) else 0.0
        return Evidence(
            order, features, np.array([1.0, background, unknown, beyond, np.log1p(len(words(text)))])
        )


def build_entries(
    articles: Sequence[IndexedArticle],
    encoder: Encoder,
    cache: VectorCache | None = None,
    known: Mapping[str, Entry] | None = None,
) -> list[Entry]:
    """Entries for all articles; those of `known` are used again where the article is the same."""
    known = known or {}
    new = [article for article in articles if not _same(known.get(article.slug), article)]
    questions = [[article.draft.title, *article.draft.phrasings] for article in new]
    flat = encode_texts(encoder, [text for texts in questions for text in texts], cache, "query")
    answers = encode_texts(encoder, [_answer(article.draft) for article in new], cache, "passage")
    made: dict[str, Entry] = {}
    start = 0
    for article, texts, answer in zip(new, questions, answers, strict=True):
        rows = flat[start : start + len(texts)]
        made[article.slug] = Entry(article, words_of(article.draft), rows, answer[None, :])
        start += len(texts)
    return [made.get(article.slug) or known[article.slug] for article in articles]


def outside_questions() -> list[str]:
    """Questions that a municipality does not answer."""
    lines = OUTSIDE.read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


class _Space:
    """The room in which phrasings of one article lie close: what varies within articles counts for less.

    Sentence encoders put all questions in a narrow cone; taking away the mean and shrinking the directions in
    which phrasings of the same article differ makes the difference between articles visible.
    """

    def __init__(self, groups: Sequence[Vectors]) -> None:
        everything = np.concatenate(groups)
        within = np.concatenate([group - group.mean(axis=0) for group in groups])
        scatter = (within.T @ within).astype(np.float64) / len(within)
        spread = float(np.trace(scatter)) / len(scatter)
        values, axes = np.linalg.eigh(scatter + _SHRINKAGE * max(spread, 1e-6) * np.eye(len(scatter)))
        self._mean: Vectors = everything.mean(axis=0, dtype=np.float32)
        self._turn: Vectors = (axes / np.sqrt(values)).astype(np.float32)

    def project(self, vectors: Vectors) -> Vectors:
        return _unit(np.asarray((vectors - self._mean) @ self._turn, dtype=np.float32))


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(norms, 1e-9)).astype(np.float32)
    return unit


def _same(entry: Entry | None, article: IndexedArticle) -> bool:
    return entry is not None and entry.article == article


def _answer(draft: ArticleDraft) -> str:
    return f"{draft.title}. {draft.answer}"
