"""The console's templates: pages and the parts of them that are fetched again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bot.clock import Clock
from bot.files import SHOWN
from bot.web.kcc import words
from bot.web.markup import marked
from bot.web.member import Member
from bot.web.page import HERE, security_headers

SHEETS = (
    *(f"vendor/{name}-css/{name}.css" for name in ("button", "heading", "link", "paragraph", "skip-link")),
    *(f"vendor/{name}-css/index.css" for name in ("alert", "textarea", "unordered-list")),
    "theme.css",
    "tokens.css",
    "kcc/kcc.css",
)


_HTML = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}


class Pages:
    """Renders them. `static` is the address of the static files."""

    def __init__(self, municipality: str, static: str, clock: Clock) -> None:
        self._clock = clock
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "clock": words.clock,
            "date": words.date_of,
            "channel": words.channel,
            "size": words.size,
            "marked": marked,
            "day": self._now(words.day),
            "when": self._now(words.when),
            "passed": self._now(words.passed),
            "left": self._now(words.left),
            "seconds": self._now(words.seconds),
        }
        tables = ("OUTCOMES", "PRESENCES", "DELIVERIES", "AUTHORS", "KINDS", "FILES_SAID", "OWNERS", "STATES")
        self._environment.globals |= {name.lower(): getattr(words, name) for name in tables}
        self._environment.globals |= {
            "municipality": municipality,
            "static": static,
            "sheets": SHEETS,
            "shown": SHOWN,
        }

    def _now(self, say: Callable[[Any, Any], str]) -> Callable[[Any], str]:
        return lambda moment: say(moment, self._clock())

    def page(self, template: str, member: Member, **values: Any) -> web.Response:
        """A whole page, for this member only."""
        headers = {**security_headers(forms=True), "Referrer-Policy": "no-referrer", **_HTML}
        return web.Response(body=self.text(template, member=member, **values).encode(), headers=headers)

    def part(self, template: str, member: Member, **values: Any) -> web.Response:
        """A part of one."""
        return self.made(self.text(template, member=member, **values))

    def text(self, template: str, **values: Any) -> str:
        """A part as HTML."""
        return self._environment.get_template(template).render(**values)

    @staticmethod
    def made(text: str) -> web.Response:
        """A part that was made before."""
        safe = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
        return web.Response(body=text.encode(), headers={**safe, **_HTML})
