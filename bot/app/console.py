"""The console of KCC agents, put together."""

from __future__ import annotations

from aiohttp import web

from actions.moods import Moods
from bot.app.house import House
from bot.board import Boards
from bot.briefing import Briefings
from bot.desk import Agent, Desk
from bot.handoff import Handoff
from bot.ports import Refused
from bot.quick import QuickReplies
from bot.settings import ROOT
from bot.shift import Shifts
from bot.staff.roles import Permission
from bot.staff.sessions import Visit
from bot.thread import Threads
from bot.watch import Watch
from bot.web.kcc.acts import Acts
from bot.web.kcc.console import Console
from bot.web.kcc.doors import Door
from bot.web.kcc.line import Lines
from bot.web.kcc.live import Live
from bot.web.kcc.pages import Pages
from bot.web.kcc.shelf import Shelf
from bot.web.member import Member
from bot.web.staff.door import Door as StaffDoor

QUICK_REPLIES = ROOT / "knowledge" / "quick_replies.yml"


def console_of(app: web.Application, house: House, shelf: Shelf, static: str) -> tuple[list[Door], Watch]:
    """All that is under `/kcc`, and the watch that must be kept for it. `static` is the address of the static files.
    Raises `QuickReplyError`."""
    municipality, clock = house.municipality, house.clock
    everyone = tuple(team.name for team in municipality.teams)

    def as_agent(member: Member) -> Agent:
        teams = tuple(team for team in everyone if team in member.teams)  # some may be gone from the file
        most = member.most or municipality.most_conversations
        return Agent(member.id, member.name[:64], teams or everyone, most)

    handoff = Handoff(house.wording, municipality, shelf.article)
    desk = Desk(house.database, house.bus, house.channels, house.wording, municipality, handoff, clock)
    boards = Boards(house.database, municipality, shelf.article, clock)
    threads = Threads(house.database, house.channels, clock)
    watch = Watch(house.bus, boards, threads)
    pages = Pages(municipality.name, static, clock)
    console = Console(
        house.database,
        municipality,
        boards,
        Lines(boards, watch, pages),
        threads,
        Briefings(house.database, house.channels, shelf.article, clock, Moods.load().find),
        Shifts(house.database, municipality, clock),
        QuickReplies.load(QUICK_REPLIES, municipality.variables),
        shelf,
        pages,
        as_agent,
        clock,
    )
    live = Live(watch, as_agent)
    acts = Acts(desk, house.offers, house.files, house.signs, shelf, as_agent)
    app.on_shutdown.append(live.close)
    return [*console.doors(), *live.doors(), *acts.doors()], watch


def behind(staff: StaffDoor, one: Door) -> web.RouteDef:
    """A route of the console behind the door of all staff pages."""

    async def handler(request: web.Request, visit: Visit) -> web.StreamResponse:
        found = visit.member
        if found is None:
            raise Refused("sign in first", 401)
        roles = frozenset(role.value for role in found.roles)
        member = Member(found.name, found.display_name, roles, found.teams, visit.csrf, found.most)
        return await one.handler(request, member)

    add = staff.get if one.method == "GET" else staff.post
    return add(one.path, Permission(one.permission.value), handler)
