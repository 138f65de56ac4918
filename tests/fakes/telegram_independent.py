"""A second opinion on calls of the Bot API: its machine-readable description, apart from our own rules.

It checks that the method exists, that each parameter is one of it and has a type that it may have, down to the
fields of objects within, and that none is missing. It knows no lengths, no lists of allowed words and no rules between
fields (a button must do one thing): those stand in prose there, and in `telegram_rules` here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parent.parent / "fixtures" / "schemas" / "telegram_bot_api.json"

Json = dict[str, Any]

_LIST = "Array of "
_PLAIN: Mapping[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
_IN_A_FORM = {
    "Boolean": re.compile(r"true|false", re.IGNORECASE),
    "Integer": re.compile(r"-?\d+"),
    "Float": re.compile(r"-?\d+(\.\d+)?"),
}


def violations(method: str, parameters: Mapping[str, Any]) -> list[str]:
    """What is wrong with a call, each with its place; nothing if it is right. In a form all values are strings, and
    objects and lists are JSON in one; in a JSON body they may be what they are."""
    fields = _api()["methods"].get(method)
    if fields is None:
        return [f"{method}: no such method"]
    return list(_object(method, parameters, fields, _parameter))


@cache
def _api() -> Json:
    api: Json = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return api


_Reader = Callable[[str, Any, str], Iterator[str]]


def _object(place: str, value: Any, fields: Sequence[Json], read: _Reader) -> Iterator[str]:
    """What is wrong with the fields of an object; `read` looks at one value as one type."""
    if not isinstance(value, Mapping):
        yield f"{place}: must be an object"
        return
    known = {field["name"]: field for field in fields}
    for name in sorted(value.keys() - known.keys()):
        yield f"{place}.{name}: no such field"
    for name, field in known.items():
        if name in value:
            yield from _any_of(f"{place}.{name}", value[name], field["types"], read)
        elif field["required"]:
            yield f"{place}.{name}: is required"


def _any_of(place: str, value: Any, types: Sequence[str], read: _Reader) -> Iterator[str]:
    """What is wrong with a value that may be of several types: of the one that comes nearest."""
    yield from min((list(read(place, value, one)) for one in types), key=len)


def _parameter(place: str, value: Any, kind: str) -> Iterator[str]:
    """A parameter: as it is, or as the string that a form has."""
    if kind == "InputFile":
        return  # its bytes come in a part of their own
    if not isinstance(value, str) or kind == "String":
        yield from _value(place, value, kind)
    elif kind in _IN_A_FORM:
        if not _IN_A_FORM[kind].fullmatch(value):
            yield f"{place}: must be of type {kind}"
    else:
        try:
            read = json.loads(value)
        except ValueError:
            yield f"{place}: must be of type {kind}, as JSON"
        else:
            yield from _value(place, read, kind)


def _value(place: str, value: Any, kind: str) -> Iterator[str]:
    """A value within JSON, where a number is a number."""
    if kind.startswith(_LIST):
        if not isinstance(value, list):
            yield f"{place}: must be a list"
            return
        for index, one in enumerate(value):
            yield from _value(f"{place}[{index}]", one, kind.removeprefix(_LIST))
    elif kind in _PLAIN:
        if not _PLAIN[kind](value):
            yield f"{place}: must be of type {kind}"
    else:
        described = _api()["types"][kind]
        if "subtypes" in described:
            yield from _any_of(place, value, described["subtypes"], _value)
        else:
            yield from _object(place, value, described["fields"], _value)
