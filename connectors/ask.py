"""The channel of `klaartje ask`: nothing is sent, the answer is read from the transcript."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import Outbound
from bot.ports import Body, Limits, SendFault
from connectors.local import Local


class Ask(Local):
    """Takes questions from a program. It delivers nothing."""

    name = "ask"
    limits = Limits(text=100_000, buttons=100, button_label=100)

    def render(self, messages: Sequence[Outbound]) -> list[Body]:
        """Nothing is delivered: the transcript is read."""
        return []

    async def send(self, address: str, body: Body) -> str:
        """Nothing is delivered, so nothing can be sent."""
        raise SendFault("this channel delivers nothing", retryable=False)
