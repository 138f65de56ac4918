"""Residents who don't write Dutch: their words are known, and lead to the article that a Dutch question leads to."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import simplemma
import yaml

from knowledge.lexicon import FOLDER
from knowledge.search import HybridSearch
from knowledge.tokens import fold, words

QUESTIONS = Path(__file__).parents[1] / "fixtures" / "other_languages.jsonl"
LEXICON = FOLDER / "andere-talen.yml"
FLOOR = {"de": 11, "pl": 11, "tr": 11, "ar": 11, "uk": 11}
"""Of twelve in each language: so many find their article, and are seen to be ours."""
ANSWERED = 46
"""Of sixty: so many get the right article at once. Without our words it is two."""
ELSEWHERE = (
    "Wie wird das Wetter morgen in Berlin?",
    "Wer hat gestern das Fußballspiel gewonnen?",
    "Kannst du mir ein Rezept für Kartoffelsuppe geben?",
    "Jaka będzie jutro pogoda?",
    "Kto wygrał wczorajszy mecz?",
    "Podaj mi przepis na pierogi",
    "Yarın hava nasıl olacak?",
    "Dünkü maçı kim kazandı?",
    "Bana mercimek çorbası tarifi ver",
    "كيف سيكون الطقس غدا؟",
    "من فاز في المباراة أمس؟",
    "أعطني وصفة لشوربة العدس",
    "Яка завтра погода?",
    "Хто виграв вчорашній матч?",
    "Дай мені рецепт борщу",
)
"""What no article is about."""


async def test_questions_in_other_languages(shipped_search: HybridSearch) -> None:
    thresholds = shipped_search.thresholds
    found: Counter[str] = Counter()
    answered = 0
    for line in QUESTIONS.read_text("utf-8").splitlines():
        question = json.loads(line)
        best = await shipped_search.search(question["text"])
        ours = sum(article.probability for article in best) >= thresholds.clarify
        if ours and any(article.slug in question["expect"] for article in best[:3]):
            found[question["language"]] += 1
        else:
            sys.stdout.write(f"{question} {best[:3]}\n")
        answered += best[0].slug in question["expect"] and best[0].probability >= thresholds.answer
    assert {language: found[language] for language in FLOOR if found[language] < FLOOR[language]} == {}
    assert answered >= ANSWERED


async def test_what_no_article_is_about_gets_no_answer(shipped_search: HybridSearch) -> None:
    ours = []
    for text in ELSEWHERE:
        best = await shipped_search.search(text)
        if sum(article.probability for article in best) >= shipped_search.thresholds.clarify:
            ours.append(text)
        assert best[0].probability < shipped_search.thresholds.answer, text
    assert len(ours) <= 1, ours


def test_no_word_of_another_language_is_dutch() -> None:
    """A word that is also Dutch would be taken for another."""
    said: set[str] = set()
    for path in (FOLDER.parent / "content").glob("*.md"):
        said.update(fold(word) for word in words(path.read_text("utf-8")))
    for others in yaml.safe_load(LEXICON.read_text("utf-8")).values():
        for other in others:
            alone = [fold(word) for word in words(str(other))]
            if len(alone) == 1:
                assert not simplemma.is_known(alone[0], lang="nl"), other
                assert alone[0] not in said, other


def test_every_question_is_about_an_article(shipped_search: HybridSearch) -> None:
    for line in QUESTIONS.read_text("utf-8").splitlines():
        question = json.loads(line)
        assert all(shipped_search.article(slug) for slug in question["expect"]), question
