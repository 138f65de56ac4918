"""How the console says moments, lengths, states and kinds: Dutch, short, for agents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from bot import queue
from bot.clock import AMSTERDAM
from bot.desk import Outcome
from bot.model import Author, Delivery, Kind, Owner
from bot.municipality import DAY_NAMES, MONTHS

OUTCOMES: Mapping[str, str] = {
    Outcome.HANDLED: "Afgehandeld",
    Outcome.CALL_BACK: "Wij bellen terug",
    Outcome.PASSED_ON: "Doorgegeven aan een andere afdeling",
    Outcome.NO_ANSWER: "De bewoner reageert niet meer",
}
PRESENCES: Mapping[str, str] = {
    queue.AVAILABLE: "Beschikbaar",
    queue.BREAK: "Pauze",
    queue.AWAY: "Weg",
}
DELIVERIES: Mapping[str, str] = {
    Delivery.QUEUED: "Wordt verstuurd",
    Delivery.HELD: "Gaat weg zodra de bewoner weer schrijft",
    Delivery.SENT: "Verstuurd",
    Delivery.DELIVERED: "Aangekomen",
    Delivery.READ: "Gelezen",
    Delivery.FAILED: "Niet aangekomen",
}
AUTHORS: Mapping[str, str] = {
    Author.RESIDENT: "Bewoner",
    Author.BOT: "Klaartje",
    Author.AGENT: "Medewerker",
    Author.SYSTEM: "Mededeling",
}
KINDS: Mapping[str, str] = {
    Kind.IMAGE: "Foto",
    Kind.AUDIO: "Geluid",
    Kind.VIDEO: "Video",
    Kind.DOCUMENT: "Document",
    Kind.STICKER: "Sticker",
    Kind.LOCATION: "Locatie",
    Kind.CONTACT: "Contactgegevens",
    Kind.UNSUPPORTED: "Bericht dat hier niet te zien is",
    Kind.START: "Begin van het gesprek",
}
FILES_SAID: Mapping[str, str] = {
    "pending": "wordt opgehaald",
    "refused": "niet bewaard: dit soort bestand of deze grootte mag niet",
    "failed": "kon niet worden opgehaald",
}
OWNERS: Mapping[str, str] = {
    Owner.BOT: "Bij Klaartje",
    Owner.WAITING: "Wacht",
    Owner.AGENT: "In gesprek",
    Owner.CLOSED: "Afgesloten",
}
STATES: Mapping[str, str] = {
    queue.WAITING: "wacht nu",
    queue.TAKEN: "nu in gesprek",
    queue.ENDED: "afgelopen",
}
_CHANNELS: Mapping[str, str] = {"webchat": "Website", "whatsapp": "WhatsApp", "telegram": "Telegram"}


def channel(name: str) -> str:
    """The channel; of a second account of a kind also its own name."""
    kind = next((kind for kind in _CHANNELS if name.startswith(kind)), name)
    rest = name.removeprefix(kind).strip("-_")
    return f"{_CHANNELS.get(kind, kind)} {rest}".strip()


def clock(moment: datetime) -> str:
    """`14:05`."""
    return moment.astimezone(AMSTERDAM).strftime("%H:%M")


def date_of(moment: datetime) -> str:
    """The day in Amsterdam, `2026-11-23`: what a line between two days is known by."""
    return moment.astimezone(AMSTERDAM).date().isoformat()


def day(moment: datetime, now: datetime) -> str:
    """`Vandaag`, `Gisteren`, or `maandag 23 november 2026`."""
    local, today = moment.astimezone(AMSTERDAM).date(), now.astimezone(AMSTERDAM).date()
    if local == today:
        return "Vandaag"
    return "Gisteren" if local == today - timedelta(days=1) else _date(local)


def when(moment: datetime, now: datetime) -> str:
    """`14:05` today, else with the day."""
    local, today = moment.astimezone(AMSTERDAM).date(), now.astimezone(AMSTERDAM).date()
    return clock(moment) if local == today else f"{local.day} {MONTHS[local.month - 1]} {clock(moment)}"


def _date(local: date) -> str:
    return f"{DAY_NAMES[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local.year}"


def passed(since: datetime, now: datetime) -> str:
    """How long ago, as the page goes on counting: `4:09`, `1 u 05 min`, `2 d 3 u`."""
    seconds = max(0, int((now - since).total_seconds()))
    minutes, hours = seconds // 60, seconds // 3600
    if hours < 1:
        return f"{minutes}:{seconds % 60:02d}"
    if hours < 24:
        return f"{hours} u {minutes % 60:02d} min"
    return f"{hours // 24} d {hours % 24} u"


def left(until: datetime, now: datetime) -> str:
    """How long something still is: `3 uur en 5 minuten`."""
    minutes = max(0, int((until - now).total_seconds() // 60))
    hours, rest = divmod(minutes, 60)
    tail = "1 minuut" if rest == 1 else f"{rest} minuten"
    return f"{hours} uur en {tail}" if hours else tail


def seconds(until: datetime, now: datetime) -> str:
    """The same of something short: `25 seconden`."""
    count = max(0, int((until - now).total_seconds()))
    return "1 seconde" if count == 1 else f"{count} seconden"


def size(count: int | None) -> str:
    """`12 kB`, `3,4 MB`."""
    if count is None:
        return ""
    if count < 1_000_000:
        return f"{max(1, round(count / 1000))} kB"
    return f"{count / 1_000_000:.1f} MB".replace(".", ",")
