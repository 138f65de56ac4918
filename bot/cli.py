"""The `klaartje` command. Every command is described in docs/commands.md; a test holds the two together."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, time
from functools import partial
from pathlib import Path
from typing import Any

import click

from bot.accounts import missing
from bot.app import commands, dates, evaluating, reporting, tuning
from bot.app.house import House, NotPossible, channel_checks, check_schema, open_house
from bot.app.jobs import run_job as _run
from bot.app.users import users
from bot.callbacks import Callbacks
from bot.model import Author, Delivery, Outbound
from bot.ports import AppointmentProvider, ContactRegistry
from bot.privacy import Privacy
from bot.settings import Settings
from bot.usage import free_left, month_of
from bot.window import WindowClosed


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="klaartje")
def main() -> None:
    """Klaartje: a chat assistant for residents of Dutch municipalities."""


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


class _Moment(click.ParamType[datetime]):
    """A moment in ISO 8601; without an offset it is on the clock in Amsterdam."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a moment such as 2026-11-22T10:00", param, ctx)


class _Hours(click.ParamType[tuple[time, time]]):
    """Two times of a day with a dash between them."""

    name = "hours"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[time, time]:
        opens, _, closes = value.partition("-")
        try:
            return _time(opens), _time(closes)
        except ValueError:
            self.fail(f"{value!r} is not hours such as 09:00-17:00", param, ctx)


def _time(value: str) -> time:
    """`9`, `9:00` and `09:00`."""
    return time.fromisoformat(value if value[1:2].isdigit() else f"0{value}")


@main.command(name="when")
@click.option("--now", type=_Moment(), help="When it was written; now where it is not given.")
@click.option("--than", type=_Moment(), help="The moment that was proposed, for `eerder` and `later`.")
@click.option("--hours", type=_Hours(), help="When the desk is open, such as 09:00-17:00.")
@click.argument("text", nargs=-1, required=True)
def when_(
    text: tuple[str, ...], now: datetime | None, than: datetime | None, hours: tuple[time, time] | None
) -> None:
    """Which days and times TEXT names, in Dutch as residents write it: one JSON object."""
    now = now or datetime.now(UTC).replace(second=0, microsecond=0)
    found = dates.when(" ".join(text), now, than=than, hours=hours)
    click.echo(json.dumps(found))
    if "from" in found and found["from"] is None:
        raise click.exceptions.Exit(1)


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
    """Tell for each channel what is set up, reachable and missing, and what to do where it is not right."""

    async def job(settings: Settings) -> bool:
        fine = True
        async with open_house(settings) as house:
            lacking = missing(settings)
            for name, check in channel_checks(house).items():
                health = await check()
                fine = fine and health.ready
                click.echo(f"{name:10} {health.state:9} {health.detail}".rstrip())
                if name not in house.channels:
                    click.echo(f"           todo      set {', '.join(lacking[name])}; see docs/channels.md")
                    continue
                for finding in await house.channels[name].check():
                    fine = fine and finding.state != "wrong"
                    advice = f": {finding.advice}" if finding.advice else ""
                    click.echo(f"           {finding.state:9} {finding.what}{advice}")
        return fine

    if not _run(job):
        raise click.exceptions.Exit(1)


