"""The right number at once: what is said to words of danger, whatever the dialogue would have made of them."""

from __future__ import annotations

import logging

from actions.danger import DangerWords
from actions.interpreter import Interpreter
from actions.language import DUTCH, LanguageDetector
from actions.multilingual import spoken_before
from bot.model import Link, Outbound, Reply, Route, Trace, Turn
from bot.ports import KnowledgeSearch

log = logging.getLogger(__name__)

_CONFIDENCE = 0.99
"""Words of danger are chosen to be right; nobody counted how often they are."""


class DangerAlarm:
    """Answers words of danger with the reviewed article; with the approved sentence where there is no article."""

    def __init__(
        self,
        words: DangerWords,
        search: KnowledgeSearch,
        detector: LanguageDetector,
        interpreter: Interpreter,
    ) -> None:
        self._words = words
        self._search = search
        self._detector = detector
        self._interpreter = interpreter

    def hears(self, turn: Turn, *, waiting: bool) -> Reply | None:
        """The article, then the offer of a person; only the article where a person is `waiting` for already."""
        slug = self._words.find(turn.text)
        if slug is None:
            return None
        log.warning("words of danger: answered with %s", slug)
        language = self._detector.detect(turn.text, spoken_before(turn))
        messages = self._messages(slug, language)
        if not waiting:
            person = self._interpreter.person(language)
            messages += (Outbound(self._interpreter.text("danger_person", language), (person,)),)
        return Reply(messages, trace=Trace(Route.ANSWER, slug, (), _CONFIDENCE))

    def _messages(self, slug: str, language: str) -> tuple[Outbound, ...]:
        number = Outbound(self._interpreter.text(f"danger_{slug}", language))
        article = self._search.article(slug)
        if article is None:
            return (number,)
        links = tuple(Link(label, url) for label, url in article.links)
        message = Outbound(article.answer, links=links, article=slug, revision=article.revision)
        if language == DUTCH:
            return (message,)
        translated = self._interpreter.translated(message, language)
        return (translated,) if translated else (number, message)
