"""The pages of administrators on a real socket: the list of staff, and the audit."""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape
from io import StringIO
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa
from aiohttp import ClientPayloadError

from bot import queue
from bot.audit import Act
from bot.audit import audit as note
from bot.db.tables import audit, conversations, staff_sessions, users
from bot.logbook import PAGE
from bot.model import Owner
from bot.municipality import MunicipalityError
from bot.residents import new_conversation
from bot.settings import ROOT
from bot.staff.roles import Role
from tests.conftest import SetClock
from tests.integration.test_staff import ONLY_SQLITE
from tests.staff import PASSWORD, Browser, Colleague, Office, Page, open_office

LIST = "/beheer/medewerkers"
LOG = "/beheer/logboek"
TEAMS = """
teams:
  - {name: kcc, title: KCC}
  - {name: burgerzaken, title: Burgerzaken, themes: [reisdocumenten]}
"""


def town(folder: Path) -> Path:
    """A municipality with two teams."""
    file = folder / "municipality.yml"
    shipped = (ROOT / "knowledge" / "municipality.yml").read_text(encoding="utf-8")
    file.write_text(shipped + TEAMS, encoding="utf-8")
    return file


@dataclass
class Desk:
    """An office with an administrator at her browser."""

    office: Office
    boss: Browser

    async def key(self, name: str) -> str:
        """The id of somebody."""
        rows = await self.office.rows(users)
        return next(str(row.id) for row in rows if row.name == name)

    async def one(self, name: str) -> Page:
        """Their page."""
        return await self.boss.get(f"{LIST}/{await self.key(name)}")

    async def does(self, name: str, deed: str = "", **fields: str) -> Page:
        """A form of their page is sent."""
        place = f"{LIST}/{await self.key(name)}{deed and '/'}{deed}"
        await self.boss.get(place)
        return await self.boss.post(place, **fields)

    async def adds(self, **fields: str) -> Page:
        """The form for somebody new."""
        await self.boss.get(f"{LIST}/nieuw")
        return await self.boss.post(f"{LIST}/nieuw", **fields)


def link_in(page: Page) -> str:
    found = re.search(r"<textarea[^>]*>http://[^/]+(/inloggen/instellen/[\w-]{43})</textarea>", page.text)
    assert found, page.text
    return found[1]


@pytest.fixture
async def desk(database_url: str, tmp_path: Path, clock: SetClock) -> AsyncIterator[Desk]:
    async with open_office(database_url, tmp_path, clock, municipality=town(tmp_path)) as office:
        boss = await office.browser()
        await office.hires("annemiek", Role.ADMIN, browser=boss)
        yield Desk(office, boss)


async def came_in(office: Office, browser: Browser, link: str, clock: SetClock) -> Page:
    secret = (await browser.get(link)).secret
    code = pyotp.TOTP(secret).at(clock.now)
    return await browser.post(link, password=PASSWORD, again=PASSWORD, code=code)


