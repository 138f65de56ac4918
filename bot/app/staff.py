"""The pages of staff, put together: who may in, by which way, and what is behind the door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from bot.app.house import House
from bot.articles import Articles
from bot.staff.credentials import Credentials
from bot.staff.oidc import Provider
from bot.staff.passwords import Passwords
from bot.staff.sessions import Sessions
from bot.staff.signin import Limits, SignIn
from bot.staff.work import ByClaim, WorkAccounts
from bot.web.files import FilesPage
from bot.web.kcc.shelf import Shelf
from bot.web.redactie.pages import EditorPages
from bot.web.redactie.review import ReviewPages
from bot.web.staff.account import AccountPages
from bot.web.staff.agenda import AgendaPages, NoAgendaPage
from bot.web.staff.door import Door
from bot.web.staff.logbook import LogbookPages
from bot.web.staff.look import Look
from bot.web.staff.people import PeoplePages
from bot.web.staff.setup import SetupPages
from bot.web.staff.signin import SignInPages
from bot.web.staff.steering import SteeringPages
from bot.web.staff.work import WorkPages


@dataclass(frozen=True, slots=True)
class Staff:
    """The door, for whoever adds pages behind it, and the pages that are always there."""

    door: Door
    routes: list[web.RouteDef]


@asynccontextmanager
async def staff_pages(
    house: House, static: str, client: Callable[[web.Request], str], shelf: Shelf
) -> AsyncIterator[Staff]:
    """The pages of staff. `static` is the address of the static files, `client` finds who calls, the `shelf` has the
    search."""
    settings = house.settings
    sessions = sessions_of(house)
    door = Door(sessions, Look(house.municipality.name, static), settings.public_url)
    passwords = Passwords()
    sign_in = SignIn(house.database, sessions, passwords, Limits(house.bus), house.clock)
    credentials = Credentials(house.database, sessions, passwords, house.clock)
    provider = _provider(house)

    async def nobody_yet() -> bool:
        return provider is None and not await house.members.exist()

    pages = SignInPages(
        door, sign_in, credentials, client, local=settings.local_accounts, work=bool(provider)
    )
    routes = [*pages.routes(), *AccountPages(door, credentials, sign_in, client).routes()]
    if settings.local_accounts:
        routes += SetupPages(door, credentials).routes()
    if provider:
        claim, roles = settings.oidc_roles_claim, settings.roles_of_claims
        parts = (house.database, sessions, provider, claim, roles, house.clock)
        work = WorkAccounts(*parts, teams=_teams(house))
        routes += WorkPages(door, work, house.bus, client).routes()
    if (agenda := house.agenda) is not None:
        routes += AgendaPages(door, agenda).routes()
    else:
        routes += NoAgendaPage(door, house.calendar.name if house.calendar else None).routes()
    people = PeoplePages(
        door,
        house.members,
        house.municipality,
        partial(setup_link, house),
        house.clock,
        local=settings.local_accounts,
    )
    logbook = LogbookPages(door, house.database, house.municipality, house.clock)
    free = settings.whatsapp_free_messages
    steering = SteeringPages(door, house.daybook, house.usage, house.municipality, free)
    routes += [*people.routes(), *logbook.routes(), *steering.routes()]
    routes += _editors(house, door, shelf)
    routes += FilesPage(door, house.files, nobody_yet).routes()
    try:
        yield Staff(door, routes)
    finally:
        if provider:
            await provider.close()


def _editors(house: House, door: Door, shelf: Shelf) -> list[web.RouteDef]:
    """The desk of editors."""
    from bot.app.editing import EditorsHelp  # with all of the knowledge base, which commands can do without

    drafts, editing, clock = house.drafts, EditorsHelp(house, shelf), house.clock
    articles = Articles(house.database, clock)
    pages = EditorPages(door, drafts, articles, editing, house.members, clock)
    return [*pages.routes(), *ReviewPages(door, drafts, editing, house.members, clock).routes()]


def sessions_of(house: House) -> Sessions:
    """Where sessions of staff are kept."""
    settings = house.settings
    idle = settings.session_idle_minutes
    return Sessions(house.database, idle, house.clock, local=settings.local_accounts)


async def first_link(house: House, address: str) -> str | None:
    """A link with which the first comes in; None where somebody is known, or work accounts are. `address` is where we
    are, as long as `PUBLIC_URL` says nothing else."""
    if house.settings.oidc_issuer:
        return None
    token = await Credentials(house.database, sessions_of(house), Passwords(), house.clock).first_link()
    base = house.settings.public_url or address.rstrip("/")
    return token and f"{base}/inloggen/eenmalig/{token}"


def setup_link(house: House, token: str) -> str:
    """Where somebody chooses a password."""
    return f"{house.settings.base_url}/inloggen/instellen/{token}"


def _teams(house: House) -> ByClaim | None:
    """Which teams work accounts get, where the provider says so. Raises `MunicipalityError` for a team that is not
    there."""
    settings = house.settings
    if not settings.oidc_teams:
        return None
    words = settings.teams_of_claims
    house.municipality.check_teams(sorted(frozenset[str]().union(*words.values())))
    return ByClaim(settings.oidc_teams_claim or settings.oidc_roles_claim, words)


def _provider(house: House) -> Provider | None:
    settings = house.settings
    if not settings.oidc_issuer:
        return None
    secret = settings.oidc_client_secret
    return Provider(
        settings.oidc_issuer,
        settings.oidc_client_id or "",
        secret.get_secret_value() if secret else None,
        f"{settings.base_url}/inloggen/terug",
        house.clock,
    )
