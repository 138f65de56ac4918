"""How the desk of editors says things."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from bot.articles import Shown
from bot.municipality import MONTHS
from bot.standing import Why

SHOWN: Mapping[Shown, str] = {
    Shown.PUBLISHED: "gepubliceerd",
    Shown.DRAFT: "concept",
    Shown.REVIEW: "ter controle",
    Shown.SCHEDULED: "gepland",
    Shown.WITHDRAWN: "ingetrokken",
}

CHANNELS: Mapping[str, str] = {"webchat": "Webchat", "whatsapp": "WhatsApp", "telegram": "Telegram"}

ROUTES: Mapping[str, str] = {
    "answer": "Klaartje geeft dit antwoord.",
    "clarify": "Klaartje twijfelt en vraagt wat de bewoner bedoelt.",
    "handoff": "Klaartje weet het niet en biedt een medewerker aan.",
    "out_of_scope": "Klaartje weet het niet en zegt dat.",
}

WHY: Mapping[Why, str] = {
    Why.UNKNOWN: "Dit artikel is er niet meer.",
    Why.CHANGED: "Een collega heeft dit artikel intussen veranderd. Bekijk het hieronder opnieuw.",
    Why.NO_DRAFT: "Er is geen concept meer van dit artikel.",
    Why.NOT_IN_REVIEW: "Dit artikel is niet ter controle. Geef het eerst ter controle.",
    Why.OWN_WORK: "U schreef zelf aan deze tekst. Een collega moet hem publiceren.",
    Why.NOT_PUBLISHED: "Dit artikel is niet gepubliceerd.",
    Why.NO_REVISION: "Deze versie is er niet.",
    Why.PAST: "Dit moment is al voorbij. Kies een later moment.",
}

DONE: Mapping[str, str] = {
    "opgeslagen": "Uw concept is opgeslagen. Bewoners zien het nog niet.",
    "controle": "Het artikel staat nu ter controle.",
    "terug": "Het artikel is terug bij de schrijver.",
    "gepubliceerd": "Het artikel is gepubliceerd. Bewoners krijgen het nu.",
    "gepland": "Het artikel is ingepland.",
    "ingetrokken": "Het artikel is ingetrokken. Bewoners krijgen het niet meer.",
    "weggegooid": "Het concept is weggegooid.",
    "teruggezet": "De oude tekst staat nu als concept klaar.",
}


def day(value: date | None) -> str:
    """`1 mei 2027`, or nothing."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}" if value else ""
