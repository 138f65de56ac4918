"""Staff in the store: accounts, sign-in by password and by work account, sessions and audit. On both stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import pyotp
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from yarl import URL

from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import audit, recovery_codes, staff_links, staff_sessions, users, work_sign_ins
from bot.staff import totp
from bot.staff.credentials import Credentials, WrongCode
from bot.staff.members import Members, StaffError, Wanted, state_of
from bot.staff.oidc import OidcFault, Provider
from bot.staff.passwords import Passwords
from bot.staff.roles import Role
from bot.staff.sessions import Sessions
from bot.staff.signin import Limits, Proofs, SignIn, TooFast
from bot.staff.work import ByClaim, NoAccess, WorkAccounts
from tests.conftest import SetClock
from tests.fakes.oidc import CLIENT, SECRET, FakeOidc

PASSWORD = "paarse fiets onder water"
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class CountingPasswords(Passwords):
    """Counts the hashes that are made."""

    def __init__(self) -> None:
        super().__init__(QUICK)
        self.looked = 0

    def _verify(self, password: str, kept: str) -> bool:
        self.looked += 1
        return super()._verify(password, kept)


class Desk:
    """The parts together."""

    def __init__(self, database: Database, clock: SetClock) -> None:
        self.database, self.clock = database, clock
        self.bus = MemoryBus()
        self.members = Members(database, clock)
        self.sessions = Sessions(database, 60, clock)
        self.passwords = CountingPasswords()
        self.credentials = Credentials(database, self.sessions, self.passwords, clock)
        self.sign_in = SignIn(database, self.sessions, self.passwords, Limits(self.bus), clock)

    async def hires(self, name: str = "sanne", *roles: Role) -> str:
        """Somebody with a password; the key of the app."""
        link = await self.members.add(name, "", roles or [Role.AGENT], actor="engineer")
        member = await self.credentials.invited(link)
        assert member
        secret = await self.credentials.pending(member)
        chosen = await self.credentials.choose(member, PASSWORD, self.code(secret), link)
        assert chosen and await self.sessions.find(chosen.token) is not None
        self.clock.forward(seconds=30)
        return secret

    def code(self, secret: str) -> str:
        return pyotp.TOTP(secret).at(self.clock())

    async def tries(self, secret: str, **otherwise: str) -> str | None:
        given = {"name": "sanne", "password": PASSWORD, "code": self.code(secret), **otherwise}
        return await self.sign_in.try_in(Proofs(**given), "10.0.0.1")

    async def rows(self, table: sa.Table) -> Sequence[Any]:
        async with self.database.read() as connection:
            return (await connection.execute(sa.select(table))).all()


@pytest.fixture
def desk(database: Database, clock: SetClock) -> Desk:
    return Desk(database, clock)


class TestMembers:
    async def test_from_invited_to_active_to_disabled_and_back(self, desk: Desk) -> None:
        assert not await desk.members.exist()
        await desk.members.add("Sanne", "Sanne de Vries", [Role.AGENT, Role.ADMIN], actor="engineer")
        assert await desk.members.exist()

        async def state() -> str:
            [row] = await desk.members.listed()
            return state_of(row)

        [row] = await desk.members.listed()
        assert (row.name, row.display_name, row.roles) == ("sanne", "Sanne de Vries", ["admin", "agent"])
        assert await state() == "invited"
        await desk.members.disable("SANNE", actor="engineer")
        assert await state() == "disabled"
        assert await desk.rows(staff_links) == []
        await desk.members.enable("sanne", actor="engineer")
        assert await state() == "invited"
        await desk.members.change("sanne", Wanted(roles=[Role.EDITOR]), actor="els")
        [row] = await desk.members.listed()
        assert row.roles == ["editor"]
        assert [(one.actor, one.action, one.object) for one in await desk.rows(audit)] == [
            ("engineer", "added member of staff", "sanne"),
            ("engineer", "disabled member of staff", "sanne"),
            ("engineer", "enabled member of staff", "sanne"),
            ("els", "changed roles", "sanne"),
        ]

    @pytest.mark.parametrize("name", ["", "x", "Sanne de Vries", "-x", "x" * 65, "sanne\n"])
    async def test_a_name_that_is_none(self, desk: Desk, name: str) -> None:
        with pytest.raises(StaffError, match="a name has"):
            await desk.members.add(name, "", [Role.AGENT], actor="engineer")

    async def test_a_name_is_taken_once(self, desk: Desk) -> None:
        await desk.members.add("sanne", "", [Role.AGENT], actor="engineer")
        with pytest.raises(StaffError, match="already"):
            await desk.members.add("SANNE", "", [Role.ADMIN], actor="engineer")
        assert len(await desk.rows(staff_links)) == 1
        for deed in (desk.members.disable, desk.members.enable, desk.members.reset):
            with pytest.raises(StaffError, match="nobody"):
                await deed("piet", actor="engineer")

    async def test_a_reset_takes_everything_and_a_new_link_gives_it_back(self, desk: Desk) -> None:
        secret = await desk.hires()
        first = await desk.members.reset("sanne", actor="engineer")
        second = await desk.members.reset("sanne", actor="engineer")
        [row] = await desk.rows(users)
        assert row.password_hash is row.totp_secret is row.totp_pending is row.totp_step is None
        assert await desk.rows(recovery_codes) == await desk.rows(staff_sessions) == []
        assert await desk.tries(secret) is None
        assert await desk.credentials.invited(first) is None
        assert await desk.credentials.invited(second) is not None

    async def test_of_two_at_once_with_one_link_one_chooses(self, desk: Desk) -> None:
        link = await desk.members.add("sanne", "", [Role.AGENT], actor="engineer")
        member = await desk.credentials.invited(link)
        assert member
        code = desk.code(await desk.credentials.pending(member))
        chosen = await asyncio.gather(
            *(desk.credentials.choose(member, f"{PASSWORD} {n}", code, link) for n in range(4))
        )
        assert sum(one is not None for one in chosen) == 1
        assert len(await desk.rows(staff_sessions)) == 1

    async def test_a_wrong_code_leaves_the_link_as_it_was(self, desk: Desk) -> None:
        link = await desk.members.add("sanne", "", [Role.AGENT], actor="engineer")
        member = await desk.credentials.invited(link)
        assert member
        secret = await desk.credentials.pending(member)
        with pytest.raises(WrongCode):
            await desk.credentials.choose(member, PASSWORD, "000000", link)
        assert await desk.credentials.choose(member, PASSWORD, desk.code(secret), link)


class TestSignIn:
    async def test_all_three_are_needed(self, desk: Desk) -> None:
        secret = await desk.hires()
        assert await desk.tries(secret, name="piet") is None
        assert await desk.tries(secret, password=PASSWORD.upper()) is None
        assert await desk.tries(secret, code="000000") is None
        token = await desk.tries(secret, name=" SANNE ")
        assert token
        member = await desk.sessions.find(token)
        assert member and (member.name, member.roles) == ("sanne", {Role.AGENT})

    async def test_the_same_work_for_all_that_is_wrong(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One hash, one comparison of codes and the same statements, whatever was wrong."""
        secret = await desk.hires()
        await desk.hires("weg")
        await desk.members.disable("weg", actor="engineer")
        await desk.members.add("nieuw", "", [Role.AGENT], actor="engineer")
        await desk.passwords.fits("", None)
        compared: list[str] = []
        plain = totp.step_of
        monkeypatch.setattr(totp, "step_of", lambda *given: compared.append("") or plain(*given))
        statements: list[str] = []
        engine = desk.database._engine.sync_engine
        sa.event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        seen = []
        for wrong in (
            {"name": "niemand"},
            {"name": "weg"},
            {"name": "nieuw"},
            {"password": "iets heel anders"},
            {"code": "000000"},
            {"code": ""},
            {"name": "niemand", "code": ""},
        ):
            desk.passwords.looked = 0
            compared.clear()
            statements.clear()
            assert await desk.tries(secret, **wrong) is None
            seen.append((desk.passwords.looked, len(compared), tuple(statements)))
        assert {one[:2] for one in seen} == {(1, 1)}
        assert len(set(seen)) == 1, seen

    async def test_of_two_at_once_with_one_code_one_comes_in(self, desk: Desk) -> None:
        secret = await desk.hires()
        came = await asyncio.gather(*(desk.tries(secret) for _ in range(4)))
        assert sum(token is not None for token in came) == 1

    async def test_a_code_before_the_last_one_does_not_count(self, desk: Desk, clock: SetClock) -> None:
        secret = await desk.hires()
        before = desk.code(secret)
        clock.forward(seconds=30)
        assert await desk.tries(secret)
        assert await desk.tries(secret, code=before) is None

    async def test_an_old_hash_is_made_anew(self, desk: Desk) -> None:
        secret = await desk.hires()
        desk.passwords._hasher = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)
        [before] = await desk.rows(users)
        assert await desk.tries(secret)
        [after] = await desk.rows(users)
        assert "t=1" in before.password_hash and "t=2" in after.password_hash

    async def test_limits_hold_while_the_bus_is_away(self, desk: Desk) -> None:
        class Away(MemoryBus):
            async def allow(self, key: str, *, rate: float, burst: int) -> bool:
                return True

        limits = Limits(Away())
        for _ in range(8):
            await limits.take("10.0.0.1", "sanne")
        with pytest.raises(TooFast):
            await limits.take("10.0.0.2", "sanne")
        for number in range(12):
            await limits.take("10.0.0.1", f"other-{number}")
        with pytest.raises(TooFast):
            await limits.take("10.0.0.1", "one more")

    async def test_who_is_disabled_while_the_hash_is_made_does_not_come_in(self, desk: Desk) -> None:
        secret = await desk.hires()
        fits = desk.passwords.fits

        async def and_meanwhile(password: str, kept: str | None) -> bool:
            found = await fits(password, kept)
            await desk.members.disable("sanne", actor="engineer")
            return found

        desk.passwords.fits = and_meanwhile  # type: ignore[method-assign]
        assert await desk.tries(secret) is None

    async def test_nothing_that_was_typed_is_kept(self, desk: Desk) -> None:
        secret = await desk.hires()
        await desk.tries(secret, name="oeps mijn wachtwoord", password="geheim", code="123456")
        token = await desk.tries(secret)
        for table in (audit, users, staff_sessions, recovery_codes, staff_links):
            kept = str(await desk.rows(table))
            assert not any(word in kept for word in ("oeps", "geheim", PASSWORD, str(token)))


