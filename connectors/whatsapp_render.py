"""What is said in a turn as bodies for WhatsApp: one wherever it fits, for each message may cost money."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeVar

from bot.model import Choice, Link, Outbound
from bot.ports import Body
from connectors.markup import Marked, clean, cut, read, split, width

T = TypeVar("T")

TEXT = 4096
BODY = 1024
BUTTONS, BUTTON = 3, 20
ROWS, ROW, DESCRIPTION = 10, 24, 72

_PAGE = re.compile(r"https?://[^\s/?#]+\.[^\s/?#]+\S{0,1900}")
_GAP = re.compile(r"\s+")
_STOPS = ".!?…"
_NO_WORDS = "…"
"""WhatsApp shows no buttons without a text."""


def render(messages: Sequence[Outbound], list_button: str) -> list[Body]:
    """All texts in one, the union of choices and links under it; a template on its own. `list_button` opens a list."""
    bodies: list[Body] = []
    for apart, group in groupby(messages, lambda message: message.template is not None):
        together = list(group)
        bodies += map(_template, together) if apart else _said(together, list_button)
    return bodies


def formatted(marked: Marked) -> str:
    """With WhatsApp's bold, where that shows as bold and nothing else: in a line with other asterisks, or against a
    word, it would leave asterisks to read."""
    pieces: list[str] = []
    last = 0
    for start, end in _shown(marked):
        pieces += (marked.text[last:start], "*", marked.text[start:end], "*")
        last = end
    return "".join([*pieces, marked.text[last:]])


def _said(messages: Sequence[Outbound], list_button: str) -> Iterator[Body]:
    text = _joined(read(message.text) for message in messages)
    choices = _union((choice.id, choice) for message in messages for choice in message.choices)
    links = _union((link.url, link) for message in messages for link in message.links)
    page = None if choices else next((link for link in links if _clickable(link)), None)
    text = _with_lines(text, [link for link in links if link is not page])
    actions = [_page(page)] if page else [_asked(chunk, list_button) for chunk in _chunks(choices)]
    if not actions:
        yield from map(_text, _parts(text, TEXT))
        return
    parts, last = _fewest(text)
    yield from map(_text, parts)
    for action in actions:
        yield {"type": "interactive", "interactive": {**action, "body": {"text": last}}}
        last = _NO_WORDS


def _joined(texts: Iterable[Marked]) -> Marked:
    """With a blank line between them."""
    whole, bold = "", list[tuple[int, int]]()
    for text in texts:
        if text.text:
            whole += "\n\n" * bool(whole)
            bold += ((start + len(whole), end + len(whole)) for start, end in text.bold)
            whole += text.text
    return Marked(whole, tuple(bold))


def _union(named: Iterable[tuple[str, T]]) -> list[T]:
    """Each once, in order; of two with the same name the first."""
    found: dict[str, T] = {}
    for name, one in named:
        found.setdefault(name, one)
    return list(found.values())


def _fewest(text: Marked) -> tuple[list[str], str]:
    """As few texts as can be and a last part that fits over buttons, beginning where it hurts least."""
    if not text.text:
        return [], _NO_WORDS
    if width(formatted(text)) <= BODY:
        return [], formatted(text)
    best = (_parts(text, TEXT), _NO_WORDS)
    rank = (len(best[0]), 4)
    for place, hurt in _places(text.text):
        last = formatted(text.between(place, len(text.text)))
        if width(last) <= BODY and hurt < rank[1]:
            parts = _parts(text.between(0, place), TEXT)
            if (len(parts), hurt) < rank:
                best, rank = (parts, last), (len(parts), hurt)
    return best


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Where the last part may begin, first the longest one, and how much it hurts: between paragraphs, lines,
    sentences or words. A gap is never inside a link or an emoji."""
    for gap in _GAP.finditer(text, max(0, len(text) - BODY - 1)):
        lines = gap[0].count("\n")
        after_stop = text[max(0, gap.start() - 1)] in _STOPS
        yield gap.end(), 0 if lines > 1 else 1 if lines else 2 if after_stop else 3


def _parts(text: Marked, limit: int) -> list[str]:
    """Parts that fit with their asterisks."""
    room = limit
    while True:
        parts = [formatted(part) for part in split(text, room)]
        widest = max(map(width, parts), default=0)
        if widest <= limit:
            return parts
        room = room * limit // widest


