"""Dutch words as search sees them."""

from __future__ import annotations

import pytest
import spacy

from knowledge.calibration import rehearsal
from knowledge.index import outside_questions
from knowledge.tokens import Vocabulary, fold, lemma, ngrams, normal, tokens, words


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    articles = (
        "grofvuil ophalen parkeervergunning parkeren rijbewijs paspoort kwijt identiteitskaart id-kaart "
        "dakkapel kind bezoekers container afval boom kappen verhuizen"
    )
    return Vocabulary(tokens(articles))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hoe vraag ik een paspoort aan?", ["hoe", "vraag", "ik", "een", "paspoort", "aan"]),
        ("m’n auto's", ["mijn", "auto"]),
        ("de ID-kaart", ["de", "id", "kaart"]),
        ("o.z.b. en W.O.Z", ["ozb", "en", "woz"]),
        ("financiële hulp", ["financiële", "hulp"]),
        ("😀 ... !!", []),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_words_are_the_words_of_spacy() -> None:
    """The regular expression stands in for spaCy's Dutch tokenizer: on residents' questions it must agree."""
    dutch = spacy.blank("nl")
    questions = [*outside_questions(), *(text for _, text in rehearsal())]
    different = [
        text
        for text in questions
        if words(text) != [part for token in dutch(text) for part in words(token.text)]
    ]
    assert different == []


def test_folding_and_normal_form() -> None:
    assert fold("Financiële ÉÉN") == "financiele een"
    assert normal("  Hoe vraag ik een PASPOORT aan?? ") == normal("hoe vraag ik een paspoort aan")


def test_lemmas_and_stop_words() -> None:
    assert lemma("paspoorten") == "paspoort"
    assert lemma("verhuisd") == "verhuizen"
    assert lemma("ophalen") == "ophalen"
    assert lemma("het") is None
    assert tokens("Kunt u mij vertellen waar ik het paspoort kan ophalen?") == [
        "vertellen",
        "paspoort",
        "ophalen",
    ]


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("grofvuilophaaldienst", {"grofvuil", "ophalen"}),
        ("parkeer vergunning", {"parkeervergunning"}),
        ("identiteits kaart", {"identiteitskaart"}),
        ("idkaart", {"id", "kaarten"}),
        ("kinderpaspoort", {"kind", "paspoort"}),
        ("bomenkap", {"boom"}),
        ("afvalcontainers", {"afval", "container"}),
        ("bezoekersparkeervergunning", {"bezoeker", "parkeervergunning"}),
        ("me rijbewys is foetsie", {"rijbewijs"}),
        ("pasport kwyt", {"paspoort", "kwijt"}),
        ("reibewijs", {"rijbewijs"}),
        ("paspoprt", {"paspoort"}),
        ("dakkappel", {"dakkapel"}),
        ("contaner", {"container"}),
    ],
)
def test_what_a_question_may_mean(vocabulary: Vocabulary, question: str, terms: set[str]) -> None:
    assert terms <= set(vocabulary.query(question))


@pytest.mark.parametrize("question", ["parkeren", "pizza", "passen", "kerk"])
def test_a_known_word_means_itself(vocabulary: Vocabulary, question: str) -> None:
    assert vocabulary.query(question) == {lemma(question): 1.0}


def test_a_mended_word_counts_less(vocabulary: Vocabulary) -> None:
    assert vocabulary.query("rijbewys")["rijbewijs"] < vocabulary.query("rijbewijs")["rijbewijs"]


def test_ngrams_mark_word_ends() -> None:
    assert ngrams("id", 3, 3) == [" id", "id "]
    assert ngrams("😀") == []


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "\0\0", "שלום", "\ud800", "'" * 5000, "a." * 5000, "-" * 9999]
)
def test_strange_text_does_no_harm(vocabulary: Vocabulary, text: str) -> None:
    assert len(vocabulary.query(text)) < 1000
