"""The approved words that actions put together with choices of their own: titles of articles, parts of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from bot.model import Choice

PHRASES = Path(__file__).resolve().parent.parent / "knowledge" / "phrases.yml"


class Phrases:
    """Texts by key, with their `{variables}` still in them: those are filled in when a message is finished."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    @classmethod
    def load(cls, path: Path = PHRASES) -> Phrases:
        """Read the phrase book."""
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
        return cls({key: entry["text"].strip() for key, entry in entries.items()})

    def text(self, key: str) -> str:
        """The words of a phrase. Raises KeyError where there is none."""
        return self._texts[key]

    def choice(self, choice: str) -> Choice:
        """A button that can stand anywhere."""
        return Choice(choice, self.text(f"choice_{choice}"))
