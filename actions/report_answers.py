"""What a resident's words mean in a report: a place, a way to be reached, that there is none, what to change."""

from __future__ import annotations

import re

from actions import callback_answers

LONGEST_TEXT, LONGEST_PLACE = 1_000, 200
NONE = "geen"
"""The value of a slot that the resident leaves empty."""

_ENDS = (
    "straat|laan|weg|plein|kade|dijk|singel|gracht|pad|hof|steeg|dreef|park|plantsoen|markt|wal|baan|brink|boulevard"
    "|allee|ring|kanaal|haven|akker|veld|hoek|kamp|burg|oord|donk|erf|gaarde|horst"
)
_GENERIC = (
    r"(?!(?:fietspad|voetpad|wandelpad|ruiterpad|jaagpad|zandpad|bospad|tuinpad|zebrapad|snelweg|ventweg|onderweg|omweg"
    r"|rijbaan|busbaan|trambaan|zijstraat|winkelstraat|schoolplein|speelplein|parkeerplein|speelveld|sportveld"
    r"|voetbalveld|grasveld|trapveld|wandelpark|stadspark|sportpark|straathoek)\b)"
)
_NAMED = (
    r"(?:(?:van|van de|van der|prins|prinses|koning|koningin|burgemeester|burg\.|dokter|dr\.|pastoor|sint|st\."
    r"|professor|prof\.|president|graaf|jan|oude|nieuwe|lange|korte|grote|kleine|willem|jacob|piet) )*"
)
_STREET = rf"\b{_NAMED}{_GENERIC}[A-Za-zÀ-ÿ'-]{{3,}}(?:{_ENDS})\b"
_NUMBER = (
    r"(?:,? (?:(?:ter hoogte van|t\.?h\.?v\.?|tegenover|bij|voor|naast) )?(?:(?:huis)?nummer |(?:huis)?nr\.? )?"
    r"\d{1,4}(?: ?[a-zA-Z](?!\w))?(?!\w| (?:weken|week|dagen|dag|maanden|jaar|uur|meter|keer)))?"
)
_WORDED = re.compile(
    rf"(?:(?:de )?hoek (?:van )?(?:de )?\S+ (?:en|met) (?:de )?\S+)|{_STREET}{_NUMBER}", re.IGNORECASE
)
_LEADING = re.compile(
    r"^(?:de|het|een|in|op|aan|bij|langs|(?-i:van)|voor|naast|tegenover|achter|onze|mijn|naar|uit|ligt|staat"
    r"|is|en|of) ",
    re.IGNORECASE,
)
_POSTCODE = re.compile(r"\b[1-9]\d{3} ?[A-Za-z]{2}(?:[ ,]+\d{1,5}[a-zA-Z]?)?\b")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}")
_REACHED = re.compile(
    r"(?:[,;]? ?(?:en |of )?(?:(?:u|je|jullie|men) (?:kunt|kan|kunnen|mag) )?(?:(?:mij|me|ik) )?(?:ben )?"
    r"(?:(?:te )?(?:bel|bellen|mail|mailen|bereiken|bereikbaar)|(?:mijn|m'n) [\w-]+|tel\w*|nummer|e-?mail\w*)"
    r"(?: (?:me|mij|is|op|via|naar|onder))*[:.]? ?)?"
    rf"(?:{_EMAIL.pattern}|(?:\+31|\b0)[ -]?\d(?:[ -]?\d){{7,}})",
    re.IGNORECASE,
)
_BLANKS = re.compile(r" {2,}")
_NONE = re.compile(
    r"^\W*(?:nee\w*|neen|geen\b.*|niet(?: nodig)?|(?:dat )?hoeft niet.*|(?:liever )?zonder\b.*|niks|nvt|n\.v\.t\.?"
    r"|anoniem\b.*|no|nope|sla over|overslaan|liever niet.*|laat maar zitten|heb ik niet|heb (?:ik )?geen.*"
    r"|nee\W.{0,40})\W*$",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"\b(?:iets anders|anders|geen van|overig\w*|weet (?:ik )?(?:het )?niet|geen idee)\b|^\W*nee\W*$",
    re.IGNORECASE,
)
_WANTS = re.compile(
    r"\b(?:hoi|hallo|hey|dag|goede?\w*|ik|wij|we|wil|wou|zou|willen|kan|kunnen|mag|graag|even|iets|wat|een|meld\w*|doorgeven|doen|maken|hier"
    r"|klacht|probleem|over|bij|jullie|u|de|het|op|in|straat|buurt|gemeente|want|aan|mijn|onze|aangeven|problemen|report|something|i|want|to|a)\b|\W",
    re.IGNORECASE,
)
_TELLS = re.compile(
    r"^\W*(?:en |ook |daar )*(?:er|daar) (?:ligt|liggen|staat|staan|is|zijn|zit|zitten|hangt|hangen)\b", re.I
)
_CHANGES = {
    "report_place": r"\b(?:plek|plaats|locatie|adres|straat|waar)\b",
    "report_photo": r"\bfoto\w*\b",
    "report_contact": r"\b(?:telefoon\w*|nummer|mobiel|e-?mail\w*|contact\w*|gegevens)\b",
    "report_category": r"\b(?:soort|categorie|onderwerp)\b",
    "report_text": r"\b(?:tekst|omschrijving|beschrijving|melding|verhaal|wat er is)\b",
}