class TestTheList:
    async def test_from_adding_to_removing(self, desk: Desk, clock: SetClock) -> None:
        """One walk through all that an administrator does, with what it means for the other."""
        page = await desk.adds(display="Els  Jansen", name=" Els ", role="agent", team="burgerzaken")
        assert (page.status, page.title) == (200, "De link voor Els Jansen")
        els = await desk.office.browser()
        assert (await came_in(desk.office, els, link_in(page), clock)).title == "Bewaar uw herstelcodes"
        shown = await desk.boss.get(LIST)
        assert "Els Jansen" in shown.text and "2 medewerkers." in shown.text and "Burgerzaken" in shown.text
        assert link_in(page) not in shown.text + (await desk.one("els")).text

        assert (await desk.does("els", display="Els de Boer", role="editor")).status == 303
        page = await desk.one("els")
        assert page.title == "Els de Boer"
        assert re.findall(r'value="([\w-]+)"(?: id="role")? checked', page.text) == ["editor"]
        assert "redacteur" in (await els.get("/medewerkers")).text

        page = await desk.does("els", "link")
        assert (await els.get("/medewerkers")).status == 303
        assert (await came_in(desk.office, els, link_in(page), clock)).title == "Bewaar uw herstelcodes"

        assert (await desk.does("els", "blokkeren")).goes_to.endswith("?gelukt=blokkeren")
        assert (await els.get("/medewerkers")).status == 303
        assert "Geblokkeerd" in (await desk.one("els")).text
        assert (await desk.does("els", "toelaten")).goes_to.endswith("?gelukt=toelaten")
        assert (
            "kan weer inloggen"
            in (await desk.boss.get(f"{LIST}/{await desk.key('els')}?gelukt=toelaten")).text
        )

        assert (await desk.does("els", "verwijderen")).goes_to == f"{LIST}?gelukt=verwijderen"
        shown = await desk.boss.get(f"{LIST}?gelukt=verwijderen")
        assert "is verwijderd" in shown.text and "1 medewerker." in shown.text
        assert await desk.office.noted() == [
            ("engineer", "added member of staff"),
            ("annemiek", "chose password and app"),
            ("annemiek", "signed in"),
            ("annemiek", "added member of staff"),
            ("els", "chose password and app"),
            ("els", "signed in"),
            ("annemiek", "changed display name"),
            ("annemiek", "changed roles"),
            ("annemiek", "changed teams"),
            ("annemiek", "reset member of staff"),
            ("els", "chose password and app"),
            ("els", "signed in"),
            ("annemiek", "disabled member of staff"),
            ("annemiek", "enabled member of staff"),
            ("annemiek", "removed member of staff"),
        ]

    @ONLY_SQLITE
    async def test_looking_for_somebody(self, desk: Desk) -> None:
        for name, display in (("els", "Els Jansen"), ("jan", "Jan <b>Piek</b>")):
            await desk.adds(display=display, name=name, role="agent")
        page = await desk.boss.get(f"{LIST}?zoek=JANS")
        assert "Els Jansen" in page.text and "Piek" not in page.text and "1 van 3 medewerkers." in page.text
        assert "Jan &lt;b&gt;Piek" in (await desk.boss.get(f"{LIST}?zoek=jan")).text
        page = await desk.boss.get(f'{LIST}?zoek="><script>')
        assert "Niemand heet zo." in page.text and "<script" not in page.text

    @ONLY_SQLITE
    async def test_last_seen(self, desk: Desk, clock: SetClock) -> None:
        await desk.adds(display="Els Jansen", name="els", role="agent")
        assert "nog nooit" in (await desk.one("els")).text
        assert "vandaag 10:00" in (await desk.one("annemiek")).text
        clock.forward(minutes=30)
        await desk.boss.get(LIST)
        assert "vandaag 10:30" in (await desk.one("annemiek")).text

    @ONLY_SQLITE
    async def test_what_is_wrong_is_told_at_its_field(self, desk: Desk) -> None:
        page = await desk.adds(team="nergens")
        assert page.status == 422
        for name in ("display", "name", "role"):
            assert f'id="{name}-error"' in page.text and f'href="#{name}"' in page.text
        for given, at, text in (
            ({"name": "Els Jansen", "role": "agent"}, "name", "zonder spaties"),
            ({"name": "annemiek", "role": "agent"}, "name", "is er al"),
            ({"name": "els", "role": "chief"}, "role", "Kies minstens één rol"),
        ):
            page = await desk.adds(display="Els J", **given)
            assert page.status == 422 and text in page.text
            assert f'id="{at}-error"' in page.text and 'value="Els J"' in page.text
        assert len(await desk.office.rows(users)) == 1
        await desk.adds(display="Els", name="els", role="agent")
        page = await desk.does("els", display=" ", role="agent")
        assert page.status == 422 and 'id="display-error"' in page.text
        page = await desk.does("els", display="Els")
        assert page.status == 422 and 'id="role-error"' in page.text

    @ONLY_SQLITE
    async def test_how_many_conversations_at_the_same_time(self, desk: Desk) -> None:
        els = await desk.office.browser()
        await desk.office.hires("els", Role.AGENT, browser=els)
        given = {"display": "Els", "role": "agent"}

        async def can_have() -> tuple[list[str], list[str]]:
            """What stands in the field, and on the screen of Els."""
            filled = re.findall(r'name="most" type="text" value="(.*?)"', (await desk.one("els")).text)
            return filled, re.findall(r"van (\d+)</span>", (await els.get("/kcc/parts/own")).text)

        assert await can_have() == ([""], ["3"]) and "Dan zijn het er 3," in (await desk.one("els")).text
        assert (await desk.does("els", **given, most=" 20 ")).status == 303
        assert await can_have() == (["20"], ["20"])
        for wrong in ("0", "21", "-1", "2.5", "drie", "\u0665", "9" * 5000, "1" + " " * 20 + "1"):
            page = await desk.does("els", **given, most=wrong)
            assert page.status == 422 and 'id="most-error"' in page.text, wrong
            assert f'name="most" type="text" value="{wrong[:16]}"' in page.text
        page = await desk.does("els", display="", most="x")
        assert {"display", "role", "most"} <= set(re.findall(r'id="(\w+)-error"', page.text))
        assert await can_have() == (["20"], ["20"])
        assert (await desk.does("els", **given, most="1")).status == 303
        assert (await desk.does("els", **given, most="")).status == 303
        assert await can_have() == ([""], ["3"])
        told = re.findall(
            r'data-label="Bijzonderheden">(.*?)</td>',
            (await desk.boss.get(f"{LOG}?wat=changed+most+conversations")).text,
        )
        assert told == [
            "zoveel gesprekken als de gemeente kiest",
            "1 gesprek tegelijk",
            "20 gesprekken tegelijk",
        ]

    @ONLY_SQLITE
    async def test_nobody_takes_their_own_way_in(self, desk: Desk) -> None:
        page = await desk.one("annemiek")
        assert "Dit is uw eigen account." in page.text
        assert "/blokkeren" not in page.text and "/verwijderen" not in page.text and '/link"' not in page.text
        for deed in ("blokkeren", "verwijderen", "link"):
            page = await desk.does("annemiek", deed)
            assert page.status == 422 and "Dit is uw eigen account." in page.text
        page = await desk.does("annemiek", display="Annemiek", role="editor")
        assert page.status == 422 and 'id="role-error"' in page.text
        assert (await desk.boss.get(LIST)).status == 200

    @ONLY_SQLITE
    async def test_the_first_keeps_a_way_in_before_there_is_another(
        self, desk: Desk, clock: SetClock
    ) -> None:
        await desk.adds(display="Bas", name="bas", role="admin")
        async with desk.office.house.database.write() as connection:
            mine = sa.update(users).where(users.c.name == "annemiek").values(password_hash=None)
            await connection.execute(mine)  # as the first who came in by the printed link
            other = sa.update(users).where(users.c.name == "bas").values(password_hash="x")
            await connection.execute(other)
        page = await desk.does("bas", "blokkeren")
        assert page.status == 422 and "Maak eerst een andere collega beheerder." in page.text

    @ONLY_SQLITE
    async def test_what_is_not_there(self, desk: Desk) -> None:
        await desk.boss.get(LIST)
        for path in (
            f"{LIST}/niemand",
            f"{LIST}/niemand/blokkeren",
            f"{LIST}/{await desk.key('annemiek')}/x",
        ):
            assert (await desk.boss.get(path)).status == 404
            assert (await desk.boss.post(path)).status == 404

    @ONLY_SQLITE
    async def test_without_passwords_nobody_is_added(
        self, database_url: str, tmp_path: Path, clock: SetClock
    ) -> None:
        more = {
            "oidc_issuer": "https://login.example.nl",
            "oidc_client_id": "klaartje",
            "oidc_roles": ("kcc=agent",),
            "public_url": "http://127.0.0.1:1",
            "municipality": town(tmp_path),
        }
        async with open_office(database_url, tmp_path, clock, **more) as office:
            desk = Desk(office, await office.browser())
            await office.hires("annemiek", Role.ADMIN, browser=desk.boss)
            await work_account(office, "werk@zonneveen.example")
            page = await desk.one("werk@zonneveen.example")
            assert "Dit is een werkaccount." in page.text and "medewerker KCC" in page.text
            assert 'name="role"' not in page.text and 'name="display"' not in page.text
            assert '/link"' not in page.text
            page = await desk.does("werk@zonneveen.example", "link")
            assert page.status == 422 and "werkaccount" in page.text
            given = {"display": "Anders", "role": "admin", "team": "kcc", "most": "5"}
            assert (await desk.does("werk@zonneveen.example", **given)).status == 303
            row = next(row for row in await office.rows(users) if row.issuer)
            assert (row.display_name, row.roles, row.teams, row.most) == ("Werk", ["agent"], ["kcc"], 5)
            page = await desk.does("werk@zonneveen.example", most="x")
            assert page.status == 422 and 'id="most-error"' in page.text
        said = {**more, "oidc_teams": ("balie=burgerzaken",), "local_accounts": True}
        async with open_office(database_url, tmp_path, clock, **said) as office:
            desk = Desk(office, await office.browser())
            await office.hires("bas", Role.ADMIN, browser=desk.boss)
            page = await desk.one("werk@zonneveen.example")
            assert 'name="team"' not in page.text and "KCC" in page.text
            assert (await desk.does("werk@zonneveen.example", team="burgerzaken")).status == 303
            assert next(row for row in await office.rows(users) if row.issuer).teams == ["kcc"]
        with pytest.raises(
            MunicipalityError, match="no team 'x' in MUNICIPALITY: teams are kcc, burgerzaken"
        ):
            async with open_office(database_url, tmp_path, clock, **{**more, "oidc_teams": ("balie=x",)}):
                pass


