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


def main_environment(root: Path, interpreter: Callable[[], Path], *, dev: bool) -> Environment:
    """Of the bot: with uv and the build tools in it, and the `klaartje` command."""
    folder = root / ".venv"
    runtime, everything = root / "requirements.lock", root / "requirements-dev.lock"
    lock, project = (everything if dev else runtime), root / "pyproject.toml"
    contents = ((lock, project), (everything, project))

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
        fill(runner, folder, folder, "--no-deps", "--no-build-isolation", "-e", root)

    return Environment(root, folder, "Klaartje", (8, 15), contents, make, install)


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
