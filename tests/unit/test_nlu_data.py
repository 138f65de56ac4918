"""What the dialogue model learns from: no contradictions, and every article among the questions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bot.settings import ROOT
from knowledge.store import read_content
from tests.house import MUNICIPALITY

NLU = ROOT / "nlu"
REPORTS = "melding-openbare-ruimte"
ONLY_BUTTONS = {"article", "aspect", "inform", "place", "photo", "something_else", "bot"}


def key(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def examples(path: Path) -> Iterator[tuple[str, str]]:
    for block in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
        for line in block["examples"].splitlines():
            yield key(line.removeprefix("- ")), block["intent"]


@pytest.fixture(scope="module")
def taught() -> dict[str, set[str]]:
    """The intents of each example."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((NLU / "data" / "nlu").glob("*.yml")):
        for text, intent in examples(path):
            found[text].add(intent)
    return found


def test_no_example_means_two_things(taught: dict[str, set[str]]) -> None:
    assert {text: intents for text, intents in taught.items() if len(intents) > 1} == {}


def test_every_intent_that_is_not_only_a_button_has_examples(taught: dict[str, set[str]]) -> None:
    domain = yaml.safe_load((NLU / "domain" / "intents.yml").read_text("utf-8"))
    names = {name if isinstance(name, str) else next(iter(name)) for name in domain["intents"]}
    counted = {name: sum(name in intents for intents in taught.values()) for name in names - ONLY_BUTTONS}
    assert min(counted.values()) >= 40, counted


def test_every_article_is_among_the_questions(taught: dict[str, set[str]]) -> None:
    """`python -m engine.examples` (in nlu/) brings new articles in."""
    for draft in read_content(ROOT / "knowledge" / "content", MUNICIPALITY.variables):
        known = sum(key(phrasing) in taught for phrasing in draft.phrasings)
        assert known >= 5 or draft.slug == REPORTS, f"{draft.slug}: {known}"


def test_made_examples_come_from_their_sentences() -> None:
    entries = yaml.safe_load((NLU / "examples.yml").read_text("utf-8"))
    shapes: dict[str, list[re.Pattern[str]]] = defaultdict(list)
    for entry in entries:
        for sentence in entry.get("sentences", ()):
            assert "{x}" in sentence
            shape = re.escape(key(sentence.replace("{x}", "GAP"))).replace("gap", ".+")
            shapes[entry["intent"]].append(re.compile(shape))
    for text, intent in examples(NLU / "data" / "nlu" / "made.yml"):
        assert any(shape.fullmatch(text) for shape in shapes[intent]), text
