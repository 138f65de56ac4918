"""Article files checked, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from knowledge.fields import ArticleError
from knowledge.plain.articles import ArticleReport, check_file

_SEVERITY = {"error": "fout", "advice": "advies"}


@dataclass(frozen=True, slots=True)
class Checked:
    """One file: its report, or why it could not be read."""

    file: Path
    report: ArticleReport | None
    error: str = ""

    @property
    def is_b1(self) -> bool:
        """Whether it was read and passes."""
        return self.report is not None and self.report.is_b1

    def lines(self) -> Iterator[str]:
        """`file:line:column: severity: reason and suggestion` for each finding, then score and verdict."""
        if self.report is None:
            yield f"{self.file}: onleesbaar: {self.error}"
            return
        for found in self.report.findings:
            where = f"{self.file}:{found.line}:{found.column}"
            yield f"{where}: {_SEVERITY[found.severity]}: {found.reason} {found.suggestion}"
        yield f"{self.file}: {self.report.verdict}, score {self.report.score}"

    def as_json(self) -> dict[str, Any]:
        """The same for a program; `reading_ease` (Flesch-Douma) by part."""
        if self.report is None:
            return {"file": str(self.file), "b1": False, "error": self.error}
        return {
            "file": str(self.file),
            "slug": self.report.slug,
            "b1": self.report.is_b1,
            "verdict": self.report.verdict,
            "score": self.report.score,
            "words": self.report.words,
            "reading_ease": {name: part.reading_ease for name, part in self.report.parts.items()},
            "findings": [
                {"part": name, **asdict(finding)}
                for name, part in self.report.parts.items()
                for finding in part.findings
            ],
        }


def article_files(paths: Sequence[Path]) -> list[Path]:
    """The files themselves, and every `*.md` of the folders, as seen from here. Raises `ValueError` for none."""
    files = [file for path in paths for file in (sorted(path.glob("*.md")) if path.is_dir() else [path])]
    if not files:
        raise ValueError(f"no article (*.md) in {', '.join(map(str, paths))}")
    here = Path.cwd()
    return [file.relative_to(here) if file.is_relative_to(here) else file for file in files]


def check_files(files: Sequence[Path]) -> Iterator[Checked]:
    """Each file checked. One that is no article is told as such; the others are still checked."""
    for file in files:
        try:
            yield Checked(file, check_file(file.read_text(encoding="utf-8"), file.name))
        except (ArticleError, OSError, UnicodeDecodeError) as error:
            yield Checked(file, None, str(error))
