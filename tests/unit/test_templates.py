"""Templates: what the file may hold, and what is told of one that is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.model import Choice
from bot.settings import ROOT
from bot.templates import TemplatesError, read_templates
from bot.window import TemplateError, fill
from tests.house import MUNICIPALITY

FACTS = {"gemeente": "Zonneveen", "telefoon": "14 0999"}


def made(directory: Path, text: str) -> Path:
    path = directory / "templates.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_template_with_all_there_is(tmp_path: Path) -> None:
    text = """
herinnering:
  language: nl
  category: utility
  text: "Beste inwoner van {gemeente}: {datum} om {tijd} is uw afspraak."
  variables: [datum, tijd]
  choices: [{id: "appointment:yes", label: Ik kom}]
"""
    found = read_templates(made(tmp_path, text), FACTS)["herinnering"]
    assert found.text == "Beste inwoner van Zonneveen: {datum} om {tijd} is uw afspraak."
    assert found.choices == (Choice("appointment:yes", "Ik kom"),)
    said = fill(found, {"tijd": "9.00 uur", "datum": "maandag\n30 november"})
    assert said.text == "Beste inwoner van Zonneveen: maandag 30 november om 9.00 uur is uw afspraak."
    assert said.values == ("maandag 30 november", "9.00 uur")
    assert said.template is found


def test_braces_of_a_value_stay_braces(tmp_path: Path) -> None:
    found = read_templates(made(tmp_path, "a: {text: 'Over {x} en {y}.', variables: [x, y]}"), FACTS)["a"]
    assert fill(found, {"x": "{gemeente}", "y": "z"}).text == "Over {gemeente} en z."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "can't be read|valid dictionary"),
        ("a: {}", "text"),
        ("A-b: {text: x}", "lower-case"),
        ("a: {text: x, language: Dutch}", "language"),
        ("a: {text: x, category: spam}", "category"),
        ("a: {text: x, colour: red}", "colour"),
        ("a: {text: x, variables: [onderwerp]}", "must stand in the text once"),
        ("a: {text: '{x} {x}', variables: [x]}", "must stand in the text once"),
        ("a: {text: '{y} {x}', variables: [x, y]}", "in the order"),
        ("a: {text: '{x}', variables: [x, x]}", "named twice"),
        ("a: {text: 'Hallo {niemand}'}", "no variable 'niemand'"),
        ("a: {text: '{x}', variables: [x], opens: true}", "can't have variables"),
        ("a: {text: x, opens: true}\nb: {text: y, opens: true}", "only one"),
        ("a: {text: x, choices: [{id: y, label: ''}]}", "label"),
        ("a: {text: '" + "x" * 1025 + "'}", "1024"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(TemplatesError, match=said):
        read_templates(made(tmp_path, text), FACTS)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(TemplatesError, match="can't be read"):
        read_templates(tmp_path / "absent.yml", FACTS)


def test_an_empty_file_has_none(tmp_path: Path) -> None:
    assert read_templates(made(tmp_path, "# nothing yet"), FACTS) == {}


def test_the_shipped_ones_are_plain_and_can_be_sent() -> None:
    found = read_templates(ROOT / "knowledge" / "templates.yml", MUNICIPALITY.variables)
    assert [one.name for one in found.values() if one.opens] == ["schrijf_ons"]
    for one in found.values():
        assert not re.search(r"\b(je|jij|jouw)\b", one.text, re.I)
        assert fill(one, dict.fromkeys(one.variables, "paspoort")).text
    with pytest.raises(TemplateError):
        fill(found["antwoord_klaar"], {})
