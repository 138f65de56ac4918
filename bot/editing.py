"""What helps an editor while writing: the judgement of a text, how channels show it, and what Klaartje would answer.

The protocol is here; `bot.app.editing` fulfils it with the knowledge base, the channels and the search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.standing import Content


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that can be plainer. `start` and `length` are characters of the text of `part`; `before` and `after`
    are the rest of the sentence around `words`. `replacement` can take their place as it is."""

    part: str
    start: int
    length: int
    wrong: bool
    before: str
    words: str
    after: str
    reason: str
    suggestion: str
    replacement: str | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """`errors`, by field, keep an article from being published; `content` is what is stored of it, None where it
    can't be. `score` and `plain` (is it B1) are of all texts together."""

    content: Content | None
    errors: Mapping[str, str]
    remarks: Sequence[Remark]
    score: int
    plain: bool


@dataclass(frozen=True, slots=True)
class Bubble:
    """A message as a resident sees it. `opens` is the button that opens a list of `buttons`, or empty."""

    text: str
    buttons: Sequence[str] = ()
    links: Sequence[tuple[str, str]] = ()
    opens: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """One channel. `notes` tell what does not fit there."""

    channel: str
    bubbles: Sequence[Bubble]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Stolen:
    """A question that belongs to another article, and would get this one."""

    question: str
    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class Beside:
    """How an article stands beside the others: `errors` by field, and the questions it would take from them."""

    errors: Mapping[str, str]
    stolen: Sequence[Stolen]


@dataclass(frozen=True, slots=True)
class Likely:
    """An article that may answer a question, with the chance (0 to 1) that it is right, and its phrasing that is
    most like it."""

    slug: str
    title: str
    chance: float
    like: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What Klaartje would do with a question. `answer` from this chance up is an answer, `clarify` a choice."""

    route: str
    bubbles: Sequence[Bubble]
    likely: Sequence[Likely]
    exact: bool
    answer: float
    clarify: float


class Editing(Protocol):
    """The help."""

    @property
    def variables(self) -> Mapping[str, str]:
        """What a text may name, with what it is filled in with now."""
        ...

    def judge(self, content: Mapping[str, Any]) -> Judgement:
        """Of an article by itself, however far it is. Never fails; tens of milliseconds."""
        ...

    def preview(self, content: Mapping[str, Any], part: str) -> Sequence[Preview]:
        """How each channel shows its answer, or the aspect `part`. Never fails."""
        ...

    async def beside(self, content: Content) -> Beside | None:
        """Of a whole article, among all that are published; None while there is no search yet."""
        ...

    async def attempt(self, question: str) -> Tried | None:
        """What a resident would get; None while there is no search yet."""
        ...
