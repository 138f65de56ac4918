"""Calls of a calendar of others, with faults as ours. Nothing is logged, and no answer is quoted: it may quote ours."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
)
from aiohttp import ConnectionTimeoutError as NotConnected
from yarl import URL

from bot.ports import CalendarFault

SECONDS = 15.0
"""So long a call may take, with all that comes back."""
_LARGEST = 4 * 2**20
_LATER = frozenset({408, 425, 429})
_WORD = re.compile(r"[\w.-]{1,80}", re.ASCII)
_ID = re.compile(r"[\w.-]{1,200}", re.ASCII)

Row = dict[str, Any]
UNREADABLE = object()


class Unsure(CalendarFault):
    """A call went out, and nobody knows whether it was done: no answer, or one that nobody can read."""

    def __init__(self, reason: str = "unreadable answer") -> None:
        super().__init__(reason, retryable=True)


class Declined(CalendarFault):
    """The calendar understood, and did not do it. `status` is that of HTTP, `code` its own."""

    def __init__(self, status: int, code: str = "", *, retryable: bool = False) -> None:
        super().__init__(f"HTTP {status} {code}".rstrip() + ": not taken", retryable=retryable)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `value` is `UNREADABLE` where it is no JSON, and None where there is nothing to tell (204)."""

    status: int
    value: Any
    headers: Mapping[str, str]


class Calls:
    """Calls below one address. The session begins with the first; once closed nothing can be asked any more."""

    def __init__(self, url: str) -> None:
        self._base = url.rstrip("/")
        self._session: ClientSession | None = None
        self._closed = False

    @property
    def exposed(self) -> bool:
        """Whether somebody on the way can read along."""
        here = ("localhost", "127.0.0.1", "::1")
        return not self._base.startswith("https://") and URL(self._base).host not in here

    async def send(self, method: str, path: str, **arguments: Any) -> Answer:
        """The answer, whatever it says. `path` is encoded. Raises `CalendarFault` where nothing went out, else
        `Unsure`."""
        url = URL(f"{self._base}/{path}", encoded=True)
        try:
            async with self._open().request(
                method, url, allow_redirects=False, timeout=_limits(), **arguments
            ) as answer:
                value = None if answer.status == 204 else _parsed(await _content(answer))
                return Answer(answer.status, value, answer.headers)
        except (ClientConnectorError, ClientHttpProxyError, NotConnected) as error:
            raise CalendarFault(f"no connection: {type(error).__name__}", retryable=True) from None
        except (TimeoutError, ClientError, OSError, ValueError) as error:
            raise Unsure(f"no answer: {type(error).__name__}") from None

    async def close(self) -> None:
        """Give the connections back."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    def _open(self) -> ClientSession:
        if self._closed:
            raise CalendarFault("closed", retryable=True)
        if self._session is None:
            self._session = ClientSession(trust_env=True)
        return self._session


def basic(name: str, secret: str) -> str:
    """The header for a name and a secret."""
    return f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"


def approve(answer: Answer, address: str, credentials: str, code: str = "") -> Any:
    """The value of an answer that says yes. `address` and `credentials` name the settings that an engineer puts right.
    Raises `Declined`, `Unsure` (what broke may have been done), and `CalendarFault` for the rest."""
    status = answer.status
    told = f"HTTP {status} {code}".rstrip()
    if 200 <= status < 300:
        return answer.value
    if status in (401, 403):
        raise CalendarFault(f"{told}: is {credentials} right?", retryable=False)
    if status < 400 or status == 405:
        raise CalendarFault(f"{told}: is {address} right?", retryable=False)
    if status in _LATER:
        raise CalendarFault(told, retryable=True)
    if status >= 500:
        raise Unsure(told)
    raise Declined(status, code)


def rows(value: Any) -> list[Row]:
    """A list of objects. Raises `Unsure` where it is none."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Unsure()
    return value


def row(value: Any) -> Row:
    """An object. Raises `Unsure` where it is none."""
    if not isinstance(value, dict):
        raise Unsure()
    return value


def text(value: Row, name: str) -> str:
    """A text in an object; empty where it is missing or null. Raises `Unsure` for anything else."""
    found = value.get(name)
    if found is not None and not isinstance(found, str):
        raise Unsure()
    return (found or "").strip()


def identifier(value: Row, name: str) -> str:
    """An id, fit to go into an address. Raises `Unsure` where it is none."""
    found = text(value, name)
    if not is_identifier(found):
        raise Unsure()
    return found


def is_identifier(word: str) -> bool:
    """Whether a word can be an id of a calendar: nothing that leads elsewhere in an address."""
    return _ID.fullmatch(word) is not None and word.strip(".") != ""


def code_word(value: Any) -> str:
    """A code that is safe to tell: a short word or a number."""
    found = str(value) if isinstance(value, str | int) else ""
    return found if _WORD.fullmatch(found) else ""


def _limits() -> ClientTimeout:
    return ClientTimeout(total=SECONDS, sock_connect=5)


async def _content(answer: ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in answer.content.iter_chunked(64 * 1024):
        content += chunk
        if len(content) > _LARGEST:
            raise ValueError("too much")
    return bytes(content)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return UNREADABLE
