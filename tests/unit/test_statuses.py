"""The dictionary of statuses, which cases may be looked up, and how a case is told."""

from __future__ import annotations

import re
import string
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.app.house import PHRASES, STATUSES
from bot.casetypes import CaseRules
from bot.casewords import CaseWords
from bot.model import Case, CaseStatus
from bot.municipality import Municipality, MunicipalityError
from bot.statuses import Statuses, StatusesError
from bot.wording import Wording
from tests.house import MUNICIPALITY

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
TYPE = {"type": "Kapvergunning", "name": "uw kapvergunning"}


def shipped() -> CaseWords:
    assert MUNICIPALITY.cases
    return CaseWords(
        Wording.load(PHRASES, MUNICIPALITY.variables), Statuses.load(STATUSES), MUNICIPALITY.cases
    )


def case(status: CaseStatus | None, **values: Any) -> Case:
    kind = values.pop("kind", "Parkeervergunning")
    return Case("k", "ZAAK-2026-0000000001", (kind,), date(2026, 11, 2), status, **values)


def told(name: str, text: str = "", **values: Any) -> str:
    return shipped().answer(case(CaseStatus((name,), text, NOW), **values), NOW).text


class TestDictionary:
    def test_a_type_goes_before_all_types_and_capitals_do_not_count(self, tmp_path: Path) -> None:
        file = tmp_path / "s.yml"
        file.write_text("'*': {Open: {now: x}, Dicht: {now: z}}\nKap: {open: {now: y, next: n}}\n")
        words = Statuses.load(file)
        assert (found := words.of(["ZT-1", "KAP"], ["OPEN"])) and (found.now, found.next) == ("y", "n")
        assert (found := words.of(["anders"], ["?", "open"])) and found.now == "x"
        assert (found := words.of(["kap"], ["dicht"])) and found.now == "z"
        assert words.of(["kap"], ["nieuw"]) is None

    @pytest.mark.parametrize(
        "text",
        [
            "- a",
            "a: b",
            "a: {b: c}",
            "a: {b: {next: c}}",
            "a: {b: {now: ''}}",
            "a: {b: {now: c, x: d}}",
            "a: [",
        ],
    )
    def test_a_wrong_one_is_told_with_its_place(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "s.yml"
        file.write_text(text)
        with pytest.raises(StatusesError, match=r"s\.yml"):
            Statuses.load(file)
        with pytest.raises(StatusesError, match=r"none\.yml"):
            Statuses.load(tmp_path / "none.yml")

    def test_an_empty_one_has_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "s.yml").write_text("")
        assert Statuses.load(tmp_path / "s.yml").of(["a"], ["b"]) is None

    def test_the_shipped_words_are_short_and_polite(self) -> None:
        for line in STATUSES.read_text(encoding="utf-8").splitlines():
            if not (found := re.match(r" +(?:now|next|needed): (.*)", line)):
                continue
            assert not re.search(r"\b(je|jij|jou|jouw|jullie)\b", found[1], re.IGNORECASE)
            for sentence in re.split(r"(?<=[.!?])\s", found[1]):
                assert len([word for word in sentence.split() if word.strip(string.punctuation)]) <= 18, (
                    sentence
                )


class TestTelling:
    def test_what_nobody_wrote_down_is_told_in_the_words_of_the_system(self) -> None:
        assert "Nu:** Wij wachten op advies.\n" in told("Advies gevraagd", "Wij wachten\n op advies.")
        assert 'De status is "Advies gevraagd".' in told("Advies gevraagd")
        assert "hebben uw aanvraag ontvangen" in shipped().answer(case(None), NOW).text

    def test_braces_of_the_system_are_just_braces(self) -> None:
        assert "{telefoon}" in told("Nieuw", "Bel {telefoon} en {onbekend}")

    def test_when_at_the_latest(self) -> None:
        assert "Uiterlijk klaar:** 24 december 2026" in told("Ontvangen", deadline=date(2026, 12, 24))
        assert "Uiterlijk klaar:** 1 december 2026" in told("Ontvangen", planned=date(2026, 12, 1))
        late = told("Ontvangen", deadline=date(2026, 11, 22))
        assert "Te laat" in late and "22 november 2026" in late and "spijt" in late
        still = told("Ontvangen", deadline=date(2026, 11, 22), suspended=True)
        assert "staat even stil" in still and "Te laat" not in still and "niets te doen" not in still

    def test_what_is_needed_is_said(self) -> None:
        assert "Van u nodig:** Stuur ons wat nog mist" in told("Wacht op informatie")
        assert "foto's van de boom" in told("Wacht op informatie", kind="Kapvergunning")
        assert "niets te doen" in told("Ontvangen")

    def test_the_end_has_a_result_and_nothing_to_follow(self) -> None:
        done = case(CaseStatus(("Afgehandeld",), "", NOW), ended=date(2026, 11, 20), result="Verleend")
        said = shipped().answer(done, NOW)
        assert "Uitslag:** Verleend (20 november 2026)" in said.text and "Daarna" not in said.text
        assert [choice.id for choice in said.choices] == ["case_ask:ZAAK-2026-0000000001"]
        assert [choice.id for choice in shipped().news(done, NOW).choices] == [
            "case_ask:ZAAK-2026-0000000001"
        ]

    def test_every_button_fits(self) -> None:
        long = Case("k" * 36, "Z" * 40, ("Kapvergunning",), date(2026, 11, 2))
        for said in (shipped().answer(long, NOW), shipped().news(long, NOW), shipped().following(long)):
            assert all(len(choice.id.encode()) <= 64 and len(choice.label) <= 20 for choice in said.choices)


class TestRules:
    def test_the_example_is_a_number(self) -> None:
        for form, example in {
            "ZAAK-JJJJ-9999999999": "ZAAK-2026-0000012345",
            "Z999": "Z345",
            "JJJJ/99999": "2026/12345",
        }.items():
            assert CaseRules.model_validate({"types": [TYPE], "references": [form]}).example == example

    @pytest.mark.parametrize(
        "values",
        [
            {"types": []},
            {"references": []},
            {"references": ["zaak-9999"]},
            {"references": ["ZAAK"]},
            {"references": ["9999-JJJJ-A"]},
            {"types": [TYPE, {**TYPE, "type": "KAPVERGUNNING"}]},
            {"types": [{**TYPE, "proof": "bsn"}]},
            {"types": [{**TYPE, "soort": "x"}]},
            {"digid": "x"},
        ],
    )
    def test_a_wrong_part_is_refused(self, values: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            CaseRules.model_validate({"types": [TYPE], "references": ["ZAAK-JJJJ-9999999999"], **values})

    def test_the_file_names_the_place(self, tmp_path: Path) -> None:
        text = (STATUSES.parent / "municipality.yml").read_text(encoding="utf-8")
        (tmp_path / "m.yml").write_text(text.replace("proof: birth_date", "proof: bsn"), encoding="utf-8")
        with pytest.raises(MunicipalityError, match=r"cases\.types\.4\.proof"):
            Municipality.load(tmp_path / "m.yml")

    def test_without_the_part_there_is_still_a_link(self) -> None:
        without = MUNICIPALITY.model_copy(update={"cases": None})
        assert without.variables["mijn_zaken"] == "https://www.zonneveen.example/mijn-zaken"
