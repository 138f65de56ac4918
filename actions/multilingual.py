"""A dialogue engine that also understands other languages; the engine behind it, and all that it says, is Dutch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from actions.interpreter import Interpreter
from actions.language import DUTCH, LanguageDetector, Tongue, plain
from bot.model import Command, Outbound, Reply, Route, Say, Turn
from bot.ports import DialogueEngine, Health, KnowledgeSearch

MEMORY = "language"
"""Where a conversation's memory holds its language, where that is not Dutch."""

_FEW = 4
"""Words of a question that can only be about the article of before."""

_IN_QUESTION = ("kosten", "meenemen", "duur")
"""Parts that a whole question asks for; `where` asks for too many things."""


class Multilingual:
    """Recognises the language, has greetings and wishes for a person understood, and the reply said in it."""

    def __init__(
        self,
        engine: DialogueEngine,
        search: KnowledgeSearch,
        detector: LanguageDetector,
        tongues: Mapping[str, Tongue],
        interpreter: Interpreter,
    ) -> None:
        self._engine = engine
        self._search = search
        self._detector = detector
        self._tongues = tongues
        self._interpreter = interpreter

    async def reply(self, turn: Turn) -> Reply:
        """The engine's reply, in the resident's language where an editor wrote it. Raises `EngineFault`."""
        before = spoken_before(turn)
        tells = not (turn.choice or _fills_in(turn))
        language = self._detector.detect(turn.text, before) if tells else (before or DUTCH)
        turn = replace(turn, memory=_without_language(turn.memory))
        if language == DUTCH:
            return await self._engine.reply(turn)
        reply = await self._engine.reply(self._understood(turn, language))
        if not turn.choice:
            reply = replace(
                reply, messages=tuple(self._part(m, turn.text, language, reply) for m in reply.messages)
            )
        reply = self._interpreter.say(reply, language)
        commands = tuple(_spoken(command, language) for command in reply.commands)
        return replace(reply, commands=commands, memory={**(reply.memory or {}), MEMORY: language})

    async def health(self) -> Health:
        """That of the engine."""
        return await self._engine.health()

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()

    def _understood(self, turn: Turn, language: str) -> Turn:
        """The turn as the engine can understand it: a greeting as its intent, a question with its language."""
        if turn.choice:
            return turn
        said = plain(turn.text)
        intent = self._tongue(language).said.get(said)
        if intent:
            return replace(turn, choice=intent)
        article = _topic(turn.memory)
        aspect = self._aspect(said, language) if len(said.split()) <= _FEW else None
        if article and aspect:
            return replace(turn, choice=f"aspect:{article}/{aspect}")
        return replace(turn, metadata={**turn.metadata, "language": language})

    def _part(self, message: Say | Outbound, text: str, language: str, reply: Reply) -> Say | Outbound:
        """The part of the article that was asked for; the engine knows the Dutch words for it alone."""
        if not isinstance(message, Outbound) or reply.trace is None or reply.trace.route is not Route.ANSWER:
            return message
        article = self._search.article(message.article) if message.article else None
        aspect = self._aspect(plain(text), language)
        if article is None or aspect not in _IN_QUESTION or message.text != article.answer:
            return message
        if (part := article.aspects.get(aspect)) is None:
            return message
        choices = tuple(
            choice for choice in message.choices if choice.id != f"aspect:{article.slug}/{aspect}"
        )
        return replace(message, text=part, choices=choices)

    def _aspect(self, said: str, language: str) -> str | None:
        """The part of an article that is asked for: the longest words that are found decide."""
        found = [
            (len(words), aspect)
            for aspect, several in self._tongue(language).follow_up.items()
            for words in several
            if f" {words} " in f" {said} "
        ]
        return max(found)[1] if found else None

    def _tongue(self, language: str) -> Tongue:
        return self._tongues.get(language) or Tongue()


def _fills_in(turn: Turn) -> bool:
    """Whether it is what one fills in: numbers and a name say nothing of a language."""
    return bool(turn.memory and turn.memory.get("loop")) and any(letter.isdigit() for letter in turn.text)


def spoken_before(turn: Turn) -> str | None:
    """The language of the conversation so far, where it was not Dutch."""
    language = turn.memory.get(MEMORY) if turn.memory else None
    return language if isinstance(language, str) else None


def _spoken(command: Command, language: str) -> Command:
    """A wish for a person with the language that this person will read."""
    if command.name != "handoff":
        return command
    return replace(command, args={**command.args, "language": language})


def _without_language(memory: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    left = {name: value for name, value in (memory or {}).items() if name != MEMORY}
    return left or None


def _topic(memory: Mapping[str, Any] | None) -> str | None:
    """The article that the conversation is about."""
    slots = memory.get("slots") if memory else None
    article = slots.get("article") if isinstance(slots, Mapping) else None
    return article if isinstance(article, str) else None
