"""What every part of the program stands on: the store, the bus, the words and the channels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from bot.bus.memory import MemoryBus
from bot.bus.redis import RedisBus
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.migrate import is_current
from bot.edge import Edge
from bot.inbox import Inbox
from bot.municipality import Municipality
from bot.outbox import Outbox
from bot.ports import Bus, Channel, Health
from bot.settings import ROOT, Settings
from bot.web.health import Check
from bot.wording import Wording

PHRASES = ROOT / "knowledge" / "phrases.yml"


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
    clock: Clock

    @property
    def edge(self) -> Edge:
        """Where channels bring what came in."""
        return Edge(self.inbox, self.outbox)


@asynccontextmanager
async def open_house(
    settings: Settings, channels: Mapping[str, Channel] | None = None, clock: Clock = utc_now
) -> AsyncIterator[House]:
    """Open the store and the bus; close everything at the end. `channels`: those of the settings where None."""
    municipality = Municipality.load(settings.municipality)
    wording = Wording.load(PHRASES, municipality.variables)
    async with AsyncExitStack() as stack:
        database = Database(settings.database)
        stack.push_async_callback(database.close)
        bus: Bus = RedisBus(settings.redis_url.get_secret_value()) if settings.redis_url else MemoryBus()
        stack.push_async_callback(bus.close)
        if channels is None:
            channels = configured_channels(settings, bus)
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        inbox = Inbox(database, bus, clock)
        outbox = Outbox(database, bus, channels, clock)
        yield House(settings, database, bus, municipality, wording, channels, inbox, outbox, clock)


def configured_channels(settings: Settings, bus: Bus) -> dict[str, Channel]:
    """The channels that have their settings; a channel without is off."""
    from connectors.telegram import Telegram
    from connectors.webchat import WebChat

    channels: dict[str, Channel] = {"webchat": WebChat(bus)}
    if settings.telegram_token:
        secret = settings.telegram_webhook_secret
        channels["telegram"] = Telegram(
            settings.telegram_token.get_secret_value(),
            api_url=settings.telegram_api_url,
            secret=secret.get_secret_value() if secret else None,
            webhook_url=f"{settings.public_url}/webhooks/telegram" if secret else None,
        )
    return channels


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
    async def off() -> Health:
        return Health("off", "TELEGRAM_TOKEN is not set")

    return {} if settings.telegram_token else {"telegram": off}
