"""What the actions of appointments need: the calendar, the list of what was booked, and the answers beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time

from actions.appointments import moments
from actions.appointments.draft import Draft
from actions.appointments.moments import Wanted
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
    products: Mapping[str, str] = field(default_factory=dict)
    """What articles call the products that can be booked, and the ids that the calendar has for them."""
    hours: tuple[time, time] | None = None
    """Between which times any desk is ever open."""

    def product_of(self, article: Article) -> str | None:
        """The calendar's id of what an article names among its actions (`appointment:paspoort`); None where that can't
        be booked here."""
        for action in article.actions:
            kind, _, product = action.partition(":")
            if kind == "appointment" and product:
                return self.products.get(product.split(" ")[0])
        return None

    def is_bookable(self, article: Article) -> bool:
        """Whether an appointment can be made here for what an article is about."""
        return self.product_of(article) is not None

    def wanted(self, text: str, now: datetime, than: datetime | None = None) -> Wanted | None:
        """When a text says that somebody wants to come; `than` is what was proposed."""
        return moments.understand(text, now, than=than, hours=self.hours)

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
