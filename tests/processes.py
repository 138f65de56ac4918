"""The product as real processes: bot (any role) and engine, started, killed and stopped as an operator would."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Self

import psutil
from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.settings import ROOT
from tests.services import Missing

NLU = ROOT / "nlu"
START = 90.0
"""Seconds that a start may take on a busy machine."""

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")


def engine_python() -> Path:
    """The Python of the engine. Raises `Missing` where it is not set up."""
    python = Path(os.environ.get("ENGINE_PYTHON") or ROOT / "nlu" / ".venv" / "bin" / "python")
    if not python.exists():
        raise Missing("no engine: run `make setup`, or set ENGINE_PYTHON to a Python that has Rasa")
    return python


def trained() -> Path:
    """The engine's Python, with the dialogue model trained where it was not. Raises `Missing`."""
    python = engine_python()
    done = subprocess.run([str(python), "-m", "engine", "train"], cwd=NLU, capture_output=True, text=True)
    if done.returncode:
        raise Missing(f"the dialogue model can't be trained: {done.stdout[-200:]}")
    return python


def port() -> int:
    """A free port that stays free while its owner restarts: not one that the system gives to others' calls."""
    chosen = random.SystemRandom()
    while True:
        number = chosen.randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                continue
            return number


async def until(condition: Callable[[], Awaitable[Any]], seconds: float, what: str) -> Any:
    """What the condition gives, once that is true. Fails with `what` after so many seconds."""
    end = monotonic() + seconds
    while not (found := await condition()):
        assert monotonic() < end, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.02)
    return found


def alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has buried yet does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kill(pid: int) -> None:
    """Kill -9 a process that is not our own child."""
    os.kill(pid, signal.SIGKILL)


@dataclass
class Program:
    """One of our programs. All its lives write to one log."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    directory: Path = ROOT
    log: Path = Path("program.log")
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> Self:
        """Start it (again); see `ready`."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.directory,
                env={**{name: os.environ[name] for name in _KEPT if name in os.environ}, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    @property
    def pid(self) -> int:
        assert self.process is not None, f"{self.name} was never started"
        return self.process.pid

    @property
    def said(self) -> str:
        """What all its lives printed."""
        return self.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """The processes that it started and that run."""
        try:
            return [child.pid for child in psutil.Process(self.pid).children() if alive(child.pid)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """Kill -9: it gets no chance to do anything."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    async def stop(self, seconds: float = 20.0) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.exit_code(seconds)

    async def exit_code(self, seconds: float) -> int:
        """Wait for the end."""
        process = self.process
        assert process is not None

        async def ended() -> bool:
            return process.poll() is not None

        await until(ended, seconds, f"{self.name} ends")
        return int(process.returncode)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()


def bot(role: str, directory: Path, environment: Mapping[str, str], *, name: str | None = None) -> Program:
    """`klaartje <role>` with settings of its own and none of those around us."""
    name = name or role
    return Program(
        name=name,
        command=[sys.executable, "-m", "bot", role],
        environment={"STATE_DIR": str(directory), "PYTHONPATH": str(ROOT), **environment},
        log=directory / f"{name}.log",
    )


def sqlite(directory: Path) -> str:
    """The address of the store that a bot makes in its state directory."""
    return f"sqlite+aiosqlite:///{directory / 'klaartje.db'}"


def engine(python: Path, directory: Path, environment: Mapping[str, str]) -> Program:
    """The engine as a service of its own."""
    return Program(
        name="engine",
        command=[str(python), "-m", "engine"],
        environment=environment,
        directory=NLU,
        log=directory / "engine.log",
    )


async def ready(url: str, *parts: str, state: str = "ok", seconds: float = START) -> dict[str, Any]:
    """Wait until /health/ready tells this state of these parts (the whole, where none is named)."""
    last: dict[str, Any] = {}

    async def told() -> bool:
        nonlocal last
        last = await _health(session, f"{url}/health/ready")
        found = [last.get("parts", {}).get(part, {}).get("state") for part in parts] or [last.get("state")]
        return all(one == state for one in found)

    async with ClientSession(timeout=ClientTimeout(total=5)) as session:
        try:
            await until(told, seconds, f"{', '.join(parts) or 'everything'} {state}")
        except AssertionError as error:
            raise AssertionError(f"{error}; last: {last}") from None
    return last


async def answers(port: int, seconds: float = START) -> None:
    """Wait until a health page on this port tells that its process lives."""

    async def told() -> bool:
        found = await _health(session, f"http://127.0.0.1:{port}/health/live")
        found = found or await _health(session, f"http://127.0.0.1:{port}/health")
        return found.get("state") == "ok"

    async with ClientSession(timeout=ClientTimeout(total=5)) as session:
        await until(told, seconds, f"port {port} answers")


async def _health(session: ClientSession, url: str) -> dict[str, Any]:
    try:
        async with session.get(url) as response:
            return dict(await response.json())
    except (ClientError, TimeoutError, OSError, ValueError):
        return {}
