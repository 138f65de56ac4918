"""What must not be kept of a resident's words, and is taken out of them before they are stored.

- A citizen service number (BSN), wherever it is typed. It is 9 digits, or 8 where it begins with a zero, and passes the
  eleven test: 9 times the first digit, 8 times the second, ... minus the last is a multiple of 11 (Wet algemene
  bepalingen burgerservicenummer). One in eleven numbers passes by chance, so what is known to be another
  number stays: one that follows such a word (`zaak 123456782`), part of a longer number or word, a date, a telephone
  number.
- The second fact with which somebody asks how a request stands: an address or a date of birth.
"""

from __future__ import annotations

import re

BSN = "[BSN weggehaald]"
"""What stands in place of a BSN. The bot, agents and the transcript see this."""

FACT = "[niet bewaard]"
"""What stands in place of an address or a date of birth that was given as proof."""

_NUMBER = re.compile(
    r"(?<![\w@/+-])(?<!\d[.,])(?:\d{9}|\d{8}|\d{3}[ .]\d{3}[ .]\d{3}|\d{4}[ .]\d{2}[ .]\d{3}|\d{2}[ .]\d{3}[ .]\d{3})"
    r"(?![\w@/-]|[.,]\d)"
)
_OTHER = re.compile(
    r"\b(?:(?:tel|bel)\b|(?:zaak|kenmerk|referentie|dossier|meldings?|factuur|klant|debiteur|aanvraag|aanslag|order|bestel|kvk|rsin|"
    r"telefoon|mobiel|case|reference|phone)[\w-]*)"
    r"(?:[\s:.#=]+(?:is|nr|nummer|no|op))*[\s:.#=]*$|(?:\+|\b00)\d{1,3}[ .-]?$|\b0\d{1,3}[ -]$|(?<!\w)#$",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"\b(?:bsn|burger ?service ?nummer|burgernummer|sofi ?-?nummer|sofi)(?:[ \t]?(?:nr|nummer))?"
    r"(?:[\s:.=-]+(?:is|van|mij|mijn|mij is))*[\s:.=-]*$",
    re.IGNORECASE,
)
_SAID_NUMBER = re.compile(r"(?<!\d)\d(?:[ .-]?\d){7,8}(?!\d)")
_NEXT_TO = re.compile(r"(?<!\d)\d+[ ]$"), re.compile(r"^ \d")
_POSTCODE = r"[1-9]\d{3}[ \t]?[A-Za-z]{2}\b"
_FACTS = re.compile(
    rf"\b{_POSTCODE}(?:[ ,\t]*(?:huis)?(?:nummer|nr)?\.?[ :\t]*\d{{1,5}}(?:-?[A-Za-z0-9]{{1,4}})?\b)?"
    r"|\b\d{1,2}[ ./-]\d{1,2}[ ./-](?:19|20)?\d{2}\b|\b(?:19|20)\d\d[ ./-]\d{1,2}[ ./-]\d{1,2}\b|\b\d{8}\b"
    r"|\b\d{1,2}e? (?:jan|feb|maa?r|apr|mei|jun|jul|aug|sep|okt|nov|dec)[a-z]*\.? (?:19|20)?\d{2}\b",
    re.IGNORECASE,
)


def mask_bsn(text: str) -> str:
    """The text without any BSN in it."""
    if not any(character.isdigit() for character in text):
        return text
    text = _SAID_NUMBER.sub(lambda match: BSN if _SAID.search(text[: match.start()]) else match[0], text)
    return _NUMBER.sub(lambda match: BSN if _is_bsn(text, match) else match[0], text)


def has_bsn(text: str) -> bool:
    """Whether a BSN was taken out of the text."""
    return BSN in text


def conceal(text: str, parts: list[str]) -> str:
    """The text without these parts of it, nor anything else in it that is an address or a date."""
    for part in sorted(filter(None, parts), key=len, reverse=True):
        text = text.replace(part, FACT)
    return _FACTS.sub(FACT, text)


def passes(digits: str) -> bool:
    """The eleven test of a BSN, of 8 or 9 digits."""
    number = digits.zfill(9)
    total = sum(weight * int(digit) for weight, digit in zip(range(9, 1, -1), number[:8], strict=True))
    return len(number) == 9 and int(number) > 0 and (total - int(number[8])) % 11 == 0


def _is_bsn(text: str, match: re.Match[str]) -> bool:
    digits = re.sub(r"\D", "", match[0])
    before, after = text[: match.start()], text[match.end() :]
    if not passes(digits) or _OTHER.search(before):
        return False
    # Eight digits are more often something else: a date, or a part of a longer row of digits.
    return len(digits) == 9 or not (
        _is_date(digits) or _NEXT_TO[0].search(before) or _NEXT_TO[1].search(after)
    )


def _is_date(digits: str) -> bool:
    """`01021980` or `19800201`."""
    orders = ((digits[:2], digits[2:4], digits[4:]), (digits[6:], digits[4:6], digits[:4]))
    return any(
        1 <= int(day) <= 31 and 1 <= int(month) <= 12 and 1900 <= int(year) < 2100
        for day, month, year in orders
    )
