"""The check of an article: its title, its answer and its aspects, each by itself and all together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from knowledge.article import ArticleDraft, parse
from knowledge.plain import address
from knowledge.plain.check import check
from knowledge.plain.report import B1, Finding, Report, score_of
from knowledge.plain.text import sentences

_TITLE = re.compile(r"""\s*["']?title["']?\s*:\s*["']?""")


@dataclass(frozen=True, slots=True)
class ArticleReport:
    """The report of each text, by `title`, `answer` or the name of the aspect; positions within that text.

    Made by `check_file`, they are positions in the file.
    """

    slug: str
    parts: Mapping[str, Report]

    @property
    def findings(self) -> list[Finding]:
        """All findings, in the order of the parts."""
        return [finding for report in self.parts.values() for finding in report.findings]

    @property
    def words(self) -> int:
        return sum(report.words for report in self.parts.values())

    @property
    def score(self) -> int:
        """Of the article as a whole."""
        return score_of(self.findings, self.words)

    @property
    def is_b1(self) -> bool:
        """No error in any part, and a score of at least `B1` for the whole."""
        return self.score >= B1 and all(finding.severity != "error" for finding in self.findings)

    @property
    def verdict(self) -> str:
        """In one word for the editor."""
        return "B1" if self.is_b1 else "te moeilijk"


def check_article(draft: ArticleDraft) -> ArticleReport:
    """The Dutch texts of an article; its translations are not looked at."""
    return check_texts(draft.slug, {"title": draft.title, **dict(draft.texts())})


def check_texts(slug: str, texts: Mapping[str, str]) -> ArticleReport:
    """The same for texts by `title`, `answer` or the name of the aspect, also where they are no article yet."""
    silent = any(address.nobody(sentences("\n\n".join(texts.values()))))  # told once, at the answer
    parts = {name: check(text, whole=silent and name == "answer") for name, text in texts.items()}
    return ArticleReport(slug, parts)


def check_file(text: str, name: str) -> ArticleReport:
    """The same for an article file, with lines and columns of the file. Raises `ArticleError`."""
    draft = parse(text, name)
    found = check_article(draft)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    parts = {part: _moved(report, lines, part) for part, report in found.parts.items()}
    return replace(found, parts=parts)


def _moved(report: Report, lines: list[str], part: str) -> Report:
    """The findings of one part, at their place in the file."""
    first, indent = _start(lines, part)
    findings = (
        replace(
            finding, line=finding.line + first, column=finding.column + (indent if finding.line == 1 else 0)
        )
        for finding in report.findings
    )
    return replace(report, findings=tuple(findings))


def _start(lines: list[str], part: str) -> tuple[int, int]:
    """The line before the text of a part starts and the characters before it on its first line."""
    if part == "title":
        at = _line(lines, _TITLE, 1)
        written = _TITLE.match(lines[at])
        return at, written.end() if written else 0
    at = lines.index("---", 1) + 1
    if part != "answer":
        at = _line(lines, re.compile(rf"## *{part} *$"), at) + 1
    while not lines[at].strip():
        at += 1
    return at, len(lines[at]) - len(lines[at].lstrip())


def _line(lines: list[str], pattern: re.Pattern[str], start: int) -> int:
    """The first line that looks so; `start` where none does."""
    return next((at for at in range(start, len(lines)) if pattern.match(lines[at])), start)