async def work_account(office: Office, name: str) -> None:
    """Somebody whom the provider knows."""
    row = {"id": "w", "name": name, "display_name": "Werk", "roles": ["agent"], "created_at": office.clock()}
    async with office.house.database.write() as connection:
        known = {"issuer": "https://login.example.nl", "subject": "w"}
        await connection.execute(sa.insert(users).values(**row, **known))


class TestTeams:
    @ONLY_SQLITE
    async def test_an_agent_sees_the_queue_of_their_teams(self, desk: Desk, clock: SetClock) -> None:
        async with desk.office.house.database.write() as connection:
            for team in ("kcc", "burgerzaken"):
                row = new_conversation("telegram", team, clock(), greeted=True)
                await connection.execute(sa.insert(conversations).values(**{**row, "owner": Owner.WAITING}))
                more = {"reason": "asked", "topic": None, "language": None, "priority": 0, "now": clock()}
                await queue.enter(connection, row["id"], team=team, **more)
        els = await desk.office.browser()
        await desk.office.hires("els", Role.AGENT, browser=els)

        async def sees() -> int:
            return (await els.get("/kcc/parts/queue")).text.count('href="/kcc/conversations/')

        assert await sees() == 2
        for given, number in (({"team": "burgerzaken"}, 1), ({}, 2)):
            await desk.does("els", display="Els", role="agent", **given)
            assert await sees() == number, given
        async with desk.office.house.database.write() as connection:
            await connection.execute(sa.update(users).values(teams=["opgeheven"]))
        assert await sees() == 2


