"""What differs per municipality: its facts (variables in texts), its hours and closures, from one YAML file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import holidays
import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from bot.casetypes import CaseRules
from bot.clock import AMSTERDAM
from bot.wording import fill_in

DAYS = ("ma", "di", "wo", "do", "vr", "za", "zo")
DAY_NAMES = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
_ENGLISH_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip
_SPAN = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PRODUCT = re.compile(r"[a-z0-9][a-z0-9_-]*")


class MunicipalityError(ValueError):
    """The municipality's file is not right; the message names the place in it."""


class Span(BaseModel):
    """Open from and until, on one day, in local time."""

    model_config = ConfigDict(frozen=True)
    start: time
    end: time

    def words(self) -> str:
        """As a resident reads it: `9.00 tot 17.00 uur`."""
        return f"{clock_words(self.start)} tot {clock_words(self.end)} uur"


def _span(value: Any) -> Span:
    if isinstance(value, Span):
        return value
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('must look like "09:00-17:00"')
    hours = [int(part) for part in match.groups()]
    span = Span(start=time(hours[0], hours[1]), end=time(hours[2], hours[3]))
    if span.start >= span.end:
        raise ValueError("must end after it starts")
    return span


Week = Mapping[str, tuple[Annotated[Span, BeforeValidator(_span)], ...]]


class Closure(BaseModel):
    """Days on which all desks are closed besides the public holidays."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)
    start: date = Field(alias="from")
    end: date = Field(alias="to")
    why: str

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError("must not end before it starts")
        return self


class Team(BaseModel):
    """Employees who help with the same topics. `themes` are those of the articles; a team without any takes what no
    other does. After `overflow_minutes` of waiting a resident goes to the team `overflow_to` as well."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    title: Annotated[str, Field(min_length=1, max_length=60)]
    themes: tuple[str, ...] = ()
    overflow_to: str | None = None
    overflow_minutes: Annotated[int, Field(ge=1, le=480)] = 10


KCC = Team(name="kcc", title="KCC")

_ID = r"^[a-z][a-z0-9-]{0,31}$"


class Bookable(BaseModel):
    """What an appointment can be made for in our own calendar. `id` is what articles name (`appointment:paspoort`);
    `minutes` for one person; `locations` where (everywhere where empty); `fields` what must be told of who comes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: Annotated[str, Field(pattern=_ID)]
    name: Annotated[str, Field(min_length=1, max_length=60)]
    minutes: Annotated[int, Field(ge=5, le=240)]
    locations: tuple[str, ...] = ()
    fields: tuple[Literal["name", "birth_date", "phone", "email"], ...] = ("name", "birth_date", "phone")


class Office(BaseModel):
    """Where residents come: `hours` names the opening hours, `counters` is how many are helped at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: Annotated[str, Field(pattern=_ID)]
    name: Annotated[str, Field(min_length=1, max_length=20)]
    address: Annotated[str, Field(min_length=1, max_length=120)]
    hours: str
    counters: Annotated[int, Field(ge=1, le=100)]


