"""Actions that answer from the knowledge base."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import isawaitable
from typing import Any

from actions import speech
from actions.answers import Answer, Answers
from actions.sdk import Action, CollectingDispatcher, EventType, Tracker
from actions.tasks import ordinary
from bot.model import Route

_LIKELY, _LIKELY_PERSON = 0.5, 0.55
"""From here up a message that nothing is found for was what it looked like; a person is not called for less."""

_LIKELY_REPORT = 0.15
"""From here up a message that the article about reports answers is a report."""


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
        lost = not answer.found and likely >= _least(intent)
        if (
            not topic.in_form
            and intent in self._guesses
            and (lost or await self._tells(answer, intent, likely))
        ):
            done = self._guesses[intent].run(dispatcher, tracker, domain)
            events: list[EventType] = await done if isawaitable(done) else done
            return events
        return speech.give(dispatcher, answer)

    async def _tells(self, answer: Answer, intent: str, likely: float) -> bool:
        """Whether the message rather tells what is wrong in the street than asks about it."""
        if intent != Route.REPORT or likely < _LIKELY_REPORT or not answer.found:
            return False
        best = answer.trace.article or next(iter(answer.trace.alternatives), None)
        return best is not None and best == await ordinary(self._answers.lookup, Route.REPORT)


class ChooseArticle(AnswerQuestion):
    """The resident chose one of the articles that we named."""

    def name(self) -> str:
        """Its name in the domain."""
        return "action_choose"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Its answer."""
        return speech.give(dispatcher, self._answers.chosen(speech.value(tracker), speech.topic(tracker)))


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
        topic = speech.topic(tracker)
        answer = self._answers.aspect(slug or topic.article or "", aspect, topic)
        return speech.give(dispatcher, answer)


def _least(intent: str) -> float:
    return _LIKELY_PERSON if intent in ("human", "callback") else _LIKELY
