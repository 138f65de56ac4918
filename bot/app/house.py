"""What every part of the program stands on: the store, the bus, the words and the channels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from bot.accounts import Account, TelegramAccount, WhatsAppAccount, accounts, missing
from bot.agenda import Agenda
from bot.appointments import Appointments
from bot.bus.memory import MemoryBus
from bot.bus.redis import RedisBus
from bot.casewords import CaseWords
from bot.clock import Clock, utc_now
from bot.daybook import Daybook
from bot.db.database import Database
from bot.db.migrate import is_current
from bot.drafts import Drafts
from bot.edge import Edge
from bot.files import Files
from bot.inbox import Inbox
from bot.municipality import Municipality
from bot.offers import Offers
from bot.outbox import Outbox
from bot.ports import (
    LOCAL,
    AppointmentProvider,
    Bus,
    CaseProvider,
    Channel,
    ContactRegistry,
    Health,
    ReportProvider,
)
from bot.post import Post
from bot.registry import Registrations
from bot.reminders import Reminders
from bot.reports import Reports
from bot.settings import ROOT, Settings
from bot.signs import Signs
from bot.staff.members import Members
from bot.statuses import Statuses
from bot.templates import read_templates
from bot.usage import Usage
from bot.web.health import Check
from bot.wording import Wording

PHRASES = ROOT / "knowledge" / "phrases.yml"
STATUSES = ROOT / "knowledge" / "statuses.yml"


class NotMigrated(Exception):
    """The store has another schema than this program."""


class NotPossible(Exception):
    """What was asked can't be done; the message says why."""


@dataclass(frozen=True, slots=True)
class House:
    """What every role needs: the store, the bus, the words and the channels."""

    settings: Settings
    database: Database
    bus: Bus
    municipality: Municipality
    wording: Wording
    channels: Mapping[str, Channel]
    inbox: Inbox
    outbox: Outbox
    registry: ContactRegistry
    calendar: AppointmentProvider | None
    """None: no appointments are made in the chat."""
    clock: Clock
    cases: CaseProvider | None = None
    """None: no case is looked up in the chat."""
    reports: ReportProvider | None = None
    """None: nothing is reported in the chat."""

    @property
    def edge(self) -> Edge:
        """Where channels bring what came in."""
        return Edge(self.inbox, self.outbox)

    @property
    def files(self) -> Files:
        """What residents sent along."""
        directory, limit = self.settings.state_dir / "media", self.settings.media_max_mb * 2**20
        return Files(self.database, self.bus, self.channels, directory, limit, self.clock, self.wording)

    @property
    def post(self) -> Post:
        """Where agents and jobs bring what they say."""
        return Post(self.database, self.bus, self.channels, self.clock)

    @property
    def registrations(self) -> Registrations:
        """What waits for the municipality's register."""
        return Registrations(self.database, self.bus, self.registry, self.clock)

    @property
    def report_queue(self) -> Reports | None:
        """What waits for the system of reports, where there is one."""
        if self.reports is None:
            return None
        media = self.settings.state_dir / "media"
        return Reports(self.database, self.bus, self.channels, self.reports, self.wording, media, self.clock)

    @property
    def appointments(self) -> Appointments | None:
        """What was booked in the chat; None where there is no calendar."""
        return Appointments(self.database, self.calendar, self.clock) if self.calendar else None

    @property
    def reminders(self) -> Reminders | None:
        """What residents hear of their appointments; None where there is no calendar."""
        if self.calendar is None:
            return None
        return Reminders(self.database, self.bus, self.channels, self.wording, self.calendar, self.clock)

    @property
    def agenda(self) -> Agenda | None:
        """Our own calendar, for who works at the counter; None where there is another, or none."""
        plan = self.municipality.appointments
        if self.calendar is None or plan is None or self.calendar.name != LOCAL:
            return None
        return Agenda(self.database, self.bus, self.channels, self.wording, self.calendar, plan, self.clock)

    @property
    def case_words(self) -> CaseWords | None:
        """How cases are told, where they are looked up. Raises `StatusesError`."""
        rules = self.municipality.cases
        return CaseWords(self.wording, Statuses.load(STATUSES), rules) if self.cases and rules else None

    @property
    def daybook(self) -> Daybook:
        """The figures of each day."""
        return Daybook(self.database, self.settings.retention_days, self.clock)

    @property
    def members(self) -> Members:
        """Who works here."""
        return Members(self.database, self.clock, teams_elsewhere=bool(self.settings.oidc_teams))

    @property
    def drafts(self) -> Drafts:
        """What editors write."""
        return Drafts(self.database, self.bus, self.clock, four_eyes=self.settings.four_eyes)

    @property
    def offers(self) -> Offers:
        """Who waits, for who is free."""
        lasts = timedelta(seconds=self.municipality.offer_seconds)
        return Offers(self.database, self.bus, lasts, self.clock)

    @property
    def signs(self) -> Signs:
        """That somebody types."""
        return Signs(self.database, self.bus, self.channels)

    @property
    def usage(self) -> Usage:
        """How many messages went out."""
        return Usage(self.database, self.clock)


