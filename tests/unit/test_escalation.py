"""A person comes by itself: in need, in anger, at the second insult, and where an article says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from actions.escalation import Escalating
from actions.moods import Moods
from bot.model import Choice, Command, Outbound, Reply, Route, Say, Trace, Turn
from bot.ports import DialogueEngine
from tests.fakes.search import PASSPORT, WordSearch
from tests.house import Engine

DEBT = replace(PASSPORT, slug="schuldhulp", answer="Bel ons.", policy=("person", "call"))
BUTTON = (Choice("unhelpful", "Dit helpt niet"),)
MOODS = Moods.load()


def answer(slug: str, text: str, route: Route = Route.ANSWER) -> Reply:
    message = Outbound(text, BUTTON, article=slug, revision=1)
    return Reply((message,), memory={"slots": {"article": slug}}, trace=Trace(route, slug, (), 0.9))


LOST = Reply((Say("not_found"),), memory={"slots": {"misses": 1}}, trace=Trace(Route.OUT_OF_SCOPE))
CALM = Reply((Say("insult"),), memory={"slots": {}}, trace=Trace(Route.SMALLTALK))
HUMAN = Reply(
    (), (Command("handoff", {"reason": "asked", "topic": "woz"}),), trace=Trace(Route.HANDOFF, "woz")
)


async def said(
    reply: Reply, text: str = "", choice: str | None = None, memory: Mapping[str, Any] | None = None
) -> Reply:
    async def think(turn: Turn) -> Reply:
        assert "insults" not in (turn.memory or {}), "that is not the engine's"
        return reply

    engine = Escalating(Engine(think), WordSearch(PASSPORT, DEBT), MOODS)
    return await engine.reply(Turn("c", text, choice, memory))


async def test_it_is_a_dialogue_engine() -> None:
    engine = Escalating(Engine(), WordSearch(), MOODS)
    assert isinstance(engine, DialogueEngine) and (await engine.health()).ready
    await engine.close()


@pytest.mark.parametrize(("text", "reason"), [("ik kan niet meer", "distress"), ("ik ben het zat", "anger")])
async def test_where_nothing_surely_answers_a_person_comes_at_once(text: str, reason: str) -> None:
    reply = await said(LOST, text)
    assert reply.messages == (Say(reason),)
    assert reply.commands == (Command("handoff", {"reason": reason, "topic": None}),)
    assert reply.trace == Trace(Route.HANDOFF)


@pytest.mark.parametrize("route", [Route.ANSWER, Route.REPORT, Route.STATUS, Route.APPOINTMENT])
async def test_a_sure_answer_is_given_too_without_buttons_that_nobody_hears(route: Route) -> None:
    reply = await said(answer("woz", "Zo maakt u bezwaar.", route), "ik ben het zat, hoe maak ik bezwaar?")
    words, message = reply.messages
    assert words == Say("anger") and isinstance(message, Outbound)
    assert (message.text, message.choices) == ("Zo maakt u bezwaar.", ())
    assert reply.commands == (Command("handoff", {"reason": "anger", "topic": "woz"}),)
    assert reply.trace == Trace(route, "woz", (), 0.9)


async def test_a_number_goes_before_kind_words() -> None:
    number, words = (await said(answer("zelfmoordgedachten", "Bel 113."), "ik kan niet meer")).messages
    assert isinstance(number, Outbound) and number.text == "Bel 113."
    assert words == Say("distress")


async def test_a_choice_between_articles_is_no_answer() -> None:
    offered = Reply((Outbound("Bedoelt u?", BUTTON),), trace=Trace(Route.CLARIFY, None, ("woz", "bijstand")))
    assert (await said(offered, "belachelijk")).messages == (Say("anger"),)


async def test_who_asks_for_a_person_in_need_goes_first() -> None:
    reply = await said(HUMAN, "ik ben wanhopig, ik wil een mens")
    assert reply.commands == (Command("handoff", {"reason": "distress", "topic": "woz"}),)


async def test_the_first_insult_gets_calm_words_and_the_second_a_person() -> None:
    first = await said(CALM, "stomme robot")
    assert (first.messages, first.commands) == (CALM.messages, ())
    assert first.memory == {"slots": {}, "insults": 1}
    second = await said(CALM, "wat een rommel", memory=first.memory)
    assert second.messages == (Say("anger"),)
    assert [command.args["reason"] for command in second.commands] == ["anger"]


async def test_an_insult_with_a_question_is_answered_and_counted() -> None:
    paid = answer("woz", "Zo maakt u bezwaar.")
    first = await said(paid, "stomme bot, hoe maak ik bezwaar?")
    assert (first.messages, first.commands) == (paid.messages, ())
    between = await said(paid, "en nog iets", memory=first.memory)
    assert (between.memory or {})["insults"] == 1 and not between.commands
    second = await said(paid, "domme bot, hoe maak ik bezwaar?", memory=between.memory)
    assert [type(message) for message in second.messages] == [Say, Outbound] and second.commands


async def test_an_article_for_a_person_is_told_and_followed_by_one() -> None:
    reply = await said(answer("schuldhulp", "Bel ons."), "schulden")
    message, words = reply.messages
    assert isinstance(message, Outbound)
    assert (message.text, message.choices, words) == ("Bel ons.", (), Say("policy"))
    assert reply.commands == (Command("handoff", {"reason": "policy", "topic": "schuldhulp"}),)
    assert (await said(answer("schuldhulp", "Bel ons."), choice="article:schuldhulp")).commands


@pytest.mark.parametrize(
    "reply", [answer("schuldhulp", "Het is gratis."), answer(PASSPORT.slug, PASSPORT.answer)]
)
async def test_a_part_of_it_and_other_articles_are_only_told(reply: Reply) -> None:
    assert await said(reply, "wat kost dat") == reply


async def test_a_form_goes_on_unless_somebody_is_in_need() -> None:
    form = Reply((Say("callback_ask_when"),), memory={"loop": "callback_form"}, trace=Trace(Route.HANDOFF))
    assert await said(form, "ik ben het zat") == form
    debt = replace(answer("schuldhulp", "Bel ons."), memory=form.memory)
    assert await said(debt, "schulden") == debt
    assert (await said(form, "ik kan niet meer")).messages == (Say("distress"),)


@pytest.mark.parametrize("insults", ["veel", None, -3, [2]])
async def test_a_strange_memory_does_no_harm(insults: object) -> None:
    assert (await said(CALM, "stomme robot", memory={"insults": insults})).messages == CALM.messages
    assert await said(CALM, "", choice="something_else") != LOST
