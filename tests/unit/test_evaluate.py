"""The judge of a search, on a search whose answers we choose."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.ports import Article, Found, SearchContext, Thresholds
from knowledge.evaluate import Case, evaluate, read_cases

SLUGS = ("paspoort", "rijbewijs", "grofvuil", "vog")


class Scripted:
    """Finds what the question says: `paspoort 0.9 rijbewijs 0.1`."""

    thresholds = Thresholds(answer=0.7, clarify=0.3)

    async def search(self, text: str, context: SearchContext | None = None) -> list[Found]:
        parts = text.split()
        return [
            Found(slug, 1, slug.title(), float(chance))
            for slug, chance in zip(parts[::2], parts[1::2], strict=True)
        ]

    def article(self, slug: str) -> Article | None:
        return Article(slug, 1, slug.title(), "thema", "antwoord") if slug in SLUGS else None


async def test_a_report() -> None:
    cases = [
        Case("paspoort 1.0", ("paspoort",)),
        Case("rijbewijs 0.8 paspoort 0.1", ("paspoort", "rijbewijs")),
        Case("grofvuil 0.5 paspoort 0.2", ("paspoort",)),
        Case("grofvuil 0.4 vog 0.3 rijbewijs 0.2 paspoort 0.1", ("paspoort",)),
        Case("vog 0.9", ("paspoort",)),
        Case("paspoort 0.2", ("paspoort",)),
        Case("", ("vog",)),
        Case("paspoort 0.1", ("out_of_scope",)),
        Case("", ("out_of_scope",)),
        Case("paspoort 0.8", ("out_of_scope",)),
    ]
    report = await evaluate(Scripted(), cases)
    assert (report.questions, report.outside) == (7, 3)
    assert [str(one.verdict) for one in report.judged] == [
        *("answered", "answered", "offered", "misled", "wrong", "refused", "refused"),
        *("refused", "refused", "wrong"),
    ]
    assert report.right_first == pytest.approx(2 / 7)
    assert report.right_offered == pytest.approx(3 / 7)
    assert report.answered == pytest.approx(2 / 7)
    assert report.wrong_answers == pytest.approx(2 / 10)
    assert report.refused == pytest.approx(2 / 7)
    assert report.outside_refused == pytest.approx(2 / 3)
    assert set(report.confusions) == {("paspoort", "grofvuil", 2), ("paspoort", "vog", 1)}
    assert len(report.lines()) == 10


async def test_the_calibration_error() -> None:
    right = [Case("paspoort 0.75", ("paspoort",))] * 3
    perfect = await evaluate(Scripted(), [*right, Case("paspoort 0.75", ("vog",))])
    assert perfect.calibration_error == pytest.approx(0)
    vain = await evaluate(Scripted(), [Case("paspoort 1.0", ("vog",))])
    assert vain.calibration_error == pytest.approx(1)
    assert (await evaluate(Scripted(), [])).calibration_error == 0


def test_reading_cases(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"text": "é?", "expect": ["a", "b"]}\n\n{"text": "x", "expect": ["status"]}\n', "utf-8")
    assert read_cases(path) == [Case("é?", ("a", "b")), Case("x", ("status",))]
