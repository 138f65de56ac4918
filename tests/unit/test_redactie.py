"""What helps editors: the form loses nothing, a judgement points at its place, and what is taken from others shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from multidict import MultiDict

from bot.app.bubbles import bubbles
from bot.app.editing import EditorsHelp
from bot.app.house import open_house
from bot.editing import Bubble
from bot.model import Choice, Link, Outbound
from bot.settings import ROOT, Settings
from bot.standing import Seen
from bot.web.kcc.shelf import Shelf
from bot.web.redactie.fields import ASPECTS, LABELS, content_of, seen_of, slug_of, values_of
from bot.worddiff import changes
from connectors import telegram_render, whatsapp_render
from knowledge import article, rivals
from knowledge.article import from_json, parse, to_json
from knowledge.index import IndexedArticle
from knowledge.search import HybridSearch

FILES = sorted((ROOT / "knowledge" / "content").glob("*.md"))
DOG = parse((ROOT / "knowledge" / "content" / "hondenbelasting.md").read_text("utf-8"), "dog")
TEXT: dict[str, Any] = json.loads(to_json(DOG))


@pytest.fixture
async def help_of(tmp_path: Path, shipped_search: HybridSearch) -> Any:
    settings = Settings(database_url=f"sqlite+aiosqlite:///{tmp_path / 'k.db'}", state_dir=tmp_path)
    async with open_house(settings) as house:
        shelf = Shelf(house.wording)
        shelf.search = shipped_search
        yield EditorsHelp(house, shelf)


def sent(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The form as a browser sends it: every field once, lines with both their ends."""
    for name, value in values.items():
        if name == "aspects":
            yield from value.items()
        elif name == "links":
            for label, url in value:
                yield from (("link_label", label), ("link_url", url))
        elif isinstance(value, list):
            yield from ((name, one) for one in value)
        else:
            yield name, value.replace("\n", "\r\n")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_form_loses_nothing(file: Path) -> None:
    draft = parse(file.read_text("utf-8"), file.name)
    content = json.loads(to_json(draft))
    again = content_of(MultiDict(sent(values_of(content))), draft.slug, content)
    assert from_json(json.dumps(again)) == draft
    assert changes(content, again) == []


def test_the_form_knows_all_that_an_article_has() -> None:
    assert set(ASPECTS) == set(article.ASPECTS)
    assert {*LABELS} >= {*article.ASPECTS, *article.LANGUAGES, *article._REQUIRED, "translations"}
    assert values_of({})["policy"] == ["", "", "", ""]


def test_names_and_what_was_seen() -> None:
    assert slug_of("Één café: à la carte!") == "een-cafe-a-la-carte"
    assert len(slug_of("heel " * 40)) <= 48 and not slug_of("heel " * 40).endswith("-")
    assert seen_of({"seen": "3.12"}) == Seen(3, 12)
    assert seen_of({"seen": "alles"}) == seen_of({}) == Seen(-1, -1)


def test_differences_are_words() -> None:
    [one] = changes({"answer": "Bel ons morgen."}, {"answer": "Bel ons vandaag."})
    assert one.pieces == (("=", "Bel ons "), ("-", "morgen."), ("+", "vandaag."))
    assert [change.field for change in changes(TEXT, {**TEXT, "aspects": {}})] == list(TEXT["aspects"])


async def test_the_judgement(help_of: EditorsHelp) -> None:
    judged = help_of.judge(TEXT)
    assert judged.errors == {} and judged.plain and judged.content == TEXT
    text = "Bel ons.\nU dient tijdig te bellen."
    hard = help_of.judge({**TEXT, "answer": text})
    [late] = [one for one in hard.remarks if one.words == "tijdig"]
    assert (late.part, late.before, late.after) == ("answer", "U dient ", " te bellen.")
    assert text[late.start : late.start + late.length] == "tijdig" and late.replacement == "op tijd"
    assert set(help_of.judge({}).errors) >= {"title", "answer", "phrasings", "policy"}
    assert help_of.judge({**TEXT, "answer": "{prijs_hondd}"}).errors["answer"].count("{prijs_hond}") == 1
    bad = {**TEXT, "links": [{"label": "Klik", "url": "javascript:alert(1)"}]}
    assert "https://" in help_of.judge(bad).errors["links"]


async def test_each_channel_shows_it(help_of: EditorsHelp) -> None:
    found = {one.channel: one for one in help_of.preview(TEXT, "kosten")}
    assert set(found) == {"webchat", "whatsapp", "telegram"}
    for one in found.values():
        assert "{" not in one.bubbles[0].text and "per jaar" in one.bubbles[0].text
    assert found["whatsapp"].bubbles[0].opens == "Maak een keuze"
    assert help_of.preview({"title": "x"}, "")[0].bubbles == ()


def test_bodies_as_bubbles() -> None:
    said = Outbound("**Let op**: bel & <b>groet</b>", (Choice("a", "Ja"),), (Link("Site", "https://a.nl"),))
    [telegram] = bubbles("telegram", telegram_render.render([said]))
    assert telegram == Bubble("**Let op**: bel & <b>groet</b>", ["Ja"], [("Site", "https://a.nl")])
    [whatsapp] = bubbles("whatsapp", whatsapp_render.render([said], "Kies"))
    assert whatsapp.buttons == ["Ja"] and whatsapp.text.startswith("**Let op**: bel & <b>")
    [alone] = bubbles("whatsapp", whatsapp_render.render([replace(said, choices=())], "Kies"))
    assert alone.links == (("Site", "https://a.nl"),)


async def test_an_article_that_takes_questions_of_another_shows_which(
    help_of: EditorsHelp, shipped_search: HybridSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rivals, "NEAR", 1)  # all of them take seconds
    monkeypatch.setattr(rivals, "ROUND", 12)
    thief = {**TEXT, "slug": "honden", "title": "Alles over uw hond"}
    beside = await help_of.beside(thief)
    assert beside is not None and {one.slug for one in beside.stolen} == {"hondenbelasting"}
    assert "hondenbelasting" in beside.errors["phrasings"]
    own = await shipped_search.rivals(IndexedArticle(DOG.slug, 0, replace(DOG, answer="Bel ons.")))
    assert own == []
    lonely = await help_of.beside({**TEXT, "related": ["bestaat-niet"]})
    assert lonely is not None and "bestaat-niet" in lonely.errors["related"]


async def test_a_question_is_tried(help_of: EditorsHelp) -> None:
    tried = await help_of.attempt("wat kost hondenbelasting bij jullie per jaar")
    assert tried is not None and tried.route == "answer" and tried.likely[0].slug == "hondenbelasting"
    assert tried.likely[0].chance >= tried.answer > tried.clarify and tried.likely[0].like
    assert len(tried.likely) > 1 and "{" not in tried.bubbles[0].text
    exact = await help_of.attempt(DOG.phrasings[0])
    assert exact is not None and exact.exact
    strange = await help_of.attempt("hoe hoog is de eiffeltoren")
    assert strange is not None and strange.route == "out_of_scope"
