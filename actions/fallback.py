"""The dialogue without its engine: a question still gets its answer from search, and a person is never out of reach."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from actions import sentences
from actions.answers import Answer, Answers, Topic
from actions.phrases import Phrases
from bot.model import Command, Reply, Route, Say, Trace, Turn
from bot.ports import ABOUT, Health, KnowledgeSearch

_PERSON = re.compile(
    r"\b(mens|persoon|iemand|medewerker|ambtenaar|collega|klantenservice)\b.*\b(spreken|praten|bellen|chatten|helpen|lijn)\b"
    r"|\b(spreek|praat|chat|geef|liever|wil|graag|echt[e]?)\b.*\b(mens|medewerker|persoon|ambtenaar)\b"
    r"|\bdoorverbinden\b|\bverbind (me|mij) door\b|^\W*(een )?(mens|medewerker)\W*$",
    re.IGNORECASE,
)
_UNHELPFUL = re.compile(
    r"^\W*(dit|dat|het) (antwoord )?helpt (mij |me |echt |zo )*(niet|niks|niets)\b", re.IGNORECASE
)
_SHORT, _LONGEST = 400, 4_000
"""Characters in which a person is asked for, and that are looked up."""


class SearchEngine:
    """A dialogue engine that only searches. It leaves the memory as it is: a form that runs goes on later."""

    def __init__(self, search: KnowledgeSearch, phrases: Phrases | None = None) -> None:
        self._answers = Answers(search, phrases or Phrases.load())

    async def reply(self, turn: Turn) -> Reply:
        """An answer, a person, or where we stand."""
        kind, _, value = (turn.choice or "").partition(":")
        topic = _topic(turn.memory)
        if turn.metadata.get("asked") == ABOUT:
            found = await self._answers.lookup.sure(sentences.plain(turn.text[:_LONGEST]))
            return _person("asked", found.slug if found else None, turn)
        if kind == "human" or (not kind and _PERSON.search(turn.text[:_SHORT])):
            return _person("asked", topic.article, turn)
        if kind == "unhelpful" or (not kind and _UNHELPFUL.search(turn.text[:_SHORT])):
            return _person("unhelpful", topic.article, turn, Say("unhelpful"))
        if kind == "article":
            return _reply(self._answers.chosen(value), turn)
        if kind == "aspect":
            slug, _, aspect = value.rpartition("/")
            return _reply(self._answers.aspect(slug or topic.article or "", aspect), turn)
        if not kind:
            answer = await self._answers.find(turn.text[:_LONGEST], topic)
            if answer.found:
                return _reply(answer, turn)
        return Reply((Say("search_only"),), memory=turn.memory, trace=Trace(Route.OUT_OF_SCOPE))

    async def health(self) -> Health:
        """It has no parts that could fail of its own."""
        return Health("ok")

    async def close(self) -> None:
        """Nothing to let go of."""


def _person(reason: str, topic: str | None, turn: Turn, *said: Say) -> Reply:
    command = Command("handoff", {"reason": reason, "topic": topic})
    return Reply(said, (command,), turn.memory, Trace(Route.HANDOFF, topic))


def _reply(answer: Answer, turn: Turn) -> Reply:
    return Reply(answer.messages, memory=turn.memory, trace=answer.trace)


def _topic(memory: Mapping[str, Any] | None) -> Topic:
    """What the conversation was about; the memory is the engine's, and may hold anything."""
    slots = memory.get("slots") if isinstance(memory, Mapping) else None
    known = slots if isinstance(slots, Mapping) else {}
    article, aspect = (
        value if isinstance(value := known.get(name), str) else None for name in ("article", "aspect")
    )
    return Topic(article=article, aspect=aspect)
