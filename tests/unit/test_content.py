"""The shipped articles: readable, complete, in their place, and right with the facts of the shipped municipality."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import yaml

from bot.municipality import Municipality
from knowledge.article import ArticleDraft, dump, parse
from knowledge.problems import conflicts, problems

ROOT = Path(__file__).parents[2]
PUBLISHED = sorted((ROOT / "knowledge" / "content").glob("*.md"))
DRAFTS = sorted(file for file in (ROOT / "knowledge" / "drafts").glob("*.md") if file.name != "README.md")
FILES = [*PUBLISHED, *DRAFTS]
with (ROOT / "tests" / "fixtures" / "starter-articles.csv").open(encoding="utf-8", newline="") as table:
    STARTERS = {row["slug"]: row for row in csv.DictReader(table)}


@pytest.fixture(scope="module")
def drafts() -> dict[str, ArticleDraft]:
    return {file.stem: parse(file.read_text(encoding="utf-8"), file.name) for file in FILES}


@pytest.fixture(scope="module")
def municipality() -> Municipality:
    return Municipality.load(ROOT / "knowledge" / "municipality.yml")


def test_there_is_enough_to_start_with() -> None:
    assert len(PUBLISHED) >= 30
    assert {file.stem for file in FILES} == set(STARTERS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_article_is_as_it_should_be(file: Path, municipality: Municipality) -> None:
    text = file.read_text(encoding="utf-8")
    draft = parse(text, file.name)
    starter = STARTERS[draft.slug]
    assert draft.slug == file.stem
    assert dump(draft) == text
    assert problems(draft, municipality.variables) == []
    assert len(draft.phrasings) >= 20
    assert (draft.upl_name, draft.theme) == (starter["upl"], starter["theme"])
    assert draft.upl_uri == "http://standaarden.overheid.nl/owms/terms/" + draft.upl_name.replace(" ", "_")
    assert draft.links
    assert len(draft.aspects) >= 2


def test_the_articles_fit_together(drafts: dict[str, ArticleDraft]) -> None:
    assert conflicts(drafts[file.stem] for file in PUBLISHED) == []
    # A question may stand with a published article until the draft that it belongs to takes it over.
    unsettled = [problem for problem in conflicts(drafts.values()) if "staat ook bij" not in problem]
    assert unsettled == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_sentences_are_short_and_polite(file: Path, municipality: Municipality) -> None:
    facts = {**municipality.variables, "openingstijden_balie": "", "openingstijden_medewerkers": ""}
    draft = parse(file.read_text(encoding="utf-8"), file.name)
    for name, text in draft.texts():
        filled = re.sub(r"\{(\w+)\}", lambda match: facts[match[1]], text)
        for sentence in re.split(r"(?<=[.?!:]) |\n", filled):
            assert len(sentence.split()) <= 15, (name, sentence)
        assert not re.search(r"\b(je|jij|jouw|jullie|men)\b", filled), name


def test_every_fact_is_used(drafts: dict[str, ArticleDraft], municipality: Municipality) -> None:
    phrases = (ROOT / "knowledge" / "phrases.yml").read_text(encoding="utf-8")
    used = set(re.findall(r"\{(\w+)\}", "".join(map(dump, drafts.values())) + phrases))
    assert set(municipality.facts) - used == set()


def test_the_municipality_file_has_no_fact_twice() -> None:
    lines = re.findall(
        r"^  ([a-z0-9_]+):", (ROOT / "knowledge" / "municipality.yml").read_text(encoding="utf-8"), re.M
    )
    facts = yaml.safe_load((ROOT / "knowledge" / "municipality.yml").read_text(encoding="utf-8"))["facts"]
    assert [name for name in lines if name in facts] == list(facts)


def test_an_english_fact_says_the_same(municipality: Municipality) -> None:
    english = [name for name in municipality.facts if name.endswith("_en")]
    assert len(english) > 5
    for name in english:
        figures = [re.findall(r"\d+", municipality.facts[fact]) for fact in (name, name.removesuffix("_en"))]
        assert figures[0] == figures[1], name


def test_an_english_text_names_no_dutch_words(
    drafts: dict[str, ArticleDraft], municipality: Municipality
) -> None:
    texts = [draft.translations["en"] for draft in drafts.values() if "en" in draft.translations]
    assert len(texts) >= 12
    for text in texts:
        named = set(re.findall(r"\{(\w+)\}", " ".join([text.answer, *text.aspects.values()])))
        assert not {name for name in named if f"{name}_en" in municipality.variables}, text.title
