"""The residents' side of Telegram: brings their messages to the webhook and notes when each answer arrives.

Leaner than `tests.fakes.telegram`, which keeps the rules of the real one: here only time counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from urllib.parse import parse_qs

from bench.http import Connection, Server, post

TOKEN = "1234567:bench-token"
SECRET = "bench-secret"


class Vendor:
    """The channel server."""

    def __init__(self) -> None:
        self.url = ""
        self.sent = 0
        self._next = 1000
        self._waiting: dict[str, asyncio.Future[float]] = {}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Vendor]:
        """Take what the bot sends while the block runs."""
        server = await asyncio.get_running_loop().create_server(lambda: Server(self._take), "127.0.0.1", 0)
        async with server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    def _take(self, path: str, body: bytes) -> bytes:
        if path.endswith("/getMe"):
            return b'{"ok":true,"result":{"id":1234567,"is_bot":true,"first_name":"Klaartje","username":"k_bot"}}'
        if not path.endswith("/sendMessage"):
            return b'{"ok":true,"result":true}'
        arrived = perf_counter()
        self.sent += 1
        chat = parse_qs(body.decode())["chat_id"][0]
        if (waiting := self._waiting.pop(chat, None)) and not waiting.done():
            waiting.set_result(arrived)
        self._next += 1
        return b'{"ok":true,"result":{"message_id":%d}}' % self._next

    def update(self, chat: int, text: str) -> bytes:
        """The webhook call that brings a text of this resident."""
        self._next += 1
        person = {"id": chat, "is_bot": False, "first_name": "Noor", "language_code": "nl"}
        message = {
            "message_id": self._next,
            "from": person,
            "chat": {"id": chat, "type": "private", "first_name": "Noor"},
            "date": 1_795_000_000,
            "text": text,
        }
        body = json.dumps({"update_id": self._next, "message": message}).encode()
        return post("/webhooks/telegram", body, X_Telegram_Bot_Api_Secret_Token=SECRET)

    async def ask(self, webhook: Connection, chat: int, text: str) -> float:
        """Seconds from posting the text to the answer's arrival here."""
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[str(chat)] = answer
        started = perf_counter()
        status, _ = await webhook.post(self.update(chat, text))
        if status != 200:
            raise RuntimeError(f"the webhook answered {status}")
        try:
            return await asyncio.wait_for(answer, 30) - started
        except TimeoutError:
            raise RuntimeError(f"no answer within 30 s to: {text}") from None

    def settings(self, url: str) -> dict[str, str]:
        """What the bot's environment needs for this channel."""
        return {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": self.url,
            "TELEGRAM_WEBHOOK_SECRET": SECRET,
            "PUBLIC_URL": url,
        }
