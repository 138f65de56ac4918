"""Moods: who is in need or angry is heard; who only sounds like it, and who asks something, is not."""

from __future__ import annotations

import pytest
import yaml

from actions.moods import Mood, Moods
from bot.settings import ROOT
from knowledge.evaluate import read_cases

SAID = yaml.safe_load((ROOT / "tests" / "fixtures" / "moods.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def moods() -> Moods:
    return Moods.load()


@pytest.mark.parametrize("mood", SAID)
def test_what_people_say(moods: Moods, mood: str) -> None:
    wrong = [text for text in SAID[mood] if (moods.find(str(text)) or "none") != mood]
    assert wrong == []


def test_there_are_many_examples() -> None:
    assert set(SAID) == {*Mood, "none"}
    assert min(len(SAID["distress"]), len(SAID["anger"]), len(SAID["none"])) >= 40


def test_ordinary_messages_have_no_mood(moods: Moods) -> None:
    """Of the messages whose way is known, only a few are cross, and each of those says so."""
    found = {
        case.text: moods.find(case.text)
        for case in read_cases(ROOT / "tests" / "fixtures" / "routes.jsonl")
        if moods.find(case.text) in (Mood.ANGER, Mood.DISTRESS)
    }
    assert found == {
        "jullie zijn waardeloos, mijn vuilnis is alweer niet opgehaald": Mood.ANGER,
        "wat een schandalige service, waar kan ik klagen over een medewerker": Mood.ANGER,
    }


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("DE CONTAINER IS WEER NIET GELEEGD!!!", Mood.ANGER),
        ("DE CONTAINER IS WEER NIET GELEEGD!!", None),
        ("De container is weer niet geleegd!!!", None),
        ("IS DE CONTAINER GELEEGD!!!", None),
        ("DE CONTAINER IS GELUKT BEDANKT!!!", None),
        ("112!!! 112!!! 112!!!", None),
    ],
)
def test_capitals_with_exclamation_marks_are_shouted(moods: Moods, text: str, mood: Mood | None) -> None:
    assert moods.find(text) is mood


@pytest.mark.parametrize(
    "text",
    ["", " ", ".", "???", "\x00", "ik " * 5000, "A!" * 5000, "het zat\n\n\u202e" * 99, "niet meer " * 900],
)
def test_any_text_can_be_looked_at(moods: Moods, text: str) -> None:
    assert moods.find(text) in (None, *Mood)
