"""Quick replies: sentences that agents use often, from one YAML file, with the agent and the municipality filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from bot.wording import WordingError, fill_in


class QuickReplyError(ValueError):
    """The file is not right; the message names the place in it."""


@dataclass(frozen=True, slots=True)
class QuickReply:
    """One: `title` is what the agent looks for, `text` what comes in the message."""

    title: str
    text: str


class QuickReplies:
    """All of them, in the order of the file."""

    def __init__(self, replies: Sequence[QuickReply], variables: Mapping[str, str]) -> None:
        self._replies = tuple(replies)
        self._variables = variables

    @classmethod
    def load(cls, path: Path, variables: Mapping[str, str]) -> QuickReplies:
        """Read the file. Raises `QuickReplyError` that says what is wrong and where."""
        try:
            entries = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
            raise QuickReplyError(f"{path}: {error}") from None
        if not isinstance(entries, list):
            raise QuickReplyError(f"{path}: must be a list of replies with a title and a text")
        replies = [_reply(f"{path}: reply {number}", entry) for number, entry in enumerate(entries, 1)]
        made = cls(replies, variables)
        try:
            made.for_agent("")
        except WordingError as error:
            raise QuickReplyError(f"{path}: {error}") from None
        return made

    def for_agent(self, name: str) -> list[QuickReply]:
        """As this agent says them."""
        known = {**self._variables, "agent": name}
        return [replace(one, text=fill_in(one.text, known)) for one in self._replies]


def _reply(where: str, entry: Any) -> QuickReply:
    if not isinstance(entry, dict) or set(entry) != {"title", "text"}:
        raise QuickReplyError(f"{where}: needs a title and a text, and nothing else")
    if not all(isinstance(value, str) and value.strip() for value in entry.values()):
        raise QuickReplyError(f"{where}: title and text must be words")
    return QuickReply(entry["title"].strip(), entry["text"].strip())
