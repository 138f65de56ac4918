"""Examples that are made, not written: sentences with their gaps filled, and the questions of the editors.

    .venv/bin/python -m engine.examples

Writes `data/nlu/made.yml` of `examples.yml`, and `data/nlu/question_phrasings.yml` of the articles in
`../knowledge/content`, of the rehearsed questions (`../knowledge/rehearsal.txt`) and of what no municipality answers
(`../knowledge/outside.txt`). Run it when one of those has changed and commit what it writes. What stands among the
written examples is left out: there somebody said what it means.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from engine.settings import PROJECT

KNOWLEDGE = PROJECT.parent / "knowledge"
WRITTEN = ("question.yml", "talk.yml", "tasks.yml")
PER_SENTENCE = 5
"""So many fillings each sentence gets."""

PER_ARTICLE = 16
"""So many phrasings of an article at most: enough to teach what a question looks like, and training stays short."""

_NOT_QUESTIONS = ("melding-openbare-ruimte",)
"""Articles whose phrasings are mostly reports."""

_TASK = re.compile(
    r"^(?!.*(zonder afspraak|(moet|heb|hoef|without)\b.*(afspraak|appointment))).*(afspra(ak|ken)|appointment)"
    r"|\bstatus\b|\bwaar blijft\b|hoe staat het met|(medewerker|mens|iemand|persoon)\b.*\b(spreken"
    r"|praten)|terugbel|terug bel",
    re.IGNORECASE,
)
"""A phrasing that asks for more than an answer."""

_TALK = re.compile(
    r"^(hoi|hallo|goede|bedankt|dank|oke|nee|ja|test|wie (ben|is) (je|jij|klaartje)|ben (je|jij)"
    r"|bent u|ik vind je|je bent|hoe gaat)\b",
    re.IGNORECASE,
)
"""What nobody answers but is small talk: that is another intent."""

_WORD = re.compile(r"\w+")


def written(data: Path) -> Iterator[str]:
    """All examples that somebody wrote."""
    for name in WRITTEN:
        for block in yaml.safe_load((data / name).read_text("utf-8"))["nlu"]:
            yield from (line.removeprefix("- ") for line in block["examples"].splitlines())


def made(source: Path) -> dict[str, list[str]]:
    """Sentences by intent, each with some of its fillings, every filling about as often."""
    entries = yaml.safe_load(source.read_text("utf-8"))
    fills = next(entry["fills"] for entry in entries if "fills" in entry)
    chance = random.Random(1)  # noqa: S311  # a sample, the same each time
    sentences: dict[str, list[str]] = {}
    for entry in entries:
        if "fills" not in entry:
            sentences.setdefault(entry["intent"], []).extend(_filled(entry, fills, chance))
    return sentences


def _filled(entry: Mapping[str, Any], fills: Mapping[str, list[str]], chance: random.Random) -> Iterator[str]:
    waiting: list[str] = []
    for sentence in entry["sentences"]:
        for _ in range(PER_SENTENCE):
            if not waiting:
                waiting = chance.sample(fills[entry["fill"]], len(fills[entry["fill"]]))
            yield sentence.format(x=waiting.pop())


def phrasings(content: Path) -> Iterator[str]:
    """Of each article a sample, from its first to its last."""
    for path in sorted(content.glob("*.md")):
        draft = yaml.safe_load(path.read_text("utf-8").split("---")[1])
        if draft["slug"] not in _NOT_QUESTIONS:
            lines = [line for line in map(str, draft["phrasings"]) if not _TASK.search(line)]
            step = max(1.0, len(lines) / PER_ARTICLE)
            yield from (lines[int(number * step)] for number in range(min(len(lines), PER_ARTICLE)))


def rehearsed(path: Path) -> Iterator[str]:
    """Questions written apart from the phrasings: `slug, tab, question` on each line."""
    for line in _lines(path):
        slug, _, question = line.partition("\t")
        if question and slug not in _NOT_QUESTIONS and not _TASK.search(question):
            yield question


def outside(path: Path) -> Iterator[str]:
    """What is not for a municipality."""
    return (line for line in _lines(path) if not (_TALK.search(line) or _TASK.search(line)))


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def dump(intents: Mapping[str, Iterable[str]], without: set[str], about: str) -> str:
    """Training data as Rasa reads it; each example once, none of those in `without`."""
    seen = set(without)
    text = f'version: "3.1"\n\n# {about}\n'
    text += "# Made by `python -m engine.examples`: change its sources, not this file.\nnlu:\n"
    for intent, examples in intents.items():
        text += f"  - intent: {intent}\n    examples: |\n"
        for example in examples:
            plain = " ".join(example.split())
            if (key := _key(plain)) and key not in seen and not re.search(r"[\[\](){}]", plain):
                seen.add(key)
                text += f"      - {plain}\n"
    return text


def _key(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def main() -> None:
    """Write both files anew."""
    data = PROJECT / "data" / "nlu"
    known = {_key(example) for example in written(data)}
    sentences = made(PROJECT / "examples.yml")
    (data / "made.yml").write_text(dump(sentences, known, "Sentences of examples.yml, filled in."), "utf-8")
    known |= {_key(example) for examples in sentences.values() for example in examples}
    asked = {
        "question": [*phrasings(KNOWLEDGE / "content"), *rehearsed(KNOWLEDGE / "rehearsal.txt")],
        "out_of_scope": outside(KNOWLEDGE / "outside.txt"),
    }
    about = (
        "How residents put their questions, in the words of the editors: teaches what a question looks like."
    )
    (data / "question_phrasings.yml").write_text(dump(asked, known, about), "utf-8")


if __name__ == "__main__":
    main()
