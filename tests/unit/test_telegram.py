"""Telegram, against a stand-in for its server: polling, webhook, faults, quiet logs."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from bot.model import Choice, Inbound, Item, Kind, Link, Outbound
from bot.ports import Accept, Pace, Refused, SendFault, WebhookRequest
from connectors.telegram import Telegram
from tests.fakes.telegram import Dropped, FakeTelegram, Resident
from tests.fakes.telegram_rules import Refusal

SECRET = "webhook-secret"


class Inbox:
    """Takes what comes, each only once, and can be out of order for a while."""

    def __init__(self) -> None:
        self.items: list[Inbound] = []
        self.deliveries = 0
        self.down = 0
        self.news = asyncio.Event()

    async def accept(self, items: Sequence[Item]) -> None:
        self.deliveries += 1
        if self.down:
            self.down -= 1
            raise ConnectionError("the database says: geheim")
        known = {item.external_id for item in self.items}
        self.items += [item for item in items if isinstance(item, Inbound) and item.external_id not in known]
        self.news.set()

    async def texts(self, count: int) -> list[str]:
        """Wait for so many."""
        async with asyncio.timeout(10):
            while len(self.items) < count:
                self.news.clear()
                await self.news.wait()
        return [item.text for item in self.items]


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server
        assert server.invalid == []


@pytest.fixture
def resident(fake: FakeTelegram) -> Resident:
    return fake.resident(first_name="Noor")


@pytest.fixture
async def telegram(fake: FakeTelegram) -> AsyncIterator[Telegram]:
    channel = Telegram(fake.token, api_url=fake.url, pause=0.01)
    yield channel
    await channel.close()


@asynccontextmanager
async def listening(channel: Telegram, accept: Accept) -> AsyncIterator[None]:
    task = asyncio.create_task(channel.listen(accept))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_polling_takes_everything_once_and_in_order(
    fake: FakeTelegram, telegram: Telegram, resident: Resident
) -> None:
    inbox = Inbox()
    resident.say("/start")
    for number in range(150):
        resident.say(f"vraag {number}")
    async with listening(telegram, inbox.accept):
        assert await inbox.texts(151) == ["", *(f"vraag {number}" for number in range(150))]
        resident.say("nog een")
        assert (await inbox.texts(152))[-1] == "nog een"
        await fake.until(lambda: not fake.pending)
    assert [command["command"] for command in fake.commands] == ["start", "help", "opnieuw", "mens", "stop"]
    assert json.loads(fake.sent("getUpdates")[0]["allowed_updates"]) == [
        "message",
        "edited_message",
        "callback_query",
        "message_reaction",
    ]


async def test_nothing_is_confirmed_before_it_is_stored(
    fake: FakeTelegram, telegram: Telegram, resident: Resident
) -> None:
    inbox = Inbox()
    inbox.down = 3
    resident.say("een")
    resident.say("twee")
    async with listening(telegram, inbox.accept):
        assert await inbox.texts(2) == ["een", "twee"]
        assert inbox.deliveries == 4
        assert not any("offset" in call for call in fake.sent("getUpdates")[:4])
        await fake.until(lambda: not fake.pending)


async def test_a_crash_after_storing_brings_it_again(fake: FakeTelegram, resident: Resident) -> None:
    inbox = Inbox()
    stored = asyncio.Event()

    async def store_and_hang(items: Sequence[Item]) -> None:
        await inbox.accept(items)
        stored.set()
        await asyncio.Event().wait()

    resident.say("een")
    first, second = (Telegram(fake.token, api_url=fake.url, pause=0.01) for _ in range(2))
    async with listening(first, store_and_hang):
        await stored.wait()
    assert len(fake.pending) == 1
    async with listening(second, inbox.accept):
        await fake.until(lambda: not fake.pending)
    assert (inbox.deliveries, len(inbox.items)) == (2, 1)
    await first.close()
    await second.close()


async def test_update_ids_may_start_again_lower(
    fake: FakeTelegram, telegram: Telegram, resident: Resident
) -> None:
    inbox = Inbox()
    async with listening(telegram, inbox.accept):
        resident.say("een")
        await inbox.texts(1)
        await fake.until(lambda: not fake.pending)
        polls = len(fake.sent("getUpdates"))
        fake.fail("getUpdates", Refusal(500, "Internal Server Error"))
        resident.say("twee")
        await inbox.texts(2)
        await fake.until(lambda: len(fake.sent("getUpdates")) > polls + 1 and not fake.pending)
        resident.edit("afgebroken")
        await inbox.texts(3)
        await fake.until(lambda: not fake.pending)
    fake.restart_numbers()
    async with listening(telegram, inbox.accept):
        resident.say("na een week")
        assert await inbox.texts(4) == ["een", "twee", "afgebroken", "na een week"]


async def test_polling_outlasts_what_goes_wrong(
    fake: FakeTelegram, telegram: Telegram, resident: Resident
) -> None:
    inbox = Inbox()
    fake.webhook = {"url": "http://127.0.0.1:1/elders"}
    fake.fail("deleteWebhook", Refusal(502, "Bad Gateway"), Dropped())
    fake.fail("setMyCommands", Refusal(500, "Internal Server Error"))
    flood = Refusal(429, "Too Many Requests: retry after 1", retry_after=1)
    fake.fail("getUpdates", Dropped(), Refusal(401, "Unauthorized"), Refusal(409, "Conflict: other"), flood)
    resident.say("nog hier")
    async with listening(telegram, inbox.accept):
        assert await inbox.texts(1) == ["nog hier"]
        await fake.until(lambda: not fake.pending)
    assert (await telegram.health()).state == "ok"


async def test_a_webhook_that_someone_set_is_taken_away(
    fake: FakeTelegram, telegram: Telegram, resident: Resident
) -> None:
    inbox = Inbox()
    async with listening(telegram, inbox.accept):
        await fake.until(lambda: bool(fake.sent("getUpdates")))
        fake.webhook = {"url": "http://127.0.0.1:1/elders", "allowed_updates": ["poll"]}
        fake._end_poll()
        await fake.until(lambda: not fake.webhook)
        resident.say("hoi")
        assert await inbox.texts(1) == ["hoi"]


async def test_an_update_that_cannot_be_read_does_not_stop_the_rest(
    fake: FakeTelegram, telegram: Telegram, resident: Resident, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox()
    resident.say("voor")
    fake.update({"message": {"text": "geheim", "chat": {"id": 1}}}, 1)
    resident.say("na")
    async with listening(telegram, inbox.accept):
        assert await inbox.texts(2) == ["voor", "na"]
        await fake.until(lambda: not fake.pending)
    assert "telegram: skipped an update that can't be read (KeyError)" in caplog.messages
    assert "geheim" not in caplog.text


async def test_an_update_that_cannot_be_read_is_taken_from_a_webhook_too(
    fake: FakeTelegram, resident: Resident, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox()
    runner, url = await serve_webhook(inbox, lambda: channel, [])
    channel = Telegram(fake.token, api_url=fake.url, secret=SECRET, webhook_url=url, name="burgerzaken")
    fake.update({"message": {"text": "geheim", "chat": {"id": 1}}}, resident.id)
    resident.say("na")
    await channel.listen(inbox.accept)
    assert await inbox.texts(1) == ["na"]
    await fake.until(lambda: not fake.pending)
    assert fake.webhook_answers == [200, 200]
    assert "burgerzaken: skipped an update that can't be read (KeyError)" in caplog.messages
    assert "geheim" not in caplog.text
    await channel.close()
    await runner.cleanup()


@pytest.mark.parametrize("kind", ["my_chat_member", "poll", "business_message", "hologram_call"])
def test_what_is_not_for_us_is_no_news(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert Telegram("1:x").parse(json.dumps({"update_id": 1, kind: {"chat": "geheim"}}).encode()) == []
    assert not [record for record in caplog.records if record.name.startswith("connectors")]


async def test_health_tells_what_is_wrong(fake: FakeTelegram, telegram: Telegram, resident: Resident) -> None:
    inbox = Inbox()
    inbox.down = 1_000
    resident.say("hoi")
    async with listening(telegram, inbox.accept):
        async with asyncio.timeout(5):
            while (await telegram.health()).state != "degraded":
                await asyncio.sleep(0.01)
        assert (await telegram.health()).detail == "could not store (ConnectionError)"
        inbox.down = 0
        await inbox.texts(1)
    assert (await telegram.health()).state == "ok"
    fake.token = "1:other"
    assert (await telegram.health()).state == "down"
    assert "token" in (await telegram.health()).detail


async def test_a_webhook_is_set_until_it_works_and_takes_what_comes(
    fake: FakeTelegram, resident: Resident
) -> None:
    inbox = Inbox()
    failures = [503, 500]
    runner, url = await serve_webhook(inbox, lambda: channel, failures)
    channel = Telegram(fake.token, api_url=fake.url, secret=SECRET, webhook_url=url, pause=0.01)
    fake.fail("setWebhook", Refusal(500, "Internal Server Error"), Dropped())
    resident.say("een")
    await channel.listen(inbox.accept)  # returns: Telegram calls us
    assert len(fake.sent("setWebhook")) == 3
    resident.say("twee")
    fake.update({"my_chat_member": {}}, resident.id)
    await fake.until(lambda: not fake.pending)
    assert await inbox.texts(2) == ["een", "twee"]
    assert not failures
    assert fake.webhook_answers == [503, 500, 200, 200]
    assert fake.webhook["secret_token"] == SECRET
    assert len(fake.commands) == 5
    await channel.close()
    await runner.cleanup()


async def serve_webhook(
    inbox: Inbox, channel: Callable[[], Telegram], failures: list[int]
) -> tuple[web.AppRunner, str]:
    """A web server that does what the house does, after some failures."""

    async def hook(request: web.Request) -> web.Response:
        if failures:
            return web.Response(status=failures.pop(0))
        body = await request.read()
        channel().verify(WebhookRequest("POST", request.headers, request.query, body))
        await inbox.accept(channel().parse(body))
        return web.Response()

    app = web.Application()
    app.router.add_post("/webhooks/telegram", hook)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/telegram"


def test_a_webhook_needs_address_and_secret() -> None:
    with pytest.raises(ValueError, match="secret"):
        Telegram("1:x", secret=SECRET)
    with pytest.raises(ValueError, match="secret"):
        Telegram("1:x", webhook_url="https://www.zonneveen.example/webhooks/telegram")


async def test_a_conversation_with_buttons(
    fake: FakeTelegram, telegram: Telegram, resident: Resident
) -> None:
    inbox = Inbox()
    message = Outbound(
        "**Bedoelt u** een van deze?\n\n- kies < 1 & tik",
        (Choice("article:paspoort-aanvragen", "Paspoort aanvragen"), Choice("human", "Een medewerker")),
        (Link("Website", "https://www.zonneveen.example/"), Link("Bel 14 0999", "tel:14 0999")),
    )
    async with listening(telegram, inbox.accept):
        for body in telegram.render([message]):
            await telegram.send(str(resident.id), body)
        assert resident.heard == ["Bedoelt u een van deze?\n\n• kies < 1 & tik\nBel 14 0999"]
        assert resident.transcript[-1]["entities"] == [{"type": "bold", "offset": 0, "length": 9}]
        assert [button["text"] for button in resident.buttons] == [
            "Paspoort aanvragen",
            "Een medewerker",
            "Website",
        ]
        resident.press("Een medewerker")
        await inbox.texts(1)
    [press] = inbox.items
    assert (press.kind, press.text, press.choice) == (Kind.CHOICE, "Een medewerker", "human")
    await telegram.acknowledge(press)
    assert list(fake.queries.values()) == [True]
    assert fake.typing == [resident.id]
    with pytest.raises(SendFault) as twice:
        await telegram.acknowledge(press)
    assert not twice.value.retryable


async def test_an_edit_is_read_and_not_typed_at(
    fake: FakeTelegram, telegram: Telegram, resident: Resident
) -> None:
    inbox = Inbox()
    resident.say("paspoort")
    resident.edit("rijbewijs")
    async with listening(telegram, inbox.accept):
        assert await inbox.texts(2) == ["paspoort", "rijbewijs"]
    assert inbox.items[1].kind is Kind.EDIT
    for item in inbox.items:
        await telegram.acknowledge(item)
    assert fake.typing == [resident.id]


async def test_a_press_is_answered_where_nobody_types(
    fake: FakeTelegram, telegram: Telegram, resident: Resident
) -> None:
    [body] = telegram.render([Outbound("Kies", (Choice("human", "Een medewerker"),))])
    await telegram.send(str(resident.id), body)
    resident.press("human")
    [press] = telegram.parse(json.dumps(fake.pending[0][2]).encode())
    assert isinstance(press, Inbound)
    await telegram.acknowledge(press, typing=False)
    assert list(fake.queries.values()) == [True]
    assert fake.typing == []


async def test_a_reaction_is_read_and_not_typed_at(
    fake: FakeTelegram, telegram: Telegram, resident: Resident
) -> None:
    inbox = Inbox()
    key = await telegram.send(str(resident.id), telegram.render([Outbound("Hoi")])[0])
    async with listening(telegram, inbox.accept):
        await fake.until(lambda: bool(fake.sent("getUpdates")))
        resident.react("👍")
        resident.react()
        assert await inbox.texts(2) == ["👍", ""]
    assert [(item.kind, item.ref) for item in inbox.items] == [(Kind.REACTION, key)] * 2
    for item in inbox.items:
        await telegram.acknowledge(item)
    assert fake.typing == []


async def test_the_address_is_that_of_today(telegram: Telegram, resident: Resident) -> None:
    """Bodies that an earlier version stored hold a chat of their own."""
    [body] = telegram.render([Outbound("Hoi")])
    assert "chat_id" not in body
    await telegram.send(str(resident.id), {"chat_id": "404", **body})
    assert resident.heard == ["Hoi"]


async def test_each_message_of_a_turn_has_its_own_buttons(telegram: Telegram, resident: Resident) -> None:
    messages = [
        Outbound("Welkom"),
        Outbound("Kies", (Choice("human", "Een medewerker"),)),
        Outbound("Tot ziens"),
    ]
    bodies = telegram.render(messages)
    assert bodies == [body for message in messages for body in telegram.render([message])]
    assert ["reply_markup" in body for body in bodies] == [False, True, False]
    assert telegram.render([]) == []


async def test_an_answer_without_an_id_is_not_sent(
    fake: FakeTelegram, telegram: Telegram, resident: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "_send_message", lambda _: {"date": 1})
    with pytest.raises(SendFault, match="unreadable answer") as caught:
        await telegram.send(str(resident.id), telegram.render([Outbound("Hoi")])[0])
    assert caught.value.retryable


def test_what_it_bears_can_be_set() -> None:
    limits = Telegram("1:x").limits
    assert (limits.pace, limits.resident_pace) == (Pace(30, 30), Pace(1, 20))
    assert limits.counted
    assert not limits.reads
    assert not limits.receipts
    assert (limits.choices, limits.window_hours) == (None, None)
    slow = Telegram("1:x", rate=5, burst=6, resident_rate=0.5, resident_burst=2).limits
    assert (slow.pace, slow.resident_pace) == (Pace(5, 6), Pace(0.5, 2))


def test_there_is_no_handshake_and_no_template() -> None:
    channel = Telegram("1:x")
    with pytest.raises(Refused) as refusal:
        channel.handshake(WebhookRequest("GET", {}, {"hub.challenge": "1"}, b""))
    assert refusal.value.status == 405
    assert channel.templates == {}


def test_two_bots_have_names_of_their_own() -> None:
    update = json.dumps(
        {
            "update_id": 1,
            "message": {
                "message_id": 5,
                "date": 1_795_000_000,
                "chat": {"id": 7, "type": "private"},
                "from": {"id": 7, "is_bot": False, "first_name": "Noor"},
                "text": "hoi",
            },
        }
    ).encode()
    names = ("burgerzaken", "jeugd")
    channels = [Telegram(f"{number}:x", name=name) for number, name in enumerate(names, 1)]
    assert [channel.name for channel in channels] == list(names)
    assert [item.channel for channel in channels for item in channel.parse(update)] == list(names)


async def test_who_blocks_us_hears_no_more(telegram: Telegram, resident: Resident) -> None:
    resident.block()
    with pytest.raises(SendFault, match="blocked") as caught:
        await telegram.send(str(resident.id), telegram.render([Outbound("Hoi")])[0])
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "text", ["woord " * 2_000, "👨‍👩‍👧" * 1_500, "<&>" * 3_000, "**vet en** gewoon. " * 500]
)
async def test_long_text_comes_whole_with_the_buttons_last(
    telegram: Telegram, resident: Resident, text: str
) -> None:
    for body in telegram.render([Outbound(text, (Choice("human", "Een medewerker"),))]):
        await telegram.send(str(resident.id), body)
    assert len(resident.heard) > 1
    assert "".join("".join(resident.heard).split()) == "".join(text.replace("**", "").split())
    assert [message.get("reply_markup") is not None for message in resident.transcript].index(True) == len(
        resident.heard
    ) - 1


async def test_more_buttons_than_fit_one_message(telegram: Telegram, resident: Resident) -> None:
    choices = tuple(Choice(f"inform:{number}", f"Keuze {number}") for number in range(230))
    for body in telegram.render([Outbound("Kies", choices)]):
        await telegram.send(str(resident.id), body)
    sent = [m["reply_markup"]["inline_keyboard"] for m in resident.transcript]
    assert [button["callback_data"] for rows in sent for [button] in rows] == [
        choice.id for choice in choices
    ]


async def test_nothing_to_say_is_no_message(telegram: Telegram) -> None:
    assert telegram.render([Outbound(" \n ")]) == []


async def test_logs_hold_no_token_and_no_words(
    fake: FakeTelegram, resident: Resident, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    channel = Telegram(fake.token, api_url=fake.url, pause=0.01)
    inbox = Inbox()
    inbox.down = 1
    fake.fail("getUpdates", Dropped(), Refusal(401, "Unauthorized"), Refusal(400, 'Bad Request: "geheim"'))
    fake.fail(
        "sendMessage", Refusal(500, "geheim"), Refusal(400, 'Bad Request: can\'t parse "geheim"'), Dropped()
    )
    resident.say("mijn geheim")
    resident.deliver({"text": 12, "caption": "geheim"})
    reasons = []
    async with listening(channel, inbox.accept):
        await inbox.texts(1)
        for _ in range(4):
            try:
                await channel.send(str(resident.id), channel.render([Outbound("ook geheim")])[0])
            except SendFault as fault:
                reasons.append(fault.reason)
        await channel.acknowledge(inbox.items[0])
        await fake.until(lambda: not fake.pending)
    fake.token = "2:another"
    await channel.health()
    await channel.close()
    assert len(reasons) == 3
    assert caplog.records
    for words in (caplog.text, *reasons):
        assert "1234567" not in words
        assert "fake-token" not in words
        assert "geheim" not in words
        assert str(resident.id) not in words


def test_a_reply_to_a_reply_without_end_is_skipped() -> None:
    start = '{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},"text":"hoi","reply_to_message":'
    for depth in (900, 100_000):
        body = '{"update_id":1,"message":' + start * depth + "null" + "}" * (depth + 1)
        with suppress(Refused):
            assert Telegram("1:x").parse(body.encode()) == []
