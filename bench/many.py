"""Ten thousand articles that nobody wrote: the shipped ones, each time about something else."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from knowledge.article import ArticleDraft
from knowledge.encoder import Encoder, Vectors, cache_key, encode_texts
from knowledge.tokens import words
from knowledge.vectors import VectorCache

_NOISE = 0.3
"""How far a made-up text lies from the one it was made of, as a part of that one's length: about as far as
two phrasings of one article lie apart."""


def many(drafts: Sequence[ArticleDraft], count: int) -> list[ArticleDraft]:
    """So many articles: each takes a shipped one and puts a compound of its own in the place of its topic."""
    chance = random.Random(7)
    nouns = sorted({word for draft in drafts for word in words(draft.title) if len(word) > 4})
    made: list[ArticleDraft] = []
    for number in range(count):
        draft = drafts[number % len(drafts)]
        topic = max(words(draft.title), key=len)
        compound = "".join(chance.sample(nouns, 2))
        made.append(
            replace(
                draft,
                slug=f"artikel-{number}",
                title=_about(draft.title, topic, compound, number),
                phrasings=tuple(_about(text, topic, compound, number) for text in draft.phrasings),
                related=(),
            )
        )
    return made


def _about(text: str, topic: str, compound: str, number: int) -> str:
    changed = text.lower().replace(topic, compound)
    return f"{changed if changed != text.lower() else f'{text} {compound}'} {number}"


def plant(
    cache: VectorCache,
    encoder: Encoder,
    sources: Sequence[ArticleDraft],
    made: Sequence[ArticleDraft],
    known: VectorCache,
) -> None:
    """Put vectors of made-up articles in a cache, near those of their sources: encoding them all takes an hour.
    `known`: where those of the sources are kept."""
    noise = np.random.default_rng(7)
    for side, texts in (("query", _questions), ("passage", _answer)):
        flat = [list(texts(draft)) for draft in sources]
        vectors = encode_texts(encoder, [text for some in flat for text in some], known, side)
        bases = np.split(vectors, np.cumsum([len(some) for some in flat])[:-1])
        for number, draft in enumerate(made):
            keys = [cache_key(encoder.name, side, text) for text in texts(draft)]
            cache.put_many(dict(zip(keys, _near(bases[number % len(sources)], noise), strict=True)))


def _questions(draft: ArticleDraft) -> Iterator[str]:
    yield from (draft.title, *draft.phrasings)


def _answer(draft: ArticleDraft) -> Iterator[str]:
    yield f"{draft.title}. {draft.answer}"


def _near(vectors: Vectors, noise: np.random.Generator) -> Vectors:
    steps = noise.standard_normal(vectors.shape, dtype=np.float32) * (_NOISE / vectors.shape[1] ** 0.5)
    moved = vectors + steps
    near: Vectors = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
    return near
