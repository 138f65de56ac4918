"""The judge: what counts as right, and the figures made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.ports import Article, Found, SearchContext, Thresholds
from knowledge.evaluate import (
    Case,
    Given,
    Judged,
    Verdict,
    as_json,
    evaluate,
    judge,
    lines,
    read_cases,
    report,
    unknown_names,
)
from knowledge.evaluate.report import Share

SLUGS = ("paspoort", "rijbewijs", "grofvuil", "vog")
THEMES = dict.fromkeys(SLUGS, "reizen") | {"grofvuil": "afval"}


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
        return Article(slug, 1, slug.title(), THEMES[slug], "antwoord") if slug in SLUGS else None


def judged(
    expect: str, route: str, articles: str = "", likely: str = "", chance: float | None = None
) -> Judged:
    given = Given(route, tuple(articles.split()), tuple(likely.split()), chance)
    return judge(Case("?", tuple(expect.split())), given)


@pytest.mark.parametrize(
    ("expect", "route", "articles", "likely", "verdict", "routed"),
    [
        # a plain question
        ("paspoort", "answer", "paspoort", "rijbewijs", Verdict.RIGHT, True),
        ("paspoort vog", "answer", "vog", "", Verdict.RIGHT, True),
        ("paspoort", "answer", "paspoort vog", "", Verdict.RIGHT, True),
        ("paspoort", "answer", "vog paspoort", "", Verdict.OFFERED, True),
        ("paspoort", "appointment", "paspoort", "", Verdict.RIGHT, True),
        ("paspoort", "clarify", "", "paspoort vog", Verdict.FIRST, True),
        ("paspoort", "clarify", "", "vog paspoort", Verdict.OFFERED, True),
        ("paspoort", "clarify", "", "vog rijbewijs", Verdict.MISLED, True),
        ("paspoort", "clarify", "", "", Verdict.MISLED, True),
        ("paspoort", "answer", "vog", "paspoort", Verdict.WRONG, True),
        ("paspoort", "report", "grofvuil", "", Verdict.WRONG, False),
        ("paspoort", "out_of_scope", "", "paspoort", Verdict.REFUSED, False),
        ("paspoort", "handoff", "paspoort", "", Verdict.REFUSED, False),
        ("paspoort", "smalltalk", "", "", Verdict.ELSEWHERE, False),
        ("paspoort", "appointment", "", "", Verdict.ELSEWHERE, False),
        # a task with its article: either is right, another article is not
        ("appointment paspoort", "appointment", "paspoort", "", Verdict.RIGHT, True),
        ("appointment paspoort", "appointment", "", "", Verdict.RIGHT, True),
        ("appointment paspoort", "answer", "paspoort", "", Verdict.RIGHT, False),
        ("appointment paspoort", "clarify", "", "vog paspoort", Verdict.OFFERED, False),
        ("appointment paspoort", "appointment", "vog", "", Verdict.WRONG, True),
        ("appointment paspoort", "status", "", "", Verdict.ELSEWHERE, False),
        # only a route
        ("appointment", "appointment", "vog", "", Verdict.RIGHT, True),
        ("status", "answer", "vog", "", Verdict.WRONG, False),
        ("smalltalk handoff", "handoff", "", "", Verdict.RIGHT, True),
        ("smalltalk", "out_of_scope", "", "", Verdict.REFUSED, False),
        # outside: a person is as good as a refusal
        ("out_of_scope", "out_of_scope", "", "vog", Verdict.RIGHT, True),
        ("out_of_scope", "handoff", "", "", Verdict.RIGHT, True),
        ("out_of_scope", "clarify", "", "vog", Verdict.MISLED, False),
        ("out_of_scope", "answer", "vog", "", Verdict.WRONG, False),
        ("out_of_scope", "smalltalk", "", "", Verdict.ELSEWHERE, False),
        ("out_of_scope paspoort", "out_of_scope", "", "", Verdict.RIGHT, True),
    ],
)
def test_what_counts_as_right(
    expect: str, route: str, articles: str, likely: str, verdict: Verdict, routed: bool
) -> None:
    one = judged(expect, route, articles, likely)
    assert (one.verdict, one.routed) == (verdict, routed)


def test_the_figures() -> None:
    found = report(
        [
            judged("paspoort", "answer", "paspoort"),
            judged("paspoort", "answer", "paspoort vog"),
            judged("paspoort", "clarify", likely="paspoort vog"),
            judged("rijbewijs", "clarify", likely="paspoort rijbewijs"),
            judged("rijbewijs", "answer", "paspoort"),
            judged("grofvuil", "out_of_scope"),
            judged("report grofvuil", "answer", "grofvuil"),
            judged("out_of_scope", "out_of_scope"),
            judged("out_of_scope", "answer", "vog"),
            judged("status", "status"),
        ],
        THEMES,
    )
    assert (found.questions, found.outside) == (7, 2)
    assert found.right_first == Share(4, 7)
    assert found.right_offered == Share(5, 7)
    assert found.answered == Share(3, 7)
    assert found.beside == Share(1, 7)
    assert found.refused == Share(1, 7)
    assert found.wrong_answers == Share(2, 10)
    assert found.outside_refused == Share(1, 2)
    assert found.routed == Share(2, 4)
    assert found.taken_for_question == Share(5, 6)
    assert found.confusions == (("rijbewijs", "paspoort", 2), ("grofvuil", "out_of_scope", 1))
    assert [(theme.name, theme.questions, theme.right_first) for theme in found.themes] == [
        ("afval", 2, Share(1, 2)),
        ("reizen", 5, Share(3, 5)),
    ]
    assert found.routes == {
        "out_of_scope": {"out_of_scope": 1, "answer": 1},
        "question": {"answer": 3, "clarify": 2, "out_of_scope": 1},
        "report": {"answer": 1},
        "status": {"status": 1},
    }


def test_the_calibration() -> None:
    right = [judged("paspoort", "answer", "paspoort", chance=0.75)] * 3
    perfect = report([*right, judged("vog", "answer", "paspoort", chance=0.75)], THEMES).calibration
    assert (perfect.count, perfect.error) == (4, pytest.approx(0))
    assert perfect.brier == pytest.approx(0.75 * 0.25)
    assert [(one.low, one.count, one.said, one.right) for one in perfect.bins] == [(0.7, 4, 0.75, 0.75)]
    vain = report([judged("vog", "answer", "paspoort", chance=1.0)], THEMES).calibration
    assert (vain.error, vain.brier) == (1.0, 1.0)


def test_only_what_was_shown_is_calibrated() -> None:
    cases = [
        judged("vog", "out_of_scope", likely="vog", chance=0.2),
        judged("appointment", "appointment", "paspoort", chance=0.9),
        judged("paspoort", "answer", "paspoort"),
        judged("out_of_scope", "clarify", likely="vog", chance=0.4),
    ]
    found = report(cases, THEMES).calibration
    assert (found.count, found.error) == (1, pytest.approx(0.4))
    assert report([], THEMES).calibration.error == 0


def test_wilsons_interval() -> None:
    """The example of Newcombe (1998), table I: 81 of 263."""
    assert Share(81, 263).interval == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    assert Share(0, 29).interval == (0, pytest.approx(0.1170, abs=5e-5))
    assert Share(0, 0).interval == (0, 1)


async def test_the_search_alone() -> None:
    cases = [
        Case("paspoort 1.0", ("paspoort",)),
        Case("grofvuil 0.5 paspoort 0.2", ("paspoort",)),
        Case("grofvuil 0.4 vog 0.3 rijbewijs 0.2 paspoort 0.1", ("paspoort",)),
        Case("vog 0.9", ("appointment", "paspoort")),
        Case("paspoort 0.2", ("paspoort",)),
        Case("paspoort 0.1", ("out_of_scope",)),
        Case("", ("out_of_scope",)),
        Case("paspoort 0.8", ("smalltalk",)),
    ]
    found = await evaluate(Scripted(), cases)
    assert [str(one.verdict) for one in found.judged] == [
        *("right", "offered", "misled", "wrong", "refused", "right", "right")
    ]
    assert len(found.seconds) == 7
    assert [theme.name for theme in found.themes] == ["reizen"]


def test_the_tables() -> None:
    given = Given("answer", ("paspoort",), (), 0.9)
    cases = [
        judge(Case("?", ("paspoort",)), given, 0.020),
        judge(Case("?", ("vog",)), given, 0.030),
        judged("out_of_scope", "out_of_scope"),
    ]
    text = lines(report(cases, THEMES))
    assert text[0] == "2 questions with an article, 1 outside, 0 of another kind"
    assert "right first                      50.0%     1 of 2         9.5% - 90.5%" in text
    assert "theme   questions  right first  or choices  wrong  refused" in text
    assert "reizen          2          50%         50%    50%       0%" in text
    assert "0.9 - 1.0        2    90%    50%" in text
    assert "  1x  vog -> paspoort" in text
    assert "  question -> answer 2" in text
    assert text[-1] == "one at a time, 2 of them: p50 30 ms, p95 30 ms"
    assert lines(report([], {}))[0].startswith("0 questions")


def test_a_judged_case_as_json() -> None:
    one = judge(Case("é?", ("vog",)), Given("clarify", (), ("paspoort", "vog"), 0.5), 0.25)
    assert json.loads(as_json(one)) == {
        "text": "é?",
        "expect": ["vog"],
        "verdict": "offered",
        "route": "clarify",
        "articles": [],
        "choices": ["paspoort", "vog"],
        "confidence": 0.5,
        "routed": True,
        "seconds": 0.25,
    }


def test_reading_cases(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"text": "é?", "expect": ["a", "b"]}\n\n{"text": "x", "expect": ["status"]}\n', "utf-8")
    assert read_cases(path) == [Case("é?", ("a", "b")), Case("x", ("status",))]


@pytest.mark.parametrize(
    "line",
    [
        *("{", "[]", "1", '{"text": "a"}', '{"text": 1, "expect": ["a"]}', '{"text": "a", "expect": "a"}'),
        '{"text": "a", "expect": []}',
    ],
)
def test_a_file_that_holds_something_else(tmp_path: Path, line: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"text": "a", "expect": ["b"]}\n' + line + "\n", "utf-8")
    with pytest.raises(ValueError, match="line 2 is not"):
        read_cases(path)


def test_what_is_expected_exists() -> None:
    cases = [Case("", ("paspoort", "status")), Case("", ("pasport", "vog")), Case("", ("out-of-scope",))]
    assert unknown_names(cases, SLUGS) == ["out-of-scope", "pasport"]
