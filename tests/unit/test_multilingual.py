"""An engine that speaks Dutch, heard by residents who don't."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from actions.fallback import SearchEngine
from actions.understanding import Understanding
from bot.model import Choice, Command, Outbound, Reply, Route, Say, Trace, Turn
from bot.ports import DialogueEngine, Translation
from tests.fakes.search import PASSPORT, WordSearch
from tests.house import Engine

ENGLISH = Translation(
    "Apply for a passport", "Make an appointment.", {"kosten": "It costs {prijs_paspoort}."}
)
SEARCH = WordSearch(replace(PASSPORT, translations={"en": ENGLISH}))
UNDERSTANDING = Understanding(SEARCH)
ARTICLE = Outbound(
    PASSPORT.answer,
    (Choice("aspect:paspoort-aanvragen/kosten", "Wat kost het?"), Choice("unhelpful", "Dit helpt niet")),
    article=PASSPORT.slug,
    revision=3,
)
ANSWER = Trace(Route.ANSWER, PASSPORT.slug, (), 0.9)


class Heard:
    """An engine that always replies the same, and keeps what it was asked."""

    def __init__(self, *messages: Say | Outbound, **more: Any) -> None:
        self.reply_with = Reply(messages, **{"trace": ANSWER, **more})
        self.turns: list[Turn] = []

    async def think(self, turn: Turn) -> Reply:
        self.turns.append(turn)
        return self.reply_with

    def engine(self) -> DialogueEngine:
        return UNDERSTANDING.around(Engine(self.think))


def words(reply: Reply) -> list[str]:
    return [message.text if isinstance(message, Outbound) else message.phrase for message in reply.messages]


async def test_dutch_passes_as_it_is() -> None:
    heard = Heard(ARTICLE, memory={"version": 1})
    turn = Turn("c", "hoe vraag ik een paspoort aan", memory={"version": 1})
    assert await heard.engine().reply(turn) == heard.reply_with
    assert heard.turns == [turn]


async def test_an_answer_with_a_translation_is_said_in_it() -> None:
    heard = Heard(ARTICLE, memory={"version": 1})
    reply = await heard.engine().reply(Turn("c", "how do I get a passport"))
    (message,) = reply.messages
    assert message == replace(
        ARTICLE,
        text="Make an appointment.",
        choices=(
            Choice("aspect:paspoort-aanvragen/kosten", "What does it cost?"),
            Choice("unhelpful", "This does not help"),
        ),
    )
    assert reply.trace == ANSWER
    assert reply.memory == {"version": 1, "language": "en"}
    assert heard.turns[0].metadata["language"] == "en"
    assert heard.turns[0].memory is None


async def test_the_part_that_is_asked_for() -> None:
    reply = await Heard(ARTICLE).engine().reply(Turn("c", "how much does a new passport cost"))
    (message,) = reply.messages
    assert isinstance(message, Outbound)
    assert message.text == "It costs {prijs_paspoort}."
    assert [choice.id for choice in message.choices] == ["unhelpful"]


async def test_without_a_translation_one_sentence_says_so_once() -> None:
    heard = Heard(ARTICLE, ARTICLE, memory={})
    reply = await heard.engine().reply(Turn("c", "yeni pasaport nasıl alabilirim"))
    first, *others = reply.messages
    assert isinstance(first, Outbound) and "Türkçe" in first.text
    assert [(choice.id, choice.label) for choice in first.choices] == [("human", "Bir kişiyle konuşun")]
    assert [message.text for message in others if isinstance(message, Outbound)] == [PASSPORT.answer] * 2


async def test_an_old_revision_is_not_translated_with_a_new_one() -> None:
    reply = await Heard(replace(ARTICLE, revision=2)).engine().reply(Turn("c", "how do I get a passport"))
    assert len(reply.messages) == 2


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("thank you very much", "thanks"),
        ("Dzień dobry!", "greet"),
        ("привіт", "greet"),
        ("مرحبا", "greet"),
        ("bir insanla konuşmak istiyorum", "human"),
        ("Ich möchte mit einem Menschen sprechen.", "human"),
    ],
)
async def test_greetings_and_wishes_are_understood(text: str, intent: str) -> None:
    heard = Heard(Say("greet"), trace=Trace(Route.SMALLTALK))
    await heard.engine().reply(Turn("c", text))
    assert [turn.choice for turn in heard.turns] == [intent]


async def test_a_follow_up_asks_for_a_part_of_the_article_before() -> None:
    memory: Mapping[str, Any] = {"slots": {"article": "paspoort-aanvragen"}, "language": "en"}
    heard = Heard(ARTICLE)
    await heard.engine().reply(Turn("c", "how much?", memory=memory))
    assert heard.turns[0].choice == "aspect:paspoort-aanvragen/kosten"
    assert heard.turns[0].memory == {"slots": {"article": "paspoort-aanvragen"}}


async def test_a_button_stays_in_the_language_and_dutch_ends_it() -> None:
    heard = Heard(ARTICLE)
    reply = await heard.engine().reply(Turn("c", "", "article:paspoort-aanvragen", memory={"language": "en"}))
    assert words(reply) == ["Make an appointment."]
    reply = await heard.engine().reply(Turn("c", "ik wil dit graag in het Nederlands", memory=reply.memory))
    assert words(reply) == [PASSPORT.answer]
    assert reply.memory is None


async def test_a_person_who_comes_is_not_offered() -> None:
    heard = Heard(commands=(Command("handoff", {"reason": "asked"}),), trace=Trace(Route.HANDOFF))
    reply = await heard.engine().reply(Turn("c", "I want to speak to someone"))
    (message,) = reply.messages
    assert isinstance(message, Outbound)
    assert message.choices == ()


async def test_a_language_without_sentences_gets_the_english_ones() -> None:
    reply = await Heard(ARTICLE).engine().reply(Turn("c", "comment demander un nouveau passeport"))
    assert words(reply)[0].startswith("You can write in English")
    assert reply.memory == {"language": "fr"}


async def test_titles_to_choose_from_are_translated() -> None:
    choice = Outbound("Bedoelt u dit?", (Choice("article:paspoort-aanvragen", "Paspoort aanvragen"),))
    reply = (
        await Heard(choice, trace=Trace(Route.CLARIFY)).engine().reply(Turn("c", "I need a new passport now"))
    )
    assert isinstance(reply.messages[1], Outbound)
    assert reply.messages[1].choices == (Choice("article:paspoort-aanvragen", "Apply for a passport"),)


async def test_the_search_alone_is_heard_in_other_languages_too() -> None:
    engine = UNDERSTANDING.around(SearchEngine(SEARCH))
    reply = await engine.reply(Turn("c", "Wie bekomme ich einen neuen paspoort"))
    assert words(reply)[0].startswith("Sie können Deutsch schreiben")
    reply = await engine.reply(Turn("c", "chcę porozmawiać z człowiekiem"))
    assert [command.name for command in reply.commands] == ["handoff"]


@pytest.mark.parametrize("memory", [{"language": 5}, {"language": "xx"}, {"language": None}, {"slots": 3}])
async def test_a_strange_memory_does_no_harm(memory: dict[str, Any]) -> None:
    reply = await Heard(ARTICLE).engine().reply(Turn("c", "how much?", memory=memory))
    assert reply.messages
