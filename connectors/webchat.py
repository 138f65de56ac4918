"""The web chat: the page reads the transcript itself, so sending is telling it that there is something to read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from bot.model import Inbound, Kind, Outbound
from bot.ports import Body, Bus, Health, Limits, Refused
from connectors.local import Local

MAX_TEXT = 4000
MAX_BYTES = 100 * 1024
_MAX_CLIENT_ID = 64


def _new_id() -> str:
    return str(uuid.uuid4())


class WebChat(Local):
    """The channel of the municipality's own page. It has no webhook: `bot.web.chat` calls `inbound`."""

    name = "webchat"
    limits = Limits(text=100_000, buttons=100, button_label=4000, typing_seconds=6)

    def __init__(self, bus: Bus, new_id: Callable[[], str] = _new_id) -> None:
        self._bus = bus
        self._new_id = new_id

    def inbound(self, address: str, payload: bytes) -> Inbound:
        """The message in the body of a POST to /chat/messages. Raises `Refused`, nothing else."""
        fields = _fields(payload)
        text, choice = _string(fields, "text"), _string(fields, "choice")
        client_id = _string(fields, "client_id") or self._new_id()
        if len(client_id) > _MAX_CLIENT_ID:
            raise Refused(f"client_id may have {_MAX_CLIENT_ID} characters")
        external_id = f"{address}:{client_id}"
        if choice and text:
            raise Refused("text or choice, not both")
        if choice:
            if len(choice.encode()) > self.limits.choice_id_bytes:
                raise Refused(f"choice may have {self.limits.choice_id_bytes} bytes")
            return Inbound(self.name, address, external_id, Kind.CHOICE, choice=choice)
        if not text:
            raise Refused("text is empty")
        if len(text) > MAX_TEXT:
            raise Refused(f"text may have {MAX_TEXT} characters", 413)
        return Inbound(self.name, address, external_id, text=text)

    def render(self, messages: Sequence[Outbound]) -> list[Body]:
        """One body: the page reads the transcript, and shows all there is."""
        return [{"messages": [_shown(message) for message in messages]}] if messages else []

    async def send(self, address: str, body: Body) -> str:
        """Wake the pages of this address; they read the transcript."""
        await self._bus.publish(_topic(address), "message")
        return self._new_id()

    async def acknowledge(self, message: Inbound, *, typing: bool = True) -> None:
        """Wake the pages: they see that the message is being worked on, or that an agent types."""
        await self._bus.publish(_topic(message.address), "typing" if typing else "message")

    async def health(self) -> Health:
        """Always there when this program is."""
        return Health("ok", "on this address")


def _shown(message: Outbound) -> dict[str, Any]:
    return {name: value for name, value in asdict(message).items() if name in ("text", "choices", "links")}


def _topic(address: str) -> str:
    return f"chat:{address}"


def _fields(payload: bytes) -> dict[str, Any]:
    if len(payload) > MAX_BYTES:
        raise Refused(f"a message may have {MAX_BYTES // 1024} KB", 413)
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError):
        raise Refused("the body is not JSON") from None
    if not isinstance(fields, dict):
        raise Refused("the body must be a JSON object")
    return fields


def _string(fields: dict[str, Any], name: str) -> str:
    """A field without what no store can hold (NUL, halves of characters) and without space around it."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(f"{name} must be a string")
    return value.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8").strip()
