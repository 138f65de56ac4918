"""The web chat, held to what every channel owes; what it has instead of a webhook is held to the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.bus.memory import MemoryBus
from bot.model import Choice, Kind, Outbound
from bot.ports import Body, Channel, Refused, WebhookRequest
from connectors.markup import read
from connectors.webchat import WebChat
from tests.conformance.channel import ChannelConformance, Example, Shown, check_storable


class TestWebChat(ChannelConformance):
    address = "8c5d7f7e-8a43-4d0e-a3cf-0e1df3a7a001"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Channel]:
        yield WebChat(MemoryBus())

    def genuine(self) -> Sequence[WebhookRequest]:
        return []

    def forged(self) -> Sequence[WebhookRequest]:
        return [WebhookRequest("POST", {"Authorization": "Bearer x"}, {}, b'{"text": "Hoi"}')]

    @classmethod
    def examples(cls) -> Sequence[Example]:
        return []

    def shown(self, bodies: Sequence[Body]) -> Shown:
        [body] = bodies
        choices = tuple(Choice(choice["id"], " ".join(choice["label"].split())) for choice in body["choices"])
        urls = [link["url"] for link in body["links"]]
        return Shown(read(body["text"]).text, choices, (*urls, *(url.partition(":")[2] for url in urls)))

    async def press(self, choice: Choice) -> bytes:
        return json.dumps({"choice": choice.id}).encode()

    async def test_a_choice_comes_back_when_it_is_pressed(self, channel: Channel) -> None:
        assert isinstance(channel, WebChat)
        for choice in (Choice("article:paspoort-aanvragen", "Een nieuw paspoort"), Choice("é" * 32, "é")):
            [body] = channel.render(self.address, Outbound("Bedoelt u ...?", (choice,)))
            await channel.send(body)
            pressed = channel.inbound(self.address, await self.press(choice))
            assert (pressed.kind, pressed.choice, pressed.address) == (Kind.CHOICE, choice.id, self.address)
            await channel.acknowledge(pressed)

    async def test_nothing_unreadable_breaks_it(self, channel: Channel) -> None:
        assert isinstance(channel, WebChat)
        webchat = channel

        @settings(max_examples=1_000, deadline=None, derandomize=True, database=None)
        @given(payloads())
        def check(payload: bytes) -> None:
            try:
                message = webchat.inbound(self.address, payload)
            except Refused as refusal:
                assert 400 <= refusal.status < 500
            else:
                check_storable(webchat, message)
                assert message.text or message.choice

        check()


def payloads() -> st.SearchStrategy[bytes]:
    """Bodies as anyone can post them: right, of wrong types, with nasty text, torn."""
    text = st.text(st.characters(codec=None), max_size=50) | st.sampled_from(
        ["", "\x00", "\ud83d", "x" * 5_000]
    )
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    )
    names = ("text", "choice", "client_id")
    objects = st.fixed_dictionaries({}, optional=dict.fromkeys(names, text | values))
    bodies = (objects | values).map(lambda value: json.dumps(value).encode())
    torn = st.tuples(bodies, st.integers(0, 40)).map(lambda pair: pair[0][: pair[1]])
    return bodies | torn | st.binary(max_size=60) | st.just(b"[" * 100_000)
