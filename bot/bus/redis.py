"""The bus of several processes, on Redis. Never the truth: where Redis is gone, work goes on by polling."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from bot.ports import Health

log = logging.getLogger(__name__)

_AGAIN = 1.0
"""Seconds between attempts to reach Redis again."""

_BUCKET = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(kept[1]) or burst
tokens = math.min(burst, tokens + (now - (tonumber(kept[2]) or now)) * rate)
local left = tokens - 1
if left >= 0 then tokens = left end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(now))
redis.call('EXPIRE', KEYS[1], math.ceil(burst / rate) + 1)
return tostring(math.max(0, -left / rate))
"""


class RedisBus:
    """Publishes and limits over Redis; `prefix` keeps installations on one server apart."""

    def __init__(self, url: str, *, prefix: str = "klaartje") -> None:
        # One that hangs is as good as one that is gone, and must not cost more.
        self._redis = Redis.from_url(url, decode_responses=True, socket_connect_timeout=1, socket_timeout=1)
        self._listening = Redis.from_url(url, decode_responses=True, socket_connect_timeout=2)
        self._prefix = f"{prefix}:"
        self._bucket = self._redis.register_script(_BUCKET)

    async def publish(self, topic: str, payload: str = "") -> None:
        """Wake all who listen to the topic, in any process."""
        try:
            await self._redis.publish(self._prefix + topic, payload)
        except (RedisError, OSError) as error:
            log.warning("Redis did not take a wake for %s: %s", topic.split(":")[0], type(error).__name__)

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
        """Listen to topics, from entering on; reconnects by itself, and wakes once after it did."""
        queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue(1000)
        listening = asyncio.Event()
        listener = asyncio.create_task(self._listen(topics, queue, listening))

        async def wakes() -> AsyncIterator[tuple[str, str]]:
            while True:
                yield await queue.get()

        try:
            with suppress(TimeoutError):  # Redis is away: begin without it
                async with asyncio.timeout(3):
                    await listening.wait()
            yield wakes()
        finally:
            listener.cancel()
            with suppress(asyncio.CancelledError):
                await listener

    async def _listen(
        self, topics: tuple[str, ...], queue: asyncio.Queue[tuple[str, str]], listening: asyncio.Event
    ) -> None:
        while True:
            pubsub = self._listening.pubsub(ignore_subscribe_messages=True)
            try:
                await pubsub.subscribe(*(self._prefix + topic for topic in topics))
                if listening.is_set():
                    for topic in topics:
                        _put(queue, (topic, ""))
                listening.set()
                await self._pump(pubsub, queue)
            except (RedisError, OSError) as error:
                log.warning("Redis can't be listened to: %s", type(error).__name__)
                listening.set()  # whoever waits goes on without; a reconnect wakes
                await asyncio.sleep(_AGAIN)
            finally:
                with suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _pump(self, pubsub: PubSub, queue: asyncio.Queue[tuple[str, str]]) -> None:
        while True:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=30.0)
            if message is not None:
                _put(queue, (message["channel"].removeprefix(self._prefix), message["data"]))

    async def allow(self, key: str, *, rate: float, burst: int) -> bool:
        """Take a token from the bucket `key`, shared by all processes."""
        return await self.delay(key, rate=rate, burst=burst) == 0.0

    async def delay(self, key: str, *, rate: float, burst: int) -> float:
        """Take a token, or tell in how many seconds there will be one."""
        try:
            return float(await self._bucket(keys=[f"{self._prefix}bucket:{key}"], args=[rate, burst]))
        except (RedisError, OSError) as error:
            log.warning("Redis did not answer on a rate limit: %s", type(error).__name__)
            return 0.0

    async def health(self) -> Health:
        """Whether Redis answers; without it all goes on, slower."""
        try:
            async with asyncio.timeout(2):
                await self._redis.ping()
        except (RedisError, OSError, TimeoutError) as error:
            return Health("degraded", f"Redis: {type(error).__name__}; work goes on by polling")
        return Health("ok", "Redis")

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()
        await self._listening.aclose()


def _put(queue: asyncio.Queue[tuple[str, str]], wake: tuple[str, str]) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(wake)
