"""A small knowledge base: an article is found where one of its words stands in the question."""

from __future__ import annotations

from collections.abc import Mapping

from bot.ports import Article, Found, SearchContext, Thresholds

PASSPORT = Article(
    slug="paspoort-aanvragen",
    revision=3,
    title="Paspoort aanvragen of verlengen",
    theme="reisdocumenten",
    answer="Maak een afspraak in {gemeente}.",
    aspects={"kosten": "Een paspoort kost {prijs_paspoort}.", "duur": "5 werkdagen."},
    links=(("Afspraak maken", "{website}/paspoort"),),
    actions=("appointment:paspoort",),
)
TIP = Article("milieustraat", 1, "Afval wegbrengen", "afval", "Breng het naar de milieustraat.")
BULKY = Article("grofvuil", 2, "Grofvuil laten ophalen", "afval", "Bel voor een afspraak.")
STREET = Article(
    "melding-openbare-ruimte", 5, "Iets melden op straat", "leefomgeving", "Meld het.", actions=("report",)
)

FOUND: Mapping[str, tuple[tuple[Article, float], ...]] = {
    "paspoort": ((PASSPORT, 0.92), (TIP, 0.01)),
    "afval": ((TIP, 0.45), (BULKY, 0.35), (PASSPORT, 0.02)),
    "kast": ((BULKY, 0.4),),
    "lantaarnpaal": ((STREET, 0.8),),
}


class BrokenSearch(Exception):
    """What a search raises that is out of order; its message holds the question, as real ones may."""


class WordSearch:
    """Implements `KnowledgeSearch`. The word `kapotzoek` breaks it."""

    def __init__(self, *articles: Article) -> None:
        self._articles = {a.slug: a for a in articles or (PASSPORT, TIP, BULKY, STREET)}

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(answer=0.6, clarify=0.25)

    async def search(self, text: str, context: SearchContext | None = None) -> list[Found]:
        if "kapotzoek" in text:
            raise BrokenSearch(text)
        for word, found in FOUND.items():
            if word in text.lower():
                return [Found(a.slug, a.revision, a.title, p) for a, p in found]
        return []

    def article(self, slug: str) -> Article | None:
        return self._articles.get(slug)