class Appointments(BaseModel):
    """Our own calendar. `slot`: minutes of the grid that all appointments fit in; `notice`: minutes that there must be
    before one starts; `ahead`: how many days from now can be booked."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    slot: Annotated[int, Field(ge=5, le=60)] = 5
    notice: Annotated[int, Field(ge=0, le=10_080)] = 30
    ahead: Annotated[int, Field(ge=1, le=365)] = 60
    locations: Annotated[tuple[Office, ...], Field(min_length=1)]
    products: Annotated[tuple[Bookable, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for what, names in (("locations", self.locations), ("products", self.products)):
            if len({one.id for one in names}) < len(names):
                raise ValueError(f"two {what} have the same id")
        known = {one.id for one in self.locations}
        for product in self.products:
            if unknown := set(product.locations) - known:
                raise ValueError(f"{product.id} names a location that is not there: {sorted(unknown)[0]}")
            if product.minutes % self.slot:
                raise ValueError(f"{product.id}: minutes must be a multiple of slot ({self.slot})")
        return self


def _teams(value: tuple[Team, ...]) -> tuple[Team, ...]:
    names = [team.name for team in value]
    if len(set(names)) != len(names):
        raise ValueError("two teams have the same name")
    if unknown := {team.overflow_to for team in value if team.overflow_to} - set(names):
        raise ValueError(f"overflow_to names a team that is not there: {sorted(unknown)[0]}")
    themes = [theme for team in value for theme in team.themes]
    if doubled := {theme for theme in themes if themes.count(theme) > 1}:
        raise ValueError(f"two teams have the theme {sorted(doubled)[0]}")
    if sum(not team.themes for team in value) != 1:
        raise ValueError("one team, and only one, must have no themes: it takes what no other does")
    return value


def _facts(value: Mapping[str, str]) -> Mapping[str, str]:
    for name in value:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a variable name: use small letters, digits and _")
    return value


def _products(value: Mapping[str, str]) -> Mapping[str, str]:
    for name, key in value.items():
        if not _PRODUCT.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a product: use small letters, digits and -")
        if not key.strip():
            raise ValueError(f"{name} has no id: the calendar's own, in quotes")
    return value


def _days(value: Mapping[str, Week]) -> Mapping[str, Week]:
    for desk, week in value.items():
        if unknown := set(week) - set(DAYS):
            raise ValueError(f"{desk}: unknown day {sorted(unknown)[0]!r}: use {', '.join(DAYS)}")
    return value


PriceClass = Literal["service", "utility", "marketing", "authentication"]


class Municipality(BaseModel):
    """The facts of one municipality. `hours` holds at least `balie` and `medewerkers`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    facts: Annotated[Mapping[str, str], AfterValidator(_facts)]
    hours: Annotated[Mapping[str, Week], AfterValidator(_days)]
    closed: tuple[Closure, ...] = ()
    teams: Annotated[tuple[Team, ...], AfterValidator(_teams)] = (KCC,)
    appointments: Appointments | None = None
    most_conversations: Annotated[int, Field(ge=1, le=20)] = 3
    """So many an employee can have at the same time, unless something else was said of them."""
    offer_seconds: Annotated[int, Field(ge=0, le=600)] = 30
    """So long a conversation is offered to one employee before it goes to the next; 0: nothing is offered."""
    calendar_products: Annotated[Mapping[str, str], AfterValidator(_products)] = {}
    """What the calendar calls the products of appointments: its ids by our names, those in the actions of articles."""
    whatsapp_prices: Mapping[PriceClass, Annotated[Decimal, Field(ge=0, le=10)]] = {}
    """What a delivered message of WhatsApp costs in euros, by price class; the figures tell the costs with it."""
    cases: CaseRules | None = None
    """Which cases may be looked up in the chat; without it none."""
    open_on: tuple[str, ...] = ()
    """Public holidays on which the desks are open all the same, by their Dutch names."""

    @field_validator("open_on")
    @classmethod
    def _known_holidays(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = set(_holidays(2025).values())  # a year with all of them: 5 May counts once in five years
        for name in names:
            if name not in known:
                raise ValueError(f"{name!r} is not a public holiday: use {', '.join(sorted(known))}")
        return names

    @classmethod
    def load(cls, path: Path) -> Municipality:
        """Read the file. Raises `MunicipalityError` that says what is wrong and where."""
        try:
            found = cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise MunicipalityError(f"{path}: {error.strerror}") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise MunicipalityError(f"{path}: {error}") from None
        except ValidationError as error:
            lines = [f"{path}: {'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()]
            raise MunicipalityError("\n".join(lines)) from None
        for desk in ("balie", "medewerkers"):
            if desk not in found.hours:
                raise MunicipalityError(f"{path}: hours.{desk} is missing")
        for office in found.appointments.locations if found.appointments else ():
            if office.hours not in found.hours:
                raise MunicipalityError(
                    f"{path}: appointments: hours.{office.hours} of {office.id} is missing"
                )
        return found

    @property
    def variables(self) -> dict[str, str]:
        """All that a text may name: the facts (which may name others) and the opening hours in words.

        Texts in English name the hours with `_en` behind the name.
        """
        hours = {f"openingstijden_{desk}": self.week_words(desk) for desk in self.hours}
        english = {f"openingstijden_{desk}_en": self.english_week_words(desk) for desk in self.hours}
        link = self.cases.link if self.cases else "{website}/mijn-zaken"
        cases = {"mijn_zaken": link} if "website" in self.facts or "{website}" not in link else {}
        if self.cases:
            cases |= {"zaaknummer_voorbeeld": self.cases.example, "zaken_geboortedatum": self.cases.born}
        facts = {**hours, **english, **cases, **self.facts}
        return {name: fill_in(value, facts) for name, value in facts.items()}

    def check_teams(self, names: Iterable[str]) -> None:
        """Raises `MunicipalityError` for a name that no team has."""
        for name in names:
            if self.team(name) is None:
                known = ", ".join(team.name for team in self.teams)
                raise MunicipalityError(f"there is no team {name!r} in MUNICIPALITY: teams are {known}")

    def product_for(self, name: str) -> str:
        """The calendar's id of a product; our name itself where none is given."""
        return self.calendar_products.get(name, name)

    def bookable(self, *, local: bool) -> Mapping[str, str]:
        """What an appointment can be made for, as articles name it, with the id that the calendar has for it: our own
        (`local`) the same, another what `calendar_products` says."""
        if local:
            return {one.id: one.id for one in self.appointments.products} if self.appointments else {}
        return {name: self.product_for(name) for name in self.calendar_products}

    @property
    def widest_hours(self) -> tuple[time, time] | None:
        """The first and the last minute in which any desk is ever open; `half drie` is then in the afternoon."""
        spans = [span for week in self.hours.values() for day in week.values() for span in day]
        if not spans:
            return None
        closing = datetime.combine(date.min, max(span.end for span in spans)) - timedelta(minutes=1)
        return min(span.start for span in spans), closing.time()

    def team_for(self, theme: str | None) -> Team:
        """Who helps with a theme."""
        rest = next(team for team in self.teams if not team.themes)
        return next((team for team in self.teams if theme in team.themes), rest)

    def team(self, name: str) -> Team | None:
        """The team of this name."""
        return next((team for team in self.teams if team.name == name), None)

    def spans(self, desk: str, day: date) -> tuple[Span, ...]:
        """When the desk is open on a day; nothing on a public holiday or in a closure."""
        holiday = _holidays(day.year).get(day)
        if (holiday and holiday not in self.open_on) or any(c.start <= day <= c.end for c in self.closed):
            return ()
        return tuple(self.hours[desk].get(DAYS[day.weekday()], ()))

    def is_open(self, desk: str, now: datetime) -> bool:
        """Whether the desk is open at this moment."""
        local = now.astimezone(AMSTERDAM)
        return any(s.start <= local.time() < s.end for s in self.spans(desk, local.date()))

    def next_opening(self, desk: str, now: datetime) -> datetime | None:
        """The first moment after `now` at which the desk opens, within two months; None where it never does."""
        local = now.astimezone(AMSTERDAM)
        for ahead in range(62):
            day = local.date() + timedelta(days=ahead)
            for span in self.spans(desk, day):
                start = datetime.combine(day, span.start, AMSTERDAM)
                if start > local:
                    return start
        return None

    def closing(self, desk: str, now: datetime) -> datetime | None:
        """When the desk, open now, closes; None where it is closed."""
        local = now.astimezone(AMSTERDAM)
        for span in self.spans(desk, local.date()):
            if span.start <= local.time() < span.end:
                return datetime.combine(local.date(), span.end, AMSTERDAM)
        return None

    def week_words(self, desk: str) -> str:
        """The week in words, equal days together: `maandag tot en met vrijdag van 9.00 tot 17.00 uur`."""
        runs = self._runs(desk)
        parts = [
            f"{_range(first, last)} van {' en van '.join(span.words() for span in spans)}"
            for first, last, spans in runs
        ]
        return _listed(parts, "en") or "gesloten"

    def english_week_words(self, desk: str) -> str:
        """The week in English words: `Monday to Friday from 9.00 to 17.00`."""
        parts = []
        for first, last, spans in self._runs(desk):
            days = (
                _ENGLISH_DAYS[first] if first == last else f"{_ENGLISH_DAYS[first]} to {_ENGLISH_DAYS[last]}"
            )
            times = [f"from {clock_words(span.start)} to {clock_words(span.end)}" for span in spans]
            parts.append(f"{days} {' and '.join(times)}")
        return _listed(parts, "and") or "closed"

    def _runs(self, desk: str) -> list[tuple[int, int, tuple[Span, ...]]]:
        """Days in a row with the same hours: the numbers of the first and the last of them (Monday is 0)."""
        week = self.hours[desk]
        runs: list[tuple[int, int, tuple[Span, ...]]] = []
        for number, day in enumerate(DAYS):
            spans = tuple(week.get(day, ()))
            if spans and runs and runs[-1][1] == number - 1 and runs[-1][2] == spans:
                runs[-1] = (runs[-1][0], number, spans)
            elif spans:
                runs.append((number, number, spans))
        return runs


def _listed(parts: list[str], joint: str) -> str:
    return " ".join([", ".join(parts[:-1]), joint, parts[-1]]) if len(parts) > 1 else "".join(parts)


def _range(first: int, last: int) -> str:
    if first == last:
        return DAY_NAMES[first]
    joint = " en " if last == first + 1 else " tot en met "
    return f"{DAY_NAMES[first]}{joint}{DAY_NAMES[last]}"


@lru_cache(maxsize=16)
def _holidays(year: int) -> Mapping[date, str]:
    """The public holidays of the Algemene termijnenwet, art. 3, with their Dutch names."""
    return dict(holidays.country_holidays("NL", years=year, language="nl"))


def clock_words(moment: time) -> str:
    """A time of day as residents read it: `9.00`."""
    return f"{moment.hour}.{moment.minute:02d}"


def moment_words(moment: datetime, now: datetime) -> str:
    """When, as one says it from `now`: `vandaag om 13.00 uur`, `morgen om ...`, `maandag 30 november om ...`."""
    local, today = moment.astimezone(AMSTERDAM), now.astimezone(AMSTERDAM).date()
    ahead = (local.date() - today).days
    at = f"om {clock_words(local.time())} uur"
    if ahead in (0, 1):
        return f"{('vandaag', 'morgen')[ahead]} {at}"
    day = DAY_NAMES[local.weekday()]
    return f"{day} {at}" if ahead < 7 else f"{day} {local.day} {MONTHS[local.month - 1]} {at}"
