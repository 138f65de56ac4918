"""One who is compared: a program that is trained, asked, and weighed, all over lines of JSON.

`{"train": [[text, intent], ...]}` gives `{"seconds"}`; `{"ask": text}` gives `{"ranked": [[intent, score], ...],
"seconds"}`, best first."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from bot.model import Route
from bot.ports import Found, Thresholds
from knowledge.evaluate import Case, Given, Judged, given_by, judge

CHOICES = 3
WRONG, REFUSED, OUTSIDE = 0.03, 0.9, 0.15
"""How thresholds are chosen, for each peer as our calibration does for us: at most so many wrong answers; so many of
the outside questions refused; so much of all that is asked is outside."""


_NEVER = 1.01
"""Above every score."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what came of it: articles and scores, best first; whether it was refused outright."""

    case: Case
    ranked: tuple[tuple[str, float], ...]
    refused: bool
    seconds: float

    @property
    def score(self) -> float:
        """The best article's."""
        return self.ranked[0][1] if self.ranked and not self.refused else 0.0

    def among(self, first: int) -> bool:
        """Whether an expected article is among the first so many."""
        return any(slug in self.case.slugs for slug, _ in self.ranked[:first])

    def judged(self, limits: Thresholds) -> Judged:
        """What a resident would get, by the score of the best, as these libraries mean it."""
        slugs = tuple(slug for slug, _ in self.ranked[:CHOICES])
        if self.refused or not slugs or self.score < limits.clarify:
            given = Given(Route.OUT_OF_SCOPE)
        elif self.score >= limits.answer:
            given = Given(Route.ANSWER, slugs[:1], confidence=self.score)
        else:
            given = Given(Route.CLARIFY, (), slugs, self.score)
        return judge(self.case, given, self.seconds)

    def judged_as_ours(self, limits: Thresholds) -> Judged:
        """What a resident would get of our search, as `klaartje eval --search` has it."""
        found = [Found(slug, 1, slug, score) for slug, score in self.ranked]
        return judge(self.case, given_by(found, limits), self.seconds)


@dataclass
class Peer:
    """A program; `with` starts and stops it."""

    name: str
    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[str] = field(init=False, repr=False)

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.directory,
                env=dict(self.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.communicate()

    def train(self, pairs: Iterable[tuple[str, str]]) -> tuple[float, Thresholds | None]:
        """Seconds; and the thresholds, where it brings its own."""
        answer = self._call({"train": list(pairs)})
        limits = answer.get("thresholds")
        return answer["seconds"], Thresholds(*limits) if limits else None

    def ask(self, cases: Iterable[Case]) -> list[Asked]:
        """One at a time."""
        return [self._ask(case) for case in cases]

    def memory(self) -> int:
        """Bytes that it holds now (RSS)."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def _ask(self, case: Case) -> Asked:
        answer = self._call({"ask": case.text})
        ranked = [(str(intent), float(score)) for intent, score in answer["ranked"]]
        refused = not ranked or ranked[0][0] == Route.OUT_OF_SCOPE
        inside = tuple((intent, score) for intent, score in ranked if intent != Route.OUT_OF_SCOPE)
        return Asked(case, inside, refused, answer["seconds"])

    def _call(self, call: object) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{json.dumps(call)}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended: {self.log.read_text(errors='replace')[-2000:]}")
        return json.loads(line)


def thresholds(asked: Sequence[Asked]) -> Thresholds:
    """For what was asked of a peer that was not trained on it: as bold as `knowledge.calibration` is, no bolder.
    The upper one is the lowest score from which few enough answers are wrong, the lower one the lowest below which
    enough of the outside questions lie."""
    inside = sum(bool(one.case.slugs) for one in asked)
    outside = [one.score for one in asked if one.case.outside]
    weights = {True: OUTSIDE / max(1, len(outside)), False: (1 - OUTSIDE) / max(1, inside)}
    shown = sorted((one for one in asked if not one.refused), key=lambda one: -one.score)
    answer, wrong = _NEVER, 0.0
    for score, tied in groupby(shown, key=lambda one: one.score):
        wrong += sum(weights[one.case.outside] for one in tied if not one.among(1))
        if wrong > WRONG:
            break
        answer = score
    for score in sorted({one.score for one in shown}):
        if sum(other < score for other in outside) >= REFUSED * len(outside):
            return Thresholds(answer, min(score, answer))
    return Thresholds(answer, answer)
