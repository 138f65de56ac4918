"""What the web chat takes from a POST, what it refuses, and whom it wakes."""

from __future__ import annotations

import asyncio
import json
from itertools import count

import pytest

from bot.bus.memory import MemoryBus
from bot.model import Choice, Inbound, Kind, Link, Outbound
from bot.ports import Refused, WebhookRequest
from connectors.webchat import MAX_BYTES, MAX_TEXT, WebChat

ADDRESS = "an-address"


@pytest.fixture
def webchat() -> WebChat:
    numbers = count(1)
    return WebChat(MemoryBus(), lambda: f"id-{next(numbers)}")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"text": "Hoi", "client_id": "c1"}, Inbound("webchat", ADDRESS, f"{ADDRESS}:c1", text="Hoi")),
        ({"text": " Hoi\n", "choice": None}, Inbound("webchat", ADDRESS, f"{ADDRESS}:id-1", text="Hoi")),
        ({"text": "a\x00b"}, Inbound("webchat", ADDRESS, f"{ADDRESS}:id-1", text="ab")),
        ({"text": "a\ud83db"}, Inbound("webchat", ADDRESS, f"{ADDRESS}:id-1", text="ab")),
        ({"text": "👍" * MAX_TEXT}, Inbound("webchat", ADDRESS, f"{ADDRESS}:id-1", text="👍" * MAX_TEXT)),
        ({"text": "<b>"}, Inbound("webchat", ADDRESS, f"{ADDRESS}:id-1", text="<b>")),
        (
            {"choice": "aspect:kosten", "client_id": "c2", "more": 1},
            Inbound("webchat", ADDRESS, f"{ADDRESS}:c2", Kind.CHOICE, choice="aspect:kosten"),
        ),
    ],
)
def test_it_takes(webchat: WebChat, fields: dict[str, object], expected: Inbound) -> None:
    assert webchat.inbound(ADDRESS, json.dumps(fields).encode()) == expected


@pytest.mark.parametrize(
    ("payload", "status", "reason"),
    [
        (b"", 400, "the body is not JSON"),
        (b"{", 400, "the body is not JSON"),
        (b"\xff\xfe{}", 400, "the body is not JSON"),
        (b"[" * 50_000, 400, "the body is not JSON"),
        (b'{"text": ' + b"9" * 5000 + b"}", 400, "the body is not JSON"),
        (b"[]", 400, "the body must be a JSON object"),
        (b"null", 400, "the body must be a JSON object"),
        (b"{}", 400, "text is empty"),
        (b'{"text": " \\u0000 \\n"}', 400, "text is empty"),
        (b'{"choice": ""}', 400, "text is empty"),
        (b'{"text": 5}', 400, "text must be a string"),
        (b'{"text": ["a"]}', 400, "text must be a string"),
        (b'{"choice": true}', 400, "choice must be a string"),
        (b'{"text": "a", "client_id": 1}', 400, "client_id must be a string"),
        (b'{"text": "a", "client_id": "' + b"x" * 65 + b'"}', 400, "client_id may have 64 characters"),
        (b'{"text": "a", "choice": "b"}', 400, "text or choice, not both"),
        (b'{"choice": "' + b"x" * 65 + b'"}', 400, "choice may have 64 bytes"),
        (b'{"text": "' + b"x" * (MAX_TEXT + 1) + b'"}', 413, "text may have 4000 characters"),
        (b'{"text": "' + b"x" * MAX_BYTES + b'"}', 413, "a message may have 100 KB"),
    ],
)
def test_it_refuses(webchat: WebChat, payload: bytes, status: int, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        webchat.inbound(ADDRESS, payload)
    assert (refusal.value.status, refusal.value.reason) == (status, reason)


def test_it_has_no_webhook(webchat: WebChat) -> None:
    with pytest.raises(Refused):
        webchat.verify(WebhookRequest("POST", {}, {}, b""))
    with pytest.raises(Refused):
        webchat.parse(b'{"text": "Hoi"}')


async def test_sending_and_acknowledging_wake_the_pages_of_that_address() -> None:
    bus = MemoryBus()
    webchat = WebChat(bus)
    message = Outbound(
        "Hoi", (Choice("human", "Een medewerker"),), (Link("Lees meer", "https://zonneveen.example"),)
    )
    async with bus.subscribe(f"chat:{ADDRESS}") as wakes, asyncio.timeout(5):
        [body] = webchat.render([message])
        assert await webchat.send(ADDRESS, body) != await webchat.send(ADDRESS, body)
        await webchat.acknowledge(Inbound("webchat", ADDRESS, "1"))
        await webchat.acknowledge(Inbound("webchat", ADDRESS, "1"), typing=False)
        assert [await anext(wakes) for _ in range(4)] == [
            (f"chat:{ADDRESS}", "message"),
            (f"chat:{ADDRESS}", "message"),
            (f"chat:{ADDRESS}", "typing"),
            (f"chat:{ADDRESS}", "message"),
        ]
