"""Vectors kept between starts, shared by processes."""

from __future__ import annotations

import logging
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from knowledge.encoder import cache_key
from knowledge.vectors import MANY_FILES, FileVectorCache, MemoryVectorCache, Vector, VectorCache


@pytest.fixture(params=["memory", "file"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> VectorCache:
    return MemoryVectorCache() if request.param == "memory" else FileVectorCache(tmp_path / "vectors")


def some(*texts: str, dim: int = 4) -> dict[str, Vector]:
    return {cache_key("test", "query", text): np.full(dim, len(text), dtype=np.float32) for text in texts}


def test_what_is_put_is_got(cache: VectorCache) -> None:
    assert dict(cache.get_many([cache_key("test", "query", "een")])) == {}
    cache.put_many(some("een", "drie"))
    cache.put_many({})
    found = cache.get_many(list(some("een", "drie", "vijf")))
    assert {key: vector.tolist() for key, vector in found.items()} == {
        key: vector.tolist() for key, vector in some("een", "drie").items()
    }


def test_vectors_of_different_length_live_together(cache: VectorCache) -> None:
    cache.put_many(some("een", dim=4) | some("drie", dim=8))
    assert sorted(len(vector) for vector in cache.get_many(list(some("een", "drie"))).values()) == [4, 8]


def test_the_key_tells_encoder_side_and_text_apart() -> None:
    keys = {
        cache_key("a", "query", "x"),
        cache_key("b", "query", "x"),
        cache_key("a", "passage", "x"),
        cache_key("a", "query", "y"),
    }
    assert len(keys) == 4


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x93NUMPY\x01\x00v\x00{'descr': 1}"])
def test_an_unreadable_file_counts_as_not_there(tmp_path: Path, junk: bytes) -> None:
    cache = FileVectorCache(tmp_path)
    cache.put_many(some("een"))
    (tmp_path / "0.npy").write_bytes(junk)
    np.save(tmp_path / "1.npy", np.zeros(3))
    assert len(cache.get_many(list(some("een", "drie")))) == 1


def test_a_truncated_file_counts_as_not_there(tmp_path: Path) -> None:
    cache = FileVectorCache(tmp_path)
    cache.put_many(some("een"))
    (path,) = tmp_path.glob("*.npy")
    path.write_bytes(path.read_bytes()[:-3])
    assert cache.get_many(list(some("een"))) == {}


def test_many_files_become_one(tmp_path: Path) -> None:
    cache = FileVectorCache(tmp_path)
    texts = ["x" * number for number in range(1, MANY_FILES + 2)]
    for text in texts:
        cache.put_many(some(text))
    assert len(list(tmp_path.iterdir())) == 1
    assert len(cache.get_many(list(some(*texts)))) == len(texts)


def test_a_directory_that_can_not_be_made_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    cache = FileVectorCache(tmp_path / "file")
    with caplog.at_level(logging.WARNING):
        cache.put_many(some("een"))
    assert "vectors not kept" in caplog.text
    assert cache.get_many(list(some("een"))) == {}


def _write(directory: Path, writer: int) -> None:
    cache = FileVectorCache(directory)
    for number in range(20):
        cache.put_many(some(f"{writer}-{number}".ljust(10 + number, "x")))


def test_several_processes(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        list(pool.map(_write, [tmp_path] * 3, range(3)))
    keys = list(some(*(f"{w}-{n}".ljust(10 + n, "x") for w in range(3) for n in range(20))))
    found = FileVectorCache(tmp_path).get_many(keys)
    # A vector may be forgotten (another process joined the files meanwhile), never spoilt.
    assert len(found) >= len(keys) / 2
    assert all(vector.tolist() == [vector[0]] * 4 and 10 <= vector[0] < 30 for vector in found.values())
