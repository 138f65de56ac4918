"""What residents say for what the articles call it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from knowledge.lexicon import FOLDER, Lexicon, LexiconError, read_lexicon, shipped
from knowledge.tokens import tokens, words

SAID = Lexicon(
    {"kwijt": ["foetsie", "Pleite"], "grijze bak": ["zwarte bak", "zwarte kliko"], "paspoort": ["pas"]}
)


def known(word: str) -> bool:
    return word in {"mijn", "is", "bak", "pas", "de"}


def test_words_are_found_however_they_are_written() -> None:
    assert SAID.tokens("Me rijbewijs is FOETSIE!!") == {"kwijt"}
    assert SAID.tokens("pléite") == {"kwijt"}
    assert SAID.tokens("wanneer komt de zwarte bak") == set(tokens("grijze bak"))
    assert SAID.tokens("zwarte sokken") == set()
    assert SAID.tokens("") == set()


def test_a_text_in_words_of_the_articles() -> None:
    assert SAID.plain("mijn pas is foetsie", known) == "mijn pas is kwijt"
    assert SAID.plain("de zwarte bak", known) == "de grijze bak"
    assert SAID.plain("Mijn pas, is de bak?", known) == "Mijn pas, is de bak?"


def test_what_the_articles_say_themselves_stays() -> None:
    assert SAID.plain("pas", known) == "pas"


def test_nothing_means_nothing() -> None:
    empty = Lexicon({"kwijt": ["", "  "]})
    assert len(empty) == 0
    assert empty.tokens("kwijt") == set()
    assert empty.plain("kwijt", known) == "kwijt"


@pytest.mark.parametrize("text", ["kwijt: [foetsie", "kwijt", "kwijt: foetsie", "- kwijt"])
def test_a_file_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "afval.yml").write_text(text, "utf-8")
    with pytest.raises(LexiconError, match=r"afval\.yml"):
        read_lexicon(tmp_path)


def test_the_shipped_one_helps() -> None:
    assert "kwijt" in shipped().tokens("me rijbewijs is foetsie")
    assert len(shipped()) > 2000


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.stem)
def test_the_shipped_files(path: Path) -> None:
    """Every entry says something, and nothing is called what it is called already."""
    data = yaml.safe_load(path.read_text("utf-8"))
    for plain, others in data.items():
        assert words(str(plain)), plain
        for other in others:
            assert words(str(other)), (plain, other)
            assert words(str(other)) != words(str(plain)), plain
