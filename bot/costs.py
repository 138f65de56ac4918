"""What WhatsApp costs: messages that were delivered, by month and price class, times the prices of the municipality."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.usage import SERVICE, Count

WHATSAPP = "whatsapp"
"""How its accounts begin. Others ask nothing for a message."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one account, month and price class. `free` of the delivered ones cost nothing; `price` None: none is set."""

    count: Count
    free: int
    price: Decimal | None

    @property
    def amount(self) -> Decimal | None:
        """In euros; None where nobody can say."""
        return None if self.price is None else self.price * (self.count.delivered - self.free)


def costs(counts: Iterable[Count], prices: Mapping[str, Decimal], free: int) -> list[Cost]:
    """Each count with its price, in euros a message. `free`: so many free words a month and number."""
    paid = [one for one in counts if one.channel == WHATSAPP or one.channel.startswith(f"{WHATSAPP}-")]
    return [
        Cost(one, min(one.delivered, free) if one.kind == SERVICE else 0, prices.get(one.kind))
        for one in paid
    ]


def total(found: Iterable[Cost]) -> Decimal | None:
    """Together, in euros; None where one has no price, or there is nothing."""
    amounts = [cost.amount for cost in found]
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal()) if known and len(known) == len(amounts) else None
