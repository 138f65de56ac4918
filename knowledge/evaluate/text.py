"""An evaluation as tables for a terminal, and as lines for a program."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from knowledge.evaluate.judge import Judged
from knowledge.evaluate.report import Report, Share


def lines(found: Report) -> list[str]:
    """The report as text."""
    other = len(found.judged) - found.questions - found.outside
    return [
        f"{found.questions} questions with an article, {found.outside} outside, {other} of another kind",
        "",
        *_shares(found),
        "",
        *_themes(found),
        "",
        *_calibration(found),
        *_confusions(found),
        *_routes(found),
        *_seconds(found.seconds),
    ]


def as_json(one: Judged) -> str:
    """A judged case as one line of JSON."""
    row = {
        "text": one.case.text,
        "expect": one.case.expect,
        "verdict": one.verdict,
        "route": one.given.route,
        "articles": one.given.shown,
        "choices": one.given.choices,
        "confidence": one.given.confidence,
        "routed": one.routed,
        "seconds": one.seconds,
    }
    return json.dumps(row, ensure_ascii=False)


def _shares(found: Report) -> Iterator[str]:
    rows = {
        "right first": found.right_first,
        "right first or among choices": found.right_offered,
        "right at once": found.answered,
        "another answer beside it": found.beside,
        "refused": found.refused,
        "wrong answer given (of all)": found.wrong_answers,
        "outside: refused": found.outside_refused,
        "routes right": found.routed,
        "questions taken for one": found.taken_for_question,
    }
    yield f"{'':30}{'share':>8}{'count':>12}   95 % interval"
    for name, one in rows.items():
        if one.of:
            low, high = one.interval
            yield f"{name:30}{one.value:8.1%}{one.count:6} of {one.of:<5}{low:9.1%} - {high:.1%}"


def _themes(found: Report) -> Iterator[str]:
    if not found.themes:
        return
    wide = max(len("theme"), *(len(theme.name) for theme in found.themes))
    yield f"{'theme':{wide}}  questions  right first  or choices  wrong  refused"
    for theme in found.themes:
        yield (
            f"{theme.name:{wide}}  {theme.questions:9}  {_percent(theme.right_first):>11}"
            f"  {_percent(theme.right_offered):>10}  {_percent(theme.wrong):>5}  {_percent(theme.refused):>7}"
        )


def _calibration(found: Report) -> Iterator[str]:
    judged = found.calibration
    yield (
        f"calibration of {judged.count} shown: expected calibration error {judged.error:.3f}, "
        f"Brier score {judged.brier:.3f}"
    )
    if judged.bins:
        yield "probability  count   said  right"
        for one in judged.bins:
            yield f"{one.low:.1f} - {one.low + 0.1:.1f}    {one.count:5}  {one.said:5.0%}  {one.right:5.0%}"


def _confusions(found: Report) -> Iterator[str]:
    if found.confusions:
        yield from ("", "worst confusions")
        yield from (f"{count:3}x  {wanted} -> {got}" for wanted, got, count in found.confusions)


def _routes(found: Report) -> Iterator[str]:
    yield from ("", "routes: expected -> what came")
    for name, row in found.routes.items():
        parts = [f"{route} {count}" for route, count in row.items()]
        yield f"  {name} -> {', '.join(parts)}"


def _seconds(seconds: Sequence[float]) -> Iterator[str]:
    if seconds:
        p50, p95 = (seconds[min(len(seconds) - 1, int(part * len(seconds)))] * 1000 for part in (0.5, 0.95))
        yield ""
        yield f"one at a time, {len(seconds)} of them: p50 {p50:.0f} ms, p95 {p95:.0f} ms"


def _percent(part: Share) -> str:
    return f"{part.value:.0%}"
