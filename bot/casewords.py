"""How a case is told to a resident: what was asked, where it is, what is next, when at the latest, what is needed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from bot.casetypes import CaseRules, CaseType
from bot.clock import AMSTERDAM
from bot.model import Case, Choice, Outbound
from bot.municipality import MONTHS
from bot.statuses import Statuses, Told
from bot.wording import Wording

FOLLOW, ASK, UNFOLLOW = "follow", "case_ask", "unfollow"
"""What the buttons begin with; behind the colon the case."""

_ID = 64


class CaseWords:
    """Puts the approved words together."""

    def __init__(self, wording: Wording, statuses: Statuses, rules: CaseRules) -> None:
        self._wording = wording
        self._statuses = statuses
        self._rules = rules

    def answer(self, case: Case, now: datetime) -> Outbound:
        """What somebody reads who asked how it stands."""
        said = self._whole("case_status", case, now)
        choices = [] if case.ended else [self._choice(FOLLOW, case.key)]
        return Outbound(said.text, (*choices, self._choice(ASK, case.reference)), said.links)

    def news(self, case: Case, now: datetime) -> Outbound:
        """What a follower reads when it changed."""
        said = self._whole("case_ended" if case.ended else "case_changed", case, now)
        choices = [] if case.ended else [self._choice(UNFOLLOW, case.key)]
        return Outbound(said.text, (self._choice(ASK, case.reference), *choices), said.links)

    def following(self, case: Case) -> Outbound:
        """The promise to tell."""
        said = self._wording.say("case_followed", reference=case.reference, title=self.title(case))
        return Outbound(said.text, (self._choice(UNFOLLOW, case.key),))

    def title(self, case: Case) -> str:
        """What it is, as a resident calls it: `uw kapvergunning`."""
        kind = self._rules.of(case.types)
        return kind.name if kind else self._wording.say("case_title").text

    def kind(self, case: Case) -> CaseType | None:
        """Its type, where that may be looked up in the chat."""
        return self._rules.of(case.types)

    def now(self, case: Case) -> str:
        """Where it is, in a sentence or two."""
        told = self._told(case)
        if told:
            return told.now
        if case.status and (words := " ".join(case.status.text.split())):
            return words
        if case.status and case.status.names:
            return self._wording.say("case_named", status=case.status.names[0]).text
        return self._wording.say("case_started").text

    def _whole(self, phrase: str, case: Case, now: datetime) -> Outbound:
        title = self.title(case)
        return self._wording.say(
            phrase,
            reference=case.reference,
            title=title[:1].upper() + title[1:],
            started=day_words(case.started),
            lines="\n".join(self._lines(case, now.astimezone(AMSTERDAM).date())),
        )

    def _lines(self, case: Case, today: date) -> Iterator[str]:
        told = self._told(case)
        say = self._wording.say
        yield say("case_line_now", now=self.now(case)).text
        if case.ended:
            if case.result:
                yield say("case_line_result", result=case.result, when=day_words(case.ended)).text
            return
        if told and told.next:
            yield say("case_line_next", next=told.next).text
        deadline = case.deadline or case.planned
        if case.suspended:
            yield say("case_line_suspended").text
        elif deadline and deadline < today:
            yield say("case_line_late", when=day_words(deadline)).text
        elif deadline:
            yield say("case_line_due", when=day_words(deadline)).text
        if told and told.needed:
            yield say("case_line_needed", needed=told.needed).text
        elif not case.suspended:
            yield say("case_line_nothing").text

    def _told(self, case: Case) -> Told | None:
        return self._statuses.of(case.types, case.status.names) if case.status else None

    def _choice(self, kind: str, value: str) -> Choice:
        return Choice(f"{kind}:{value}"[:_ID], self._wording.say(f"choice_{kind}").text)


def day_words(day: date) -> str:
    """A day as residents read it: `3 december 2026`."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
