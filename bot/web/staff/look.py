"""How the pages of staff look: templates, filled in."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bot.staff.roles import DUTCH, Permission
from bot.staff.sessions import Visit
from bot.web.markup import marked
from bot.web.page import HERE

SHEETS = (
    *(f"vendor/{name}-css/{name}.css" for name in ("button", "heading", "link", "paragraph", "skip-link")),
    *(f"vendor/{name}-css/index.css" for name in ("alert", "unordered-list")),
    "theme.css",
    "tokens.css",
    "staff/staff.css",
)


class Look:
    """Fills in a template of `templates/staff`. `static` is the address of the static files."""

    def __init__(self, municipality: str, static: str) -> None:
        self.municipality = municipality
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates" / "staff"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {"municipality": municipality, "static": static, "sheets": SHEETS}
        self._templates.globals |= {"role_names": DUTCH, "Permission": Permission}
        self._templates.filters["marked"] = marked

    def page(self, name: str, visit: Visit, /, *, status: int = 200, **values: Any) -> web.Response:
        """The page. `errors` in `values` are by field."""
        shown = {"errors": {}, **values}
        body = self._templates.get_template(f"{name}.html.j2").render(visit=visit, **shown)
        return web.Response(text=body, status=status, content_type="text/html", charset="utf-8")

    def message(self, visit: Visit, status: int) -> web.Response:
        """What went wrong, in plain words."""
        title, text = MESSAGES.get(status, MESSAGES[500])
        return self.page("message", visit, status=status, title=title, text=text)


MESSAGES = {
    400: (
        "Dit lukt niet",
        "Uw browser stuurde iets wat wij niet begrijpen. Ga terug en probeer het nog een keer.",
    ),
    401: ("U bent niet ingelogd", "Log opnieuw in. Daarna kunt u verder."),
    403: ("U hebt hier geen toegang", "Vraag uw beheerder om toegang als u dit nodig hebt voor uw werk."),
    404: ("Deze pagina is er niet", "Misschien is de link oud of al gebruikt. Vraag dan om een nieuwe link."),
    409: (
        "Dit formulier is verlopen",
        "Er is niets veranderd. Ga terug, laad de pagina opnieuw en probeer het nog een keer.",
    ),
    410: ("Dit bestand is er niet meer", "Het gesprek waar het bij hoorde is gewist."),
    413: ("Dit is te groot", "Maak het kleiner en probeer het nog een keer."),
    429: ("Te veel pogingen", "Wacht een paar minuten. Probeer het daarna nog een keer."),
    500: ("Er ging iets mis", "Dat ligt aan ons, niet aan u. Probeer het later nog een keer."),
    502: (
        "Inloggen lukt nu niet",
        "Wij krijgen geen goed antwoord van het systeem voor werkaccounts. Probeer het later nog een keer.",
    ),
    503: ("Het systeem is even niet bereikbaar", "Er is niets veranderd. Probeer het zo nog een keer."),
}
"""By the status of the answer: a heading, and what to do."""
