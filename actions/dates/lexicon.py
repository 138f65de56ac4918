"""The words, as data. A word has a type of the grammar and a value; rules know types, not words.

Types: `N` a number, `H` a number that can be an hour, `ORD` an ordinal, `UNIT` a length, `WD` a weekday (Monday is 0),
`MO` a month, `PART` a part of the day, `THIS`/`COMING`/`NEXT`/`LAST` which one, `DAY` a number of days from today.
"""

from __future__ import annotations

from actions.dates.span import Grain

WEEKDAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
MONTHS = (
    *("januari", "februari", "maart", "april", "mei", "juni"),
    *("juli", "augustus", "september", "oktober", "november", "december"),
)
PARTS: dict[str, tuple[int, int, int, int]] = {
    # From and until, in hours; then the hours that are said with it: "5 uur 's middags", "5 uur 's avonds".
    "ochtend": (0, 12, 0, 12),
    "voormiddag": (8, 12, 6, 12),
    "middag": (12, 18, 12, 19),
    "avond": (18, 24, 16, 24),
    "nacht": (0, 6, 0, 7),
    "lunch": (12, 14, 11, 15),
    "am": (0, 12, 0, 12),
    "pm": (12, 24, 12, 24),
}
HOLIDAYS: dict[str, str] = {
    # As a word: as `holidays` calls it, or as actions/dates/special_days.py does.
    "nieuwjaar": "Nieuwjaarsdag",
    "nieuwjaarsdag": "Nieuwjaarsdag",
    "goedevrijdag": "Goede Vrijdag",
    "paaszondag": "Eerste paasdag",
    "paasmaandag": "Tweede paasdag",
    "pasen": "pasen",
    "koningsdag": "Koningsdag",
    "bevrijdingsdag": "Bevrijdingsdag",
    "dodenherdenking": "dodenherdenking",
    "hemelvaart": "Hemelvaartsdag",
    "hemelvaartsdag": "Hemelvaartsdag",
    "pinksteren": "pinksteren",
    "pinkstermaandag": "Tweede Pinksterdag",
    "sinterklaas": "sinterklaas",
    "sinterklaasavond": "sinterklaas",
    "pakjesavond": "sinterklaas",
    "kerstavond": "kerstavond",
    "kerst": "kerst",
    "kerstmis": "kerst",
    "kerstdagen": "kerst",
    "kerstdag": "Eerste Kerstdag",
    "oudjaar": "oudjaar",
    "oudejaarsdag": "oudjaar",
    "oudejaarsavond": "oudjaar",
    "kerstvakantie": "kerstvakantie",
    "prinsjesdag": "prinsjesdag",
    "valentijnsdag": "valentijnsdag",
    "moederdag": "moederdag",
    "vaderdag": "vaderdag",
    "halloween": "halloween",
    "lente": "lente",
    "voorjaar": "lente",
    "zomer": "zomer",
    "herfst": "herfst",
    "najaar": "herfst",
    "winter": "winter",
    "allerheiligen": "allerheiligen",
}
SECOND_DAYS = {
    "kerstdag": ("Eerste Kerstdag", "Tweede Kerstdag"),
    "paasdag": ("Eerste paasdag", "Tweede paasdag"),
    "pinksterdag": ("Eerste Pinksterdag", "Tweede Pinksterdag"),
}
_NUMBERS_IN_ORDER = (
    "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien "
    "zeventien achttien negentien twintig"
)
_TENS = {20: "twintig", 30: "dertig", 40: "veertig", 50: "vijftig"}
_ORDINALS_IN_ORDER = (
    "nulde eerste tweede derde vierde vijfde zesde zevende achtste negende tiende elfde twaalfde "
    "dertiende veertiende vijftiende zestiende zeventiende achttiende negentiende twintigste"
)


def numbers() -> dict[str, int]:
    """The numbers up to 59 as words."""
    words = {word: number for number, word in enumerate(_NUMBERS_IN_ORDER.split())}
    for ten, name in _TENS.items():
        words[name] = ten
        for one, word in enumerate(_NUMBERS_IN_ORDER.split()[1:10], start=1):
            words[f"{word}en{name}"] = ten + one
    return words


def ordinals() -> dict[str, int]:
    """The ordinals up to 31 as words."""
    words = {word: number for number, word in enumerate(_ORDINALS_IN_ORDER.split()) if number}
    for word, number in numbers().items():
        if 20 < number <= 31:
            words[f"{word}ste"] = number
    return words


