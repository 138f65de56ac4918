"""Words that work in every channel and at every moment, before any understanding is asked for."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class Keyword(StrEnum):
    """What a resident can always ask for; the values are also choice ids."""

    STOP = "stop"
    RESTART = "restart"
    HELP = "help"
    HUMAN = "human"
    BOT = "bot"


_WORDS = {
    Keyword.STOP: ("stop", "stoppen", "stop maar", "einde", "afmelden"),
    Keyword.RESTART: ("opnieuw", "opnieuw beginnen", "begin opnieuw", "nieuw gesprek", "restart", "reset"),
    Keyword.HELP: ("help", "hulp", "menu", "uitleg", "wat kan je", "wat kun je", "wat kunt u"),
    Keyword.HUMAN: ("mens", "medewerker", "mens spreken", "medewerker spreken", "een mens", "een medewerker"),
    Keyword.BOT: (
        "klaartje",
        "verder",
        "verder met klaartje",
        "ga verder met klaartje",
        "terug naar klaartje",
    ),
}
_KEYWORDS = {word: keyword for keyword, words in _WORDS.items() for word in words}
_NOISE = re.compile(r"[^\w\s]+")


def keyword(text: str, choice: str | None) -> Keyword | None:
    """The keyword that a whole message is, or None. `choice` wins over `text`; a leading slash is ignored."""
    if choice is not None:
        return Keyword(choice) if choice in set(Keyword) else None
    if len(text) > 40:
        return None
    plain = _NOISE.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
    return _KEYWORDS.get(" ".join(plain.split()))
