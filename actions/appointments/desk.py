"""What the actions of appointments need: the calendar, the list of what was booked, and the answers beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from actions.appointments.draft import Draft
from actions.appointments.offers import Free
from actions.appointments.orders import Orders
from bot.clock import Clock, utc_now
from bot.model import Field, Location, Product
from bot.ports import AppointmentProvider, Article


@dataclass(slots=True)
class Desk:
    """One municipality's. `base_url` is where a link to us begins."""

    calendar: AppointmentProvider
    orders: Orders
    base_url: str
    clock: Clock = utc_now
    bookable: frozenset[str] = field(default_factory=frozenset)
    """Products of the calendar, by id; none until `load`."""

    async def load(self) -> None:
        """Learn what can be booked, for the buttons under answers. Raises `CalendarFault`."""
        self.bookable = frozenset(product.id for product in await self.calendar.products())

    async def product(self, name: str | None) -> Product | None:
        """The product of this id. Raises `CalendarFault`."""
        return next((one for one in await self.calendar.products() if one.id == name), None)

    async def locations(self, draft: Draft) -> Sequence[Location]:
        """Where the product of the draft can be had. Raises `CalendarFault`."""
        return await self.calendar.locations(draft.product) if draft.product else ()

    async def place(self, draft: Draft) -> Location | None:
        """The location of the draft: the one that was chosen, or the first. Raises `CalendarFault`."""
        there = await self.locations(draft)
        return next((one for one in there if one.id == draft.location), next(iter(there), None))

    async def fields(self, draft: Draft) -> list[Field]:
        """What must be told of who comes. Raises `CalendarFault`."""
        return await self.calendar.fields(draft.product) if draft.product else []

    def free(self, draft: Draft, location: str, now: datetime) -> Free:
        """The free times for a draft."""
        return Free(self.calendar, draft.product or "", location, draft.people, now)


def wanted_product(article: Article) -> str | None:
    """The product that an article names among its actions (`appointment:paspoort`)."""
    for action in article.actions:
        kind, _, product = action.partition(":")
        if kind == "appointment" and product:
            return product.split(" ")[0]
    return None


def bookable(desk: Desk, article: Article) -> bool:
    """Whether an appointment can be made here for what an article is about."""
    return wanted_product(article) in desk.bookable
