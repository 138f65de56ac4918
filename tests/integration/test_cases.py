"""How a request stands, from Open Zaak to an open page: asked, followed, and told at once when a notice comes."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.app.roles import background, tidings_of, with_cases
from bot.cli import main
from bot.model import Command, Outbound, Reply, Turn
from bot.ports import DialogueEngine
from bot.web.notices import PATH
from tests.fakes.openzaak import RSIN, FakeOpenZaak
from tests.house import Engine
from tests.integration.served import serve

NUMBER, WORD = "ZAAK-2026-0000012345", "woord-van-de-notificaties"


async def asks(turn: Turn) -> Reply:
    """A dialogue that has the case looked up where an address is given."""
    if "1234 AB 12" not in turn.text:
        return Reply((Outbound("Wat is uw adres?"),))
    asked = {"reference": NUMBER, "postcode": "1234AB", "house_number": 12, "addition": "", "birth_date": ""}
    return Reply((), (Command("case_lookup", {**asked, "parts": ["1234 AB 12"]}),))


async def test_a_change_at_open_zaak_is_read_on_the_open_page(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk: list[DialogueEngine] = []

    async def think(turn: Turn) -> Reply:
        return await desk[0].reply(turn)

    caplog.set_level(logging.INFO)
    async with FakeOpenZaak() as fake:
        key = fake.open(NUMBER)
        fake.set_status(key, 0)
        zgw = {
            "zgw_url": fake.url,
            "zgw_client_id": fake.client,
            "zgw_secret": fake.secret,
            "zgw_organisation": RSIN,
            "zgw_notification_secret": WORD,
        }
        async with serve(database_url, tmp_path, think=think, **zgw) as served:
            desk.append(with_cases(served.house, Engine(asks)))
            tidings = tidings_of(served.house)
            assert tidings
            visitor = await served.visitor()
            async with background(tidings.keep_looking()), visitor.listens() as page:
                await visitor.says("Het is 1234 AB 12.")
                told = (await page.messages(3))[-1]
                assert "hebben uw aanvraag ontvangen" in told["text"]
                assert "[niet bewaard]" in json.dumps(await visitor.reads())
                await visitor.posts(choice=f"follow:{key}")
                await page.messages(5)
                fake.set_status(key, 1)
                headers = {"Authorization": f"Bearer {WORD}"}
                async with served.session.post(PATH, json=fake.notice(key), headers=headers) as answer:
                    assert answer.status == 204
                news = (await page.messages(6))[-1]
                assert "bekijkt uw aanvraag" in news["text"] and news["from"] == "bot"
    for secret in ("1234 AB", "1234AB", "19800201", "999992958", fake.secret, WORD):
        assert secret not in caplog.text


def test_an_engineer_is_told_what_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "STATE_DIR": str(tmp_path),
        "ZGW_URL": "http://127.0.0.1:9",
        "ZGW_CLIENT_ID": "klaartje",
        "ZGW_SECRET": "een-geheim-dat-lang-genoeg-is-voor-hs256",
        "ZGW_ORGANISATION": RSIN,
        "LOG_LEVEL": "ERROR",
    }.items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(main, ["cases", "check"])
    assert told.exit_code == 1
    assert "wrong     address and token: no answer" in told.output
    monkeypatch.setenv("CASES", "off")
    told = CliRunner().invoke(main, ["cases", "check"])
    assert told.exit_code == 0 and told.output.startswith("off")
