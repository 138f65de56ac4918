"""What a question gets: an approved answer, "Bedoelt u ...?", or an honest "dat weet ik niet" and a person.

Used by the actions of the dialogue and, where the engine is down, by the fallback: one judgement for both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from actions import aspects, sentences
from actions.following import followed
from actions.lookup import Hit, Lookup, Topic
from actions.phrases import Phrases
from actions.several import several
from bot.model import Choice, Link, Outbound, Route, Say, Trace
from bot.ports import Article, Found, KnowledgeSearch

__all__ = ["HUMAN", "Answer", "Answers", "Topic"]

_CHOICES = 3
_FAR = 15.0
"""A choice that is this many times less likely than the best one is none."""

_AT_ONCE = 2
"""So many questions of one message are answered at once; of more we ask which one comes first."""

_ONE_WORD, _SOME = 0.9, 0.03
"""A message of one word says little: to answer it we have to be this sure; below that, all that is at least so likely
is offered."""

_PLAIN = 0.9
"""From here up a part of a message is believed, also where the whole says something else."""

_URGENT, _URGENT_FROM = "veiligheid", 0.45
"""Who may be in danger gets the number and no choices: articles of this theme, from this probability up."""

_MISSES = 2
HUMAN = "human"

_WORD = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say, and where the conversation is after it: the article it is about, and the part that was asked for.
    `offer` is the choice id that "ja" then stands for; `handoff` says why a person comes with it, where one does."""

    messages: tuple[Say | Outbound, ...]
    trace: Trace
    article: str | None = None
    misses: int = 0
    offer: str | None = None
    aspect: str | None = None
    handoff: str | None = None

    @property
    def found(self) -> bool:
        """Whether the knowledge base had something for it."""
        return self.trace.route in (Route.ANSWER, Route.CLARIFY)


_NOWHERE = Topic()


