"""Managing the list of staff, and reading the audit: who can do what to whom, and what stays. On both stores."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bot.audit import Act, audit
from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import audit as notes
from bot.db.tables import presences, staff_links, staff_sessions, users
from bot.logbook import PAGE, Logbook, Sought
from bot.model import Owner
from bot.queue import AWAY
from bot.staff.members import Members, StaffError, Wanted, Why
from bot.staff.roles import Role
from bot.staff.sessions import Sessions
from tests.conformance.test_desk import ELS, here, waits
from tests.conftest import START, SetClock
from tests.house import TestHouse


@pytest.fixture
def members(database: Database, clock: SetClock) -> Members:
    return Members(database, clock)


async def rows(database: Database, table: sa.Table, *order: Any) -> Sequence[Any]:
    async with database.read() as connection:
        return (await connection.execute(sa.select(table).order_by(*order))).all()


async def hires(members: Members, name: str, *roles: Role, work: bool = False) -> None:
    """Somebody who can sign in."""
    await members.add(name, name.title(), roles, actor="engineer")
    way = {"issuer": "https://login.example.nl", "subject": name} if work else {"password_hash": "x"}
    async with members._database.write() as connection:
        await connection.execute(sa.update(users).where(users.c.name == name).values(**way))


async def state(members: Members, name: str) -> Any:
    return next(row for row in await members.listed() if row.name == name)


class TestChanging:
    async def test_only_what_is_wanted_otherwise_and_each_is_noted(
        self, database: Database, members: Members
    ) -> None:
        await members.add("els", "Els", [Role.AGENT], ["kcc"], actor="engineer")
        await members.change("els", Wanted("Els", [Role.AGENT], ["kcc"]), actor="annemiek")
        await members.change(
            "els", Wanted("Els Jansen", [Role.AGENT, Role.EDITOR], ["burgerzaken", "kcc"]), actor="annemiek"
        )
        await members.change("els", Wanted(teams=[]), actor="annemiek")
        row = await state(members, "els")
        assert (row.display_name, row.roles, row.teams) == ("Els Jansen", ["agent", "editor"], [])
        noted = [(one.actor, one.action, one.detail) for one in await rows(database, notes, notes.c.seq)]
        assert noted == [
            ("engineer", Act.ADDED, {"roles": ["agent"], "teams": ["kcc"]}),
            ("annemiek", Act.CHANGED_NAME, {}),
            ("annemiek", Act.CHANGED_ROLES, {"roles": ["agent", "editor"]}),
            ("annemiek", Act.CHANGED_TEAMS, {"teams": ["burgerzaken", "kcc"]}),
            ("annemiek", Act.CHANGED_TEAMS, {"teams": []}),
        ]

    async def test_how_many_conversations_or_as_the_municipality_says(
        self, database: Database, members: Members
    ) -> None:
        await members.add("els", "Els", [Role.AGENT], actor="engineer", most=1)
        await members.change("els", Wanted(most=1), actor="annemiek")
        await members.change("els", Wanted("Els Jansen"), actor="annemiek")
        assert (await state(members, "els")).most == 1
        await members.change("els", Wanted(most=20), actor="annemiek")
        await members.change("els", Wanted(most=0), actor="annemiek")
        assert (await state(members, "els")).most is None
        await members.limit("els", 5, actor="annemiek")
        for deed in (
            members.change("els", Wanted("Anders", most=21), actor="annemiek"),
            members.limit("els", -1, actor="annemiek"),
            members.add("jan", "Jan", [Role.AGENT], actor="annemiek", most=21),
        ):
            with pytest.raises(StaffError) as refused:
                await deed
            assert refused.value.why is Why.BAD_MOST
        assert [(row.display_name, row.most) for row in await members.listed()] == [("Els Jansen", 5)]
        noted = [(one.action, one.detail) for one in await rows(database, notes, notes.c.seq)]
        assert noted == [
            (Act.ADDED, {"roles": ["agent"], "most": 1}),
            (Act.CHANGED_NAME, {}),
            *((Act.CHANGED_MOST, {"most": number}) for number in (20, None, 5)),
        ]

    async def test_without_a_role_is_refused_whole(self, database: Database, members: Members) -> None:
        with pytest.raises(StaffError, match="role"):
            await members.add("els", "Els", [], actor="annemiek")
        await members.add("els", "Els", [Role.AGENT], actor="engineer")
        with pytest.raises(StaffError) as refused:
            await members.change("els", Wanted("Anders", []), actor="annemiek")
        assert refused.value.why is Why.NO_ROLE
        assert (await state(members, "els")).display_name == "Els"
        assert len(await rows(database, notes)) == 1

    async def test_what_the_provider_says_stays_as_it_is(self, database: Database, clock: SetClock) -> None:
        members = Members(database, clock)
        await hires(members, "werk", Role.AGENT, work=True)
        for wanted, why in (
            (Wanted("Anders"), Why.NAME_ELSEWHERE),
            (Wanted(roles=[Role.ADMIN]), Why.ROLES_ELSEWHERE),
        ):
            with pytest.raises(StaffError) as refused:
                await members.change("werk", wanted, actor="annemiek")
            assert refused.value.why is why
        await members.change("werk", Wanted(teams=["kcc"]), actor="annemiek")
        assert (await state(members, "werk")).teams == ["kcc"]
        other = Members(database, clock, teams_elsewhere=True)
        with pytest.raises(StaffError) as refused:
            await other.change("werk", Wanted(teams=[]), actor="annemiek")
        assert refused.value.why is Why.TEAMS_ELSEWHERE

    async def test_last_seen_is_of_the_session_used_last(
        self, database: Database, members: Members, clock: SetClock
    ) -> None:
        await hires(members, "els", Role.AGENT)
        assert (await state(members, "els")).seen_at is None
        sessions = Sessions(database, 60, clock)
        tokens = []
        for _ in range(2):
            async with database.write() as connection:
                tokens.append(
                    await sessions.begin(connection, (await state(members, "els")).id, "els", "password")
                )
            clock.forward(minutes=5)
        await sessions.find(tokens[0])
        assert (await state(members, "els")).seen_at == clock()


class TestTheWayIn:
    """Nobody can take their own way in, nor that of the last administrator."""

    async def test_not_from_oneself(self, members: Members) -> None:
        await hires(members, "annemiek", Role.ADMIN)
        await hires(members, "bas", Role.ADMIN)
        for deed in (
            members.disable("annemiek", actor="annemiek", guarded=True),
            members.remove("annemiek", actor="annemiek", guarded=True),
            members.reset("annemiek", actor="annemiek", guarded=True),
            members.change("annemiek", Wanted(roles=[Role.EDITOR]), actor="annemiek", guarded=True),
        ):
            with pytest.raises(StaffError) as refused:
                await deed
            assert refused.value.why is Why.YOURSELF
        own = Wanted("Annemiek B", [Role.ADMIN, Role.AGENT], ["kcc"])
        await members.change("annemiek", own, actor="annemiek", guarded=True)

    async def test_not_from_the_last_administrator(self, members: Members) -> None:
        await hires(members, "bas", Role.ADMIN)
        await members.add("nieuw", "Nieuw", [Role.ADMIN], actor="engineer")  # did not choose a password yet
        await hires(members, "els", Role.AGENT)
        for deed in (
            members.disable("bas", actor="nieuw", guarded=True),
            members.remove("bas", actor="nieuw", guarded=True),
            members.reset("bas", actor="nieuw", guarded=True),
            members.change("bas", Wanted(roles=[Role.EDITOR]), actor="nieuw", guarded=True),
        ):
            with pytest.raises(StaffError) as refused:
                await deed
            assert refused.value.why is Why.LAST_ADMIN
        await members.disable("els", actor="nieuw", guarded=True)
        await hires(members, "werk", Role.ADMIN, work=True)
        await members.disable("bas", actor="werk", guarded=True)

    @pytest.mark.parametrize("which", ["disable", "remove", "change"])
    async def test_of_two_who_do_it_to_each_other_one_stays(self, members: Members, which: str) -> None:
        await hires(members, "annemiek", Role.ADMIN)
        await hires(members, "bas", Role.ADMIN)

        async def does(actor: str, name: str) -> None:
            if which == "change":
                await members.change(name, Wanted(roles=[Role.EDITOR]), actor=actor, guarded=True)
            else:
                await getattr(members, which)(name, actor=actor, guarded=True)

        done = await asyncio.gather(does("annemiek", "bas"), does("bas", "annemiek"), return_exceptions=True)
        [refused] = [one for one in done if one is not None]
        assert isinstance(refused, StaffError) and refused.why is Why.LAST_ADMIN

    async def test_the_engineer_is_above_it(self, members: Members) -> None:
        await hires(members, "engineer", Role.ADMIN)
        await members.disable("engineer", actor="engineer")
        await members.remove("engineer", actor="engineer")
        assert await members.listed() == []


class TestLeaving:
    @pytest.mark.parametrize("leaves", ["disable", "remove", "change"])
    async def test_conversations_go_back_at_the_next_look(
        self, database: Database, clock: SetClock, leaves: str
    ) -> None:
        house, members = TestHouse(database, MemoryBus(), clock), Members(database, clock)
        await hires(members, "els", Role.AGENT)
        key = await waits(house)
        await here(house, ELS)
        await house.desk.take(key, ELS)
        assert await house.tending.reclaim() == 0
        if leaves == "change":
            await members.change("els", Wanted(roles=[Role.EDITOR]), actor="annemiek", guarded=True)
        else:
            await getattr(members, leaves)("els", actor="annemiek", guarded=True)
        assert await house.tending.reclaim() == 1
        await house.work()
        assert await house.owner() is Owner.WAITING
        assert house.read()[-1] == house.wording.say("agent_gone").text
        [present] = await rows(database, presences)
        assert present.state == AWAY

    async def test_who_stays_an_agent_keeps_them(self, database: Database, clock: SetClock) -> None:
        house, members = TestHouse(database, MemoryBus(), clock), Members(database, clock)
        await hires(members, "els", Role.AGENT)
        key = await waits(house)
        await here(house, ELS)
        await house.desk.take(key, ELS)
        await members.change("els", Wanted("Els J", [Role.TEAM_LEAD], ["kcc"]), actor="annemiek")
        assert await house.tending.reclaim() == 0

    async def test_sessions_and_links_end_and_the_name_is_not_given_again(
        self, database: Database, members: Members, clock: SetClock
    ) -> None:
        await hires(members, "els", Role.AGENT)
        sessions = Sessions(database, 60, clock)
        async with database.write() as connection:
            token = await sessions.begin(connection, (await state(members, "els")).id, "els", "password")
        await members.remove("els", actor="annemiek", guarded=True)
        assert await sessions.find(token) is None
        for table in (users, staff_sessions, staff_links):
            assert await rows(database, table) == []
        assert (await rows(database, notes, notes.c.seq))[-1].action == Act.REMOVED
        with pytest.raises(StaffError) as refused:
            await members.add("Els", "Een ander", [Role.ADMIN], actor="annemiek")
        assert refused.value.why is Why.USED


class TestLogbook:
    @pytest.fixture
    async def logbook(self, database: Database, members: Members) -> Logbook:
        await members.add("els", "Els Jansen", [Role.AGENT], actor="engineer")
        await members.add("jan", "Jan Piek", [Role.AGENT], actor="annemiek")
        return Logbook(database)

    async def test_newest_first_with_names(self, database: Database, logbook: Logbook) -> None:
        async with database.write() as connection:
            [key] = (await connection.execute(sa.select(users.c.id).where(users.c.name == "jan"))).scalars()
            await audit(connection, "-", Act.SIGN_IN_FAILED, key, at=START)
            await audit(connection, "els", Act.OPENED_CONVERSATION, "c1", at=START)
        found, more = await logbook.page(Sought())
        assert not more
        assert [(one.person, one.act, one.about) for one in found] == [
            ("Els Jansen (els)", Act.OPENED_CONVERSATION, "c1"),
            ("-", Act.SIGN_IN_FAILED, "Jan Piek (jan)"),
            ("annemiek", Act.ADDED, "Jan Piek (jan)"),
            ("engineer", Act.ADDED, "Els Jansen (els)"),
        ]

    async def test_by_person_act_and_day_of_amsterdam(self, database: Database, logbook: Logbook) -> None:
        moments = [
            datetime(2026, 3, 28, 22, 59, tzinfo=UTC),
            datetime(2026, 3, 28, 23, 0, tzinfo=UTC),
            datetime(2026, 3, 29, 21, 59, tzinfo=UTC),  # summer time began in between: a day of 23 hours
            datetime(2026, 3, 29, 22, 0, tzinfo=UTC),
        ]
        async with database.write() as connection:
            for number, at in enumerate(moments):
                await audit(connection, "els", Act.SEARCHED, str(number), at=at)
            await audit(connection, "jan", Act.SIGNED_IN, at=START)

        async def found(**sought: Any) -> list[str]:
            entries, _ = await logbook.page(Sought(**sought))
            return [entry.object for entry in entries]

        assert await found(day=date(2026, 3, 29)) == ["2", "1"]
        assert await found(day=date(2026, 3, 28)) == ["0"]
        assert await found(person="JANSEN", day=date(2026, 3, 30)) == ["3"]
        assert await found(person=" els ", act=Act.SEARCHED) == ["3", "2", "1", "0"]
        assert await found(person="annemiek") == ["jan"]
        assert await found(person="els", others=frozenset({"engineer"})) == ["3", "2", "1", "0", "els"]
        assert await found(person="niemand") == await found(act=Act.PURGED) == []

    async def test_by_pages_and_all_at_once(
        self, database: Database, logbook: Logbook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.logbook._BATCH", 7)
        async with database.write() as connection:
            await audit(connection, "retention", Act.PURGED, *map(str, range(PAGE + 3)), at=START)
        first, more = await logbook.page(Sought())
        assert more and len(first) == PAGE
        async with database.write() as connection:
            await audit(connection, "els", Act.SIGNED_IN, at=START)  # a new line shifts nothing
        second, more = await logbook.page(Sought(), first[-1].seq)
        assert not more
        pages = [entry.seq for entry in (*first, *second)]
        assert pages == sorted(pages, reverse=True) and len(set(pages)) == PAGE + 5
        batches = [batch async for batch in logbook.all(Sought(act=Act.PURGED))]
        assert [len(batch) for batch in batches] == [7] * 7 + [4]
        assert [one.object for batch in batches for one in batch] == [
            str(n) for n in reversed(range(PAGE + 3))
        ]
