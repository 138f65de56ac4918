"""The help of editors, put together: the knowledge base judges, the channels show, the search is tried."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from actions.answers import Answers, message
from actions.phrases import Phrases
from bot.app.bubbles import bubbles
from bot.app.house import House
from bot.editing import Beside, Bubble, Judgement, Likely, Preview, Remark, Stolen, Tried
from bot.model import Outbound
from bot.ports import Article, Channel
from bot.standing import Content, digest
from bot.web.kcc.shelf import Shelf
from bot.wording import WordingError
from connectors.telegram import Telegram
from connectors.whatsapp import WhatsApp
from knowledge.article import ASPECTS, ArticleDraft, from_json, to_json
from knowledge.fields import ArticleError
from knowledge.index import IndexedArticle
from knowledge.plain import Finding
from knowledge.plain.articles import check_texts
from knowledge.problems import problems
from knowledge.search import HybridSearch

_NEEDED = {
    "title": "Vul een titel in.",
    "theme": "Vul een thema in.",
    "owner": "Vul in welke afdeling over de inhoud gaat.",
    "review": "Kies een dag waarop u de tekst opnieuw bekijkt.",
    "policy": "Kies minstens één weg die u het liefst ziet.",
    "phrasings": "Schrijf minstens één vraag van bewoners.",
    "answer": "Schrijf het antwoord.",
}
_STOPS = re.compile(r"(?<=[.!?:])\s+|\n")
_LIKELY = 4


class EditorsHelp:
    """Fulfils `bot.editing.Editing`. The `shelf` has the search, as soon as this process has one."""

    def __init__(self, house: House, shelf: Shelf) -> None:
        self._house = house
        self._shelf = shelf
        self._phrases = Phrases.load()
        self._channels = _channels(house)
        self._beside: tuple[tuple[str, int], Beside] | None = None

    @property
    def variables(self) -> Mapping[str, str]:
        """What a text may name."""
        return self._house.municipality.variables

    def judge(self, content: Mapping[str, Any]) -> Judgement:
        """Of an article by itself, however far it is."""
        texts = dict(_texts(content))
        report = check_texts(str(content.get("slug", "")), {n: t for n, t in texts.items() if t.strip()})
        remarks = [
            _remark(part, texts[part], finding)
            for part, one in report.parts.items()
            for finding in one.findings
        ]
        errors, draft = self._errors(content)
        whole = json.loads(to_json(draft)) if draft is not None and not errors else None
        return Judgement(whole, errors, remarks, report.score, report.is_b1)

    def _errors(self, content: Mapping[str, Any]) -> tuple[dict[str, str], ArticleDraft | None]:
        errors = {name: text for name, text in _NEEDED.items() if not content.get(name)}
        if errors:
            return errors, None
        try:
            draft = from_json(json.dumps(dict(content)))
        except ArticleError as error:
            return {_field(error.field or "title"): _sentence(str(error))}, None
        for problem in problems(draft, self.variables):
            place, _, text = problem.partition(": ")
            errors.setdefault(_field(place), _sentence(text))
        return errors, draft

    def preview(self, content: Mapping[str, Any], part: str) -> Sequence[Preview]:
        """How each channel shows its answer, or the aspect."""
        said = message(_article(content), self._phrases, part if part in ASPECTS else None)
        try:
            filled = self._house.wording.finish(said)
        except WordingError:
            filled = said  # the judgement says which variable is not there
        if not filled.text:
            return [Preview(kind, ()) for kind in self._channels]
        return [self._shown(kind, channel, filled) for kind, channel in self._channels.items()]

    @staticmethod
    def _shown(kind: str, channel: Channel, said: Outbound) -> Preview:
        found = list(bubbles(kind, channel.render([said])))
        notes = [
            f"De knop ‘{label}’ past niet helemaal. Maak de tekst op de knop korter."
            for bubble in found
            for label in (*bubble.buttons, *(label for label, _ in bubble.links))
            if label.endswith("…")
        ]
        if len(found) > 1:
            notes.append(f"Dit worden {len(found)} berichten. Korter is beter.")
        return Preview(kind, found, notes)

    async def beside(self, content: Content) -> Beside | None:
        """Of a whole article, among all that are published."""
        search = self._search
        if search is None:
            return None
        key = digest(content), search.loaded
        if self._beside is not None and self._beside[0] == key:  # asked again, to see it and to publish it
            return self._beside[1]
        draft = from_json(json.dumps(dict(content)))
        found = await search.rivals(IndexedArticle(draft.slug, 0, draft))
        if found is None:
            return None
        errors = {}
        for phrasing in draft.phrasings:
            if others := [slug for slug in search.owners(phrasing) if slug != draft.slug]:
                errors["phrasings"] = (
                    f"De vraag ‘{phrasing}’ staat ook bij {others[0]}. Kies waar de vraag hoort."
                )
        for slug in draft.related:
            if search.article(slug) is None:
                errors["related"] = f"Het verwante artikel {slug} is niet gepubliceerd. Haal het weg."
        beside = Beside(errors, [Stolen(one.question, one.slug, one.title) for one in found])
        self._beside = key, beside
        return beside

    async def attempt(self, question: str) -> Tried | None:
        """What a resident would get, from the search: no earlier messages, no forms."""
        search = self._search
        if search is None:
            return None
        answer = await Answers(search, self._phrases).find(question)
        said = []
        for one in answer.messages:
            try:
                said.append(self._house.wording.finish(one))
            except WordingError as error:
                said.append(Outbound(f"Dit antwoord kan niet weg: {error}."))
        likely = [
            Likely(one.slug, one.title, one.probability, await search.nearest(question, one.slug) or "")
            for one in (await search.search(question))[:_LIKELY]
        ]
        shown: list[Bubble] = list(bubbles("webchat", self._channels["webchat"].render(said)))
        limits, exact = search.thresholds, bool(search.owners(question))
        return Tried(answer.trace.route, shown, likely, exact, limits.answer, limits.clarify)

    @property
    def _search(self) -> HybridSearch | None:
        self._shelf.wanted.set()
        return self._shelf.search if isinstance(self._shelf.search, HybridSearch) else None


def _channels(house: House) -> dict[str, Channel]:
    """One of each kind, to see how it shows something. One that is not set up shows it too: it sends nothing."""
    spare: dict[str, Channel] = {
        "whatsapp": WhatsApp(
            token="-", phone_number_id="00000", app_secret="-", verify_token=None,  # noqa: S106 - never used
            list_button=house.wording.say("list_button").text,
        ),
        "telegram": Telegram("0:-"),
    }  # fmt: skip
    kinds = {type(channel): channel for channel in house.channels.values()}
    found = {kind: kinds.get(type(channel), channel) for kind, channel in spare.items()}
    return {"webchat": house.channels["webchat"], **found}


def _texts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "title", str(content.get("title", ""))
    yield "answer", str(content.get("answer", ""))
    aspects = content.get("aspects") or {}
    yield from ((name, str(aspects[name])) for name in ASPECTS if name in aspects)


def _article(content: Mapping[str, Any]) -> Article:
    texts = dict(_texts(content))
    return Article(
        slug=str(content.get("slug") or "nieuw"),
        revision=0,
        title=texts.pop("title"),
        theme=str(content.get("theme", "")),
        answer=texts.pop("answer"),
        aspects={name: text for name, text in texts.items() if text},
        links=[(link["label"], link["url"]) for link in content.get("links") or ()],
    )


def _remark(part: str, text: str, finding: Finding) -> Remark:
    lines = text.split("\n")
    start = sum(len(line) + 1 for line in lines[: finding.line - 1]) + finding.column - 1
    end = start + finding.length
    breaks = [0, *(gap.end() for gap in _STOPS.finditer(text)), len(text)]
    first = max((place for place in breaks if place <= start), default=0)
    last = min((place for place in breaks if place >= end), default=len(text))
    return Remark(
        part,
        start,
        finding.length,
        finding.severity == "error",
        text[first:start],
        text[start:end],
        text[end:last].rstrip(),
        finding.reason,
        finding.suggestion,
        finding.replacement,
    )


def _field(place: str) -> str:
    """The field of the form that a problem is about: translations have one together."""
    name = place.strip("'")
    translated = "," in name or len(name) == 2
    return "translations" if translated else name


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
