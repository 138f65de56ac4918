"""What an engineer hears of a Telegram bot that is not set up right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.ports import Finding
from connectors.telegram import COMMANDS, UPDATES, Telegram
from connectors.telegram_api import Api
from connectors.telegram_check import Account, check
from tests.fakes.telegram import Dropped, FakeTelegram
from tests.fakes.telegram_rules import Refusal

NOW = 1_795_424_400.0
WEBHOOK = "https://chat.zonneveen.example/webhooks/telegram"
GOOD = {
    "url": WEBHOOK,
    "has_custom_certificate": False,
    "pending_update_count": 0,
    "allowed_updates": [*UPDATES],
}
MENU = [{"command": command.command, "description": command.description} for command in COMMANDS]
METHODS = ("getMe", "getWebhookInfo", "getMyCommands")


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        server.commands = MENU
        yield server
        assert server.invalid == []


@pytest.fixture
async def api(fake: FakeTelegram) -> AsyncIterator[Api]:
    way = Api(fake.token, api_url=fake.url, poll_seconds=1)
    yield way
    await way.close_connections()


def account(webhook: str | None = WEBHOOK, api_url: str = "https://api.telegram.org") -> Account:
    return Account(api_url, webhook, UPDATES, [command.command for command in COMMANDS])


async def findings(
    fake: FakeTelegram, api: Api, monkeypatch: pytest.MonkeyPatch, about: Account, **info: Any
) -> list[Finding]:
    """What is found where Telegram tells this of the webhook."""
    known = {key: value for key, value in {**GOOD, **info}.items() if value is not None}
    monkeypatch.setattr(fake, "_webhook_info", lambda _: known)
    return await check(api, about, NOW)


def wrong(found: list[Finding]) -> dict[str, tuple[str, str]]:
    """What is not right, each with its state and advice, and that there is advice."""
    rows = {one.what: (one.state, one.advice) for one in found if one.state != "ok"}
    assert all(advice for _, advice in rows.values())
    return rows


async def test_all_is_right(fake: FakeTelegram, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await findings(fake, api, monkeypatch, account())
    assert [(one.state, one.what) for one in found] == [
        ("ok", "token of @klaartje_test_bot"),
        ("ok", "messages come in by webhook"),
        ("ok", f"webhook address {WEBHOOK}"),
        ("ok", "webhook at Telegram"),
        ("ok", "no failed calls"),
        ("ok", "0 waiting at Telegram"),
        ("ok", "kinds of update"),
        ("ok", "menu of commands"),
    ]
    polling = await findings(fake, api, monkeypatch, account(None), url="")
    assert [(one.state, one.what) for one in polling] == [
        ("ok", "token of @klaartje_test_bot"),
        ("ok", "messages come in by polling"),
        ("ok", "no webhook at Telegram"),
        ("ok", "0 waiting at Telegram"),
        ("ok", "kinds of update"),
        ("ok", "menu of commands"),
    ]


@pytest.mark.parametrize(
    ("about", "info", "what", "state", "advice"),
    [
        (account(), {"url": ""}, "webhook at Telegram", "wrong", "there is none"),
        (account(), {"url": "https://a.example/bot1:geheim"}, "webhook at Telegram", "wrong", "not ours"),
        (
            account(None),
            {"url": "https://a.example/bot1:geheim"},
            "webhook at Telegram",
            "wrong",
            "another program",
        ),
        (account(), {"pending_update_count": 101}, "101 waiting at Telegram", "wrong", "see above"),
        (
            account(None),
            {"url": "", "pending_update_count": 101},
            "101 waiting at Telegram",
            "wrong",
            "web process",
        ),
        (account(), {"allowed_updates": None}, "kinds of update", "todo", ", ".join(UPDATES)),
        (
            account(),
            {"allowed_updates": ["message", "callback_query"]},
            "kinds of update",
            "todo",
            "edited_message",
        ),
        (account(), {"allowed_updates": 5}, "kinds of update", "todo", "message"),
    ],
)
async def test_what_telegram_tells_of_the_webhook(
    fake: FakeTelegram,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    about: Account,
    info: dict[str, Any],
    what: str,
    state: str,
    advice: str,
) -> None:
    rows = wrong(await findings(fake, api, monkeypatch, about, **info))
    assert [*rows] == [what]
    assert rows[what][0] == state
    assert advice in rows[what][1]
    assert "geheim" not in str(rows)


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        (WEBHOOK.replace("https", "http"), "only calls https"),
        ("https://chat.zonneveen.example:8080/webhooks/telegram", "443, 80, 88, 8443"),
        ("https://chat.zonneveen.example:99999/webhooks/telegram", "443, 80, 88, 8443"),
    ],
)
async def test_telegram_does_not_call_everywhere(
    fake: FakeTelegram, api: Api, monkeypatch: pytest.MonkeyPatch, url: str, advice: str
) -> None:
    rows = wrong(await findings(fake, api, monkeypatch, account(url), url=url))
    assert [*rows] == [f"webhook address {url}"]
    assert advice in rows[f"webhook address {url}"][1]
    assert not wrong(await findings(fake, api, monkeypatch, account(url, fake.url), url=url))


@pytest.mark.parametrize(
    ("message", "trouble", "advice"),
    [
        ("Wrong response from the webhook: 503 Service Unavailable", "HTTP 503", "log of the web process"),
        ("Wrong response from the webhook: 403 Forbidden", "HTTP 403", "the secret"),
        ("Wrong response from the webhook: 404 Not Found", "HTTP 404", "the proxy"),
        ("Wrong response from the webhook: 302 Found", "HTTP 302", "the proxy"),
        (
            "SSL error {error:0A000086:SSL routines::certificate verify failed}",
            "the certificate is not",
            "authority",
        ),
        ("Connection timed out", "no answer in time", "firewall"),
        ("Read timeout expired", "no answer in time", "firewall"),
        ("Connection refused", "the connection is refused", "proxy runs"),
        ("Connection reset by peer", "the connection is broken off", "proxy"),
        ("Failed to resolve host: Name or service not known", "the name is unknown", "DNS"),
        ("geheim 149.154.167.220", "not reachable", "from outside"),
        (None, "not reachable", "from outside"),
    ],
)
async def test_a_call_that_failed_is_told_in_our_words(
    fake: FakeTelegram,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    message: str | None,
    trouble: str,
    advice: str,
) -> None:
    info = {"last_error_date": int(NOW) - 60, "last_error_message": message}
    rows = wrong(await findings(fake, api, monkeypatch, account(), **info))
    [(what, (state, told))] = rows.items()
    assert what.startswith(f"last failed call 2026-11-23 08:59 UTC: {trouble}")
    assert state == "wrong"
    assert advice in told
    assert "geheim" not in str(rows)
    old = await findings(fake, api, monkeypatch, account(), **info | {"last_error_date": int(NOW) - 4_000})
    assert not wrong(old)
    assert any(trouble in one.what for one in old)
    polling = await findings(fake, api, monkeypatch, account(None), **info, url="")
    assert not any("failed" in one.what for one in polling)


async def test_a_menu_that_lacks_a_command(
    fake: FakeTelegram, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.commands = [*MENU[:3], {"command": "oud", "description": "Oud"}]
    rows = wrong(await findings(fake, api, monkeypatch, account()))
    assert [*rows] == ["menu of commands"]
    assert "/mens, /stop" in rows["menu of commands"][1]


@pytest.mark.parametrize(
    "trouble", [Refusal(500, "geheim"), Dropped(), Refusal(400, 'Bad Request: "geheim"')]
)
@pytest.mark.parametrize("method", METHODS)
async def test_it_never_raises(
    fake: FakeTelegram, api: Api, monkeypatch: pytest.MonkeyPatch, method: str, trouble: Exception
) -> None:
    fake.fail(method, trouble)
    rows = wrong(await findings(fake, api, monkeypatch, account()))
    assert len(rows) == 1
    assert "geheim" not in str(rows)


@pytest.mark.parametrize(
    "nonsense", [None, [], "geheim", 5, [5, None, {"command": 7}], {"url": 5, "username": []}]
)
async def test_nonsense_does_not_break_it(
    api: Api, monkeypatch: pytest.MonkeyPatch, nonsense: object
) -> None:
    async def raw(_: Api, __: str, ___: object) -> object:
        return nonsense

    monkeypatch.setattr(Api, "raw", raw)
    assert wrong(await check(api, account(), NOW))


@pytest.mark.parametrize("value", [True, "gisteren", -1e300, 1e300, float("nan"), [], {}])
async def test_odd_numbers_do_not_break_it(
    fake: FakeTelegram, api: Api, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    await findings(fake, api, monkeypatch, account(), last_error_date=value, pending_update_count=value)


async def test_a_wrong_token_is_the_only_finding(fake: FakeTelegram) -> None:
    channel = Telegram("1:other-token", api_url=fake.url)
    [finding] = await channel.check()
    assert (finding.what, finding.state) == ("token", "wrong")
    assert "@BotFather" in finding.advice
    assert "other-token" not in str(finding)
    await channel.close()
    [finding] = await channel.check()
    assert "127.0.0.1" in finding.advice


@pytest.mark.parametrize("webhook", [None, "http://127.0.0.1:1/webhooks/telegram"])
async def test_once_started_all_is_right(fake: FakeTelegram, webhook: str | None) -> None:
    """Against the stand-in: what `listen` tells Telegram is what `check` looks for."""
    secret = "geheim" if webhook else None
    channel = Telegram(fake.token, api_url=fake.url, webhook_url=webhook, secret=secret)
    fake.commands = []
    assert {"menu of commands", "kinds of update"} <= wrong(await channel.check()).keys()
    await channel._enrol()
    if webhook is None:
        await channel._api.raw("getUpdates", {"timeout": 0, "allowed_updates": UPDATES})
    assert not wrong(await channel.check())
    await channel.close()
