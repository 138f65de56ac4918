"""What an engineer must know of a calendar of others: can it be reached, and does it know our products."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from actions.appointments.bookings import Bookings
from bot.clock import AMSTERDAM, Clock
from bot.ports import AppointmentProvider, CalendarFault, Finding, Health

_KEEP_GOOD, _KEEP_BAD = 60.0, 15.0
"""Seconds that a state of health is kept."""


class State:
    """The state of health of a calendar, kept for a while: it is asked often, and asking costs a call."""

    def __init__(self, calendar: AppointmentProvider, bookings: Bookings, clock: Clock) -> None:
        self._calendar = calendar
        self._bookings = bookings
        self._clock = clock
        self._kept: tuple[float, Health] | None = None

    async def health(self) -> Health:
        """Whether it answers, and whether somebody must look after a booking."""
        now = self._clock().timestamp()
        if self._kept is None or now >= self._kept[0]:
            state = await self._look()
            self._kept = (now + (_KEEP_GOOD if state.state == "ok" else _KEEP_BAD), state)
        return self._kept[1]

    async def _look(self) -> Health:
        try:
            products = len(await self._calendar.products())
            unknown = len(await self._bookings.unknown())
        except CalendarFault as fault:
            return Health("down", fault.reason)
        if unknown:
            return Health("degraded", f"{unknown} bookings of which nobody knows whether they stand")
        return Health("ok", f"{products} products")


async def look_at(
    calendar: AppointmentProvider,
    bookings: Bookings,
    products: Mapping[str, str],
    exposed: Callable[[], bool],
    settings: str,
) -> list[Finding]:
    """All that must be right. `products` are those of the municipality's file: our names with the calendar's ids;
    `settings` names what an engineer set for it."""
    found = []
    if exposed():
        found.append(Finding("address", "todo", "use https: credentials and details can be read on the way"))
    try:
        known = {product.id: product.name for product in await calendar.products()}
    except CalendarFault as fault:
        return [*found, Finding(settings, "wrong", fault.reason)]
    found.append(Finding(settings, "ok"))
    if not products:
        there = "; ".join(f"{name} ({key})" for key, name in sorted(known.items(), key=lambda one: one[1]))
        advice = f"no product has an id in `calendar_products` of the municipality's file; there are: {there}"
        found.append(Finding("products", "todo", advice))
    for name, key in products.items():
        found.append(await _product(calendar, name, key, known))
    try:
        unknown = await bookings.unknown()
    except CalendarFault as fault:
        return [*found, Finding("bookings", "wrong", fault.reason)]
    for reference, start in unknown:
        when = start.astimezone(AMSTERDAM)
        advice = f"nobody knows whether it stands: look for it in the calendar on {when:%Y-%m-%d at %H:%M}"
        found.append(Finding(f"booking {reference}", "todo", advice))
    return found


async def _product(calendar: AppointmentProvider, name: str, key: str, known: Mapping[str, str]) -> Finding:
    what = f"product {name}"
    if key not in known:
        return Finding(what, "wrong", f"the calendar does not know {key}, or does not offer it to the public")
    try:
        places = await calendar.locations(key)
        await calendar.fields(key)
    except CalendarFault as fault:
        return Finding(what, "wrong", fault.reason)
    if not places:
        return Finding(what, "wrong", "there is no location where it can be had")
    return Finding(what, "ok", f"{known[key]}, at {', '.join(place.name for place in places)}")
