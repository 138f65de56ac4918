"""The fields of an article as they stand in a file or in the store: what kind of value each must be.

Every message is for an editor: what is wrong, and what to do about it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

_INVISIBLE = "er staat een onzichtbaar teken in; typ de tekst opnieuw"


class ArticleError(ValueError):
    """The article can't be what it must be. `field` is the part of the article that the message is about."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


def require(holds: bool, name: str, message: str) -> None:
    """Raise `ArticleError` about the field `name` unless it holds."""
    if not holds:
        raise ArticleError(message, name)


def require_line(name: str, value: str) -> None:
    """One clean, trimmed line; it may be empty."""
    require(value == value.strip(), name, "haal de spaties aan het begin en het eind weg")
    require("\n" not in value, name, "zet dit op één regel")
    require(is_clean(value), name, _INVISIBLE)


def require_text(name: str, text: str) -> None:
    """Clean, trimmed lines with something in them, none of which could be a heading."""
    require(bool(text.strip()), name, "de tekst is leeg; schrijf de tekst of haal het deel weg")
    require(text == text.strip(), name, "haal de lege regels aan het begin en het eind weg")
    require(is_clean(text.replace("\n", "")), name, _INVISIBLE)
    require(not re.search(r"^#", text, re.MULTILINE), name, "een regel mag niet met # beginnen")


def is_clean(text: str) -> bool:
    """No control characters, no halves of a character, no line breaks besides the ordinary one."""
    return all(unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp") for char in text)


def text(value: Any, name: str) -> str:
    """A text, trimmed."""
    require(isinstance(value, str), name, "hier hoort een tekst")
    return str(value).strip()


def texts(value: Any, name: str) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(text(item, name) for item in many(value, name))


def many(value: Any, name: str) -> Sequence[Any]:
    """A list."""
    require(isinstance(value, list), name, "hier hoort een lijst, met een streepje voor elke regel")
    return list(value)


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """Names and values."""
    require(isinstance(value, dict), name, "hier horen een naam en een waarde, zoals name: paspoort")
    return dict(value)


def pair(value: Any, name: str, keys: tuple[str, str]) -> tuple[str, str]:
    """The texts under exactly these two names."""
    found = mapping(value, name)
    require(set(found) == set(keys), name, f"hier horen {keys[0]} en {keys[1]}, en niets anders")
    return text(found[keys[0]], name), text(found[keys[1]], name)


def day(value: Any, name: str) -> date:
    """A date, written 2027-05-01."""
    try:
        return date.fromisoformat(text(value, name))
    except ValueError:
        raise ArticleError(f"{value!r} is geen datum; schrijf die als 2027-05-01", name) from None


def optional_day(value: Any, name: str) -> date | None:
    """A date, or nothing."""
    return None if value in (None, "") else day(value, name)
