"""Messages to a resident as bodies for Telegram's sendMessage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bot.model import Link, Outbound
from bot.ports import Body
from connectors.markup import clean, cut, read, split, to_html

TEXT = 4096
BUTTONS = 100
BUTTON = 64

_PAGE = re.compile(r"https?://[^\s/?#]+\.[^\s/?#]+\S*")
_NO_WORDS = "…"
"""Telegram shows no keyboard without a text."""


def render(messages: Sequence[Outbound]) -> list[Body]:
    """Each message by itself: its text in as many parts as it needs, the keyboard under the last."""
    return [body for message in messages for body in _bodies(message)]


def _bodies(message: Outbound) -> list[Body]:
    text = "\n".join([message.text, *(_line(link) for link in message.links if not _clickable(link))])
    parts = [to_html(part) for part in split(read(text), TEXT)]
    rows = [[{"text": cut(c.label, BUTTON) or c.id, "callback_data": c.id}] for c in message.choices]
    rows += [
        [{"text": cut(link.label, BUTTON) or link.url, "url": link.url}]
        for link in message.links
        if _clickable(link)
    ]
    keyboards = [rows[at : at + BUTTONS] for at in range(0, len(rows), BUTTONS)]
    parts += [_NO_WORDS] * (len(keyboards) - min(1, len(parts)))
    keyboards = [[]] * (len(parts) - len(keyboards)) + keyboards
    return [_body(part, rows) for part, rows in zip(parts, keyboards, strict=True)]


def _body(html: str, rows: list[list[dict[str, str]]]) -> Body:
    body: dict[str, Any] = {
        "text": html,
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    return {**body, "reply_markup": {"inline_keyboard": rows}} if rows else body


def _clickable(link: Link) -> bool:
    """Buttons can only open web pages; a telephone number or mail address Telegram finds in the text."""
    return bool(_PAGE.fullmatch(link.url))


def _line(link: Link) -> str:
    target = clean(link.url.removeprefix("tel:").removeprefix("mailto:"))
    return link.label if target in link.label else f"{link.label}: {target}"
