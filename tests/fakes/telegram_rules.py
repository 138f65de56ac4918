"""What Telegram demands of a message: its HTML, its length, its keyboard."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

TEXT_LIMIT = 4096
BUTTONS_LIMIT = 100
TAGS = {
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "code",
    "pre",
    "a",
    "tg-spoiler",
    "blockquote",
}

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that is not ok, as Telegram words it."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def parse_html(html: str) -> tuple[str, list[Json]]:
    """Text and entities, the way Telegram's HTML parse mode reads it. Raises `Refusal` where it can't."""
    parser = _Html()
    # Python's parser is lenient with a lone "<", Telegram is not.
    if bad := re.search(r"<(?!/?[a-z-]+(\s[^<>]*)?>)", html):
        at = len(html[: bad.start()].encode())
        raise Refusal(400, f"Bad Request: can't parse entities: Unsupported start tag at byte offset {at}")
    parser.feed(html)
    parser.close()
    if parser.open:
        raise Refusal(400, "Bad Request: can't parse entities: Can't find end tag corresponding to start tag")
    return "".join(parser.text), parser.entities


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.entities: list[Json] = []
        self.open: list[tuple[str, int]] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            raise Refusal(
                400, f'Bad Request: can\'t parse entities: Unsupported start tag "{tag}" at byte offset 0'
            )
        self.open.append((tag, self._at()))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            raise Refusal(400, "Bad Request: can't parse entities: Unmatched end tag at byte offset 0")
        _, start = self.open.pop()
        kind = {"b": "bold", "strong": "bold", "i": "italic", "em": "italic"}.get(tag, tag)
        self.entities.append({"type": kind, "offset": start, "length": self._at() - start})

    def _at(self) -> int:
        return utf16("".join(self.text))


def check_keyboard(markup: Any) -> list[list[Json]]:
    """The rows of an inline keyboard. Raises `Refusal` where Telegram would."""
    rows = markup.get("inline_keyboard") if isinstance(markup, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise Refusal(
            400, 'Bad Request: field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'
        )
    buttons = [button for row in rows for button in row]
    if len(buttons) > BUTTONS_LIMIT:
        raise Refusal(400, "Bad Request: reply markup is too long")
    for button in buttons:
        actions = [key for key in ("callback_data", "url") if key in button]
        if not button.get("text", "").strip():
            raise Refusal(400, "Bad Request: inline keyboard button text can't be empty")
        if len(actions) != 1:
            raise Refusal(400, "Bad Request: Text buttons are unallowed in the inline keyboard")
        if "url" in button and not re.fullmatch(r"(https?|tg)://[^\s.]+\.\S+", button["url"]):
            raise Refusal(
                400, f"Bad Request: inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL"
            )
        if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
            raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
    return rows


def utf16(text: str) -> int:
    """Length in UTF-16 units, in which Telegram counts entities."""
    return len(text.encode("utf-16-le")) // 2
