"""The way to Telegram's Bot API: python-telegram-bot's Bot, quiet, with raw answers, files, and our faults."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Awaitable, Mapping
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import quote

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

from bot.model import Media
from bot.ports import SendFault

T = TypeVar("T")

NO_TOKEN = "the token is not accepted"  # noqa: S105 - a reason, not a token
TOO_LARGE = "the file is too large"
_PATH = re.compile(r"\w[\w ()+-]*(?:\.[\w()+-]+)*(?:/\w[\w ()+-]*(?:\.[\w()+-]+)*)*")
"""Where a file is, below our address for files: no scheme, no way up, nothing that begins a query."""
_CHUNK = 64 * 1024

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
        self._files = _Request(seconds=60, connections=4)

    async def raw(self, method: str, parameters: Mapping[str, Any]) -> Any:
        """Call a method; what its `result` holds. Raises `TelegramError`."""
        try:
            return await self._post(method, dict(parameters))
        except LookupError:  # a good answer without a result: from a proxy in between
            raise TelegramError("unreadable answer") from None

    async def download(self, media: Media, limit: int) -> bytes:
        """A file by its id. Raises `SendFault`: for a larger one than `limit` it is not retryable, nor for one of
        more than 20 MB, which Telegram keeps to itself."""
        if media.size is not None and media.size > limit:
            raise SendFault(TOO_LARGE, retryable=False)
        try:
            about = await self.raw("getFile", {"file_id": media.ref})
        except BadRequest as error:
            raise _file_fault(error) from None
        except TelegramError as error:
            raise send_fault(error) from None
        if not isinstance(about, dict) or not isinstance(path := about.get("file_path"), str):
            raise SendFault("unreadable answer", retryable=True)
        if not _PATH.fullmatch(path):
            raise SendFault("the file is at a place that is not Telegram's", retryable=False)
        size = about.get("file_size")
        if isinstance(size, int) and size > limit:
            raise SendFault(TOO_LARGE, retryable=False)
        return await self._files.content(f"{self.base_file_url}/{quote(path)}", limit)

    async def close_connections(self) -> None:
        """Give the connections back. (`shutdown` does so only after an `initialize` that asks for getMe.)"""
        for request in (*self._request, self._files):
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
        except (ClientError, OSError) as error:
            raise NetworkError(type(error).__name__) from None
        if status >= 500 or (status != 200 and not _refused(payload)):
            raise NetworkError(f"HTTP {status}")
        return status, payload

    async def content(self, url: str, limit: int) -> bytes:
        """What is at an address, at most so many bytes. Raises `SendFault`."""
        content = bytearray()
        try:
            # Not to where it points on: the address holds the token.
            async with self._open().get(url, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise SendFault(f"HTTP {answer.status}", retryable=answer.status >= 400)
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    content += chunk
                    if len(content) > limit:
                        raise SendFault(TOO_LARGE, retryable=False)
        except NetworkError as error:
            raise send_fault(error) from None
        except (TimeoutError, ClientError, OSError, ValueError) as error:
            raise SendFault(f"no answer: {type(error).__name__}", retryable=True) from None
        return bytes(content)

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


def _refused(payload: bytes) -> bool:
    """Whether Telegram itself says no. A proxy in between may too, which will pass, and quote the address with
    the token, which nobody may read."""
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and isinstance(answer.get("description"), str)


async def faults_as_ours(call: Awaitable[T]) -> T:
    """Await a call to the Bot API. Raises `SendFault` where the library raises."""
    try:
        return await call
    except TelegramError as error:
        raise send_fault(error) from None
    except LookupError:  # as in `Api.raw`, from a method of the library
        raise SendFault("unreadable answer", retryable=True) from None


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
            return SendFault(NO_TOKEN, retryable=True)
        case _:
            return SendFault(f"no answer: {error.message.split(':')[0][:60]}", retryable=True)


def _file_fault(error: BadRequest) -> SendFault:
    """Telegram has one answer for a file that it does not know and one that it can't reach just now."""
    words = error.message.lower()
    if "too big" in words:
        return SendFault(TOO_LARGE, retryable=False)
    if "temporarily" in words:
        return SendFault("the file is unknown, or can't be had just now", retryable=True)
    return send_fault(error)
