"""The channel of `klaartje ask`: nothing is sent, the answer is read from the transcript."""

from __future__ import annotations

from bot.model import Inbound, Outbound, Receipt
from bot.ports import Accept, Body, Health, Limits, Refused, SendFault, WebhookRequest


class Ask:
    """Takes questions from a program. It has no webhook and delivers nothing."""

    name = "ask"
    limits = Limits(text=100_000, buttons=100, button_label=100)

    def verify(self, request: WebhookRequest) -> None:
        """No one may call."""
        raise Refused("this channel has no webhook", 404)

    def parse(self, body: bytes) -> list[Inbound | Receipt]:
        """No one may call."""
        raise Refused("this channel has no webhook", 404)

    def render(self, address: str, message: Outbound) -> list[Body]:
        """Nothing is delivered: the transcript is read."""
        return []

    async def send(self, body: Body) -> str:
        """Nothing is delivered, so nothing can be sent."""
        raise SendFault("this channel delivers nothing", retryable=False)

    async def acknowledge(self, message: Inbound) -> None:
        """Nobody watches."""

    async def listen(self, accept: Accept) -> None:
        """Questions are handed in by the command."""

    async def health(self) -> Health:
        """Always there."""
        return Health("ok")

    async def close(self) -> None:
        """Nothing to give back."""
