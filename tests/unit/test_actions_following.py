"""Follow-ups, several in a row, over the articles that we ship."""

from __future__ import annotations

import pytest

from actions import aspects, following
from actions.answers import Answer, Answers, Topic
from actions.fallback import SearchEngine
from actions.phrases import Phrases
from bot.model import Outbound, Route, Say, Turn
from bot.ports import Article
from knowledge.search import HybridSearch
from tests.fakes.search import PASSPORT, TIP, WordSearch

PHRASES = Phrases.load()


def part(answer: Answer, article: Article) -> str | None:
    """Which part of the article was said."""
    message = answer.messages[-1]
    assert isinstance(message, Outbound)
    return next((name for name, text in article.aspects.items() if text == message.text), None)


async def talk(search: HybridSearch, *texts: str) -> list[tuple[str | None, str | None]]:
    """The article and the part that each message of a conversation gets."""
    answers, topic, got = Answers(search, PHRASES), Topic(), []
    for text in texts:
        answer = await answers.find(text, topic)
        article = search.article(answer.trace.article or "")
        got.append((answer.trace.article, part(answer, article) if article else None))
        topic = Topic(answer.article, answer.misses, aspect=answer.aspect)
    return got


async def test_parts_of_the_article_in_conversation(shipped_search: HybridSearch) -> None:
    asked = {
        "en wat kost dat?": "kosten",
        "moet ik iets meenemen?": "meenemen",
        "hoelang duurt het": "duur",
        "en waar?": "waar",
        "wat heb ik daarvoor nodig": "meenemen",
        "en hoeveel kost dat dan": "kosten",
        "how much is it?": "kosten",
    }
    got = await talk(shipped_search, "hoe vraag ik een paspoort aan", *asked)
    assert got == [("paspoort-aanvragen", None), *(("paspoort-aanvragen", one) for one in asked.values())]


async def test_articles_beside_it_several_in_a_row(shipped_search: HybridSearch) -> None:
    got = await talk(
        shipped_search,
        "hoe vraag ik een paspoort aan",
        "en voor mijn kind?",
        "en wat kost dat?",
        "en mijn rijbewijs?",
        "en een id kaart?",
    )
    assert got == [
        ("paspoort-aanvragen", None),
        ("paspoort-kind", None),
        ("paspoort-kind", "kosten"),
        ("rijbewijs-aanvragen", "kosten"),
        ("identiteitskaart-aanvragen", "kosten"),
    ]


@pytest.mark.parametrize(
    ("first", "then", "article"),
    [
        ("hoe vraag ik een paspoort aan", "en als het spoed is?", "paspoort-spoed"),
        ("parkeervergunning aanvragen", "en voor bezoek?", "bezoekersparkeren"),
        ("hoe vraag ik een paspoort aan", "wanneer wordt het oud papier opgehaald", "afvalkalender"),
        ("wat kost een paspoort", "ik wil trouwen", "trouwen"),
        ("wat kost een paspoort", "en grofvuil?", "grofvuil"),
        ("ik wil trouwen", "hoe vraag ik een rijbewijs aan", "rijbewijs-aanvragen"),
    ],
)
async def test_own_words_lead_where_they_say_enough(
    shipped_search: HybridSearch, first: str, then: str, article: str
) -> None:
    assert (await talk(shipped_search, first, then))[-1][0] == article


async def test_a_part_that_is_not_there_is_admitted() -> None:
    answers = Answers(WordSearch(), PHRASES)
    answer = await answers.find("en waar?", Topic(article=PASSPORT.slug))
    said, article = answer.messages
    assert said == Say("part_unknown", {"title": PASSPORT.title})
    assert isinstance(article, Outbound) and article.text == PASSPORT.answer
    assert (answer.trace.route, answer.trace.article) == (Route.ANSWER, PASSPORT.slug)


async def test_without_an_article_nothing_is_followed() -> None:
    answers = Answers(WordSearch(TIP), PHRASES)
    for topic in (Topic(), Topic(article=PASSPORT.slug)):
        assert (await answers.find("en wat kost dat?", topic)).trace.route is Route.OUT_OF_SCOPE


async def test_the_fallback_reads_what_the_conversation_is_about(shipped_search: HybridSearch) -> None:
    memory = {"version": 1, "slots": {"article": "paspoort-aanvragen", "aspect": "kosten"}, "loop": None}
    engine = SearchEngine(shipped_search)
    for text, article in (
        ("en hoelang duurt dat?", "paspoort-aanvragen"),
        ("en een id-kaart?", "identiteitskaart-aanvragen"),
    ):
        reply = await engine.reply(Turn("c", text, memory=memory))
        assert reply.trace and reply.trace.article == article
    [message] = reply.messages
    found = shipped_search.article("identiteitskaart-aanvragen")
    assert found and isinstance(message, Outbound) and message.text == found.aspects["kosten"]


@pytest.mark.parametrize(
    ("text", "leans"),
    [
        ("en voor mijn kind?", True),
        ("kan dat ook online", True),
        ("voor bezoek", True),
        ("hoe lang is hij geldig", True),
        ("wanneer wordt het oud papier opgehaald", False),
        ("hoe vraag ik een rijbewijs aan", False),
        ("en hoe kan ik de rolstoel van mijn overleden moeder teruggeven", False),
    ],
)
def test_which_questions_lean_on_the_last(text: str, leans: bool) -> None:
    assert following.leans(text) is leans


@pytest.mark.parametrize(
    ("text", "aspect"),
    [
        ("en wat kost dat?", "kosten"),
        ("wat kost een paspoort", None),
        ("moet ik iets meenemen", "meenemen"),
        ("wat moet ik meenemen voor een vog", None),
        ("en hoe dan?", "hoe"),
        ("en nu?", "hoe"),
        ("hoe vraag ik dat aan", "hoe"),
        ("wie mag dat aanvragen", "voorwaarden"),
        ("hallo", None),
    ],
)
def test_a_part_asked_for_without_a_subject(text: str, aspect: str | None) -> None:
    assert aspects.alone(text) == aspect
