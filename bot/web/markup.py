"""Our own texts as HTML: paragraphs, lists and bold. All else stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

_BOLD = re.compile(r"\*\*(?=[^\s*])([^\n]{0,2000}?[^\s*])\*\*")


def marked(text: str) -> Markup:
    """A text that we wrote, with its `**bold**` and `- ` lists."""
    parts = (block for part in re.split(r"\n{2,}", text.strip()) for block in _blocks(part.split("\n")))
    return Markup("").join(parts)


def _blocks(lines: list[str]) -> Iterator[Markup]:
    run: list[str] = []
    listed = False
    for line in [*lines, None]:
        is_item = line is not None and line.startswith("- ")
        if run and (line is None or is_item != listed):
            yield _block(run, listed=listed)
            run = []
        if line is not None:
            run.append(line[2:] if is_item else line)
            listed = is_item


def _block(lines: list[str], *, listed: bool) -> Markup:
    if listed:
        items = Markup("").join(
            Markup('<li class="utrecht-unordered-list__item">{}</li>').format(_inline(line)) for line in lines
        )
        return Markup('<ul class="utrecht-unordered-list">{}</ul>').format(items)
    return Markup('<p class="nl-paragraph">{}</p>').format(
        Markup("<br>").join(_inline(line) for line in lines)
    )


def _inline(text: str) -> Markup:
    # Escaped first: what is put around it afterwards is the only markup there is.
    return Markup(_BOLD.sub(r"<strong>\1</strong>", str(escape(text))))  # noqa: S704