class Answers:
    """Answers from the knowledge base."""

    def __init__(
        self,
        search: KnowledgeSearch,
        phrases: Phrases,
        bookable: Callable[[Article], bool] | None = None,
        *,
        reports: bool = False,
    ) -> None:
        """`bookable`: whether an appointment can be made here for an article. `reports`: whether something can be
        reported in the chat."""
        self.lookup = Lookup(search)
        self._phrases = phrases
        self._bookable = bookable
        self._reports = reports

    async def find(self, text: str, topic: Topic = _NOWHERE) -> Answer:
        """The best that can be said to a message: to one question, to one that leans on the last, or to two."""
        return _between(await self._best(text, topic), topic)

    async def _best(self, text: str, topic: Topic) -> Answer:
        if not (_WORD.search(text) or topic.in_form):
            trace = Trace(Route.OUT_OF_SCOPE)
            return Answer((Say("not_understood"),), trace, topic.article, topic.misses, HUMAN)
        text = sentences.plain(text)
        if hit := await followed(self.lookup, text, topic):
            return self._given([hit], leaning=True)
        hits = await several(self.lookup, text)
        if len(hits) > _AT_ONCE:
            return self._which_first(hits, topic)
        if len(hits) == _AT_ONCE:
            return self._given(hits)
        return await self._one(sentences.gist(text), hits, topic)

    async def _one(self, text: str, hits: Sequence[Hit], topic: Topic) -> Answer:
        """The answer to one question. `hits`: what one of the parts of the message surely asks for, if any."""
        found = await self.lookup.ranked(text)
        limits = self.lookup.thresholds
        best = found[0].probability if found else 0.0
        ours = sum(f.probability for f in found) >= limits.clarify
        whole = self.lookup.hit(found, aspects.all_asked(text)[:1] or (None,), _CHOICES)
        if hits and (not ours or found[0].slug == hits[0].article.slug or _is_plain(hits[0])):
            return self._given(hits)
        if ours and best >= _URGENT_FROM and whole and whole.article.theme == _URGENT:
            return self._given([whole])
        if hits and best < limits.answer:  # a part says one thing, the whole another
            return self._clarify(_first(hits[0].article.slug, found), topic)
        if best >= limits.answer and whole:
            vague = len(sentences.words(text)) == 1 and best < _ONE_WORD
            likely = [f for f in found[:_CHOICES] if f.probability >= _SOME] if vague else []
            return self._clarify(likely, topic) if len(likely) > 1 else self._given([whole])
        if ours:
            return self._clarify([f for f in found[:_CHOICES] if f.probability * _FAR >= best], topic)
        return self._not_found(found, topic, best)

    def chosen(self, slug: str, topic: Topic = _NOWHERE) -> Answer:
        """The article behind a button."""
        article = self.lookup.article(slug)
        return _between(self._given([Hit(article)]), topic) if article else self._gone()

    def aspect(self, slug: str, aspect: str, topic: Topic = _NOWHERE) -> Answer:
        """The part of an article behind a button."""
        article = self.lookup.article(slug)
        if article is None or aspect not in article.aspects:
            return self.chosen(slug, topic)
        return _between(self._given([Hit(article, (aspect,))]), topic)

    def message(self, article: Article, aspect: str | None = None) -> Outbound:
        """An article, or a part of it, as a message, with what can be done at once."""
        said = message(article, self._phrases, aspect)
        return replace(said, choices=(*self._appointment(article), *self._report(article), *said.choices))

    def _report(self, article: Article) -> tuple[Choice, ...]:
        """The button that begins a report, where something can be reported."""
        able = self._reports and Route.REPORT in article.actions
        return (Choice(f"report:{article.slug}", self._phrases.text("choice_report")),) if able else ()

    def _appointment(self, article: Article) -> tuple[Choice, ...]:
        """The button that begins an appointment, where one can be made."""
        if self._bookable is None or not self._bookable(article):
            return ()
        return (Choice(f"appointment:{article.slug}"[:64], self._phrases.text("appointment_choice_make")),)

    def _given(self, hits: Sequence[Hit], *, leaning: bool = False) -> Answer:
        """The articles, each in the parts that were asked for. Where a question leaned on the one before and asks
        for a part that is not there, we say so before the answer that is."""
        messages: list[Say | Outbound] = []
        for hit in hits:
            there = [part for part in hit.aspects if part is None or part in hit.article.aspects]
            if leaning and not there:
                messages.append(Say("part_unknown", {"title": hit.article.title}))
            messages += [self.message(hit.article, part) for part in there or [None]]
        first, last = hits[0], hits[-1]
        others = (*(hit.article.slug for hit in hits[1:]), *first.others)
        trace = Trace(Route.ANSWER, first.article.slug, others, first.probability)
        return Answer(
            tuple(messages), trace, article=last.article.slug, aspect=last.aspects[-1] if there else None
        )

    def _which_first(self, hits: Sequence[Hit], topic: Topic) -> Answer:
        likely = [
            Found(h.article.slug, h.article.revision, h.article.title, h.probability or 0.0) for h in hits
        ]
        return self._clarify(likely[:_CHOICES], topic, "which_first")

    def _clarify(self, likely: Sequence[Found], topic: Topic, phrase: str = "clarify") -> Answer:
        message = Outbound(
            text=self._phrases.text(phrase if len(likely) > 1 else "clarify_one"),
            choices=(
                *(Choice(f"article:{f.slug}", f.title) for f in likely),
                self._phrases.choice("something_else"),
            ),
        )
        trace = Trace(Route.CLARIFY, None, tuple(f.slug for f in likely), likely[0].probability)
        offer = f"article:{likely[0].slug}" if len(likely) == 1 else None
        return Answer((message,), trace, topic.article, topic.misses, offer, topic.aspect)

    def _not_found(self, found: Sequence[Found], topic: Topic, best: float) -> Answer:
        near = tuple(f.slug for f in found[:_CHOICES])
        if topic.in_form:
            trace = Trace(Route.OUT_OF_SCOPE, None, near, best)
            return Answer((Say("not_found_in_form"),), trace, topic.article, topic.misses)
        misses = topic.misses + 1
        if misses >= _MISSES:
            trace = Trace(Route.HANDOFF, None, near, best)
            return Answer((Say("not_found_again"),), trace, topic.article, handoff="not_understood")
        trace = Trace(Route.OUT_OF_SCOPE, None, near, best)
        return Answer((Say("not_found"),), trace, topic.article, misses, HUMAN)

    @staticmethod
    def _gone() -> Answer:
        return Answer((Say("gone"),), Trace(Route.CLARIFY))


def message(article: Article, phrases: Phrases, aspect: str | None = None) -> Outbound:
    """An article, or a part of it, as a message: approved words, links, and what else there is to know."""
    part = article.aspects.get(aspect) if aspect else None
    return Outbound(
        text=part or article.answer,
        choices=(
            *aspects.choices(article, phrases, without=aspect if part else None),
            phrases.choice("unhelpful"),
        ),
        links=tuple(Link(label, url) for label, url in article.links),
        article=article.slug,
        revision=article.revision,
    )


def _is_plain(hit: Hit) -> bool:
    """Whether a part alone says so clearly that what is told around it does not matter."""
    return (hit.probability or 0.0) >= _PLAIN


def _between(answer: Answer, topic: Topic) -> Answer:
    """As it is given while a form runs: without the button that would begin an appointment, perhaps the same one."""
    if not topic.in_form:
        return answer
    return replace(answer, messages=tuple(map(_without_appointment, answer.messages)))


def _without_appointment(message: Say | Outbound) -> Say | Outbound:
    if isinstance(message, Say):
        return message
    choices = tuple(one for one in message.choices if not one.id.startswith(f"{Route.APPOINTMENT}:"))
    return replace(message, choices=choices)


def _first(slug: str, found: Sequence[Found]) -> list[Found]:
    """The choices, with this article in front where it is among what was found."""
    return sorted(found, key=lambda one: one.slug != slug)[:_CHOICES]
