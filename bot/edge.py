"""The edge: whatever a channel brought in goes to the inbox or the outbox, and is committed when this returns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

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
        others = [item for item in items if not isinstance(item, Receipt)]
        # In the order in which they happened: who moves wrote from the one address before, from the other after.
        for moving, group in groupby(others, lambda item: isinstance(item, Moved)):
            if moving:
                await self._inbox.move([item for item in group if isinstance(item, Moved)])
            else:
                await self._take([item for item in group if isinstance(item, Inbound)])
        if receipts := [item for item in items if isinstance(item, Receipt)]:
            await self._outbox.receipts(receipts)

    async def _take(self, messages: Sequence[Inbound]) -> None:
        await self._inbox.accept(messages)
        for message in messages:
            metrics.ACCEPTED.labels(message.channel).inc()
