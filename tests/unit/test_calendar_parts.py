"""The small parts of calendars: names, the one that the settings make, and what an engineer is told of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from actions.appointments.calls import Unsure, identifier, is_identifier, row, rows, text
from actions.appointments.people import initials, split_name
from bot.app.calendar import calendar_of, health_of
from bot.cli import main
from bot.clock import utc_now
from bot.db.database import Database
from bot.settings import Settings
from tests import services
from tests.fakes.jcc import BASE, FakeJcc
from tests.fakes.qmatic import FakeQmatic
from tests.house import MUNICIPALITY

one_store = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Roos Zwanenzang", "Roos", "Zwanenzang"),
        ("  anna   maria van den berg ", "anna maria", "van den berg"),
        ("J.P. de Wit", "J.P.", "de Wit"),
        ("Jan Peter Smit", "Jan Peter", "Smit"),
        ("Zwanenzang", "", "Zwanenzang"),
        ("van den Berg", "van", "den Berg"),  # who gives no first name; nothing of it is lost
        ("Roos\nZwanenzang\x00", "Roos", "Zwanenzang"),
        ("", "", ""),
    ],
)
def test_a_name_in_parts(name: str, first: str, last: str) -> None:
    assert split_name(name) == (first, last)


@pytest.mark.parametrize(
    ("first", "letters"),
    [("Anna Maria", "A.M."), ("J.P.", "J.P."), ("j. p.", "J.P."), ("Åsa", "Å."), ("", "")],
)
def test_initials(first: str, letters: str) -> None:
    assert initials(first) == letters


@pytest.mark.parametrize("value", [None, "x", 5, [], [5], [{}, "x"]])
def test_what_is_no_object(value: object) -> None:
    with pytest.raises(Unsure):
        row(value)
    if value != []:
        with pytest.raises(Unsure):
            rows(value)


@pytest.mark.parametrize("word", ["", ".", "..", "a/b", "a b", "a?b", "a;b", "a%2F", "é", "x" * 201])
def test_what_is_no_id(word: str) -> None:
    assert not is_identifier(word)
    with pytest.raises(Unsure):
        identifier({"id": word}, "id")


def test_texts() -> None:
    assert text({"a": " x "}, "a") == "x"
    assert text({"a": None}, "a") == text({}, "a") == ""
    with pytest.raises(Unsure):
        text({"a": 5}, "a")


@one_store
async def test_the_calendar_of_the_settings(database: Database) -> None:
    def made(**given: object):  # type: ignore[no-untyped-def]
        return calendar_of(Settings.model_construct(**given), MUNICIPALITY, database, utc_now)

    own = made(appointments="local")
    assert own and own.name == "local" and await own.products()
    none = MUNICIPALITY.model_copy(update={"appointments": None})
    assert calendar_of(Settings.model_construct(appointments="local"), none, database, utc_now) is None
    async with FakeQmatic() as qmatic, FakeJcc() as jcc:
        token = SecretStr(qmatic.token)
        for calendar in (
            made(appointments="qmatic", qmatic_url=qmatic.url, qmatic_token=token, qmatic_fields=("email",)),
            made(
                appointments="jcc",
                jcc_url=jcc.url + BASE,
                jcc_client_id=jcc.client,
                jcc_client_secret=SecretStr(jcc.secret),
            ),
        ):
            assert await calendar.products() == []
            assert (await health_of(calendar)).state == "ok"
            await calendar.close()
    away = made(appointments="qmatic", qmatic_url=qmatic.url, qmatic_token=token)
    health = await health_of(away)
    assert health.state == "degraded" and "no connection" in health.detail
    await away.close()


@pytest.mark.parametrize("kind", ["local", "qmatic", "jcc"])
def test_what_an_engineer_is_told(
    no_environment: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)
    url = f"http://127.0.0.1:{services.free_port()}"
    for name, value in {
        "STATE_DIR": str(tmp_path),
        "APPOINTMENTS": kind,
        "QMATIC_URL": url,
        "QMATIC_TOKEN": "geheim",
        "JCC_URL": url,
        "JCC_CLIENT_ID": "klaartje",
        "JCC_CLIENT_SECRET": "geheim",
    }.items():
        no_environment(name, value)
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    found = CliRunner().invoke(main, ["appointments", "check"], catch_exceptions=False)
    assert found.exit_code == (kind != "local") and "geheim" not in found.output
    if kind == "local":
        first, second = found.output.splitlines()
        assert first.split()[:2] == ["local", "ok"] and second.split()[0] == "ok"
        return
    first, second = found.output.splitlines()
    assert first.split()[:2] == [kind, "down"]
    assert second.split()[0] == "wrong" and f"{kind.upper()}_URL" in second and "no connection" in second
