"""WhatsApp, by Meta's Cloud API: a signed webhook in, the Graph API out."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence

from bot.model import SILENT, Inbound, Item, Media, Outbound, Template
from bot.ports import (
    Accept,
    Body,
    Finding,
    Health,
    Limits,
    Pace,
    Refused,
    SendFault,
    WebhookRequest,
)
from connectors import whatsapp_check, whatsapp_parse, whatsapp_render
from connectors.whatsapp_api import Graph

SIGNATURE_HEADER = "X-Hub-Signature-256"
_KEEP_GOOD, _KEEP_BAD = 300.0, 30.0
"""Seconds that a state of health is kept: asking costs calls, of which there are so many an hour."""


class WhatsApp:
    """The channel of one number. `numbers` names the channels of other numbers whose messages come in by the same
    webhook, by the id of the number; `list_button` is on the button that opens a list."""

    def __init__(
        self,
        *,
        name: str = "whatsapp",
        token: str,
        phone_number_id: str,
        app_secret: str,
        verify_token: str | None,
        api_url: str = "https://graph.facebook.com",
        api_version: str = "v24.0",
        business_account_id: str | None = None,
        public_url: str | None = None,
        numbers: Mapping[str, str] | None = None,
        templates: Mapping[str, Template] | None = None,
        list_button: str = "Maak een keuze",
        rate: float = 60.0,
        resident_rate: float = 1 / 6,
        resident_burst: int = 10,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._number = phone_number_id
        self._app_secret = app_secret
        self._verify_token = verify_token
        self._numbers = {**(numbers or {}), phone_number_id: name}
        self._templates = dict(templates or {})
        self._list_button = list_button
        self._limits = Limits(
            text=whatsapp_render.TEXT,
            buttons=whatsapp_render.BUTTONS,
            button_label=whatsapp_render.BUTTON,
            choice_id_bytes=64,
            choices=whatsapp_render.ROWS,
            window_hours=24,
            pace=Pace(rate, max(1, round(rate))),
            resident_pace=Pace(resident_rate, resident_burst),
            reads=True,
            receipts=True,
            counted=True,
            typing_seconds=25,
        )
        self._graph = Graph(token, api_url=api_url, api_version=api_version)
        self._account = whatsapp_check.Account(
            name=name,
            phone_number_id=phone_number_id,
            app_secret=app_secret,
            verify_token=verify_token,
            business_account_id=business_account_id,
            public_url=public_url,
            templates=self._templates,
        )
        self._clock = clock
        self._asking = asyncio.Lock()
        self._health: tuple[float, Health] | None = None

    @property
    def name(self) -> str:
        """Which channel this is in the inbox."""
        return self._name

    @property
    def limits(self) -> Limits:
        """What WhatsApp can show and bear."""
        return self._limits

    @property
    def templates(self) -> Mapping[str, Template]:
        """What may go outside the window."""
        return self._templates

    def handshake(self, request: WebhookRequest) -> str:
        """Meta's own token, once entered there, comes back: then the challenge. Compared in constant time."""
        query = request.query
        given = query.get("hub.verify_token", "").encode(errors="replace")
        if not self._verify_token or not hmac.compare_digest(given, self._verify_token.encode()):
            raise Refused("the verify token is missing or wrong", 403)
        if query.get("hub.mode") != "subscribe" or not query.get("hub.challenge"):
            raise Refused("not a handshake", 403)
        return query["hub.challenge"]

    def verify(self, request: WebhookRequest) -> None:
        """Only Meta and we know the app's secret, with which each body is signed. Compared in constant time."""
        given = next((v for k, v in request.headers.items() if k.lower() == SIGNATURE_HEADER.lower()), "")
        signature = hmac.new(self._app_secret.encode(), request.body, hashlib.sha256).hexdigest()
        # Without a secret anyone could sign.
        if not self._app_secret or not hmac.compare_digest(
            given.encode(errors="replace"), f"sha256={signature}".encode()
        ):
            raise Refused("the signature is missing or wrong", 403)

    def parse(self, body: bytes) -> list[Item]:
        """Messages and moves in order of time, then receipts."""
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise Refused("not JSON") from None
        return whatsapp_parse.read(self._name, self._numbers, value)

    def render(self, messages: Sequence[Outbound]) -> list[Body]:
        """One body for the turn wherever it fits."""
        return whatsapp_render.render(messages, self._list_button)

    async def send(self, address: str, body: Body) -> str:
        """Hand it to Meta; the message's id there."""
        # A user id as `to` is dropped in silence.
        field = "recipient" if whatsapp_parse.BSUID.fullmatch(address) else "to"
        whole = {"messaging_product": "whatsapp", "recipient_type": "individual", field: address, **body}
        answer = await self._graph.post(f"{self._number}/messages", whole)
        match answer:
            case {"messages": [{"id": str(key)}, *_]} if key:
                return key
        raise SendFault("unreadable answer", retryable=True)

    async def acknowledge(self, message: Inbound, *, typing: bool = True) -> None:
        """Blue ticks, and that we are typing."""
        if message.kind in SILENT:
            return
        body: dict[str, object] = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": message.external_id,
        }
        if typing:
            body["typing_indicator"] = {"type": "text"}
        await self._graph.post(f"{self._number}/messages", body)

    async def fetch(self, media: Media, limit: int) -> bytes:
        """A file that a resident sent, as it was sent."""
        return await self._graph.download(media, limit, phone_number_id=self._number)

    async def listen(self, accept: Accept) -> None:
        """Meta calls us."""

    async def health(self) -> Health:
        """Whether Meta knows our number, and whether our templates may go. Kept for a while."""
        async with self._asking:
            if self._health is None or self._clock() >= self._health[0]:
                state = await whatsapp_check.health(self._graph, self._account)
                keep = _KEEP_GOOD if state.state == "ok" else _KEEP_BAD
                self._health = (self._clock() + keep, state)
            return self._health[1]

    async def check(self) -> list[Finding]:
        """Everything from the token to the templates."""
        return await whatsapp_check.check(self._graph, self._account)

    async def close(self) -> None:
        """Give the connections back."""
        await self._graph.close()
