"""A plain text is read without the library's objects: what comes of it is the same."""

from __future__ import annotations

from typing import Any

import pytest

from connectors import telegram_parse

PERSON = {"id": 7, "is_bot": False, "first_name": "Noor", "language_code": "nl"}
PLAIN = {
    "message_id": 5,
    "from": PERSON,
    "chat": {"id": 7, "type": "private", "first_name": "Noor"},
    "date": 1_795_000_000,
    "text": "hoe vraag ik een paspoort aan",
}


def outcome(update: dict[str, Any]) -> object:
    """What is read, or that it can't be."""
    try:
        return telegram_parse.read("telegram", update)
    except Exception:  # of any kind: `Telegram.parse` takes them all alike
        return "unreadable"


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"text": "/start brief"},
        {"text": "/help"},
        {"text": "/mens nu"},
        {"text": ""},
        {"text": " a\x00b\ud800c "},
        {"text": 5},
        {"text": None},
        {"date": "vandaag"},
        {"date": -5},
        {"date": 10**20},
        {"date": 0},
        {"date": True},
        {"message_id": True},
        {"message_id": 2**70},
        {"chat": {"id": True, "type": "private"}},
        {"chat": {"id": "7", "type": "private"}},
        {"chat": {"id": 7, "type": "group", "title": "Straat"}},
        {"chat": {"id": 7}},
        {"chat": None},
        {"from": {**PERSON, "is_bot": True}},
        {"from": {"is_bot": False}},
        {"from": None},
        {"caption": "ook een tekst"},
        {"nieuw": 1},
    ],
    ids=repr,
)
@pytest.mark.parametrize("number", [9, True, "9", None], ids=repr)
def test_the_same_with_and_without_the_library(
    monkeypatch: pytest.MonkeyPatch, other: dict[str, Any], number: object
) -> None:
    update = {"update_id": number, "message": {**PLAIN, **other}}
    quick = outcome(update)
    monkeypatch.setattr(telegram_parse, "_plain", lambda *_: None)
    assert quick == outcome(update)


def test_a_plain_text_needs_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_parse, "Update", None)
    read = telegram_parse.read("telegram", {"update_id": 9, "message": PLAIN})
    assert read is not None
    assert read.text == PLAIN["text"]
