"""What a channel sends, seen as the resident sees it: for the preview of editors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape
from typing import Any

from bot.editing import Bubble
from bot.ports import Body

_STAR = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])")
_BOLD = re.compile(r"</?(b|strong)>")
_TAG = re.compile(r"<[^>]+>")


def bubbles(kind: str, bodies: Sequence[Body]) -> Iterator[Bubble]:
    """The messages in bodies of this kind of channel: `whatsapp`, `telegram` or `webchat`."""
    for body in bodies:
        if kind == "whatsapp":
            yield _whatsapp(body)
        elif kind == "telegram":
            yield _telegram(body)
        else:
            yield from (_webchat(message) for message in body["messages"])


def _whatsapp(body: Body) -> Bubble:
    if body["type"] == "text":
        return Bubble(_starred(body["text"]["body"]))
    shown: dict[str, Any] = body["interactive"]
    text, action = _starred(shown["body"]["text"]), shown["action"]
    if shown["type"] == "cta_url":
        parameters = action["parameters"]
        return Bubble(text, links=((parameters["display_text"], parameters["url"]),))
    if shown["type"] == "list":
        rows = [row["title"] for section in action["sections"] for row in section["rows"]]
        return Bubble(text, rows, opens=action["button"])
    return Bubble(text, [button["reply"]["title"] for button in action["buttons"]])


def _telegram(body: Body) -> Bubble:
    text = unescape(_TAG.sub("", _BOLD.sub("**", body["text"])))
    keys = [key for row in body.get("reply_markup", {}).get("inline_keyboard", ()) for key in row]
    links = [(key["text"], key["url"]) for key in keys if "url" in key]
    return Bubble(text, [key["text"] for key in keys if "url" not in key], links)


def _webchat(message: dict[str, Any]) -> Bubble:
    links = [(link["label"], link["url"]) for link in message["links"]]
    return Bubble(message["text"], [choice["label"] for choice in message["choices"]], links)


def _starred(text: str) -> str:
    """With our own mark for bold."""
    return _STAR.sub(r"**\1**", text)
