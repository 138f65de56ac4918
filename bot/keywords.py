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
_ABOUT_NOTHING = """
ik wil wilt wou zou graag kan kun kunt kunnen mag moet met een de het aan voor u je jij jullie mij
me er is toch maar nu even eens gewoon echt echte levend levende liever direct meteen dan ook nog of
en via iemand mens mensen persoon medewerker medewerkster medewerkers ambtenaar collega
klantenservice servicemedewerker spreken praten spreek praat chatten bellen bel terug teruggebeld
worden gebeld doorverbinden doorverbonden verbind door geef help helpen hulp contact opnemen hebben
heb vraag vragen mogelijk van hier daar hallo hoi hey goedemorgen goedemiddag goedenavond goedendag
dag beste klaartje gemeente dank bedankt wel alsjeblieft alstublieft aub svp ja nee ok oke
"""
_EMPTY = frozenset(_ABOUT_NOTHING.split())
"""Words of a greeting, and of the wish for a person."""
_NOISE = re.compile(r"[^\w\s]+")


def keyword(text: str, choice: str | None) -> Keyword | None:
    """The keyword that a whole message is, or None. `choice` wins over `text`; a leading slash is ignored."""
    if choice is not None:
        return Keyword(choice) if choice in set(Keyword) else None
    if len(text) > 40:
        return None
    return _KEYWORDS.get(" ".join(_words(text)))


def says_nothing(text: str) -> bool:
    """Whether a message does not tell what it is about: it greets, asks for a person, or has no words at all."""
    return keyword(text, None) is not None or _EMPTY.issuperset(_words(text))


def _words(text: str) -> list[str]:
    return _NOISE.sub(" ", unicodedata.normalize("NFKC", text)).casefold().split()
