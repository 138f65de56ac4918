"""What every search owes the actions: the hybrid one, and the small one that tests of actions use."""

from __future__ import annotations

import asyncio

import pytest

from bot.ports import KnowledgeSearch, SearchContext
from knowledge.search import HybridSearch
from tests.fakes.search import WordSearch

TEXTS = [
    "", " ", "?", "👍", "\x00", "a\x00b", "\ud83d", "مرحبا", "x" * 10_000, "paspoort " * 1_000, "{telefoon}",
    "<b>paspoort</b>",
    "\u202epaspoort", "PASPOORT!!!", "paspo\u00adort", "0612345678", "'; DROP TABLE x; --", "\n" * 100, "hoe " * 50,
]  # fmt: skip


class KnowledgeSearchConformance:
    """Needs a fixture `search` that knows of an article on passports, but of no zebras."""

    async def test_the_right_article_is_sure(self, search: KnowledgeSearch) -> None:
        found = await search.search("paspoort aanvragen")
        article = search.article(found[0].slug)
        assert found[0].slug == "paspoort-aanvragen"
        assert found[0].probability >= search.thresholds.answer
        assert article is not None
        assert (article.slug, article.revision, article.title) == (
            found[0].slug,
            found[0].revision,
            found[0].title,
        )

    async def test_what_it_does_not_know_is_unsure(self, search: KnowledgeSearch) -> None:
        found = await search.search("zebra blauwe xylofoon kwantum")
        assert all(one.probability < search.thresholds.clarify for one in found)

    async def test_thresholds_are_in_order(self, search: KnowledgeSearch) -> None:
        assert 0 < search.thresholds.clarify < search.thresholds.answer <= 1

    @pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
    async def test_any_text(self, search: KnowledgeSearch, text: str) -> None:
        found = await search.search(text)
        chances = [one.probability for one in found]
        assert len(found) <= 10
        assert chances == sorted(chances, reverse=True)
        assert all(0 <= chance <= 1 for chance in chances)
        assert len({one.slug for one in found}) == len(found)
        assert all(search.article(one.slug) is not None for one in found)
        if not any(char.isalnum() for char in text):
            assert found == []

    async def test_the_same_question_has_the_same_answer(self, search: KnowledgeSearch) -> None:
        first = await search.search("paspoort aanvragen")
        await search.search("iets heel anders over afval")
        assert await search.search("paspoort aanvragen") == first

    async def test_any_context_will_do(self, search: KnowledgeSearch) -> None:
        for slug in (None, "paspoort-aanvragen", "bestaat-niet", "", "\x00"):
            found = await search.search("paspoort aanvragen", SearchContext(article=slug))
            assert found[0].slug == "paspoort-aanvragen"

    async def test_many_at_once(self, search: KnowledgeSearch) -> None:
        alone = await search.search("paspoort aanvragen")
        together = await asyncio.gather(*(search.search("paspoort aanvragen") for _ in range(20)))
        assert all(found == alone for found in together)

    @pytest.mark.parametrize(
        "slug", ["bestaat-niet", "", "\x00", "paspoort", "../paspoort-aanvragen", "PASPOORT-AANVRAGEN"]
    )
    async def test_no_article(self, search: KnowledgeSearch, slug: str) -> None:
        assert search.article(slug) is None


class TestHybridSearch(KnowledgeSearchConformance):
    @pytest.fixture
    def search(self, shipped_search: HybridSearch) -> KnowledgeSearch:
        return shipped_search


class TestWordSearch(KnowledgeSearchConformance):
    """The stand-in must not promise more than the real one keeps."""

    @pytest.fixture
    def search(self) -> KnowledgeSearch:
        return WordSearch()