_AFTER_HOURS = "enen tweeen drieen vieren vijven zessen zevenen achten negenen tienen elven twaalven"
"""`na drieën`"""

_ALSO: dict[tuple[str, object], str] = {
    ("DAY", 0): "vandaag vndg",
    ("DAY", 1): "morgen mrgn",
    ("DAY", 2): "overmorgen",
    ("DAY", -1): "gisteren gister",
    ("DAY", -2): "eergisteren eergister",
    ("THIS", "this"): "deze dit",
    ("COMING", "coming"): "aanstaande komende komend aankomende aankomend eerstvolgende eerstkomende as",
    ("NEXT", "next"): "volgende volgend",
    ("LAST", "last"): "vorige vorig afgelopen laatste",
    ("UNIT", Grain.MINUTE): "minuut minuten minuutje minuutjes min",
    ("UNIT", Grain.HOUR): "uur uurtje uren uurtjes",
    ("UNIT", Grain.DAY): "dag dagen dagje dgn",
    ("UNIT", Grain.WEEK): "week weken weekje",
    ("UNIT", Grain.MONTH): "maand maanden maandje mnd",
    ("UNIT", Grain.QUARTER): "kwartaal kwartalen",
    ("UNIT", Grain.YEAR): "jaar jaren",
    ("PART", "ochtend"): "ochtend ochtends sochtends ochtenden smorgens morgens smorgends ochtenduren",
    ("PART", "voormiddag"): "voormiddag",
    ("PART", "middag"): "middag middags smiddags middagen namiddag middaguren",
    ("PART", "avond"): "avond avonds savonds avonden avonduren",
    ("PART", "nacht"): "nacht nachts snachts",
    ("PART", "lunch"): "lunch lunchpauze lunchtijd",
    ("PART", "am"): "am",
    ("PART", "pm"): "pm",
    ("TODAY", "ochtend"): "vanochtend vanmorgen",
    ("TODAY", "middag"): "vanmiddag",
    ("TODAY", "avond"): "vanavond",
    ("TODAY", "nacht"): "vannacht",
    ("SECTION", "begin"): "begin vroeg",
    ("SECTION", "middle"): "midden halverwege medio",
    ("SECTION", "end"): "eind einde laat",
    ("WEEKEND", None): "weekend weekeinde weekends",
    ("WD", 0): "ma",
    ("WD", 1): "di dins",
    ("WD", 2): "wo woe woens",
    ("WD", 3): "do don dond donderd",
    ("WD", 4): "vr vrij vrijd",
    ("WD", 5): "za zat zaterd",
    ("WD", 6): "zon zond",
    ("MO", 1): "jan",
    ("MO", 2): "feb febr",
    ("MO", 3): "mrt",
    ("MO", 4): "apr",
    ("MO", 6): "jun",
    ("MO", 7): "jul",
    ("MO", 8): "aug",
    ("MO", 9): "sep sept",
    ("MO", 10): "okt oct",
    ("MO", 11): "nov",
    ("MO", 12): "dec",
}


def _words() -> dict[str, list[tuple[str, object]]]:
    words: dict[str, list[tuple[str, object]]] = {}

    def add(word: str, kind: str, value: object) -> None:
        words.setdefault(word, []).append((kind, value))

    for (kind, value), written in _ALSO.items():
        for word in written.split():
            add(word, kind, value)
    for number, name in enumerate(WEEKDAYS):
        for word in (name, f"{name}s", f"{name}en"):
            add(word, "WD", number)
    for number, name in enumerate(MONTHS, start=1):
        add(name, "MO", number)
    for word, number in numbers().items():
        if word != "een":  # an article, unless a rule names it
            add(word, "N", number)
        if 1 < number <= 24:
            add(word, "H", number)
    for number, word in enumerate(_AFTER_HOURS.split(), start=1):
        add(word, "H", number)
    for word, number in ordinals().items():
        add(word, "ORD", number)
    for word, name in HOLIDAYS.items():
        add(word, "HOLIDAY", name)
    return words


WORDS = _words()
"""Every word with its types and values."""

