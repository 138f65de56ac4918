"""`klaartje users`: the list of staff, for the engineer. The pages below `/beheer` do the same for an administrator."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import click

from bot.app.house import check_schema, open_house
from bot.app.jobs import run_job
from bot.app.staff import setup_link
from bot.settings import Settings
from bot.staff.members import MOST, Members, Wanted, state_of
from bot.staff.roles import Role

_ROLE = click.Choice([role.value for role in Role])
_MOST = click.IntRange(1, MOST)


@click.group()
def users() -> None:
    """Who works here and may sign in."""


def _told_link(told: tuple[str, bool]) -> None:
    link, local = told
    click.echo(f"Give this link to nobody else. It works once, within 24 hours:\n{link}")
    if not local:
        click.echo("It works only where LOCAL_ACCOUNTS is true.")


@users.command(name="add")
@click.argument("name")
@click.option(
    "--role", "roles", type=_ROLE, multiple=True, required=True, help="What for; repeat it for more."
)
@click.option("--team", "teams", multiple=True, help="Whose queue they see; repeat it. All if not given.")
@click.option("--display", default="", help='The name that others read, such as "Sanne de Vries".')
@click.option("--most", type=_MOST, help="Most conversations at the same time.")
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def add_user(
    name: str, roles: tuple[str, ...], teams: tuple[str, ...], display: str, most: int | None, actor: str
) -> None:
    """Add a member of staff with the user name NAME; shows a link to choose a password."""

    async def job(settings: Settings) -> tuple[str, bool]:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            house.municipality.check_teams(teams)
            token = await house.members.add(name, display, map(Role, roles), teams, actor=actor, most=most)
            return setup_link(house, token), settings.local_accounts

    _told_link(run_job(job))


@users.command(name="list")
def list_users() -> None:
    """Show all members of staff: name, state, roles, teams, most conversations, last sign-in."""

    async def job(settings: Settings) -> None:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            rows = await house.members.listed()
        for row in rows:
            seen = f"{row.signed_in_at:%F %R}" if row.signed_in_at else "never signed in"
            teams = ",".join(row.teams or ()) or "-"
            what = f"{','.join(row.roles):24} {teams:16} {row.most or '-':>3}"
            told = f"{row.name:24} {state_of(row):9} {what} {seen}"
            click.echo(f"{told:97} {row.display_name}")
        if not rows:
            click.echo("Nobody is known.")

    run_job(job)


@users.command(name="disable")
@click.argument("name")
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def disable_user(name: str, actor: str) -> None:
    """Let NAME in no more; every session ends now."""
    _with_members(lambda members: members.disable(name, actor=actor))
    click.echo("Disabled.")


@users.command(name="enable")
@click.argument("name")
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def enable_user(name: str, actor: str) -> None:
    """Let NAME in again, with the same password."""
    _with_members(lambda members: members.enable(name, actor=actor))
    click.echo("Enabled.")


@users.command(name="reset")
@click.argument("name")
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def reset_user(name: str, actor: str) -> None:
    """Take away the password, the app and the recovery codes of NAME; shows a link to choose new ones."""

    async def job(settings: Settings) -> tuple[str, bool]:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            token = await house.members.reset(name, actor=actor)
            return setup_link(house, token), settings.local_accounts

    _told_link(run_job(job))


@users.command(name="roles")
@click.argument("name")
@click.argument("roles", type=_ROLE, nargs=-1, required=True)
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def give_roles(name: str, roles: tuple[str, ...], actor: str) -> None:
    """Give NAME these ROLES, and no others."""
    _with_members(lambda members: members.change(name, Wanted(roles=list(map(Role, roles))), actor=actor))
    click.echo("Changed.")


@users.command(name="teams")
@click.argument("name")
@click.argument("teams", nargs=-1)
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def give_teams(name: str, teams: tuple[str, ...], actor: str) -> None:
    """Let NAME see the queue of these TEAMS, and no others; of all, where none is given."""

    async def job(settings: Settings) -> None:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            house.municipality.check_teams(teams)
            await house.members.change(name, Wanted(teams=teams), actor=actor)

    run_job(job)
    click.echo("Changed.")


@users.command(name="most")
@click.argument("name")
@click.argument("number", type=_MOST, required=False)
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def limit_user(name: str, number: int | None, actor: str) -> None:
    """Let NAME have NUMBER conversations at the same time at most; without, as many as the municipality says."""
    _with_members(lambda members: members.limit(name, number, actor=actor))
    click.echo("Changed.")


@users.command(name="remove")
@click.argument("name")
@click.option("--actor", default="engineer", show_default=True, help="Who is named in the audit.")
def remove_user(name: str, actor: str) -> None:
    """Take NAME off the list; what they did stays in the audit."""
    _with_members(lambda members: members.remove(name, actor=actor))
    click.echo("Removed.")


def _with_members(deed: Callable[[Members], Coroutine[Any, Any, None]]) -> None:
    async def job(settings: Settings) -> None:
        async with open_house(settings, {}) as house:
            await check_schema(house)
            await deed(house.members)

    run_job(job)
