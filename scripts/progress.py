"""Shows how far the steps are and how long they still take: one live line on a terminal, else plain lines."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

HEAD_START = 5.0
"""Seconds by which the estimate trusts its table before it trusts the pace of this machine."""


def span(seconds: float) -> str:
    """A length of time in words: `8 s`, `1 min 20 s`."""
    whole = max(1, round(seconds))
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"{whole} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


class Progress:
    """The steps with the seconds they take on an ordinary machine; learns this machine's pace on the way."""

    def __init__(
        self, expected: Sequence[float], stream: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._expected = expected
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()
        self._current = 0
        self._title = ""
        self._started = 0.0
        self._spent = 0.0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Wraps the work of the next step."""
        self._title, self._started = title, self._clock()
        if self._live:
            self.tick()
        else:
            self._print(f"{self._head()}: about {span(self._guess())}; {span(self.left())} to go in all")
        yield
        took = self._clock() - self._started
        self._print(f"{self._head()}: done in {span(took)}")
        self._spent += took
        self._current += 1

    def tick(self) -> None:
        """Draws the live line anew; call it a few times a second."""
        if self._live:
            running = self._clock() - self._started
            done = f"{span(running)} of about {span(self._guess())}"
            line = f"{self._head()}: {done}; {span(self.left())} to go in all"
            width = shutil.get_terminal_size().columns - 1
            self._stream.write("\r\x1b[K" + line[:width])
            self._stream.flush()

    def left(self) -> float:
        """Seconds until the last step is done, as far as can be told."""
        running = self._clock() - self._started
        here = max(self._guess() - running, running / 10)
        return here + self._pace() * sum(self._expected[self._current + 1 :])

    def _pace(self) -> float:
        return (HEAD_START + self._spent) / (HEAD_START + sum(self._expected[: self._current]))

    def _guess(self) -> float:
        return self._pace() * self._expected[self._current]

    def _head(self) -> str:
        return f"[{self._current + 1}/{len(self._expected)}] {self._title}"

    def _print(self, line: str) -> None:
        self._stream.write(("\r\x1b[K" if self._live else "") + line + "\n")
        self._stream.flush()
