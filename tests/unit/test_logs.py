"""Logs: one line an event, and of an exception its kind and places, never its words."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import pytest

from bot import logs

SECRET = "mijn bsn is 123456782"


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What came out on stderr."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in (*logs._QUIET, "aiohttp.access")}
    yield lambda: capsys.readouterr().err
    root.handlers[:], root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def fail() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        raise RuntimeError(f"while reading {SECRET}") from error


@pytest.mark.parametrize("style", ["text", "json"])
def test_an_exception_is_told_without_its_words(written: Callable[[], str], style: str) -> None:
    logs.configure("DEBUG", style)
    try:
        fail()
    except RuntimeError:
        logging.getLogger("bot.x").exception("it failed")
    said = written()
    assert "it failed" in said and "RuntimeError" in said and "fail (" in said
    assert SECRET not in said


def test_json_is_one_object_a_line(written: Callable[[], str]) -> None:
    logs.configure("INFO", "json")
    log = logging.getLogger("bot.x")
    log.info("eerste\nregel %s", "é👍")
    log.warning("tweede")
    log.debug("onzichtbaar")
    first, second = [json.loads(line) for line in written().splitlines()]
    assert (first["level"], first["logger"], first["message"]) == ("INFO", "bot.x", "eerste\nregel é👍")
    assert second["message"] == "tweede"
    assert first["at"].endswith("+00:00")


@pytest.mark.parametrize(
    "name", ["sqlalchemy.engine", "httpx", "telegram.ext", "aiosqlite", "aiohttp.access", "asyncio"]
)
def test_talkative_libraries_are_quiet_even_at_debug(written: Callable[[], str], name: str) -> None:
    logs.configure("DEBUG", "text")
    logging.getLogger(name).info(SECRET)
    logging.getLogger(name).debug(SECRET)
    assert written() == ""


def test_a_second_time_does_not_say_all_twice(written: Callable[[], str]) -> None:
    logs.configure()
    logs.configure()
    logging.getLogger("bot.x").info("eenmaal")
    assert written().count("eenmaal") == 1


def test_an_exception_without_a_trail() -> None:
    assert logs.trail(ValueError(SECRET)) == "ValueError at unknown"
