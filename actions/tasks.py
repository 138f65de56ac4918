"""Tasks that can't be done in the chat: where they can be done, honestly and at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions import sentences, speech
from actions.answers import HUMAN, Answers, Topic
from actions.lookup import Lookup
from actions.sdk import Action, CollectingDispatcher, EventType, Tracker
from bot.model import Route, Say, Trace
from bot.ports import Article, Found

_WORDS: Mapping[Route, str] = {
    Route.APPOINTMENT: r"afspra(?:ak|ken)\w*|langs ?(?:te )?(?:komen|kom|gaan)|inplannen"
    r"|in te plannen|plannen|boeken?|reserveren|inboeken"
    r"|(?:ver)?zetten|verplaatsen|afzeggen|annuleren|maken|maak|maakt|wijzigen|vrij|plek|ruimte"
    r"|terecht|balie|gemeentehuis|stadhuis"
    r"|binnen ?lopen|langs|regelen|moment(?:je)?|vastleggen|schikt|gaatje|plekje|liefst|uur|agenda|zet|kom(?:en)?|slot"
    r"|appointments?|book|make|schedule|reschedule|cancel|an|volgende|deze|week|maandag|dinsdag"
    r"|woensdag|donderdag|vrijdag|zaterdag"
    r"|morgen|vandaag|online|digitaal|nieuwe afspraak|tijdslot|datum|tijd|moment",
    Route.STATUS: r"status|staat het (?:er)?mee|hoe staat het|hoe (?:ver|zit het)|hoe ver(?:re)?"
    r"|stand van zaken|waar blijf(?:t|en)|volgen"
    r"|gehoord|hoor|bericht|reactie|antwoord|wacht(?:en)?|duurt|lang|al|steeds|behandeld|binnen|klaar"
    r"|ontvangen|goedgekeurd"
    r"|weken|week|maand(?:en)?|dagen|geleden|zaak(?:nummer)?|nummer|opzoeken|ermee|ingediend|gedaan"
    r"|aangevraagd|besluit|beslissing"
    r"|aanvraag|verzoek|still|waiting|track",
    Route.REPORT: r"melding|melden|meld|doorgeven|wil|maken",
}
"""What a message says of the task itself: the rest of it names the product."""

_TASKS = {route: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for route, words in _WORDS.items()}
_ORDINARY: Mapping[Route, str] = {Route.REPORT: "iets kapot of vuil op straat melden"}
"""What is meant where the product is not named."""

_FEW = 2
"""So few words that carry a meaning are looked up without the words between them."""

_SHARE = 0.65
"""So much of what is likely must be the one product: else it is not known which."""

_CLEAR = 0.93
"""From here up its own words name another article to report on: `een wespennest melden`."""


@dataclass(frozen=True, slots=True)
class Product:
    """The article that a task is about, and how sure that is. `able`: the task can be done on it. `named`: the
    message says so; else it is the one in conversation."""

    article: Article
    probability: float
    able: bool
    named: bool = True


def does(article: Article, route: Route) -> bool:
    """Whether an article has a task among its actions (`appointment:paspoort`, `status`, `report`)."""
    return any(re.split("[: ]", action)[0] == route for action in article.actions)


def subject(text: str, route: Route) -> str:
    """What a message says besides the task itself."""
    return _TASKS[route].sub(" ", text)


async def ordinary(lookup: Lookup, route: Route) -> str | None:
    """The slug of the article that a task is on where no product is named."""
    able = _able(lookup, await lookup.ranked(_ORDINARY[route]), route) if route in _ORDINARY else None
    return able.article.slug if able else None


async def product(lookup: Lookup, text: str, route: Route, topic: Topic) -> Product | None:
    """What a task is about: what the message names besides the task, or else what the conversation is about."""
    text = sentences.plain(text)
    named = subject(text, route)
    current = lookup.article(topic.article)
    ordinary = _ORDINARY.get(route)
    if not sentences.content(named) and not ordinary:
        return Product(current, 1.0, able=True, named=False) if current and does(current, route) else None
    own = sentences.content(named)
    found = await lookup.ranked(" ".join(own) if len(own) <= _FEW else named)
    able = _able(lookup, found, route)
    if ordinary and (able is None or able.probability < _CLEAR):
        able = _able(lookup, await lookup.ranked(ordinary), route) or able
    return able or _able(lookup, await lookup.ranked(text), route) or _sure(lookup, found)


def _able(lookup: Lookup, found: list[Found], route: Route) -> Product | None:
    """The likeliest article that the task can be done on; what can't be is left out of the reckoning."""
    able = [(f, a) for f in found if (a := lookup.article(f.slug)) and does(a, route)]
    if not able or able[0][0].probability < lookup.thresholds.clarify / 2:
        return None
    best, article = able[0]
    share = best.probability / sum(f.probability for f, _ in able)
    unable = max((f.probability for f in found if f.slug not in {b.slug for b, _ in able}), default=0.0)
    if share < _SHARE or unable > max(best.probability, lookup.thresholds.answer):
        return None
    return Product(article, best.probability, able=True)


def _sure(lookup: Lookup, found: list[Found]) -> Product | None:
    article = lookup.article(found[0].slug) if found else None
    if article is None or found[0].probability < lookup.thresholds.answer:
        return None
    return Product(article, found[0].probability, able=False)


_SURE = 0.85
"""From here up we know that it is a task; below, the knowledge base may know better."""

_OTHER = 0.9
"""From here up a report is about something that has an article of its own: rats, a broken container."""


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
        about = await product(self._answers.lookup, speech.text(tracker), self._route, topic)
        if await self._is_question(tracker, about):
            return speech.give(dispatcher, await self._answers.find(speech.text(tracker), topic))
        if about is None:
            speech.say(dispatcher, Say(self._route.value))
            speech.trace(dispatcher, Trace(self._route))
            return speech.slots(misses=0, offer=HUMAN)
        article = about.article
        speech.say(dispatcher, Say(f"{self._route}_article", {"title": article.title}))
        speech.say(dispatcher, self._answers.message(article))
        speech.trace(dispatcher, Trace(self._route, article.slug, confidence=about.probability))
        return speech.slots(article=article.slug, aspect=None, misses=0, offer=None)

    async def _is_question(self, tracker: Tracker, about: Product | None) -> bool:
        """Whether what looks like a task has an answer that fits better: `kan ik zonder afspraak langskomen`."""
        found = await self._answers.lookup.sure(sentences.plain(speech.text(tracker)))
        report = self._route is Route.REPORT
        if found is None or (
            found.probability < _OTHER and not (report and speech.confidence(tracker) < _SURE)
        ):
            return False
        if report:
            return about is None or not about.able or found.slug != about.article.slug
        return speech.confidence(tracker) < _SURE and not (about and about.able and about.named)
