"""Group commit: writes that arrive together share one transaction, so that one disk flush serves many."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Batch(Generic[T]):
    """Collects items while the previous batch is being written; `add` returns when the item is committed."""

    def __init__(self, write: Callable[[Sequence[T]], Awaitable[None]], *, limit: int = 500) -> None:
        self._write = write
        self._limit = limit
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, item: T) -> None:
        """Have the item written. Raises what the write raised for this item; nothing of it is stored then."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._run())
        await asyncio.shield(done)

    async def _run(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
            error = await self._try([item for item, _ in taken])
            for item, done in taken:
                # One bad item must not fail its neighbours: on an error each is tried alone.
                mine = error if error is None or len(taken) == 1 else await self._try([item])
                if done.done():
                    continue
                if mine is None:
                    done.set_result(None)
                else:
                    done.set_exception(mine)

    async def _try(self, items: Sequence[T]) -> Exception | None:
        try:
            await self._write(items)
        except Exception as error:
            return error  # handed to whoever waits for the item
        return None