def _shown(marked: Marked) -> Iterator[tuple[int, int]]:
    """The stretches that WhatsApp would show as bold."""
    text = marked.text
    starts, ends = {start for start, _ in marked.bold}, {end for _, end in marked.bold}
    for start, end in marked.bold:
        newline = text.find("\n", end)
        line = text[text.rfind("\n", 0, start) + 1 : newline if newline >= 0 else len(text)]
        around = text[max(0, start - 1) : start] + text[end : end + 1]
        apart = start not in ends and end not in starts
        if apart and "*" not in line and not any(c.isalnum() or c in "_~`" for c in around):
            yield start, end


def _with_lines(text: Marked, links: Sequence[Link]) -> Marked:
    """With a line for each link. What is in it is no markup."""
    lines = "\n".join(map(_line, links))
    return Marked("\n\n".join(one for one in (text.text, lines) if one), text.bold)


def _line(link: Link) -> str:
    target = _flat(link.url.removeprefix("tel:").removeprefix("mailto:"))
    label = _flat(link.label)
    return label if target in label else f"{label}: {target}" if label else target


def _clickable(link: Link) -> bool:
    """Buttons can only open web pages; a telephone number or mail address WhatsApp finds in the text."""
    return bool(_PAGE.fullmatch(link.url)) and clean(link.url) == link.url


def _flat(text: str) -> str:
    return " ".join(clean(text).split())


# Bodies ---------------------------------------------------------------------------------------------------------------


def _text(text: str) -> Body:
    return {"type": "text", "text": {"body": text, "preview_url": False}}


def _page(link: Link) -> dict[str, Any]:
    shown = cut(link.label, BUTTON) or cut(link.url.partition("://")[2], BUTTON)
    parameters = {"display_text": shown, "url": link.url}
    return {"type": "cta_url", "action": {"name": "cta_url", "parameters": parameters}}


def _chunks(choices: Sequence[Choice]) -> list[Sequence[Choice]]:
    return [choices[at : at + ROWS] for at in range(0, len(choices), ROWS)]


def _asked(choices: Sequence[Choice], list_button: str) -> dict[str, Any]:
    """Buttons where they can be told apart, else a list."""
    titles = [_title(choice, BUTTON) for choice in choices]
    if len(choices) <= BUTTONS and len(set(titles)) == len(titles):
        replies = [
            {"type": "reply", "reply": {"id": c.id, "title": title}}
            for c, title in zip(choices, titles, strict=True)
        ]
        return {"type": "button", "action": {"buttons": replies}}
    action = {"button": cut(list_button, BUTTON), "sections": [{"rows": _rows(choices)}]}
    return {"type": "list", "action": action}


def _rows(choices: Sequence[Choice]) -> list[dict[str, str]]:
    titles = [_title(choice, ROW) for choice in choices]
    if len(set(titles)) < len(titles):
        numbers = [f"{number}. " for number in range(1, len(choices) + 1)]
        titles = [n + _title(c, ROW - len(n)) for n, c in zip(numbers, choices, strict=True)]
    rows = []
    for choice, title in zip(choices, titles, strict=True):
        row = {"id": choice.id, "title": title}
        if title.endswith("…") and (whole := _flat(choice.label)) and not title.endswith(whole):
            row["description"] = cut(whole, DESCRIPTION)
        rows.append(row)
    return rows


def _title(choice: Choice, limit: int) -> str:
    return cut(choice.label, limit) or cut(choice.id, limit)


def _template(message: Outbound) -> Body:
    """An approved message: only its values go, in their order, and the ids under its buttons."""
    template = message.template
    if template is None:
        raise ValueError("no template")
    components: list[dict[str, Any]] = []
    if message.values:
        values = [{"type": "text", "text": value} for value in message.values]
        components.append({"type": "body", "parameters": values})
    components += [
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": str(index),
            "parameters": [{"type": "payload", "payload": choice.id}],
        }
        for index, choice in enumerate(template.choices)
    ]
    shape: dict[str, Any] = {"name": template.name, "language": {"code": template.language}}
    return {"type": "template", "template": shape | ({"components": components} if components else {})}
