"""The bus of one process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from bot.ports import Health

_KEYS = 100_000


class MemoryBus:
    """Wakes subscribers in this process. A subscriber that lags gets the newest 1,000 wakes."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._queues: defaultdict[str, set[asyncio.Queue[tuple[str, str]]]] = defaultdict(set)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._clock = clock

    async def publish(self, topic: str, payload: str = "") -> None:
        """Wake all who listen to the topic."""
        for queue in self._queues.get(topic, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait((topic, payload))

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
        """Listen to topics, from entering on."""
        queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue(1000)
        for topic in topics:
            self._queues[topic].add(queue)

        async def wakes() -> AsyncIterator[tuple[str, str]]:
            while True:
                yield await queue.get()

        try:
            yield wakes()
        finally:
            for topic in topics:
                self._queues[topic].discard(queue)
                if not self._queues[topic]:
                    del self._queues[topic]

    async def allow(self, key: str, *, rate: float, burst: int) -> bool:
        """Take a token from the bucket `key`, where there is one."""
        return await self.delay(key, rate=rate, burst=burst) == 0.0

    async def delay(self, key: str, *, rate: float, burst: int) -> float:
        """Take a token, or tell in how many seconds there will be one."""
        now = self._clock()
        tokens, at = self._buckets.pop(key, (float(burst), now))
        tokens = min(float(burst), tokens + (now - at) * rate)
        left = tokens - 1.0
        self._buckets[key] = (left if left >= 0.0 else tokens, now)
        if len(self._buckets) > _KEYS:
            self._buckets.popitem(last=False)
        return max(0.0, -left / rate)

    async def health(self) -> Health:
        """Always there."""
        return Health("ok", "in this process")

    async def close(self) -> None:
        """Nothing to give back."""
