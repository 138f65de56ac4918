"""An article file: read, checked, written back the same, with messages that an editor understands."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Link
from bot.ports import Translation
from knowledge.article import (
    ASPECTS,
    LANGUAGES,
    POLICIES,
    TEXT_LIMIT,
    ArticleDraft,
    ArticleError,
    draft_hash,
    dump,
    from_json,
    parse,
    to_json,
)
from knowledge.problems import conflicts, phrasing_key, problems

FILE = """\
---
slug: paspoort-kind
title: Paspoort voor uw kind
upl:
  name: paspoort
  uri: http://standaarden.overheid.nl/owms/terms/paspoort
theme: reisdocumenten
owner: Burgerzaken
review: 2027-05-01
valid_from: 2026-01-01
valid_until: 2027-12-31
policy:
- click
- face
links:
- label: Afspraak maken
  url: '{website}/paspoort'
actions:
- appointment:paspoort
related:
- pasfoto
phrasings:
- paspoort voor mijn kind
- 'no'
- 'kosten: hoeveel?'
- '2026-01-01'
---
Neem uw kind mee. Het kost {prijs}.

- een pasfoto

## kosten
U betaalt {prijs}.

## waar
In het **gemeentehuis**.
"""

TRANSLATED = (
    FILE
    + """
# en: Passport for your child
Bring your child. It costs {prijs}.

- a photo

## kosten
You pay {prijs}.

