"""Forms as they come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def field(form: Mapping[str, Any], name: str) -> str:
    """A field's text; empty where there is none, or a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def fields(form: Any, name: str) -> list[str]:
    """The values of boxes that are ticked."""
    return [value for value in form.getall(name, []) if isinstance(value, str)]
