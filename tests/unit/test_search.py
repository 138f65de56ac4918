"""Search over a few articles: what is found, and that loading never disturbs it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from bot.ports import KnowledgeSearch, SearchContext
from knowledge import calibration
from knowledge.article import ArticleDraft
from knowledge.calibration import rehearsal
from knowledge.encoder import Encoder, Vectors, cache_key, encode_texts, load_encoder
from knowledge.index import IndexedArticle, outside_questions
from knowledge.search import HybridSearch
from knowledge.vectors import FileVectorCache, MemoryVectorCache


def article(slug: str, title: str, *phrasings: str, revision: int = 1) -> IndexedArticle:
    draft = ArticleDraft(
        slug=slug,
        title=title,
        upl_name=slug,
        upl_uri=f"http://standaarden.overheid.nl/owms/terms/{slug}",
        theme="thema",
        owner="Gemeente",
        review=date(2027, 5, 1),
        answer=f"Over {title.lower()} leest u meer op de website.",
        policy=("click",),
        phrasings=phrasings,
        aspects={"kosten": "Het kost niets."},
    )
    return IndexedArticle(slug, revision, draft)


PASPOORT = article(
    "paspoort-aanvragen", "Paspoort aanvragen", "hoe vraag ik een paspoort aan", "nieuw paspoort nodig"
)
RIJBEWIJS = article(
    "rijbewijs-aanvragen", "Rijbewijs aanvragen", "mijn rijbewijs verlengen", "nieuw rijbewijs"
)
GROFVUIL = article(
    "grofvuil", "Grofvuil laten ophalen", "oude bank laten ophalen", "grof afval weg laten halen"
)
ARTICLES = [PASPOORT, RIJBEWIJS, GROFVUIL]


class Gate:
    """The bundled encoder, which counts texts, and can be made to stop before it encodes a text."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.dim = encoder.name, encoder.dim
        self.encoded: list[str] = []
        self.stop_at: str | None = None
        self.reached, self.go = threading.Event(), threading.Event()

    def queries(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        if self.stop_at in texts:
            self.reached.set()
            assert self.go.wait(30)
        return self._encoder.queries(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        return self._encoder.passages(texts)


@pytest.fixture(scope="module")
def bundled() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="module")
def outside(bundled: Encoder, vectors: Path) -> dict[str, Vectors]:
    """What every index needs and no test changes, encoded once."""
    slugs = {one.slug for one in ARTICLES}
    texts = [*outside_questions(), *(text for slug, text in rehearsal() if slug in slugs)]
    encoded = encode_texts(bundled, texts, FileVectorCache(vectors), "query")
    names = (bundled.name, "other")
    return {
        cache_key(name, "query", text): vector
        for name in names
        for text, vector in zip(texts, encoded, strict=True)
    }


@pytest.fixture
def cache(outside: dict[str, Vectors]) -> MemoryVectorCache:
    cache = MemoryVectorCache()
    cache.put_many(outside)
    return cache


@pytest.fixture
def encoder(bundled: Encoder) -> Gate:
    return Gate(bundled)


@pytest.fixture
async def search(encoder: Gate, cache: MemoryVectorCache) -> AsyncIterator[HybridSearch]:
    search = HybridSearch(encoder, cache)
    await search.load(ARTICLES)
    encoder.encoded.clear()
    yield search
    search.close()


async def test_it_is_a_search(search: HybridSearch) -> None:
    fits: KnowledgeSearch = search
    assert 0 < fits.thresholds.clarify < fits.thresholds.answer < 1


@pytest.mark.parametrize(
    ("question", "slug"),
    [
        ("me rijbewys is verlopen", "rijbewijs-aanvragen"),
        ("grofvuilophaaldienst", "grofvuil"),
        ("Ik heb een nieuw PASPOORT nodig!", "paspoort-aanvragen"),
        ("kunnen jullie mijn ouwe bankstel weghalen", "grofvuil"),
    ],
)
async def test_finding(search: HybridSearch, question: str, slug: str) -> None:
    found = await search.search(question)
    assert found[0].slug == slug
    assert [one.probability for one in found] == sorted((one.probability for one in found), reverse=True)
    assert sum(one.probability for one in found) <= 1.0005


async def test_outside_its_scope(search: HybridSearch) -> None:
    for question in ("hoe bak ik een appeltaart", "wie won de wedstrijd gisteren"):
        found = await search.search(question)
        assert found[0].probability < search.thresholds.clarify


async def test_an_exact_phrasing_needs_no_encoder(search: HybridSearch, encoder: Gate) -> None:
    found = await search.search("  Hoe vraag ik een PASPOORT aan?!")
    assert [(one.slug, one.probability) for one in found] == [("paspoort-aanvragen", calibration.EXACT)]
    assert encoder.encoded == []


async def test_a_phrasing_of_two_articles_is_a_choice(search: HybridSearch) -> None:
    await search.load([PASPOORT, article("legitimatie", "Legitimatie", "nieuw paspoort nodig")])
    found = await search.search("nieuw paspoort nodig")
    assert {one.slug for one in found} == {"paspoort-aanvragen", "legitimatie"}
    assert found[0].probability < search.thresholds.answer


@pytest.mark.parametrize("text", ["", "   ", "😀👍", "?!...", "\0"])
async def test_text_without_a_word(search: HybridSearch, encoder: Gate, text: str) -> None:
    assert await search.search(text) == []
    assert encoder.encoded == []


@pytest.mark.parametrize(
    "text", ["paspoort " * 12_000, "\ud800 paspoort", "שלום עולם", "<b>paspoort</b>", "de het"]
)
async def test_strange_text(search: HybridSearch, text: str) -> None:
    found = await search.search(text)
    assert len(found) == 3
    assert all(0 <= one.probability <= 1 for one in found)


async def test_the_same_question_again_is_not_encoded_again(search: HybridSearch, encoder: Gate) -> None:
    first = await search.search("kan ik een paspoort krijgen")
    assert await search.search("kan ik een paspoort krijgen") == first
    assert encoder.encoded == ["kan ik een paspoort krijgen"]


async def test_the_article_in_conversation_comes_a_little_sooner(search: HybridSearch) -> None:
    def of(found: list[object], slug: str) -> float:
        return next(one.probability for one in found if one.slug == slug)  # type: ignore[attr-defined]

    question = "en hoe lang duurt het aanvragen"
    without = of(list(await search.search(question)), "rijbewijs-aanvragen")
    within = of(
        list(await search.search(question, SearchContext("rijbewijs-aanvragen"))), "rijbewijs-aanvragen"
    )
    gone = of(list(await search.search(question, SearchContext("weg"))), "rijbewijs-aanvragen")
    assert gone == without
    assert without < within < 2.1 * without
    clear = await search.search("me rijbewys is verlopen", SearchContext("grofvuil"))
    assert clear[0].slug == "rijbewijs-aanvragen"


async def test_articles_as_the_actions_see_them(search: HybridSearch) -> None:
    found = search.article("grofvuil")
    assert found is not None
    assert (found.title, found.revision, found.aspects) == (
        "Grofvuil laten ophalen",
        1,
        {"kosten": "Het kost niets."},
    )
    assert search.article("weg") is None


async def test_publishing(search: HybridSearch, encoder: Gate) -> None:
    hond = article("hondenbelasting", "Hondenbelasting", "moet ik betalen voor mijn hond")
    draft = replace(GROFVUIL.draft, phrasings=(*GROFVUIL.draft.phrasings, "kast naar buiten"))
    await search.load([PASPOORT, replace(GROFVUIL, revision=2, draft=draft), hond])
    assert sorted(encoder.encoded) == [
        "Hondenbelasting",
        "Hondenbelasting. Over hondenbelasting leest u meer op de website.",
        "kast naar buiten",
        "moet ik betalen voor mijn hond",
    ]
    assert (await search.search("wat kost een hond per jaar aan belasting"))[0].slug == "hondenbelasting"
    assert [(one.slug, one.revision) for one in await search.search("Kast naar buiten")] == [("grofvuil", 2)]
    assert search.article("rijbewijs-aanvragen") is None
    assert all(one.slug != "rijbewijs-aanvragen" for one in await search.search("rijbewijs"))


async def test_nothing_published(encoder: Gate, cache: MemoryVectorCache) -> None:
    search = HybridSearch(encoder, cache)
    assert await search.search("paspoort") == []
    await search.load([])
    assert await search.search("paspoort") == []
    await search.load([PASPOORT])
    assert (await search.search("ik wil een paspoort aanvragen"))[0].slug == "paspoort-aanvragen"
    await search.load([])
    assert await search.search("paspoort") == []
    search.close()


async def test_searching_goes_on_while_articles_are_loaded(search: HybridSearch, encoder: Gate) -> None:
    encoder.stop_at = "moet ik betalen voor mijn hond"
    hond = article("hondenbelasting", "Hondenbelasting", encoder.stop_at)
    loading = asyncio.create_task(search.load([hond]))
    assert await asyncio.to_thread(encoder.reached.wait, 30)
    assert (await search.search("mijn rijbewijs is bijna verlopen"))[0].slug == "rijbewijs-aanvragen"
    assert search.article("grofvuil") is not None
    encoder.go.set()
    await loading
    assert [one.slug for one in await search.search("mijn rijbewijs is bijna verlopen")] == [
        "hondenbelasting"
    ]
    assert search.article("grofvuil") is None


async def test_encoding_does_not_block_the_event_loop(search: HybridSearch, encoder: Gate) -> None:
    encoder.stop_at = "waar haal ik een nieuw paspoort"
    asking = asyncio.create_task(search.search(encoder.stop_at))
    assert await asyncio.to_thread(encoder.reached.wait, 30)
    assert (await search.search("nieuw rijbewijs"))[0].slug == "rijbewijs-aanvragen"
    assert not asking.done()
    encoder.go.set()
    assert (await asking)[0].slug == "paspoort-aanvragen"


async def test_many_searches_and_loads_at_once(search: HybridSearch) -> None:
    async def load() -> None:
        for revision in range(2, 6):
            await search.load([replace(one, revision=revision) for one in ARTICLES])

    async def ask(number: int) -> None:
        found = await search.search(f"ik wil mijn rijbewijs verlengen {number % 5}")
        assert found[0].slug == "rijbewijs-aanvragen"
        assert len({one.revision for one in found}) == 1

    await asyncio.gather(load(), load(), *(ask(number) for number in range(40)))
    assert (await search.search("nieuw rijbewijs"))[0].revision == 5


async def test_an_encoder_without_a_calibration_gets_one(bundled: Encoder, cache: MemoryVectorCache) -> None:
    other = Gate(bundled)
    other.name = "other"
    search = HybridSearch(other, cache)
    assert search.thresholds.answer == 1.0
    await search.load(ARTICLES)
    assert search.thresholds.answer <= 1.0
    found = await search.search("mijn rijbewijs is verlopen")
    assert found[0].slug == "rijbewijs-aanvragen"
    assert np.isfinite(found[0].probability)
    search.close()
