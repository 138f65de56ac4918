"""Answer, "Bedoelt u ...?", or "dat weet ik niet" and a person."""

from __future__ import annotations

from time import perf_counter

import pytest

from actions import aspects, callback_answers, following, sentences, tasks
from actions.answers import Answers, Topic
from actions.phrases import Phrases
from actions.sentences import gist
from bot.model import Outbound, Route, Say
from tests.fakes.search import PASSPORT, TIP, WordSearch

PHRASES = Phrases.load()


@pytest.fixture
def answers() -> Answers:
    return Answers(WordSearch(), PHRASES)


def only(messages: tuple[Say | Outbound, ...]) -> Outbound:
    (message,) = messages
    assert isinstance(message, Outbound)
    return message


async def test_a_sure_find_is_answered_with_its_revision_links_and_aspects(answers: Answers) -> None:
    answer = await answers.find("hoe vraag ik een paspoort aan")
    message = only(answer.messages)
    assert (message.text, message.article, message.revision) == (PASSPORT.answer, PASSPORT.slug, 3)
    assert [link.url for link in message.links] == ["{website}/paspoort"]
    assert [c.id for c in message.choices] == [
        "aspect:paspoort-aanvragen/kosten",
        "aspect:paspoort-aanvragen/duur",
        "unhelpful",
    ]
    assert answer.trace.route is Route.ANSWER
    assert (answer.trace.article, answer.trace.confidence) == (PASSPORT.slug, 0.92)
    assert (answer.article, answer.misses) == (PASSPORT.slug, 0)


async def test_a_question_for_a_part_gets_that_part(answers: Answers) -> None:
    message = only((await answers.find("wat kost een paspoort?")).messages)
    assert message.text == PASSPORT.aspects["kosten"]
    assert [c.id for c in message.choices] == ["aspect:paspoort-aanvragen/duur", "unhelpful"]
    assert message.revision == 3


async def test_a_part_that_the_article_lacks_gets_the_answer(answers: Answers) -> None:
    assert (
        only((await answers.find("wat moet ik meenemen voor een paspoort")).messages).text == PASSPORT.answer
    )


async def test_a_short_question_that_points_back_stays_with_the_article(answers: Answers) -> None:
    topic = Topic(article=PASSPORT.slug)
    assert only((await answers.find("en wat kost dat?", topic)).messages).text == PASSPORT.aspects["kosten"]
    assert (await answers.find("en wat kost dat?")).trace.route is Route.OUT_OF_SCOPE
    long = "wat kost het om op een mooie dag een olifant te laten overnachten"
    assert (await answers.find(long, topic)).trace.route is Route.OUT_OF_SCOPE


async def test_in_doubt_at_most_three_likely_ones_are_offered(answers: Answers) -> None:
    answer = await answers.find("waar laat ik afval")
    message = only(answer.messages)
    assert message.text == PHRASES.text("clarify")
    assert [c.id for c in message.choices] == ["article:milieustraat", "article:grofvuil", "something_else"]
    assert answer.trace.route is Route.CLARIFY
    assert answer.trace.alternatives == ("milieustraat", "grofvuil")
    assert answer.offer is None


async def test_yes_can_mean_the_only_one_offered(answers: Answers) -> None:
    assert (await answers.find("een oude kast")).offer == "article:grofvuil"


async def test_two_misses_in_a_row_bring_a_person(answers: Answers) -> None:
    first = await answers.find("blauwe olifant")
    assert first.messages == (Say("not_found"),)
    assert (first.misses, first.offer) == (1, "human")
    second = await answers.find("groene olifant", Topic(misses=first.misses))
    assert second.messages == (Say("not_found_again"),)
    assert (second.trace.route, second.handoff) == (Route.HANDOFF, "not_understood")
    assert first.handoff is None
    assert (await answers.find("paspoort", Topic(misses=second.misses))).misses == 0