PHRASES: dict[tuple[str, ...], str] = {
    # Words in a row that mean one thing, as one token.
    ("tot", "en", "met"): "t/m",
    ("tot", "aan"): "tot",
    ("wk",): "week",
    ("een", "paar"): "twee",
    ("paar",): "twee",
    ("ten", "laatste"): "uiterlijk",
    ("direct",): "nu",
    ("meteen",): "nu",
    ("nu", "meteen"): "nu",
    ("tm",): "t/m",
    ("zo", "snel", "mogelijk"): "zsm",
    ("zo", "spoedig", "mogelijk"): "zsm",
    ("zo", "vroeg", "mogelijk"): "zsm",
    ("zo", "gauw", "mogelijk"): "zsm",
    ("zo", "rap", "mogelijk"): "zsm",
    ("snel", "mogelijk"): "zsm",
    ("eerste", "gelegenheid"): "zsm",
    ("eerste", "mogelijkheid"): "zsm",
    ("liefst", "snel"): "zsm",
    ("asap",): "zsm",
    ("eerder", "dan"): "voor",
    ("vroeger", "dan"): "voor",
    ("later", "dan"): "na",
    ("op", "zijn", "laatst"): "uiterlijk",
    ("op", "zn", "laatst"): "uiterlijk",
    ("op", "z'n", "laatst"): "uiterlijk",
    ("niet", "later", "dan"): "uiterlijk",
    ("op", "zijn", "vroegst"): "vanaf",
    ("op", "zn", "vroegst"): "vanaf",
    ("op", "z'n", "vroegst"): "vanaf",
    ("op", "zijn", "vroegste"): "vanaf",
    ("niet", "eerder", "dan"): "vanaf",
    ("niet", "vroeger", "dan"): "vanaf",
    ("niet", "voor"): "vanaf",
    ("niet", "na"): "tot",
    ("tussen", "de", "middag"): "lunch",
    ("goede", "vrijdag"): "goedevrijdag",
    ("oud", "en", "nieuw"): "oudjaar",
    ("half", "uur"): "halfuur",
    ("half", "uurtje"): "halfuur",
    ("in", "de", "morgen"): "ochtend",
    ("'s", "morgens"): "ochtend",
    ("s", "morgens"): "ochtend",
    ("s", "ochtends"): "ochtend",
    ("s", "middags"): "middag",
    ("s", "avonds"): "avond",
    ("s", "nachts"): "nacht",
    ("a", "s"): "aanstaande",
    ("een", "uur", "of"): "om",
    ("rond",): "om",
    ("tegen",): "om",
    ("omstreeks",): "om",
    ("na", "afloop", "van"): "na",
    ("of", "anders"): "of",
    ("of", "desnoods"): "of",
}

_NOT_POSSIBLE = ("kan", "lukt", "past", "schikt", "gaat", "komt", "kunnen")
_BETWEEN = (
    (),
    ("ik",),
    ("ik", "helaas"),
    ("helaas",),
    ("me",),
    ("mij",),
    ("het",),
    ("we",),
    ("wij",),
    ("echt",),
)
PHRASES |= {(verb, *words, "niet"): "kan_niet" for verb in _NOT_POSSIBLE for words in _BETWEEN}

MORE_WORDS = frozenset(
    {"half", "kwart", "vanaf", "tussen", "uiterlijk", "binnen", "behalve", "kerstdag", "kwartier"}
)
"""Words that only rules know, whose spelling is repaired too."""

UNSURE = frozenset({"do", "vr", "vrij", "zon", "ma", "am", "pm", "nu", "om"})
"""Words that mean a time only beside others that do, or where nothing else is written: `wat nu`, `do I need`."""

_BEHIND = (
    "kan kunnen wil willen zou ben heb is past schikt lukt komt gaat mag moet werk om of en na voor "
    "vanaf tot niet komen langskomen terecht afspreken langs hier er bij beter goed prima mij me ik we "
    "wij u jullie vrij beschikbaar svp aub alstublieft alsjeblieft kom mogelijk zijn doen"
)
GOES_ON = frozenset(_BEHIND.split())
"""What may follow a day or an hour (`de 15e kan ik`, `na 3`). Before other words these count: `de 3e verdieping`."""

_SMALL = (
    "de het op van aan graag liefst liever ergens dan ook even eens zo ongeveer circa precies exact "
    "stipt al pas hoor nog is wel eventueel bijvoorbeeld best"
)
FILLERS = frozenset(_SMALL.split())
"""Words that change nothing between words that do."""
