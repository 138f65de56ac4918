"""The phrase book: approved words, filled in from one place, and nothing of a resident looked at twice."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
import yaml

from bot.model import Choice, Kind, Link, Outbound, Say
from bot.settings import ROOT
from bot.wording import Wording, WordingError, fill_in
from knowledge.article import LANGUAGES
from tests.house import MUNICIPALITY

BOOK = ROOT / "knowledge" / "phrases.yml"
APPOINTMENT = {
    **dict.fromkeys(("title", "when", "place", "address", "reference"), "x"),
    "agenda": "https://x.example/afspraken/x.ics",
}
ARGS = {
    "handoff_open": {"place": 2},
    "handoff_open_wait": {"place": 2, "minutes": "4 minuten"},
    "wait_changed": {"place": 2, "minutes": "4 minuten"},
    **{phrase: {"agent": "Els"} for phrase in ("agent_joined", "returned", "closed")},
    "handed_over": {"team": "Burgerzaken"},
    "handoff_closed": {"when": "maandag om 8.30 uur"},
    "callback_done": {"reference": "T1", "phone": "06", "when": "ochtend", "topic": "x"},
    "callback_ask_confirm": {"phone": "06", "when": "ochtend", "topic": "x"},
    **{f"{route}_article": {"title": "x"} for route in ("appointment", "status", "report")},
    "part_unknown": {"title": "x"},
    "appointment_ask_which_moment": {"ways": "- dinsdag"},
    "appointment_ask_details": {"when": "dinsdag", "what": "uw naam"},
    "appointment_ask_more_details": {"what": "uw naam"},
    "appointment_ask_confirm": {**APPOINTMENT, "who": "Noor"},
    "appointment_ask_move": {**APPOINTMENT, "new": "woensdag"},
    **{
        f"appointment_{name}": APPOINTMENT
        for name in (
            "ask_when",
            "ask_when_other",
            "none_earlier",
            "none_later",
            "full_here",
            "done",
            "moved",
            "shown",
            "ask_cancel",
            "cancelled",
            "comes",
            "reminder",
            "earlier",
            "called_off",
            "file_title",
            "file_text",
        )
    },
    "status_elsewhere": {"title": "x"},
    **{f"status_ask_{fact}": {"reference": "Z1"} for fact in ("address", "birth_date", "either")},
    **{
        phrase: {"title": "Uw kapvergunning", "reference": "Z1", "started": "1 mei 2026", "lines": "- x"}
        for phrase in ("case_status", "case_changed", "case_ended", "case_followed", "case_gone")
    },
    "case_line_now": {"now": "x"},
    "case_line_next": {"next": "x"},
    "case_line_due": {"when": "1 mei 2026"},
    "case_line_late": {"when": "1 mei 2026"},
    "case_line_needed": {"needed": "x"},
    "case_line_result": {"result": "Verleend", "when": "1 mei 2026"},
    "case_named": {"status": "x"},
    "report_ask_confirm": {"what": "x", "text": "x", "place": "x", "photos": "geen", "contact": "geen"},
    **{f"report_{phrase}": {"number": "M-1"} for phrase in ("sent", "followed", "ended")},
    "report_changed": {"number": "M-1", "now": "x"},
}
CHECKED = ("choice_", "aspect_", "danger_", *(f"{language}_" for language in LANGUAGES))


@pytest.fixture(scope="module")
def book() -> Wording:
    return Wording.load(BOOK, MUNICIPALITY.variables)


def made(directory: Path, text: str) -> Wording:
    path = directory / "phrases.yml"
    path.write_text(text, encoding="utf-8")
    return Wording.load(path, {"gemeente": "Testdam", "website": "https://x.example"})


def test_a_phrase_is_filled_in_everywhere(tmp_path: Path) -> None:
    wording = made(
        tmp_path,
        "hoi:\n  text: Hallo {naam} uit {gemeente}\n"
        "  choices: [{id: 'a:b', label: 'Naar {gemeente}'}]\n"
        "  links: [{label: '{gemeente}', url: '{website}/{pad}'}]\n",
    )
    expected = Outbound(
        "Hallo Noor uit Testdam", (Choice("a:b", "Naar Testdam"),), (Link("Testdam", "https://x.example/p"),)
    )
    assert wording.finish(Say("hoi", {"naam": "Noor", "pad": "p"})) == expected
    assert wording.say("hoi", naam="Noor", pad="p") == expected


def test_what_is_filled_in_is_not_filled_in_again(tmp_path: Path) -> None:
    wording = made(tmp_path, "hoi: {text: 'Hallo {naam}'}\n")
    assert wording.say("hoi", naam="{gemeente} {onbekend} {{").text == "Hallo {gemeente} {onbekend} {{"


@pytest.mark.parametrize(
    "text",
    ["{", "}", "{}", "{A}", "{ a }", "{a-b}", "{{gemeente}", "{1a}", "$gemeente", "{a.b}", "{a!r}", "{0}"],
)
def test_other_braces_are_just_braces(text: str) -> None:
    assert fill_in(text, {"gemeente": "Testdam"}) == text.replace("{gemeente}", "Testdam")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    wording = made(tmp_path, "hoi: {text: 'Hallo {naam}'}\n")
    with pytest.raises(WordingError, match="no variable 'naam'"):
        wording.say("hoi")
    with pytest.raises(WordingError, match="no phrase 'doei'"):
        wording.say("doei")
    with pytest.raises(WordingError, match="no variable 'onbekend'"):
        wording.finish(Outbound("{onbekend}"))


@pytest.mark.parametrize(
    "text",
    [
        "- a",
        "text",
        "",
        "hoi: hallo",
        "hoi: {}",
        "hoi: {text: 5}",
        "hoi: {text: a, keuzes: []}",
        "hoi: {text: a, choices: [b]}",
        "hoi: {text: a, choices: [{id: b}]}",
        "hoi: {text: a, choices: [{id: b, label: 5}]}",
        "hoi: {text: a, choices: [{id: b, label: ''}]}",
        "hoi: {text: a, choices: [{id: b, label: Ja, graag}]}",
        "hoi: {text: a, links: [{label: b}]}",
        "hoi: {text: a, links: [{label: b, url: c, title: d}]}",
    ],
)
def test_a_book_that_is_wrong(tmp_path: Path, text: str) -> None:
    with pytest.raises(WordingError, match=r"phrases\.yml"):
        made(tmp_path, text)


def test_every_shipped_phrase_can_be_said(book: Wording) -> None:
    for key in sorted(book.keys()):
        said = book.say(key, **ARGS.get(key, {}))
        assert said.text == said.text.strip() != ""
        assert "{" not in said.text + "".join(choice.label for choice in said.choices)
        for choice in said.choices:
            assert len(choice.id.encode()) <= 64
            assert 0 < len(choice.label) <= 20, f"{key}: {choice.label} is cut on WhatsApp"
        assert len({choice.id for choice in said.choices}) == len(said.choices)
        for link in said.links:
            assert link.url.startswith("https://")


def test_every_shipped_phrase_is_said_somewhere(book: Wording) -> None:
    """Words that nobody says would be checked and translated for nothing."""
    sources = [
        *(ROOT / "bot").rglob("*.py"),
        *(ROOT / "actions").rglob("*.py"),
        *(ROOT / "nlu" / "domain").glob("*.yml"),
    ]
    said = set(re.findall(r"\w+", " ".join(path.read_text(encoding="utf-8") for path in sources)))
    said |= {f"{route}_article" for route in ("appointment", "status", "report")}
    said |= {f"kind_{kind}" for kind in Kind}
    unsaid = [key for key in sorted(book.keys()) if not key.startswith(CHECKED) and key not in said]
    assert unsaid == []


def test_what_opens_and_goes_on_with_a_list_fits_its_button(book: Wording) -> None:
    assert len(book.say("list_button").text) <= 20
    assert len(book.say("choice_more").text) <= 20


def test_residents_are_called_u(book: Wording) -> None:
    informal = re.compile(r"\b(je|jij|jou|jouw|jullie)\b", re.IGNORECASE)
    for key, entry in yaml.safe_load(BOOK.read_text(encoding="utf-8")).items():
        assert not informal.search(entry["text"]), key


def test_sentences_are_short(book: Wording) -> None:
    for key in sorted(book.keys()):
        for line in book.say(key, **ARGS.get(key, {})).text.splitlines():
            for sentence in re.split(r"(?<=[.!?])\s", line):
                words = [word for word in sentence.split() if word.strip(string.punctuation)]
                assert len(words) <= 18, f"{key}: {sentence}"


def test_the_first_words_say_that_it_is_a_computer(book: Wording) -> None:
    for key in ("welcome", "bot_challenge", "back_to_bot"):
        assert "computer" in book.say(key).text
