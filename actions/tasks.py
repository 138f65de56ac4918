"""Tasks that can't be done in the chat: where they can be done, honestly and at once."""

from __future__ import annotations

from typing import Any

from actions import speech
from actions.answers import HUMAN, Answers
from actions.sdk import Action, CollectingDispatcher, EventType, Tracker
from bot.model import Route, Say, Trace

_CERTAIN = 0.9
"""From here up a question was taken for a task: `kan ik zonder afspraak langskomen`."""


class Task(Action):  # type: ignore[misc]  # untyped
    """One kind of task. Where the resident names a product, its article says how."""

    def __init__(self, route: Route, answers: Answers) -> None:
        self._route = route
        self._answers = answers

    def name(self) -> str:
        """Its name in the domain."""
        return f"action_{self._route}"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Say that it can't be done here, where it can, and that a person can help."""
        topic = speech.topic(tracker)
        found = await self._answers.about(speech.text(tracker), self._route, topic)
        if found is None:
            answer = await self._answers.find(speech.text(tracker), topic)
            if answer.trace.route is Route.ANSWER and (answer.trace.confidence or 0.0) >= _CERTAIN:
                return speech.give(dispatcher, answer)
            speech.say(dispatcher, Say(self._route.value))
            speech.trace(dispatcher, Trace(self._route))
            return speech.slots(misses=0, offer=HUMAN)
        article, probability = found
        speech.say(dispatcher, Say(f"{self._route}_article", {"title": article.title}))
        speech.say(dispatcher, self._answers.message(article))
        speech.trace(dispatcher, Trace(self._route, article.slug, confidence=probability))
        return speech.slots(article=article.slug, misses=0, offer=None)
