"""What a question gets: an approved answer, "Bedoelt u ...?", or an honest "dat weet ik niet" and a person.

Used by the actions of the dialogue and, where the engine is down, by the fallback: one judgement for both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from actions import aspects
from actions.phrases import Phrases
from bot.model import Choice, Link, Outbound, Route, Say, Trace
from bot.ports import Article, Found, KnowledgeSearch, SearchContext

_CHOICES = 3
_FAR = 5.0
"""A choice that is this many times less likely than the best one is none."""

_MISSES = 2
HUMAN = "human"

_WORD = re.compile(r"[^\W_]")
_SENTENCE = re.compile(r"(?<=[.!?\n])")
_STORY = 300
"""Characters from which a message is taken for a story with a question in it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Where the conversation is: the article it is about, how often in a row we did not understand, and whether a
    form waits behind the answer."""

    article: str | None = None
    misses: int = 0
    in_form: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say, and where the conversation is after it. `offer` is the choice id that "ja" then stands for."""

    messages: tuple[Say | Outbound, ...]
    trace: Trace
    article: str | None = None
    misses: int = 0
    offer: str | None = None

    @property
    def found(self) -> bool:
        """Whether the knowledge base had something for it."""
        return self.trace.route in (Route.ANSWER, Route.CLARIFY)


_NOWHERE = Topic()


def gist(text: str) -> str:
    """What is asked: of a long story only its questions, where it has any."""
    if len(text) <= _STORY:
        return text
    questions = (sentence.strip() for sentence in _SENTENCE.split(text) if sentence.endswith("?"))
    return " ".join(questions) or text


class Answers:
    """Answers from the knowledge base."""

    def __init__(self, search: KnowledgeSearch, phrases: Phrases) -> None:
        self._search = search
        self._phrases = phrases

    async def find(self, text: str, topic: Topic = _NOWHERE) -> Answer:
        """The best that can be said to a question."""
        if not (_WORD.search(text) or topic.in_form):
            trace = Trace(Route.OUT_OF_SCOPE)
            return Answer((Say("not_understood"),), trace, topic.article, topic.misses, HUMAN)
        text = gist(text)
        found = await self.search(text, topic)
        limits = self._search.thresholds
        best = found[0].probability if found else 0.0
        if best >= limits.answer and (article := self._search.article(found[0].slug)):
            return self._answer(article, aspects.asked(text), found[0].probability, found[1 : 1 + _CHOICES])
        if continued := self._continued(text, topic):
            return continued
        if best >= limits.clarify:
            return self._clarify(found, topic)
        return self._not_found(found, topic, best)

    async def search(self, text: str, topic: Topic = _NOWHERE) -> list[Found]:
        """What the knowledge base has for a text, best first; without what was withdrawn just now."""
        found = await self._search.search(text, SearchContext(article=topic.article))
        return [f for f in found if self._search.article(f.slug)]

    async def about(self, text: str, action: str, topic: Topic) -> tuple[Article, float] | None:
        """The likely article on which a task (`appointment`, `report`, ...) can be done, with its probability."""
        for found in await self.search(gist(text), topic):
            if found.probability < self._search.thresholds.clarify:
                break
            article = self._search.article(found.slug)
            if article and any(re.split("[: ]", name)[0] == action for name in article.actions):
                return article, found.probability
        return None

    def chosen(self, slug: str) -> Answer:
        """The article behind a button."""
        article = self._search.article(slug)
        return self._answer(article, None, None, ()) if article else self._gone()

    def aspect(self, slug: str, aspect: str) -> Answer:
        """The part of an article behind a button."""
        article = self._search.article(slug)
        if article is None or aspect not in article.aspects:
            return self.chosen(slug)
        return self._answer(article, aspect, None, ())

    def message(self, article: Article, aspect: str | None = None) -> Outbound:
        """An article, or a part of it, as a message: approved words, links, and what else there is to know."""
        part = article.aspects.get(aspect) if aspect else None
        return Outbound(
            text=part or article.answer,
            choices=(
                *aspects.choices(article, self._phrases, without=aspect if part else None),
                self._phrases.choice("unhelpful"),
            ),
            links=tuple(Link(label, url) for label, url in article.links),
            article=article.slug,
            revision=article.revision,
        )

    def _answer(
        self, article: Article, aspect: str | None, probability: float | None, others: Sequence[Found]
    ) -> Answer:
        trace = Trace(Route.ANSWER, article.slug, tuple(other.slug for other in others), probability)
        return Answer((self.message(article, aspect),), trace, article=article.slug)

    def _continued(self, text: str, topic: Topic) -> Answer | None:
        """A short question that points back asks for a part of the article that we talk about."""
        aspect = aspects.asked(text)
        article = self._search.article(topic.article) if topic.article else None
        if article and aspect in article.aspects and aspects.follows_up(text):
            return self._answer(article, aspect, None, ())
        return None

    def _clarify(self, found: Sequence[Found], topic: Topic) -> Answer:
        likely = [f for f in found[:_CHOICES] if f.probability * _FAR >= found[0].probability]
        message = Outbound(
            text=self._phrases.text("clarify" if len(likely) > 1 else "clarify_one"),
            choices=(
                *(Choice(f"article:{f.slug}", f.title) for f in likely),
                self._phrases.choice("something_else"),
            ),
        )
        trace = Trace(Route.CLARIFY, None, tuple(f.slug for f in likely), found[0].probability)
        offer = f"article:{likely[0].slug}" if len(likely) == 1 else None
        return Answer((message,), trace, topic.article, topic.misses, offer)

    def _not_found(self, found: Sequence[Found], topic: Topic, best: float) -> Answer:
        near = tuple(f.slug for f in found[:_CHOICES])
        if topic.in_form:
            trace = Trace(Route.OUT_OF_SCOPE, None, near, best)
            return Answer((Say("not_found_in_form"),), trace, topic.article, topic.misses)
        misses = topic.misses + 1
        if misses >= _MISSES:
            trace = Trace(Route.HANDOFF, None, near, best)
            return Answer((Say("not_found_again"),), trace, topic.article, misses, HUMAN)
        trace = Trace(Route.OUT_OF_SCOPE, None, near, best)
        return Answer((Say("not_found"),), trace, topic.article, misses, HUMAN)

    @staticmethod
    def _gone() -> Answer:
        return Answer((Say("gone"),), Trace(Route.CLARIFY))
