"""Which evaluation questions are known already: `python -m tests.leaks [--drop] [FILE ...]`.

A question that an article, the calibration or the dialogue model has seen measures memory, not understanding.
It is known where one of those texts

- is the same but for capitals, accents, spaces and marks; or, for three words or more,
- has nine of ten letters in the same order (spaces left out: a compound may be split), or with the words in
  the order of the alphabet. One in ten is a typing error or a small word; another topic is mostly more; or
- has the same words that carry meaning, four or more of them. Fewer are what anybody would say.

Words of courtesy ("hallo", "alstublieft") are left out first. Where a line is known is told, not by what: who
writes evaluation questions must not read the other texts. `--drop` takes those lines out of the files.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

from bot.settings import ROOT
from knowledge.article import parse
from knowledge.calibration import rehearsal
from knowledge.evaluate import read_cases
from knowledge.index import outside_questions
from knowledge.tokens import normal, tokens, words

FIXTURES = ROOT / "tests" / "fixtures"
EVALUATION = tuple(FIXTURES / name for name in ("questions.jsonl", "questions_final.jsonl"))

NEARLY = 0.9
_WORDS = 3
_MEANING = 4
_COURTESY = frozenset(
    words(
        "hallo hoi hey hee hi dag goedemorgen goedemiddag goedenavond hello alvast alstublieft alsjeblieft aub"
        " svp graag please bedankt dank dankjewel dankuwel thanks gr groet groeten groetjes mvg"
    )
)


@dataclass(frozen=True, slots=True)
class Leak:
    """An evaluation question that stands elsewhere; `line` counts from 1 over the questions."""

    line: int
    text: str
    where: str
    how: str
    other: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """A text in the forms in which it is compared."""

    where: str
    text: str
    same: str
    letters: str
    ordered: str
    meaning: frozenset[str]
    words: int

    @classmethod
    def of(cls, where: str, text: str) -> _Seen:
        plain = normal(text).split()
        kept = [word for word in plain if word not in _COURTESY] or plain
        meaning = frozenset(tokens(text)) - _COURTESY
        return cls(
            where, text, "".join(plain), "".join(kept), "".join(sorted(kept)), meaning, len(words(text))
        )


def leaks(questions: Sequence[str], known: Mapping[str, Iterable[str]]) -> list[Leak]:
    """The questions that one of the `known` texts (by the place where they stand) gives away: one leak each."""
    ours = [_Seen.of("", text) for text in questions]
    theirs = [_Seen.of(where, text) for where, texts in known.items() for text in texts]
    return [
        Leak(number, one.text, *found)
        for number, (one, found) in enumerate(zip(ours, _first(ours, theirs), strict=True), 1)
        if found
    ]


def repeated(questions: Sequence[str]) -> list[Leak]:
    """The questions that stand among the ones before them, to the letter but for capitals and marks."""
    first: dict[str, int] = {}
    found = []
    for number, text in enumerate(questions, 1):
        if (before := first.setdefault(normal(text), number)) != number:
            found.append(Leak(number, text, f"question {before}", "the same", questions[before - 1]))
    return found


def _first(ours: Sequence[_Seen], theirs: Sequence[_Seen]) -> Iterator[tuple[str, str, str] | None]:
    if not ours or not theirs:
        yield from (None for _ in ours)
        return
    alike = np.maximum(_alike(ours, theirs, "letters"), _alike(ours, theirs, "ordered"))
    same = {one.same: one for one in theirs}
    meanings = {one.meaning: one for one in theirs}
    for one, row in zip(ours, alike, strict=True):
        if exact := same.get(one.same):
            yield exact.where, "the same", exact.text
        elif one.words >= _WORDS and row.max() >= NEARLY:
            near = theirs[int(row.argmax())]
            yield near.where, f"{row.max():.0%} of the letters", near.text
        elif len(one.meaning) >= _MEANING and (said := meanings.get(one.meaning)):
            yield said.where, "the same words", said.text
        else:
            yield None


def _alike(ours: Sequence[_Seen], theirs: Sequence[_Seen], form: str) -> NDArray[np.float32]:
    rows, columns = [getattr(one, form) for one in ours], [getattr(one, form) for one in theirs]
    return cdist(rows, columns, scorer=Indel.normalized_similarity, score_cutoff=NEARLY, dtype=np.float32)


def known() -> dict[str, list[str]]:
    """All texts that something was written, fitted or trained with, by the file or folder where they stand."""
    drafts = [
        parse(path.read_text("utf-8"), path.name) for path in (ROOT / "knowledge" / "content").glob("*.md")
    ]
    found = {f"knowledge/content/{draft.slug}.md": [draft.title, *draft.phrasings] for draft in drafts}
    found["knowledge/rehearsal.txt"] = [text for _, text in rehearsal()]
    found["knowledge/outside.txt"] = outside_questions()
    for path in sorted((ROOT / "nlu" / "data").rglob("*.yml")):
        found[path.relative_to(ROOT).as_posix()] = list(_examples(path))
    for path in sorted(FIXTURES.glob("*.jsonl")):
        if path not in EVALUATION and path.name != "dates.jsonl":  # phrases with a time, no questions
            found[path.relative_to(ROOT).as_posix()] = [case.text for case in read_cases(path)]
    return found


def _examples(path: Path) -> Iterator[str]:
    """The examples of a Rasa file, without their marks."""
    for group in yaml.safe_load(path.read_text("utf-8")).get("nlu", ()):
        for line in str(group.get("examples", "")).splitlines():
            yield line.strip().removeprefix("-").strip()


def main(paths: Sequence[Path], *, drop: bool = False) -> int:
    """Print the leaks of each file, or take them out; the exit code is 1 where there are any left."""
    texts = known()
    left = 0
    before: list[str] = []
    for path in paths:
        questions = [case.text for case in read_cases(path)]
        found = leaks(questions, texts | {"another evaluation file": before}) + repeated(questions)
        if drop:
            _drop(path, {leak.line for leak in found})
        for leak in found:
            print(f"{path.name} question {leak.line}: {leak.how}, {leak.where}: {leak.text}")
        print(f"{path.name}: {len(found)} of {len(questions)} questions are known already")
        left += 0 if drop else len(found)
        before += questions
    return int(left > 0)


def _drop(path: Path, numbers: Container[int]) -> None:
    rows = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    kept = (row for number, row in enumerate(rows, 1) if number not in numbers)
    path.write_text("".join(f"{row}\n" for row in kept), "utf-8")


if __name__ == "__main__":
    names = [Path(name) for name in sys.argv[1:] if name != "--drop"]
    existing = [path for path in EVALUATION if path.exists()]
    sys.exit(main(names or existing, drop="--drop" in sys.argv[1:]))
