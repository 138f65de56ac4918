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
from knowledge.lexical import Bm25, CharGrams, Foreign, Words, grams_of, words_of
from knowledge.lexicon import shipped
from knowledge.space import Placed, Space, unit
from knowledge.tokens import lemma, normal, words
from knowledge.vectors import VectorCache

OUTSIDE = Path(__file__).with_name("outside.txt")
"""One question a line."""

CANDIDATES = 32
"""So many articles are weighed against each other; the others get no probability."""

_SOME = 3
"""So many phrasings near a question say more than one."""


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
    keys: tuple[str, ...]
    """Of each phrasing what makes it the same as another."""
    questions: Vectors
    """Of the title and each phrasing."""
    answer: Vectors


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for each candidate (`articles` are positions in the index), and for none of them."""

    articles: NDArray[np.intp]
    for_articles: NDArray[np.float64]
    for_none: NDArray[np.float64]


ARTICLE_FEATURES = (
    "words",
    "words: behind the best",
    "letters",
    "nearest",
    "nearest three",
    "nearest three: behind the best",
    "alike",
    "centre",
    "belongs",
    "answer",
)
NONE_FEATURES = (
    "always",
    "unknown",
    "foreign",
    "outside",
    "outside: two",
    "outside: letters",
    "outside: belongs",
    "length",
)


class Index:
    """Built once, then only read."""

    def __init__(self, entries: Sequence[Entry], outside: Sequence[str], vectors: Vectors) -> None:
        """`outside`: questions that no article answers, with their vectors; what lies close to them is refused
        sooner."""
        self.entries = tuple(entries)
        self.positions = {entry.article.slug: position for position, entry in enumerate(entries)}
        self._exact: dict[str, tuple[int, ...]] = {}
        for position, entry in enumerate(entries):
            for key in entry.keys:
                self._exact[key] = tuple(dict.fromkeys((*self._exact.get(key, ()), position)))
        self._bm25 = Bm25([entry.words for entry in entries])
        self._foreign = Foreign([entry.words for entry in entries], outside)
        elsewhere = Words({}, tuple(grams_of(text) for text in outside))
        self._letters = CharGrams([*(entry.words for entry in entries), elsewhere])
        if entries:
            self._space = Space([entry.questions for entry in entries], vectors)
            self._shapes = self._space.shapes([entry.questions for entry in entries])
            self._centres = np.array([shape.centre for shape in self._shapes])
            self._outside = self._space.shapes([vectors])[0] if len(vectors) else None
            self._pulls = np.array([shape.pull for shape in self._shapes])
            answers = np.concatenate([entry.answer for entry in entries])
            self._answer_mean: Vectors = answers.mean(axis=0, dtype=np.float32)
            self._answers = unit(answers - self._answer_mean)

    def __len__(self) -> int:
        return len(self.entries)

    def exact(self, text: str) -> tuple[int, ...]:
        """The articles that have this very phrasing."""
        return self._exact.get(normal(text), ())

    def plain(self, text: str) -> str:
        """A question in words that the articles use, as far as the lexicon knows them: what to look up."""
        return shipped().plain(text, self._knows)

    def evidence(self, text: str, vector: Vectors, keep: int | None = None) -> Evidence:
        """Weigh the articles against a question; `keep` is an article that is a candidate in any case."""
        covered, unknown = self._bm25.scores(text)
        question = self._space.place(vector)
        centre = self._centres @ question.turned
        order = _best(covered + centre, CANDIDATES)
        if keep is not None and keep not in order:
            order = np.append(order[:-1], keep)
        shapes = [self._shapes[position] for position in order]
        near, alike = self._space.nearness(question, shapes)
        starts = np.cumsum([0, *(len(shape.rows) for shape in shapes)])
        groups = [near[start:end] for start, end in pairwise(starts)]
        some = np.array([np.sort(group)[-_SOME:].mean() for group in groups])
        words_ = covered[order]
        features = [
            words_,
            words_ - words_.max(),
            np.array(self._letters.scores(text, order.tolist())),
            np.array([group.max() for group in groups]),
            some,
            some - some.max(),
            np.maximum.reduceat(alike, starts[:-1]),
            centre[order],
            self._pulls[order] @ question.solved,
            self._answers[order] @ unit((vector - self._answer_mean)[None, :])[0],
        ]
        none = [
            1.0,
            unknown,
            self._foreign.score(text),
            *self._beyond(text, question),
            float(np.log1p(len(words(text)))),
        ]
        return Evidence(order, np.column_stack(features).astype(np.float64), np.array(none))

    def _beyond(self, text: str, question: Placed) -> tuple[float, float, float, float]:
        """How much the question is like one outside our scope: nearest, nearest two, letters, belongs."""
        if self._outside is None:
            return 0.0, 0.0, 0.0, 0.0
        near = np.sort(self._space.nearness(question, [self._outside])[0])
        letters = self._letters.scores(text, [len(self.entries)])[0]
        return float(near[-1]), float(near[-2:].mean()), letters, float(self._outside.pull @ question.solved)

    def _knows(self, word: str) -> bool:
        token = lemma(word)
        return token is None or token in self._bm25.vocabulary.lemmas


def _best(scores: NDArray[np.float32], many: int) -> NDArray[np.intp]:
    """The positions of the highest scores, highest first."""
    if len(scores) > 4 * many:
        rough = np.sort(np.argpartition(-scores, many)[:many])
        return rough[np.argsort(-scores[rough], kind="stable")]
    return np.argsort(-scores, kind="stable")[:many]


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
        made[article.slug] = Entry(
            article, words_of(article.draft), keys_of(article.draft), rows, answer[None, :]
        )
        start += len(texts)
    return [made.get(article.slug) or known[article.slug] for article in articles]


def outside_questions() -> list[str]:
    """Questions that a municipality does not answer."""
    lines = OUTSIDE.read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def keys_of(draft: ArticleDraft) -> tuple[str, ...]:
    """Of each phrasing what makes it the same as another."""
    return tuple(normal(phrasing) for phrasing in draft.phrasings)


def _same(entry: Entry | None, article: IndexedArticle) -> bool:
    return entry is not None and entry.article == article


def _answer(draft: ArticleDraft) -> str:
    return f"{draft.title}. {draft.answer}"
