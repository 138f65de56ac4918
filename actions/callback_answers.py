"""What a resident's words mean as an answer in the callback form: a phone number, a part of the day, a yes."""

from __future__ import annotations

import re

import phonenumbers

ANY = "maakt niet uit"
LONGEST_TOPIC = 300

_DIGITS = re.compile(r"\d")
_NUMBER = re.compile(r"(?:\+|00)?\(?\d[\d\s()./\-–]{4,}\d")
_ANY = (
    r"\b(maakt? (me |mij |ons )?(helemaal )?(niet|niks|niets) uit|geen voorkeur|hele dag|elk moment|altijd( goed)?"
    r"|wanneer (u|je|jullie) wil\w*|alles is goed|beide)\b"
)
_UNSURE = re.compile(r"\b(weet (ik )?(het |dat )?(echt |nog )?niet|geen (flauw )?idee)\b", re.IGNORECASE)
_MORNING = (
    r"(ochtend|\bochtens\b|\bmorgens\b|voormiddag|voor (de )?(12|twaalf|lunch)( ?uur)?|\bvroeg\b"
    r"|\b(8|9|10|11|acht|negen|tien|elf) ?(uur|u)\b|\b(0?[89]|1[01])[:.]\d\d)"
)
_AFTERNOON = (
    r"(middag|na (de )?(12|twaalf|lunch)|einde? van de dag"
    r"|\b(12|13|14|15|16|17|twaalf|een|1|twee|2|drie|3|vier|4|vijf|5) ?(uur|u)\b|\b1[2-7][:.]\d\d)"
)
_EVENING = r"(avond|weekend|zaterdag|zondag|\bnacht|\b(18|19|20|21|22|zes|6|zeven|7) ?(uur|u)\b)"
_QUESTION = re.compile(
    r"\?\s*$|^\W*(hoe|wat|waar|waarom|wie|welke?|wanneer|kan|kunnen|mag|moet|is|zijn|heb|krijg|geldt|waarvoor)\b",
    re.IGNORECASE,
)
_CHANGES = {
    "callback_phone": r"\b(telefoon\w*|nummer|mobiel)\b",
    "callback_when": r"\b(wanneer|moment|tijd\w*|dagdeel|ochtend|middag)\b",
    "callback_topic": r"\b(onderwerp|vraag|waarover)\b",
}


def asks(text: str) -> bool:
    """Whether the words are a question, not an answer."""
    return _QUESTION.search(text) is not None


def unsure(text: str) -> bool:
    """Whether the resident does not know: no answer, and no refusal either."""
    return _UNSURE.search(text) is not None


def tries_phone(text: str) -> bool:
    """Whether the words are meant as a phone number: mostly digits, or a long row of them."""
    digits = len(_DIGITS.findall(text))
    return digits >= 6 or (digits > 0 and digits * 2 >= len(re.findall(r"\w", text)))


def phone(text: str) -> str | None:
    """The Dutch phone number in a text, as one reads it (`06 12345678`), or None."""
    for candidate in _NUMBER.findall(text) or [text]:
        try:
            number = phonenumbers.parse(candidate, "NL")
        except phonenumbers.NumberParseException:
            continue
        if number.country_code == 31 and phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return None


def part_of_day(text: str) -> str | None:
    """`ochtend`, `middag`, `avond` (which we don't do) or `maakt niet uit`; None where the words don't say."""
    if unsure(text) or re.search(_ANY, text, re.IGNORECASE):
        return ANY
    plain = re.sub(r"\bmiddags\b", "middag", text, flags=re.IGNORECASE)
    morning = re.search(_MORNING, plain, re.IGNORECASE)
    afternoon = re.search(_AFTERNOON, re.sub(_MORNING, "", plain, flags=re.IGNORECASE), re.IGNORECASE)
    if morning and afternoon:
        return ANY
    if morning:
        return "ochtend"
    if afternoon:
        return "middag"
    return "avond" if re.search(_EVENING, plain, re.IGNORECASE) else None


def topic(text: str) -> str | None:
    """The words of the resident on one line, cut to a length; None where there are none."""
    plain = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())
    return plain[:LONGEST_TOPIC] if re.search(r"\w", plain) else None


def change(text: str) -> str | None:
    """The slot that the resident wants to change, or None."""
    return next((slot for slot, words in _CHANGES.items() if re.search(words, text, re.IGNORECASE)), None)
