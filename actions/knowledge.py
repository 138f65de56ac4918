"""Actions that answer from the knowledge base."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import isawaitable
from typing import Any

from actions import speech
from actions.answers import Answers
from actions.sdk import Action, CollectingDispatcher, EventType, Tracker

_LIKELY, _LIKELY_PERSON = 0.5, 0.55
"""From here up a message that nothing is found for was what it looked like; a person is not called for less."""


class AnswerQuestion(Action):  # type: ignore[misc]  # untyped
    """Look up what the resident wrote. Where nothing is found and the message looked like small talk or a task, do
    what `guesses` has for that."""

    def __init__(self, answers: Answers, guesses: Mapping[str, Action] | None = None) -> None:
        self._answers = answers
        self._guesses = guesses or {}

    def name(self) -> str:
        """Its name in the domain."""
        return "action_answer"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Answer, ask which one is meant, or say that we don't know."""
        topic = speech.topic(tracker)
        answer = await self._answers.find(speech.text(tracker), topic)
        intent, likely = speech.guess(tracker)
        if not answer.found and not topic.in_form and intent in self._guesses and likely >= _least(intent):
            done = self._guesses[intent].run(dispatcher, tracker, domain)
            events: list[EventType] = await done if isawaitable(done) else done
            return events
        return speech.give(dispatcher, answer)


class ChooseArticle(AnswerQuestion):
    """The resident chose one of the articles that we named."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_choose"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Its answer."""
        return speech.give(dispatcher, self._answers.chosen(speech.value(tracker)))


class ChooseAspect(AnswerQuestion):
    """The resident chose a part of an answer: `aspect:<slug>/<aspect>`, or `aspect:<aspect>` of the last one."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_aspect"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """That part."""
        slug, _, aspect = speech.value(tracker).rpartition("/")
        answer = self._answers.aspect(slug or speech.topic(tracker).article or "", aspect)
        return speech.give(dispatcher, answer)


def _least(intent: str) -> float:
    return _LIKELY_PERSON if intent in ("human", "callback") else _LIKELY
