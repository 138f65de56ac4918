"""`klaartje tune`: learns from the published phrasings, and keeps what it learned only where that is better.

Of each article a part of the phrasings is put aside. What is learned from the others is held against the encoder as
it is: with the same search, on the phrasings that neither the index nor the training has seen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import comb
from pathlib import Path

import numpy as np

from knowledge.adapter import AdaptedEncoder, Adapter
from knowledge.encoder import Encoder, Vectors, cache_key, encode_texts, import_optional
from knowledge.evaluate import Case, Report, evaluate
from knowledge.index import IndexedArticle
from knowledge.search import HybridSearch
from knowledge.vectors import MemoryVectorCache, VectorCache

log = logging.getLogger(__name__)

MARGIN = 0.01
"""So much more of the unseen questions must be right first."""

CHANCE = 0.05
"""So unlikely must it be that the difference is chance (a sign test on the questions that changed)."""

STEPS = 300
"""Batches to learn from: more of them learn the phrasings by heart."""

_UNSEEN = 0.2
_FEWEST = 5
"""Phrasings that an article needs before one of them is put aside."""

_ENOUGH = 20
"""Unseen questions below which nothing can be told."""


class TooLittle(Exception):
    """There are too few phrasings to learn from and to judge by; the message says how many are needed."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The same questions before and after."""

    before: Report
    after: Report

    @property
    def gained(self) -> int:
        """Questions that are right first only after."""
        return sum(self._changes(self.before, self.after))

    @property
    def lost(self) -> int:
        """Questions that were right first only before."""
        return sum(self._changes(self.after, self.before))

    @property
    def gain(self) -> float:
        """How much more of all questions is right first: 0.01 is one percentage point."""
        return (self.gained - self.lost) / max(1, self.before.questions)

    @property
    def chance(self) -> float:
        """How likely so many gains are where before and after are equally good."""
        changed = self.gained + self.lost
        return sum(comb(changed, count) for count in range(self.gained, changed + 1)) / (1 << changed)

    @staticmethod
    def _changes(one: Report, other: Report) -> Iterator[bool]:
        for first, second in zip(one.judged, other.judged, strict=True):
            yield bool(second.right) and not first.right


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was learned, and what it is worth."""

    adapter: Adapter
    unseen: Compared
    questions: Compared | None
    """On a file of questions, where one was given."""

    def objections(self) -> list[str]:
        """Why it is not better; empty where it is."""
        found = []
        if self.unseen.gain < MARGIN:
            found.append(f"less than {MARGIN:.0%} more of the unseen phrasings is right first")
        if self.unseen.chance > CHANCE:
            found.append("so small a difference may be chance")
        if self.unseen.after.wrong_answers.count > self.unseen.before.wrong_answers.count:
            found.append("more of the unseen phrasings get a wrong answer")
        if self.questions is not None and self.questions.gain < 0:
            found.append("fewer of your own questions are right first")
        return found


Learn = Callable[..., tuple[Vectors, Vectors]]
"""`knowledge.training.learn`."""


async def tune(
    articles: Sequence[IndexedArticle],
    base: Encoder,
    base_ref: str,
    *,
    cases: Sequence[Case] = (),
    cache: VectorCache | None = None,
    seed: int = 0,
    steps: int = STEPS,
    learn: Learn | None = None,
) -> Tuned:
    """Learn from a part of the phrasings and judge by the others, and by `cases` where there are any.

    `base_ref`: what `load_encoder` loads `base` by. The same articles, encoder and seed give the same.
    Raises `EncoderUnavailable` without sentence-transformers, and `TooLittle`.
    """
    learn = learn or import_optional("knowledge.training", "Tuning").learn
    seen, unseen = split(articles, seed)
    remembering = Remembering(base, cache)
    groups = [
        await asyncio.to_thread(remembering.queries, [article.draft.title, *article.draft.phrasings])
        for article in seen
    ]
    log.info("learning", extra={"articles": len(seen), "phrasings": sum(map(len, groups))})
    weight, bias = await asyncio.to_thread(learn, groups, seed=seed, steps=steps)
    adapter = Adapter(base_ref, base.name, weight, bias)
    adapted = AdaptedEncoder(adapter, remembering)
    log.info("judging", extra={"questions": len(unseen) + len(cases)})
    # Weights may ship for the encoder as it is; a layer that changes nothing has them fitted, as the other has.
    unchanged = Adapter(
        base_ref, base.name, np.eye(base.dim, dtype=np.float32), np.zeros(base.dim, np.float32)
    )
    before = await _judge(AdaptedEncoder(unchanged, remembering), seen, unseen, cases)
    after = await _judge(adapted, seen, unseen, cases)
    compared = [Compared(one, other) for one, other in zip(before, after, strict=True)]
    return Tuned(adapter, compared[0], compared[1] if cases else None)


def split(articles: Sequence[IndexedArticle], seed: int) -> tuple[list[IndexedArticle], list[Case]]:
    """The articles with the phrasings to learn from, and the phrasings put aside. Raises `TooLittle`."""
    chance = np.random.default_rng(seed)
    seen: list[IndexedArticle] = []
    unseen: list[Case] = []
    for article in sorted(articles, key=lambda article: article.slug):
        phrasings = article.draft.phrasings
        order = chance.permutation(len(phrasings))
        aside = set(order[: round(_UNSEEN * len(phrasings)) if len(phrasings) >= _FEWEST else 0].tolist())
        kept = tuple(text for row, text in enumerate(phrasings) if row not in aside)
        seen.append(replace(article, draft=replace(article.draft, phrasings=kept)))
        unseen += [Case(phrasings[row], (article.slug,)) for row in sorted(aside)]
    if len(seen) < 2 or len(unseen) < _ENOUGH:
        raise TooLittle(
            f"There is too little to learn from: {len(unseen)} phrasings can be put aside to judge by, and at least "
            f"{_ENOUGH} are needed, of two articles or more. An article with {_FEWEST} phrasings or more takes part."
        )
    return seen, unseen


class Remembering:
    """An encoder that makes the vector of a text once. Its vectors are those of the encoder, and so is its name."""

    def __init__(self, encoder: Encoder, kept: VectorCache | None) -> None:
        self._encoder = encoder
        self._kept = kept
        self._made = MemoryVectorCache()
        self.name, self.dim = encoder.name, encoder.dim

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._vectors(texts, "query")

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._vectors(texts, "passage")

    def _vectors(self, texts: Sequence[str], side: str) -> Vectors:
        keys = [cache_key(self.name, side, text) for text in texts]
        made = self._made.get_many(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in made}
        kept = self._kept if len(missing) > 1 else None  # for one text a look at the disk takes longer
        new = encode_texts(self._encoder, list(missing.values()), kept, side)
        self._made.put_many(dict(zip(missing, new, strict=True)))
        found = self._made.get_many(keys)
        return np.array([found[key] for key in keys], dtype=np.float32).reshape(len(texts), self.dim)


async def _judge(
    encoder: Encoder, articles: Sequence[IndexedArticle], unseen: Sequence[Case], cases: Sequence[Case]
) -> list[Report]:
    """The search with this encoder, on the phrasings put aside, and on the cases where there are any."""
    search = HybridSearch(encoder)
    try:
        await search.load(articles)
        return [await evaluate(search, asked) for asked in (unseen, cases) if asked]
    finally:
        search.close()


def table(tuned: Tuned) -> list[str]:
    """What a person reads: before and after, and what that comes to."""
    lines = [f"{'':34}{'before':>8}{'after':>8}"]
    for title, compared in (("unseen phrasings", tuned.unseen), ("your own questions", tuned.questions)):
        if compared is not None:
            lines += _rows(title, compared)
    return lines


def _rows(title: str, compared: Compared) -> Iterator[str]:
    before, after = compared.before, compared.after
    yield f"{title}: {before.questions}"
    for name, one, other in (
        ("right first", before.right_first, after.right_first),
        ("right first or among the choices", before.right_offered, after.right_offered),
        ("wrong answer given", before.wrong_answers, after.wrong_answers),
        ("refused", before.refused, after.refused),
    ):
        yield f"  {name:32}{one.value:>8.1%}{other.value:>8.1%}"
    yield f"  {compared.gained} became right, {compared.lost} became wrong"


def keep(tuned: Tuned, parent: Path, seed: int) -> Path:
    """Keep what was learned under `parent`; gives its folder, to be named in ENCODER."""
    about = {"seed": seed, "figures": table(tuned)}
    return tuned.adapter.save(parent, about)
