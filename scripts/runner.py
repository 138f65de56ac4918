"""Runs one tool at a time for setup: quietly, stopped cleanly, its last words shown when it fails."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from scripts.progress import Progress

LAST_WORDS = 40
LEAKS = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX", "UV_PROJECT_ENVIRONMENT", "PYENV_VERSION")


class Problem(Exception):
    """What stops the setup, in words for the engineer who runs it."""


class Runner:
    """Runs tools from the project's folder while the progress line goes on."""

    def __init__(self, root: Path, progress: Progress, *, held: int, verbose: bool = False) -> None:
        self.root = root
        self._held = held
        self._progress = progress
        self._verbose = verbose
        self._env = {key: value for key, value in os.environ.items() if key not in LEAKS}

    def run(self, *command: str | Path, cwd: Path | None = None) -> None:
        """Runs to the end, or raises Problem with what the tool said last."""
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                command,
                cwd=cwd or self.root,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr if self._verbose else said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A tool that outlives a killed setup holds the lock on, so the next setup waits for it.
                pass_fds=(self._held,),
            )
            try:
                code = self._wait(process)
            except BaseException:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
                raise
            if code:
                said.seek(0)
                words = said.read().decode(errors="replace").splitlines()[-LAST_WORDS:]
                shown = " ".join(str(part) for part in command)
                raise Problem("\n".join([*words, "", f"This failed (exit code {code}): {shown}"]))

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        while True:
            try:
                return process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                self._progress.tick()


@dataclass(frozen=True)
class Step:
    """One thing to do, the seconds it takes on an ordinary machine, and whether it is due."""

    title: str
    seconds: float
    stale: Callable[[], bool]
    work: Callable[[Runner], None]


@contextmanager
def exclusive(root: Path) -> Iterator[int]:
    """One setup at a time in a folder; a second one waits. SIGTERM stops like Ctrl-C. Gives the lock's file."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("Another setup is at work in this folder: waiting for it.\n")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(folder)
        signal.signal(signal.SIGTERM, before)
