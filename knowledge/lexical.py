"""Words against words: BM25 over the fields of an article, and character n-grams against its phrasings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from knowledge.article import ArticleDraft
from knowledge.lexicon import shipped
from knowledge.tokens import Vocabulary, ngrams, tokens

Floats = NDArray[np.float32]

FIELDS = {"title": 3.0, "phrasings": 1.0, "theme": 0.5, "answer": 0.5, "aspects": 0.2}
"""How much one occurrence of a word counts in each field."""

_K1 = 1.4
_PART = 0.4
_MEANT = 0.7
"""The weight of a word that the articles use for what the resident said."""

_BUCKETS = 1 << 18


@dataclass(frozen=True, slots=True)
class Words:
    """What lexical search keeps of one article: weighted word counts, and the n-grams of each phrasing."""

    counts: Mapping[str, float]
    grams: tuple[NDArray[np.int32], ...]


def words_of(draft: ArticleDraft) -> Words:
    """Count the words of an article."""
    texts: dict[str, Sequence[str]] = {
        "title": (draft.title, draft.upl_name),
        "phrasings": draft.phrasings,
        "theme": (draft.theme,),
        "answer": (draft.answer,),
        "aspects": tuple(draft.aspects.values()),
    }
    counts: dict[str, float] = {}
    for name, weight in FIELDS.items():
        for text in texts[name]:
            for token in tokens(text):
                counts[token] = counts.get(token, 0.0) + weight
    return Words(counts, tuple(grams_of(text) for text in (draft.title, *draft.phrasings)))


class Bm25:
    """BM25 with weighted fields. A score is the share of the question that an article covers."""

    def __init__(self, articles: Sequence[Words]) -> None:
        self.vocabulary = Vocabulary(word for article in articles for word in article.counts)
        self._size = len(articles)
        documents = [self._with_parts(article.counts) for article in articles]
        lengths = [sum(document.values()) for document in documents]
        average = sum(lengths) / max(1, len(lengths)) or 1.0
        rows: dict[str, list[int]] = {}
        values: dict[str, list[float]] = {}
        for row, (document, length) in enumerate(zip(documents, lengths, strict=True)):
            norm = _K1 * (0.5 + 0.5 * length / average)
            for term, count in document.items():
                rows.setdefault(term, []).append(row)
                values.setdefault(term, []).append(count / (count + norm))
        self._idf = {term: float(np.log1p(self._size / len(found))) for term, found in rows.items()}
        self._unknown = float(np.log1p(max(1, self._size)))
        self._postings = {
            term: (
                np.array(found, dtype=np.int32),
                np.array(values[term], dtype=np.float32) * self._idf[term],
            )
            for term, found in rows.items()
        }

    def scores(self, text: str) -> tuple[Floats, float]:
        """For each article the share of the question that it covers, and the share that no article knows."""
        scores = np.zeros(self._size, dtype=np.float32)
        total = unknown = 0.0
        for term, weight in self._terms(text).items():
            total += weight * self._idf.get(term, self._unknown)
            if (posting := self._postings.get(term)) is None:
                unknown += weight * self._unknown
            else:
                scores[posting[0]] += weight * posting[1]
        return (scores / total, unknown / total) if total else (scores, 1.0)

    def _terms(self, text: str) -> Mapping[str, float]:
        weights = self.vocabulary.query(text)
        for token in shipped().tokens(text):
            weights[token] = max(_MEANT, weights.get(token, 0.0))
        return weights

    def _with_parts(self, counts: Mapping[str, float]) -> dict[str, float]:
        document = dict(counts)
        for word, count in counts.items():
            for part in self.vocabulary.parts(word):
                document[part] = document.get(part, 0.0) + _PART * count
        return document


class Foreign:
    """Words that questions outside our scope have and articles have not: naive Bayes."""

    def __init__(self, articles: Sequence[Words], outside: Sequence[str]) -> None:
        ours: Counter[str] = Counter()
        for article in articles:
            ours.update(article.counts)
        theirs = Counter(token for text in outside for token in set(tokens(text)))
        texts = sum(len(article.grams) for article in articles)
        share = np.log(max(1, texts) / max(1, len(outside)))
        self._unknown = float(share) if outside else 0.0
        self._odds = {
            token: float(np.log((theirs[token] + 0.5) / (ours[token] + 0.5)) + share)
            for token in (ours.keys() | theirs.keys() if outside else ())
        }

    def score(self, text: str) -> float:
        """The mean log odds of its words for a question outside our scope; above 0 they speak for that."""
        odds = [self._odds.get(token, self._unknown) for token in set(tokens(text))]
        return sum(odds) / len(odds) if odds else 0.0


class CharGrams:
    """TF-IDF over character n-grams: how much a question looks like a phrasing, typing errors and all."""

    def __init__(self, articles: Sequence[Words]) -> None:
        texts = [grams for article in articles for grams in article.grams]
        self._idf = _rarity(texts)
        self._articles = [self._weighted(article.grams) for article in articles]

    def scores(self, text: str, articles: Iterable[int]) -> list[float]:
        """For each of these articles the cosine of the question with the text that looks most like it."""
        question = np.zeros(_BUCKETS, dtype=np.float32)
        grams = grams_of(text)
        question[grams] = self._idf[grams]
        question /= max(float(np.linalg.norm(question[grams])), 1e-9)
        scores: list[float] = []
        for position in articles:
            numbers, values, starts = self._articles[position]
            scores.append(float(np.add.reduceat(question[numbers] * values, starts).max()))
        return scores

    def _weighted(
        self, texts: Sequence[NDArray[np.int32]]
    ) -> tuple[NDArray[np.int32], Floats, NDArray[np.intp]]:
        """The n-grams of all texts of an article in a row, their values, and where each text starts."""
        lengths = [len(grams) for grams in texts]
        starts = np.cumsum([0, *lengths[:-1]])
        numbers = np.concatenate(texts)
        values = self._idf[numbers]
        norms = np.sqrt(np.add.reduceat(values**2, starts))
        return numbers, (values / np.repeat(norms, lengths)).astype(np.float32), starts


def _rarity(texts: Sequence[NDArray[np.int32]]) -> Floats:
    found = np.zeros(_BUCKETS, dtype=np.float32)
    for grams in texts:
        found[grams] += 1
    return np.log1p(len(texts) / (1 + found)).astype(np.float32)


@lru_cache(maxsize=4_096)
def grams_of(text: str) -> NDArray[np.int32]:
    """The n-grams of a text, each as a number. Never empty, so that every text has a row of its own."""
    numbers = {crc32(gram.encode()) % (_BUCKETS - 1) + 1 for gram in ngrams(text)}
    return np.array(sorted(numbers) or [0], dtype=np.int32)
