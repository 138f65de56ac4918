"""The shape of a message: what stands around the question, its parts, and the words that carry it."""

from __future__ import annotations

import pytest

from actions import sentences


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            "hoi goedemorgen kunt u mij vertellen wanneer de vuilnis wordt opgehaald alvast bedankt groetjes ria",
            "wanneer de vuilnis wordt opgehaald",
        ),
        ("Geachte heer/mevrouw, hoe verleng ik mijn rijbewijs? Met vriendelijke groet, J. Jansen",
         "hoe verleng ik mijn rijbewijs"),
        ("ik wil graag weten wat een paspoort kost", "wat een paspoort kost"),
        ("Goedemiddag, ik heb een vraag over parkeren", "parkeren"),
        ("dag mevrouw ik heb een vraagje, mag ik een boom kappen aub", "mag ik een boom kappen"),
        ("weet u misschien waar de milieustraat is? groetjes", "waar de milieustraat is"),
        ("stomme bot wat kost een paspoort", "wat kost een paspoort"),
        ("wat kost  een   paspoort?", "wat kost een paspoort?"),
        ("hallo", "hallo"),
        ("dank u wel", "dank u wel"),
        ("wat een kutgemeente", "wat een kutgemeente"),
        ("daglicht en dagopvang", "daglicht en dagopvang"),
        ("hoi", "hoi"),
    ],
)  # fmt: skip
def test_what_stands_around_a_question_is_taken_off(text: str, asked: str) -> None:
    assert sentences.plain(text) == asked


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("hoe vraag ik een paspoort aan en wat kost het", ["hoe vraag ik een paspoort aan", "wat kost het"]),
        ("wat kost een paspoort en een rijbewijs", ["wat kost een paspoort en een rijbewijs"]),
        ("mijn man en ik gaan verhuizen", ["mijn man en ik gaan verhuizen"]),
        (
            "ik ben verhuisd en mijn rijbewijs is kwijt, wat moet ik doen",
            ["ik ben verhuisd", "mijn rijbewijs is kwijt", "wat moet ik doen"],
        ),
        ("als ik verhuis, moet ik dan iets doorgeven", ["als ik verhuis, moet ik dan iets doorgeven"]),
        ("paspoort voor mij en mijn vrouw", ["paspoort voor mij en mijn vrouw"]),
        ("Ik verhuis. Wat moet ik doen? Dank!", ["Ik verhuis.", "Wat moet ik doen?", "Dank!"]),
        ("", []),
    ],
)
def test_a_message_has_parts(text: str, parts: list[str]) -> None:
    assert [part.text for part in sentences.parts(text)] == parts


def test_of_a_long_story_only_what_asks_counts() -> None:
    story = "Ik woon hier al jaren en ben erg tevreden. " * 8 + "Wat kost een paspoort? Groetjes, Jan"
    assert [part.text for part in sentences.parts(story)] == ["Wat kost een paspoort?"]
    assert len(sentences.parts("Waar is dat? " * 30)) == 6


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("wat kost een paspoort en een rijbewijs", ("wat kost een paspoort", "een rijbewijs")),
        ("mijn man en ik gaan verhuizen en scheiden", ("mijn man en ik gaan verhuizen", "scheiden")),
        ("wat is het verschil tussen trouwen en partnerschap", None),
        ("wat kost een paspoort", None),
        ("en wat kost dat", None),
    ],
)
def test_both_sides_of_and(text: str, sides: tuple[str, str] | None) -> None:
    assert sentences.halves(text) == sides


def test_words_that_carry_a_meaning() -> None:
    assert sentences.content("En wat kost dat dan voor mijn kind?") == ["kost", "kind"]
    assert sentences.fragment("een rijbewijs") and not sentences.fragment("hoe lang duurt een rijbewijs")
