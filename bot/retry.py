"""Trying again: longer and longer waits, each a little different, so that not all come back at once."""

from __future__ import annotations

import random

FIRST, LONGEST = 0.5, 300.0
"""Seconds."""


def backoff(
    jitter: random.Random, attempts: int, retry_after: float | None = None, *, longest: float = LONGEST
) -> float:
    """Seconds until the next attempt after so many: doubling up to `longest`, with a fifth of jitter; never sooner
    than `retry_after`, what the other side asks."""
    wait = min(longest, FIRST * 2.0 ** min(attempts - 1, 30)) * jitter.uniform(0.8, 1.2)
    return wait if retry_after is None else max(wait, retry_after + jitter.uniform(0.0, 0.5))
