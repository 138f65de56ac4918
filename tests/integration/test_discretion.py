"""What a resident writes, an address or a key never gets into a log: whole processes, at DEBUG."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from aiohttp import ClientSession

from bot.app.commands import prepare
from bot.db.database import Database
from bot.db.tables import chat_sessions
from bot.settings import ROOT, Settings
from tests import processes, services
from tests.fakes.telegram import FakeTelegram, Refusal
from tests.processes import Program, ready, until

pytestmark = pytest.mark.process

MARK = "zwanenzang"
CHAT_ID = 731_946_285
PHONE = "06 41 32 79 85"
SECRETS = {
    "ENGINE_SECRET": "geheim-van-de-motor",
    "ACTIONS_SECRET": "geheim-van-de-acties",
    "TELEGRAM_TOKEN": "7319462:geheim-van-telegram",
}


@pytest.mark.parametrize("style", ["text", "json"])
async def test_nothing_of_a_resident_in_the_log(
    style: str, start: Callable[[Program], Program], state_dir: Path, engine_python: str
) -> None:
    await prepare(Settings(state_dir=state_dir))
    port = services.free_port()
    async with FakeTelegram(SECRETS["TELEGRAM_TOKEN"]) as fake:
        environment = {
            "PORT": str(port),
            "ACTIONS_PORT": "0",
            "ENGINE_PORT": "0",
            "ENGINE_PYTHON": engine_python,
            "TELEGRAM_API_URL": fake.url,
            "MUNICIPALITY": str(_without_a_fact(state_dir)),
            "LOG_LEVEL": "DEBUG",
            "LOG_FORMAT": style,
            **SECRETS,
        }
        program = start(processes.bot("run", state_dir, environment))
        url = f"http://127.0.0.1:{port}"
        await ready(url, "engine")
        async with ClientSession(url) as session:
            token = await _talk(session, program)
        await _chat(fake)
        assert await program.stop() == 0
    said = program.said
    assert (
        "can't be filled in" in said and "is given up" in said and "turn failed" not in said
    )  # it had its troubles
    for name, secret in {**SECRETS, "session": token, "address": await _address(state_dir)}.items():
        assert secret not in said, name
    for private in (MARK, str(CHAT_ID), PHONE, PHONE.replace(" ", ""), "41327985", "Noor"):
        assert private.lower() not in said.lower(), private
    assert "Traceback" not in said
    if style == "json":
        events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        assert all({"at", "level", "logger"} <= set(event) for event in events)
        assert any("can't be filled in" in event.get("message", "") for event in events)


async def _talk(session: ClientSession, program: Program) -> str:
    """All that can be said on the web, and some that can't; the session's token."""
    async with session.post("/chat/sessions") as answer:
        token = str((await answer.json())["token"])
    headers = {"Authorization": f"Bearer {token}"}

    async def post(body: dict[str, str] | bytes) -> int:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with session.post("/chat/messages", data=data, headers=headers) as answer:
            return answer.status

    for text in (f"wat is {MARK}", "bel mij terug", PHONE, "ochtend", f"over {MARK}", "ja", f"/{MARK}"):
        assert await post({"text": text}) == 202
    assert await post({"choice": f"article:{MARK}"}) == 202
    assert await post({"text": MARK * 500}) == 413
    assert await post(f'{{"text": "{MARK}'.encode()) == 400
    assert await post({"text": MARK, "client_id": MARK * 10}) == 400
    for path in (
        f"/{MARK}",
        f"/chat/messages?after={MARK}",
        f"/chat/events?token={MARK}",
        f"/webhooks/{MARK}",
    ):
        async with session.get(path, headers={"Authorization": f"Bearer {MARK}", "Cookie": MARK}) as answer:
            assert answer.status >= 400
    assert await post({"text": f"wat kost een paspoort {MARK}"}) == 202
    assert await post({"text": "wat kost een paspoort"}) == 202

    async def failed() -> bool:
        return "a text can't be filled in" in program.said

    await until(failed, 30, "the answer that lacks a fact is noticed")
    return token


async def _chat(fake: FakeTelegram) -> None:
    """On Telegram, which takes no answer."""
    resident = fake.resident(CHAT_ID)
    fake.fail("sendMessage", Refusal(400, f'Bad Request: unsupported start tag "{MARK}" for {CHAT_ID}'))
    resident.say(f"wat is {MARK}")
    await fake.until(lambda: len(fake.sent()) >= 2, 30)
    resident.block()
    resident.say(f"en {MARK}?")
    async with asyncio.timeout(30):
        while len(fake.sent()) < 3:
            await asyncio.sleep(0.05)


def _without_a_fact(directory: Path) -> Path:
    """A municipality that no longer has a fact that a published article names."""
    facts = yaml.safe_load((ROOT / "knowledge" / "municipality.yml").read_text(encoding="utf-8"))
    del facts["facts"]["prijs_paspoort"]
    path = directory / "municipality.yml"
    path.write_text(yaml.safe_dump(facts, allow_unicode=True), encoding="utf-8")
    return path


async def _address(directory: Path) -> str:
    store = Database(processes.sqlite(directory))
    try:
        async with store.read() as connection:
            return str(await connection.scalar(sa.select(chat_sessions.c.address)))
    finally:
        await store.close()
