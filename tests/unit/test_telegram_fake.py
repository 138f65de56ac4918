"""The stand-in for Telegram's server keeps Telegram's rules: what our tests prove rests on it."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ServerDisconnectedError

from tests.fakes.telegram import FILE_LIMIT, Dropped, FakeTelegram, Faults
from tests.fakes.telegram_rules import Refusal, parse_html

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


async def call(fake: FakeTelegram, method: str, **parameters: Any) -> dict[str, Any]:
    async with (
        ClientSession() as session,
        session.post(f"{fake.url}/bot{fake.token}/{method}", json=parameters) as answer,
    ):
        result: dict[str, Any] = await answer.json()
        assert answer.status == result.get("error_code", 200)
        return result


@pytest.mark.parametrize(
    ("body", "code", "description"),
    [
        ({"text": "hoi"}, None, ""),
        ({"text": " "}, 400, "message text is empty"),
        ({"text": "x" * 4096}, None, ""),
        ({"text": "x" * 4097}, 400, "message is too long"),
        ({"text": f"<b>{'x' * 4096}</b>", "parse_mode": "HTML"}, None, ""),
        ({"text": "<b>a</b> &lt; &amp;", "parse_mode": "HTML"}, None, ""),
        ({"text": "<b>a", "parse_mode": "HTML"}, 400, "Can't find end tag"),
        ({"text": "a</b>", "parse_mode": "HTML"}, 400, "Unmatched end tag"),
        ({"text": "<b><i>a</b></i>", "parse_mode": "HTML"}, 400, "Unmatched end tag"),
        ({"text": "<script>", "parse_mode": "HTML"}, 400, "Unsupported start tag"),
        ({"text": "3 < 4", "parse_mode": "HTML"}, 400, "Unsupported start tag"),
        ({"text": "hoi", "chat_id": 404}, 400, "chat not found"),
        ({"text": "hoi", "chat_id": "geen"}, 400, "chat not found"),
    ],
)
async def test_a_message_must_be_right(
    fake: FakeTelegram, body: dict[str, Any], code: int | None, description: str
) -> None:
    resident = fake.resident()
    answer = await call(fake, "sendMessage", **({"chat_id": resident.id} | body))
    assert answer.get("error_code") == code
    assert description in answer.get("description", "")
    assert len(resident.heard) == (code is None)


@pytest.mark.parametrize(
    ("button", "fits"),
    [
        ({"text": "Ja", "callback_data": "é" * 32}, True),
        ({"text": "Ja", "callback_data": "é" * 32 + "a"}, False),
        ({"text": "Ja", "callback_data": ""}, False),
        ({"text": "", "callback_data": "a"}, False),
        ({"text": "Ja"}, False),
        ({"text": "Ja", "callback_data": "a", "url": "https://a.example"}, False),
        ({"text": "Ja", "url": "https://a.example/b"}, True),
        ({"text": "Ja", "url": "tel:140999"}, False),
        ({"text": "Ja", "url": "http://localhost"}, False),
    ],
)
async def test_a_button_must_be_right(fake: FakeTelegram, button: dict[str, str], fits: bool) -> None:
    markup = json.dumps({"inline_keyboard": [[button]]})
    answer = await call(fake, "sendMessage", chat_id=fake.resident().id, text="Kies", reply_markup=markup)
    assert answer["ok"] is fits


async def test_a_press_is_answered_once(fake: FakeTelegram) -> None:
    resident = fake.resident()
    markup = {"inline_keyboard": [[{"text": "Ja", "callback_data": "a"}]]}
    await call(fake, "sendMessage", chat_id=resident.id, text="Kies", reply_markup=markup)
    resident.press("Ja")
    [update] = (await call(fake, "getUpdates"))["result"]
    query = update["callback_query"]["id"]
    assert (await call(fake, "answerCallbackQuery", callback_query_id=query))["ok"]
    assert (await call(fake, "answerCallbackQuery", callback_query_id=query))["error_code"] == 400
    assert (await call(fake, "answerCallbackQuery", callback_query_id="onbekend"))["error_code"] == 400
    with pytest.raises(LookupError):
        resident.press("Nee")


async def test_updates_stay_until_confirmed(fake: FakeTelegram) -> None:
    first = fake.resident().say("een")
    fake.resident().say("twee")
    fake.update({"poll": {}})
    wanted = {"allowed_updates": ["message"], "timeout": 5}
    assert len((await call(fake, "getUpdates", **wanted))["result"]) == 2
    assert len((await call(fake, "getUpdates", limit=1))["result"]) == 1
    [second] = (await call(fake, "getUpdates", offset=first + 1))["result"]
    assert second["message"]["text"] == "twee"
    assert (await call(fake, "getUpdates", offset=first + 2))["result"] == []


async def test_one_at_a_time_may_fetch(fake: FakeTelegram) -> None:
    first = asyncio.create_task(call(fake, "getUpdates", timeout=30))
    await fake.until(lambda: len(fake.sent("getUpdates")) == 1)
    second = asyncio.create_task(call(fake, "getUpdates", timeout=30))
    assert (await first)["error_code"] == 409
    fake.resident().say("hoi")
    assert len((await second)["result"]) == 1
    await call(fake, "setWebhook", url="http://127.0.0.1:1/", secret_token="geheim")
    assert (await call(fake, "getUpdates"))["error_code"] == 409
    assert (await call(fake, "getWebhookInfo"))["result"]["pending_update_count"] == 1
    await call(fake, "deleteWebhook")
    assert len((await call(fake, "getUpdates"))["result"]) == 1
    assert not (await call(fake, "setWebhook", url="http://127.0.0.1:1/", secret_token="é"))["ok"]


async def test_too_fast_and_other_misfortune(fake: FakeTelegram) -> None:
    chat = fake.resident().id
    fake.per_chat_seconds = 60
    assert (await call(fake, "sendMessage", chat_id=chat, text="een"))["ok"]
    assert (await call(fake, "sendMessage", chat_id=chat, text="twee"))["parameters"] == {"retry_after": 60}
    fake.per_chat_seconds = 0
    fake.faults = Faults(flood=1, retry_after=3)
    assert (await call(fake, "sendMessage", chat_id=chat, text="drie"))["parameters"] == {"retry_after": 3}
    fake.faults = Faults(error=1)
    assert (await call(fake, "sendMessage", chat_id=chat, text="vier"))["error_code"] == 500
    fake.faults = Faults(drop_after=1)
    with pytest.raises(ServerDisconnectedError):
        await call(fake, "sendMessage", chat_id=chat, text="vijf")
    assert fake.resident(chat).heard == ["een", "vijf"]
    fake.fail("getMe", Dropped(), Refusal(502, "Bad Gateway"))
    with pytest.raises(ServerDisconnectedError):
        await call(fake, "getMe")
    assert (await call(fake, "getMe"))["error_code"] == 502
    assert (await call(fake, "getMe"))["result"]["is_bot"]


async def test_a_file_is_kept_to_be_fetched(fake: FakeTelegram) -> None:
    resident = fake.resident()
    resident.send_file(
        "document", b"%PDF-1.7", "application/pdf", file_name="brief.pdf", caption="Mijn brief"
    )
    resident.send_file("photo", b"x" * 100)
    document, photo = (update["message"] for update in (await call(fake, "getUpdates"))["result"])
    assert (document["document"]["file_name"], document["caption"]) == ("brief.pdf", "Mijn brief")
    assert [size["width"] for size in photo["photo"]] == [90, 1280]
    about = (await call(fake, "getFile", file_id=document["document"]["file_id"]))["result"]
    assert about["file_size"] == 8
    async with ClientSession() as session:
        for token, status in ((fake.token, 200), ("1:other", 404)):
            async with session.get(f"{fake.url}/file/bot{token}/{about['file_path']}") as answer:
                assert answer.status == status
                assert (await answer.read() == b"%PDF-1.7") is (status == 200)
    assert (await call(fake, "getFile", file_id="onbekend"))["error_code"] == 400
    large = fake.keep(bytes(FILE_LIMIT + 1))
    assert "too big" in (await call(fake, "getFile", file_id=large))["description"]


async def test_a_reaction_comes_only_where_it_is_asked_for(fake: FakeTelegram) -> None:
    resident = fake.resident()
    await call(fake, "sendMessage", chat_id=resident.id, text="Hoi")
    resident.react("👍")
    assert (await call(fake, "getUpdates"))["result"] == []
    assert "allowed_updates" not in (await call(fake, "getWebhookInfo"))["result"]
    resident.react("👍")
    resident.react()
    wanted = ["message", "message_reaction"]
    first, second = (await call(fake, "getUpdates", allowed_updates=wanted))["result"]
    assert first["message_reaction"]["new_reaction"] == [{"type": "emoji", "emoji": "👍"}]
    assert second["message_reaction"]["old_reaction"] == [{"type": "emoji", "emoji": "👍"}]
    assert second["message_reaction"]["new_reaction"] == []
    assert (await call(fake, "getWebhookInfo"))["result"]["allowed_updates"] == wanted
    await call(fake, "getUpdates", allowed_updates=[])
    assert "allowed_updates" not in (await call(fake, "getWebhookInfo"))["result"]


async def test_what_the_bot_api_does_not_know_is_written_down(fake: FakeTelegram) -> None:
    await call(fake, "sendMessage", chat_id=fake.resident().id, text="Hoi", markup="HTML")
    assert fake.invalid == ["sendMessage.markup: no such field"]


async def test_a_menu_is_kept(fake: FakeTelegram) -> None:
    assert (await call(fake, "getMyCommands"))["result"] == []
    commands = [{"command": "start", "description": "Begin"}]
    assert (await call(fake, "setMyCommands", commands=commands))["ok"]
    assert (await call(fake, "getMyCommands"))["result"] == commands


async def test_a_webhook_that_fails_is_told_of(fake: FakeTelegram) -> None:
    await call(fake, "setWebhook", url="http://127.0.0.1:1/", secret_token="geheim")
    fake.resident().say("hoi")
    await fake.until(lambda: bool(fake.webhook_answers))
    info = (await call(fake, "getWebhookInfo"))["result"]
    assert info["last_error_message"] == "Connection refused"
    assert info["last_error_date"] <= fake.now()
    await call(fake, "setWebhook", url=f"{fake.url}/nowhere")
    await fake.until(lambda: 404 in fake.webhook_answers)
    info = (await call(fake, "getWebhookInfo"))["result"]
    assert info["last_error_message"] == "Wrong response from the webhook: 404 Not Found"


def test_entities_count_in_utf16() -> None:
    assert parse_html("👍 <b>a &lt; 👍</b>") == ("👍 a < 👍", [{"type": "bold", "offset": 3, "length": 6}])


@pytest.mark.process
async def test_it_runs_as_a_process() -> None:
    command = (sys.executable, "-m", "tests.fakes.telegram", "--token", "9:x")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        async with ClientSession(url) as session:

            async def post(path: str, **body: Any) -> Any:
                async with session.post(path, json=body) as answer:
                    return await answer.json()

            async def get(path: str) -> Any:
                async with session.get(path) as answer:
                    return await answer.json()

            await post("/_fake/say", chat_id=7, text="hoi")
            await post("/_fake/update", chat_id=7, poll={})
            keyboard = {"inline_keyboard": [[{"text": "Ja", "callback_data": "a"}]]}
            await post("/bot9:x/sendMessage", chat_id=7, text="Kies", reply_markup=keyboard)
            [sent] = await get("/_fake/sent")
            assert (sent["chat_id"], sent["text"], sent["buttons"][0]["text"]) == (7, "Kies", "Ja")
            await post("/_fake/press", chat_id=7, which="Ja")
            state = await get("/_fake/state")
            assert (state["pending"], list(state["queries"].values())) == (3, [False])
            content = base64.b64encode(b"%PDF-1.7").decode()
            await post(
                "/_fake/send_file", chat_id=7, kind="document", content=content, mime="application/pdf"
            )
            await post("/_fake/react", chat_id=7, emoji="👍")
            await post("/_fake/react", chat_id=7, emoji="")
            assert (await get("/_fake/state"))["pending"] == 6
            await post("/_fake/faults", error=1.0)
            assert (await post("/bot9:x/sendMessage", chat_id=7, text="Hoi"))["error_code"] == 500
            await post("/_fake/block", chat_id=7)
    finally:
        process.terminate()
        await process.wait()
