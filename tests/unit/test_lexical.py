"""Words against words."""

from __future__ import annotations

from datetime import date

import numpy as np

from knowledge.article import ArticleDraft
from knowledge.lexical import Bm25, CharGrams, words_of


def draft(slug: str, title: str, *phrasings: str) -> ArticleDraft:
    return ArticleDraft(
        slug=slug,
        title=title,
        upl_name=slug,
        upl_uri=f"http://standaarden.overheid.nl/owms/terms/{slug}",
        theme="thema",
        owner="Gemeente",
        review=date(2027, 5, 1),
        answer="Kijk op de website.",
        policy=("click",),
        phrasings=phrasings,
    )


ARTICLES = [
    words_of(draft("rijbewijs", "Rijbewijs aanvragen", "mijn rijbewijs verlengen", "rijbewijs halen")),
    words_of(draft("parkeren", "Parkeervergunning", "vergunning voor mijn auto", "parkeren voor de deur")),
    words_of(draft("grofvuil", "Grofvuil laten ophalen", "bank laten weghalen", "grof afval")),
]


def test_the_right_article_covers_most() -> None:
    search = Bm25(ARTICLES)
    for position, question in enumerate(["rijbewys verlopen", "parkeer vergunning", "grofvuilophaaldienst"]):
        scores, _ = search.scores(question)
        assert int(np.argmax(scores)) == position
        assert 0 < scores[position] <= 1


def test_unknown_words() -> None:
    search = Bm25(ARTICLES)
    assert search.scores("quinoa")[1] == 1.0
    assert search.scores("rijbewijs")[1] == 0.0
    assert 0 < search.scores("rijbewijs quinoa")[1] < 1
    assert search.scores("de het een")[1] == 1.0


def test_letters_see_through_typing_errors() -> None:
    search = CharGrams(ARTICLES)
    scores = search.scores("rijbweijs verlegnen", range(3))
    assert int(np.argmax(scores)) == 0
    assert search.scores("mijn rijbewijs verlengen", [2, 0])[1] > 0.99
    assert search.scores("😀", range(3)) == [0, 0, 0]


def test_no_articles() -> None:
    assert Bm25([]).scores("rijbewijs")[0].shape == (0,)
    assert CharGrams([]).scores("rijbewijs", []) == []