async def test_a_miss_in_a_form_counts_for_nothing(answers: Answers) -> None:
    answer = await answers.find("blauwe olifant", Topic(misses=1, in_form=True))
    assert answer.messages == (Say("not_found_in_form"),)
    assert answer.misses == 1


@pytest.mark.parametrize("text", ["", "   ", "😀😀", "\x00", "?", "_", "..."])
async def test_a_message_without_a_word_is_no_question(answers: Answers, text: str) -> None:
    answer = await answers.find(text, Topic(misses=1))
    assert (answer.messages, answer.misses, answer.offer) == ((Say("not_understood"),), 1, "human")


async def test_no_text_breaks_it(answers: Answers) -> None:
    assert (await answers.find("a" * 100_000)).messages == (Say("not_found"),)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Kort. Wat kost het? Graag snel.", "Kort. Wat kost het? Graag snel."),
        ("Ik woon hier al lang. " * 20 + "Wat kost een paspoort? Alvast dank.", "Wat kost een paspoort?"),
        ("Ik woon hier al lang. " * 20, "Ik woon hier al lang. " * 20),
    ],
)
def test_a_long_story_is_about_what_it_asks(text: str, asked: str) -> None:
    assert gist(text) == asked


async def test_an_article_that_is_gone_is_not_invented() -> None:
    answers = Answers(WordSearch(TIP), PHRASES)
    assert answers.chosen("paspoort-aanvragen").messages == (Say("gone"),)
    assert answers.aspect("paspoort-aanvragen", "kosten").messages == (Say("gone"),)
    assert (await answers.find("paspoort")).messages == (Say("not_found"),)


async def test_an_aspect_that_is_gone_gets_the_answer(answers: Answers) -> None:
    assert only(answers.aspect(PASSPORT.slug, "waar").messages).text == PASSPORT.answer


@pytest.mark.parametrize(
    ("text", "aspect"),
    [
        ("wat kost een paspoort", "kosten"),
        ("hoe duur is een rijbewijs", "kosten"),
        ("is trouwen gratis", "kosten"),
        ("wat moet ik meenemen", "meenemen"),
        ("welke documenten zijn nodig", "meenemen"),
        ("hoe lang duurt dat", "duur"),
        ("hoelang duurt een aanvraag", "duur"),
        ("kom ik in aanmerking", "voorwaarden"),
        ("wie kan een stadspas krijgen", "voorwaarden"),
        ("waar kan ik terecht", "waar"),
        ("hoe vraag ik dat aan", None),
        ("ik wil een nieuw paspoort", None),
    ],
)
def test_which_part_a_question_asks_for(text: str, aspect: str | None) -> None:
    assert aspects.asked(text) == aspect


@pytest.mark.parametrize(
    "text", ["a" * 4_000, "a? " * 1_300, "mens " * 800, "." * 4_000, "1 " * 2_000, "en " * 1_300, "?" * 4_000]
)
def test_no_text_takes_long(text: str) -> None:
    started = perf_counter()
    gist(text)
    aspects.asked(text)
    aspects.alone(text)
    following.leans(text)
    sentences.parts(sentences.plain(text))
    sentences.halves(text)
    tasks.subject(text, Route.STATUS)
    callback_answers.phone(text)
    callback_answers.part_of_day(text)
    callback_answers.change(text)
    callback_answers.topic(text)
    assert perf_counter() - started < 1.0


def test_of_a_story_only_its_questions_are_looked_up() -> None:
    story = "Ik woon hier al jaren en ben erg tevreden. " * 8
    assert gist(f"{story}Wat kost een paspoort? Groetjes, Jan") == "Wat kost een paspoort?"
    assert gist(story) == story
    assert gist("Hoi! Wat kost een paspoort?") == "Hoi! Wat kost een paspoort?"


def test_buttons_fit_every_channel() -> None:
    for aspect in aspects.ORDER:
        assert len(PHRASES.text(f"aspect_{aspect}")) <= 20
