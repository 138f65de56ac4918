"""What a resident's words mean in the callback form."""

from __future__ import annotations

import pytest

from actions.callback_answers import asks, change, part_of_day, phone, topic, tries_phone


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0612345678", "06 12345678"),
        ("06-12345678", "06 12345678"),
        ("06 12 34 56 78", "06 12345678"),
        ("+31 6 12345678", "06 12345678"),
        ("0031612345678", "06 12345678"),
        ("mijn nummer is 06 12345678 hoor", "06 12345678"),
        ("020 624 1111", "020 624 1111"),
        ("(020) 624 11 11", "020 624 1111"),
        ("bel 0612345678 of 0201234567", "06 12345678"),
    ],
)
def test_a_dutch_number_is_found(text: str, number: str) -> None:
    assert phone(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "06 123", "061234567", "06123456789", "112", "geen idee", "+32 470 12 34 56", "0612345 abc", "😀"],
)
def test_anything_else_is_no_number(text: str) -> None:
    assert phone(text) is None


@pytest.mark.parametrize(
    ("text", "attempt"),
    [("06 123", True), ("061234567", True), ("5", True), ("geen idee", False), ("wat kost 1 pas", False)],
)
def test_an_attempt_at_a_number_is_told_from_words(text: str, attempt: bool) -> None:
    assert tries_phone(text) is attempt


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("ochtend", "ochtend"),
        ("'s ochtends", "ochtend"),
        ("morgenochtend", "ochtend"),
        ("graag s morgens", "ochtend"),
        ("liefst voor 12 uur", "ochtend"),
        ("om 10 uur", "ochtend"),
        ("tussen 9 en 11 uur", "ochtend"),
        ("rond 09:30", "ochtend"),
        ("In de voormiddag", "ochtend"),
        ("middag", "middag"),
        ("'s middags graag", "middag"),
        ("morgenmiddag", "middag"),
        ("na de lunch", "middag"),
        ("vanaf 13 uur", "middag"),
        ("14.00", "middag"),
        ("maakt niet uit", "maakt niet uit"),
        ("maakt mij niks uit", "maakt niet uit"),
        ("de hele dag", "maakt niet uit"),
        ("ochtend of middag", "maakt niet uit"),
        ("geen voorkeur", "maakt niet uit"),
        ("vanavond", "avond"),
        ("na 19 uur", "avond"),
        ("zaterdag", "avond"),
        ("morgen", None),
        ("snel", None),
        ("", None),
    ],
)
def test_a_part_of_the_day_is_understood(text: str, part: str | None) -> None:
    assert part_of_day(text) == part


def test_a_topic_is_one_line_of_bounded_length() -> None:
    assert topic("  mijn\n belasting\x00 klopt   niet ") == "mijn belasting klopt niet"
    assert len(topic("lang " * 1000) or "") <= 300
    assert topic(" 😀 ") is None


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("het telefoonnummer", "callback_phone"),
        ("nummer", "callback_phone"),
        ("het moment", "callback_when"),
        ("onderwerp", "callback_topic"),
        ("alles", None),
    ],
)
def test_what_is_to_be_changed(text: str, slot: str | None) -> None:
    assert change(text) == slot


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("wat kost een paspoort", True),
        ("zijn jullie open?", True),
        ("in de middag", False),
        ("06 12345678", False),
    ],
)
def test_a_question_is_told_from_an_answer(text: str, question: bool) -> None:
    assert asks(text) is question
