"""The figures on a page, for who steers: sums, charts and tables of a period, and the same as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from aiohttp import web

from bot.briefing import REASONS
from bot.costs import Cost, costs, total
from bot.daybook import Daybook
from bot.municipality import MONTHS, Municipality
from bot.staff.roles import Permission
from bot.staff.sessions import Visit
from bot.tally import GOAL, Name, Tally
from bot.usage import Usage
from bot.web.kcc.words import channel as channel_words
from bot.web.staff import amounts
from bot.web.staff.chart import columns
from bot.web.staff.door import Door
from bot.web.staff.period import GRAINS, Period, presets, wanted

PLACE = "/sturing"
FILE = f"{PLACE}/cijfers.csv"

CLASSES: Mapping[str, str] = {
    "service": "Vrij bericht",
    "utility": "Sjabloon: dienst",
    "marketing": "Sjabloon: reclame",
    "authentication": "Sjabloon: code",
}
"""Price classes of WhatsApp."""

_COUNTS: tuple[tuple[str, Callable[[Tally], object]], ...] = (
    ("gesprekken", lambda tally: tally[Name.CONVERSATIONS]),
    ("klaartje alleen", lambda tally: tally[Name.ALONE]),
    ("met een medewerker", lambda tally: tally[Name.PERSON]),
    ("zonder antwoord", lambda tally: tally[Name.NEITHER]),
    ("keer niet begrepen", lambda tally: tally[Name.MISSED]),
    ("statusvragen", lambda tally: tally[Name.STATUS]),
    ("meldingen", lambda tally: tally[Name.REPORT]),
    ("online: kreeg een link", lambda tally: tally[Name.LINK]),
    ("bellen", lambda tally: tally[Name.CALL]),
    ("langskomen: afspraak", lambda tally: tally[Name.APPOINTMENT]),
    ("terugbelverzoeken", lambda tally: tally[Name.CALLBACKS]),
    ("teruggebeld", lambda tally: tally[Name.CALLED_BACK]),
    ("overgedragen", lambda tally: tally.handed),
    *(
        (f"overgedragen: {words}", lambda tally, reason=reason: tally.reasons.get(reason, 0))
        for reason, words in REASONS.items()
    ),
    ("weg uit de rij", lambda tally: tally[Name.LEFT]),
    ("gewacht", lambda tally: tally[Name.WAITED]),
    ("wachten: helft binnen (minuten)", lambda tally: _cell(tally.at_most(Name.WAITED, 0.5))),
    ("wachten: 9 van 10 binnen (minuten)", lambda tally: _cell(tally.at_most(Name.WAITED, 0.9))),
    ("geholpen", lambda tally: tally[Name.HELPED]),
    ("helpen: helft binnen (minuten)", lambda tally: _cell(tally.at_most(Name.HELPED, 0.5))),
    ("helpen: 9 van 10 binnen (minuten)", lambda tally: _cell(tally.at_most(Name.HELPED, 0.9))),
    ("cijfers gegeven", lambda tally: tally[Name.MARK]),
    (
        "gemiddeld cijfer",
        lambda tally: "" if tally.average_mark is None else amounts.mark(tally.average_mark),
    ),
)
"""The columns of the file, after which days, channel and theme they are of."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: what it is called, and what was counted."""

    label: str
    tally: Tally


