"""How well residents are understood, on questions with what should come of each."""

from knowledge.evaluate.cases import Case, read_cases, unknown_names
from knowledge.evaluate.judge import Given, Judged, Verdict, judge
from knowledge.evaluate.report import Report, report
from knowledge.evaluate.searching import evaluate, given_by
from knowledge.evaluate.text import as_json, lines

__all__ = [
    "Case",
    "Given",
    "Judged",
    "Report",
    "Verdict",
    "as_json",
    "evaluate",
    "given_by",
    "judge",
    "lines",
    "read_cases",
    "report",
    "unknown_names",
]