class TestSessions:
    async def test_what_is_over_is_cleared_away(self, desk: Desk, clock: SetClock) -> None:
        secret = await desk.hires()
        await desk.tries(secret)
        assert len(await desk.rows(staff_sessions)) == 2
        await desk.members.add("nieuw", "", [Role.AGENT], actor="engineer")
        clock.forward(hours=25)
        await desk.tries(secret)
        assert len(await desk.rows(staff_sessions)) == 1
        assert await desk.rows(staff_links) == []

    async def test_being_there_is_written_down_now_and_then(self, desk: Desk, clock: SetClock) -> None:
        await desk.hires()
        token = await desk.tries(await self.secret(desk))
        assert token
        [*_, row] = sorted(await desk.rows(staff_sessions), key=lambda row: row.created_at)
        clock.forward(seconds=59)
        await desk.sessions.find(token)
        assert row in await desk.rows(staff_sessions)
        clock.forward(seconds=1)
        await desk.sessions.find(token)
        assert row not in await desk.rows(staff_sessions)

    async def secret(self, desk: Desk) -> str:
        return str((await desk.rows(users))[0].totp_secret)

    async def test_without_local_accounts_who_has_one_is_out(self, desk: Desk) -> None:
        token = await desk.tries(await desk.hires())
        assert token and await desk.sessions.find(token)
        assert await Sessions(desk.database, 60, desk.clock, local=False).find(token) is None


