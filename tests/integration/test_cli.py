"""The `klaartje` command: what each command does, and the one clear line when it can't."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actions.reports.local import LocalReports
from bot.app.evaluating import ALONE
from bot.bus.memory import MemoryBus
from bot.cli import main
from bot.daybook import Daybook
from bot.db.database import Database
from bot.inbox import Inbox
from bot.model import Command, Inbound, Reply, Report, Turn
from bot.settings import ROOT
from tests import services
from tests.conftest import SetClock
from tests.fakes.openklant import FakeOpenKlant
from tests.fakes.signalen import FakeSignalen
from tests.fakes.telegram import FakeTelegram
from tests.house import TestHouse
from tests.integration.engine_process import SECRET, EngineProcess

WHATSAPP = {
    "WHATSAPP_TOKEN": "EAAtoken",
    "WHATSAPP_PHONE_NUMBER_ID": "106540352242922",
    "WHATSAPP_APP_SECRET": "app-secret",
    "WHATSAPP_TEMPLATES": str(ROOT / "knowledge" / "templates.yml"),
}
CONTENT = ROOT / "knowledge" / "content"
Setenv = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def _logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command sets up logging for its process; here that is ours."""
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)


@pytest.fixture
def setenv(no_environment: Setenv, tmp_path: Path) -> Setenv:
    no_environment("STATE_DIR", str(tmp_path / "state"))
    return no_environment


@pytest.fixture
def migrated(setenv: Setenv, tmp_path: Path) -> Path:
    """A store with the starter content; its file."""
    assert run("migrate").exit_code == 0
    return tmp_path / "state" / "klaartje.db"


def run(*arguments: str, stdin: str | None = None) -> Result:
    """Run a command. An exception that it does not turn into a line fails the test."""
    return CliRunner().invoke(main, arguments, input=stdin, catch_exceptions=False)


def refusal(result: Result) -> list[str]:
    """The lines in which a command says why it can't."""
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: ")
    assert "Traceback" not in result.output
    return result.output.removeprefix("Error: ").strip().splitlines()


ALL = (
    *("migrate", "run", "web", "worker", "chat"),
    *(
        "ask hallo",
        f"eval {ROOT / 'pyproject.toml'}",
        f"content import {CONTENT}",
        "content export x",
        "channels check",
    ),
    *("channels usage", "files list", "files link x", "outbox send telegram x --text hoi"),
    *("outbox list", "outbox replay 1", "forget webchat x", "callbacks list", "callbacks done T1"),
    *("callbacks register --all", "callbacks check", "appointments check"),
    *("reports list", "reports export x", "reports close M-1", "reports retry", "reports check"),
    *("users add x --role agent", "users list", "users disable x", "users enable x", "users reset x"),
    *("users roles x agent", "users teams x kcc", "users most x", "users remove x"),
)


@pytest.mark.parametrize("command", ALL)
def test_wrong_settings_are_one_line_each_without_their_values(setenv: Setenv, command: str) -> None:
    setenv("PORT", "geheim-1")
    setenv("DATABASE_URL", "mysql://geheim-2@host/x")
    setenv("TELEGRAM_API_URL", "geheim-3")
    lines = refusal(run(*command.split()))
    assert sorted(line.split(":")[0] for line in lines) == ["DATABASE_URL", "PORT", "TELEGRAM_API_URL"]
    assert "geheim" not in "".join(lines)


@pytest.mark.parametrize(
    "command",
    [
        "web",
        "worker",
        "content export x",
        "outbox list",
        "outbox replay 1",
        "forget webchat x",
        "callbacks list",
        "callbacks done T1",
        "callbacks register T1",
        "reports list",
        "reports export x",
        "reports close M-1",
        "reports retry",
    ],
)
def test_without_tables_it_says_what_to_do(setenv: Setenv, tmp_path: Path, command: str) -> None:
    (tmp_path / "state").mkdir()
    [line] = refusal(run(*command.split()))
    assert "klaartje migrate" in line


@pytest.mark.parametrize("command", ["web", "outbox list", "callbacks list"])
def test_without_a_state_directory_it_says_what_to_do(setenv: Setenv, command: str) -> None:
    [line] = refusal(run(*command.split()))
    assert "klaartje migrate" in line or "STATE_DIR" in line


