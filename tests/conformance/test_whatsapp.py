"""WhatsApp, held to the same as every channel."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from bot.model import Choice
from bot.ports import Body, Channel, WebhookRequest
from connectors.markup import cut
from connectors.whatsapp import SIGNATURE_HEADER, WhatsApp
from tests.conformance.channel import ChannelConformance, Example, Misfortune, Shown
from tests.fakes import whatsapp_independent
from tests.fakes.whatsapp import Dropped, FakeWhatsApp, Gateway
from tests.fakes.whatsapp_rules import Refusal, check
from tests.unit.test_whatsapp_parse import FIXTURES, expected

SECRET = "fake-app-secret"


class TestWhatsApp(ChannelConformance):
    address = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Channel]:
        async with FakeWhatsApp(app_secret=SECRET) as fake:
            self.fake = fake
            self.resident = fake.resident()
            self.address = self.resident.user_id
            self.resident.say("hallo")
            yield WhatsApp(
                token=fake.token,
                phone_number_id=fake.numbers[0],
                app_secret=SECRET,
                verify_token="verify-me",
                api_url=fake.url,
            )
            assert fake.invalid == []

    def genuine(self) -> Sequence[WebhookRequest]:
        return [request(b'{"object": "x"}', name) for name in (SIGNATURE_HEADER, SIGNATURE_HEADER.lower())]

    def forged(self) -> Sequence[WebhookRequest]:
        good = signature(b"{}")
        wrong = ("", good[:-1], good + "0", good.upper(), good.removeprefix("sha256="), "sha1=x", "é\udcff")
        return [
            WebhookRequest("POST", {}, {}, b"{}"),
            WebhookRequest("POST", {SIGNATURE_HEADER: good}, {}, b"{} "),
            *(WebhookRequest("POST", {SIGNATURE_HEADER: one}, {}, b"{}") for one in wrong),
        ]

    @classmethod
    def examples(cls) -> Sequence[Example]:
        truths = [(path.stem, json.loads(path.read_bytes())) for path in FIXTURES]
        return [
            Example(name, json.dumps(truth["body"]).encode(), [expected(item) for item in truth["expect"]])
            for name, truth in truths
        ]

    def shown(self, bodies: Sequence[Body]) -> Shown:
        texts: list[str] = []
        choices: list[Choice] = []
        urls: list[str] = []
        for body in bodies:
            whole = {"messaging_product": "whatsapp", "to": "31610000001", **body}
            kind = check(whole)
            assert whatsapp_independent.violations(whole) == []
            if kind == "text":
                assert not choices, "a text after the buttons"
                texts.append(body["text"]["body"])
                continue
            part = body["interactive"]
            texts.append(part["body"]["text"])
            action = part["action"]
            if kind == "cta_url":
                urls.append(action["parameters"]["url"])
            elif kind == "button":
                choices += (Choice(b["reply"]["id"], b["reply"]["title"]) for b in action["buttons"])
            else:
                # A row holds more than a button, and may be numbered.
                rows = [row for section in action["sections"] for row in section["rows"]]
                choices += (Choice(row["id"], cut(re.sub(r"^\d+\. ", "", row["title"]), 20)) for row in rows)
        return Shown("\n".join(texts), tuple(choices), tuple(urls))

    def words(self, text: str) -> str:
        return text.replace("*", "")

    async def press(self, choice: Choice) -> bytes:
        calls: list[bytes] = []
        self.fake.inbound = lambda resident, message: calls.append(  # type: ignore[method-assign]
            envelope(
                self.fake.numbers[0], {"from": resident.phone, "from_user_id": resident.user_id, **message}
            )
        )
        self.resident.press(choice.id)
        return calls[0]

    def misfortunes(self) -> Sequence[Misfortune]:
        def answer(fault: Exception) -> Callable[[], None]:
            return lambda: self.fake.fail(fault)

        def gone() -> None:
            self.resident.gone = True

        def expired() -> None:
            self.fake.token = "another"

        return [
            Misfortune("too many", answer(Refusal(130429, "x", status=429)), retryable=True, retry_after=5),
            Misfortune("too many for one", answer(Refusal(131056, "x")), retryable=True, retry_after=6),
            Misfortune("a fault of theirs", answer(Refusal(131000, "x", status=500)), retryable=True),
            Misfortune("a gateway", answer(Gateway()), retryable=True),
            Misfortune("no connection", answer(Dropped()), retryable=True),
            Misfortune("window closed", answer(Refusal(131047, "x")), retryable=False),
            Misfortune("a fault of ours", answer(Refusal(131009, "Geheim van de inwoner")), retryable=False),
            Misfortune("not on WhatsApp", gone, retryable=False),
            Misfortune("token expired", expired, retryable=False),
        ]


def signature(body: bytes) -> str:
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def request(body: bytes, header: str) -> WebhookRequest:
    return WebhookRequest("POST", {header: signature(body)}, {}, body)


def envelope(number: str, message: dict[str, object]) -> bytes:
    value = {"metadata": {"phone_number_id": number}, "messages": [message]}
    entry = {"changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
