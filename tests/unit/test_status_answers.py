"""What a resident's words mean where somebody asks how a request stands."""

from __future__ import annotations

from datetime import date

import pytest

from actions.references import References
from actions.status_answers import given, has_none, tries

TODAY = date(2026, 11, 23)
ZAAK = References(["ZAAK-JJJJ-9999999999"])


@pytest.mark.parametrize(
    "text",
    [
        "ZAAK-2026-0000012345",
        "zaak-2026-0000012345",
        "Zaak 2026 12345",
        "zaaknummer 2026-12345",
        "mijn zaaknummer is 2026/12345 geloof ik",
        "zaaknr.: 2026.12345",
        "2026-12345",
        "zaak20260000012345",
        "ZAAK-2O26-OOOOO12345",
        "zaak 2026 l2345",
        "hoe staat het met ZAAK-2026-0000012345?",
        "ZAAK – 2026 – 12345",
    ],
)
def test_a_number_is_found_and_repaired(text: str) -> None:
    assert ZAAK.read(text) == "ZAAK-2026-0000012345"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mijn zaak",
        "zaak 12345",
        "ZAAK-2026-00000123456",
        "zaak 2026 0",
        "op 2026-11-23 aangevraagd",
        "in 2026 12 keer gebeld",
        "XZAAK-2026-12345-B",
        "1234 AB 12",
        "0612345678",
    ],
)
def test_what_is_not_certain_is_no_number(text: str) -> None:
    assert ZAAK.read(text) is None


@pytest.mark.parametrize(
    ("form", "text", "number"),
    [
        ("Z9999999", "z 1234567", "Z1234567"),
        ("Z9999999", "nummer Z-123", "Z0000123"),
        ("999999", "het is 123456", "123456"),
        ("999999", "het is 12345", None),
        ("JJJJ-99999", "2026-00012", "2026-00012"),
        ("JJJJ-99999", "zaak 2026 12", None),
        ("W.JJJJ/9999", "w 2026 12", "W.2026/0012"),
    ],
)
def test_other_forms(form: str, text: str, number: str | None) -> None:
    assert References([form]).read(text) == number


def test_the_first_form_that_fits_counts() -> None:
    forms = References(["ZAAK-JJJJ-9999999999", "Z9999999"])
    assert forms.read("z1234567") == "Z1234567"
    assert forms.tries("nummer 4711-22") and not forms.tries("mijn 2 honden")


@pytest.mark.parametrize(
    ("text", "postcode", "number", "addition"),
    [
        ("1234 AB 12", "1234AB", 12, ""),
        ("1234ab, 12a", "1234AB", 12, "A"),
        ("1234AB huisnummer 12", "1234AB", 12, ""),
        ("postcode is 1234 AB en nummer 12 bis", "1234AB", 12, "BIS"),
        ("huisnummer 12 postcode 1234 ab", "1234AB", 12, ""),
        ("Dorpsstraat 12, 1234 AB Zonneveen", "1234AB", 12, ""),
        ("1234 AB 12-2", "1234AB", 12, "2"),
    ],
)
def test_an_address_is_found(text: str, postcode: str, number: int, addition: str) -> None:
    found = given(text, TODAY)
    assert found and (found.postcode, found.house_number, found.addition) == (postcode, number, addition)
    left = text
    for part in found.parts:
        assert part in text
        left = left.replace(part, "")
    assert postcode[:4] not in left and "12" not in left
    assert "12" not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "01-02-1980",
        "1-2-1980",
        "1/2/80",
        "1 2 1980",
        "1980-02-01",
        "01021980",
        "1 februari 1980",
        "1e feb. 1980",
    ],
)
def test_a_date_of_birth_is_found(text: str) -> None:
    found = given(f"ik ben geboren op {text}", TODAY)
    assert found and found.birth_date == "1980-02-01"


@pytest.mark.parametrize(
    "text", ["31-02-1980", "12-12-2030", "1234 AB", "12", "hallo", "geen idee", "2026-12345"]
)
def test_anything_else_is_no_fact(text: str) -> None:
    assert given(text, TODAY) is None


def test_half_a_fact_is_told_from_other_words() -> None:
    assert tries("1234 AB") and tries("12-12") and not tries("wat kost een rijbewijs")


@pytest.mark.parametrize(
    "text", ["weet ik niet", "die heb ik niet", "ik heb geen nummer", "de brief is kwijt", "geen"]
)
def test_who_has_none_says_so(text: str) -> None:
    assert has_none(text)
    assert not has_none("ZAAK-2026-0000012345") and not has_none("wat kost een paspoort")
