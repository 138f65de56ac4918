"""The dialogue while its engine is down."""

from __future__ import annotations

from typing import Any

import pytest

from actions.fallback import SearchEngine
from bot.model import Command, Outbound, Route, Say, Turn
from bot.ports import ABOUT, DialogueEngine
from tests.fakes.search import PASSPORT, WordSearch

FORM = {
    "version": 1,
    "slots": {"requested_slot": "callback_phone", "article": PASSPORT.slug},
    "loop": "callback_form",
}


@pytest.fixture
def engine() -> SearchEngine:
    return SearchEngine(WordSearch())


def turn(text: str = "", choice: str | None = None, memory: dict[str, Any] | None = None) -> Turn:
    return Turn("c", text, choice, memory)


async def test_it_is_a_dialogue_engine(engine: SearchEngine) -> None:
    assert isinstance(engine, DialogueEngine)
    assert (await engine.health()).ready
    await engine.close()


async def test_a_question_is_answered_and_the_memory_kept(engine: SearchEngine) -> None:
    reply = await engine.reply(turn("hoe vraag ik een paspoort aan", memory=FORM))
    (message,) = reply.messages
    assert isinstance(message, Outbound)
    assert (message.text, message.revision) == (PASSPORT.answer, 3)
    assert reply.memory == FORM
    assert reply.trace
    assert reply.trace.route is Route.ANSWER


@pytest.mark.parametrize(
    "text",
    [
        "ik wil een mens spreken",
        "kan ik een medewerker spreken",
        "verbind me door",
        "geef me een echt persoon",
        "ik praat liever met een mens",
        "medewerker",
        "kan iemand mij helpen",
    ],
)
async def test_a_person_is_never_out_of_reach(engine: SearchEngine, text: str) -> None:
    reply = await engine.reply(turn(text))
    assert [command.name for command in reply.commands] == ["handoff"]
    assert not reply.messages


async def test_the_button_for_a_person_works(engine: SearchEngine) -> None:
    reply = await engine.reply(turn(choice="human", memory=FORM))
    assert reply.commands == (Command("handoff", {"reason": "asked", "topic": PASSPORT.slug}),)


@pytest.mark.parametrize(
    "given", [turn(choice="unhelpful", memory=FORM), turn("dit helpt me niet", memory=FORM)]
)
async def test_an_answer_that_does_not_help_brings_a_person(engine: SearchEngine, given: Turn) -> None:
    reply = await engine.reply(given)
    assert reply.commands == (Command("handoff", {"reason": "unhelpful", "topic": PASSPORT.slug}),)
    assert reply.messages == (Say("unhelpful"),)


@pytest.mark.parametrize(("text", "slug"), [("mijn paspoort", PASSPORT.slug), ("de kikkers", None)])
async def test_what_a_person_is_wanted_for(engine: SearchEngine, text: str, slug: str | None) -> None:
    reply = await engine.reply(Turn("c", text, metadata={"asked": ABOUT}))
    assert (reply.messages, reply.commands) == ((), (Command("handoff", {"reason": "asked", "topic": slug}),))


async def test_buttons_of_answers_work(engine: SearchEngine) -> None:
    for choice in (f"aspect:{PASSPORT.slug}/kosten", "aspect:kosten"):
        (message,) = (await engine.reply(turn(choice=choice, memory=FORM))).messages
        assert isinstance(message, Outbound)
        assert message.text == PASSPORT.aspects["kosten"]
    (message,) = (await engine.reply(turn(choice=f"article:{PASSPORT.slug}"))).messages
    assert isinstance(message, Outbound)
    assert message.text == PASSPORT.answer


@pytest.mark.parametrize(
    "given", [turn("hallo"), turn("0612345678", memory=FORM), turn("ja", "affirm", FORM), turn()]
)
async def test_what_needs_the_engine_is_said_honestly(engine: SearchEngine, given: Turn) -> None:
    reply = await engine.reply(given)
    assert reply.messages == (Say("search_only"),)
    assert reply.memory == given.memory


@pytest.mark.parametrize("memory", [{"slots": 3}, {"slots": {"article": ["x"]}}, {}])
async def test_a_strange_memory_does_no_harm(engine: SearchEngine, memory: dict[str, Any]) -> None:
    assert (await engine.reply(turn("paspoort", memory=memory))).memory == memory
