"""What the commands of `bot.cli` do."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from bot.app.calendar import health_of
from bot.app.house import House, NotPossible, check_schema, open_house
from bot.app.roles import background, keep_reading, private_door, web_role, worker_role
from bot.app.staff import first_link
from bot.ask import Asking
from bot.db.migrate import migrate
from bot.ports import Channel, Health
from bot.settings import ROOT, Settings
from bot.transcript import Transcript
from bot.web.health import Check
from bot.web.kcc.shelf import Shelf

if TYPE_CHECKING:
    from knowledge.plain.show import Checked
    from knowledge.store import ArticleStore

log = logging.getLogger(__name__)

CONTENT = ROOT / "knowledge" / "content"


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


def check_content(paths: Sequence[Path]) -> Iterator[Checked]:
    """How plain the articles of files and folders are; of the shipped content where there is no path.

    Raises `NotPossible` where there is no article.
    """
    from knowledge.plain.show import article_files, check_files

    try:
        files = article_files(paths or [CONTENT])
    except ValueError as error:
        raise NotPossible(str(error)) from None
    return check_files(files)


def _articles(house: House) -> ArticleStore:
    from knowledge.store import ArticleStore

    return ArticleStore(house.database, house.bus, house.clock)


async def serve(settings: Settings, stop: asyncio.Event, *, web: bool, work: bool) -> None:
    """Run one or both roles until `stop`."""
    async with open_house(settings) as house, AsyncExitStack() as stack:
        await check_schema(house)
        if web and work and settings.embedded:  # we are the only process: what a killed one held is ours
            await house.inbox.clear_leases()
            await house.outbox.clear_leases()
            await house.registrations.clear_leases()
        parts: dict[str, Check] = {
            "database": house.database.health,
            "bus": house.bus.health,
            "contacts": house.registrations.health,
        }
        if house.calendar is not None:
            parts["appointments"] = partial(health_of, house.calendar)
        if house.cases:
            parts["cases"] = house.cases.health
        if web and work:
            parts["worker"] = _starting
        shelf = Shelf(house.wording)
        address = await stack.enter_async_context(web_role(house, parts, shelf=shelf)) if web else None
        if web and not work:
            await stack.enter_async_context(private_door(house))
            await stack.enter_async_context(background(keep_reading(house, shelf)))
        if work:
            parts.update(await stack.enter_async_context(worker_role(house, shelf)))
        gc.collect()
        gc.freeze()  # what is loaded now stays: looking through it again and again would cost a tenth of the time
        _announce(address, await first_link(house, address) if address and work else None)
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


async def _starting() -> Health:
    return Health("down", "starting")


async def _stopping() -> Health:
    return Health("down", "stopping")


def _announce(address: str | None, first: str | None) -> None:
    if address is None:
        log.info("worker ready")
        return
    log.info("ready")
    lines = ["", "Klaartje is ready.", f"  chat     {address}", f"  staff    {address}inloggen"]
    if first:
        lines += [
            f"  first    {first}",
            "           Signs you in as administrator: once, within an hour, and only you.",
        ]
    lines += [f"  health   {address}health/ready", "Stop with Ctrl-C.", "", ""]
    sys.stdout.write("\n".join(lines))
    sys.stdout.flush()
