"""The only wiring point: which part gets which. Nothing else imports outwards."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import secrets
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from bot.ask import Asking
from bot.bus.memory import MemoryBus
from bot.bus.redis import RedisBus
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.lease import NamedLease
from bot.db.migrate import is_current, migrate
from bot.edge import Edge
from bot.engine import HttpEngine
from bot.handoff import Handoff
from bot.inbox import Inbox
from bot.municipality import Municipality
from bot.outbox import Outbox
from bot.ports import Bus, Channel, Health
from bot.privacy import Privacy
from bot.settings import ROOT, Settings
from bot.supervisor import Supervisor
from bot.transcript import Transcript
from bot.turn import Turns
from bot.web import private
from bot.web.chat import Chat
from bot.web.health import Check, HealthPage
from bot.web.page import add_page
from bot.web.server import application, client_address, serving
from bot.web.webhooks import Webhooks
from bot.wording import Wording
from bot.worker import Worker

if TYPE_CHECKING:
    from knowledge.live import Live
    from knowledge.store import ArticleStore

log = logging.getLogger(__name__)

CONTENT = ROOT / "knowledge" / "content"
PHRASES = ROOT / "knowledge" / "phrases.yml"
_NLU = ROOT / "nlu"


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


# -- the roles ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def background(*jobs: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run jobs beside the block. A job that fails fails the block; at the end they are stopped, one after the
    other, and waited for."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job) for job in jobs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                await asyncio.wait({task})


@asynccontextmanager
async def web_role(house: House, parts: Mapping[str, Check]) -> AsyncIterator[str]:
    """Face the internet: page, chat, webhooks, health, and the channels that are fetched. Gives the address."""
    settings = house.settings
    app = application()
    client = client_address(settings.trusted_proxies)
    chat = Chat(
        house.database,
        house.bus,
        house.channels["webchat"],  # type: ignore[arg-type]  # the web chat's own extra is in its protocol
        house.edge,
        partial(house.wording.say, "welcome"),
        client,
        house.clock,
    )
    app.on_shutdown.append(chat.close)
    health = HealthPage(parts, channel_checks(house))
    app.add_routes([*chat.routes(), *Webhooks(house.channels, house.edge).routes(), *health.routes()])
    if settings.theme and not settings.theme.is_dir():
        raise NotPossible(f"THEME: {settings.theme} is not a folder")
    variables = house.municipality.variables
    add_page(
        app,
        municipality_name=house.municipality.name,
        phone=variables["telefoon"],
        hours=variables["openingstijden_medewerkers"],
        frame_ancestors=settings.frame_ancestors,
        theme=settings.theme,
    )
    fetching = (
        NamedLease(house.database, f"listen:{name}", house.clock).run(partial(channel.listen, house.edge))
        for name, channel in house.channels.items()
    )
    async with serving(app, settings.host, settings.port) as port, background(*fetching):
        yield f"http://{settings.host}:{port}/"


@asynccontextmanager
async def searching(house: House) -> AsyncIterator[Live]:
    """The search over what is published; `load` it, and let it `follow`."""
    from knowledge.encoder import load_encoder
    from knowledge.live import Live
    from knowledge.search import HybridSearch
    from knowledge.store import ArticleStore
    from knowledge.vectors import FileVectorCache

    encoder = await asyncio.to_thread(load_encoder, house.settings.encoder)
    search = HybridSearch(encoder, FileVectorCache(house.settings.state_dir / "vectors"))
    try:
        yield Live(ArticleStore(house.database, house.bus, house.clock), search, house.bus)
    finally:
        search.close()


@asynccontextmanager
async def worker_role(house: House) -> AsyncIterator[Mapping[str, Check]]:
    """Think and deliver: search, actions, engine, turns, outbox. Gives the health checks of its parts."""
    from actions.fallback import SearchEngine
    from actions.server import add_actions

    settings = house.settings
    actions_secret = _secret(settings.actions_secret)
    engine_secret = _secret(settings.engine_secret)
    async with AsyncExitStack() as stack:
        live = await stack.enter_async_context(searching(house))
        app = application()
        private.add_metrics(app)
        add_actions(app, live.search, actions_secret)
        if (
            settings.engine_url is not None
        ):  # turns of other workers may use our actions: not before they can answer
            await live.load()
        port = await stack.enter_async_context(serving(app, settings.actions_host, settings.actions_port))
        url = settings.engine_url
        if url is None:
            engine_port = settings.engine_port or _free_port()
            url = f"http://127.0.0.1:{engine_port}"
            actions_url = f"http://127.0.0.1:{port}/actions/webhook"
            child = _engine_child(settings, engine_port, engine_secret, actions_url, actions_secret)
            await stack.enter_async_context(background(child.run()))
        engine = HttpEngine(url, engine_secret)
        stack.push_async_callback(engine.close)
        await live.load()
        turns = Turns(
            house.database,
            house.bus,
            house.channels,
            engine,
            SearchEngine(live.search),
            house.wording,
            Handoff(house.wording, house.municipality),
            house.clock,
        )
        worker = Worker(
            house.inbox, turns, house.outbox, house.bus, house.channels, concurrency=settings.concurrency
        )
        privacy = Privacy(house.database, house.clock)

        async def worker_health() -> Health:
            return worker.health()

        jobs = (worker.run(), live.follow(), privacy.keep_purging(settings.retention_days))
        await stack.enter_async_context(background(*jobs))
        yield {"worker": worker_health, "engine": engine.health, "search": live.health}


async def _starting() -> Health:
    return Health("down", "starting")


async def _stopping() -> Health:
    return Health("down", "stopping")


@asynccontextmanager
async def _private_door(settings: Settings) -> AsyncIterator[int]:
    app = application()
    private.add_metrics(app)
    async with serving(app, settings.actions_host, settings.actions_port) as port:
        yield port


def _engine_child(
    settings: Settings, port: int, secret: str, actions_url: str, actions_secret: str
) -> Supervisor:
    return Supervisor(
        [str(settings.engine_python), "-m", "engine"],
        directory=_NLU,
        environment={
            "ENGINE_HOST": "127.0.0.1",
            "ENGINE_PORT": str(port),
            "ENGINE_SECRET": secret,
            "ACTIONS_URL": actions_url,
            "ACTIONS_SECRET": actions_secret,
            "ENGINE_PARENT_PID": str(os.getpid()),
            "LOG_LEVEL": settings.log_level,
        },
    )


def _secret(given: Any) -> str:
    return given.get_secret_value() if given else secrets.token_urlsafe(32)


def _off(settings: Settings) -> dict[str, Check]:
    async def off() -> Health:
        return Health("off", "TELEGRAM_TOKEN is not set")

    return {} if settings.telegram_token else {"telegram": off}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# -- what the commands call ---------------------------------------------------------------------------------


async def prepare(settings: Settings) -> None:
    """Make the store ready: tables, and the starter content where there is no article yet."""
    try:
        await migrate(settings.database)
    except (SQLAlchemyError, OSError) as error:
        raise NotPossible(
            f"the database can't be made ready ({type(error).__name__}): is it there?"
        ) from None
    async with open_house(settings, {}) as house:
        if not await _articles(house).published():
            done = await import_content(house, CONTENT, author="starter content")
            log.info("starter content: %s", done)


async def import_content(house: House, directory: Path, *, author: str) -> str:
    """Publish every article of a folder; what was done, in words. Raises `NotPossible` with every problem."""
    from knowledge.store import ContentError, read_content

    try:
        drafts = await asyncio.to_thread(read_content, directory, house.municipality.variables)
    except ContentError as error:
        raise NotPossible(str(error)) from None
    done = await _articles(house).publish(drafts, author)
    return f"{len(done.added)} new, {len(done.changed)} changed, {len(done.unchanged)} as they were"


async def export_content(house: House, directory: Path) -> int:
    """Write every published article to its file; how many."""
    return await _articles(house).export(directory)


def _articles(house: House) -> ArticleStore:
    from knowledge.store import ArticleStore

    return ArticleStore(house.database, house.bus, house.clock)


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


async def serve(settings: Settings, stop: asyncio.Event, *, web: bool, work: bool) -> None:
    """Run one or both roles until `stop`."""
    async with open_house(settings) as house, AsyncExitStack() as stack:
        await check_schema(house)
        if web and work and settings.embedded:  # we are the only process: what a killed one held is ours
            await house.inbox.clear_leases()
            await house.outbox.clear_leases()
        parts: dict[str, Check] = {"database": house.database.health, "bus": house.bus.health}
        if web and work:
            parts["worker"] = _starting
        address = await stack.enter_async_context(web_role(house, parts)) if web else None
        if web and not work:
            await stack.enter_async_context(_private_door(settings))
        if work:
            parts.update(await stack.enter_async_context(worker_role(house)))
        gc.collect()
        gc.freeze()  # what is loaded now stays: looking through it again and again would cost a tenth of the time
        _announce(address)
        await stop.wait()
        parts.clear()  # who balances the load sends nothing more
        parts["process"] = _stopping
        log.info("stopping: what runs is finished first")


def _alone(settings: Settings) -> Settings:
    """The settings for a command that runs beside `klaartje run`: ports of its own."""
    return settings.model_copy(update={"engine_port": 0, "actions_port": 0})


async def _engine_ready(parts: Mapping[str, Check], seconds: float = 60.0) -> None:
    """Wait for the dialogue engine. Raises `NotPossible` where it does not come."""
    try:
        async with asyncio.timeout(seconds):
            while (health := await parts["engine"]()).state != "ok":
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise NotPossible(f"the dialogue engine does not start: {health.detail}") from None


@asynccontextmanager
async def asking(settings: Settings) -> AsyncIterator[Asking]:
    """A worker for questions of a program, beside whatever else runs."""
    from connectors.ask import Ask

    channel = Ask()
    await prepare(settings)
    async with open_house(_alone(settings), {channel.name: channel}) as house, worker_role(house) as parts:
        await _engine_ready(parts)
        yield Asking(house.database, house.bus, channel.name, house.clock)


async def evaluate(settings: Settings, file: Path) -> str:
    """How well the search answers a file of questions, in lines. Raises `NotPossible` for a file that is none."""
    from knowledge import evaluate

    try:
        cases = evaluate.read_cases(file)
    except ValueError as error:
        raise NotPossible(f"{file}: {error}") from None
    await prepare(settings)
    async with open_house(settings, {}) as house, searching(house) as live:
        await live.load()
        return "\n".join((await evaluate.evaluate(live.search, cases)).lines())


async def chat(settings: Settings, stop: asyncio.Event) -> None:
    """The conversation in a terminal, until its input ends or `stop`."""
    from connectors.terminal import StandardInput, Terminal

    await prepare(settings)
    channels: dict[str, Channel] = {}
    async with open_house(_alone(settings), channels) as house:
        address = str(uuid.uuid4())
        transcript = Transcript(house.database, "terminal")

        async def settled() -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(30):
                    while not await transcript.is_settled(address):
                        await asyncio.sleep(0.02)

        person = sys.stdin.isatty()
        terminal = Terminal(StandardInput(), sys.stdout, address=address, interactive=person, settled=settled)
        channels[terminal.name] = terminal
        async with worker_role(house) as parts:
            await _engine_ready(parts)
            talk = asyncio.create_task(terminal.listen(house.edge))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({talk, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if talk.done():
                await talk  # what went wrong, if anything did
            talk.cancel()


def channel_checks(house: House) -> dict[str, Check]:
    """What to look at for each channel, also those that are off."""
    return {**_off(house.settings), **{name: channel.health for name, channel in house.channels.items()}}


def _announce(address: str | None) -> None:
    if address is None:
        log.info("worker ready")
        return
    log.info("ready")
    sys.stdout.write(
        f"\nKlaartje is ready.\n  chat     {address}\n  health   {address}health/ready\nStop with Ctrl-C.\n\n"
    )
    sys.stdout.flush()
