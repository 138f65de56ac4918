"""The room in which vectors are compared."""

from __future__ import annotations

import numpy as np

from knowledge.space import Space, unit

RANDOM = np.random.default_rng(20261122)
CENTRES = RANDOM.normal(size=(5, 16))
"""Of five articles; their phrasings differ most in directions that tell nothing."""

NOISE = np.diag([3.0] * 4 + [0.2] * 12)


def texts(centre: np.ndarray, count: int = 12) -> np.ndarray:
    return unit((centre + RANDOM.normal(size=(count, 16)) @ NOISE).astype(np.float32))


GROUPS = [texts(centre) for centre in CENTRES]
OUTSIDE = texts(RANDOM.normal(size=16), 30)
SPACE = Space(GROUPS, OUTSIDE)
SHAPES = SPACE.shapes(GROUPS)


def test_nearness_is_a_cosine() -> None:
    question = SPACE.place(GROUPS[2][5])
    near, alike = SPACE.nearness(question, SHAPES)
    row = 2 * 12 + 5
    assert np.isclose(near[row], 1, atol=1e-4)
    assert np.isclose(alike[row], 1, atol=1e-4)
    assert int(near.argmax()) == int(alike.argmax()) == row
    assert np.abs(near).max() <= 1.001


def test_new_questions_lie_nearer_to_their_own_article_than_by_plain_likeness() -> None:
    plain = turned = belongs = 0
    for number, centre in enumerate(CENTRES):
        for vector in texts(centre, 40):
            question = SPACE.place(vector)
            middles = unit(np.array([group.mean(axis=0) for group in GROUPS]))
            plain += int((middles @ vector).argmax()) == number
            turned += int(np.argmax([shape.centre @ question.turned for shape in SHAPES])) == number
            belongs += int(np.argmax([shape.pull @ question.solved for shape in SHAPES])) == number
    assert turned > plain
    assert belongs > plain


def test_one_article_with_one_text() -> None:
    space = Space([GROUPS[0][:1]], np.empty((0, 16), dtype=np.float32))
    near, alike = space.nearness(space.place(GROUPS[1][0]), space.shapes([GROUPS[0][:1]]))
    assert np.isfinite(near).all() and np.isfinite(alike).all()
