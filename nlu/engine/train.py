"""Training, only where something changed since the last time."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine import logs
from engine.settings import MODEL, PROJECT

_SOURCES = ("config.yml", "requirements.lock", "domain", "data", "components")
_EXPECTED = "about half a minute"


def fingerprint(project: Path = PROJECT) -> str:
    """Of everything that a model is made of: data, domain, configuration and the versions of the libraries."""
    digest = hashlib.sha256(sys.version.split()[0].encode())
    for path in _files(project):
        digest.update(str(path.relative_to(project)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(model: Path = MODEL) -> bool:
    """Whether the model that is there was made of what is there."""
    mark = _mark(model)
    return model.exists() and mark.exists() and mark.read_text() == fingerprint()


def train(model: Path = MODEL) -> int:
    """Train the dialogue model unless it is current; says how far it is. The exit code."""
    with _alone(model):
        if is_current(model):
            _say("The dialogue model is up to date.")
            return 0
        return _train(model)


def _train(model: Path) -> int:
    _say(f"Training the dialogue model ({_EXPECTED}) ...")
    started, made_of = time.monotonic(), fingerprint()
    _mark(model).unlink(missing_ok=True)  # whatever happens now, this model is not the one it was
    _show_progress()
    from rasa.model_training import train as rasa_train

    result = rasa_train(
        domain=str(PROJECT / "domain"),
        config=str(PROJECT / "config.yml"),
        training_files=str(PROJECT / "data"),
        output=str(model.parent),
        fixed_model_name=model.name.removesuffix(".tar.gz"),
        force_training=True,
    )
    if result.code != 0 or not result.model:
        _say("Training failed.")
        return 1
    _mark(model).write_text(made_of)
    _say(f"Trained in {time.monotonic() - started:.0f} seconds.")
    return 0


@contextmanager
def _alone(model: Path) -> Iterator[None]:
    """Whoever comes second waits, and then finds the model up to date."""
    model.parent.mkdir(parents=True, exist_ok=True)
    with (model.parent / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class _Progress(logging.Handler):
    """Rasa tells each component that it starts on."""

    def emit(self, record: logging.LogRecord) -> None:
        words = record.getMessage()
        if words.startswith("Starting to train component"):
            _say(f"  {words.split(chr(39))[1]}")


def _show_progress() -> None:
    logs.configure()
    logs.silence_structlog()
    progress = logging.getLogger("rasa.engine.training.hooks")
    progress.setLevel(logging.INFO)
    progress.propagate = False
    progress.addHandler(_Progress())


def _files(project: Path) -> Iterator[Path]:
    for name in _SOURCES:
        path = project / name
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix in (".yml", ".py"))
        elif path.exists():
            yield path


def _mark(model: Path) -> Path:
    return model.with_name(model.name.removesuffix(".tar.gz") + ".sha256")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