ROLES = {"kcc-team": frozenset({Role.AGENT}), "baas": frozenset({Role.ADMIN, Role.EDITOR})}


class Works:
    """Work accounts at a provider on this machine."""

    def __init__(
        self, desk: Desk, fake: FakeOidc, claim: str = "roles", teams: ByClaim | None = None
    ) -> None:
        self.desk, self.fake = desk, fake
        self.provider = Provider(fake.issuer, CLIENT, SECRET, "http://127.0.0.1:1/inloggen/terug")
        parts = (desk.database, desk.sessions, self.provider, claim, ROLES, desk.clock)
        self.accounts = WorkAccounts(*parts, teams=teams)

    async def leaves(self, visit: str = "visit") -> dict[str, str]:
        """To the provider; what comes back."""
        address = await self.accounts.leave(visit, "/kcc")
        async with aiohttp.ClientSession() as browser, browser.get(address, allow_redirects=False) as answer:
            return dict(URL(answer.headers["Location"]).query)

    async def comes(self) -> str:
        """There and back; the token of the session."""
        back = await self.leaves()
        entered = await self.accounts.enter("visit", back["state"], back["code"], back["iss"])
        assert entered.onward == "/kcc"
        return entered.token


@pytest.fixture
async def works(desk: Desk) -> AsyncIterator[Works]:
    async with FakeOidc().serve() as fake:
        made = Works(desk, fake)
        yield made
        await made.provider.close()


