"""What every channel owes the house. Inherit, tell how to open it and what its vendor sends, and get the tests."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Choice, Delivery, Inbound, Item, Kind, Link, Moved, Outbound, Receipt
from bot.ports import Body, Channel, Refused, SendFault, WebhookRequest
from connectors.markup import clean, read
from tests.conformance.mutations import mutants

MUTANTS = 10_000


@dataclass(frozen=True)
class Shown:
    """What a resident gets to see of the bodies for one message."""

    text: str
    choices: tuple[Choice, ...]
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    """A body that the vendor sends, and what is in it."""

    name: str
    body: bytes
    expect: list[Item]


@dataclass(frozen=True)
class Misfortune:
    """Something that goes wrong at sending, and what it must come to."""

    name: str
    cause: Callable[[], None]
    retryable: bool
    retry_after: float | None = None


class ChannelConformance(ABC):
    """Inherit as `Test...`. A test has its own instance, so `open` may keep the vendor's stand-in on `self`."""

    address: str
    """Where a resident can be reached."""
    redelivers: bool = True
    """Whether the same body may come twice and must then mean the same."""

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Channel]:
        """The channel, with its vendor's stand-in running, and a resident at `address`."""

    @abstractmethod
    def genuine(self) -> Sequence[WebhookRequest]:
        """Requests that come from the vendor; none where it does not call us."""

    @abstractmethod
    def forged(self) -> Sequence[WebhookRequest]:
        """Requests that anyone else could make."""

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[Example]:
        """Bodies by the vendor's documentation, from `tests/fixtures`."""

    @abstractmethod
    def shown(self, bodies: Sequence[Body]) -> Shown:
        """What the bodies look like; fails where the vendor would refuse one."""

    @abstractmethod
    async def press(self, choice: Choice) -> bytes:
        """The resident presses that button in the last message sent; the body that brings it to us."""

    def read(self, channel: Channel, body: bytes) -> list[Item]:
        """How a body becomes messages, where that is not by `parse`."""
        return channel.parse(body)

    def words(self, text: str) -> str:
        """The text without what the vendor may take for markup."""
        return text

    def misfortunes(self) -> Sequence[Misfortune]:
        """What can go wrong at sending."""
        return ()

    # The tests ----------------------------------------------------------------------------------------------------

    @classmethod
    def pytest_generate_tests(cls, metafunc: pytest.Metafunc) -> None:
        """One test an example."""
        if "example" in metafunc.fixturenames:
            metafunc.parametrize("example", cls.examples(), ids=lambda example: example.name)

    @pytest.fixture
    async def channel(self) -> AsyncIterator[Channel]:
        async with self.open() as channel:
            yield channel
            await channel.close()

    async def test_it_is_a_channel(self, channel: Channel) -> None:
        assert isinstance(channel, Channel)
        assert channel.name
        assert channel.limits.text > 0
        assert (await channel.health()).state == "ok"

    async def test_genuine_requests_pass(self, channel: Channel) -> None:
        for request in self.genuine():
            channel.verify(request)

    async def test_forged_requests_are_refused(self, channel: Channel) -> None:
        for request in self.forged():
            with pytest.raises(Refused) as refusal:
                channel.verify(request)
            assert 400 <= refusal.value.status < 500

    async def test_it_reads_what_the_vendor_sends(self, channel: Channel, example: Example) -> None:
        assert self.read(channel, example.body) == example.expect
        if self.redelivers:
            assert self.read(channel, example.body) == example.expect

    async def test_nothing_unreadable_breaks_it(self, channel: Channel) -> None:
        for body in mutants([example.body for example in self.examples()], MUTANTS, seed=20261123):
            try:
                items = self.read(channel, body)
            except Refused as refusal:
                assert 400 <= refusal.status < 500
            else:
                for item in items:
                    check_storable(channel, item)

    async def test_render_keeps_to_the_limits_and_loses_nothing(self, channel: Channel) -> None:
        @settings(max_examples=150, deadline=None, derandomize=True, database=None)
        @given(outbounds())
        def check(message: Outbound) -> None:
            bodies = channel.render([message])
            shown = self.shown(json.loads(json.dumps(bodies)))
            said = self.words(squeezed(read(message.text).text))
            assert self.words(squeezed(shown.text)).startswith(said)
            assert [choice.id for choice in shown.choices] == [choice.id for choice in message.choices]
            for button, choice in zip(shown.choices, message.choices, strict=True):
                assert_cut(button.label, choice.label, channel.limits.button_label)
            for link in message.links:
                target = link.url.removeprefix("tel:").removeprefix("mailto:")
                assert target in shown.urls or squeezed(target) in squeezed(shown.text)

        check()

    async def test_render_is_a_pure_function(self, channel: Channel) -> None:
        @settings(max_examples=30, deadline=None, derandomize=True, database=None)
        @given(outbounds())
        def check(message: Outbound) -> None:
            before = asdict(message)
            assert channel.render([message]) == channel.render([message])
            assert asdict(message) == before

        check()

    async def test_what_is_sent_has_an_id(self, channel: Channel) -> None:
        message = Outbound("**Hoi!**\n\n- een\n- twee & < 3", (Choice("human", "Een medewerker"),))
        ids = [await channel.send(self.address, body) for body in channel.render([message]) * 3]
        assert all(ids)
        assert len(set(ids)) == len(ids)

    async def test_a_choice_comes_back_when_it_is_pressed(self, channel: Channel) -> None:
        choices = (
            Choice("article:paspoort-aanvragen", "Een nieuw paspoort"),
            Choice("inform:vrijdag 4 december, 's middags", "Vrijdag 4 december, in de middag, bij de balie"),
            Choice("é" * 32, "é"),
        )
        for choice in choices:
            for body in channel.render([Outbound("Bedoelt u ...?", choices)]):
                await channel.send(self.address, body)
            [pressed] = self.read(channel, await self.press(choice))
            assert isinstance(pressed, Inbound)
            assert (pressed.kind, pressed.choice, pressed.address) == (Kind.CHOICE, choice.id, self.address)
            await channel.acknowledge(pressed)

    async def test_a_message_that_does_not_go_out_says_why(self, channel: Channel) -> None:
        [body] = channel.render([Outbound("Geheim van de inwoner")])
        for misfortune in self.misfortunes():
            misfortune.cause()
            with pytest.raises(SendFault) as caught:
                await channel.send(self.address, body)
            fault = caught.value
            assert (misfortune.name, fault.retryable) == (misfortune.name, misfortune.retryable)
            assert fault.retry_after == misfortune.retry_after
            assert fault.reason
            assert "Geheim" not in fault.reason
            assert self.address not in fault.reason

    async def test_closing_gives_all_back(self, channel: Channel) -> None:
        before = asyncio.all_tasks()
        await channel.send(self.address, channel.render([Outbound("Tot ziens")])[0])
        await channel.close()
        async with asyncio.timeout(5):
            while not asyncio.all_tasks() <= before:
                await asyncio.sleep(0.01)


