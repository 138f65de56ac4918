"""The comparison with others is fair: one protocol, one way to choose thresholds, one judge."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.many import many, plant
from bench.peers import data
from bench.peers.peer import Asked, Peer, thresholds
from bot.ports import Thresholds
from bot.settings import ROOT
from knowledge.article import draft_hash
from knowledge.encoder import Vectors, cache_key
from knowledge.evaluate import Case, Verdict
from knowledge.tokens import normal
from knowledge.vectors import MemoryVectorCache

INSIDE, OUTSIDE = Case("?", ("a",)), Case("?", ("out_of_scope",))

ECHO = """
import json, sys
for line in sys.stdin:
    call = json.loads(line)
    if call == {"ask": "stop"}:
        sys.exit("as asked")
    ranked = [["out_of_scope", 0.5], ["a", 0.4]] if call.get("ask") == "iets" else [["a", 0.9], ["b", 0.1]]
    print(json.dumps({"seconds": 0.5, "ranked": ranked, "thresholds": call.get("train")}), flush=True)
"""


class Letters:
    """An encoder: the letters of a text."""

    name, dim = "letters", 26

    def queries(self, texts: Sequence[str]) -> Vectors:
        counts = np.array([[text.count(chr(97 + letter)) + 1 for letter in range(26)] for text in texts])
        unit: Vectors = (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)
        return unit

    passages = queries


def asked(case: Case, score: float, slug: str = "a", *, refused: bool = False) -> Asked:
    return Asked(case, ((slug, score),), refused, 0.01)


def test_thresholds_allow_as_many_wrong_answers_as_our_own() -> None:
    right = [asked(INSIDE, 0.5 + number / 200) for number in range(98)]
    wrong = [asked(INSIDE, score, "b") for score in (0.9, 0.7, 0.6, 0.55)]
    outside = [asked(OUTSIDE, number / 100) for number in range(10)]
    chosen = thresholds(right + wrong + outside)
    # three of 102 times 0.85 is 2.5 %, four is 3.3 %: what lies above the fourth may be answered
    assert chosen == Thresholds(answer=0.555, clarify=0.09)


def test_a_threshold_holds_for_all_with_the_same_score() -> None:
    found = [asked(INSIDE, 1.0), asked(INSIDE, 1.0, "b"), asked(OUTSIDE, 0.5), asked(INSIDE, 0.5)]
    assert thresholds(found) == Thresholds(answer=1.01, clarify=1.0)


def test_thresholds_of_who_refuses_by_itself() -> None:
    found = [asked(INSIDE, 0.9), asked(INSIDE, 0.3), asked(OUTSIDE, 1.0, refused=True)]
    assert thresholds(found) == Thresholds(answer=0.3, clarify=0.3)
    assert thresholds([asked(OUTSIDE, 0.8)]) == Thresholds(answer=1.01, clarify=1.01)


def test_all_are_judged_alike() -> None:
    limits = Thresholds(answer=0.7, clarify=0.3)
    verdicts = [
        (asked(INSIDE, 0.8), Verdict.RIGHT),
        (asked(INSIDE, 0.5), Verdict.FIRST),
        (asked(INSIDE, 0.8, "b"), Verdict.WRONG),
        (asked(INSIDE, 0.2), Verdict.REFUSED),
        (asked(INSIDE, 0.8, refused=True), Verdict.REFUSED),
        (asked(OUTSIDE, 0.8, refused=True), Verdict.RIGHT),
        (asked(OUTSIDE, 0.8), Verdict.WRONG),
    ]
    assert [one.judged(limits).verdict for one, _ in verdicts] == [verdict for _, verdict in verdicts]
    ours = [(one, verdict) for one, verdict in verdicts if not one.refused]
    assert [one.judged_as_ours(limits).verdict for one, _ in ours] == [verdict for _, verdict in ours]


def test_the_protocol(tmp_path: Path) -> None:
    peer = Peer("echo", [sys.executable, "-c", ECHO], tmp_path, os.environ, tmp_path / "log")
    with peer:
        assert peer.train([])[0] == 0.5
        first, second = peer.ask([Case("hoe", ("a",)), Case("iets", ("b",))])
        assert (first.ranked, first.refused, first.score) == ((("a", 0.9), ("b", 0.1)), False, 0.9)
        assert (second.ranked, second.refused, second.score) == ((("a", 0.4),), True, 0.0)
        assert (first.among(1), second.among(3)) == (True, False)
        assert peer.memory() > 1_000_000
        with pytest.raises(RuntimeError, match="echo ended: as asked"):
            peer.ask([Case("stop", ("a",))])
    assert peer.process.poll() is not None


def test_nobody_tunes_on_what_was_trained_or_is_measured() -> None:
    learned = {normal(text) for text, _ in data.training()}
    tuned = {normal(case.text) for case in data.tuning()}
    assert not tuned & learned
    assert {case.outside for case in data.tuning()} == {True, False}
    assert {slug for _, slug in data.training()} == {draft.slug for draft in data.articles()} | {
        "out_of_scope"
    }


def test_what_is_installed_for_the_comparison_is_pinned() -> None:
    folder = ROOT / "bench" / "peers" / "nlpjs"
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert wanted == packages[""]["dependencies"]
    assert all(version[0].isdigit() for version in wanted.values())
    assert all("integrity" in package for name, package in packages.items() if name)
    assert not any("resolved" in package for package in packages.values())


def test_articles_that_nobody_wrote() -> None:
    drafts = data.articles()[:3]
    made = many(drafts, 10)
    assert len({draft.slug for draft in made}) == len({draft_hash(draft) for draft in made}) == 10
    assert len({text for draft in made for text in draft.phrasings}) == sum(len(d.phrasings) for d in made)
    encoder, cache = Letters(), MemoryVectorCache()
    plant(cache, encoder, drafts, made, known=MemoryVectorCache())
    texts = [made[4].title, *made[4].phrasings]
    keys = [cache_key(encoder.name, "query", text) for text in texts]
    vectors: dict[str, Vectors] = dict(cache.get_many(keys))
    assert len(vectors) == len(texts)
    near = encoder.queries([drafts[1].title])[0] @ vectors[keys[0]]
    assert near > 0.9
