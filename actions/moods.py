"""Moods that ask for a person: somebody in need, anger, an insult. The words stand in `moods.yml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml

from actions import sentences
from actions.danger import any_of, folded

_FILE = Path(__file__).with_name("moods.yml")
_LONGEST = 4_000
_EXCLAIMS = re.compile(r"^\W*(?:wat (?:een|ben|zijn)|what an?)\b", re.IGNORECASE)
"""Begins like a question and is none."""

_LETTERS, _WORDS, _MARKS, _CAPITALS = 10, 3, 3, 0.8
"""So many letters, words and exclamation marks, with this share of the letters in capitals, are shouted."""


class Mood(StrEnum):
    """What speaks from a message, the most urgent first."""

    DISTRESS = "distress"
    ANGER = "anger"
    INSULT = "insult"
    """Abuse of a computer: alone no reason yet to call somebody."""


@dataclass(frozen=True, slots=True)
class _Words:
    always: re.Pattern[str]
    outcries: re.Pattern[str] | None


class Moods:
    """Recognises them. What it looks at is never kept nor logged."""

    def __init__(
        self, innocent: re.Pattern[str], pleased: re.Pattern[str], moods: Mapping[Mood, _Words]
    ) -> None:
        self._innocent = innocent
        self._pleased = pleased
        self._moods = moods

    @classmethod
    def load(cls, path: Path = _FILE) -> Moods:
        """Read the patterns. Raises `ValueError` for one that can't be read."""
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        sets = {name: tuple(words.split()) for name, words in data["sets"].items()}
        moods = {
            mood: _Words(
                any_of(data["moods"][mood]["patterns"], sets),
                any_of(data["moods"][mood]["outcries"], sets) if "outcries" in data["moods"][mood] else None,
            )
            for mood in Mood
        }
        return cls(any_of(data["innocent"], sets), any_of(data["pleased"], sets), moods)

    def find(self, text: str) -> Mood | None:
        """The mood that speaks from a message, or None."""
        text = text[:_LONGEST]
        said = self._innocent.sub(". ", f" .{folded(text)}")
        asks = _asks(text)
        for mood, words in self._moods.items():
            if words.always.search(said) or (words.outcries and not asks and words.outcries.search(said)):
                return mood
            if mood is Mood.ANGER and not asks and _shouted(text) and not self._pleased.search(said):
                return mood
        return None


def _asks(text: str) -> bool:
    """Whether something is asked in it, however crossly."""
    return "?" in text or any(
        part.question and not _EXCLAIMS.search(part.text) for part in sentences.parts(text)
    )


def _shouted(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    if len(letters) < _LETTERS or len(text.split()) < _WORDS or text.count("!") < _MARKS:
        return False
    return sum(letter.isupper() for letter in letters) >= _CAPITALS * len(letters)
