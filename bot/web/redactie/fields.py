"""The form of an article: from what an editor filled in to the article's contents, and back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from bot.standing import Content, Seen
from bot.web.staff.form import field, fields

ASPECTS: Mapping[str, str] = {
    "kosten": "Wat kost het?",
    "meenemen": "Wat neem ik mee?",
    "duur": "Hoe lang duurt het?",
    "hoe": "Hoe werkt het?",
    "voorwaarden": "Wat zijn de regels?",
    "waar": "Waar moet ik zijn?",
}
WAYS: Mapping[str, str] = {
    "click": "Zelf regelen op de website",
    "call": "Bellen",
    "face": "Langskomen",
    "person": "Een medewerker neemt het gesprek over",
}
LABELS: Mapping[str, str] = {
    "slug": "Korte naam",
    "title": "Titel",
    "upl": "UPL-product",
    "theme": "Thema",
    "owner": "Afdeling",
    "review": "Opnieuw bekijken op",
    "valid_from": "Geldig vanaf",
    "valid_until": "Geldig tot en met",
    "policy": "Weg die u het liefst ziet",
    "links": "Links",
    "actions": "Wat een bewoner kan doen",
    "related": "Verwante artikelen",
    "phrasings": "Vragen van bewoners",
    "answer": "Antwoord",
    **ASPECTS,
    "translations": "Vertalingen",
    "en": "Engels", "de": "Duits", "pl": "Pools", "tr": "Turks", "ar": "Arabisch", "uk": "Oekraïens",
}  # fmt: skip
"""How each field is called."""

LINKS = 8
_ACTIONS = ("status", "report")
_SEEN = re.compile(r"(\d{1,9})\.(\d{1,9})")
_LONGEST = 48


def content_of(form: Any, slug: str, kept: Content | None) -> dict[str, Any]:
    """The contents as they are stored, in the order of the file; what the form does not show comes from `kept`."""
    days = {name: day for name in ("valid_from", "valid_until") if (day := field(form, name).strip())}
    lists = {"links": _links(form), "actions": _actions(form), "related": _lines(field(form, "related"))}
    aspects = {name: text for name in ASPECTS if (text := _text(field(form, name)))}
    translations = {"translations": kept["translations"]} if kept and kept.get("translations") else {}
    return {
        "slug": slug,
        "title": _line(field(form, "title")),
        "upl": {"name": _line(field(form, "upl")), "uri": _line(field(form, "upl_uri"))},
        "theme": _line(field(form, "theme")),
        "owner": _line(field(form, "owner")),
        "review": field(form, "review").strip(),
        **days,
        "policy": list(dict.fromkeys(way for way in fields(form, "policy") if way in WAYS)),
        **{name: values for name, values in lists.items() if values},
        "phrasings": _lines(field(form, "phrasings")),
        "answer": _text(field(form, "answer")),
        "aspects": aspects,
        **translations,
    }


def values_of(content: Content) -> dict[str, Any]:
    """What the fields of the form hold; nothing in a draft is sure to be there."""
    upl, actions = content.get("upl") or {}, content.get("actions") or []
    links = [(link.get("label", ""), link.get("url", "")) for link in content.get("links") or []]
    names = ("slug", "title", "theme", "owner", "review", "valid_from", "valid_until", "answer")
    return {
        **{name: content.get(name) or "" for name in names},
        "upl": upl.get("name", ""),
        "upl_uri": upl.get("uri", ""),
        "policy": [*(content.get("policy") or []), "", "", "", ""][: len(WAYS)],
        "links": (links + [("", "")] * 2)[: max(LINKS, len(links))],
        "actions": [action for action in actions if action in _ACTIONS],
        "appointments": ", ".join(
            action.partition(":")[2] for action in actions if action.startswith("appointment:")
        ),
        "related": "\n".join(content.get("related") or []),
        "phrasings": "\n".join(content.get("phrasings") or []),
        "aspects": {name: (content.get("aspects") or {}).get(name, "") for name in ASPECTS},
        "translations": ", ".join(LABELS.get(code, code) for code in content.get("translations") or {}),
    }


def seen_of(form: Mapping[str, Any]) -> Seen:
    """What the editor had before them; nothing fits what can't be read."""
    found = _SEEN.fullmatch(field(form, "seen"))
    return Seen(int(found[1]), int(found[2])) if found else Seen(-1, -1)


def slug_of(title: str) -> str:
    """A short name made of a title."""
    plain = unicodedata.normalize("NFKD", title.lower())
    words = re.findall("[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)))
    return "-".join(words)[:_LONGEST].strip("-")


def _links(form: Any) -> list[dict[str, str]]:
    labels: Sequence[str] = fields(form, "link_label")
    pairs = zip(map(_line, labels), map(_line, fields(form, "link_url")), strict=False)
    return [{"label": label, "url": url} for label, url in pairs if label or url]


def _actions(form: Any) -> list[str]:
    products = re.findall(r"[^\s,;]+", field(form, "appointments"))
    chosen = [action for action in fields(form, "actions") if action in _ACTIONS]
    return list(dict.fromkeys((*(f"appointment:{product}" for product in products), *chosen)))


def _line(text: str) -> str:
    return " ".join(text.split())


def _lines(text: str) -> list[str]:
    return [line for one in text.splitlines() if (line := _line(one))]


def _text(text: str) -> str:
    """Trimmed, without spaces at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n"))
