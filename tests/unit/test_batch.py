"""Group commit: what arrives together is written together, and a bad one fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bot.db.batch import Batch


class Store:
    """Keeps what is written; refuses a batch with a bad item in it as a whole, as a transaction does."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def write(self, items: Sequence[str]) -> None:
        await self.go_on.wait()
        if "bad" in items:
            raise ValueError("bad")
        self.batches.append(list(items))

    @property
    def kept(self) -> list[str]:
        return [item for batch in self.batches for item in batch]


@pytest.fixture
async def store() -> Store:
    return Store()


async def test_one_is_written_at_once(store: Store) -> None:
    await Batch(store.write).add("a")
    assert store.batches == [["a"]]


async def test_what_comes_during_a_write_goes_together_and_in_order(store: Store) -> None:
    batch = Batch(store.write)
    store.go_on.clear()
    waiting = [asyncio.create_task(batch.add(str(n))) for n in range(100)]
    await asyncio.sleep(0)
    store.go_on.set()
    await asyncio.gather(*waiting)
    assert store.kept == [str(n) for n in range(100)]
    assert len(store.batches) <= 2


async def test_not_more_than_the_limit(store: Store) -> None:
    batch = Batch(store.write, limit=7)
    await asyncio.gather(*(batch.add(str(n)) for n in range(50)))
    assert max(map(len, store.batches)) == 7
    assert store.kept == [str(n) for n in range(50)]


async def test_a_bad_one_fails_alone(store: Store) -> None:
    batch = Batch(store.write)
    results = await asyncio.gather(
        *(batch.add(item) for item in ("a", "bad", "b", "bad", "c")), return_exceptions=True
    )
    assert [result is None for result in results] == [True, False, True, False, True]
    assert store.kept == ["a", "b", "c"]
    await batch.add("d")
    assert store.kept[-1] == "d"


async def test_who_gives_up_waiting_does_not_stop_the_write(store: Store) -> None:
    batch = Batch(store.write)
    store.go_on.clear()
    gone, stays = asyncio.create_task(batch.add("a")), asyncio.create_task(batch.add("b"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    store.go_on.set()
    await stays
    assert store.kept == ["a", "b"]


async def test_nothing_is_acknowledged_before_it_is_written(store: Store) -> None:
    store.go_on.clear()
    adding = asyncio.create_task(Batch(store.write).add("a"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not adding.done()
    store.go_on.set()
    await adding
    assert store.kept == ["a"]
