"""The shelf: approved answers, and whether words are still theirs."""

from __future__ import annotations

import logging

import pytest

from bot.municipality import Municipality
from bot.ports import Article
from bot.settings import ROOT
from bot.web.kcc.shelf import Shelf
from bot.wording import Wording
from tests.fakes.search import PASSPORT, WordSearch

VARIABLES = Municipality.load(ROOT / "knowledge" / "municipality.yml").variables
SHORT = "Maak een afspraak in Zonneveen."


@pytest.fixture
def shelf() -> Shelf:
    made = Shelf(Wording({}, VARIABLES))
    made.search = WordSearch()
    return made


async def test_answers_are_filled_in(shelf: Shelf) -> None:
    found = await shelf.find("paspoort")
    assert [one.title for one in found] == [PASSPORT.title, "Afval wegbrengen"]
    assert [answer.text for answer in found[0].answers] == [
        SHORT,
        "Een paspoort kost € 88,65.",
        "5 werkdagen.",
    ]
    assert found[0].links == (("Afspraak maken", "https://www.zonneveen.example/paspoort"),)
    assert await shelf.find("  ") == []


@pytest.mark.parametrize(
    ("text", "slug", "revision", "intact"),
    [
        (f"Goedendag.\n\n{SHORT} Dag!", PASSPORT.slug, 3, True),
        ("Maak een afspraak\nin  Zonneveen.", PASSPORT.slug, 3, True),
        ("Een paspoort kost € 88,65.", PASSPORT.slug, 3, True),
        ("Een paspoort kost € 8.", PASSPORT.slug, 3, False),
        (SHORT, PASSPORT.slug, 2, False),
        (SHORT, "bestaat-niet", 3, False),
    ],
)
def test_words_that_are_still_the_articles(
    shelf: Shelf, text: str, slug: str, revision: int, intact: bool
) -> None:
    assert shelf.is_intact(text, slug, revision) is intact


async def test_before_the_search_is_there_it_is_asked_for(shelf: Shelf) -> None:
    empty = Shelf(Wording({}, VARIABLES))
    assert not empty.wanted.is_set()
    assert await empty.find("paspoort") == []
    assert empty.article(PASSPORT.slug) is None
    assert empty.wanted.is_set()


async def test_what_cannot_be_filled_in_is_left_out_and_told(
    caplog: pytest.LogCaptureFixture, shelf: Shelf
) -> None:
    links = (("Afspraak", "{nergens}/afspraak"), ("Meer", "{website}/meer"))
    article = Article(PASSPORT.slug, 1, "Paspoort", "x", "Kom naar {nergens}.", {"kosten": "Gratis."}, links)
    shelf.search = WordSearch(article)
    with caplog.at_level(logging.ERROR):
        [found, *_] = await shelf.find("paspoort")
    assert [answer.text for answer in found.answers] == ["Gratis."]
    assert found.links == (("Meer", "https://www.zonneveen.example/meer"),)
    assert "nergens" in caplog.text
