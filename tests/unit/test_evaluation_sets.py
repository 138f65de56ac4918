"""The evaluation questions measure understanding: enough of them, of every article, and none was seen before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.model import Route
from bot.settings import ROOT
from knowledge.evaluate import Case, read_cases
from tests.leaks import EVALUATION, known, leaks, main, repeated

SLUGS = {path.stem for path in (ROOT / "knowledge" / "content").glob("*.md")}
ROUTES = set(map(str, Route))

each_set = pytest.mark.parametrize(
    "path", [path for path in EVALUATION if path.exists()], ids=lambda path: path.name
)


@pytest.fixture(scope="module")
def texts() -> Mapping[str, list[str]]:
    return known()


@each_set
def test_every_question_names_articles_or_routes_that_exist(path: Path) -> None:
    wrong = [case for case in read_cases(path) if not case.expect or set(case.expect) - SLUGS - ROUTES]
    assert wrong == []


def test_there_are_enough_questions_of_every_article() -> None:
    cases = read_cases(EVALUATION[0])
    inside = [case for case in cases if set(case.expect) & SLUGS]
    assert len(inside) >= 300
    count = Counter(slug for case in inside for slug in case.expect)
    assert [slug for slug in sorted(SLUGS) if count[slug] < 3] == []
    assert sum(case.expect == (Route.OUT_OF_SCOPE,) for case in cases) >= 30


@each_set
def test_no_question_was_seen_before(path: Path, texts: Mapping[str, list[str]]) -> None:
    questions = [case.text for case in read_cases(path)]
    found = leaks(questions, texts) + repeated(questions)
    assert [(leak.line, leak.text, leak.how, leak.where) for leak in found] == []


def test_no_question_stands_in_two_sets() -> None:
    sets: list[list[Case]] = [read_cases(path) for path in EVALUATION if path.exists()]
    for number, cases in enumerate(sets):
        others = {"another set": [case.text for other in sets[:number] for case in other]}
        assert leaks([case.text for case in cases], others) == []


def test_what_was_trained_on_is_known(texts: Mapping[str, list[str]]) -> None:
    assert {f"knowledge/content/{slug}.md" for slug in SLUGS} < set(texts)
    assert all(len(texts[f"knowledge/content/{slug}.md"]) > 1 for slug in SLUGS)
    assert {"knowledge/rehearsal.txt", "knowledge/outside.txt", "nlu/data/nlu/tasks.yml"} < set(texts)
    assert "ik wil een mens spreken" in texts["nlu/data/nlu/tasks.yml"]


@pytest.mark.parametrize(
    ("question", "phrasing"),
    [
        ("Grofvuil?", "grofvuil"),
        ("waar kan ik mijn hond aanmelden", "Waar kan ik m'n hond aanmelden?"),
        ("waar kan ik mijn hont aanmelden", "waar kan ik mijn hond aanmelden"),
        ("hallo, waar kan ik mijn hond aanmelden alstublieft", "waar kan ik mijn hond aanmelden"),
        ("mijn hond aanmelden, waar kan ik", "waar kan ik mijn hond aanmelden"),
        ("parkeer vergunning bezoek aanvragen", "parkeervergunning bezoek aanvragen"),
        (
            "hoe kan ik in de vakantie mijn kapotte lantaarnpaal melden",
            "kapotte lantaarnpaal melden vakantie",
        ),
    ],
)
def test_a_question_that_nearly_stands_elsewhere_is_found(question: str, phrasing: str) -> None:
    known = {"there": ["iets heel anders", phrasing]}
    assert [(leak.line, leak.where, leak.other) for leak in leaks(["nog iets", question], known)] == [
        (2, "there", phrasing)
    ]


@pytest.mark.parametrize(
    ("question", "phrasing"),
    [
        ("waar kan ik mijn bezwaar aanmelden", "waar kan ik mijn auto aanmelden"),
        ("hoe vraag ik een rijbewijs aan", "hoe vraag ik een paspoort aan"),
        ("hoeveel kost een paspoort", "wat kost een paspoort"),
        ("grof vuil", "grofvuils"),
        ("me hond is nieuw, moet ik dat doorgeven", "waar kan ik mijn hond aanmelden"),
    ],
)
def test_a_question_of_its_own_is_none(question: str, phrasing: str) -> None:
    assert leaks([question], {"there": [phrasing]}) == []


def test_no_texts_no_leaks() -> None:
    assert leaks([], {"there": ["iets"]}) == []
    assert leaks(["iets"], {}) == []


def test_a_question_asked_twice() -> None:
    assert [(leak.line, leak.where) for leak in repeated(["hoe dan", "iets", "Hoe dan?"])] == [
        (3, "question 1")
    ]


def test_who_writes_questions_is_told_which_to_replace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, good = tmp_path / "mine.jsonl", tmp_path / "good.jsonl"
    path.write_text(
        '{"text": "Ik wil een mens spreken!", "expect": ["handoff"]}\n'
        '{"text": "zwermende spreeuwen onder mijn dakgoot", "expect": ["out_of_scope"]}\n',
        "utf-8",
    )
    good.write_text('{"text": "de egel van de overbuurman snurkt", "expect": ["out_of_scope"]}\n', "utf-8")
    assert main([good]) == 0
    assert main([path]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "good.jsonl: 0 of 1 questions are known already",
        "mine.jsonl question 1: the same, nlu/data/nlu/tasks.yml: Ik wil een mens spreken!",
        "mine.jsonl: 1 of 2 questions are known already",
    ]
    assert main([path], drop=True) == 0
    assert [case.text for case in read_cases(path)] == ["zwermende spreeuwen onder mijn dakgoot"]
