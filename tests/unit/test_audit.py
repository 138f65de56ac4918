"""The audit is only added to, by acts that have a name; and each has its Dutch words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.audit import Act
from bot.staff.members import Why
from bot.web.staff import words
from bot.web.staff.deeds import DEEDS

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("bot", "actions", "knowledge", "connectors")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
}
OUTSIDE = {"knowledge/store.py", "actions/reports/local.py"}
"""Who may not import `bot.audit`, and so writes a line by itself, with words of ours."""


def test_every_act_has_its_dutch_words() -> None:
    assert set(words.ACTS) == set(Act)
    assert len(set(words.ACTS.values())) == len(Act)
    assert words.act("signed in") == "Ingelogd"
    assert words.act("of a later version") == "of a later version"


def test_every_act_is_done_somewhere() -> None:
    done = {name for path, text in SOURCES.items() if not path.endswith("/words.py") for name in acts(text)}
    assert done >= {act.name for act in Act} - {"CLOSED_REPORT"}


def acts(text: str) -> set[str]:
    return set(re.findall(r"\bAct\.([A-Z_]+)", text))


@pytest.mark.parametrize("path", sorted(OUTSIDE))
def test_who_writes_by_themself_uses_acts_that_have_a_name(path: str) -> None:
    written = [
        word.value
        for node in ast.walk(ast.parse(SOURCES[path]))
        if isinstance(node, ast.keyword) and node.arg == "action"
        for word in ast.walk(node.value)
        if isinstance(word, ast.Constant)
    ]
    assert written and set(written) <= set(Act)


def test_nothing_but_the_audit_writes_lines_and_nothing_changes_them() -> None:
    found = {(path, verb) for path, text in SOURCES.items() for verb in statements(text)}
    assert found == {("bot/audit.py", "insert"), *((path, "insert") for path in OUTSIDE)}


def statements(text: str) -> Iterator[str]:
    """What is done to the table, by whatever name it is imported."""
    tree = ast.parse(text)
    names = {"audit"} | {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "bot.db.tables"
        for alias in node.names
        if alias.name == "audit" and alias.asname
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        verb = getattr(node.func, "attr", getattr(node.func, "id", ""))
        table = node.args[0]
        name = getattr(table, "attr", getattr(table, "id", ""))
        if verb in ("insert", "update", "delete", "put", "insert_new", "add_up") and name in names:
            yield verb
    yield from re.findall(r"(?i)\b(update|delete from|insert into) audit\b", text)


def test_statements_are_seen_in_every_form() -> None:
    plain = "from bot.db.tables import audit as notes\nsa.delete(notes)\nsa.update(tables.audit)\n"
    assert sorted(statements(plain)) == ["delete", "update"]
    assert list(statements('sa.text("DELETE FROM audit")')) == ["DELETE FROM"]


def test_every_reason_is_said_in_dutch_at_a_field() -> None:
    assert set(words.WHY) == set(Why)
    assert {field for field, _ in words.WHY.values()} <= {"name", "display", "role", "team", "most"}


def test_what_is_said_is_short() -> None:
    said = [*words.ACTS.values(), *(text for _, text in words.WHY.values())]
    said += [text for deed in DEEDS.values() for text in (deed.title, deed.text, deed.button, deed.done)]
    for text in said:
        assert not re.search(r"\b(je|jij|jou|jouw)\b", text, re.I), text
        assert all(len(sentence.split()) <= 18 for sentence in re.split(r"[.?!]", text)), text
