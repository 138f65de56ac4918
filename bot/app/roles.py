"""What a process may do: face the internet, or think and deliver."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.accounts import missing
from bot.app.calendar import desk_of
from bot.app.console import behind, console_of
from bot.app.house import House, NotPossible, channel_checks
from bot.app.reporting import report_tidings, with_reports
from bot.app.staff import staff_pages
from bot.attempts import Attempts
from bot.casedesk import CaseDesk
from bot.db.lease import NamedLease
from bot.engine import HttpEngine
from bot.handoff import Handoff
from bot.logs import trail
from bot.ports import DialogueEngine, Health
from bot.privacy import Privacy
from bot.settings import ROOT, Settings
from bot.supervisor import Supervisor
from bot.tending import Tending
from bot.tidings import Tidings
from bot.turn import Turns
from bot.web import private
from bot.web.appointments import AppointmentFile
from bot.web.chat import Chat
from bot.web.health import Check, HealthPage
from bot.web.kcc.shelf import Shelf
from bot.web.member import Identify
from bot.web.notices import Notices
from bot.web.page import add_page
from bot.web.server import application, client_address, serving
from bot.web.staff.door import add_staff, hold
from bot.web.webhooks import Webhooks
from bot.worker import Worker

if TYPE_CHECKING:
    from actions.status import StatusRules
    from knowledge.live import Live

log = logging.getLogger(__name__)

_NLU = ROOT / "nlu"

ACTIONS_BODY = 8 * 2**20
"""Bytes of a call of the engine: the longest text that a channel brings, some times over and escaped."""

LOOK_AFTER = 10.0
"""Seconds after the start at which the channels and the register are looked at."""


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
async def web_role(
    house: House,
    parts: Mapping[str, Check],
    *,
    identify: Identify | None = None,
    shelf: Shelf | None = None,
) -> AsyncIterator[str]:
    """Face the internet: page, chat, webhooks, pages of staff with their console, health, and the channels that are
    fetched. Gives the address. `identify` knows the staff in another way than by signing in; the `shelf` gets its
    search from who has one."""
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
        house.signs,
        house.clock,
    )
    app.on_shutdown.append(chat.close)
    health = HealthPage(parts, channel_checks(house))
    app.add_routes([*chat.routes(), *Webhooks(house.channels, house.edge).routes(), *health.routes()])
    if house.appointments is not None:
        app.add_routes(AppointmentFile(house.appointments, house.wording).routes())
    if settings.zgw_notification_secret:
        secret = settings.zgw_notification_secret.get_secret_value()
        app.add_routes(Notices(house.database, house.bus, secret, house.clock).routes())
    if settings.theme and not settings.theme.is_dir():
        raise NotPossible(f"THEME: {settings.theme} is not a folder")
    variables = house.municipality.variables
    static = add_page(
        app,
        municipality_name=house.municipality.name,
        phone=variables["telefoon"],
        hours=variables["openingstijden_medewerkers"],
        frame_ancestors=settings.frame_ancestors,
        theme=settings.theme,
    )
    shelf = shelf or Shelf(house.wording)
    console, watch = console_of(app, house, shelf, static.address)
    fetching = (
        NamedLease(house.database, f"listen:{name}", house.clock).run(partial(channel.listen, house.edge))
        for name, channel in house.channels.items()
    )
    async with staff_pages(house, static.address, client, shelf) as staff:
        add_staff(app, staff.routes)
        if identify is None:
            app.add_routes([behind(staff.door, one) for one in console])
            hold(app)
        else:
            app.add_routes([one.route(identify) for one in console])
        async with AsyncExitStack() as stack:
            port = await stack.enter_async_context(serving(app, settings.host, settings.port))
            await stack.enter_async_context(background(*fetching, _look_around(house), watch.keep_watching()))
            yield f"http://{settings.host}:{port}/"


async def _look_around(house: House) -> None:
    """Tell soon after the start what is not right with a channel, the register, the calendar or the system of cases;
    `klaartje channels check`, `klaartje callbacks check`, `klaartje appointments check` and `klaartje cases check` tell
    it again."""
    for kind, names in missing(house.settings).items():
        if names and any(name.startswith(f"{kind}_") for name in house.settings.model_fields_set):
            log.warning("%s is off: %s not set", kind, ", ".join(names))
    await asyncio.sleep(LOOK_AFTER)  # by then each channel has told its vendor where we are
    looks = {name: channel.check for name, channel in house.channels.items()}
    if house.settings.openklant_url:
        looks["contacts"] = house.registry.check
    if house.calendar is not None:
        looks["appointments"] = house.calendar.check
    if house.cases:
        looks["cases"] = house.cases.check
    if house.reports:
        looks["reports"] = house.reports.check
    for name, look in looks.items():
        try:
            findings = await look()
        except Exception as error:  # a look at what may be wrong must not be what goes wrong
            log.error("%s can't be looked at: %s", name, trail(error))
            continue
        for finding in findings:
            if finding.state != "ok":
                log.warning("%s: %s: %s", name, finding.what, finding.advice)


@asynccontextmanager
async def searching(house: House) -> AsyncIterator[Live]:
    """The search over what is published; `load` it, and let it `follow`. Raises `NotPossible` without the encoder."""
    from knowledge.encoder import EncoderUnavailable, load_encoder
    from knowledge.live import Live
    from knowledge.search import HybridSearch
    from knowledge.store import ArticleStore
    from knowledge.vectors import FileVectorCache

    try:
        encoder = await asyncio.to_thread(load_encoder, house.settings.encoder)
    except EncoderUnavailable as fault:
        raise NotPossible(f"ENCODER: {fault}") from None
    search = HybridSearch(encoder, FileVectorCache(house.settings.state_dir / "vectors"))
    try:
        yield Live(ArticleStore(house.database, house.bus, house.clock), search, house.bus)
    finally:
        search.close()


async def keep_reading(house: House, shelf: Shelf) -> None:
    """Fill the shelf of a console whose process has no worker, from when an employee first looks, until cancelled."""
    await shelf.wanted.wait()
    try:
        async with searching(house) as live:
            shelf.search = live.search
            await live.follow()
    except NotPossible as fault:
        log.error("employees can't look answers up: %s", fault)


@asynccontextmanager
async def worker_role(house: House, shelf: Shelf | None = None) -> AsyncIterator[Mapping[str, Check]]:
    """Think and deliver: search, actions, engine, turns, outbox. Gives the health checks of its parts. The `shelf` of
    a console in the same process gets the search."""
    from actions.fallback import SearchEngine
    from actions.reports.categories import Categories
    from actions.server import add_actions
    from actions.understanding import Understanding

    settings = house.settings
    actions_secret = _secret(settings.actions_secret)
    engine_secret = _secret(settings.engine_secret)
    async with AsyncExitStack() as stack:
        live = await stack.enter_async_context(searching(house))
        if shelf is not None:
            shelf.search = live.search
        app = application(ACTIONS_BODY)
        _add_metrics(app, house)
        add_actions(
            app,
            live.search,
            actions_secret,
            desk=desk_of(house),
            status=status_rules(house),
            reports=Categories.load() if house.reports else None,
        )
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
        understanding = await asyncio.to_thread(Understanding, live.search)
        handoff = Handoff(house.wording, house.municipality, live.search.article, understanding.urgent)
        turns = Turns(
            house.database,
            house.bus,
            house.channels,
            understanding.around(with_reports(house, with_cases(house, engine))),
            understanding.around(with_reports(house, with_cases(house, SearchEngine(live.search)))),
            understanding.alarm(),
            house.wording,
            handoff,
            house.clock,
            article=live.search.article,
            media_limit=settings.media_max_mb * 2**20,
        )
        tending = Tending(
            house.database,
            house.bus,
            house.channels,
            house.wording,
            house.municipality,
            handoff,
            timedelta(minutes=settings.agent_silent_minutes),
            house.offers,
            house.clock,
        )
        files = house.files
        worker = Worker(
            house.inbox,
            turns,
            house.outbox,
            house.bus,
            house.channels,
            files,
            house.registrations,
            house.report_queue,
            concurrency=settings.concurrency,
        )
        privacy = Privacy(house.database, house.clock, files)

        async def worker_health() -> Health:
            return worker.health()

        tended = NamedLease(house.database, "tending", house.clock).run(tending.keep_tending)
        counted = NamedLease(house.database, "daybook", house.clock).run(house.daybook.keep_counting)
        published = NamedLease(house.database, "drafts", house.clock).run(house.drafts.keep_publishing)
        purged = privacy.keep_purging(settings.retention_days)
        jobs = [worker.run(), live.follow(), purged, tended, counted, published]
        if house.appointments is not None:
            settling = partial(house.appointments.keep_settling, house.bus)
            jobs.append(NamedLease(house.database, "appointments", house.clock).run(settling))
        if house.reminders is not None:
            reminding = house.reminders.keep_looking
            jobs.append(NamedLease(house.database, "reminders", house.clock).run(reminding))
        if tidings := tidings_of(house):
            jobs.append(_looking(house, "tidings", tidings))
        if news := report_tidings(house):
            jobs.append(_looking(house, "report tidings", news))
        await stack.enter_async_context(background(*jobs))
        yield {"worker": worker_health, "engine": engine.health, "search": live.health}


def status_rules(house: House) -> StatusRules | None:
    """What the dialogue must know of the cases that can be looked up."""
    from actions.references import References
    from actions.status import StatusRules

    rules = house.municipality.cases
    if house.cases is None or rules is None:
        return None
    articles = frozenset(slug for one in rules.types for slug in one.articles)
    return StatusRules(References(rules.references), rules.facts, articles)


def with_cases(house: House, engine: DialogueEngine) -> DialogueEngine:
    """The engine with the desk of cases behind it, where there is one."""
    if house.cases is None or (words := house.case_words) is None:
        return engine
    attempts = Attempts(house.database, house.clock)
    minutes = house.settings.cases_minutes
    return CaseDesk(house.cases, words, attempts, house.clock, minutes=minutes).around(engine)


def tidings_of(house: House) -> Tidings | None:
    """What tells of changes of cases, where they can be followed."""
    if house.cases is None or (words := house.case_words) is None:
        return None
    return Tidings(
        house.database,
        house.bus,
        house.channels,
        house.cases,
        words,
        house.wording,
        house.clock,
        minutes=house.settings.cases_minutes,
    )


def _looking(house: House, name: str, tidings: Tidings) -> Coroutine[Any, Any, None]:
    """Who has other channels, such as `klaartje ask`, must not keep the others from looking."""
    name = f"{name}:{','.join(sorted(house.channels))}"[:64]
    return NamedLease(house.database, name, house.clock).run(tidings.keep_looking)


@asynccontextmanager
async def private_door(house: House) -> AsyncIterator[int]:
    """Serve figures and a sign of life on the private port; gives the port."""
    app = application()
    _add_metrics(app, house)
    async with serving(app, house.settings.actions_host, house.settings.actions_port) as port:
        yield port


def _add_metrics(app: web.Application, house: House) -> None:
    numbers = [name for name, channel in house.channels.items() if channel.limits.window_hours]
    private.add_metrics(app, house.usage, house.settings.whatsapp_free_messages, numbers)


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
