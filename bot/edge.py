"""The edge: whatever a channel brought in goes to the inbox or the outbox, and is committed when this returns."""

from __future__ import annotations

from collections.abc import Sequence

from bot import metrics
from bot.inbox import Inbox
from bot.model import Inbound, Item, Moved, Receipt
from bot.outbox import Outbox


class Edge:
    """What webhooks, polling and the web chat call: a `bot.ports.Accept`."""

    def __init__(self, inbox: Inbox, outbox: Outbox) -> None:
        self._inbox = inbox
        self._outbox = outbox

    async def __call__(self, items: Sequence[Item]) -> None:
        """Store the messages, note the receipts and the moves. Raises what the store raises: then nothing is
        acknowledged, and all may come again."""
        messages = [item for item in items if isinstance(item, Inbound)]
        receipts = [item for item in items if isinstance(item, Receipt)]
        moves = [item for item in items if isinstance(item, Moved)]
        if moves:
            await self._inbox.move(moves)
        if messages:
            await self._inbox.accept(messages)
            for message in messages:
                metrics.ACCEPTED.labels(message.channel).inc()
        if receipts:
            await self._outbox.receipts(receipts)