@pytest.mark.parametrize("command", ["migrate", "web", "outbox list", "callbacks list", "channels check"])
def test_a_store_that_is_away_is_one_line(setenv: Setenv, command: str) -> None:
    setenv("DATABASE_URL", f"postgresql+asyncpg://geheim@127.0.0.1:{services.free_port()}/x")
    result = run(*command.split())
    if command == "channels check":
        assert result.exit_code == 0  # it needs no store
        return
    [line] = refusal(result)
    assert "database" in line and "geheim" not in line


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (None, "No such file"),
        ("{", "municipality.yml"),
        ("name: x\n", "facts"),
        ("name: x\nfacts: {a: b}\nhours: {balie: {maandag: []}}\n", "maandag"),
    ],
)
def test_a_wrong_municipality_says_where(
    setenv: Setenv, tmp_path: Path, content: str | None, place: str
) -> None:
    path = tmp_path / "municipality.yml"
    if content is not None:
        path.write_text(content)
    setenv("MUNICIPALITY", str(path))
    assert place in "\n".join(refusal(run("migrate")))


def test_migrate_twice_is_as_good_as_once(migrated: Path) -> None:
    def state() -> list[tuple[object, ...]]:
        with sqlite3.connect(migrated) as connection:
            return connection.execute("SELECT revision, slug, digest FROM article_revisions").fetchall()

    before = state()
    assert len(before) >= 25
    assert run("migrate").output == "The database is ready.\n"
    assert state() == before


