"""The way to Telegram's Bot API: python-telegram-bot's Bot, quiet, with raw answers and faults as ours."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Awaitable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from telegram import Bot
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from bot.ports import SendFault

T = TypeVar("T")

_POOL = 64

# Lengths of time as timedelta, as the library's next version has them; else it warns of each that it reads.
os.environ["PTB_TIMEDELTA"] = "true"


class Api(Bot):
    """Bot, with a way to the answer as it came: the library refuses some that are good enough for us."""

    def __init__(self, token: str, *, api_url: str, poll_seconds: int) -> None:
        # Below WARNING these print the token (in addresses) and residents' words (in parameters).
        for library in ("httpx", "httpcore", "telegram"):
            logging.getLogger(library).setLevel(logging.WARNING)
        super().__init__(
            token,
            base_url=f"{api_url}/bot",
            base_file_url=f"{api_url}/file/bot",
            request=_Request(connection_pool_size=_POOL, pool_timeout=10, read_timeout=15),
            get_updates_request=_Request(connection_pool_size=1, read_timeout=poll_seconds + 10),
        )

    async def raw(self, method: str, parameters: Mapping[str, Any]) -> Any:
        """Call a method; what its `result` holds."""
        return await self._post(method, dict(parameters))

    async def close_connections(self) -> None:
        """Give the connections back. (`shutdown` does so only after an `initialize` that asks for getMe.)"""
        for request in self._request:
            await request.shutdown()


class _Request(HTTPXRequest):
    """Answers that the library would warn about, or log with their content, become plain errors."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        status, payload = await super().do_request(*args, **kwargs)
        if status >= 500:
            raise NetworkError(f"HTTP {status}")
        return status, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        try:
            answer = json.loads(payload)
        except (ValueError, RecursionError):
            raise TelegramError("unreadable answer") from None
        if not isinstance(answer, dict):
            raise TelegramError("unreadable answer")
        return answer


async def faults_as_ours(call: Awaitable[T]) -> T:
    """Await a call to the Bot API. Raises `SendFault` where the library raises."""
    try:
        return await call
    except TelegramError as error:
        raise send_fault(error) from None


def send_fault(error: TelegramError) -> SendFault:
    """What the error means for a message, and a reason that is safe to log."""
    match error:
        case RetryAfter(retry_after=timedelta() as wait):
            return SendFault("too many requests", retryable=True, retry_after=wait.total_seconds())
        case Forbidden():
            return SendFault("blocked", retryable=False)
        case BadRequest():
            # A description may quote what we sent: between quotes, or as a number.
            description = re.sub(r'".*"|\d{5,}', "…", error.message, flags=re.DOTALL)
            return SendFault(f"bad request: {description[:120]}", retryable=False)
        case InvalidToken():
            return SendFault("the token is not accepted", retryable=True)
        case _:
            return SendFault(f"no answer: {error.message.split(':')[0][:60]}", retryable=True)
