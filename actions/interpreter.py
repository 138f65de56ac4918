"""Says a reply in the resident's language, as far as editors wrote it, and tells where it stays Dutch."""

from __future__ import annotations

from dataclasses import replace

from actions.phrases import Phrases
from bot.model import Choice, Outbound, Reply, Say
from bot.ports import Article, KnowledgeSearch, Translation

LANGUAGES = ("en", "de", "pl", "tr", "ar", "uk")
"""What phrases.yml has sentences for; who writes in another language reads the English ones."""

_ASPECT = "aspect"


class Interpreter:
    """Translated articles in place of Dutch ones, with labels; else one sentence in front that the text is Dutch."""

    def __init__(self, search: KnowledgeSearch, phrases: Phrases) -> None:
        self._search = search
        self._phrases = phrases

    def text(self, key: str, language: str) -> str:
        """An approved sentence in a language; Dutch ones stand under their plain key."""
        if language == "nl":
            return self._phrases.text(key)
        return self._phrases.text(f"{language if language in LANGUAGES else 'en'}_{key}")

    def translated(self, message: Say | Outbound, language: str) -> Outbound | None:
        """The message with an article's text in the language, or None where there is none."""
        article = (
            self._search.article(message.article)
            if isinstance(message, Outbound) and message.article
            else None
        )
        version = article.translations.get(language) if article else None
        if article is None or version is None or not isinstance(message, Outbound):
            return None
        text = _texts(article, version).get(message.text) if message.revision == article.revision else None
        return replace(message, text=text) if text else None

    def say(self, reply: Reply, language: str) -> Reply:
        """The whole reply. What stays Dutch gets one sentence in front, with a person to choose unless one comes."""
        messages = [self.translated(message, language) or message for message in reply.messages]
        dutch = any(new is old for new, old in zip(messages, reply.messages, strict=True)) or not messages
        messages = [self._labelled(message, language) for message in messages]
        if dutch:
            coming = any(command.name == "handoff" for command in reply.commands)
            person = () if coming else (self.person(language),)
            messages.insert(0, Outbound(self.text("in_dutch", language), person))
        return replace(reply, messages=tuple(messages))

    def person(self, language: str) -> Choice:
        """The choice to speak to a person."""
        return Choice("human", self.text("choice_human", language))

    def _labelled(self, message: Say | Outbound, language: str) -> Say | Outbound:
        if not isinstance(message, Outbound):
            return message
        return replace(message, choices=tuple(self._label(choice, language) for choice in message.choices))

    def _label(self, choice: Choice, language: str) -> Choice:
        kind, _, value = choice.id.partition(":")
        if kind == "article":
            article = self._search.article(value)
            version = article.translations.get(language) if article else None
            return Choice(choice.id, version.title) if version else choice
        if kind == _ASPECT:
            return Choice(choice.id, self.text(f"aspect_{value.rpartition('/')[2]}", language))
        return Choice(choice.id, self.text(f"choice_{kind}", language)) if kind in _LABELS else choice


_LABELS = ("human", "unhelpful", "something_else", "callback")


def _texts(article: Article, version: Translation) -> dict[str, str]:
    """The translated text of each Dutch one."""
    parts = {article.aspects[name]: text for name, text in version.aspects.items() if name in article.aspects}
    return {**parts, article.answer: version.answer}
