"""What a channel without a vendor has in common with the others: nobody calls it, and there is nothing to fetch."""

from __future__ import annotations

from collections.abc import Mapping

from bot.model import Inbound, Item, Media, Template
from bot.ports import Accept, Finding, Health, Refused, SendFault, WebhookRequest


class Local:
    """The parts of `bot.ports.Channel` that need a vendor, where there is none."""

    name = "local"
    templates: Mapping[str, Template] = {}

    def handshake(self, request: WebhookRequest) -> str:
        """No one may call."""
        raise Refused("this channel has no webhook", 404)

    def verify(self, request: WebhookRequest) -> None:
        """No one may call."""
        raise Refused("this channel has no webhook", 404)

    def parse(self, body: bytes) -> list[Item]:
        """No one may call."""
        raise Refused("this channel has no webhook", 404)

    async def acknowledge(self, message: Inbound, *, typing: bool = True) -> None:
        """Nobody watches."""

    async def fetch(self, media: Media, limit: int) -> bytes:
        """Nobody can send a file."""
        raise SendFault("this channel has no files", retryable=False)

    async def listen(self, accept: Accept) -> None:
        """Nothing to fetch."""

    async def health(self) -> Health:
        """Always there when this program is."""
        return Health("ok")

    async def check(self) -> list[Finding]:
        """Nothing can be missing."""
        return [Finding("on", "ok")]

    async def close(self) -> None:
        """Nothing to give back."""