@channels.command()
@click.option("--month", help="The month to show, as 2026-11; this one if not given.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
def usage(month: str | None, as_json: bool) -> None:
    """Count the messages that went out: per account, month and price class, and how many free ones are left."""
    if month is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise click.BadParameter("must be a year and a month: 2026-11", param_hint="--month")

    async def job(settings: Settings) -> None:
        async with open_house(settings) as house:
            await check_schema(house)
            shown = month or month_of(house.clock())
            counts = await house.usage.month(shown)
            windowed = [name for name, channel in house.channels.items() if channel.limits.window_hours]
        for one in counts:
            if as_json:
                click.echo(json.dumps(asdict(one)))
            else:
                click.echo(f"{one.channel:12} {one.kind:16} {one.sent:7} sent {one.delivered:7} delivered")
        if as_json:
            return
        for name in windowed:
            left = free_left(counts, name, settings.whatsapp_free_messages)
            click.echo(f"{name:12} {left} of {settings.whatsapp_free_messages} free messages left in {shown}")
        if not counts:
            click.echo(f"No message was sent in {shown}.")

    _run(job)


@main.group()
def files() -> None:
    """What residents sent along: photos, documents, sound."""


@files.command(name="list")
def list_files() -> None:
    """Show the newest hundred: number, channel, state, kind, size; never their names or what is in them."""

    async def job(settings: Settings) -> None:
        async with open_house(settings) as house:
            await check_schema(house)
            rows = await house.files.listed()
        for row in rows:
            size = f"{row.size / 1024:.0f} KB" if row.size is not None else "-"
            told = f"{row.id}  {row.created_at:%F %R}  {row.channel:10} {row.state:8} {size:>9}  {row.mime}"
            click.echo(f"{told}  {row.error or ''}".rstrip())
        if not rows:
            click.echo("No file was sent.")

    _run(job)


@files.command()
@click.argument("number")
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def link(number: str, actor: str) -> None:
    """Make a link with which an employee can open the file NUMBER, for ten minutes."""

    async def job(settings: Settings) -> str | None:
        async with open_house(settings) as house:
            await check_schema(house)
            token = await house.files.link(number, actor=actor)
        return token and f"{settings.base_url}/kcc/files/{token}"

    found = _run(job)
    if found is None:
        raise click.ClickException("there is no such file, or it was not fetched")
    click.echo(found)


@main.group()
def outbox() -> None:
    """Messages that wait, are held or could not be delivered."""


@outbox.command(name="list")
def list_outbox() -> None:
    """Show the messages that were given up, and those that are held until the resident writes again: number,
    channel, state, attempts, reason; never their text."""

    async def job(settings: Settings) -> None:
        async with open_house(settings) as house:
            await check_schema(house)
            rows = await house.outbox.kept(Delivery.FAILED, Delivery.HELD)
        for row in rows:
            tried = f"{row.attempts:2} attempts"
            told = f"{row.seq:8}  {row.channel:10} {row.state:6} {tried}  {row.created_at:%F %R}  {row.error}"
            click.echo(told)
        if not rows:
            click.echo("No message was given up or is held.")

    _run(job)


@outbox.command()
@click.argument("numbers", type=int, nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that were given up, instead of numbers.")
@click.option("--channel", help="Only those of this channel.")
def replay(numbers: tuple[int, ...], every: bool, channel: str | None) -> None:
    """Try to deliver the messages with these NUMBERS again, or all that were given up."""
    if bool(numbers) == every:
        raise click.UsageError("give numbers, or --all")

    async def job(settings: Settings) -> int:
        async with open_house(settings) as house:
            await check_schema(house)
            return await house.outbox.replay(None if every else numbers, channel=channel)

    click.echo(f"{_run(job)} messages wait for delivery again")


@outbox.command()
@click.argument("channel")
@click.argument("address")
@click.option("--text", help="Free words: only while the vendor's window is open.")
@click.option(
    "--hold", is_flag=True, help="Keep the text, where the window is closed, until the resident writes."
)
@click.option("--template", "name", help="The name of a template, which may go at any time.")
@click.option(
    "--value", "values", multiple=True, metavar="NAME=VALUE", help="A value of the template; repeat it."
)
def send(
    channel: str, address: str, text: str | None, hold: bool, name: str | None, values: tuple[str, ...]
) -> None:
    """Send the resident with ADDRESS on CHANNEL a text or a template."""
    if bool(text) == bool(name):
        raise click.UsageError("give --text or --template")
    if text is not None and not text.strip():
        raise click.UsageError("--text is empty")
    if bad := [value for value in values if "=" not in value]:
        raise click.UsageError(f"--value must be NAME=VALUE: {bad[0]}")
    filled = dict(value.split("=", 1) for value in values)
    if len(filled) < len(values):
        raise click.UsageError("--value names the same twice")

    async def job(settings: Settings) -> None:
        async with open_house(settings) as house:
            await check_schema(house)
            key = await house.post.find(channel, address)
            if name:
                await house.post.template(key, name, filled)
                return
            try:
                await house.post.say(key, Outbound(text or ""), author=Author.AGENT, hold=hold)
            except WindowClosed as closed:
                names = ", ".join(closed.templates) or "none is set up"
                raise NotPossible(
                    "the window is closed: the resident wrote too long ago. Nothing was sent. Send a template "
                    f"({names}), or keep the text until the resident writes, with --hold."
                ) from None

    _run(job)
    click.echo("It is in the outbox.")


@main.command()
@click.argument("channel")
@click.argument("address")
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def forget(channel: str, address: str, actor: str) -> None:
    """Erase all that is kept of the resident with ADDRESS on CHANNEL."""

    async def job(settings: Settings) -> bool:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            privacy = Privacy(house.database, house.clock, house.files)
            return await privacy.forget(channel, address, actor=actor)

    if not _run(job):
        raise click.ClickException("there is no such conversation")
    click.echo("Erased.")


main.add_command(users)


@main.group()
def callbacks() -> None:
    """Requests of residents to be called back."""


@callbacks.command(name="list")
def list_callbacks() -> None:
    """Show the open requests, oldest first, and how far their registration is; then other contacts that could not be
    registered so far."""

    async def job(settings: Settings) -> None:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            rows = await Callbacks(house.database, house.clock).waiting()
            stuck = await house.registrations.stuck()
        for row in rows:
            asked = f"{row.phone:16} {row.part_of_day:14} {row.topic}"
            click.echo(f"{row.reference}  {row.created_at:%F %R}  {row.registration_state:10} {asked}")
            if row.registration_error:
                tried = f"{row.registration_attempts} attempts"
                click.echo(f"           not registered after {tried}: {row.registration_error}")
        if not rows:
            click.echo("Nobody waits for a call.")
        for row in stuck:
            told = f"{row.reference}  {row.at:%F %R}  {row.state:10}"
            click.echo(f"{told} contact, not registered after {row.attempts} attempts: {row.error}")

    _run(job)


@callbacks.command()
@click.argument("numbers", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that are not registered, instead of numbers.")
def register(numbers: tuple[str, ...], every: bool) -> None:
    """Try now to register the requests and contacts with these NUMBERS, or all that are not registered."""
    if bool(numbers) == every:
        raise click.UsageError("give numbers, or --all")

    async def job(settings: Settings) -> int:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            return await house.registrations.again(None if every else numbers)

    click.echo(f"{_run(job)} wait for registration again")


@callbacks.command(name="check")
def check_register() -> None:
    """Tell which register gets the requests, whether it can be reached, and what to do where it is not right."""
    _look(lambda house: house.registry)


def _look(part_of: Callable[[House], ContactRegistry | AppointmentProvider]) -> None:
    """Show the state of a part and what was found about it; end with an error where something is wrong."""

    async def job(settings: Settings) -> bool:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            part = part_of(house)
            health = await part.health()
            findings = await part.check()
            click.echo(f"{part.name:10} {health.state:9} {health.detail}".rstrip())
        for finding in findings:
            advice = f": {finding.advice}" if finding.advice else ""
            click.echo(f"           {finding.state:9} {finding.what}{advice}")
        return health.ready and all(finding.state != "wrong" for finding in findings)

    if not _run(job):
        raise click.exceptions.Exit(1)


@main.group()
def appointments() -> None:
    """The calendar that appointments stand in."""


@appointments.command(name="check")
def check_calendar() -> None:
    """Tell which calendar it is, whether it can be reached, whether it knows our products, and what to do where that
    is not right."""

    def calendar(house: House) -> AppointmentProvider:
        if house.calendar is None:
            raise NotPossible("no appointments: the file of MUNICIPALITY has no part `appointments`")
        return house.calendar

    _look(calendar)


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


@main.group()
def reports() -> None:
    """What residents reported in the street."""


@reports.command(name="list")
@click.option("--all", "every", is_flag=True, help="The closed ones of our own list too.")
def list_reports(every: bool) -> None:
    """Show what is not in the system of reports yet, and, where that is our own list, the open reports."""

    async def job(settings: Settings) -> None:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            lines = await reporting.lines(house, every=every)
        click.echo("\n".join(lines) or "No report is open.")

    _run(job)


@reports.command(name="export")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def export_reports(directory: Path, actor: str) -> None:
    """Write our own list to DIRECTORY: reports.jsonl, and the photos beside it."""

    async def job(settings: Settings) -> int:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            return await reporting.export(house, directory, actor=actor)

    click.echo(f"{_run(job)} reports written to {directory}")


@reports.command(name="close")
@click.argument("number")
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def close_report(number: str, actor: str) -> None:
    """Note in our own list that report NUMBER is dealt with; who follows it hears so."""

    async def job(settings: Settings) -> bool:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            return await reporting.close(house, number, actor=actor)

    if not _run(job):
        raise click.ClickException("there is no open report with this number in our own list")


@reports.command(name="retry")
def retry_reports() -> None:
    """Try now to bring all reports that are not in the system of reports."""

    async def job(settings: Settings) -> int:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            return await house.report_queue.again() if house.report_queue else 0

    click.echo(f"{_run(job)} reports are tried again")


@reports.command(name="check")
def check_reports() -> None:
    """Tell where reports go, whether it can be reached, which categories it lacks, and what to do about it."""

    async def job(settings: Settings) -> bool:
        async with open_house(settings, {}) as house:
            if house.reports is None:
                click.echo("off        nothing is reported in the chat: see REPORTS")
                return True
            health = await house.reports.health()
            findings = [*await house.reports.check(), *await reporting.missing_categories(house)]
            click.echo(f"{house.reports.name:10} {health.state:9} {health.detail}".rstrip())
        for finding in findings:
            advice = f": {finding.advice}" if finding.advice else ""
            click.echo(f"           {finding.state:9} {finding.what}{advice}")
        return health.ready and all(finding.state != "wrong" for finding in findings)

    if not _run(job):
        raise click.exceptions.Exit(1)


@main.group()
def cases() -> None:
    """Cases of residents: how their requests stand."""


@cases.command(name="check")
def check_cases() -> None:
    """Tell which system of cases is asked, whether it can be reached, and what to do where it is not right."""

    async def job(settings: Settings) -> bool:
        async with open_house(settings, {}) as house:
            if house.cases is None or house.case_words is None:
                click.echo(
                    "off        no case is looked up in the chat: see CASES, and `cases` in MUNICIPALITY"
                )
                return True
            health = await house.cases.health()
            findings = await house.cases.check()
            click.echo(f"{house.cases.name:10} {health.state:9} {health.detail}".rstrip())
        for finding in findings:
            advice = f": {finding.advice}" if finding.advice else ""
            click.echo(f"           {finding.state:9} {finding.what}{advice}")
        return health.ready and all(finding.state != "wrong" for finding in findings)

    if not _run(job):
        raise click.exceptions.Exit(1)
