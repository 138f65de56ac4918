"""Templates: what an installation may send outside the window, as its vendor approved it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.model import Choice, Template
from bot.wording import WordingError, fill_in
from bot.yamlfile import YamlError, read_yaml

_NAME = re.compile(r"[a-z0-9_]{1,512}")
_PLACE = re.compile(r"\{([^{}]*)\}")


class TemplatesError(ValueError):
    """The file of templates is not right; the message says where."""


class _Choice(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: Annotated[str, Field(min_length=1, max_length=64)]
    label: Annotated[str, Field(min_length=1, max_length=25)]


class _Template(BaseModel):
    """One entry. Limits: Meta's, of a template's body and its quick-reply buttons."""

    model_config = ConfigDict(extra="forbid")
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$")] = "nl"
    category: Literal["utility", "marketing", "authentication"] = "utility"
    text: Annotated[str, Field(min_length=1, max_length=1024)]
    variables: tuple[str, ...] = ()
    choices: Annotated[tuple[_Choice, ...], Field(max_length=10)] = ()
    opens: bool = False


_READ: TypeAdapter[dict[str, _Template]] = TypeAdapter(dict[str, _Template])


def read_templates(path: Path, facts: Mapping[str, str]) -> dict[str, Template]:
    """The templates of a file by name, with the municipality's facts filled in: at the vendor they are plain words.
    Raises `TemplatesError`."""
    try:
        entries = read_yaml(path)
        found = _READ.validate_python({} if entries is None else entries)
    except YamlError as error:
        raise TemplatesError(f"templates: {error}") from None
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()]
        raise TemplatesError("\n".join(lines)) from None
    if sum(entry.opens for entry in found.values()) > 1:
        raise TemplatesError(f"{path}: only one template can have `opens`")
    return {name: _template(f"{path}: {name}", name, entry, facts) for name, entry in found.items()}


def _template(where: str, name: str, entry: _Template, facts: Mapping[str, str]) -> Template:
    if not _NAME.fullmatch(name):
        raise TemplatesError(f"{where}: a name has lower-case letters, digits and _ only, as at the vendor")
    if len(set(entry.variables)) != len(entry.variables):
        raise TemplatesError(f"{where}: a variable is named twice")
    if not entry.text.strip():
        raise TemplatesError(f"{where}: the text is empty")
    for what in ("id", "label"):
        if len({getattr(one, what) for one in entry.choices}) < len(entry.choices):
            raise TemplatesError(f"{where}: two choices have the same {what}")
    if "{{" in entry.text:
        raise TemplatesError(f"{where}: write {{name}}, with one brace, and name it in variables")
    places = _PLACE.findall(entry.text)
    if absent := [one for one in entry.variables if places.count(one) != 1]:
        raise TemplatesError(f"{where}: {{{absent[0]}}} must stand in the text once")
    if [one for one in places if one in entry.variables] != list(entry.variables):
        raise TemplatesError(f"{where}: variables must be in the order in which they stand in the text")
    if entry.opens and entry.variables:
        raise TemplatesError(f"{where}: a template that `opens` can't have variables")
    try:
        text = fill_in(entry.text, {**facts, **{one: f"{{{one}}}" for one in entry.variables}})
    except WordingError as error:
        raise TemplatesError(f"{where}: {error}") from None
    choices = tuple(Choice(one.id, one.label) for one in entry.choices)
    return Template(name, entry.language, entry.category, text.strip(), entry.variables, choices, entry.opens)