def check_storable(channel: Channel, item: Item) -> None:
    """Fit for the inbox of every database: of the right types, without NUL or half characters, with bounded ids."""
    assert item.channel == channel.name
    if isinstance(item, Moved):
        ids, words = [item.before, item.after], []
    else:
        ids, words = [item.external_id], []
    if isinstance(item, Receipt):
        assert isinstance(item.state, Delivery)
        assert len(item.error or "") <= 255
    if isinstance(item, Inbound):
        ids += [item.address, item.choice or "", item.reply_to or "", item.ref or "", *item.also]
        words = [item.text]
        if item.media:
            words += [item.media.ref, item.media.mime, item.media.name, item.media.sha256 or ""]
            assert item.media.ref
            assert item.media.size is None or 0 <= item.media.size < 2**63
        if item.place:
            words += [item.place.name, item.place.address]
            assert -90 <= item.place.latitude <= 90
            assert -180 <= item.place.longitude <= 180
        assert isinstance(item.kind, Kind)
        assert item.address
        assert item.sent_at is None or item.sent_at.utcoffset() is not None
    for word in ids + words:
        assert isinstance(word, str)
        assert "\x00" not in word
        word.encode()
    assert ids[0]
    assert all(len(one) <= 255 for one in ids)


def squeezed(text: str) -> str:
    """Without white space: parts may break there."""
    return "".join(text.split())


def assert_cut(label: str, whole: str, limit: int) -> None:
    """A button's label is the whole one, or a beginning of it with an ellipsis."""
    whole = " ".join(clean(whole).split())
    assert label == whole or (label.endswith("…") and whole.startswith(label[:-1].rstrip()))
    assert 0 < len(label) <= limit


def outbounds() -> st.SearchStrategy[Outbound]:
    """Messages within what `bot.model` allows, short and long, plain and nasty."""
    pieces = st.sampled_from(_PIECES) | st.text(max_size=30)
    texts = st.lists(pieces, min_size=1, max_size=40).map(" ".join)
    long = (
        st.tuples(texts, st.integers(1, 200))
        .map(lambda t: (t[0] + "\n") * t[1])
        .map(lambda text: text[:20_000])
    )
    ids = st.from_regex(r"[a-z_]{1,20}(:[a-zé0-9-]{1,20})?", fullmatch=True)
    labels = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=30).map(" ".join)
    links = st.builds(Link, labels, st.sampled_from(_URLS))
    choices = st.lists(st.builds(Choice, ids, labels), max_size=12, unique_by=lambda choice: choice.id)
    return st.builds(
        Outbound,
        (texts | long).filter(lambda text: bool(read(text).text)),
        choices.map(tuple),
        st.lists(links, max_size=3).map(tuple),
    )


_WORDS = (
    "paspoort",
    "aanvragen",
    "burgemeester",
    "én",
    "<b>",
    "&",
    "👩‍🔧",
    "🇳🇱",
    "x" * 70,
    "جواز",
    "-",
    "1e",
)
_URLS = (
    "https://www.zonneveen.example/paspoort?x=1&y=%20",
    "http://zonneveen.example",
    "tel:140999",
    "mailto:balie@zonneveen.example",
)
_PIECES: Sequence[str] = (
    "Maak eerst een afspraak.", "**Neem mee:**", "\n- uw **oude** paspoort\n", "\n\n", "\n", "**", "* ", "- ",
    "<script>alert(1)</script>", "&amp; <b>", "</b>", "https://www.zonneveen.example/" + "lang/" * 60, "👨‍👩‍👧‍👦🇳🇱👍🏽",
    "كيف حالك", "\x1b[31m", "\x00", "\ud83d", "\u200d", "woord" * 40, "€ 87,60", "`code`", "_[a](b)_", "\r\n", "\t",
)  # fmt: skip
