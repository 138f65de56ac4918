"""The two virtual environments: `.venv` for the bot, `nlu/.venv` for Rasa, each from its lock file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts import pythons
from scripts.runner import Problem, Runner, Step
from scripts.stamps import BEGUN, Stamp, fingerprint

LANGUAGE = "nlu"
RASA_PYTHON = "3.10"
NO_RASA_PYTHON = """\
Rasa needs Python 3.10, next to the Python of the rest; it was not found and uv could not fetch it.
Any one of these helps, then run the same command again:
  uv python install 3.10
  pyenv install 3.10
  macOS: brew install python@3.10
  or make it from source, and: export PYTHON310=/path/to/python3.10"""
NO_VENV = """\
This Python can't make virtual environments: {python}
Debian and Ubuntu: apt-get install python3-venv; or install uv. Then run the same command again."""
NO_TORCH = """\
The CPU build of PyTorch could not be installed. It is needed for `klaartje tune` and for other sentence encoders only.
Any one of these helps, then run the same command again:
  leave it out for now: the same make command with SLIM=1
  let this machine reach PyTorch's own package index: uv knows where its CPU builds are
  a mirror of that index, or a folder with the file: export PIP_EXTRA_INDEX_URL=... or PIP_FIND_LINKS=...
On a Mac with an Intel processor there is no PyTorch of this version: SLIM=1 is the only way."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment that is made whole or made again.

    `contents`: the files that decide what is in it; first those it is filled from, then others that will do."""

    root: Path
    folder: Path
    title: str
    seconds: tuple[float, float]
    contents: tuple[tuple[Path, ...], ...]
    make: Callable[[Runner], None]
    install: Callable[[Runner], None]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def steps(self) -> list[Step]:
        """Make it, then fill it."""
        return [
            Step(f"{self.title}: environment", self.seconds[0], self._unmade, self._make),
            Step(f"{self.title}: libraries", self.seconds[1], self._unfilled, self._fill),
        ]

    @property
    def _made(self) -> Stamp:
        return Stamp(self.folder / ".made")

    @property
    def _filled(self) -> Stamp:
        return Stamp(self.folder / ".filled")

    def _place(self) -> str:
        tools = self.root / "requirements-build.lock"
        return fingerprint("environment 1", str(self.folder), root=self.root, files=[tools])

    def _keys(self) -> list[str]:
        return [fingerprint("libraries 1", root=self.root, files=files) for files in self.contents]

    def _unmade(self) -> bool:
        """Never made, moved, made with other tools, its Python gone, or interrupted while it was filled."""
        gone = not self.python.exists()
        return gone or self._made.read() != self._place() or self._filled.read() == BEGUN

    def _unfilled(self) -> bool:
        return self._unmade() or self._filled.read() not in self._keys()

    def _make(self, runner: Runner) -> None:
        self.make(runner)
        self._made.finish(self._place())

    def _fill(self, runner: Runner) -> None:
        self._filled.begin()
        self.install(runner)
        self._filled.finish(self._keys()[0])


def main_environment(root: Path, interpreter: Callable[[], Path], *, dev: bool, slim: bool) -> Environment:
    """Of the bot: with uv and the build tools in it, and the `klaartje` command. Slim is without torch."""
    folder = root / ".venv"
    project = root / "pyproject.toml"
    torch, encoders = root / "requirements-torch.lock", root / "requirements-encoders.lock"
    lock, everything = root / f"requirements{'-dev' if dev else ''}.lock", root / "requirements-dev.lock"
    light = [(lock, project), (everything, project)]
    full = [(*files, torch, encoders) for files in light]
    contents = tuple([*light, *full] if slim else full)

    def make(runner: Runner) -> None:
        python, tools = interpreter(), ("--require-hashes", "-r", root / "requirements-build.lock")
        uv = pythons.working("uv", os.environ)
        if pythons.has_venv(python):
            runner.run(python, "-m", "venv", "--clear", folder)
            runner.run(folder / "bin" / "python", "-m", "pip", "install", "-q", *tools)
        elif uv:
            runner.run(uv, "venv", "-q", "--clear", "--python", python, folder)
            runner.run(uv, "pip", "install", "-q", "--python", folder / "bin" / "python", *tools)
        else:
            raise Problem(NO_VENV.format(python=python))

    def install(runner: Runner) -> None:
        fill(runner, folder, folder, "--require-hashes", "-r", lock)
        if not slim:
            fill_torch(runner, folder, torch)
            fill(runner, folder, folder, "--no-deps", "--require-hashes", "-r", encoders)
        fill(runner, folder, folder, "--no-deps", "--no-build-isolation", "-e", root)

    return Environment(root, folder, "Klaartje", (8, 15 if slim else 60), contents, make, install)


def rasa_environment(root: Path, main: Environment) -> Environment:
    """Of Rasa: on Python 3.10, filled by the uv of the main environment."""
    folder = root / LANGUAGE / ".venv"
    lock = root / LANGUAGE / "requirements.lock"

    def make(runner: Runner) -> None:
        runner.run(rasa_python(main.folder), "-m", "venv", "--clear", "--without-pip", folder)

    def install(runner: Runner) -> None:
        fill(runner, main.folder, folder, "--require-hashes", "-r", lock)

    return Environment(root, folder, "Rasa", (3, 40), ((lock,),), make, install)


def fill(runner: Runner, tools: Path, folder: Path, *what: str | Path) -> None:
    """Installs with uv; with pip, slower, where uv does not run or can't reach what pip is set up for."""
    try:
        runner.run(tools / "bin" / "uv", "pip", "install", "-q", "--python", folder / "bin" / "python", *what)
    except (Problem, OSError) as first:
        try:
            pip = (tools / "bin" / "python", "-m", "pip", "--python", folder / "bin" / "python")
            runner.run(*pip, "install", "-q", *what)
        except Problem as second:
            raise Problem(f"With uv:\n{first}\n\nThen with pip:\n{second}") from second


def fill_torch(runner: Runner, folder: Path, lock: Path) -> None:
    """Installs PyTorch's CPU build: what pip was set up to find, else from PyTorch's index, which uv knows.

    Nothing else will do: the build of the general index would bring gigabytes of CUDA to Linux."""
    bin_, what = folder / "bin", ("--no-deps", "--require-hashes", "-r", lock)
    try:
        runner.run(bin_ / "python", "-m", "pip", "install", "-q", "--only-binary", "torch", *what)
    except Problem as first:
        try:
            uv = (bin_ / "uv", "pip", "install", "-q", "--torch-backend", "cpu")
            runner.run(*uv, "--python", bin_ / "python", *what)
        except (Problem, OSError) as second:
            raise Problem(f"With pip:\n{first}\n\nThen with uv:\n{second}\n\n{NO_TORCH}") from second


def rasa_python(tools: Path) -> Path:
    """Python 3.10: the one that PYTHON310 names, one on this machine, or one that uv fetches."""
    named = os.environ.get("PYTHON310")
    if named:
        if pythons.version_of(named) != RASA_PYTHON:
            raise Problem(f"PYTHON310 is set to {named}, which is not a Python 3.10 that runs.")
        return Path(named)
    uv = tools / "bin" / "uv"
    found = pythons.find(RASA_PYTHON, os.environ, uv) or pythons.fetch(RASA_PYTHON, uv)
    if found is None:
        raise Problem(NO_RASA_PYTHON)
    return found
