"""What a resident's words mean where somebody asks how a request stands: the second fact, or that there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_POSTCODE = re.compile(r"(?<!\w)([1-9]\d{3})[ \t.-]?([A-Za-z]{2})(?![A-Za-z])")
_AFTER = re.compile(
    r"[\s,;:.]*(?:(?:en|met|op|huis(?:nummer|nr)|nummer|nr|is|mijn|het|no)\b[\s.:]*)*"
    r"(\d{1,5})(?:[-/ ]?([A-Za-z]{1,4}|\d{1,4})(?!\w))?",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?<!\w)(?:huis(?:nummer|nr)|nummer|nr\.?)[\s:.]*(?:is )?(\d{1,5})([A-Za-z]{1,4})?(?!\w)", re.IGNORECASE
)
_MONTHS = ("jan", "feb", "ma[a]?r", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
_DATE = re.compile(r"(?<![\d.-])(\d{1,2})[ ./-](\d{1,2})[ ./-](\d{4}|\d{2})(?![\d-])")
_ISO = re.compile(r"(?<!\d)((?:19|20)\d\d)[ ./-](\d{1,2})[ ./-](\d{1,2})(?!\d)")
_JOINED = re.compile(r"(?<!\d)(\d{2})(\d{2})((?:19|20)\d\d)(?!\d)")
_NAMED = re.compile(
    rf"(?<!\d)(\d{{1,2}})e?[ .-]*({'|'.join(_MONTHS)})[a-z]*\.?[ ,-]*((?:19|20)\d\d|\d{{2}})(?!\d)",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"\b(?:(?:heb|weet|ken|vind|zie|herinner) (?:ik )?(?:\w+ ){0,2}(?:niet|geen)"
    r"|geen (?:nummer|zaaknummer|brief|idee|kenmerk)|(?:brief|e-?mail|nummer)\b.{0,20}\b(?:kwijt|weg(?:gegooid)?)"
    r"|niet meer)\b|^\W*(?:geen|nergens|kwijt)\W*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Given:
    """A fact that was given, as values that can stand in a command; `parts` are the words of the resident for it."""

    postcode: str = ""
    house_number: int = 0
    addition: str = ""
    birth_date: str = ""
    parts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Given()"


def given(text: str, today: date) -> Given | None:
    """The address or date of birth in a text, or None. An address needs both postcode and number."""
    return _address(text) or _birth_date(text, today)


def tries(text: str) -> bool:
    """Whether a text is meant as such a fact, though it is not whole."""
    return _POSTCODE.search(text) is not None or len(re.findall(r"\d", text)) * 2 >= max(
        1, len(re.findall(r"\w", text))
    )


def has_none(text: str) -> bool:
    """Whether the resident says not to have or know what was asked for."""
    return _NONE.search(text) is not None


def _address(text: str) -> Given | None:
    postcode = _POSTCODE.search(text)
    if postcode is None:
        return None
    code = (postcode[1] + postcode[2]).upper()
    if after := _AFTER.match(text, postcode.end()):
        return Given(
            code, int(after[1]), (after[2] or "").upper(), parts=(text[postcode.start() : after.end()],)
        )
    if before := _BEFORE.search(text):
        return Given(code, int(before[1]), (before[2] or "").upper(), parts=(postcode[0], before[0]))
    street = re.search(r"[A-Za-z]{3,}[ ]+(\d{1,5})([A-Za-z]{1,4})?[\s,]*$", text[: postcode.start()])
    if street:
        whole = text[street.start() : postcode.end()]
        return Given(code, int(street[1]), (street[2] or "").upper(), parts=(whole,))
    return None


def _birth_date(text: str, today: date) -> Given | None:
    for pattern, order in ((_ISO, (1, 2, 3)), (_DATE, (3, 2, 1)), (_JOINED, (3, 2, 1)), (_NAMED, (3, 2, 1))):
        for match in pattern.finditer(text):
            year, month, day = (match[number] for number in order)
            if found := _born(year, month, day, today):
                return Given(birth_date=found.isoformat(), parts=(match[0],))
    return None


def _born(year: str, month: str, day: str, today: date) -> date | None:
    whole = int(year) if len(year) == 4 else int(year) + (1900 if int(year) > today.year % 100 else 2000)
    number = int(month) if month.isdigit() else _month(month)
    try:
        found = date(whole, number, int(day))
    except ValueError:
        return None
    return found if date(1900, 1, 1) <= found <= today else None


def _month(name: str) -> int:
    return next(n for n, word in enumerate(_MONTHS, 1) if re.match(word, name, re.IGNORECASE))
