"""What a message says of who comes."""

from __future__ import annotations

from datetime import date

import pytest

from actions.appointments import facts
from actions.appointments.orders import new_reference, reference_in
from bot.model import Location

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "name", "born", "phone"),
    [
        ("Noor Bakker, 3-4-1990, 06 12345678", "Noor Bakker", "1990-04-03", "+31612345678"),
        ("jan de vries 12-03-1980 0612345678", "jan de vries", "1980-03-12", "+31612345678"),
        (
            "Mijn naam is Piet Jansen, geboren op 1 januari 1975, telefoon 020 624 1111",
            "Piet Jansen", "1975-01-01", "+31206241111",
        ),
        ("ik heet Fatima El Amrani", "Fatima El Amrani", None, None),
        ("O'Brien-van der Berg", "O'Brien-van der Berg", None, None),
        ("29 februari 2000", None, "2000-02-29", None),
        ("29-02-1999", None, None, None),
        ("03/04/90", None, "1990-04-03", None),
        ("1990-04-03 en 06-12345678", None, "1990-04-03", "+31612345678"),
        ("3 april 2090", None, None, None),
        ("mijn nummer is 0612345678", None, None, "+31612345678"),
        ("Li", "Li", None, None),
        ("😀", None, None, None),
        ("<script>alert(1)</script>", None, None, None),
        (
            "naam: Noor Bakker\ngeboortedatum: 03-04-1990\ntelefoon: 06 12 34 56 78",
            "Noor Bakker", "1990-04-03", "+31612345678",
        ),
    ],
)  # fmt: skip
def test_name_date_of_birth_and_phone(
    text: str, name: str | None, born: str | None, phone: str | None
) -> None:
    assert (facts.name(text), facts.birth_date(text, TODAY), facts.phone(text)) == (name, born, phone)


def test_an_email_address() -> None:
    assert facts.email("mail mij op noor.b@zon.example graag") == "noor.b@zon.example"
    assert facts.email("noor@zon") is None
    assert facts.name("noor.b@zon.example, Noor Bakker") == "Noor Bakker"


def test_a_location_is_known_by_what_no_other_is_called() -> None:
    two = [Location("a", "Gemeentehuis"), Location("b", "Servicepunt Noord")]
    assert facts.location("doe maar het stadhuis", two) == two[0]
    assert facts.location("servicepunt graag", two) == two[1]
    assert facts.location("in noord", two) == two[1]
    assert facts.location("maakt niet uit", two) is None


@pytest.mark.parametrize(
    ("text", "count"),
    [("met z'n drieën", 3), ("voor 4 personen", 4), ("voor twee kinderen", 2), ("voor mijn dochter", None)],
)
def test_for_how_many(text: str, count: int | None) -> None:
    assert facts.people(text) == count


def test_a_reference_is_known_however_it_is_written() -> None:
    for _ in range(50):
        reference = new_reference()
        spaced = f"{reference[0]} {reference[1:5]}-{reference[5:]}"
        assert reference_in(f"mijn nummer is {reference.lower()}.") == reference == reference_in(spaced)
    assert reference_in("A123") is None
    assert reference_in("AFSPRAAK1") is None
