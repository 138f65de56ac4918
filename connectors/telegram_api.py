"""The way to Telegram's Bot API: python-telegram-bot's Bot, quiet, with raw answers and faults as ours."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Awaitable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from telegram import Bot
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import BaseRequest, RequestData

from bot.ports import SendFault

T = TypeVar("T")

# Lengths of time as timedelta, as the library's next version has them; else it warns of each that it reads.
os.environ["PTB_TIMEDELTA"] = "true"


class Api(Bot):
    """Bot, with a way to the answer as it came: the library refuses some that are good enough for us."""

    def __init__(self, token: str, *, api_url: str, poll_seconds: int) -> None:
        # Below WARNING the library prints the token (in addresses) and residents' words (in parameters).
        logging.getLogger("telegram").setLevel(logging.WARNING)
        super().__init__(
            token,
            base_url=f"{api_url}/bot",
            base_file_url=f"{api_url}/file/bot",
            request=_Request(seconds=20, connections=64),
            get_updates_request=_Request(seconds=poll_seconds + 10, connections=1),
        )

    async def raw(self, method: str, parameters: Mapping[str, Any]) -> Any:
        """Call a method; what its `result` holds."""
        return await self._post(method, dict(parameters))

    async def close_connections(self) -> None:
        """Give the connections back. (`shutdown` does so only after an `initialize` that asks for getMe.)"""
        for request in self._request:
            await request.shutdown()


class _Request(BaseRequest):
    """Requests by aiohttp, at a quarter of the library's own cost when many go out at once.

    It logs no answer and no address: they hold residents' words and the token.
    """

    def __init__(self, *, seconds: float, connections: int) -> None:
        self._seconds = seconds
        self._connections = connections
        self._session: ClientSession | None = None
        self._closed = False

    @property
    def read_timeout(self) -> float:
        """Seconds to wait for an answer."""
        return self._seconds

    async def initialize(self) -> None:
        """The session begins with the first request."""

    async def shutdown(self) -> None:
        """Give the connections back; nothing can be asked any more."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *args: Any, **kwargs: Any
    ) -> tuple[int, bytes]:
        """Status and body of the answer."""
        form = request_data.json_parameters if request_data else None
        try:
            async with self._open().request(method, url, data=form) as answer:
                status, payload = answer.status, await answer.read()
        except TimeoutError:
            raise TimedOut from None
        except ClientError as error:
            raise NetworkError(type(error).__name__) from None
        if status >= 500:
            raise NetworkError(f"HTTP {status}")
        return status, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """The answer, which is an object."""
        try:
            answer = json.loads(payload)
        except (ValueError, RecursionError):
            raise TelegramError("unreadable answer") from None
        if not isinstance(answer, dict):
            raise TelegramError("unreadable answer")
        return answer

    def _open(self) -> ClientSession:
        if self._closed:
            raise NetworkError("closed")
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=self._connections),
                timeout=ClientTimeout(total=self._seconds, sock_connect=10),
                trust_env=True,
            )
        return self._session


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
