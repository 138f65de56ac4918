"""One message as the form of appointments hears it, and what it wants of an appointment that is there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from actions.appointments.draft import CANCEL, MOVE, SHOW

_MODES = (
    (
        MOVE,
        r"\b(verzet\w*|verplaats\w*|verschui\w*|wijzig\w*|verander\w*|reschedule|move)\b"
        r"|\b(andere?|nieuwe) (tijd|dag|datum)\b|\bzetten\b.*\bafspraak\b.*\bnaar\b"
        r"|\bafspraak\b.*\b(eerder|later|naar (een )?andere?)\b"
        r"|\bkan (dan |die dag |helaas )?niet (komen|op)\b.*\bander",
    ),
    (
        CANCEL,
        r"\b(af ?zeg\w*|zeg\b.*\baf|afgezegd|annuleer\w*|annuleren|annulering|cancel\w*|schrap\w*|verwijder\w*)\b"
        r"|\bhaal\b.*\bweg\b|\b(kan|kom|ga) (\w+ ){0,3}niet( door| komen| meer)?\b"
        r"|\b(niet doorgaan|gaat niet door|can't make it)\b",
    ),
    (
        SHOW,
        r"\b(wanneer|hoe laat|waar|welke (dag|tijd|datum)) (is|was|heb ik|staat|moet ik).*\b(mijn|m'n|me|die|een)"
        r" afspraak\b|\b(tijd|datum|bevestiging|gegevens) van (mijn|m'n|de) afspraak\b"
        r"|\bmijn afspraak (bekijken|opzoeken|checken)\b|\bheb ik (al |nog )?een afspraak\b"
        r"|\bwhen is my appointment\b",
    ),
)
OUTRIGHT = re.compile(r"\b(afspra(ak|ken)|appointment)\b", re.IGNORECASE)
"""An appointment is named."""

_COMING = re.compile(
    r"\b(ik kom|we komen|wij komen|ik ben er|ik zal er zijn|i will be there|i'm coming)\b", re.IGNORECASE
)


@dataclass(slots=True)
class Heard:
    """One message, with what must be known to read it."""

    text: str
    intent: str
    value: str
    conversation_id: str
    turn: str
    now: datetime
    article: str | None = None


def mode(text: str) -> str | None:
    """What is to be done with an appointment that is there: move, cancel or show it; None where a new one is meant."""
    return next((name for name, words in _MODES if re.search(words, text, re.IGNORECASE)), None)


def coming(text: str) -> bool:
    """Whether somebody says that they will come."""
    return _COMING.search(text) is not None and mode(text) is None
