"""Two questions in a message, over the articles that we ship."""

from __future__ import annotations

import pytest

from actions.answers import Answer, Answers
from actions.phrases import Phrases
from bot.model import Outbound, Route
from knowledge.search import HybridSearch

PHRASES = Phrases.load()


async def asked(search: HybridSearch, text: str) -> Answer:
    return await Answers(search, PHRASES).find(text)


def articles(answer: Answer) -> list[str | None]:
    return [message.article for message in answer.messages if isinstance(message, Outbound)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wat kost een paspoort en hoe laat zijn jullie open?", ["paspoort-aanvragen", "openingstijden"]),
        ("moet ik mijn hond aanmelden en wanneer komt het grofvuil", ["hondenbelasting", "grofvuil"]),
        ("wat kost een paspoort en een rijbewijs", ["paspoort-aanvragen", "rijbewijs-aanvragen"]),
        ("mijn man en ik gaan verhuizen en scheiden", ["verhuizing-doorgeven", "scheiden"]),
        (
            "ik ben verhuisd en mijn rijbewijs is kwijt, wat moet ik doen",
            ["verhuizing-doorgeven", "rijbewijs-kwijt"],
        ),
    ],
)
async def test_both_are_answered_in_order(
    shipped_search: HybridSearch, text: str, expected: list[str]
) -> None:
    answer = await asked(shipped_search, text)
    assert articles(answer) == expected
    assert answer.trace.route is Route.ANSWER
    assert (answer.trace.article, answer.trace.alternatives[:1]) == (expected[0], (expected[1],))
    assert answer.article == expected[1]


@pytest.mark.parametrize(
    ("text", "article"),
    [
        ("wat is het verschil tussen trouwen en geregistreerd partnerschap", "geregistreerd-partnerschap"),
        ("begraven en cremeren", "begraven-cremeren"),
        ("paspoort en id-kaart voor mijn kind", "paspoort-kind"),
        ("mijn buren maken herrie en hun hond blaft de hele dag, wat kan ik doen", "geluidsoverlast"),
        ("ik ben zwanger en niet getrouwd, moet mijn vriend het kind erkennen", "kind-erkennen"),
        (
            "Goedemiddag, mijn man is vorige week overleden en ik zit met veel vragen. Ik heb de uitvaart geregeld"
            " met de kinderen en ben nu zijn papieren aan het opruimen. Zijn rijbewijs en paspoort liggen hier nog."
            " Hoe krijg ik een kopie van de overlijdensakte? Met vriendelijke groet, mevrouw de Vries",
            "akte-burgerlijke-stand",
        ),
    ],
)
async def test_one_question_stays_one(shipped_search: HybridSearch, text: str, article: str) -> None:
    assert articles(await asked(shipped_search, text)) == [article]


async def test_two_parts_of_one_article(shipped_search: HybridSearch) -> None:
    answer = await asked(shipped_search, "hoe vraag ik een paspoort aan en wat kost het")
    article = shipped_search.article("paspoort-aanvragen")
    assert article is not None
    texts = [message.text for message in answer.messages if isinstance(message, Outbound)]
    assert texts == [article.answer, article.aspects["kosten"]]
    assert answer.aspect == "kosten"


async def test_of_more_than_two_we_ask_which_comes_first(shipped_search: HybridSearch) -> None:
    answer = await asked(
        shipped_search,
        "hoe geef ik mijn verhuizing door? wat kost een uittreksel? en wanneer komt het oud papier?",
    )
    [message] = answer.messages
    assert isinstance(message, Outbound) and message.text == PHRASES.text("which_first")
    assert [choice.id for choice in message.choices] == [
        "article:verhuizing-doorgeven",
        "article:uittreksel-brp",
        "article:afvalkalender",
        "something_else",
    ]
    assert answer.trace.route is Route.CLARIFY


@pytest.mark.parametrize("text", ["parkeren", "vergunning", "ik wil een vergunning"])
async def test_a_subject_of_several_articles_is_asked_about(shipped_search: HybridSearch, text: str) -> None:
    assert (await asked(shipped_search, text)).trace.route is Route.CLARIFY


async def test_greetings_and_thanks_change_nothing(shipped_search: HybridSearch) -> None:
    answer = await asked(
        shipped_search,
        "hoi goedemorgen kunt u mij vertellen wanneer de vuilnis wordt opgehaald alvast bedankt groetjes ria",
    )
    assert articles(answer) == ["afvalkalender"]