class TestTheLogbook:
    async def test_who_did_what_newest_first(self, desk: Desk) -> None:
        await desk.adds(display="Els Jansen", name="els", role="agent", team="kcc")
        page = await desk.boss.get(LOG)
        lines = [
            [unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.findall(r"<td.*?</td>", row, re.S)]
            for row in re.findall(r"<tr.*?</tr>", page.text, re.S)[1:]
        ]
        assert lines[0] == [
            "vandaag 10:00",
            "Sanne de Vries (annemiek)",
            "Medewerker toegevoegd",
            "Els Jansen (els)",
            "medewerker KCC; KCC",
        ]
        assert lines[-1][1:] == ["Technisch beheer", *lines[0][2:3], "Sanne de Vries (annemiek)", "beheerder"]

    @ONLY_SQLITE
    async def test_a_conversation_is_opened_by_who_may(self, desk: Desk) -> None:
        await self.write(desk, "annemiek", Act.OPENED_CONVERSATION, "c1")
        page = await desk.boss.get(LOG)
        assert "c1" in page.text and "/kcc/conversations" not in page.text
        assert (await desk.boss.get("/kcc/conversations/c1")).status == 403
        both = await desk.office.browser()
        await desk.office.hires("beide", Role.ADMIN, Role.AGENT, browser=both)
        assert 'href="/kcc/conversations/c1"' in (await both.get(LOG)).text

    async def write(self, desk: Desk, actor: str, act: Act, *objects: str) -> None:
        async with desk.office.house.database.write() as connection:
            await note(connection, actor, act, *objects, at=desk.office.clock())

    @ONLY_SQLITE
    async def test_by_person_act_and_day(self, desk: Desk, clock: SetClock) -> None:
        clock.forward(hours=24)
        await self.write(desk, "annemiek", Act.SEARCHED)
        await self.write(desk, "engineer", Act.FORGOT, "c1")
        clock.forward(hours=-24)

        async def found(query: str) -> list[str]:
            page = await desk.boss.get(f"{LOG}?{query}")
            assert page.status == 200
            return re.findall(r'data-label="Wat">(.*?)</td>', page.text)

        assert await found("dag=2026-11-24") == ["Gesprek gewist op verzoek", "In gesprekken gezocht"]
        assert await found("wie=vries&dag=2026-11-24") == ["In gesprekken gezocht"]
        assert await found("wie=technisch+beheer&wat=forget") == ["Gesprek gewist op verzoek"]
        assert await found("wat=purge") == []
        for query, at in (("dag=gisteren", "dag"), ("dag=0001-01-01", "dag"), ("wat=iets", "wat")):
            page = await desk.boss.get(f"{LOG}?{query}")
            assert page.status == 422 and f'id="{at}-error"' in page.text
            assert (await desk.boss.get(f"{LOG}.csv?{query}")).status == 422

    @ONLY_SQLITE
    async def test_by_pages_that_keep_what_is_looked_for(self, desk: Desk) -> None:
        await self.write(desk, "retention", Act.PURGED, *(f"c{number}" for number in range(PAGE + 2)))
        page = await desk.boss.get(f"{LOG}?wat=purge")
        [older] = re.findall(r'href="([^"]+)">Ouder', page.text)
        page = await desk.boss.get(unescape(older))
        assert re.findall(r'data-label="Waarover">(\w+)', page.text) == ["c1", "c0"]
        assert "Ouder" not in page.text and f'href="{LOG}?wat=purge">Naar het nieuwste' in page.text
        assert (await desk.boss.get(f"{LOG}?voor=x")).status == 200

    async def test_as_a_file_for_a_spreadsheet(self, desk: Desk) -> None:
        await work_account(desk.office, "=1+1@zonneveen.example")
        await self.write(desk, "=1+1@zonneveen.example", Act.OPENED_CONVERSATION, "c;1")
        page = await desk.boss.get(f"{LOG}.csv?wat=opened+conversation")
        assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert page.headers["Content-Disposition"] == 'attachment; filename="logboek.csv"'
        assert page.headers["Cache-Control"] == "no-store"
        assert page.text.startswith("\ufeff")
        heading, line = csv.reader(StringIO(page.text.removeprefix("\ufeff")), delimiter=";")
        assert heading[:4] == ["moment", "wie", "gebruikersnaam", "wat"]
        assert line == [
            "2026-11-23 10:00:00+01:00",
            "Werk (=1+1@zonneveen.example)",
            "'=1+1@zonneveen.example",
            "Gesprek geopend",
            "c;1",
            "",
        ]
        assert (await desk.office.noted())[-1] == ("annemiek", "downloaded the audit")

    @ONLY_SQLITE
    async def test_half_a_file_does_not_look_whole(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bot.logbook._BATCH", 2)
        plain = desk.office.house.database.read
        asked: list[int] = []

        def breaks() -> object:
            asked.append(1)
            if len(asked) > 3:  # who asks, the first lines, and then
                raise OSError
            return plain()

        monkeypatch.setattr(desk.office.house.database, "read", breaks)
        with pytest.raises(ClientPayloadError):
            await desk.boss.get(f"{LOG}.csv")

    @ONLY_SQLITE
    async def test_no_route_changes_it(self, desk: Desk) -> None:
        """Everything that can be asked for is asked for, by somebody with every role: all that stood there stays."""
        boss = await desk.office.browser()
        colleague: Colleague = await desk.office.hires("alles", *Role, browser=boss)
        before = await desk.office.rows(audit, audit.c.seq)
        key = await desk.key("annemiek")
        from tests.integration.test_staff import staff_routes  # here: it has tests of its own

        routes = await staff_routes(desk.office)
        methods = {method for method, path, _ in routes if path.startswith(LOG)}
        assert methods == {"GET"}
        for method, path, _ in routes:
            place = path.replace("{id}", key).replace("{token}", "x" * 43)
            for deed in ("link", "blokkeren", "toelaten", "verwijderen") if "{deed}" in path else ("",):
                if not boss.token or not await desk.office.rows(staff_sessions):
                    await colleague.signs_in(boss)
                await boss.get("/medewerkers")
                where = place.replace("{deed}", deed)
                await (boss.get(where) if method == "GET" else boss.post(where))
        after = await desk.office.rows(audit, audit.c.seq)
        assert list(after[: len(before)]) == list(before) and len(after) > len(before)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            async with boss.session.request(method, LOG, data={"csrf": boss.csrf}) as answer:
                assert answer.status == 405
