"""What a message says of who comes and where: names, dates of birth, phone numbers, and short answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import phonenumbers

from actions import callback_answers as answers
from bot.model import Location

LONGEST_NAME = 60

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_MONTH = (
    r"jan(?:uari)?|feb(?:ruari)?|maart|mrt|apr(?:il)?|mei|juni?|juli?|aug(?:ustus)?|sept?(?:ember)?"
    r"|okt(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_BETWEEN = r"[ \-/.]+"
_BORN = re.compile(
    rf"(?<!\d[ \-/.])\b(\d{{1,2}})"
    rf"(?:(?:e|ste|de)?{_BETWEEN}({_MONTH})\.?{_BETWEEN}|{_BETWEEN}(\d{{1,2}})(?:[\-/.]+|[ ]+(?=\d{{4}})))"
    r"((?:19|20)\d\d|\d\d(?![ \-/.]?\d))\b",
    re.IGNORECASE,
)
_ISO = re.compile(r"\b((?:19|20)\d\d)-(\d\d)-(\d\d)\b")
_MONTHS = ("jan", "feb", "maa", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
_PHONE = re.compile(r"(?:\+|00)?\(?\d[\d\s()./\-–]{6,}\d")
_AROUND = re.compile(
    r"\b(mijn|zijn|haar|de|het|is|een)\b(?=\W+(naam|volledige|geboortedatum|telefoon\w*|nummer|mail|e-?mail\w*|mobiel\w*))"
    r"|\b((voor- en )?(achter|volledige )?naam( is)?|geboortedatum|geboren|telefoon(nummer)?|tel|nummer|mobiel"
    r"|e-?mail(adres)?|ik heet|ik ben|heet|hij heet|ze heet|zij heet|mijn (zoon|dochter|kind|baby) heet|uur)\b",
    re.IGNORECASE,
)
_SMALL = frozenset(
    [
        "is",
        "en",
        "op",
        "de",
        "het",
        "een",
        "mijn",
        "zijn",
        "haar",
        "ja",
        "nee",
        "ok",
        "oke",
        "dat",
        "dit",
        "van",
        "te",
        "in",
        "en/of",
        "graag",
        "hier",
    ]
)
_NAME = re.compile(r"[^\W\d_][^\d_@:;!?<>{}\[\]()/\\|=+*#%&]{0,59}")
_CHILD = re.compile(
    r"\b(kind(eren|je)?|zoon(tje)?|dochter(tje)?|baby|tweeling|kleinkind|kleinzoon|kleindochter|peuter|kleuter"
    r"|son|daughter|child(ren)?)\b",
    re.IGNORECASE,
)
_PEOPLE = re.compile(
    r"\bmet z'?n (twee|drie|vier|vijf)(?:ën|en|e)?\b"
    r"|\b(?:voor|met) (\d|twee|drie|vier|vijf) (?:personen|mensen|kinderen)\b",
    re.IGNORECASE,
)
_COUNT = {"twee": 2, "drie": 3, "vier": 4, "vijf": 5}


def phone(text: str) -> str | None:
    """The Dutch phone number in a text, as +31..., or None."""
    if national := answers.phone(re.sub(r"[\n,;]+", " ; ", _BORN.sub(" ; ", text))):
        number = phonenumbers.parse(national, "NL")
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return None


def national(number: str) -> str:
    """A phone number as one reads it: `06 12345678`."""
    parsed = phonenumbers.parse(number, "NL")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL))


def email(text: str) -> str | None:
    """The e-mail address in a text."""
    found = _EMAIL.search(text)
    return found[0][:255] if found else None


def birth_date(text: str, today: date) -> str | None:
    """The date of birth in a text, as ISO 8601: in the past, of somebody of at most 120 years."""
    parts = [(m[1], m[2] or m[3], m[4]) for m in _BORN.finditer(text)]
    parts += [(m[3], m[2], m[1]) for m in _ISO.finditer(text)]
    for day, month, year in parts:
        number = int(month) if month.isdigit() else _month(month)
        years = [int(year)] if len(year) == 4 else [2000 + int(year), 1900 + int(year)]
        for one in years:
            try:
                born = date(one, number, int(day))
            except ValueError:
                continue
            if born <= today and today.year - born.year <= 120:
                return born.isoformat()
    return None


def _month(words: str) -> int:
    short = "maa" if words.lower() == "mrt" else words.lower()[:3]
    return _MONTHS.index(short) + 1 if short in _MONTHS else 0


def tries_birth_date(text: str) -> bool:
    """Whether a date is in it that could be meant as one of birth."""
    return bool(_BORN.search(text) or _ISO.search(text))


def without_dates(text: str) -> str:
    """The text without dates."""
    return _ISO.sub(" ", _BORN.sub(" ", text))


def without_details(text: str, today: date) -> str:
    """The text without phone numbers, addresses for e-mail and dates of birth: what is left may be of when to come."""
    text = _EMAIL.sub(" ; ", text)
    text = _PHONE.sub(lambda found: " ; " if phone(found[0]) else found[0], text)
    for pattern in (_BORN, _ISO):
        text = pattern.sub(lambda found: " ; " if _is_past(found[0], today) else found[0], text)
    return text


def _is_past(written: str, today: date) -> bool:
    """Whether a date with its year is over; one of today is a day to come."""
    born = birth_date(written, today)
    return born is not None and born != today.isoformat()


def name(text: str) -> str | None:
    """The name that is left of a text after all else that was asked for, on one line; None where none is."""
    rest = text
    for pattern in (_EMAIL, _ISO, _BORN, _PHONE):
        rest = pattern.sub(" , ", rest)
    rest = _AROUND.sub(" , ", rest)
    for part in re.split(r"[,;\n:]+| en (?=[,\s]*$)|(?<=\s)op(?=\s*,)", rest):
        plain = " ".join(part.split()).strip(" .-–'\"")
        plain = re.sub(r"^(en|op|is|mijn|dat is|van)\s+", "", plain, flags=re.IGNORECASE)
        few = all(word in _SMALL for word in plain.lower().split())
        if not few and len(re.findall(r"[^\W\d_]", plain)) >= 2 and _NAME.fullmatch(plain):
            return plain[:LONGEST_NAME]
    return None


def child(text: str) -> bool:
    """Whether it is for a child."""
    return _CHILD.search(text) is not None


def people(text: str) -> int | None:
    """For how many it is, where the words say so."""
    found = _PEOPLE.search(text)
    if found is None:
        return None
    said = (found[1] or found[2]).lower()
    return max(1, min(_COUNT.get(said) or int(said), 5))


def location(text: str, locations: Sequence[Location]) -> Location | None:
    """The location that a text names, by a word of its name that no other location has."""
    said = set(re.findall(r"\w+", text.lower()))
    for one in locations:
        others = {w for other in locations if other.id != one.id for w in _name_words(other)}
        if said & (_name_words(one) - others):
            return one
    return None


def _name_words(one: Location) -> set[str]:
    alike = {"gemeentehuis": {"stadhuis", "gemeentekantoor"}}
    own = {word for word in re.findall(r"\w+", one.name.lower()) if len(word) > 3}
    return own | {also for word in own for also in alike.get(word, ())}


_ORDINALS = (r"\beerste\b", r"\btweede\b", r"\bderde\b", r"\bvierde\b", r"\bvijfde\b|\blaatste\b")


def ordinal(text: str) -> int | None:
    """Which of a list is meant, from 0 on."""
    if re.search(r"\beerste (plek|mogelijk\w*|keer|beste|vrije)\b", text, re.IGNORECASE):
        return 0
    return next((n for n, word in enumerate(_ORDINALS) if re.search(word, text, re.IGNORECASE)), None)


def without_ordinal(text: str) -> str:
    """The text without which of a list is meant."""
    words = "|".join(_ORDINALS)
    return re.sub(rf"(?:\b(?:de|het|die|dat)\s+)?(?:{words})", " ", text, flags=re.IGNORECASE)


def any_time(text: str) -> bool:
    """Whether any time is fine."""
    return bool(
        re.search(
            r"zo snel mogelijk|z\.?s\.?m\b|eerste (mogelijk\w*|plek|de beste)|maakt (me |mij )?niet uit|kies maar"
            r"|doe maar wat|asap|as soon as possible",
            text,
            re.IGNORECASE,
        )
    )


def earlier(text: str) -> bool:
    """Whether an earlier time is asked for."""
    return bool(re.search(r"\b(eerder|vroeger|sneller|earlier|sooner)\b", text, re.IGNORECASE))


def later(text: str) -> bool:
    """Whether other times are asked for, later ones."""
    return bool(
        re.search(
            r"\b(later|andere (dag|dagen|tijd|tijden|datum|moment|keuze)|ander (moment|tijdstip)|geen (van|enkele)"
            r"|meer (tijden|keuze|keuzes|dagen)|iets anders|other (time|day)s?)\b",
            text,
            re.IGNORECASE,
        )
    )


def elsewhere(text: str) -> bool:
    """Whether another location is asked for."""
    return bool(
        re.search(r"\b(ander[e]? (locatie|plek|plaats|adres)|ergens anders|locatie)\b", text, re.IGNORECASE)
    )
