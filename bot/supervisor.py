"""The engine as a child of this process: started, watched, restarted, and stopped with us."""

from __future__ import annotations

import asyncio
import logging
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

log = logging.getLogger(__name__)

_LONGEST_WAIT = 30.0
_STEADY = 60.0
"""A child that lived this many seconds starts again at once when it dies."""


class Supervisor:
    """Keeps one child alive. Its standard input is a pipe from us: when we die, it reads the end and goes too."""

    def __init__(self, command: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> None:
        self._command = tuple(command)
        self._directory = directory
        self._environment = environment
        self._child: Process | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._child.pid if self._child and self._child.returncode is None else None

    async def run(self) -> None:
        """Keep the child alive until cancelled."""
        failures = 0
        try:
            while True:
                started = monotonic()
                code = await self._once()
                failures = 0 if monotonic() - started > _STEADY else failures + 1
                wait = min(_LONGEST_WAIT, 0.5 * 2.0 ** (failures - 1)) if failures else 0.0
                log.error("the dialogue engine ended (%s): starting it again in %.1f s", code, wait)
                await asyncio.sleep(wait)
        finally:
            await self._stop()

    async def _once(self) -> str:
        try:
            self._child = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._directory,
                env={**os.environ, **self._environment},
                stdin=PIPE,
                start_new_session=True,  # Ctrl-C in a terminal is ours to pass on
            )
        except OSError as error:
            return f"can't be started: {error.strerror}"
        log.info("dialogue engine started, process %d", self._child.pid)
        return f"exit code {await self._child.wait()}"

    async def _stop(self) -> None:
        child = self._child
        if child is None or child.returncode is not None:
            return
        with suppress(ProcessLookupError):
            child.terminate()
        try:
            async with asyncio.timeout(5):
                await child.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