@asynccontextmanager
async def open_house(
    settings: Settings, channels: Mapping[str, Channel] | None = None, clock: Clock = utc_now
) -> AsyncIterator[House]:
    """Open the store and the bus; close everything at the end. `channels`: those of the settings where None."""
    from bot.app.calendar import calendar_of

    municipality = Municipality.load(settings.municipality)
    wording = Wording.load(PHRASES, municipality.variables)
    async with AsyncExitStack() as stack:
        database = Database(settings.database)
        stack.push_async_callback(database.close)
        bus: Bus = RedisBus(settings.redis_url.get_secret_value()) if settings.redis_url else MemoryBus()
        stack.push_async_callback(bus.close)
        if channels is None:
            channels = configured_channels(settings, bus, wording, municipality.variables)
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        inbox = Inbox(database, bus, clock)
        outbox = Outbox(database, bus, channels, clock)
        registry = configured_registry(settings, database)
        stack.push_async_callback(registry.close)
        calendar = calendar_of(settings, municipality, database, clock)
        if calendar is not None:
            stack.push_async_callback(calendar.close)
        cases = configured_cases(settings, clock) if municipality.cases else None
        if cases:
            stack.push_async_callback(cases.close)
        reports = configured_reports(settings, database, clock)
        if reports:
            stack.push_async_callback(reports.close)
        yield House(
            settings,
            database,
            bus,
            municipality,
            wording,
            channels,
            inbox,
            outbox,
            registry,
            calendar,
            clock,
            cases,
            reports,
        )


def configured_registry(settings: Settings, database: Database) -> ContactRegistry:
    """The municipality's register: Open Klant where that is set up, else our own store."""
    from actions.contacts.local import LocalRegistry
    from actions.contacts.openklant import OpenKlant

    if settings.openklant_url and settings.openklant_token and settings.openklant_actor:
        token = settings.openklant_token.get_secret_value()
        return OpenKlant(settings.openklant_url, token, str(settings.openklant_actor))
    return LocalRegistry(database)


def configured_cases(settings: Settings, clock: Clock) -> CaseProvider | None:
    """The system of cases, where there is one."""
    from actions.cases.demo import DemoCases
    from actions.cases.zgw import ZgwCases

    if settings.case_system == "demo":
        return DemoCases(clock)
    if settings.case_system == "off":
        return None
    url, client_id, organisation = settings.zgw_url, settings.zgw_client_id, settings.zgw_organisation
    if not (url and client_id and organisation and settings.zgw_secret):
        raise NotPossible("CASES=zgw lacks settings")  # the settings see to it that it does not
    return ZgwCases(url, client_id, settings.zgw_secret.get_secret_value(), organisation)


def configured_reports(settings: Settings, database: Database, clock: Clock) -> ReportProvider | None:
    """Where reports go, if anywhere."""
    from actions.reports.local import LocalReports
    from actions.reports.signalen import Signalen

    if settings.report_system == "off":
        return None
    if settings.report_system == "local":
        return LocalReports(database, clock)
    if not (settings.signalen_url and settings.signalen_point):
        raise NotPossible("REPORTS=signalen lacks settings")  # the settings see to it that it does not
    latitude, _, longitude = settings.signalen_point.partition(",")
    return Signalen(settings.signalen_url, (float(latitude), float(longitude)))


def configured_channels(
    settings: Settings, bus: Bus, wording: Wording, facts: Mapping[str, str]
) -> dict[str, Channel]:
    """The channels that are set up; a channel without its settings is off. Raises `AccountError`, `TemplatesError`."""
    from connectors.telegram import Telegram
    from connectors.webchat import WebChat
    from connectors.whatsapp import WhatsApp

    found = accounts(settings)
    channels: dict[str, Channel] = {"webchat": WebChat(bus)}
    for name, account in found.items():
        if isinstance(account, TelegramAccount):
            secret = account.webhook_secret
            channels[name] = Telegram(
                account.token.get_secret_value(),
                name=name,
                api_url=settings.telegram_api_url,
                secret=secret.get_secret_value() if secret else None,
                webhook_url=f"{settings.public_url}/webhooks/{name}" if secret else None,
            )
        else:
            channels[name] = WhatsApp(
                name=name,
                token=account.token.get_secret_value(),
                phone_number_id=account.phone_number_id,
                app_secret=account.app_secret.get_secret_value(),
                verify_token=account.verify_token.get_secret_value() if account.verify_token else None,
                api_url=settings.whatsapp_api_url,
                api_version=settings.whatsapp_api_version,
                business_account_id=account.business_account_id,
                public_url=settings.public_url,
                numbers=_numbers(found, account),
                templates=read_templates(account.templates, facts) if account.templates else {},
                list_button=wording.say("list_button").text,
                rate=account.rate,
                resident_burst=settings.whatsapp_resident_burst,
            )
    return channels


def _numbers(found: Mapping[str, Account], account: WhatsAppAccount) -> dict[str, str]:
    """The numbers of the same app: its one webhook brings what was written to any of them."""
    return {
        other.phone_number_id: name
        for name, other in found.items()
        if isinstance(other, WhatsAppAccount) and other.app_secret == account.app_secret
    }


async def check_schema(house: House) -> None:
    """Raises `NotMigrated` unless the store fits this program, `NotPossible` where it can't be opened."""
    file = house.settings.database_file
    if file is not None and not file.exists():
        raise NotMigrated(f"there is no database in {file.parent}: run `klaartje migrate` first")
    try:
        async with house.database.read() as connection:
            current = await is_current(connection)
    except (SQLAlchemyError, OSError) as error:
        reason = f"the database can't be opened ({type(error).__name__})"
        raise NotPossible(f"{reason}: is it there, and did `klaartje migrate` run?") from None
    if not current:
        raise NotMigrated("the database has another schema: run `klaartje migrate` first")


def channel_checks(house: House) -> dict[str, Check]:
    """What to look at for each channel, also those that are off."""
    return {**_off(house.settings), **{name: channel.health for name, channel in house.channels.items()}}


def _off(settings: Settings) -> dict[str, Check]:
    """The channels of the environment that lack settings, with what is missing."""

    def off(names: Sequence[str]) -> Check:
        async def check() -> Health:
            are = "is" if len(names) == 1 else "are"
            return Health("off", f"{', '.join(names)} {are} not set")

        return check

    return {channel: off(names) for channel, names in missing(settings).items() if names}
