"""What is taken out of a resident's words, and what stays."""

from __future__ import annotations

import pytest
from stdnum.nl import bsn

from bot.masking import BSN, FACT, conceal, has_bsn, mask_bsn, passes


@pytest.mark.parametrize(
    "text",
    [
        "123456782",
        "Mijn BSN is 123456782.",
        "bsn:123456782",
        "BSN123456782",
        "bsn-123456782, graag snel",
        "burgerservicenummer 123.456.782",
        "123 456 782",
        "1234.56.782",
        "(123456782)",
        "10000008",
        "mijn bsn is 10000008",
        "bsn 123456789",
        "mijn burger service nummer: 12 34 56 78 2",
        "123456782\n1234 AB 12",
        "zaak 2026-101, bsn 123456782",
        "belangrijk: 123456782",
        "123456782 12",
        "sofinummer 123456782",
    ],
)
def test_a_bsn_is_taken_out(text: str) -> None:
    masked = mask_bsn(text)
    assert has_bsn(masked)
    assert "2345678" not in masked.replace(" ", "").replace(".", "")
    assert "0000008" not in masked


def test_several_are_all_taken_out() -> None:
    assert mask_bsn("123456782 en 111222333") == f"{BSN} en {BSN}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "geen cijfers",
        "123456789",
        "zaak 123456782",
        "zaaknummer is 123456782",
        "Zaaknummer: 123456782",
        "kenmerk 123456782",
        "mijn referentienummer = 123456782",
        "ZAAK-2026-123456782",
        "ZAAK-2026-0000012345",
        "Z123456782",
        "123456782-A",
        "https://www.zonneveen.example/123456782",
        "jan.123456782@example.nl",
        "0612345678",
        "06 12345678",
        "06-12345678",
        "06 12 34 56 78",
        "020 1234567",
        "+31 612345678",
        "+31612345678",
        "0031 612345672",
        "tel 123456782",
        "010123456782",
        "20261123",
        "01021980",
        "01-02-1980",
        "NL91ABNA0417164300",
        "NL91 ABNA 0417 1643 00",
        "kvk 10000008",
        "€ 123.456,78",
        "000000000",
        "1234 AB 12",
        "#123456782",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask_bsn(text) == text


def test_the_eleven_test_is_that_of_the_standard() -> None:
    numbers = [f"{number:09}" for number in range(100_000_000, 100_002_000)]
    assert [passes(number) for number in numbers] == [bsn.is_valid(number) for number in numbers]
    assert not passes("000000000")


def test_masking_again_changes_nothing() -> None:
    once = mask_bsn("mijn bsn is 123456782")
    assert mask_bsn(once) == once


@pytest.mark.parametrize(
    ("text", "parts", "left"),
    [
        ("1234 AB 12", [], FACT),
        ("1234ab nr. 12a graag", [], f"{FACT} graag"),
        ("zaak 2026 101, 1234 AB 12", [], f"zaak 2026 101, {FACT}"),
        ("geboren op 01-02-1980", [], f"geboren op {FACT}"),
        ("1 februari 1980", [], FACT),
        ("1980-02-01", [], FACT),
        ("huisnummer 12 en 1234 AB", ["huisnummer 12", "1234 AB"], f"{FACT} en {FACT}"),
        ("hallo", [], "hallo"),
        ("hallo", [""], "hallo"),
    ],
)
def test_what_proves_is_not_kept(text: str, parts: list[str], left: str) -> None:
    assert conceal(text, parts) == left
