"""Which language a message is in; above all, that Dutch stays Dutch however it is written."""

from __future__ import annotations

import pytest
import yaml

from actions.interpreter import LANGUAGES
from actions.language import DUTCH, LanguageDetector, load_tongues, plain
from bot.settings import ROOT
from knowledge import article

TONGUES = load_tongues()
FOREIGN = [
    tuple(line.split("\t"))
    for line in (ROOT / "tests" / "fixtures" / "languages.tsv").read_text(encoding="utf-8").splitlines()
]


@pytest.fixture(scope="module")
def detector() -> LanguageDetector:
    return LanguageDetector(TONGUES)


def test_questions_in_other_languages_are_recognised(detector: LanguageDetector) -> None:
    wrong = [(code, text) for code, text in FOREIGN if detector.detect(text) != code]
    assert wrong == []
    assert len({code for code, _ in FOREIGN}) > 8


def ours() -> list[str]:
    """All that stands in the house in residents' words; a part of it is English."""
    texts: list[str] = []
    for file in sorted((ROOT / "knowledge" / "content").glob("*.md")):
        texts += article.parse(file.read_text(encoding="utf-8"), file.name).phrasings
    for name in ("rehearsal.txt", "outside.txt"):
        lines = (ROOT / "knowledge" / name).read_text(encoding="utf-8").splitlines()
        texts += [line.split("\t")[-1] for line in lines if line and not line.startswith("#")]
    for file in sorted((ROOT / "nlu" / "data" / "nlu").glob("*.yml")):
        for part in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]:
            texts += [line.removeprefix("- ") for line in str(part.get("examples", "")).splitlines()]
    return texts


def test_misspelt_and_broad_dutch_stays_dutch(detector: LanguageDetector) -> None:
    """What is called another language than Dutch or English, of thousands of lines; all of it must really be that."""
    texts = ours()
    assert len(texts) > 5_000
    called = {text for text in texts if detector.detect(text) not in (DUTCH, "en")}
    greetings = {message for tongue in TONGUES.values() for message in tongue.said}
    assert {text for text in called if plain(text) not in greetings} == set()
    english = [text for text in texts if detector.detect(text) == "en"]
    small = {code: TONGUES[code].words - TONGUES[other].words for code, other in (("nl", "en"), ("en", "nl"))}
    said = [set(plain(text).split()) for text in english]
    assert [words for words in said if len(small["nl"] & words) >= max(1, len(small["en"] & words))] == []


@pytest.mark.parametrize(
    "text",
    [
        *("passport", "parking", "ok", "hello", "hoi", "merci", "sorry", "thanks", "bonjour", "help", "test"),
        *("ok thanks", "sorry hoor", "parking zone", "live chat", "WMO", "V.O.G.", "Jan de Vries", "moin"),
        *(
            "Mohammed El Amrani",
            "Piotr Kowalski",
            "Ayşe",
            "0612345678",
            "Hoogstraat 12",
            "👍",
            "",
            "?",
            "1234 AB",
        ),
        *(
            "ik bin mien riebewies kwiet",
            "waor is ut gemeentehuus",
            "wat kost un peespoort",
            "k weet nie wa ge bedoelt",
        ),
        *(
            "mn rijbewys is foetsie",
            "hoe laat zyn jullie ope",
            "ik wil me paspoort verlenge",
            "brp inzien",
            "kut bot",
        ),
        *(
            "mijn man komt uit Polen en heet Łukasz",
            "mag ik in het Engels: how are you",
            "whatsapp account gehackt",
        ),
    ],
)
def test_what_says_too_little_is_dutch(detector: LanguageDetector, text: str) -> None:
    assert detector.detect(text) == DUTCH


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ("en", "passport", "en"),
        ("en", "0612345678", "en"),
        ("en", "yes please", "en"),
        ("en", "en wat kost dat dan voor mijn kind", "nl"),
        ("en", "ik wil mijn rijbewijs verlengen", "nl"),
        ("pl", "ile to kosztuje", "pl"),
        ("pl", "how much does it cost", "en"),
        ("uk", "bedankt voor uw hulp", "nl"),
    ],
)
def test_a_conversation_stays_in_its_language(
    detector: LanguageDetector, before: str, text: str, expected: str
) -> None:
    assert detector.detect(text, before) == expected


def test_every_language_with_sentences_has_its_words() -> None:
    assert LANGUAGES == article.LANGUAGES
    phrases = yaml.safe_load((ROOT / "knowledge" / "phrases.yml").read_text(encoding="utf-8"))
    names = {key.removeprefix("en_") for key in phrases if key.startswith("en_")}
    assert len(names) > 12
    for language in LANGUAGES:
        assert set(TONGUES[language].said.values()) == {"greet", "thanks", "goodbye", "human"}
        assert {"kosten", "duur"} <= set(TONGUES[language].follow_up)
        assert {f"{language}_{name}" for name in names} <= set(phrases)
        labels = [
            phrases[f"{language}_{name}"]["text"] for name in names if name.startswith(("choice_", "aspect_"))
        ]
        assert max(map(len, labels)) <= 20, max(labels, key=len)


def test_greetings_of_a_language_are_greetings(detector: LanguageDetector) -> None:
    assert TONGUES["pl"].said[plain("Dzień dobry!")] == "greet"
    assert TONGUES["en"].said[plain("I want to speak to someone.")] == "human"
