"""Every channel, held to the same."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.bus.memory import MemoryBus
from bot.model import Choice, Inbound, Item, Kind, Media, Outbound, Place, Receipt
from bot.ports import Body, Channel, WebhookRequest
from connectors.markup import clean, read
from connectors.telegram import SECRET_HEADER, Telegram
from connectors.terminal import Terminal
from connectors.webchat import WebChat
from tests.conformance.channel import ChannelConformance, Example, Misfortune, Shown
from tests.fakes.telegram import Dropped, FakeTelegram
from tests.fakes.telegram_rules import TEXT_LIMIT, Refusal, check_keyboard, parse_html, utf16

FIXTURES = Path(__file__).parent.parent / "fixtures"
SECRET = "a-webhook-secret_42"


class TestTelegram(ChannelConformance):
    address = "5000001"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Channel]:
        async with FakeTelegram() as fake:
            self.fake = fake
            self.resident = fake.resident(int(self.address))
            yield Telegram(
                fake.token,
                api_url=fake.url,
                secret=SECRET,
                webhook_url="http://127.0.0.1:1/webhooks/telegram",
            )
            assert fake.invalid == []

    def genuine(self) -> Sequence[WebhookRequest]:
        return [request({SECRET_HEADER: SECRET}), request({SECRET_HEADER.lower(): SECRET})]

    def forged(self) -> Sequence[WebhookRequest]:
        wrong = ("", SECRET[:-1], SECRET + "x", SECRET.upper(), "é\udcff")
        return [request({}), *(request({SECRET_HEADER: secret}) for secret in wrong)]

    @classmethod
    def examples(cls) -> Sequence[Example]:
        truths = [
            (path.stem, json.loads(path.read_bytes())) for path in sorted(FIXTURES.glob("telegram/*.json"))
        ]
        return [
            Example(name, json.dumps(truth["update"]).encode(), [inbound(item) for item in truth["expect"]])
            for name, truth in truths
        ]

    def shown(self, bodies: Sequence[Body]) -> Shown:
        texts: list[str] = []
        buttons: list[dict[str, Any]] = []
        for body in bodies:
            assert not buttons or "reply_markup" in body, "the keyboard is not under the last part"
            assert body["parse_mode"] == "HTML"
            text, _ = parse_html(body["text"])
            assert 0 < utf16(text) <= TEXT_LIMIT
            texts.append(text)
            for row in check_keyboard(body.get("reply_markup", {"inline_keyboard": []})):
                buttons += row
        choices = tuple(Choice(b["callback_data"], b["text"]) for b in buttons if "callback_data" in b)
        return Shown("\n".join(texts), choices, tuple(b["url"] for b in buttons if "url" in b))

    async def press(self, choice: Choice) -> bytes:
        number = self.resident.press(choice.id)
        return json.dumps(next(update for at, _, update in self.fake.pending if at == number)).encode()

    def misfortunes(self) -> Sequence[Misfortune]:
        def answer(fault: Exception) -> Any:
            return lambda: self.fake.fail("sendMessage", fault)

        def block() -> None:
            self.resident.blocked = True

        def forget() -> None:
            del self.fake.residents[self.resident.id]

        flood = Refusal(429, "Too Many Requests: retry after 14", retry_after=14)
        quoting = Refusal(400, 'Bad Request: can\'t parse "Geheim van de inwoner" for 5000001')
        return [
            Misfortune("too many", answer(flood), retryable=True, retry_after=14),
            Misfortune("too many, no number", answer(Refusal(429, "Slow down")), retryable=True),
            Misfortune("a fault of theirs", answer(Refusal(500, "Internal Server Error")), retryable=True),
            Misfortune("a gateway", answer(Refusal(502, "Bad Gateway")), retryable=True),
            Misfortune("no connection", answer(Dropped()), retryable=True),
            Misfortune("token changed", answer(Refusal(401, "Unauthorized")), retryable=True),
            Misfortune("a fault of ours", answer(quoting), retryable=False),
            Misfortune("blocked", block, retryable=False),
            Misfortune("unknown chat", forget, retryable=False),
        ]


class TestTerminal(ChannelConformance):
    address = "terminal-1"
    redelivers = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Channel]:
        self.screen = io.StringIO()
        self.terminal = Terminal(NoLines(), self.screen, address=self.address)
        asked = Outbound(
            "Bedoelt u?",
            (Choice("article:paspoort-aanvragen", "Ja, graag"), Choice("something_else", "Nee, dank u")),
        )
        [body] = self.terminal.render([asked])
        await self.terminal.send(self.address, body)
        yield self.terminal

    def genuine(self) -> Sequence[WebhookRequest]:
        return []

    def forged(self) -> Sequence[WebhookRequest]:
        return [request({}), request({"Authorization": "Bearer x"})]

    @classmethod
    def examples(cls) -> Sequence[Example]:
        return [
            Example(
                f"line {number}",
                row["line"].encode(),
                [
                    inbound(
                        {"channel": "terminal", "address": cls.address, "external_id": "terminal-1:2"}
                        | row["expect"]
                    )
                ]
                if row["expect"]
                else [],
            )
            for number, row in enumerate(json.loads((FIXTURES / "terminal" / "lines.json").read_text()), 1)
        ]

    def shown(self, bodies: Sequence[Body]) -> Shown:
        [body] = bodies
        assert len(body["text"]) <= self.terminal.limits.text
        assert clean(body["text"]) == body["text"]
        choices = tuple(Choice(choice["id"], choice["label"]) for choice in body["choices"])
        return Shown(body["text"], choices, _targets(body["links"]))

    async def press(self, choice: Choice) -> bytes:
        lines = self.screen.getvalue().splitlines()
        line = next(line for line in reversed(lines) if line.endswith(f". {choice.label}"))
        return line.strip().partition(".")[0].encode() + b"\n"

    def misfortunes(self) -> Sequence[Misfortune]:
        return [Misfortune("the terminal is gone", self.screen.close, retryable=False)]


class TestWebChat(ChannelConformance):
    address = "3f0c8a52-58f1-4a53-9d4c-0f6d8a1b2c3d"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Channel]:
        bus = MemoryBus()
        yield WebChat(bus)
        await bus.close()

    def genuine(self) -> Sequence[WebhookRequest]:
        return []

    def forged(self) -> Sequence[WebhookRequest]:
        return [request({}), request({"Authorization": "Bearer x"})]

    @classmethod
    def examples(cls) -> Sequence[Example]:
        known = {"channel": "webchat", "address": cls.address, "external_id": f"{cls.address}:c1"}
        truths: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
            ("text", {"text": "hoi"}, {"kind": "text", "text": "hoi"}),
            ("text with NUL", {"text": " p\x00as \ud83d"}, {"kind": "text", "text": "pas"}),
            ("choice", {"choice": "human", "text": None}, {"kind": "choice", "choice": "human"}),
        ]
        return [
            Example(name, json.dumps(sent | {"client_id": "c1"}).encode(), [inbound(known | expect)])
            for name, sent, expect in truths
        ]

    def read(self, channel: Channel, body: bytes) -> list[Item]:
        assert isinstance(channel, WebChat)
        return [channel.inbound(self.address, body)]

    def shown(self, bodies: Sequence[Body]) -> Shown:
        [body] = bodies
        [message] = body["messages"]
        choices = tuple(Choice(**choice) for choice in message["choices"])
        return Shown(read(message["text"]).text, choices, _targets(message["links"]))

    async def press(self, choice: Choice) -> bytes:
        return json.dumps({"choice": choice.id}).encode()


class NoLines:
    """A resident who types nothing."""

    async def readline(self) -> bytes:
        return b""


def _targets(links: list[dict[str, str]]) -> tuple[str, ...]:
    """Where links lead, with and without what comes before the colon."""
    urls = [link["url"] for link in links]
    return (*urls, *(url.partition(":")[2] for url in urls))


def request(headers: dict[str, str]) -> WebhookRequest:
    return WebhookRequest("POST", headers, {}, b"{}")


def inbound(truth: dict[str, Any]) -> Inbound | Receipt:
    """An expectation of a truth file."""
    sent_at = datetime.fromisoformat(truth["sent_at"]) if "sent_at" in truth else None
    media = Media(**truth["media"]) if "media" in truth else None
    place = Place(**truth["place"]) if "place" in truth else None
    known = {"kind": Kind(truth["kind"]), "sent_at": sent_at, "media": media, "place": place}
    return Inbound(**truth | known)
