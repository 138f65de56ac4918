"""Mini markup, splitting and cutting."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.markup import Marked, clean, cut, read, split, to_ansi, to_html, width


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Hoi", "Hoi"),
        ("**Hoi** u", "<b>Hoi</b> u"),
        ("a **b c** d **e**", "a <b>b c</b> d <b>e</b>"),
        ("- een\n- twee\n\nen - drie", "• een\n• twee\n\nen - drie"),
        ("5 < 6 & 7 > 3 \"'", "5 &lt; 6 &amp; 7 &gt; 3 \"'"),
        ("**<b>**", "<b>&lt;b&gt;</b>"),
        ("**niet af", "**niet af"),
        ("** geen vet **", "** geen vet **"),
        ("****", "****"),
        ("**een\ntwee**", "**een\ntwee**"),
        ("2 ** 3 ** 4", "2 ** 3 ** 4"),
        ("a\x00b\x1b[31mc\r\nd\te\ud83d", "ab[31mc\nd e"),
        ("  \n ", ""),
    ],
)
def test_reads_mini_markup(text: str, html: str) -> None:
    assert to_html(read(text)) == html


def test_ansi_is_bold_only() -> None:
    assert to_ansi(read("**een** en **\x1b[2Jtwee**")) == "\x1b[1meen\x1b[22m en \x1b[1m[2Jtwee\x1b[22m"


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("kort", 10, ["kort"]),
        ("Een zin. Nog een zin.", 21, ["Een zin. Nog een zin."]),
        ("Een zin. Nog een zin.", 20, ["Een zin. Nog een", "zin."]),
        ("Eerste zin hier. Nog een zin.", 25, ["Eerste zin hier.", "Nog een zin."]),
        ("Alinea een hier.\n\nAlinea. Twee.", 25, ["Alinea een hier.", "Alinea. Twee."]),
        ("Regel een. Ja\nRegel twee. Nee", 20, ["Regel een. Ja", "Regel twee. Nee"]),
        ("zie https://a.example/lang/pad hoor", 28, ["zie", "https://a.example/lang/pad", "hoor"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("👨‍👩‍👧👨‍👩‍👧", 10, ["👨‍👩‍👧", "👨‍👩‍👧"]),
        ("🇳🇱🇧🇪🇩🇪", 10, ["🇳🇱🇧🇪", "🇩🇪"]),
        ("abc👍🏽", 6, ["abc", "👍🏽"]),
        ("cafe\u0301", 4, ["caf", "e\u0301"]),
        ("", 4, []),
        (" \n\n ", 4, []),
    ],
)
def test_splits_where_it_hurts_least(text: str, limit: int, parts: list[str]) -> None:
    assert [part.text for part in split(Marked(text), limit)] == parts


def test_bold_that_is_split_is_bold_in_both_parts() -> None:
    parts = split(read("gewoon **heel vet en nog meer** klaar"), 20)
    assert [to_html(part) for part in parts] == ["gewoon <b>heel vet en</b>", "<b>nog meer</b> klaar"]


_PIECES = ("a b", "👨‍👩‍👧", "**x y**", "\n\n", ". ", "\u0301")


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=400) | st.lists(st.sampled_from(_PIECES)).map("".join), st.integers(2, 60))
def test_parts_fit_and_lose_only_white_space(text: str, limit: int) -> None:
    marked = read(text)
    parts = split(marked, limit)
    assert all(0 < width(part.text) <= limit for part in parts)
    assert "".join("".join(part.text for part in parts).split()) == "".join(marked.text.split())
    for part in parts:
        assert all(0 <= start < end <= len(part.text) for start, end in part.bold)
    bold = sum(len("".join(marked.text[a:b].split())) for a, b in marked.bold)
    assert bold == sum(len("".join(part.text[a:b].split())) for part in parts for a, b in part.bold)


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "**a " * 25_000, "a@" * 50_000, "https://a" * 11_000, "🇳🇱" * 25_000]
)
def test_long_nasty_text_takes_no_time(text: str) -> None:
    started = time.perf_counter()
    assert all(width(part.text) <= 4096 for part in split(read(text), 4096))
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("label", "limit", "short"),
    [
        ("Paspoort", 20, "Paspoort"),
        ("Precies twintig tekens"[:20], 20, "Precies twintig teke"),
        ("Paspoort aanvragen of verlengen", 20, "Paspoort aanvragen…"),
        ("Paspoort aanvragen, verlengen", 20, "Paspoort aanvragen…"),
        ("Paspoort - aanvragen", 12, "Paspoort…"),
        ("Gehandicaptenparkeerkaart", 20, "Gehandicaptenparkee…"),
        ("A gehandicaptenparkeerkaart", 20, "A gehandicaptenpark…"),
        ("twee\n  regels\x00", 20, "twee regels"),
        ("🇳🇱🇳🇱🇳🇱", 10, "🇳🇱🇳🇱…"),
        ("  ", 10, ""),
    ],
)
def test_cuts_labels_at_words(label: str, limit: int, short: str) -> None:
    assert cut(label, limit) == short
    assert width(short) <= limit


def test_clean_keeps_what_people_write() -> None:
    people = "Één € 👨‍👩‍👧 كيف\nregel"
    assert clean(people) == people
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", clean("".join(map(chr, range(256)))))
