"""A dialogue engine that brings a person by itself where it must: in need, in anger, and where an article says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from actions.moods import Mood, Moods
from bot.model import Command, Outbound, Reply, Route, Say, Trace, Turn
from bot.ports import DialogueEngine, Health, KnowledgeSearch

MEMORY = "insults"
"""Where a conversation's memory holds how often we were abused."""

_ENOUGH = 2
"""From so many insults on it is anger."""

_ANSWERS = frozenset({Route.ANSWER, Route.APPOINTMENT, Route.STATUS, Route.REPORT})
"""Ways of a message that can end in an article."""


class Escalating:
    """Adds the person to the engine's reply. An answer that is sure is given all the same: something to go on with
    while waiting."""

    def __init__(self, engine: DialogueEngine, search: KnowledgeSearch, moods: Moods) -> None:
        self._engine = engine
        self._search = search
        self._moods = moods

    async def reply(self, turn: Turn) -> Reply:
        """The engine's reply, with a person where one is needed. Raises `EngineFault`."""
        insults, memory = _insults(turn.memory)
        mood = None if turn.choice else self._moods.find(turn.text)
        reply = await self._engine.reply(replace(turn, memory=memory))
        if mood is Mood.INSULT or _is_calming(reply):
            insults += 1
            mood = Mood.ANGER if insults >= _ENOUGH and mood in (None, Mood.INSULT) else mood
        if reason := self._reason(mood, reply):
            return _with_person(reply, reason)
        return replace(reply, memory={**(reply.memory or {}), MEMORY: insults}) if insults else reply

    async def health(self) -> Health:
        """That of the engine."""
        return await self._engine.health()

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()

    def _reason(self, mood: Mood | None, reply: Reply) -> str | None:
        """Why a person must come, or None. A form is about a call from one: only need breaks into it."""
        if mood is Mood.DISTRESS:
            return "distress"
        if (reply.memory or {}).get("loop"):
            return None
        if mood is Mood.ANGER:
            return "anger"
        return "policy" if _is_answer(reply) and self._must_be_a_person(reply) else None

    def _must_be_a_person(self, reply: Reply) -> bool:
        """Whether the answer of an article is in it that a person must take; a part of one (`wat kost dat`) is only
        told."""
        for message in reply.messages:
            if isinstance(message, Outbound) and message.article:
                article = self._search.article(message.article)
                if article and "person" in article.policy and message.text == article.answer:
                    return True
        return False


def _with_person(reply: Reply, reason: str) -> Reply:
    """The reply with its answer, if it has one, and the way to a person. The buttons go, and what a form asks again:
    nobody would hear them."""
    before = next((command for command in reply.commands if command.name == "handoff"), None)
    topic = before.args.get("topic") if before else None
    answer: tuple[Say | Outbound, ...] = ()
    trace = Trace(Route.HANDOFF, topic)
    if reply.trace and _is_answer(reply):
        topic, trace = reply.trace.article, reply.trace
        in_form = bool((reply.memory or {}).get("loop"))
        answer = tuple(
            replace(message, choices=()) if isinstance(message, Outbound) else message
            for message in reply.messages
            if not in_form or (isinstance(message, Outbound) and message.article)
        )
    others = tuple(command for command in reply.commands if command.name != "handoff")
    handoff = Command("handoff", {"reason": reason, "topic": topic})
    # Calm words before anything else; but an answer to somebody in need may be a telephone number, which goes first.
    said = (Say(reason), *answer) if reason == "anger" else (*answer, Say(reason))
    return replace(reply, messages=said, commands=(*others, handoff), trace=trace)


def _is_answer(reply: Reply) -> bool:
    trace = reply.trace
    return trace is not None and trace.route in _ANSWERS and trace.article is not None


def _is_calming(reply: Reply) -> bool:
    """Whether the engine itself took the message for abuse."""
    return any(isinstance(message, Say) and message.phrase == "insult" for message in reply.messages)


def _insults(memory: Mapping[str, Any] | None) -> tuple[int, Mapping[str, Any] | None]:
    """How many there were, and the memory as the engine left it."""
    count = (memory or {}).get(MEMORY)
    left = {name: value for name, value in (memory or {}).items() if name != MEMORY}
    return (count if isinstance(count, int) else 0), left or None