class SteeringPages:
    """`/sturing`, and its file. `free`: how many free words a month and WhatsApp number."""

    def __init__(
        self, door: Door, daybook: Daybook, usage: Usage, municipality: Municipality, free: int
    ) -> None:
        self._door = door
        self._daybook = daybook
        self._usage = usage
        self._prices = {str(kind): price for kind, price in municipality.whatsapp_prices.items()}
        self._free = free

    def routes(self) -> list[web.RouteDef]:
        """Both are only to look at."""
        needs = Permission.SEE_FIGURES
        return [self._door.get(PLACE, needs, self.show), self._door.get(FILE, needs, self.download)]

    async def show(self, request: web.Request, visit: Visit) -> web.Response:
        """All figures of a period, of a channel and a theme or of all."""
        period, errors = wanted(request.query, self._daybook.today)
        channel, theme = _chosen(request.query)
        parts = period.parts()
        spans = [(part.first, part.last) for part in parts]
        sheet = await self._daybook.read(spans, channel=channel, theme=theme)
        asked = {**period.query, **_narrowed(channel, theme)}
        rows = [Row(part.label, tally) for part, tally in zip(parts, sheet.spans, strict=True)]
        spent = [] if errors else await self._spent(period)
        return self._door.look.page(
            "steering",
            visit,
            status=422 if errors else 200,
            errors=errors,
            period=period,
            grains=list(GRAINS.items()),
            presets=presets(self._daybook.today),
            channel=channel,
            theme=theme,
            channels=_named(sheet.all_channels, _channel),
            themes=_named(sheet.all_themes, _theme),
            missing=sheet.missing,
            whole=sheet.whole,
            parts=rows,
            chart=columns([_stack(row.tally) for row in rows]),
            by_channel=_busiest(sheet.channels, _channel),
            by_theme=_busiest(sheet.themes, _theme),
            reasons=[(REASONS.get(one, one), n) for one, n in sheet.whole.reasons.items()],
            marks=range(10, 0, -1),
            goal=GOAL,
            costs=spent,
            total=total(spent),
            classes=CLASSES,
            month=_month,
            channel_words=_channel,
            amounts=amounts,
            Name=Name,
            file=f"{FILE}?{urlencode(asked)}",
        )

    async def _spent(self, period: Period) -> list[Cost]:
        """The costs of each month that the period touches."""
        months = sorted(
            {f"{part.first:%Y-%m}" for part in Period(period.first, period.last, "maand").parts()}
        )
        counts = [count for month in months for count in await self._usage.month(month)]
        return costs(counts, self._prices, self._free)

    async def download(self, request: web.Request, visit: Visit) -> web.Response:
        """A line for each part, channel and theme in which something happened."""
        period, errors = wanted(request.query, self._daybook.today)
        if errors:
            return await self.show(request, visit)
        channel, theme = _chosen(request.query)
        parts = period.parts()
        spans = [(part.first, part.last) for part in parts]
        found = await self._daybook.each(spans, channel=channel, theme=theme)
        table: list[list[object]] = [
            ["van", "tot en met", "kanaal", "onderwerp", *(name for name, _ in _COUNTS)]
        ]
        for (number, of_channel, of_theme), tally in found.items():
            where = [parts[number].first, parts[number].last, _channel(of_channel), _theme(of_theme)]
            table.append([*where, *(told(tally) for _, told in _COUNTS)])
        return web.Response(
            body="\ufeff".encode() + amounts.rows(table),  # with this mark Excel reads UTF-8
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": f'attachment; filename="cijfers-{period.first}-{period.last}.csv"',
            },
        )


def _chosen(query: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The channel and theme of the form; `-` is without one, and nothing is all."""
    found = (
        "" if query.get(name) == "-" else query.get(name, "")[:64] or None for name in ("kanaal", "onderwerp")
    )
    channel, theme = found
    return channel, theme


def _narrowed(channel: str | None, theme: str | None) -> dict[str, str]:
    named = {"kanaal": channel, "onderwerp": theme}
    return {name: value or "-" for name, value in named.items() if value is not None}


def _busiest(found: Mapping[str, Tally], words: Callable[[str], str]) -> list[Row]:
    rows = [Row(words(name), tally) for name, tally in found.items()]
    return sorted(rows, key=lambda row: (-row.tally[Name.CONVERSATIONS], row.label))


def _stack(tally: Tally) -> list[int]:
    return [tally[name] for name in (Name.ALONE, Name.PERSON, Name.NEITHER)]


def _named(names: Iterable[str], words: Callable[[str], str]) -> list[tuple[str, str]]:
    """For a list to choose from."""
    return sorted(((name or "-", words(name)) for name in names), key=lambda one: one[1].casefold())


def _channel(name: str) -> str:
    return channel_words(name) if name else "Onbekend"


def _theme(name: str) -> str:
    return name[:1].upper() + name[1:] if name else "Geen onderwerp"


def _cell(value: int | None) -> str:
    return "" if value is None else str(value)


def _month(name: str) -> str:
    """`november 2026`, of `2026-11`."""
    day = date.fromisoformat(f"{name}-01")
    return f"{MONTHS[day.month - 1]} {day.year}"
