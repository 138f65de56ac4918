"""The console's doors: who may go where, what an act must bring, and that residents' text stays text."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from bot.app.console import console_of
from bot.app.house import House, open_house
from bot.clock import utc_now
from bot.db.migrate import migrate
from bot.db.tables import audit, conversations, handoffs, media, messages, outbox
from bot.model import Author, Kind, Owner
from bot.ports import Channel
from bot.settings import Settings
from bot.web.kcc.doors import Door
from bot.web.kcc.shelf import Shelf
from bot.web.member import PERMISSIONS, Member, Permission
from bot.web.server import application
from tests.fakes.search import PASSPORT, WordSearch
from tests.house import KeptChannel

AGENT = Member("els", "Els", frozenset({"agent"}), csrf="token-of-els")
LEAD = Member("lea", "Lea", frozenset({"team-lead"}), csrf="token-of-lea")
EDITOR = Member("eva", "Eva", frozenset({"editor"}), csrf="token-of-eva")
NOBODY = Member("niels", "Niels", frozenset(), csrf="token-of-niels")

DOORS = {
    ("GET", "/kcc"): Permission.SEE_CONVERSATIONS,
    ("GET", "/kcc/conversations/{id}"): Permission.SEE_CONVERSATIONS,
    ("GET", "/kcc/overzicht"): Permission.ASSIGN,
    ("GET", "/kcc/parts/own"): Permission.SEE_CONVERSATIONS,
    ("GET", "/kcc/parts/queue"): Permission.SEE_CONVERSATIONS,
    ("GET", "/kcc/parts/thread/{id}"): Permission.SEE_CONVERSATIONS,
    ("GET", "/kcc/parts/side/{id}"): Permission.SEE_CONVERSATIONS,
    ("GET", "/kcc/parts/lines/{id}"): Permission.SEE_CONVERSATIONS,
    ("GET", "/kcc/parts/colleagues"): Permission.SEE_CONVERSATIONS,
    ("GET", "/kcc/parts/overview"): Permission.ASSIGN,
    ("POST", "/kcc/parts/search"): Permission.SEE_CONVERSATIONS,
    ("POST", "/kcc/parts/knowledge"): Permission.SEE_CONVERSATIONS,
    ("GET", "/kcc/events"): Permission.SEE_CONVERSATIONS,
    ("POST", "/kcc/presence"): Permission.ANSWER,
    ("POST", "/kcc/next"): Permission.ANSWER,
    ("POST", "/kcc/conversations/{id}/take"): Permission.ANSWER,
    ("POST", "/kcc/conversations/{id}/decline"): Permission.ANSWER,
    ("POST", "/kcc/conversations/{id}/send"): Permission.ANSWER,
    ("POST", "/kcc/conversations/{id}/template"): Permission.ANSWER,
    ("POST", "/kcc/conversations/{id}/note"): Permission.ANSWER,
    ("POST", "/kcc/conversations/{id}/return"): Permission.ANSWER,
    ("POST", "/kcc/conversations/{id}/close"): Permission.ANSWER,
    ("POST", "/kcc/conversations/{id}/handover"): Permission.ANSWER,
    ("POST", "/kcc/conversations/{id}/typing"): Permission.ANSWER,
    ("POST", "/kcc/files/{id}"): Permission.SEE_FILES,
}
"""Every route of the console, with what it needs."""

PAGES = {"/kcc", "/kcc/conversations/{id}", "/kcc/overzicht"}
EVIL = "<script>alert(1)</script> & \"quotes\" <img src=x onerror='alert(2)'>"


class Site:
    """The console on a socket, with somebody at the door."""

    def __init__(self, house: House, client: TestClient[web.Request, web.Application], app: web.Application):
        self.house = house
        self.client = client
        self.app = app
        self.member: Member | None = AGENT

    async def get(self, path: str) -> tuple[int, str]:
        async with self.client.get(path, allow_redirects=False) as answer:
            return answer.status, await answer.text() if answer.content_type != "text/event-stream" else ""

    async def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        token = {"X-CSRF-Token": self.member.csrf} if self.member else {}
        async with self.client.post(path, json=body or {}, headers={**token, **headers}) as answer:
            return answer.status, await answer.text()

    async def ask(self, method: str, path: str) -> tuple[int, str]:
        path = path.format(id="nobody")
        return await (self.get(path) if method == "GET" else self.post(path))

    async def waiting(self, *lines: dict[str, Any], key: str = "c1") -> str:
        """A conversation that waits, with these lines of the resident."""
        now = utc_now()
        async with self.house.database.write() as connection:
            await connection.execute(
                sa.insert(conversations).values(
                    id=key,
                    channel="kept",
                    address=key,
                    owner=Owner.WAITING,
                    owner_since=now,
                    greeted=True,
                    created_at=now,
                    last_inbound_at=now,
                )
            )
            await connection.execute(
                sa.insert(handoffs).values(
                    id=f"h-{key}",
                    conversation_id=key,
                    state="waiting",
                    reason="asked",
                    team="kcc",
                    priority=0,
                    waiting_since=now,
                    queued_at=now,
                    acknowledged=False,
                )
            )
            for number, line in enumerate(lines):
                values = {
                    "id": f"{key}-{number}",
                    "conversation_id": key,
                    "author": Author.RESIDENT,
                    "kind": Kind.TEXT,
                    "text": "hallo",
                    "choices": [],
                    "links": [],
                    "at": now,
                }
                await connection.execute(sa.insert(messages).values(**{**values, **line}))
        return key

    async def rows(self, table: sa.Table) -> list[Any]:
        async with self.house.database.read() as connection:
            return list((await connection.execute(sa.select(table))).all())


@pytest.fixture
async def site(tmp_path: Any) -> AsyncIterator[Site]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'klaartje.db'}"
    await migrate(url)
    kept: dict[str, Channel] = {"kept": KeptChannel()}
    async with open_house(Settings(database_url=url, state_dir=tmp_path), kept) as house:
        app = application()
        there: Site

        async def identify(_request: web.Request) -> Member | None:
            return there.member

        shelf = Shelf(house.wording)
        shelf.search = WordSearch()
        app.add_routes([one.route(identify) for one in console_of(app, house, shelf, "/static/x")[0]])
        async with TestClient(TestServer(app)) as client:
            there = Site(house, client, app)
            yield there


def routes(app: web.Application) -> set[tuple[str, str]]:
    return {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource}


async def test_a_member_has_as_many_as_was_said_of_them(site: Site) -> None:
    for key in ("c1", "c2"):
        await site.waiting({}, key=key)
    assert "van 3</span>" in (await site.get("/kcc"))[1], "as many as the municipality says"
    site.member = replace(AGENT, most=1)
    assert "van 1</span>" in (await site.get("/kcc/parts/own"))[1]
    assert (await site.post("/kcc/conversations/c1/take"))[0] == 200
    status, text = await site.post("/kcc/conversations/c2/take")
    assert (status, json.loads(text)) == (409, {"error": "U heeft al 1 gesprek. Rond er eerst een af."})


async def test_what_is_offered_is_on_the_screen_and_can_be_refused(site: Site) -> None:
    await site.waiting({"text": EVIL}, key="c1")
    await site.post("/kcc/presence", {"state": "available"})
    assert 'id="offer-accept"' not in (await site.get("/kcc"))[1]
    assert await site.house.offers.look() == 1
    for path in ("/kcc", "/kcc/parts/own"):
        text = (await site.get(path))[1]
        assert 'data-offer="c1"' in text and 'id="offer-accept"' in text and "<script>alert(1)" not in text
    status, text = await site.post("/kcc/conversations/c1/decline")
    assert (status, "in de rij" in text) == (200, True)
    assert 'data-offer="c1"' not in (await site.get("/kcc/parts/own"))[1]
    assert 'id="queue-c1"' in (await site.get("/kcc/parts/queue"))[1]


async def test_every_route_is_in_the_table(site: Site) -> None:
    assert routes(site.app) == set(DOORS)


@pytest.mark.parametrize("member", [AGENT, LEAD, EDITOR, NOBODY], ids=lambda member: member.name)
async def test_who_may_go_where(site: Site, member: Member) -> None:
    site.member = member
    allowed = {one for role in member.roles for one in PERMISSIONS.get(role, ())}
    for (method, path), permission in DOORS.items():
        if path == "/kcc/events" and permission in allowed:
            continue  # it goes on for ever; the browser tests read it
        status, text = await site.ask(method, path)
        assert (status == 403) == (permission not in allowed), (method, path, status, text)
        assert status < 500, (method, path, text)


async def test_who_is_not_signed_in_is_led_to_where_they_can(site: Site) -> None:
    site.member = None
    for method, path in DOORS:
        status, text = await site.ask(method, path)
        assert status == (303 if path in PAGES else 401), (method, path, text)
    async with site.client.get("/kcc", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/inloggen"


async def test_an_act_brings_the_token_of_its_session(site: Site) -> None:
    acts = [path for method, path in DOORS if method == "POST"]
    for path in acts:
        for token in ("", "token-of-jan", "é"):
            status, text = await site.post(path.format(id="x"), **{"X-CSRF-Token": token})
            assert status == 403 and "opnieuw" in text, path
    site.member = replace(AGENT, csrf="")
    assert (await site.post("/kcc/next"))[0] == 403, "without a token nothing is its equal"


def test_a_door_names_what_it_needs() -> None:
    with pytest.raises(TypeError):
        Door("GET", "/kcc/open", handler=None)  # type: ignore[call-arg,arg-type]


async def test_the_page_is_closed(site: Site) -> None:
    async with site.client.get("/kcc") as answer:
        text = await answer.text()
        headers = answer.headers
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?! type=\"module\" src=)", text)
    assert '<html lang="nl">' in text
    assert "Er wacht niemand." in text


async def test_what_residents_write_stays_text(site: Site) -> None:
    place = {"latitude": 52.1, "longitude": 5.1, "name": EVIL, "address": EVIL}
    key = await site.waiting(
        {"text": EVIL},
        {"text": EVIL, "kind": Kind.LOCATION, "place": place},
        {"text": EVIL, "reaction": "<b>"},
        {"text": "", "kind": Kind.IMAGE},
        {"text": EVIL, "author": Author.BOT},
        {"text": f"**{EVIL}**\n- {EVIL}", "author": Author.SYSTEM, "choices": [{"id": "x", "label": EVIL}]},
    )
    now = utc_now()
    async with site.house.database.write() as connection:
        await connection.execute(
            sa.insert(media).values(
                id="m1",
                conversation_id=key,
                message_id=f"{key}-3",
                channel="kept",
                ref="r",
                mime="image/png",
                name=EVIL,
                state="stored",
                file="f",
                attempts=1,
                not_before=now,
                created_at=now,
            )
        )
    assert (await site.post(f"/kcc/conversations/{key}/take"))[0] == 200
    assert (await site.post(f"/kcc/conversations/{key}/note", {"text": EVIL}))[0] == 200
    pages = [
        f"/kcc/conversations/{key}",
        f"/kcc/parts/thread/{key}?opened=1",
        f"/kcc/parts/side/{key}",
        f"/kcc/parts/lines/{key}?before=99",
    ]
    for path in [*pages, "/kcc", "/kcc/parts/own"]:
        status, text = await site.get(path)
        assert status == 200
        assert "<script>alert" not in text and "<img src=x" not in text, path
        assert "&lt;script&gt;alert(1)" in text, path
    _, found = await site.post("/kcc/parts/search", {"text": "quotes"})
    assert "&lt;script&gt;" in found and "<script>" not in found


async def test_the_lines_say_who_when_and_what(site: Site) -> None:
    now = utc_now()
    key = await site.waiting(
        {"text": "mijn vraag", "edited_at": now},
        {"text": "", "revoked_at": now},
        {"text": "antwoord", "author": Author.BOT, "article": PASSPORT.slug, "revision": 3},
        {"text": "nog een", "author": Author.BOT, "sent_with": "c1-2"},
        {"text": "kijk", "place": {"latitude": 52.1, "longitude": 5.1, "name": "", "address": ""}},
        {"text": "dank", "reaction": "👍"},
    )
    async with site.house.database.write() as connection:
        letter = {
            "conversation_id": key,
            "message_id": f"{key}-2",
            "channel": "kept",
            "body": {},
            "attempts": 1,
        }
        rows = [
            {**letter, "state": state, "not_before": now, "created_at": now} for state in ("read", "sent")
        ]
        await connection.execute(sa.insert(outbox), rows)
    _, text = await site.get(f"/kcc/parts/thread/{key}")
    assert "Bewoner" in text and "Klaartje" in text
    assert "bewerkt om" in text and "teruggenomen" in text
    assert "Uit artikel: Paspoort aanvragen of verlengen, versie 3" in text
    assert text.count('class="state state--sent">Verstuurd') == 2, (
        "the one that got least far counts, for both"
    )
    assert text.count("Onderwerp niet bekend") == 1, "also when only the lines are fetched again"
    assert "openstreetmap.org/?mlat=52.1&amp;mlon=5.1" in text
    assert "Reactie van de bewoner: 👍" in text


async def test_a_message_goes_once_and_keeps_where_its_words_are_from(site: Site) -> None:
    key = await site.waiting({"text": "hallo"})
    await site.post(f"/kcc/conversations/{key}/take")
    url, number = f"/kcc/conversations/{key}/send", "11111111-1111-4111-8111-111111111111"
    words = "Goedendag. Maak een afspraak in Zonneveen."
    body = {"text": words, "id": number, "article": PASSPORT.slug, "revision": PASSPORT.revision}
    for _ in range(2):
        assert (await site.post(url, body))[0] == 200
    assert (await site.post(url, {**body, "id": "nummer"}))[0] == 400
    changed = {**body, "id": "11111111-1111-4111-8111-111111111112", "text": "Maak een afspraak in Zwolle."}
    assert (await site.post(url, changed))[0] == 200
    old = {**body, "id": "11111111-1111-4111-8111-111111111113", "revision": 2}
    assert (await site.post(url, old))[0] == 200
    lines = [row for row in await site.rows(messages) if row.author == Author.AGENT]
    assert [(line.text, line.article, line.revision) for line in lines] == [
        (words, PASSPORT.slug, PASSPORT.revision),
        (changed["text"], None, None),
        (words, None, None),
    ]
    _, text = await site.get(f"/kcc/parts/thread/{key}")
    assert 'class="line__who">Els<' in text


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "  "}, {"text": 7}, {"text": "x" * 4_001}, [1]])
async def test_a_message_that_is_none(site: Site, body: Any) -> None:
    key = await site.waiting({})
    await site.post(f"/kcc/conversations/{key}/take")
    status, text = await site.post(f"/kcc/conversations/{key}/send", body)
    assert status == 400 and "error" in text


async def test_a_number_of_another_conversation_is_refused(site: Site) -> None:
    number = "11111111-1111-4111-8111-111111111111"
    for key in ("c1", "c2"):
        await site.waiting(key=key)
        await site.post(f"/kcc/conversations/{key}/take")
    assert (await site.post("/kcc/conversations/c1/send", {"text": "a", "id": number}))[0] == 200
    status, text = await site.post("/kcc/conversations/c2/send", {"text": "b", "id": number})
    assert status == 409 and "ander gesprek" in text


async def test_acts_say_in_dutch_why_they_cannot(site: Site) -> None:
    key = await site.waiting({})
    here = f"/kcc/conversations/{key}"
    assert "U heeft dit gesprek niet" in (await site.post(f"{here}/send", {"text": "hallo"}))[1]
    assert (await site.post(f"{here}/take"))[0] == 200
    site.member = LEAD
    status, text = await site.post(f"{here}/take")
    assert (status, "Els heeft dit gesprek al." in text) == (409, True)
    site.member = AGENT
    assert (await site.post(f"{here}/close", {"outcome": "iets"}))[0] == 400
    assert (await site.post(f"{here}/handover", {"reason": "zo", "to": ""}))[0] == 409
    assert (await site.post("/kcc/presence", {"state": "op vakantie"}))[0] == 400
    assert (await site.post(f"{here}/template", {"template": "geen"}))[0] == 409
    assert (await site.post(f"{here}/close", {"outcome": "handled"}))[0] == 200
    assert (await site.post("/kcc/next"))[1].count("Er wacht niemand") == 1


async def test_only_conversations_with_a_person_can_be_read(site: Site) -> None:
    key = await site.waiting({"text": "geheim woord"})
    async with site.house.database.write() as connection:
        await connection.execute(sa.delete(handoffs))
    assert (await site.get(f"/kcc/conversations/{key}"))[0] == 404
    for part in ("thread", "side"):
        assert (await site.get(f"/kcc/parts/{part}/{key}"))[0] == 404
    assert "Niets gevonden" in (await site.post("/kcc/parts/search", {"text": "geheim"}))[1]


async def test_opening_is_noted_and_looking_again_is_not(site: Site) -> None:
    key = await site.waiting({})
    await site.get(f"/kcc/conversations/{key}")
    await site.get(f"/kcc/parts/thread/{key}?opened=1")
    await site.get(f"/kcc/parts/thread/{key}")
    noted = [(row.actor, row.action, row.object) for row in await site.rows(audit)]
    assert noted == [("els", "opened conversation", key)] * 2


@pytest.mark.parametrize("path", ["thread/{}", "side/{}", "lines/{}?before=9"])
async def test_reading_a_part_alone_is_noted_too(site: Site, path: str) -> None:
    key = await site.waiting({})
    for _ in range(3):
        assert (await site.get(f"/kcc/parts/{path.format(key)}"))[0] == 200
    noted = [(row.actor, row.action, row.object) for row in await site.rows(audit)]
    assert noted == [("els", "opened conversation", key)]


@pytest.mark.parametrize(("text", "found"), [("TURKIJE", 1), ("ur", 0), ("100%", 1), ("10_%", 0), ("", 0)])
async def test_search(site: Site, text: str, found: int) -> None:
    await site.waiting({"text": "ik ga naar Turkije"}, {"text": "is dat 100% zeker in Turkije"})
    _, answer = await site.post("/kcc/parts/search", {"text": text})
    assert answer.count('class="card"') == found


async def test_long_threads_come_in_pieces(site: Site) -> None:
    key = await site.waiting(*({"text": f"regel {number}"} for number in range(250)))
    _, text = await site.get(f"/kcc/parts/thread/{key}")
    seen = re.findall(r'bubble__plain" dir="auto">regel (\d+)<', text)
    before = re.findall(r'data-before="(\d*)"', text)[0]
    while before:
        _, text = await site.get(f"/kcc/parts/lines/{key}?before={before}")
        seen = re.findall(r'bubble__plain" dir="auto">regel (\d+)<', text) + seen
        before = re.findall(r'data-before="(\d*)"', text)[0]
    assert seen == [str(number) for number in range(250)]
    for wrong in ("", "x", "9" * 30):
        assert (await site.get(f"/kcc/parts/lines/{key}?before={wrong}"))[0] == 400


async def test_the_overview(site: Site) -> None:
    site.member = LEAD
    await site.waiting({})
    await site.post("/kcc/presence", {"state": "available"})
    async with site.house.database.write() as connection:
        await connection.execute(sa.update(handoffs).values(team="kcc"))
    await site.waiting(key="c2")
    now = utc_now()
    async with site.house.database.write() as connection:
        values = {"state": "ended", "taken_at": now, "ended_at": now, "mark": 7, "remark": "<b>fijn</b>"}
        await connection.execute(sa.update(handoffs).where(handoffs.c.id == "h-c2").values(**values))
    _, text = await site.get("/kcc/overzicht")
    assert "Gemiddeld <strong>7,0</strong>, uit 1 cijfer." in text
    assert "&lt;b&gt;fijn&lt;/b&gt;" in text
    assert "Beschikbaar" in text and "0 van 3" in text


async def test_without_a_sign_in_nobody_comes_in(tmp_path: Any) -> None:
    from tests.integration.served import serve

    url = f"sqlite+aiosqlite:///{tmp_path / 'klaartje.db'}"
    await migrate(url)
    async with serve(url, tmp_path, worker=False) as served, ClientSession(served.address) as session:
        async with session.get("/kcc", allow_redirects=False) as answer:
            assert answer.status == 303
        async with session.get("/kcc/events", headers={"Accept": "text/event-stream"}) as answer:
            assert answer.status == 401