class TestWorkAccounts:
    async def test_who_has_a_role_comes_in(self, desk: Desk, works: Works) -> None:
        works.fake.person["roles"] = ["kcc-team", "baas", "lunch"]
        member = await desk.sessions.find(await works.comes())
        assert member
        assert (member.name, member.display_name) == ("sanne@zonneveen.example", "Sanne de Vries")
        assert member.roles == {Role.AGENT, Role.ADMIN, Role.EDITOR}
        assert not member.local
        assert await desk.rows(work_sign_ins) == []

    async def test_the_provider_decides_anew_each_time(self, desk: Desk, works: Works) -> None:
        first = await works.comes()
        works.fake.person |= {"roles": ["baas"], "name": "Sanne Jansen", "preferred_username": "anders"}
        await works.comes()
        [row] = await desk.rows(users)
        assert (row.name, row.display_name) == ("sanne@zonneveen.example", "Sanne Jansen")
        assert row.roles == ["admin", "editor"]
        works.fake.person["roles"] = ["lunch"]
        with pytest.raises(NoAccess):
            await works.comes()
        assert await desk.sessions.find(first) is None
        assert [row.roles for row in await desk.rows(users)] == [[]]

    async def test_teams_are_ours_as_long_as_the_provider_does_not_say_them(
        self, desk: Desk, works: Works
    ) -> None:
        member = await desk.sessions.find(await works.comes())
        assert member and member.teams == ()
        await desk.members.change(member.name, Wanted(teams=["kcc"]), actor="annemiek")
        again = await desk.sessions.find(await works.comes())
        assert again and again.teams == ("kcc",)

    @pytest.mark.parametrize("apart", [set(), {"groups"}], ids=["in the token", "in userinfo"])
    async def test_the_provider_may_say_teams_by_a_claim_of_their_own(
        self, desk: Desk, works: Works, apart: set[str]
    ) -> None:
        words = {"balie": frozenset({"burgerzaken"}), "alles": frozenset({"kcc", "burgerzaken"})}
        says = Works(desk, works.fake, teams=ByClaim("groups", words))
        works.fake.apart = apart
        seen = []
        for groups in (["balie", "lunch"], ["alles"], []):
            works.fake.person["groups"] = groups
            member = await desk.sessions.find(await says.comes())
            assert member and member.roles == {Role.AGENT}
            seen.append(member.teams)
        assert seen == [("burgerzaken",), ("burgerzaken", "kcc"), ()]
        await says.provider.close()

    async def test_a_name_of_who_was_removed_is_not_given_again(self, desk: Desk, works: Works) -> None:
        member = await desk.sessions.find(await works.comes())
        assert member
        await desk.members.remove(member.name, actor="annemiek")
        again = await desk.sessions.find(await works.comes())
        assert again and again.name.startswith(f"{member.name}-") and again.id != member.id

    async def test_without_a_role_nobody_is_noted(
        self, desk: Desk, works: Works, caplog: pytest.LogCaptureFixture
    ) -> None:
        works.fake.person["roles"] = []
        with pytest.raises(NoAccess):
            await works.comes()
        assert await desk.rows(users) == []
        assert [(row.actor, row.action, row.object) for row in await desk.rows(audit)] == [
            ("-", "sign-in refused", "")
        ]
        assert "roles gives no role" in caplog.text
        assert "anne" not in caplog.text and "8f2c" not in caplog.text

    async def test_who_is_disabled_here_stays_out(self, desk: Desk, works: Works) -> None:
        token = await works.comes()
        await desk.members.disable("sanne@zonneveen.example", actor="engineer")
        assert await desk.sessions.find(token) is None
        with pytest.raises(NoAccess):
            await works.comes()
        for deed in (
            desk.members.reset("sanne@zonneveen.example", actor="engineer"),
            desk.members.change("sanne@zonneveen.example", Wanted(roles=[Role.ADMIN]), actor="engineer"),
        ):
            with pytest.raises(StaffError, match="work account"):
                await deed

    async def test_it_can_have_its_own_number_of_conversations(self, desk: Desk, works: Works) -> None:
        first = await works.comes()
        member = await desk.sessions.find(first)
        assert member and member.most is None
        await desk.members.limit("Sanne@zonneveen.example", 5, actor="els")
        for token in (first, await works.comes()):
            member = await desk.sessions.find(token)
            assert member and member.most == 5
        with pytest.raises(StaffError, match="nobody"):
            await desk.members.limit("niemand", 5, actor="els")

    async def test_a_name_that_is_taken_is_not_taken_over(self, desk: Desk, works: Works) -> None:
        await desk.hires("beheerder", Role.ADMIN)
        works.fake.person["preferred_username"] = "Beheerder"
        member = await desk.sessions.find(await works.comes())
        assert member and member.name.startswith("beheerder-")
        works.fake.person |= {"sub": "other"}
        other = await desk.sessions.find(await works.comes())
        assert other and other.id != member.id and other.name != member.name

    async def test_only_the_browser_that_left_comes_back_and_once(
        self, desk: Desk, works: Works, clock: SetClock
    ) -> None:
        back = await works.leaves()
        given = (back["state"], back["code"], back["iss"])
        with pytest.raises(OidcFault, match="did not leave"):
            await works.accounts.enter("another browser", *given)
        with pytest.raises(OidcFault, match="did not leave"):
            await works.accounts.enter("visit", "x", *given[1:])
        assert (await works.accounts.enter("visit", *given)).token
        with pytest.raises(OidcFault, match="did not leave"):
            await works.accounts.enter("visit", *given)
        back = await works.leaves()
        clock.forward(minutes=10)
        with pytest.raises(OidcFault, match="did not leave"):
            await works.accounts.enter("visit", back["state"], back["code"], back["iss"])

    async def test_the_password_of_a_work_account_is_not_ours(self, desk: Desk, works: Works) -> None:
        await works.comes()
        assert await desk.tries("JBSWY3DPEHPK3PXP" * 2, name="sanne@zonneveen.example", password="") is None

    async def test_a_claim_within_another(self, desk: Desk, works: Works) -> None:
        del works.fake.person["roles"]
        works.fake.person["realm_access"] = {"roles": ["kcc-team"]}
        nested = Works(desk, works.fake, "realm_access.roles")
        assert await desk.sessions.find(await nested.comes())
        await nested.provider.close()
