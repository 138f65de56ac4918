"""What is to be done with an appointment that is there."""

from __future__ import annotations

import pytest

from actions.appointments.heard import coming, mode


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ik wil een afspraak maken", None),
        ("afspraak voor een paspoort dinsdag", None),
        ("kan ik een afspraak maken voor vrijdag", None),
        ("ik wil mijn afspraak verzetten", "move"),
        ("kan mijn afspraak naar vrijdag verplaatst worden", "move"),
        ("mijn afspraak een week later", "move"),
        ("ik wil een andere dag voor mijn afspraak", "move"),
        ("afspraak afzeggen", "cancel"),
        ("zeg mijn afspraak maar af", "cancel"),
        ("ik kan niet komen", "cancel"),
        ("ik kan dinsdag niet komen op mijn afspraak", "cancel"),
        ("cancel my appointment", "cancel"),
        ("haal mijn afspraak maar weg", "cancel"),
        ("wanneer is mijn afspraak ook alweer", "show"),
        ("hoe laat is mijn afspraak", "show"),
        ("heb ik al een afspraak staan", "show"),
    ],
)
def test_what_is_wanted(text: str, expected: str | None) -> None:
    assert mode(text) == expected


@pytest.mark.parametrize(
    ("text", "yes"),
    [("ik kom", True), ("Ja, ik kom morgen", True), ("ik kom niet", False), ("kom op", False)],
)
def test_who_comes(text: str, yes: bool) -> None:
    assert coming(text) is yes
