"""The phrase book: every system sentence by key, and the variables filled in. Nothing here invents a word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from bot.model import Choice, Link, Outbound, Say

_VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class WordingError(ValueError):
    """A phrase or a variable is missing. Names only: never what a resident wrote."""


class Wording:
    """Turns a `Say` into an `Outbound` and fills `{variables}` in, from one place."""

    def __init__(self, phrases: Mapping[str, Outbound], variables: Mapping[str, str]) -> None:
        self._phrases = phrases
        self._variables = variables

    @classmethod
    def load(cls, path: Path, variables: Mapping[str, str]) -> Wording:
        """Read the phrase book. Raises `WordingError` with the key that is not right."""
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(entries, dict):
            raise WordingError(f"{path}: must hold phrases by key")
        return cls({key: _phrase(f"{path}: {key}", entry) for key, entry in entries.items()}, variables)

    def __contains__(self, key: object) -> bool:
        return key in self._phrases

    def keys(self) -> list[str]:
        """All phrases there are."""
        return sorted(self._phrases)

    def say(self, phrase: str, **args: object) -> Outbound:
        """The phrase, filled in. Raises `WordingError` for an unknown phrase or variable."""
        if phrase not in self._phrases:
            raise WordingError(f"no phrase {phrase!r}")
        return self._fill(self._phrases[phrase], {k: str(v) for k, v in args.items()})

    def finish(self, message: Say | Outbound) -> Outbound:
        """What the resident will read."""
        if isinstance(message, Say):
            return self.say(message.phrase, **message.args)
        return self._fill(message, {})

    def fill(self, text: str) -> str:
        """A text of an article with the municipality's facts. Raises `WordingError` for an unknown variable."""
        return fill_in(text, self._variables)

    def _fill(self, message: Outbound, args: Mapping[str, str]) -> Outbound:
        def fill(text: str) -> str:
            return fill_in(text, {**self._variables, **args})

        return replace(
            message,
            text=fill(message.text),
            choices=tuple(Choice(c.id, fill(c.label)) for c in message.choices),
            links=tuple(Link(fill(link.label), fill(link.url)) for link in message.links),
        )


def fill_in(text: str, variables: Mapping[str, str]) -> str:
    """Replace each `{name}` once: what is filled in is not looked at again, so a resident's braces stay braces.
    Raises `WordingError` for a name without a value."""

    def value(match: re.Match[str]) -> str:
        try:
            return variables[match[1]]
        except KeyError:
            raise WordingError(f"no variable {match[1]!r}") from None

    return _VARIABLE.sub(value, text)


def _phrase(where: str, entry: Any) -> Outbound:
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
        raise WordingError(f"{where}: needs a text")
    if unknown := set(entry) - {"text", "choices", "links"}:
        raise WordingError(f"{where}: unknown field {sorted(unknown)[0]!r}")
    return Outbound(
        text=entry["text"].strip(),
        choices=tuple(Choice(*pair) for pair in _pairs(where, entry, "choices", "id", "label")),
        links=tuple(Link(*pair) for pair in _pairs(where, entry, "links", "label", "url")),
    )


def _pairs(where: str, entry: Mapping[str, Any], field: str, *names: str) -> list[list[str]]:
    """The values under a field. A comma in a label without quotes makes one more name: that is refused too."""
    found = entry.get(field) or []
    for item in found:
        if not isinstance(item, dict) or set(item) != set(names) or not all(map(_is_text, item.values())):
            raise WordingError(f"{where}: {field} need {' and '.join(names)}, and nothing else, as text")
    return [[item[name] for name in names] for item in found]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