class TestContent:
    def test_what_is_exported_is_what_was_imported(self, migrated: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        count = len(list(CONTENT.glob("*.md")))
        assert run("content", "export", str(out)).output == f"{count} articles written to {out}\n"
        assert {p.name: p.read_bytes() for p in out.iterdir()} == {
            p.name: p.read_bytes() for p in CONTENT.iterdir()
        }
        again = run("content", "import", str(out))
        assert again.output == f"0 new, 0 changed, {count} as they were\n"

    def test_a_change_makes_one_revision(self, migrated: Path, tmp_path: Path) -> None:
        article = next(CONTENT.glob("*.md"))
        changed = tmp_path / "content"
        changed.mkdir()
        for path in CONTENT.glob("*.md"):
            text = path.read_text()
            (changed / path.name).write_text(
                text.replace("owner: ", "owner: Nieuwe ", 1) if path == article else text
            )
        assert run("content", "import", str(changed), "--author", "redacteur").output.startswith(
            "0 new, 1 changed"
        )
        with sqlite3.connect(migrated) as connection:
            query = "SELECT author FROM article_revisions WHERE slug = ? ORDER BY revision"
            authors = [row[0] for row in connection.execute(query, (article.stem,))]
        assert authors == ["starter content", "redacteur"]

    def test_one_wrong_article_publishes_nothing(self, migrated: Path, tmp_path: Path) -> None:
        folder = tmp_path / "content"
        folder.mkdir()
        good = next(CONTENT.glob("*.md")).read_text()
        (folder / "nieuw.md").write_text(re.sub(r"^slug: .*$", "slug: nieuw", good, flags=re.M))
        (folder / "kapot.md").write_text("geen artikel")
        (folder / "fout.md").write_text(good.replace("{telefoon}", "{bestaat_niet}") + "\n{bestaat_niet}\n")
        lines = refusal(run("content", "import", str(folder)))
        assert any(line.startswith("kapot.md") for line in lines)
        assert any("bestaat_niet" in line for line in lines)
        with sqlite3.connect(migrated) as connection:
            assert connection.execute("SELECT count(*) FROM articles WHERE slug = 'nieuw'").fetchone() == (0,)

    def test_an_empty_or_missing_folder(self, migrated: Path, tmp_path: Path) -> None:
        assert "geen artikelen" in refusal(run("content", "import", str(tmp_path / "state")))[0]
        assert run("content", "import", str(tmp_path / "nergens")).exit_code == 2


class TestOperations:
    def test_messages_that_were_given_up_are_shown_and_sent_again(self, migrated: Path) -> None:
        assert run("outbox", "list").output == "No message was given up or is held.\n"
        with sqlite3.connect(migrated) as connection:
            _conversation(connection)
            connection.execute(
                "INSERT INTO outbox (seq, conversation_id, message_id, channel, body, state, attempts, not_before,"
                " error, created_at) VALUES (7, 'c', 'm', 'telegram', '{\"text\": \"geheim\"}', 'failed', 14,"
                " '2026-11-23 09:00:00', 'blocked', '2026-11-23 09:00:00')"
            )
        listed = run("outbox", "list").output
        assert re.fullmatch(r" +7  telegram +failed 14 attempts  2026-11-23 09:00  blocked\n", listed)
        assert run("outbox", "replay", "7", "8").output == "1 messages wait for delivery again\n"
        assert run("outbox", "list").output == "No message was given up or is held.\n"
        assert run("outbox", "replay", "7").output == "0 messages wait for delivery again\n"
        assert run("outbox", "replay").exit_code == run("outbox", "replay", "zeven").exit_code == 2
        assert run("outbox", "replay", "7", "--all").exit_code == 2
        with sqlite3.connect(migrated) as connection:
            connection.execute("UPDATE outbox SET state = 'failed'")
        assert run("outbox", "replay", "--all", "--channel", "whatsapp").output.startswith("0 ")
        assert run("outbox", "replay", "--all", "--channel", "telegram").output.startswith("1 ")

    def test_who_wrote_too_long_ago_gets_a_template_or_what_is_held(
        self, migrated: Path, setenv: Setenv
    ) -> None:
        for name, value in WHATSAPP.items():
            setenv(name, value)
        with sqlite3.connect(migrated) as connection:
            _conversation(connection, "whatsapp")
            connection.execute("UPDATE conversations SET last_inbound_at = '2026-01-01 09:00:00'")
        to = ("outbox", "send", "whatsapp", "adres")
        [told] = refusal(run(*to, "--text", "Uw paspoort ligt klaar."))
        assert "Nothing was sent" in told and "antwoord_klaar, schrijf_ons" in told
        with sqlite3.connect(migrated) as connection:
            assert connection.execute("SELECT count(*) FROM messages").fetchone() == (0,)
        assert run(*to, "--text", "Uw paspoort ligt klaar.", "--hold").output == "It is in the outbox.\n"
        assert "held" in run("outbox", "list").output
        sent = run(*to, "--template", "antwoord_klaar", "--value", "onderwerp=afval")
        assert sent.output == "It is in the outbox.\n"
        with sqlite3.connect(migrated) as connection:
            rows = connection.execute("SELECT kind, state FROM outbox ORDER BY seq").fetchall()
        assert rows == [("service", "held"), ("utility", "queued"), ("utility", "queued")]
        assert "needs: onderwerp" in refusal(run(*to, "--template", "antwoord_klaar"))[0]
        assert "no template 'x'" in refusal(run(*to, "--template", "x"))[0]
        assert "nobody with this address" in refusal(run(*to[:-1], "ander", "--text", "hoi"))[0]
        assert run(*to).exit_code == run(*to, "--text", "a", "--template", "b").exit_code == 2
        assert run(*to, "--template", "antwoord_klaar", "--value", "afval").exit_code == 2

    def test_messages_are_counted(self, migrated: Path, setenv: Setenv) -> None:
        assert run("channels", "usage", "--month", "2026-11").output == "No message was sent in 2026-11.\n"
        with sqlite3.connect(migrated) as connection:
            connection.execute("INSERT INTO sent_counts VALUES ('whatsapp', '2026-11', 'service', 412, 400)")
            connection.execute("INSERT INTO sent_counts VALUES ('whatsapp', '2026-11', 'utility', 3, 3)")
        for name, value in WHATSAPP.items():
            setenv(name, value)
        assert run("channels", "usage", "--month", "2026-11").output.splitlines() == [
            "whatsapp     service              412 sent     400 delivered",
            "whatsapp     utility                3 sent       3 delivered",
            "whatsapp     588 of 1000 free messages left in 2026-11",
        ]
        first = json.loads(run("channels", "usage", "--month", "2026-11", "--json").output.splitlines()[0])
        assert first == {
            "channel": "whatsapp",
            "month": "2026-11",
            "kind": "service",
            "sent": 412,
            "delivered": 400,
        }
        assert run("channels", "usage", "--month", "november").exit_code == 2

    def test_files_are_listed_and_opened_by_link(self, migrated: Path) -> None:
        assert run("files", "list").output == "No file was sent.\n"
        with sqlite3.connect(migrated) as connection:
            _conversation(connection)
            connection.execute(
                "INSERT INTO media (id, conversation_id, message_id, channel, ref, mime, name, size, state, file,"
                " attempts, not_before, created_at) VALUES ('f', 'c', 'm', 'whatsapp', 'r', 'image/jpeg', 'geheim',"
                " 2048, 'stored', 'x', 1, '2026-11-23 09:00:00', '2026-11-23 09:00:00')"
            )
        listed = run("files", "list").output
        assert listed == "f  2026-11-23 09:00  whatsapp   stored        2 KB  image/jpeg\n"
        made = run("files", "link", "f", "--actor", "els").output.strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:8080/kcc/files/[\w-]{43}", made)
        assert "no such file" in refusal(run("files", "link", "g"))[0]

    def test_a_resident_is_forgotten_with_all_there_is(self, migrated: Path) -> None:
        with sqlite3.connect(migrated) as connection:
            _conversation(connection)
        assert refusal(run("forget", "webchat", "iemand-anders")) == ["there is no such conversation"]
        assert run("forget", "webchat", "adres", "--actor", "fg").output == "Erased.\n"
        with sqlite3.connect(migrated) as connection:
            assert connection.execute("SELECT count(*) FROM conversations").fetchone() == (0,)
            [row] = connection.execute("SELECT actor, object FROM audit WHERE action = 'forget'").fetchall()
        assert row == ("fg", "c")
        assert refusal(run("forget", "webchat", "adres")) == ["there is no such conversation"]

    def test_callback_requests_are_listed_and_done(self, migrated: Path, clock: SetClock) -> None:
        assert run("callbacks", "list").output == "Nobody waits for a call.\n"
        asyncio.run(_asks_for_a_call(migrated, clock))
        [line] = run("callbacks", "list").output.splitlines()
        reference = line.split()[0]
        assert (
            line == f"{reference}  2026-11-23 09:00  pending    06 12345678      ochtend        mijn paspoort"
        )
        assert refusal(run("callbacks", "done", "T0")) == ["there is no such open request"]
        assert run("callbacks", "done", reference).output == "Noted.\n"
        assert refusal(run("callbacks", "done", reference)) == ["there is no such open request"]
        assert run("callbacks", "list").output == "Nobody waits for a call.\n"

    def test_reports_are_listed_exported_and_closed(
        self, migrated: Path, clock: SetClock, tmp_path: Path
    ) -> None:
        assert run("reports", "list").output == "No report is open.\n"
        asyncio.run(_reports(migrated, clock))
        number, where, told = run("reports", "list").output.splitlines()
        assert number.split() == [
            "M-2026-00001",
            "2026-11-23",
            "09:00",
            "open",
            "afval/huisafval",
            "1",
            "photos",
        ]
        assert (where.strip(), told.strip()) == ("Beukenlaan 12", "vuilnis")
        out = tmp_path / "out"
        assert run("reports", "export", str(out)).output == f"1 reports written to {out}\n"
        [row] = [json.loads(line) for line in (out / "reports.jsonl").read_text().splitlines()]
        assert (row["number"], row["text"], row["phone"], row["closed_at"]) == (
            "M-2026-00001",
            "vuilnis",
            "06 12345678",
            None,
        )
        assert (out / row["photos"][0]).read_bytes() == b"png"
        assert "no open report" in refusal(run("reports", "close", "M-2026-00002"))[0]
        assert run("reports", "close", "M-2026-00001", "--actor", "els").exit_code == 0
        assert run("reports", "list").output == "No report is open.\n"
        assert "closed" in run("reports", "list", "--all").output
        with sqlite3.connect(migrated) as connection:
            noted = connection.execute(
                "SELECT actor, action FROM audit WHERE action LIKE '%report%' ORDER BY seq"
            )
            assert noted.fetchall() == [("engineer", "exported reports"), ("els", "closed report")]

    def test_a_report_that_failed_is_shown_and_tried_again(self, migrated: Path) -> None:
        assert run("reports", "retry").output == "0 reports are tried again\n"
        with sqlite3.connect(migrated) as connection:
            _conversation(connection)
            connection.execute(
                "INSERT INTO reports (id, conversation_id, reference, category, text, place, phone, email, photos, at,"
                " state, told, error, attempts, not_before) VALUES ('r', 'c', 'R1A2B3C4D', 'overig/overig', 'geheim',"
                " 'x', '', '', '[]', '2026-11-23 09:00:00', 'failed', 1, 'HTTP 400', 3, '2026-11-23 09:00:00')"
            )
        told = run("reports", "list").output
        assert "R1A2B3C4D" in told and "failed, not in after 3 attempts: HTTP 400" in told
        assert "geheim" not in told
        assert run("reports", "retry").output == "1 reports are tried again\n"
        assert "pending" in run("reports", "list").output

    def test_where_reports_go_is_checked(self, setenv: Setenv, migrated: Path) -> None:
        checked = run("reports", "check")
        assert checked.exit_code == 0 and checked.output.startswith("local      ok")
        setenv("REPORTS", "off")
        assert run("reports", "check").output.startswith("off")
        setenv("REPORTS", "signalen")
        setenv("SIGNALEN_URL", f"http://127.0.0.1:{services.free_port()}")
        assert "SIGNALEN_POINT" in refusal(run("reports", "check"))[0]
        setenv("SIGNALEN_POINT", "152.1,5.1")
        assert "latitude and longitude" in refusal(run("reports", "check"))[0]
        setenv("SIGNALEN_POINT", "52.1, 5.1")
        away = run("reports", "check")
        assert away.exit_code == 1 and "signalen   degraded" in away.output and "wrong" in away.output

    async def test_categories_that_signalen_lacks_are_named(self, setenv: Setenv) -> None:
        async with FakeSignalen() as fake:
            setenv("SIGNALEN_URL", fake.url)
            setenv("SIGNALEN_POINT", "52.1,5.1")
            checked = await asyncio.to_thread(run, "reports", "check")
        assert checked.exit_code == 1
        assert "wrong     our categories: it lacks" in checked.output
        assert "afval/container-is-vol" in checked.output
        assert "afval/prullenbak-is-vol," not in checked.output

    def test_a_registration_that_failed_is_shown_and_tried_again(
        self, migrated: Path, clock: SetClock
    ) -> None:
        asyncio.run(_asks_for_a_call(migrated, clock))
        with sqlite3.connect(migrated) as connection:
            connection.execute("UPDATE registrations SET state = 'failed', attempts = 3, error = 'HTTP 400'")
            connection.execute(
                "INSERT INTO registrations (reference, conversation_id, kind, topic, at, state, attempts, error,"
                " not_before) SELECT 'C1', conversation_id, 'contact', 'Paspoort', at, 'pending', 9, 'HTTP 503',"
                " not_before FROM registrations"
            )
        request, why, contact = run("callbacks", "list").output.splitlines()
        reference = request.split()[0]
        assert request.split()[3] == "failed"
        assert why == "           not registered after 3 attempts: HTTP 400"
        assert contact == (
            "C1  2026-11-23 09:00  pending    contact, not registered after 9 attempts: HTTP 503"
        )
        assert run("callbacks", "register").exit_code == 2
        assert run("callbacks", "register", "C1", "--all").exit_code == 2
        assert run("callbacks", "register", "T0").output == "0 wait for registration again\n"
        assert run("callbacks", "register", reference).output == "1 wait for registration again\n"
        assert run("callbacks", "register", "--all").output == "2 wait for registration again\n"
        [line] = run("callbacks", "list").output.splitlines()
        assert line.split()[3] == "pending"

    async def test_the_register_is_checked(self, migrated: Path, setenv: Setenv) -> None:
        checked = await asyncio.to_thread(run, "callbacks", "check")
        assert checked.output.startswith("local      ")
        async with FakeOpenKlant() as fake:
            setenv("OPENKLANT_URL", fake.url)
            setenv("OPENKLANT_TOKEN", fake.token)
            setenv("OPENKLANT_ACTOR", fake.team)
            checked = await asyncio.to_thread(run, "callbacks", "check")
            assert (checked.exit_code, checked.output) == (
                0,
                "openklant  ok\n           ok        address and token\n           ok        team\n",
            )
            setenv("OPENKLANT_TOKEN", "geheim-anders")
            checked = await asyncio.to_thread(run, "callbacks", "check")
            assert (checked.exit_code, "OPENKLANT_TOKEN" in checked.output) == (1, True)
            assert "geheim" not in checked.output

    async def test_channels_are_checked(self, setenv: Setenv) -> None:
        checked = await asyncio.to_thread(run, "channels", "check")
        assert re.search(r"^telegram +off +TELEGRAM_TOKEN is not set$", checked.output, re.M)
        missing = "WHATSAPP_TOKEN, WHATSAPP_PHONE_NUMBER_ID, WHATSAPP_APP_SECRET"
        assert re.search(
            rf"^whatsapp +off +{missing} are not set\n +todo +set {missing};", checked.output, re.M
        )
        assert re.search(r"^webchat +ok ", checked.output, re.M)
        assert checked.exit_code == 0
        async with FakeTelegram() as fake:
            setenv("TELEGRAM_TOKEN", fake.token)
            setenv("TELEGRAM_API_URL", fake.url)
            checked = await asyncio.to_thread(run, "channels", "check")
            assert (checked.exit_code, "telegram   ok" in checked.output) == (0, True)
            setenv("TELEGRAM_TOKEN", "1:wrong")
            checked = await asyncio.to_thread(run, "channels", "check")
            assert (checked.exit_code, "telegram   down" in checked.output) == (1, True)
            assert "1:wrong" not in checked.output


@pytest.fixture
def thinking(setenv: Setenv, tmp_path: Path, vectors: Path, brain: EngineProcess) -> Path:
    """A state directory of a house that has the engine of all tests."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "vectors").symlink_to(vectors)
    for name, value in (("ENGINE_URL", brain.url), ("ENGINE_SECRET", SECRET), ("ACTIONS_SECRET", "x")):
        setenv(name, value)
    return tmp_path / "state"


@pytest.mark.process
def test_ask(thinking: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line its own conversation, on its way as a resident's message; nothing of it stays.
    Its worker counts the days that are over, of which there are none."""
    counting = []

    async def keep_counting(daybook: Daybook) -> None:
        counting.append(await daybook.count())
        await asyncio.Event().wait()

    monkeypatch.setattr(Daybook, "keep_counting", keep_counting)
    questions = [
        "wat kost een paspoort",
        "en wat moet ik meenemen?",
        "hallo",
        "ik wil een mens spreken",
        "",
        "👍🏽" * 3,
        "ja",
        '{"a": "<b>"}',
    ]
    result = run("ask", "--json", stdin="\n".join(questions) + "\n")
    assert result.exit_code == 0
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == len(questions)
    for answer in answers:
        assert list(answer) == ["text", "route", "article", "articles", "alternatives", "confidence"]
        assert answer["text"]
    assert [answer["route"] for answer in answers[:4:2]] == ["answer", "smalltalk"]
    assert (answers[0]["article"], answers[3]["route"]) == ("paspoort-aanvragen", "handoff")
    assert (answers[0]["articles"], answers[3]["articles"]) == (["paspoort-aanvragen"], [])
    assert answers[1]["article"] != "paspoort-aanvragen"  # it does not know of the line before
    assert counting == [[]]
    plain = run("ask", "wat", "kost", "een", "paspoort")
    assert plain.stdout == answers[0]["text"] + "\n\n"
    _nothing_stays(thinking)


def _nothing_stays(state: Path) -> None:
    with sqlite3.connect(state / "klaartje.db") as connection:
        for table in ("conversations", "messages", "inbox", "outbox"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@pytest.mark.process
def test_eval(thinking: Path, tmp_path: Path) -> None:
    """Every question goes the way of a resident's message, a few alone and the others together."""
    questions = [
        ("wat kost een paspoort", ["paspoort-aanvragen"]),
        ("wat kost een paspoort", ["rijbewijs-aanvragen"]),
        ("hallo", ["smalltalk"]),
        ("ik wil een mens spreken", ["handoff"]),
        ("wie wordt er wereldkampioen voetbal", ["out_of_scope"]),
        ("ik wil een mens spreken", ["status"]),
    ]
    file, judged = tmp_path / "vragen.jsonl", tmp_path / "judged.jsonl"
    rows = [json.dumps({"text": text, "expect": expect}) for text, expect in questions * 10]
    file.write_text("\n".join(rows))
    result = run("eval", str(file), "--json", str(judged))
    assert result.exit_code == 0, result.output
    found = [json.loads(line) for line in judged.read_text("utf-8").splitlines()]
    assert [(row["text"], row["expect"]) for row in found] == questions * 10
    verdicts = ["right", "wrong", "right", "right", "right", "refused"]
    assert [row["verdict"] for row in found] == verdicts * 10
    assert [row["routed"] for row in found] == [True, True, True, True, True, False] * 10
    assert sum(row["seconds"] is not None for row in found) == ALONE
    printed = result.stdout.splitlines()
    assert printed[0] == "20 questions with an article, 10 outside, 30 of another kind"
    assert any(line.split()[:6] == ["right", "first", "50.0%", "10", "of", "20"] for line in printed)
    assert " 10x  rijbewijs-aanvragen -> paspoort-aanvragen" in printed
    _nothing_stays(thinking)


def test_eval_of_the_search_alone(migrated: Path, tmp_path: Path, setenv: Setenv, vectors: Path) -> None:
    (migrated.parent / "vectors").symlink_to(vectors)
    file = tmp_path / "vragen.jsonl"
    file.write_text(
        '{"text": "hoe vraag ik een paspoort aan", "expect": ["paspoort-aanvragen", "appointment"]}'
    )
    printed = run("eval", "--search", str(file)).stdout.splitlines()
    assert printed[0] == "1 questions with an article, 0 outside, 0 of another kind"
    assert any(line.split()[:3] == ["right", "first", "100.0%"] for line in printed)
    assert "  question -> answer 1" in printed


def test_eval_that_expects_what_does_not_exist(migrated: Path, tmp_path: Path) -> None:
    file = tmp_path / "vragen.jsonl"
    file.write_text('{"text": "x", "expect": ["pasport", "status", "vog"]}')
    assert refusal(run("eval", str(file))) == ["neither an article nor a route: pasport"]
    nowhere = str(tmp_path / "nergens" / "judged.jsonl")
    [line] = refusal(run("eval", str(file), "--json", nowhere))
    assert "can't be written" in line


def test_ask_without_an_engine_says_so(
    setenv: Setenv, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, vectors: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "vectors").symlink_to(vectors)
    monkeypatch.setattr("bot.app.commands._engine_ready.__defaults__", (1.0,))
    few = tmp_path / "content"
    few.mkdir()
    article = (CONTENT / "contact.md").read_text()
    (few / "contact.md").write_text(re.sub(r"^related:\n(- .*\n)+", "", article, flags=re.M))
    monkeypatch.setattr("bot.app.commands.CONTENT", few)
    for name, value in (("ENGINE_URL", f"http://127.0.0.1:{services.free_port()}"), ("ENGINE_SECRET", "x")):
        setenv(name, value)
    setenv("ACTIONS_SECRET", "x")
    [line] = refusal(run("ask", "hallo"))
    assert "dialogue engine does not start" in line


def test_eval_of_what_is_no_file_of_questions(migrated: Path, tmp_path: Path) -> None:
    path = tmp_path / "vragen.jsonl"
    for wrong in ('{"text": "x"}', "{", "[]", '{"text": 1, "expect": ["y"]}', '{"text": "x", "expect": []}'):
        path.write_text(f'{{"text": "x", "expect": ["vog"]}}\n\n{wrong}\n')
        [line] = refusal(run("eval", str(path)))
        assert "vragen.jsonl: line 3" in line
    assert run("eval", str(tmp_path / "nergens")).exit_code == 2


def test_help() -> None:
    assert "Klaartje" in run("--help").output
    for command in ALL:
        name = command.split()[0]
        assert run(name, "--help").output.startswith("Usage: ")
    assert run("onzin").exit_code == 2


def _conversation(connection: sqlite3.Connection, channel: str = "webchat") -> None:
    connection.execute(
        "INSERT INTO conversations (id, channel, address, owner, owner_since, greeted, created_at)"
        " VALUES ('c', ?, 'adres', 'bot', '2026-11-23 09:00:00', 1, '2026-11-23 09:00:00')",
        (channel,),
    )


async def _reports(file: Path, clock: SetClock) -> None:
    database = Database(f"sqlite+aiosqlite:///{file}")
    own = LocalReports(database, clock)
    report = Report("R1", "afval/huisafval", "vuilnis", "Beukenlaan 12", clock(), phone="06 12345678")
    receipt = await own.send(report, "k")
    await own.attach(receipt.id, b"png", "image/png", "p")
    await database.close()


async def _asks_for_a_call(path: Path, clock: SetClock) -> None:
    async def calls(turn: Turn) -> Reply:
        request = {"phone": "06 12345678", "when": "ochtend", "topic": "mijn paspoort"}
        return Reply((), (Command("callback", request),))

    database = Database(f"sqlite+aiosqlite:///{path}")
    house = TestHouse(database, MemoryBus(), clock, calls)
    await Inbox(database, MemoryBus(), clock).accept([Inbound("kept", "r1", "m1", text="bel me")])
    await house.work()
    await database.close()


def test_what_is_kept_is_for_nobody_else_and_what_is_erased_is_gone(migrated: Path) -> None:
    with sqlite3.connect(migrated) as connection:
        _conversation(connection)
        connection.execute(
            "INSERT INTO messages (id, conversation_id, author, kind, text, choices, links, at)"
            " VALUES ('m', 'c', 'resident', 'text', ?, '[]', '[]', '2026-11-23 09:00:00')",
            ("zeer-persoonlijk " * 50,),
        )
    assert migrated.stat().st_mode & 0o077 == 0
    assert run("forget", "webchat", "adres").exit_code == 0
    for path in migrated.parent.glob("klaartje.db*"):
        assert b"zeer-persoonlijk" not in path.read_bytes(), path.name


class TestUsers:
    def test_from_adding_to_disabling(self, migrated: Path) -> None:
        assert run("users", "list").output == "Nobody is known.\n"
        added = run(
            "users", "add", "Sanne", "--role", "agent", "--role", "admin", "--display", "Sanne de Vries"
        )
        link = r"http://127\.0\.0\.1:8080/inloggen/instellen/[\w-]{43}"
        assert re.fullmatch(rf"Give this link to nobody else\. .* 24 hours:\n{link}\n", added.output)
        listed = run("users", "list").output
        assert re.fullmatch(r"sanne +invited +admin,agent +- +- never signed in +Sanne de Vries\n", listed)
        assert run("users", "most", "sanne", "5").output == "Changed.\n"
        assert " 5 never signed in" in run("users", "list").output
        assert run("users", "most", "sanne").output == "Changed.\n"
        assert " - never signed in" in run("users", "list").output
        assert run("users", "roles", "sanne", "editor").output == "Changed.\n"
        assert run("users", "disable", "sanne", "--actor", "els").output == "Disabled.\n"
        assert re.match(r"sanne +disabled +editor ", run("users", "list").output)
        assert run("users", "enable", "sanne").output == "Enabled.\n"
        assert re.search(link, run("users", "reset", "sanne").output)
        assert run("users", "teams", "sanne", "kcc").output == "Changed.\n"
        assert re.match(r"sanne +invited +editor +kcc +- never", run("users", "list").output)
        assert run("users", "teams", "sanne").output == "Changed.\n"
        assert run("users", "remove", "sanne", "--actor", "els").output == "Removed.\n"
        assert run("users", "list").output == "Nobody is known.\n"
        assert run("users", "add", "els", "--role", "agent", "--team", "kcc").exit_code == 0
        with sqlite3.connect(migrated) as connection:
            noted = connection.execute(
                "SELECT actor, action FROM audit WHERE action LIKE '%staff%'"
            ).fetchall()
        assert ("engineer", "added member of staff") in noted and ("els", "disabled member of staff") in noted

    def test_what_can_not_be(self, migrated: Path) -> None:
        for words in (
            ("teams", "x"),
            ("remove", "x"),
            ("disable", "x"),
            ("enable", "x"),
            ("reset", "x"),
            ("roles", "x", "agent"),
        ):
            assert refusal(run("users", *words)) == ["there is nobody with this name"]
        assert "a name has" in refusal(run("users", "add", "Sanne de Vries", "--role", "agent"))[0]
        run("users", "add", "sanne", "--role", "agent")
        assert "already" in refusal(run("users", "add", "sanne", "--role", "agent"))[0]
        for words in (("add", "piet", "--role", "agent", "--team", "x"), ("teams", "sanne", "x")):
            assert refusal(run("users", *words)) == ["there is no team 'x' in MUNICIPALITY: teams are kcc"]
        assert run("users", "add", "piet").exit_code == 2
        assert run("users", "add", "piet", "--role", "chief").exit_code == 2
        assert run("users", "add", "piet", "--role", "agent", "--most", "0").exit_code == 2
        assert run("users", "most", "sanne", "21").exit_code == 2
        assert refusal(run("users", "most", "x", "2")) == ["there is nobody with this name"]
        run("users", "add", "piet", "--role", "agent", "--most", "1")
        assert re.match(r"piet +invited +agent +- +1 never", run("users", "list").output)
        assert run("users", "roles", "sanne").exit_code == 2

    def test_a_link_begins_where_the_internet_reaches_us(self, setenv: Setenv, migrated: Path) -> None:
        setenv("PUBLIC_URL", "https://chat.example.nl")
        added = run("users", "add", "sanne", "--role", "agent").output
        assert "https://chat.example.nl/inloggen/instellen/" in added
        for name, value in (
            ("OIDC_ISSUER", "https://login.example.nl"),
            ("OIDC_CLIENT_ID", "klaartje"),
            ("OIDC_ROLES", "kcc=agent"),
            ("LOCAL_ACCOUNTS", "false"),
        ):
            setenv(name, value)
        assert "only where LOCAL_ACCOUNTS is true" in run("users", "reset", "sanne").output
