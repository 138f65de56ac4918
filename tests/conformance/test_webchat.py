"""What the web chat has instead of a webhook takes anything that can be posted: a message, or a clear refusal."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.bus.memory import MemoryBus
from bot.ports import Refused
from connectors.webchat import WebChat
from tests.conformance.channel import check_storable

ADDRESS = "8c5d7f7e-8a43-4d0e-a3cf-0e1df3a7a001"


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


@settings(max_examples=1_000, deadline=None, derandomize=True, database=None)
@given(payloads())
def test_nothing_that_is_posted_breaks_it(payload: bytes) -> None:
    webchat = WebChat(MemoryBus())
    try:
        message = webchat.inbound(ADDRESS, payload)
    except Refused as refusal:
        assert 400 <= refusal.status < 500
    else:
        check_storable(webchat, message)
        assert message.text or message.choice
