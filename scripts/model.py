"""The dialogue model: trained again when anything that people wrote in `nlu/` changed."""

from __future__ import annotations

from pathlib import Path

from scripts.runner import Runner, Step
from scripts.stamps import Stamp, fingerprint, sources


class Model:
    """The model in `nlu/models`, made by `python -m engine train`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp = Stamp(folder / "models" / ".stamp")

    def step(self) -> Step:
        """Train it."""
        return Step("Dialogue model: training", 30, self._stale, self._train)

    def _key(self) -> str:
        return fingerprint("model 1", root=self._folder, files=sources(self._folder))

    def _stale(self) -> bool:
        return self._stamp.read() != self._key()

    def _train(self, runner: Runner) -> None:
        key = self._key()
        self._stamp.begin()
        runner.run(self._folder / ".venv" / "bin" / "python", "-m", "engine", "train", cwd=self._folder)
        self._stamp.finish(key)
