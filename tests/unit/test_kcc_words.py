"""How the console says things, its quick replies, and our own texts as HTML."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.desk import Outcome
from bot.model import Delivery, Owner
from bot.municipality import Municipality
from bot.quick import QuickReplies, QuickReplyError
from bot.settings import ROOT
from bot.web.kcc import words
from bot.web.markup import marked

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
VARIABLES = Municipality.load(ROOT / "knowledge" / "municipality.yml").variables


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        ({"seconds": -5}, "0:00"),
        ({"seconds": 9}, "0:09"),
        ({"minutes": 12, "seconds": 30}, "12:30"),
        ({"hours": 1, "minutes": 5}, "1 u 05 min"),
        ({"days": 2, "hours": 3}, "2 d 3 u"),
    ],
)
def test_how_long_ago(ago: dict[str, int], said: str) -> None:
    assert words.passed(NOW - timedelta(**ago), NOW) == said


@pytest.mark.parametrize(("ahead", "said"), [(-3, "0 seconden"), (1, "1 seconde"), (29.6, "29 seconden")])
def test_how_many_seconds(ahead: float, said: str) -> None:
    assert words.seconds(NOW + timedelta(seconds=ahead), NOW) == said


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        ({"minutes": -1}, "0 minuten"),
        ({"minutes": 1}, "1 minuut"),
        ({"minutes": 59}, "59 minuten"),
        ({"hours": 3, "minutes": 1}, "3 uur en 1 minuut"),
    ],
)
def test_how_long_still(ahead: dict[str, int], said: str) -> None:
    assert words.left(NOW + timedelta(**ahead), NOW) == said


def test_moments_are_those_of_amsterdam() -> None:
    assert words.clock(NOW) == "10:00"
    assert words.when(NOW - timedelta(hours=1), NOW) == "09:00"
    assert words.when(NOW - timedelta(days=2), NOW) == "21 november 10:00"
    assert words.day(NOW, NOW) == "Vandaag"
    assert words.day(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), NOW) == "Vandaag", "past midnight here"
    assert words.day(datetime(2026, 11, 22, 22, 30, tzinfo=UTC), NOW) == "Gisteren"
    assert words.date_of(datetime(2026, 11, 22, 23, 30, tzinfo=UTC)) == "2026-11-23"
    assert words.day(NOW - timedelta(days=9), NOW) == "zaterdag 14 november 2026"


def test_every_state_has_its_words() -> None:
    assert set(words.OUTCOMES) == set(Outcome)
    assert set(words.DELIVERIES) == set(Delivery)
    assert set(words.OWNERS) == set(Owner)


@pytest.mark.parametrize(
    ("name", "said"),
    [("webchat", "Website"), ("whatsapp", "WhatsApp"), ("whatsapp-sociaal", "WhatsApp sociaal"), ("x", "x")],
)
def test_channels(name: str, said: str) -> None:
    assert words.channel(name) == said


def test_sizes() -> None:
    assert [words.size(count) for count in (None, 10, 345_600, 3_440_000)] == ["", "1 kB", "346 kB", "3,4 MB"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("een\ntwee", '<p class="nl-paragraph">een<br>twee</p>'),
        ("a **b** c", '<p class="nl-paragraph">a <strong>b</strong> c</p>'),
        ("**<b>**", '<p class="nl-paragraph"><strong>&lt;b&gt;</strong></p>'),
        ("x\n\n- <i>\n- j", None),
        ("", '<p class="nl-paragraph"></p>'),
    ],
)
def test_our_own_markup(text: str, html: str | None) -> None:
    made = str(marked(text))
    if html is None:
        assert made.count("<li") == 2 and "<i>" not in made and made.startswith("<p")
    else:
        assert made == html


def test_the_shipped_quick_replies_can_be_said() -> None:
    replies = QuickReplies.load(ROOT / "knowledge" / "quick_replies.yml", VARIABLES).for_agent("Els {naam}")
    assert len(replies) >= 8
    assert "Els {naam} van de gemeente Zonneveen" in replies[0].text
    assert len({one.title for one in replies}) == len(replies)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: b", "must be a list"),
        ("- {title: x}", "reply 1: needs a title and a text"),
        ("- {title: x, text: y, more: z}", "reply 1"),
        ("- {title: x, text: 7}", "must be words"),
        ("- {title: x, text: ''}", "must be words"),
        ("- {title: x, text: 'Kom naar {nergens}'}", "no variable 'nergens'"),
        ("- [", "quick.yml"),
    ],
)
def test_a_file_that_is_not_right_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "quick.yml"
    file.write_text(text)
    with pytest.raises(QuickReplyError, match=told):
        QuickReplies.load(file, VARIABLES)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(QuickReplyError):
        QuickReplies.load(tmp_path / "none.yml", VARIABLES)
