"""Answers that are not Telegram's, from a proxy in between: they pass, so nothing is given up for them, and no reason
tells of the token or of what was said."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from bot.model import Inbound, Media, Outbound
from bot.ports import SendFault
from connectors.telegram import Telegram

TOKEN = "1234567:AAHgeheimeSleutel"
PAGE = f"<html>The requested URL /bot{TOKEN}/sendMessage?text=geheim was not found".encode()
STRANGE = (
    PAGE,
    b"",
    b"{}",
    b"[1]",
    b'{"ok":false}',
    b'{"ok":false,"description":7}',
    b'{"ok":true}',
    b"[" * 100_000,
)
NOTHING_USEFUL: tuple[Any, ...] = (
    None,
    True,
    7,
    "geheim",
    [],
    [7],
    {},
    {"message_id": "geheim"},
    {"url": 5, "username": 5},
)
CODES = (200, 302, 400, 401, 403, 404, 407, 409, 413, 429, 500, 502)


class Proxy:
    """Gives the same answer to everything."""

    def __init__(self) -> None:
        self.status, self.body, self.url = 200, b"", ""

    async def answer(self, _: web.Request) -> web.Response:
        return web.Response(status=self.status, body=self.body)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    server = Proxy()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


@pytest.fixture
async def telegram(proxy: Proxy) -> AsyncIterator[Telegram]:
    address = "https://www.zonneveen.example/webhooks/telegram"
    channel = Telegram(TOKEN, api_url=proxy.url, webhook_url=address, secret="webhook-geheim")
    yield channel
    await channel.close()


def calls(channel: Telegram) -> list[Callable[[], Any]]:
    """Everything that can fail with a `SendFault`."""
    [body] = channel.render([Outbound("geheim")])
    return [
        lambda: channel.send("5000001", body),
        lambda: channel.acknowledge(Inbound("telegram", "5000001", "1", reply_to="2")),
        lambda: channel.fetch(Media("AgACAgQ"), 1000),
    ]


@pytest.mark.parametrize("status", CODES)
async def test_what_is_not_telegrams_answer_will_pass(proxy: Proxy, telegram: Telegram, status: int) -> None:
    proxy.status = status
    for body in STRANGE:
        proxy.body = body
        for call in calls(telegram):
            with pytest.raises(SendFault) as caught:
                await call()
            assert caught.value.retryable
            assert_quiet(caught.value.reason)
        health = await telegram.health()
        assert health.state == "down"
        assert_quiet(health.detail)
        [finding] = await telegram.check()
        assert (finding.what, finding.state) == ("token", "wrong")
        assert_quiet(finding.advice)


async def test_results_of_another_kind_are_no_surprise(proxy: Proxy, telegram: Telegram) -> None:
    for result in NOTHING_USEFUL:
        proxy.body = json.dumps({"ok": True, "result": result}).encode()
        send, acknowledge, fetch = calls(telegram)
        for call in (send, fetch):
            with pytest.raises(SendFault, match="unreadable") as caught:
                await call()
            assert caught.value.retryable
        await acknowledge()
        findings = await telegram.check()
        assert any(finding.state == "wrong" for finding in findings)
        assert_quiet(repr(findings))


def assert_quiet(words: str) -> None:
    for secret in ("geheim", "Sleutel", "1234567", "5000001"):
        assert secret not in words
