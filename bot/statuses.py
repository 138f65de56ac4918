"""How a status is told: an editable dictionary, `knowledge/statuses.yml`, by type of case and status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.yamlfile import YamlError, read_yaml

EVERY = "*"
"""All types of case."""

_Words = Annotated[str, Field(max_length=300)]


class StatusesError(ValueError):
    """The dictionary is not right; the message names the place in it."""


class Told(BaseModel):
    """Where a case is `now`, what comes `next`, and what is `needed` of who asked; empty where there is nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    now: Annotated[str, Field(min_length=1, max_length=300)]
    next: _Words = ""
    needed: _Words = ""


_READ: TypeAdapter[dict[str, dict[str, Told]]] = TypeAdapter(dict[str, dict[str, Told]])


class Statuses:
    """The dictionary. Names are compared without regard to capitals."""

    def __init__(self, told: Mapping[str, Mapping[str, Told]]) -> None:
        self._told = {
            kind.casefold(): {name.casefold(): one for name, one in some.items()}
            for kind, some in told.items()
        }

    @classmethod
    def load(cls, path: Path) -> Statuses:
        """Read the file. Raises `StatusesError`."""
        try:
            return cls(_READ.validate_python(read_yaml(path) or {}))
        except YamlError as error:
            raise StatusesError(str(error)) from None
        except ValidationError as error:
            lines = [f"{path}: {'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()]
            raise StatusesError("\n".join(lines)) from None

    def of(self, types: Sequence[str], names: Sequence[str]) -> Told | None:
        """What is told of a status, by any of its names, in a case of a type, by any of its names; None where nobody
        wrote it down."""
        for kind in (*types, EVERY):
            some = self._told.get(kind.casefold(), {})
            for name in names:
                if found := some.get(name.casefold()):
                    return found
        return None