def cleaned(text: str, longest: int) -> str:
    """The words on one line, cut to a length; empty where there is no word in them."""
    plain = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())
    return plain[:longest] if re.search(r"[^\W\d_]{2}|\d", plain) else ""


def place(text: str) -> str | None:
    """The street (with a number, where there is one) or postcode that a message names, or None."""
    found = _WORDED.search(text)
    postcode = _POSTCODE.search(text)
    words = found[0] if found else ""
    while match := _LEADING.match(words):
        words = words[match.end() :]
    both = [words, postcode[0] if postcode and postcode[0] not in words else ""]
    return ", ".join(filter(None, both))[:LONGEST_PLACE] or None


def contact(text: str) -> str | None:
    """Telephone number and e-mail address in a text, with a comma between; None where there is neither."""
    email = _EMAIL.search(text)
    rest = text.replace(email[0], " ") if email else text
    phone = callback_answers.phone(rest) if re.search(r"\d{2}(?:[ -]?\d){6,}", rest) else None
    return ", ".join(filter(None, (phone, email[0] if email else None))) or None


def split_contact(value: str) -> tuple[str, str]:
    """Telephone number and e-mail address, each of them or empty."""
    parts = [] if value == NONE else value.split(", ")
    return (
        next((part for part in parts if "@" not in part), ""),
        next((part for part in parts if "@" in part), ""),
    )


def tries_contact(text: str) -> bool:
    """Whether words are meant as an address or number, though they are not right."""
    return "@" in text or callback_answers.tries_phone(text)


def without_contact(text: str) -> str:
    """The text without number and e-mail address, which are kept elsewhere."""
    return _BLANKS.sub(" ", _REACHED.sub(" ", text)).strip(" ,:;")


def none(text: str) -> bool:
    """Whether the resident wants to leave something out."""
    return _NONE.search(text) is not None


def other(text: str) -> bool:
    """Whether none of the choices is right, or the resident does not know."""
    return _OTHER.search(text) is not None


def change(text: str) -> str | None:
    """The slot that the resident wants to change, or None."""
    return next((slot for slot, words in _CHANGES.items() if re.search(words, text, re.IGNORECASE)), None)


def only_wants(text: str) -> bool:
    """Whether a message only says that there is something to report."""
    return not _WANTS.sub("", text)


def tells(text: str) -> bool:
    """Whether a message says what there is, rather than where."""
    return _TELLS.search(text) is not None
