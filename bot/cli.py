"""The `klaartje` command. Every command is described in docs/commands.md; a test holds the two together."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from bot import logs
from bot.app import commands, evaluating, tuning
from bot.app.house import NotMigrated, NotPossible, channel_checks, check_schema, open_house
from bot.callbacks import Callbacks
from bot.municipality import MunicipalityError
from bot.privacy import Privacy
from bot.settings import Settings, SettingsError
from bot.web.server import NotListening
from bot.wording import WordingError

_FAULTS = (SettingsError, MunicipalityError, WordingError, NotMigrated, NotPossible, NotListening)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="klaartje")
def main() -> None:
    """Klaartje: a chat assistant for residents of Dutch municipalities."""


def _run(job: Callable[[Settings], Coroutine[Any, Any, Any]], *, quiet: bool = False) -> Any:
    """Run a job with the settings of the environment; a fault that we know is one clear line, not a trace."""
    try:
        settings = Settings.read()
        if quiet and settings.log_level == "INFO":
            settings = settings.model_copy(update={"log_level": "WARNING"})
        logs.configure(settings.log_level, settings.log_format)
        return asyncio.run(job(settings))
    except _FAULTS as error:
        raise click.ClickException(str(error)) from None
    except ExceptionGroup as group:  # the same, from beside a background job
        known, other = group.split(_FAULTS)
        if known is None or other is not None:
            raise
        raise click.ClickException("; ".join(map(str, _leaves(known)))) from None
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _until_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


@main.command()
def run() -> None:
    """Everything on this machine: tables, starter content, web, worker and the dialogue engine."""

    async def job(settings: Settings) -> None:
        await commands.prepare(settings)
        await _serve(settings, web=True, work=True)

    _run(job)


async def _serve(settings: Settings, *, web: bool, work: bool) -> None:
    await commands.serve(settings, _until_signal(), web=web, work=work)


@main.command()
def web() -> None:
    """Only what faces the internet: the page, the chat, the webhooks."""
    _run(partial(_serve, web=True, work=False))


@main.command()
def worker() -> None:
    """Only the thinking and the delivering; as many of these as you need."""
    _run(partial(_serve, web=False, work=True))


@main.command()
def migrate() -> None:
    """Make or update the tables, and put the starter content in where there is none."""
    _run(commands.prepare)
    click.echo("The database is ready.")


@main.command()
def chat() -> None:
    """Talk with Klaartje in this terminal."""

    async def job(settings: Settings) -> None:
        await commands.chat(settings, _until_signal())

    _run(job, quiet=True)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@click.argument("question", nargs=-1)
def ask(question: tuple[str, ...], as_json: bool) -> None:
    """Ask one QUESTION, or each line of the standard input; each is a conversation of its own."""
    lines = [" ".join(question)] if question else (line.rstrip("\n") for line in sys.stdin)

    async def job(settings: Settings) -> None:
        async with commands.asking(settings) as asking:
            for text in lines:
                answered = await asking.ask(text)
                if as_json:
                    click.echo(json.dumps(asdict(answered), ensure_ascii=False))
                else:
                    click.echo(f"{answered.text}\n")

    _run(job, quiet=True)


@main.command(name="eval")
@click.option(
    "--search", "search_only", is_flag=True, help="Ask only the search: faster, but it knows no tasks."
)
@click.option(
    "--json",
    "judged",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write every judged question to this file, one JSON object a line.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def evaluate(file: Path, search_only: bool, judged: Path | None) -> None:
    """How well the questions of FILE are answered: one {"text", "expect": [slugs or routes]} a line."""
    job = partial(evaluating.evaluate, file=file, search_only=search_only, judged=judged)
    click.echo(_run(job, quiet=True))


@main.command()
@click.option(
    "--questions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Questions of your own to judge by too, as `klaartje eval` reads them.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Chance begins here.")
@click.option("--dry-run", is_flag=True, help="Learn and judge, and keep nothing.")
def tune(questions: Path | None, seed: int, dry_run: bool) -> None:
    """Learn from the published phrasings to find better; kept only if it is better on phrasings not seen."""
    job = partial(tuning.tune, questions=questions, seed=seed, dry_run=dry_run)
    click.echo(_run(job, quiet=True))


@main.group()
def content() -> None:
    """The articles."""


@content.command(name="import")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--author", default="import", show_default=True, help="Who is named in the audit.")
def import_(directory: Path, author: str) -> None:
    """Check all articles of DIRECTORY and publish those that changed: all of them, or none."""

    async def job(settings: Settings) -> str:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            return await commands.import_content(house, directory, author=author)

    click.echo(_run(job))


@content.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def export(directory: Path) -> None:
    """Write every published article to DIRECTORY, one Markdown file each."""

    async def job(settings: Settings) -> int:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            return await commands.export_content(house, directory)

    click.echo(f"{_run(job)} articles written to {directory}")


@content.command(name="check")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@click.argument("paths", type=click.Path(exists=True, path_type=Path), nargs=-1)
def check_content(paths: tuple[Path, ...], as_json: bool) -> None:
    """Tell where the articles of PATHS (files or folders; the shipped ones if none) are harder than B1."""

    async def job(_: Settings) -> tuple[int, int]:
        good = bad = 0
        for checked in commands.check_content(paths):
            good, bad = (good + 1, bad) if checked.is_b1 else (good, bad + 1)
            if as_json:
                click.echo(json.dumps(checked.as_json(), ensure_ascii=False))
            else:
                click.echo("\n".join(checked.lines()))
        return good, bad

    good, bad = _run(job, quiet=True)
    if not as_json:
        click.echo(f"{good} op B1, {bad} te moeilijk")
    if bad:
        raise click.exceptions.Exit(1)


@main.group()
def channels() -> None:
    """The ways to residents."""


@channels.command(name="check")
def check_channels() -> None:
    """Tell for each channel whether it is set up and reachable, and what to do where it is not."""

    async def job(settings: Settings) -> bool:
        fine = True
        async with open_house(settings) as house:
            for name, check in channel_checks(house).items():
                health = await check()
                fine = fine and health.ready
                click.echo(f"{name:10} {health.state:9} {health.detail}")
        return fine

    if not _run(job):
        raise click.exceptions.Exit(1)


@main.group()
def outbox() -> None:
    """Messages that could not be delivered."""


@outbox.command(name="list")
def list_outbox() -> None:
    """Show the messages that were given up: number, channel, attempts, reason; never their text."""

    async def job(settings: Settings) -> None:
        async with open_house(settings) as house:
            await check_schema(house)
            rows = await house.outbox.failed()
        for row in rows:
            click.echo(
                f"{row.seq:8}  {row.channel:10} {row.attempts:2} attempts  {row.created_at:%F %R}  {row.error}"
            )
        if not rows:
            click.echo("No message was given up.")

    _run(job)


@outbox.command()
@click.argument("numbers", type=int, nargs=-1, required=True)
def replay(numbers: tuple[int, ...]) -> None:
    """Try to deliver the messages with these NUMBERS again."""

    async def job(settings: Settings) -> int:
        async with open_house(settings) as house:
            await check_schema(house)
            return await house.outbox.replay(numbers)

    click.echo(f"{_run(job)} messages wait for delivery again")


@main.command()
@click.argument("channel")
@click.argument("address")
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def forget(channel: str, address: str, actor: str) -> None:
    """Erase all that is kept of the resident with ADDRESS on CHANNEL."""

    async def job(settings: Settings) -> bool:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            return await Privacy(house.database, house.clock).forget(channel, address, actor=actor)

    if not _run(job):
        raise click.ClickException("there is no such conversation")
    click.echo("Erased.")


@main.group()
def callbacks() -> None:
    """Requests of residents to be called back."""


@callbacks.command(name="list")
def list_callbacks() -> None:
    """Show the open requests, oldest first."""

    async def job(settings: Settings) -> None:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            rows = await Callbacks(house.database, house.clock).waiting()
        for row in rows:
            click.echo(
                f"{row.reference}  {row.created_at:%F %R}  {row.phone:16} {row.part_of_day:14} {row.topic}"
            )
        if not rows:
            click.echo("Nobody waits for a call.")

    _run(job)


@callbacks.command()
@click.argument("reference")
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def done(reference: str, actor: str) -> None:
    """Note that the resident of REFERENCE was called."""

    async def job(settings: Settings) -> bool:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            return await Callbacks(house.database, house.clock).done(reference, actor=actor)

    if not _run(job):
        raise click.ClickException("there is no such open request")
    click.echo("Noted.")