# ar: جواز سفر لطفلك
أحضر طفلك معك.
"""
)

FACTS = {"prijs": "€ 67,05", "website": "https://www.zonneveen.example", "telefoon": "14 0999"}


def draft(**changes: object) -> ArticleDraft:
    return dataclasses.replace(parse(FILE, "paspoort-kind.md"), **changes)  # type: ignore[arg-type]


def test_a_file_is_read_whole() -> None:
    assert parse(FILE, "paspoort-kind.md") == ArticleDraft(
        slug="paspoort-kind",
        title="Paspoort voor uw kind",
        upl_name="paspoort",
        upl_uri="http://standaarden.overheid.nl/owms/terms/paspoort",
        theme="reisdocumenten",
        owner="Burgerzaken",
        review=date(2027, 5, 1),
        valid_from=date(2026, 1, 1),
        valid_until=date(2027, 12, 31),
        policy=("click", "face"),
        links=(Link("Afspraak maken", "{website}/paspoort"),),
        actions=("appointment:paspoort",),
        related=("pasfoto",),
        phrasings=("paspoort voor mijn kind", "no", "kosten: hoeveel?", "2026-01-01"),
        answer="Neem uw kind mee. Het kost {prijs}.\n\n- een pasfoto",
        aspects={"kosten": "U betaalt {prijs}.", "waar": "In het **gemeentehuis**."},
    )


def test_reading_and_writing_gives_the_same_bytes() -> None:
    assert dump(parse(FILE, "paspoort-kind.md")) == FILE


def test_translations_are_read_and_written_the_same() -> None:
    article = parse(TRANSLATED, "paspoort-kind.md")
    assert article.translations == {
        "en": Translation(
            "Passport for your child",
            "Bring your child. It costs {prijs}.\n\n- a photo",
            {"kosten": "You pay {prijs}."},
        ),
        "ar": Translation("جواز سفر لطفلك", "أحضر طفلك معك."),
    }
    assert dataclasses.replace(article, translations={}) == draft()
    assert dump(article) == TRANSLATED
    assert problems(article, FACTS) == []


def test_languages_are_written_in_the_fixed_order() -> None:
    swapped = TRANSLATED.replace("# en:", "# uk:")
    assert [code for code, _ in parse(swapped, "x.md").translated()] == ["ar", "uk"]


def test_an_article_without_translations_has_the_json_it_always_had() -> None:
    assert "translations" not in to_json(draft())
    assert from_json(to_json(draft())).translations == {}


def test_line_ends_and_a_byte_order_mark_of_another_system_are_taken() -> None:
    assert parse("\ufeff" + FILE.replace("\n", "\r\n"), "x.md") == parse(FILE, "x.md")


def test_aspects_are_written_in_the_fixed_order() -> None:
    swapped = FILE.replace("## kosten", "## x").replace("## waar", "## kosten").replace("## x", "## waar")
    assert [name for name, _ in parse(swapped, "x.md").texts()] == ["answer", "kosten", "waar"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("---\nslug", "slug", ["a.md, regel 1", "---"]),
        ("slug: paspoort-kind\n", "", ["'slug'", "ontbreekt"]),
        ("slug: paspoort-kind", "slug: Paspoort Kind", ["regel 2", "'slug'", "kleine letters"]),
        ("slug: paspoort-kind", f"slug: {'a' * 57}", ["regel 2", "te lang"]),
        ("title: Paspoort voor uw kind", "title:", ["regel 3", "'title'", "leeg"]),
        ("title: Paspoort voor uw kind", "title: [a, b]", ["regel 3", "hier hoort een tekst"]),
        ("  name: paspoort\n", "", ["regel 4", "'upl'", "name en uri"]),
        ("  uri: http", "  uri: ftp", ["regel 4", "'upl'", "http://"]),
        ("theme:", "thema:", ["regel 7", "'thema'", "bestaat niet", "theme"]),
        ("review: 2027-05-01", "review: 1 mei 2027", ["regel 9", "'review'", "2027-05-01"]),
        ("valid_until: 2027-12-31", "valid_until: 2025-12-31", ["regel 11", "'valid_until'", "valid_from"]),
        ("- click", "- fax", ["regel 12", "'policy'", "'fax'", "click, call, face"]),
        ("- click", "- face", ["regel 12", "'policy'", "één keer"]),
        ("policy:\n- click\n- face", "policy: []", ["regel 12", "'policy'", "leeg"]),
        ("policy:\n- click\n- face", "policy: click", ["regel 12", "lijst"]),
        ("label: Afspraak maken", "label:", ["regel 15", "'links'", "label"]),
        ("'{website}/paspoort'", "javascript:alert(1)", ["regel 15", "'links'", "https://"]),
        ("'{website}/paspoort'", "'{website}.evil.example'", ["regel 15", "'links'", "https://"]),
        ("appointment:paspoort", "appointment:Pas", ["regel 18", "'actions'", "appointment:<product>"]),
        ("- pasfoto\nphrasings", "- paspoort-kind\nphrasings", ["regel 20", "'related'", "ander artikel"]),
        ("phrasings:", "phrasings: &x [*x]\nrest:", ["regel 22", "onleesbaar"]),
        ("phrasings:", f"phrasings: {'[' * 5000}\nrest:", ["onleesbaar"]),
        ("phrasings:", "title: nog een\nphrasings:", ["regel 22", "'title'", "twee keer"]),
        ("- 'kosten: hoeveel?'", "- kosten: hoeveel?", ["regel 22", "'phrasings'", "hier hoort een tekst"]),
        ("- 'kosten: hoeveel?'", "- 'kosten", ["regel", "onleesbaar", "aanhalingstekens"]),
        ("- 'no'", "- \x00", ["regel 24", "onleesbaar"]),
        ("- 'no'", '- "a\\nb"', ["regel 22", "'phrasings'", "één regel"]),
        ("- 'no'", '- "a\\0b"', ["regel 22", "'phrasings'", "onzichtbaar teken"]),
        ("Neem uw", "Neem\x07uw", ["regel 28", "'answer'", "onzichtbaar teken"]),
        ("Neem uw kind mee. Het kost {prijs}.\n\n- een pasfoto\n", "", ["regel 28", "'answer'", "leeg"]),
        ("- een pasfoto", "# een pasfoto", ["regel 28", "'answer'", "#"]),
        ("- een pasfoto", "### een pasfoto", ["regel 30", "bestaat niet"]),
        ("## kosten", "## prijs", ["regel 32", "'prijs'", "bestaat niet", "kosten"]),
        ("## waar", "## kosten", ["regel 35", "'kosten'", "twee keer"]),
        ("U betaalt {prijs}.", "", ["regel 32", "'kosten'", "leeg"]),
        ("# en:", "# xx:", ["regel 38", "'xx'", "bestaat niet", "en, de, pl, tr, ar, uk"]),
        ("# ar:", "# en:", ["regel 46", "'en'", "twee keer"]),
        ("# en: Passport for your child", "# en:", ["regel 38", "'en'", "titel is leeg"]),
        ("أحضر طفلك معك.", "", ["regel 47", "'ar, answer'", "leeg"]),
        ("- a photo", "# a photo", ["regel 39", "'en, answer'", "#"]),
        ("## kosten\nYou", "## price\nYou", ["regel 43", "'en, price'", "bestaat niet", "kosten"]),
        ("You pay {prijs}.", "", ["regel 43", "'en, kosten'", "leeg"]),
        ("policy:", "translations: {}\npolicy:", ["regel 12", "'translations'", "tweede regel ---"]),
    ],
)
def test_what_is_wrong_is_said_with_its_place(old: str, new: str, expected: list[str]) -> None:
    assert old in TRANSLATED
    with pytest.raises(ArticleError) as caught:
        parse(TRANSLATED.replace(old, new, 1), "a.md")
    for words in ("a.md", *expected):
        assert words in str(caught.value)


def test_a_good_article_has_no_problems() -> None:
    assert problems(draft(), FACTS) == []


def test_the_length_counts_with_the_variables_filled_in() -> None:
    text = "x" * (TEXT_LIMIT - len(FACTS["prijs"])) + "{prijs}"
    assert problems(draft(answer=text), FACTS) == []
    assert problems(draft(answer=text + "x"), FACTS) == ["answer: 601 tekens; maak de tekst 1 tekens korter."]
    assert problems(draft(aspects={"duur": "x" * 700}), FACTS) == [
        "duur: 700 tekens; maak de tekst 100 tekens korter."
    ]


def test_an_unknown_variable_is_named_with_the_nearest_one() -> None:
    assert problems(draft(answer="Bel {telefon}."), FACTS) == [
        "answer: de variabele {telefon} bestaat niet; bedoelt u {telefoon}?"
    ]
    [found] = problems(draft(links=(Link("Kaart", "https://kaart.example/{zzz}"),)), FACTS)
    assert found.startswith("links: de variabele {zzz} bestaat niet; voeg haar toe")


def test_a_brace_that_is_no_variable_is_a_problem() -> None:
    [found] = problems(draft(answer="Bel { telefoon }."), FACTS)
    assert "losse accolade" in found
    [found] = problems(draft(phrasings=("waar is {gemeente}",)), FACTS)
    assert "accolade" in found


def test_empty_and_double_phrasings_are_problems() -> None:
    found = problems(draft(phrasings=("", "?!", "Paspoort kind", "paspoort  KIND?")), FACTS)
    assert [text.split(";")[0] for text in found] == [
        "phrasings: er staat een lege vraag in de lijst",
        "phrasings: er staat een lege vraag in de lijst",
        "phrasings: 'paspoort  KIND?' staat er twee keer in",
    ]


def test_a_translation_is_judged_like_the_dutch() -> None:
    made = Translation("Bring {naam}", "x" * 601, {"duur": "{telefon}"})
    assert problems(draft(translations={"en": made}), FACTS) == [
        "en, duur: de variabele {telefon} bestaat niet; bedoelt u {telefoon}?",
        "en: de variabele {naam} bestaat niet; voeg haar toe aan de gegevens van de gemeente.",
        "en, answer: 601 tekens; maak de tekst 1 tekens korter.",
        "en, duur: dit deel staat niet in het Nederlands; schrijf het daar ook.",
    ]


def test_conflicts_between_articles() -> None:
    photo = draft(slug="pasfoto", related=("rijbewijs",), phrasings=("Paspoort voor mijn kind?",))
    assert conflicts([draft(), photo]) == [
        "pasfoto: 'Paspoort voor mijn kind?' staat ook bij paspoort-kind; kies waar de vraag hoort.",
        "pasfoto: verwant artikel rijbewijs bestaat niet; haal het weg.",
    ]
    assert conflicts([draft(related=()), draft(related=())]) == [
        "paspoort-kind: deze slug komt twee keer voor; kies een andere."
    ]
    assert conflicts([draft(), draft(slug="pasfoto", related=(), phrasings=("pasfoto",))]) == []


def test_a_phrasing_is_its_words() -> None:
    assert phrasing_key("Waar is m'n  CAFÉ?!") == phrasing_key("waar is m’n cafe")


def test_the_fingerprint_follows_the_contents() -> None:
    assert draft_hash(draft()) == draft_hash(parse(FILE, "other-name.md"))
    assert draft_hash(draft()) != draft_hash(draft(answer="Iets anders."))
    assert len(draft_hash(draft())) == 64


@pytest.mark.parametrize(
    "text",
    [
        *("", "nee", "[]", "null", "{}", '{"slug": 1}'),
        to_json(draft())[:-1] + ',"x":1}',
        to_json(draft())[:-1] + ',"translations":{"en":{"title":"x"}}}',
        to_json(draft())[:-1] + ',"translations":[]}',
    ],
)
def test_json_that_is_no_article_is_refused(text: str) -> None:
    with pytest.raises(ArticleError):
        from_json(text)


def visible(*more: str) -> st.SearchStrategy[str]:
    return st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters=more)


LINES = st.text(visible(), max_size=30).map(str.strip)
FULL_LINES = LINES.filter(bool)
TEXTS = (
    st.lists(st.text(visible(), max_size=20), min_size=1, max_size=4)
    .map(lambda lines: "\n".join(lines).strip())
    .filter(lambda text: text and not any(line.startswith("#") for line in text.split("\n")))
)
SLUGS = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
URLS = st.builds(
    lambda start, rest: start + rest,
    st.sampled_from(["https://a.example/", "http://b.example/", "{website}/", "{website}?"]),
    st.text(visible(), max_size=10).filter(lambda text: not any(char.isspace() for char in text)),
)
LATER = st.dates(date(2020, 1, 1))
DRAFTS = st.builds(
    ArticleDraft,
    slug=SLUGS.map(lambda slug: f"a-{slug}"),
    title=FULL_LINES,
    upl_name=FULL_LINES,
    upl_uri=st.just("http://standaarden.overheid.nl/owms/terms/paspoort"),
    theme=FULL_LINES,
    owner=FULL_LINES,
    review=st.dates(),
    answer=TEXTS,
    policy=st.lists(st.sampled_from(POLICIES), min_size=1, unique=True).map(tuple),
    phrasings=st.lists(LINES, max_size=4).map(tuple),
    aspects=st.dictionaries(st.sampled_from(ASPECTS), TEXTS),
    links=st.lists(st.builds(Link, FULL_LINES, URLS), max_size=2).map(tuple),
    actions=st.lists(st.sampled_from(["status", "report", "appointment:id-kaart"]), max_size=2).map(tuple),
    related=st.lists(SLUGS.map(lambda slug: f"b-{slug}"), max_size=2).map(tuple),
    valid_from=st.none() | st.dates(max_value=date(2019, 12, 31)),
    valid_until=st.none() | LATER,
    translations=st.dictionaries(
        st.sampled_from(LANGUAGES),
        st.builds(
            Translation, FULL_LINES, TEXTS, st.dictionaries(st.sampled_from(ASPECTS), TEXTS, max_size=2)
        ),
        max_size=2,
    ),
)


@settings(deadline=None)
@given(DRAFTS)
def test_every_article_survives_its_file(article: ArticleDraft) -> None:
    text = dump(article)
    assert parse(text, "x.md") == article
    assert dump(parse(text, "x.md")) == text
    assert text.encode().decode() == text


@settings(deadline=None)
@given(DRAFTS)
def test_every_article_survives_json(article: ArticleDraft) -> None:
    assert from_json(to_json(article)) == article
    assert to_json(from_json(to_json(article))) == to_json(article)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_an_article_or_an_article_error(text: str) -> None:
    for attempt in (text, f"---\n{text}\n---\n{text}", FILE.replace("pasfoto", text)):
        try:
            article = parse(attempt, "x.md")
        except ArticleError:
            continue
        assert parse(dump(article), "x.md") == article
