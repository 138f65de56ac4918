"""The plain-language check, rule by rule: what it finds, and what it leaves alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.plain import Finding, check
from knowledge.plain.lists import abbreviations, glossary, officialese
from knowledge.plain.text import sentences
from knowledge.plain.words import is_common, participle

ROOT = Path(__file__).parents[2]
PAIRS = yaml.safe_load((ROOT / "tests" / "fixtures" / "plain" / "pairs.yml").read_text(encoding="utf-8"))


def found(text: str, kind: str) -> list[str]:
    """The stretches of the text that a rule points at."""
    lines = text.split("\n")
    return [
        "\n".join(lines[one.line - 1 :])[one.column - 1 :][: one.length]
        for one in check(text).findings
        if one.kind == kind
    ]


def only(text: str, kind: str) -> Finding:
    (finding,) = (one for one in check(text).findings if one.kind == kind)
    return finding


# -- official texts and their plain versions ------------------------------------------------------------------


def test_there_are_enough_pairs() -> None:
    assert len(PAIRS) >= 40


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["onderwerp"])
def test_an_official_text_fails_and_its_plain_version_passes(pair: dict[str, str]) -> None:
    official, plain = check(pair["ambtelijk"]), check(pair["gewoon"])
    assert not official.is_b1
    assert official.score < 80
    assert plain.is_b1, plain.findings


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["onderwerp"])
def test_an_official_text_fails_for_more_than_its_long_sentences(pair: dict[str, str]) -> None:
    errors = {one.kind for one in check(pair["ambtelijk"]).findings if one.severity == "error"}
    assert errors - {"sentence", "address"}, pair["ambtelijk"]


def test_every_rule_is_needed_somewhere_in_the_pairs() -> None:
    kinds = {finding.kind for pair in PAIRS for finding in check(pair["ambtelijk"]).findings}
    assert kinds == {
        "sentence", "passive", "clauses", "officialese", "difficult", "abbreviation", "men", "negation", "address",
    }  # fmt: skip


# -- sentences ------------------------------------------------------------------------------------------------


def cut(text: str) -> list[str]:
    return [text[sentence.start : sentence.end] for sentence in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bel ons. Wij helpen u!", ["Bel ons", "Wij helpen u"]),
        ("Neem mee:\n- uw paspoort\n- een pasfoto", ["Neem mee", "uw paspoort", "een pasfoto"]),
        ("1. Log in\n2. Vul alles in", ["Log in", "Vul alles in"]),
        ("Dat kost € 12,50. Betaal bij de balie.", ["Dat kost € 12,50", "Betaal bij de balie"]),
        ("Bel 14 0999. Of mail info@zonneveen.example.", ["Bel 14 0999", "Of mail info@zonneveen.example"]),
        (
            "Kijk op www.zonneveen.nl/afval. Daar staat alles.",
            ["Kijk op www.zonneveen.nl/afval", "Daar staat alles"],
        ),
        ("Bel {telefoon}. Dat kan op {openingstijden}.", ["Bel {telefoon}", "Dat kan op {openingstijden}"]),
        ("Vraag het aan [de gemeente](https://a.nl/b?c=d). Dat is gratis.", None),
        ("Dat kan om 9.30 uur. Kom op tijd.", ["Dat kan om 9.30 uur", "Kom op tijd"]),
        ("Vraag het aan mevr. De Boer. Zij weet het.", ["Vraag het aan mevr. De Boer", "Zij weet het"]),
        ("Bij J. Jansen thuis. Daar wel.", ["Bij J. Jansen thuis", "Daar wel"]),
        ('Kies "Mijn zaken." Log dan in.', ['Kies "Mijn zaken', "Log dan in"]),
        ("Wij komen bij u\nlangs voor een gesprek.", ["Wij komen bij u\nlangs voor een gesprek"]),
        ("Titel\nDe tekst", ["Titel", "De tekst"]),
        ("**Let op:** kom op tijd.", ["Let op", "kom op tijd"]),
        ("", []),
        ("...", []),
    ],
)
def test_sentences(text: str, expected: list[str] | None) -> None:
    if expected is None:
        assert [len(sentence.words) for sentence in sentences(text)] == [5, 3]
    else:
        assert cut(text) == expected


def test_a_long_sentence() -> None:
    fifteen = "Neem uw paspoort en een foto mee naar het gemeentehuis en kom op tijd binnen."
    assert len(fifteen.split()) == 15
    assert found(fifteen, "sentence") == []
    sixteen = fifteen.replace(" binnen", " bij ons")
    assert found(sixteen, "sentence") == [sixteen.removesuffix(".")]
    finding = only(sixteen, "sentence")
    assert finding.severity == "error"
    assert "16 woorden" in finding.reason
    assert "bij ‘en’" in finding.suggestion


def test_numbers_and_variables_are_one_word_each() -> None:
    text = "Bel voor 1 mei 2026 met {telefoon} of 06 12 34 56 78 en betaal dan € 1.250,00 aan ons."
    assert [len(sentence.words) for sentence in sentences(text)] == [15]


# -- subclauses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Als u verhuist, geeft u dat door omdat wij dat moeten weten.",
        "De brief die u krijgt, komt van de dienst die dit regelt.",
        "Wij bellen u zodra wij weten of u recht heeft op hulp.",
        "U betaalt niets als u kunt bewijzen dat u weinig geld heeft.",
        "De door u gestuurde brief, waarin staat wat u wilt, is er.",
    ],
)
def test_more_than_one_subclause(text: str) -> None:
    assert len(found(text, "clauses")) == 1
    assert only(text, "clauses").severity == "error"


@pytest.mark.parametrize(
    "text",
    [
        "Als u verhuist, geeft u dat door.",
        "Bent u kwijt wie dat doet? Vraag dat als u belt.",
        "Zeg dat u haast heeft en wanneer u reist.",
        "Vertel wat het is, waar het was en wanneer.",
        "Dat mag alleen als de wet dat zegt.",
        "Vraag eerst wat die betaalt.",
        "Laat die ouder het formulier tekenen als dat kan.",
        "Doe dat zo snel als u kunt, want dat helpt.",
        "U betaalt net zoveel als de buren, dat is eerlijk.",
        "Kies de ochtend of de middag als u kunt.",
        "Als eigenaar mag u dat doen, dat is zo.",
        "Kom naar ons om uw paspoort op te halen als het er is.",
    ],
)
def test_one_subclause_is_fine(text: str) -> None:
    assert found(text, "clauses") == []


# -- the passive ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Uw aanvraag wordt behandeld.", "wordt behandeld"),
        ("Het afval wordt elke week opgehaald.", "wordt elke week opgehaald"),
        ("De brief werd gisteren verstuurd.", "werd gisteren verstuurd"),
        ("U hoort het als uw aanvraag goedgekeurd wordt.", "goedgekeurd wordt"),
        ("Wilt u liever gebeld worden?", "gebeld worden"),
        ("Uw aanvraag is afgewezen.", "is afgewezen"),
        ("Is uw aanvraag ontvangen?", "Is uw aanvraag ontvangen"),
        ("De boom is door de gemeente geplant.", "is door de gemeente geplant"),
        ("Uw aanvraag wordt, als dat kan, snel behandeld.", "wordt, als dat kan, snel behandeld"),
    ],
)
def test_the_passive_is_an_advice(text: str, part: str) -> None:
    assert found(text, "passive") == [part]
    assert only(text, "passive").severity == "advice"


@pytest.mark.parametrize(
    "text",
    [
        "Er wordt nog gekeken naar uw aanvraag.",
        "Soms wordt er eerst gebeld.",
        "Het formulier moet te worden ingeleverd.",
        "De kosten dienen vooraf te worden betaald.",
    ],
)
def test_the_passive_without_anybody_is_an_error(text: str) -> None:
    assert only(text, "passive").severity == "error"


@pytest.mark.parametrize(
    "text",
    [
        "Uw paspoort is 10 jaar geldig.",
        "Bent u in Nederland geboren?",
        "Uw kind wordt in mei geboren.",
        "U bent getrouwd of gescheiden.",
        "Wij zijn maandag gesloten.",
        "U bent verhuisd naar een ander huis.",
        "Zijn brief is gekomen.",
        "U wordt morgen 18 jaar.",
        "Het wordt volgend jaar duurder.",
        "Wordt u bedreigd? Bel 112.",
        "U wordt lid en ontvangt elke maand een brief.",
        "Word mantelzorger van de gemeente.",
        "Dat is een bepaald bedrag.",
        "Wij hebben uw brief ontvangen.",
        "Uw fiets is gestolen.",
        "Wordt u dit jaar gepensioneerd?",
        "Zij is door een ongeluk overleden.",
        "Wat voor brief is dat?",
        "U bent verplicht om dat te melden.",
        "Is alles geregeld?",
        "Dit gebouw is van de gemeente.",
    ],
)
def test_states_are_not_passive(text: str) -> None:
    assert found(text, "passive") == []


def test_the_passive_suggests_who_does_it() -> None:
    assert "wij halen … op" in only("Het afval wordt opgehaald.", "passive").suggestion
    assert "wij behandelen" in only("De vraag wordt behandeld.", "passive").suggestion


@pytest.mark.parametrize(
    ("word", "verb"),
    [
        ("opgehaald", "ophalen"), ("gegeven", "geven"), ("besloten", "besluiten"), ("gemaakt", "maken"),
        ("vastgesteld", "vaststellen"), ("geplaatst", "plaatsen"), ("gestart", "starten"), ("verkocht", "verkopen"),
        ("ontvangen", "ontvangen"), ("afgewezen", "afwijzen"), ("gedaan", "doen"), ("meegenomen", "meenemen"),
        ("ondertekend", "ondertekenen"), ("onderzocht", "onderzoeken"),
        ("ontvangt", None), ("gebeurt", None), ("verhuist", None), ("geld", None), ("gemeente", None),
        ("gezicht", None),
        ("mensen", None), ("verhuizen", None), ("beter", None), ("gesprekken", None), ("geen", None), ("geldig", None),
    ],
)  # fmt: skip
def test_participles(word: str, verb: str | None) -> None:
    assert participle(word) == verb


# -- official words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "part", "plain"),
    [
        ("Wij bellen u derhalve terug.", "derhalve", "daarom"),
        ("Wij hebben dit reeds gedaan.", "reeds", "al"),
        ("De benodigde papieren zijn er.", "benodigde", "nodig"),
        ("U dient te betalen.", "dient", "moeten"),
        ("Wij verstrekten u een pas.", "verstrekten", "geven"),
        ("Met betrekking tot uw huis bellen wij.", "Met betrekking tot", "over"),
        ("Wij delen u dit mede.", "delen", "vertellen"),
        ("Wij hopen u dit mede te delen.", "delen", "vertellen"),
        ("Dit geschiedt morgen.", "geschiedt", "gebeuren"),
        ("Voornoemde brief is zoek.", "Voornoemde", "dit"),
        ("Dit is toegekend aan u.", "toegekend", "geven"),
    ],
)
def test_official_words(text: str, part: str, plain: str) -> None:
    assert found(text, "officialese") == [part]
    assert f"‘{plain}’" in only(text, "officialese").suggestion


@pytest.mark.parametrize(
    "text",
    [
        "Leg uit waar het over gaat.",
        "Welke papieren neem ik mee?",
        "Stuur uw klacht op tijd in.",
        "Een Verklaring Omtrent het Gedrag vraagt u aan.",
        "U deelt de kosten met uw partner.",
        "Half acht is prima.",
        "Wij werken met één dienst.",
        "Wij vinden het een goede plaats.",
    ],
)
def test_words_that_look_official(text: str) -> None:
    assert found(text, "officialese") == []


def test_a_replacement_fits_where_the_word_stood() -> None:
    text = "Tevens krijgt u korting."
    finding = only(text, "officialese")
    assert finding.replacement == "Ook"
    assert text[: finding.column - 1] + finding.replacement + text[finding.column - 1 + finding.length :] == (
        "Ook krijgt u korting."
    )
    assert only("Wij verstrekken een pas.", "officialese").replacement is None  # its form must be made


def test_a_mild_word_alone_does_not_keep_a_text_from_b1() -> None:
    text = "U kunt uw klacht online indienen. Dat is gratis. Wij bellen u daarna binnen een week terug."
    assert only(text, "officialese").severity == "advice"
    assert check(text).is_b1


def test_the_list_is_long_and_tells_its_sources() -> None:
    listed = officialese()
    terms = [term for entries in listed.phrases.values() for _, term in entries] + list(listed.verbs.values())
    assert len(terms) >= 250
    assert all(re.search(r", (https://|knowledge/plain/)", term.source) for term in terms)
    for term in terms:
        for plain in term.plain:
            hard = [one for one in check(plain, whole=False).findings if one.severity == "error"]
            assert not hard, (term, hard)


# -- difficult words and abbreviations ------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["apodictisch", "prolegomena", "fiduciair", "subsidiariteit", "usufructus"])
def test_rare_words_are_difficult(word: str) -> None:
    assert found(f"Dit is {word} voor u.", "difficult") == [word]
    assert only(f"Dit is {word} voor u.", "difficult").severity == "advice"


@pytest.mark.parametrize(
    "word",
    [
        "omgevingsvergunning", "paspoorten", "afvalkalender", "bankafschriften", "verkoopprijzen", "huurcontract",
        "papierbak", "ophaaldag", "foto's", "WOZ-waarde", "DigiD", "gehandicaptenparkeerkaarten", "opa's", "A4-papier",
        "kindje", "buurvrouw", "keukenkastje", "e-mailadres",
    ],
)  # fmt: skip
def test_known_words_and_compounds_are_not(word: str) -> None:
    assert found(f"Dit is een {word} voor u.", "difficult") == []


def test_names_and_explained_words_are_not_difficult() -> None:
    assert found("Ga naar het Zwanenbroek in Hardinxveld.", "difficult") == []
    assert found("Usufructia is mooi. Ga naar Usufructia.", "difficult") == []
    assert found("Usufructia is mooi.", "difficult") == ["Usufructia"]
    assert found("Dat heet usufructus.", "difficult") == []
    assert found("Vraag om een voorlopige voorziening.", "difficult") == []
    assert found("Kijk op usufructus.nl of {usufructus}.", "difficult") == []


def test_a_very_long_word() -> None:
    assert found("Dit is de schuldhulpverleningsovereenkomst.", "difficult") == [
        "schuldhulpverleningsovereenkomst"
    ]


@pytest.mark.parametrize(
    ("text", "part", "full"),
    [
        ("Dit kan o.a. online.", "o.a.", "zoals"),
        ("Bel i.v.m. uw vraag.", "i.v.m.", "door"),
        ("Dit kan bijv. morgen.", "bijv.", "bijvoorbeeld"),
        ("Open van maandag t/m vrijdag.", "t/m", "tot en met"),
        ("Dat kan dmv een brief.", "dmv", "met"),
        ("Dit is incl. btw.", "incl.", "met"),
    ],
)
def test_abbreviations(text: str, part: str, full: str) -> None:
    assert found(text, "abbreviation") == [part]
    assert only(text, "abbreviation").replacement == full
    assert only(text, "abbreviation").severity == "error"


def test_capitals_must_be_explained() -> None:
    assert found("Vraag het de BGHU.", "abbreviation") == ["BGHU"]
    for text in (
        "Vraag het de Belastingsamenwerking (BGHU). De BGHU belt u.",
        "De BGHU (onze belastingdienst) belt u.",
        "BGHU betekent: het kantoor voor belastingen.",
        "Log in met DigiD en houd uw BSN klaar.",
    ):
        assert found(text, "abbreviation") == [], text


@pytest.mark.parametrize(
    "text", ["Dat is nr 1.", "De min is koud.", "Kom om 9.30 uur.", "Bel nu.", "Ga naar u.n.i."]
)
def test_what_is_no_abbreviation(text: str) -> None:
    assert found(text, "abbreviation") == ([] if "u.n.i." not in text else ["u.n.i."])


# -- negations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("Dat is niet onmogelijk.", "error"),
        ("U krijgt nooit geen geld.", "error"),
        ("Niemand mag hier niet komen.", "error"),
        ("Dat is niet verboden.", "error"),
        ("U mag niet rijden zonder rijbewijs.", "advice"),
    ],
)
def test_double_negations(text: str, severity: str) -> None:
    assert only(text, "negation").severity == severity


@pytest.mark.parametrize(
    "text",
    [
        "U betaalt niet als u geen geld heeft.",
        "Heeft u geen paspoort of geen ID-kaart?",
        "Dat is niet online te doen.",
        "Kom niet ongeveer om 9 uur.",
        "Dat is niet onder de tafel.",
        "Niet alle mensen weten dat.",
        "Wij zijn er niet. Bel niet.",
        "Beloof niets wat u niet weet.",
        "U hoeft niets te doen en u betaalt niets.",
        "Zonder afspraak kunt u ook komen.",
    ],
)
def test_single_negations(text: str) -> None:
    assert found(text, "negation") == []


# -- how the reader is spoken to ------------------------------------------------------------------------------


def test_men() -> None:
    assert found("Men kan dit aanvragen.", "men") == ["Men"]
    assert only("Men kan dit aanvragen.", "men").replacement == "U"
    assert found("Mensen komen. De examen-datum. Samen met u.", "men") == []


def test_familiar() -> None:
    assert found("Je kunt je paspoort ophalen. Dat is jouw paspoort.", "address") == ["Je", "je", "jouw"]
    assert only("Is dat van jou?", "address").replacement == "u"
    assert found("Een biertje en een ijsje voor u.", "address") == []


def test_a_text_must_speak_to_its_reader() -> None:
    silent = "De gemeente haalt het afval op. " * 6
    assert len(found(silent, "address")) == 1
    assert found(silent + "Zet uw bak buiten.", "address") == []
    assert found(silent + "Bel de gemeente bij vragen.", "address") == []
    assert found("De gemeente haalt het afval op.", "address") == []  # too short to say


# -- the score ------------------------------------------------------------------------------------------------


def test_score_and_verdict() -> None:
    good = check("Bel ons. Wij helpen u.")
    assert (good.score, good.is_b1, good.verdict) == (100, True, "B1")
    one_error = check("Bel ons derhalve. " + "Wij helpen u graag met al uw vragen. " * 20)
    assert one_error.score >= 80
    assert (one_error.is_b1, one_error.verdict) == (False, "te moeilijk")
    advices = check("Dit is fiduciair, apodictisch en usufructus voor u.")
    assert {finding.severity for finding in advices.findings} == {"advice"}
    assert (advices.score, advices.is_b1) == (76, False)
    assert check("").score == 100


def test_reading_ease_is_flesch_douma() -> None:
    # 4 words, 1 sentence, 5 syllables (af-val): 206.835 - 0.93 * 4 - 77 * 5 / 4
    assert check("Wij halen het op.").reading_ease == pytest.approx(206.835 - 0.93 * 4 - 77 * 5 / 4, abs=0.05)
    assert check("").reading_ease is None
    assert check("€ 12 {telefoon}").reading_ease is None


# -- places ---------------------------------------------------------------------------------------------------


def test_line_and_column() -> None:
    text = "Bel ons.\n\n- Wij zijn er derhalve.\n- Men kan\n  komen."
    places = [
        (finding.kind, finding.line, finding.column, finding.length) for finding in check(text).findings
    ]
    assert places == [("officialese", 3, 15, 8), ("men", 4, 3, 3)]


TROUBLE = (
    "Men|derhalve|je|wordt|afgewezen|niet|geen|o.a.|BGHU|als u|omdat|die|dat|.|,|:|?|\n|\n- |\n\n|**|[a](https://b.nl)|"
    "{telefoon}|€ 12,50|14 0999|é|😀|e\u0301|\u00a0|\r\n|delen u mede|met betrekking tot|te worden|dient|(|)|’s|ǅ|İ"
)
PIECES = st.sampled_from(TROUBLE.split("|"))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=40).map(" ".join), st.text(max_size=200)))
def test_findings_point_into_the_text(text: str) -> None:
    report = check(text)
    lines = text.split("\n")
    for finding in report.findings:
        assert 1 <= finding.line <= len(lines)
        rest = "\n".join(lines[finding.line - 1 :])
        stretch = rest[finding.column - 1 : finding.column - 1 + finding.length]
        assert finding.column <= len(lines[finding.line - 1])
        assert len(stretch) == finding.length > 0
        assert stretch == stretch.strip()
        assert finding.reason and finding.suggestion and finding.source
    assert 0 <= report.score <= 100
    ordered = [(finding.line, finding.column) for finding in report.findings]
    assert ordered == sorted(ordered)


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=30).map(" ".join))
def test_the_same_text_gives_the_same_report(text: str) -> None:
    assert check(text) == check(text)


# -- the lists ------------------------------------------------------------------------------------------------


def test_the_glossary_explains_in_plain_words() -> None:
    for term, told in glossary().items():
        report = check(told, whole=False)
        hard = [one for one in report.findings if one.severity == "error"]
        assert not hard, (term, hard)


def test_abbreviations_are_written_out_in_plain_words() -> None:
    for short, full in abbreviations().items():
        assert not [one for one in check(full, whole=False).findings if one.kind == "abbreviation"], short


@pytest.mark.parametrize("word", ["zzxxyyww", "qwrtpsd"])
def test_nonsense_is_not_common(word: str) -> None:
    assert not is_common(word)
