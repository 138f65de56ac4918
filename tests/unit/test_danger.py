"""Words of danger: what people say gets its article, what only sounds like it does not."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import yaml

from actions.danger import DangerWords, compiled
from actions.understanding import Understanding
from bot.model import Outbound, Route, Turn
from bot.ports import Article, Translation
from bot.settings import ROOT
from knowledge.article import parse
from tests.fakes.search import WordSearch

SAID = yaml.safe_load((ROOT / "tests" / "fixtures" / "danger.yml").read_text(encoding="utf-8"))
SUICIDE = Article(
    "zelfmoordgedachten",
    7,
    "Bel 113",
    "veiligheid",
    "Bel 113.",
    links=(("Chat", "https://www.113.nl"),),
    translations={"en": Translation("Call 113", "Please call 113.")},
)


@pytest.fixture(scope="module")
def words() -> DangerWords:
    return DangerWords.load()


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return Understanding(WordSearch(SUICIDE))


@pytest.mark.parametrize("slug", SAID)
def test_what_people_say(words: DangerWords, slug: str) -> None:
    wrong = [text for text in SAID[slug] if (words.find(str(text)) or "none") != slug]
    assert wrong == []


def test_there_are_many_examples() -> None:
    assert sum(len(SAID[slug]) for slug in SAID if slug != "none") > 200
    assert len(SAID["none"]) > 180


def test_every_article_is_there_and_has_a_sentence_for_when_it_is_not(words: DangerWords) -> None:
    content = ROOT / "knowledge" / "content"
    phrases = yaml.safe_load((ROOT / "knowledge" / "phrases.yml").read_text(encoding="utf-8"))
    for slug in words.slugs:
        assert (content / f"{slug}.md").exists()
        assert f"danger_{slug}" in phrases and f"en_danger_{slug}" in phrases


def test_phrasings_of_other_articles_are_no_danger(words: DangerWords) -> None:
    found = []
    for file in sorted((ROOT / "knowledge" / "content").glob("*.md")):
        draft = parse(file.read_text(encoding="utf-8"), file.name)
        if draft.slug not in words.slugs:
            found += [phrasing for phrasing in draft.phrasings if words.find(phrasing)]
    assert found == []


@pytest.mark.parametrize(
    "text", ["", " ", ".", "???", "\x00", "ik " * 5000, "a" * 10_000, "ik wil\n\n\u202edood" * 99]
)
def test_any_text_can_be_looked_at(words: DangerWords, text: str) -> None:
    assert words.find(text) in (None, *words.slugs)


@pytest.mark.parametrize("pattern", ["(a|b", "a)", "<x", "[a", ","])
def test_a_pattern_that_is_wrong_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"part of a pattern|holds no word"):
        compiled(pattern, {})


def test_an_unknown_file_of_words(tmp_path: Path) -> None:
    file = tmp_path / "danger.yml"
    file.write_text(
        "sets: {}\ninnocent: [x]\narticles: {brand: {patterns: [er is brand]}}\n", encoding="utf-8"
    )
    assert DangerWords.load(file).find("Er is BRAND!") == "brand"


def test_the_article_is_said_and_a_person_offered(
    understanding: Understanding, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert understanding.alarm().hears(Turn("c", "geheimwoord"), waiting=False) is None
        reply = understanding.alarm().hears(Turn("c", "geheimwoord. ik wil dood"), waiting=False)
    assert reply is not None and reply.trace is not None
    article, person = reply.messages
    assert isinstance(article, Outbound) and isinstance(person, Outbound)
    assert (article.text, article.article, article.revision) == ("Bel 113.", "zelfmoordgedachten", 7)
    assert [choice.id for choice in person.choices] == ["human"]
    assert (reply.trace.route, reply.trace.article) == (Route.ANSWER, "zelfmoordgedachten")
    assert "geheimwoord" not in caplog.text and "zelfmoordgedachten" in caplog.text


def test_who_waits_for_a_person_gets_the_article_alone(understanding: Understanding) -> None:
    reply = understanding.alarm().hears(Turn("c", "ik wil dood"), waiting=True)
    assert reply is not None
    assert [message.article for message in reply.messages if isinstance(message, Outbound)] == [
        "zelfmoordgedachten"
    ]


def test_a_translated_article_is_said_in_its_language(understanding: Understanding) -> None:
    reply = understanding.alarm().hears(Turn("c", "I want to kill myself"), waiting=True)
    assert reply is not None
    assert [m.text for m in reply.messages if isinstance(m, Outbound)] == ["Please call 113."]


def test_without_a_translation_the_number_comes_in_the_language_first(understanding: Understanding) -> None:
    reply = understanding.alarm().hears(Turn("c", "ölmek istiyorum"), waiting=True)
    assert reply is not None
    number, article = (message for message in reply.messages if isinstance(message, Outbound))
    assert "113" in number.text and "arayın" in number.text
    assert article.text == "Bel 113."


def test_without_the_article_the_sentence_has_the_number(understanding: Understanding) -> None:
    reply = understanding.alarm().hears(Turn("c", "mijn man slaat mij"), waiting=True)
    assert reply is not None and reply.trace is not None
    (number,) = reply.messages
    assert isinstance(number, Outbound) and "0800 2000" in number.text
    assert reply.trace.article == "huiselijk-geweld"
