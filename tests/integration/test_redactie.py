"""The desk of editors on a real socket: what the gate lets through, who may, and what is never written over."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from bot.clock import AMSTERDAM
from bot.db.tables import article_drafts, article_revisions, articles
from bot.settings import ROOT
from bot.staff.roles import Role
from bot.web.redactie.fields import values_of
from knowledge.article import parse, to_json
from tests.conftest import SetClock
from tests.integration.test_staff import ONLY_SQLITE
from tests.staff import Browser, Office, Page, open_office

DOG: dict[str, Any] = json.loads(
    to_json(parse((ROOT / "knowledge" / "content" / "hondenbelasting.md").read_text("utf-8"), "dog"))
)
PLAIN = {
    "title": "Hond",
    "answer": "Meld uw hond bij ons aan.",
    "phrasings": "ik heb een hond",
    "policy": "click",
    "theme": "belastingen",
    "owner": "Belastingen",
    "review": "2027-05-01",
    "upl": "hondenbelasting",
    "upl_uri": "http://standaarden.overheid.nl/owms/terms/hondenbelasting",
}
HARD = {**PLAIN, "answer": "U dient uw hond tijdig bij ons aan te melden."}
SCRIPT = "<script>alert(1)</script>"

pytestmark = ONLY_SQLITE


@dataclass
class Desk:
    """Two editors, each at a browser."""

    office: Office
    ann: Browser
    bob: Browser

    async def writes(self, who: Browser, doing: str = "opslaan", slug: str = "hond", **fields: str) -> Page:
        """The form of the article is looked at and sent."""
        page = await who.get(f"/redactie/artikel/{slug}")
        seen = page.text.partition('name="seen" value="')[2].partition('"')[0]
        return await who.post(f"/redactie/artikel/{slug}", seen=seen, doen=doing, **{**PLAIN, **fields})

    async def decides(self, who: Browser, doing: str, slug: str = "hond", **fields: str) -> Page:
        """The review is looked at and decided."""
        page = await who.get(f"/redactie/artikel/{slug}/controle")
        seen = page.text.partition('name="seen" value="')[2].partition('"')[0]
        return await who.post(f"/redactie/artikel/{slug}/controle", seen=seen, doen=doing, **fields)

    async def published(self) -> list[str]:
        """The articles that residents get."""
        return [row.slug for row in await self.office.rows(articles) if row.revision is not None]


@pytest.fixture
async def desk(database_url: str, tmp_path: Path, clock: SetClock) -> AsyncIterator[Desk]:
    async with open_office(database_url, tmp_path, clock) as office:
        ann, bob = await office.seats("ann", Role.EDITOR), await office.seats("bob", Role.EDITOR)
        await ann.get("/redactie/nieuw")
        assert (await ann.post("/redactie/nieuw", doen="opslaan", title="Hond")).status == 303
        yield Desk(office, ann, bob)


async def test_what_is_not_whole_is_kept_but_goes_no_further(desk: Desk) -> None:
    page = await desk.writes(desk.ann, "controle", answer="Bel {telefon}.", title=SCRIPT)
    assert page.status == 422 and "bedoelt u {telefoon}?" in unescape(page.text)
    assert SCRIPT not in page.text and SCRIPT in unescape(page.text)
    [draft] = await desk.office.rows(article_drafts)
    assert (draft.state, draft.content["answer"]) == ("draft", "Bel {telefon}.")
    for link in ("javascript:alert(1)", "ftp://a.nl", "www.a.nl"):
        page = await desk.writes(desk.ann, "controle", link_label="Klik", link_url=link)
        assert page.status == 422 and "geen goede link" in page.text
    assert (await desk.decides(desk.bob, "publiceren", toch="ja")).status == 422
    assert await desk.published() == []


async def test_doubts_must_be_read_and_own_work_is_not_published(desk: Desk) -> None:
    assert (await desk.writes(desk.ann, "controle", **HARD)).status == 303
    for given in ({}, {"toch": "ja"}):
        page = await desk.decides(desk.ann, "publiceren", **given)
        assert page.status == 422
    assert "Een collega moet hem publiceren" in page.text
    page = await desk.decides(desk.bob, "publiceren")
    assert page.status == 422 and "toch wilt publiceren" in page.text and "Nog te moeilijk." in page.text
    assert await desk.published() == []
    assert (await desk.decides(desk.bob, "publiceren", toch="ja")).goes_to.endswith("gelukt=gepubliceerd")
    assert await desk.published() == ["hond"]
    [one] = await desk.office.rows(article_revisions)
    assert one.author == "bob"


async def test_a_moment_to_come(desk: Desk, clock: SetClock) -> None:
    await desk.writes(desk.ann, "controle")
    for wrong in ("", "morgen", "2026-13-40T10:00", "2020-01-01T10:00", "9999-01-01T10:00+02:00"):
        assert (await desk.decides(desk.bob, "plannen", toch="ja", at=wrong)).status == 422, wrong
    at = (clock.now + timedelta(hours=1)).astimezone(AMSTERDAM).strftime("%Y-%m-%dT%H:%M")
    assert (await desk.decides(desk.bob, "plannen", toch="ja", at=at)).goes_to.endswith("gelukt=gepland")
    [draft] = await desk.office.rows(article_drafts)
    assert draft.publish_at == clock.now.replace(second=0, microsecond=0) + timedelta(hours=1)
    assert "gepland" in (await desk.bob.get("/redactie?staat=scheduled")).text


async def test_the_second_gets_both_texts(desk: Desk) -> None:
    old = await desk.bob.get("/redactie/artikel/hond")
    seen = old.text.partition('name="seen" value="')[2].partition('"')[0]
    await desk.writes(desk.ann, answer="Van Ann.")
    page = await desk.bob.post(
        "/redactie/artikel/hond", seen=seen, doen="opslaan", **{**PLAIN, "answer": "Van Bob."}
    )
    assert page.status == 409 and "<del>Ann.</del><ins>Bob.</ins>" in page.text
    [draft] = await desk.office.rows(article_drafts)
    assert draft.content["answer"] == "Van Ann."
    assert (await desk.writes(desk.bob, answer="Van Bob.")).status == 303


async def test_a_translation_stays_and_a_withdrawn_article_begins_where_it_ended(desk: Desk) -> None:
    english = {"en": {"title": "Dog", "answer": "Register your dog.", "aspects": {}}}
    content = {**DOG, "slug": "dog", "translations": english}
    await desk.office.house.drafts.create("dog", content, "eve")
    fields = {
        key: value for key, value in values_of(content).items() if isinstance(value, str) and key != "slug"
    }
    more = {**fields, "policy": "click", "kosten": "Gratis."}
    assert (await desk.writes(desk.ann, "controle", "dog", **more)).status == 303
    await desk.decides(desk.bob, "publiceren", "dog", toch="ja")
    page = await desk.bob.get("/redactie/artikel/dog")
    seen = page.text.partition('name="seen" value="')[2].partition('"')[0]
    assert (await desk.bob.post("/redactie/artikel/dog/intrekken", seen=seen)).status == 303
    assert await desk.published() == []
    assert "Gratis." in (await desk.ann.get("/redactie/artikel/dog")).text
    await desk.writes(desk.ann, "opslaan", "dog", **more)
    drafts = {row.slug: row.content for row in await desk.office.rows(article_drafts)}
    assert drafts["dog"]["translations"] == english


async def test_old_versions_are_there_to_read(desk: Desk) -> None:
    for answer in ("Meld uw hond aan.", "Meld uw kat aan."):
        await desk.writes(desk.ann, "controle", answer=answer)
        assert (await desk.decides(desk.bob, "publiceren", toch="ja")).status == 303
    page = await desk.ann.get("/redactie/artikel/hond/versies")
    assert "<del>hond</del><ins>kat</ins>" in page.text and "Sanne de Vries" in page.text
    seen = page.text.partition('name="seen" value="')[2].partition('"')[0]
    assert (await desk.ann.post("/redactie/artikel/hond/versies", seen=seen, versie="1")).status == 303
    [draft] = await desk.office.rows(article_drafts)
    assert draft.content["answer"] == "Meld uw hond aan."
    assert (await desk.ann.post("/redactie/artikel/hond/versies", seen="x", versie="1")).status == 422
    assert (await desk.ann.get("/redactie/artikel/niets/versies")).status == 404
    assert (await desk.decides(desk.bob, "iets anders")).status == 404
