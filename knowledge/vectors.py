"""Where vectors of texts are kept between starts: in memory, or in a directory that processes share."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

log = logging.getLogger(__name__)

MANY_FILES = 24
"""So many files are joined into one."""


class VectorCache(Protocol):
    """Keeps vectors by key. May forget: what is missing is made again."""

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Vector]:
        """The vectors that it has."""
        ...

    def put_many(self, vectors: Mapping[str, Vector]) -> None: ...


class MemoryVectorCache:
    """Keeps vectors as long as the process lives."""

    def __init__(self) -> None:
        self._vectors: dict[str, Vector] = {}

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Vector]:
        return {key: self._vectors[key] for key in keys if key in self._vectors}

    def put_many(self, vectors: Mapping[str, Vector]) -> None:
        self._vectors.update(vectors)


class FileVectorCache:
    """Keeps vectors in a directory: each `put_many` is one new file, put there by an atomic rename.

    Several processes may read and write at once. A file that can't be read, or that another process has just
    joined with others, counts as not there.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Vector]:
        wanted = set(keys)
        found: dict[str, Vector] = {}
        for path in self._files():
            if not wanted:
                break
            rows = _read(path)
            if rows is None:
                continue
            for index, key in enumerate(rows["key"].astype(str).tolist()):
                if key in wanted:
                    found[key] = np.array(rows["vector"][index])
                    wanted.discard(key)
        return found

    def put_many(self, vectors: Mapping[str, Vector]) -> None:
        """Keep them; a directory that can't be written to costs time at the next start, nothing else."""
        try:
            self._put(vectors)
        except OSError as fault:
            log.warning("vectors not kept: %s", fault.strerror)

    def _put(self, vectors: Mapping[str, Vector]) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        files = self._files()
        if len(files) >= MANY_FILES:
            vectors = {**_all(files), **vectors}
        else:
            files = []
        self._write(vectors)
        for path in files:
            path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self._directory.glob("*.npy"))

    def _write(self, vectors: Mapping[str, Vector]) -> None:
        for dim in {len(vector) for vector in vectors.values()}:
            part = {key: vector for key, vector in vectors.items() if len(vector) == dim}
            rows = np.empty(len(part), dtype=[("key", "S64"), ("vector", np.float32, (dim,))])
            rows["key"] = [key.encode("ascii") for key in part]
            rows["vector"] = list(part.values())
            name = secrets.token_hex(8)
            draft = self._directory / f"{name}.part"
            with draft.open("wb") as file:
                np.save(file, rows, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self._directory / f"{name}.npy")


def _read(path: Path) -> NDArray[np.void] | None:
    try:
        rows: NDArray[np.void] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return rows if set(rows.dtype.names or ()) == {"key", "vector"} and rows.ndim == 1 else None


def _all(files: Sequence[Path]) -> dict[str, Vector]:
    vectors: dict[str, Vector] = {}
    for path in files:
        rows = _read(path)
        if rows is not None:
            vectors.update(zip(rows["key"].astype(str).tolist(), np.array(rows["vector"]), strict=True))
    return vectors
