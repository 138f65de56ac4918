"""What every dialogue engine owes the house. Inherit it, and give the engine and the search behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot.model import Outbound, Reply, Route, Say, Turn
from bot.ports import DialogueEngine, KnowledgeSearch
from bot.settings import ROOT
from bot.wording import Wording
from tests.house import MUNICIPALITY

WORDING = Wording.load(ROOT / "knowledge" / "phrases.yml", MUNICIPALITY.variables)
QUESTION, SLUG = "wat kost een paspoort", "paspoort-aanvragen"
COMMANDS = {"handoff": {"reason", "topic"}, "callback": {"phone", "when", "topic"}}
MEMORY_LIMIT = 20_000

TEXTS = [
    "", " ", "hallo", "ja", "nee", "?", "👍🏽", "😀" * 400, "\x00", "a\x00b", "مرحبا", "/restart", '/human{"a": 1}',
    "{telefoon}", "{onbekend}", "<script>alert(1)</script>", "paspoort " * 400, "x" * 4000, "\n\n\n",
    "bel me terug op 06 12345678", "0" * 300,
    "'; DROP TABLE x; --", "\u202e\u200d\ufeff", "stop", "rot op",
]  # fmt: skip
CHOICES = [
    "human", "bot", "help", "callback", "unhelpful", "something_else", "affirm", "deny", "cancel", f"article:{SLUG}",
    f"aspect:{SLUG}/kosten", "aspect:kosten", "article:bestaat-niet", "aspect:x/y", "inform:ochtend", "", ":",
    "article:", "é" * 32,
    "nlu_fallback", "restart", "session_start", "a:b:c", "/restart",
]  # fmt: skip
MEMORIES: list[Mapping[str, Any]] = [
    {},
    {"version": 999},
    {"slots": 5, "loop": 5},
    {"version": 1, "slots": {"article": 5, "misses": "veel", "onbekend": 1}, "loop": "onbekend_form"},
    {"version": 1, "slots": {"article": "bestaat-niet", "offer": "bestaat:niet"}, "loop": None},
    {"version": 1, "slots": {"requested_slot": "callback_when"}, "loop": "callback_form"},
    {"a": {"b": {"c": ["d"] * 500}}},
]


def turn(
    text: str = "", choice: str | None = None, memory: Mapping[str, Any] | None = None, key: str = "c1"
) -> Turn:
    """A turn as the house makes it."""
    metadata = {"channel": "webchat", "now": "2026-11-23T10:00:00+01:00", "turn": "t1"}
    return Turn(key, text, choice, memory, metadata)


def check(reply: Reply) -> None:
    """Fit to be committed and shown, whatever it is."""
    assert reply.messages or reply.commands
    assert reply.trace is not None and isinstance(reply.trace.route, Route)
    assert reply.trace.confidence is None or 0 <= reply.trace.confidence <= 1
    assert reply.memory is None or len(json.dumps(reply.memory)) <= MEMORY_LIMIT
    for command in reply.commands:
        assert set(command.args) <= COMMANDS[command.name]
        assert all(value is None or isinstance(value, str) for value in command.args.values())
    for message in reply.messages:
        assert isinstance(message, Say | Outbound)
        finished = WORDING.finish(message)
        assert finished.text.strip()
        assert len({choice.id for choice in finished.choices}) == len(finished.choices)
        for choice in finished.choices:
            assert choice.label and 0 < len(choice.id.encode()) <= 64
        for link in finished.links:
            assert link.label and link.url.startswith(("https://", "http://", "tel:", "mailto:"))
        assert (finished.article is None) == (finished.revision is None)


class DialogueEngineConformance:
    """Needs two fixtures: `engine`, and `search`, which it answers from (with an article on passports)."""

    async def test_it_is_an_engine_and_well(self, engine: DialogueEngine) -> None:
        assert isinstance(engine, DialogueEngine)
        assert (await engine.health()).state == "ok"

    async def test_a_question_gets_the_approved_words_and_their_revision(
        self, engine: DialogueEngine, search: KnowledgeSearch
    ) -> None:
        reply = await engine.reply(turn(QUESTION))
        check(reply)
        article = search.article(SLUG)
        [message] = reply.messages
        assert article is not None and isinstance(message, Outbound)
        assert message.text == article.aspects["kosten"]
        assert (message.article, message.revision) == (SLUG, article.revision)
        assert reply.trace and (reply.trace.route, reply.trace.article) == (Route.ANSWER, SLUG)
        assert reply.commands == ()

    @pytest.mark.parametrize("asked", [turn("ik wil een mens spreken"), turn(choice="human")])
    async def test_a_person_is_never_out_of_reach(self, engine: DialogueEngine, asked: Turn) -> None:
        reply = await engine.reply(asked)
        check(reply)
        assert [command.name for command in reply.commands] == ["handoff"]

    async def test_a_button_of_an_answer_works(self, engine: DialogueEngine, search: KnowledgeSearch) -> None:
        article = search.article(SLUG)
        assert article is not None
        first = await engine.reply(turn(choice=f"article:{SLUG}"))
        [message] = first.messages
        assert isinstance(message, Outbound) and message.text == article.answer
        for choice in message.choices:
            if choice.id.startswith("aspect:"):
                part = await engine.reply(turn(choice=choice.id, memory=first.memory))
                [said] = part.messages
                assert (
                    isinstance(said, Outbound) and said.text == article.aspects[choice.id.rpartition("/")[2]]
                )

    async def test_it_keeps_nothing(self, engine: DialogueEngine) -> None:
        first = await engine.reply(turn(QUESTION))
        for text in ("bel me terug", "0612345678", "hallo"):
            await engine.reply(turn(text))  # the same conversation, and yet another
        assert await engine.reply(turn(QUESTION)) == first
        again = await engine.reply(turn("ja", memory=first.memory))
        assert await engine.reply(turn("ja", memory=first.memory)) == again

    async def test_memory_survives_a_store(self, engine: DialogueEngine) -> None:
        first = await engine.reply(turn(QUESTION))
        stored = json.loads(json.dumps(first.memory))
        assert await engine.reply(turn("hallo", memory=stored)) == await engine.reply(
            turn("hallo", memory=first.memory)
        )

    async def test_memory_does_not_grow(self, engine: DialogueEngine) -> None:
        memory: Mapping[str, Any] | None = None
        sizes = []
        for number in range(40):
            reply = await engine.reply(
                turn((QUESTION, "en dat?", "bel me terug", "stop maar")[number % 4], memory=memory)
            )
            memory = reply.memory
            sizes.append(len(json.dumps(memory)))
        assert max(sizes[20:]) <= max(sizes[:20])

    async def test_conversations_do_not_mix(self, engine: DialogueEngine) -> None:
        alone = {text: await engine.reply(turn(text)) for text in (QUESTION, "bel me terug", "hallo")}
        texts = list(alone) * 5
        replies = await asyncio.gather(
            *(engine.reply(turn(text, key=f"c{n}")) for n, text in enumerate(texts))
        )
        assert all(reply == alone[text] for text, reply in zip(texts, replies, strict=True))

    @pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
    async def test_any_text_gets_a_reply(self, engine: DialogueEngine, text: str) -> None:
        reply = await engine.reply(turn(text))
        check(reply)
        check(await engine.reply(turn(text, memory=reply.memory)))

    @pytest.mark.parametrize("choice", CHOICES, ids=range(len(CHOICES)))
    async def test_any_choice_gets_a_reply(self, engine: DialogueEngine, choice: str) -> None:
        check(await engine.reply(turn(choice=choice)))
        check(await engine.reply(turn("Een knop", choice=choice)))

    @pytest.mark.parametrize("memory", MEMORIES, ids=range(len(MEMORIES)))
    async def test_any_memory_is_good_enough(self, engine: DialogueEngine, memory: Mapping[str, Any]) -> None:
        reply = await engine.reply(turn(QUESTION, memory=memory))
        check(reply)
        assert reply.trace and reply.trace.article == SLUG

    async def test_closing_gives_all_back(self, engine: DialogueEngine) -> None:
        await engine.reply(turn("hallo"))
        before = asyncio.all_tasks()
        await engine.close()
        await engine.close()
        assert asyncio.all_tasks() <= before
