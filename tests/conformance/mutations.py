"""Broken payloads made from good ones, the same for the same seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 3.7, 2**31, 2**63, 2**64, 10**400, float("inf"), float("nan"),
    "", "\x00", "a\x00b", "\ud800", "\u202e", "💥" * 50, "x" * 20_000, "9" * 30,
    [], {}, [None], [[]], {"": None}, {"id": {}}, {"id": []}, [{"text": 1}],
)  # fmt: skip


def mutants(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """So many: other types, missing and extra fields, other numbers, deep nests, huge texts, torn bytes."""
    chance = random.Random(seed)
    for _ in range(count):
        body = chance.choice(seeds)
        try:
            value = json.loads(body)
        except ValueError:
            value = None
        if isinstance(value, dict | list) and chance.random() < 0.85:
            for _ in range(chance.choice((1, 1, 1, 2, 3))):
                _change(value, chance)
            body = json.dumps(value).encode()
            if chance.random() < 0.9:
                yield body
                continue
        yield _tear(body, chance)


def _change(value: Any, chance: random.Random) -> None:
    """One change somewhere inside."""
    holder, key = chance.choice(list(_places(value)) or [(value, None)])
    if key is None:
        return
    match chance.randrange(6):
        case 0:
            del holder[key]
        case 1 | 2:
            holder[key] = copy.deepcopy(chance.choice(_ODD))
        case 3:
            nest: Any = holder[key]
            for _ in range(chance.choice((2, 20, 100))):
                nest = [nest] if chance.random() < 0.5 else {"message": nest}
            holder[key] = nest
        case 4:
            other, other_key = chance.choice(list(_places(value)))
            holder[key] = copy.deepcopy(other[other_key])
        case _ if isinstance(holder, dict):
            holder[chance.choice(("extra", "id", "text", "data", "type", "\x00"))] = chance.choice(_ODD[:20])
        case _:
            holder *= 3


def _places(value: Any, depth: int = 12) -> Iterator[tuple[Any, Any]]:
    if depth == 0:
        return
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key], depth - 1)


def _tear(body: bytes, chance: random.Random) -> bytes:
    """Bytes that are no longer what they were."""
    at = chance.randrange(len(body) + 1)
    match chance.randrange(6):
        case 0:
            return body[:at]
        case 1:
            return body[:at] + chance.randbytes(4) + body[at:]
        case 2:
            return b""
        case 3:
            return b"[" * 100_000
        case 4:
            return b'{"a":' * 50_000 + b"1" + b"}" * 50_000
        case _:
            return chance.randbytes(at)
