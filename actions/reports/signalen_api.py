"""The way to Signalen: calls for residents, with faults as ours. Nothing is logged, no answer is quoted."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import ClientConnectorError, ClientError, ClientResponse, ClientSession, ClientTimeout, FormData

from bot.ports import ReportFault

PATH = "/signals/v1/public"
_SECONDS = 15.0
_LARGEST = 4 * 2**20
_LATER = frozenset({408, 425, 429})
_SETUP = {
    401: "it asks for an account: is SIGNALEN_URL the address for residents?",
    403: "we may not: is SIGNALEN_URL the address for residents?",
    404: "is SIGNALEN_URL right?",
    405: "is SIGNALEN_URL right?",
}

Row = dict[str, Any]


class Missing(ReportFault):
    """404: there is no such thing, or nothing at all at this address."""


class Api:
    """Calls below one address. The session begins with the first; once closed nothing can be asked any more."""

    def __init__(self, url: str) -> None:
        base = url.rstrip("/")
        self._base = base if base.endswith(PATH) else f"{base}{PATH}"
        self._session: ClientSession | None = None
        self._closed = False

    @property
    def safe(self) -> bool:
        """Whether nobody on the way can read along."""
        return self._base.startswith("https://")

    def address(self, path: str) -> str:
        """The whole address of a path."""
        return f"{self._base}/{path}"

    async def get(self, path: str) -> Row:
        """What there is at a path. Raises `ReportFault`."""
        return await self._call("GET", path)

    async def post(self, path: str, body: Row) -> Row:
        """Make something. Raises `ReportFault`, `unknown` where it may have been made."""
        return await self._call("POST", path, json=body)

    async def upload(self, path: str, content: bytes, name: str, mime: str) -> None:
        """Send a file. Raises `ReportFault`."""
        form = FormData()
        form.add_field("file", content, filename=name, content_type=mime)
        await self._call("POST", path, data=form)

    async def close(self) -> None:
        """Give the connections back."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def _call(self, method: str, path: str, **body: Any) -> Row:
        making = method == "POST"
        try:
            async with self._open().request(
                method, self.address(path), allow_redirects=False, **body
            ) as answer:
                value = _parsed(await _content(answer))
                status, wait = answer.status, answer.headers.get("Retry-After", "")
        except ClientConnectorError as error:  # it never got there
            raise ReportFault(f"no answer: {type(error).__name__}", retryable=True) from None
        except (TimeoutError, ClientError, OSError, ValueError) as error:
            told = f"no answer: {type(error).__name__}"
            raise ReportFault(told, retryable=True, unknown=making) from None
        if status not in (200, 201):
            raise _fault(status, wait, making=making)
        if not isinstance(value, dict):
            raise ReportFault("unreadable answer", retryable=True, unknown=making)
        return value

    def _open(self) -> ClientSession:
        if self._closed:
            raise ReportFault("closed", retryable=True)
        if self._session is None:
            timeout = ClientTimeout(total=_SECONDS, sock_connect=3)
            headers = {"Accept": "application/json"}
            self._session = ClientSession(timeout=timeout, trust_env=True, headers=headers)
        return self._session


def unreadable() -> ReportFault:
    """An answer that nobody can read: a proxy's, or of another version."""
    return ReportFault("unreadable answer", retryable=True)


def _fault(status: int, wait: str, *, making: bool) -> ReportFault:
    told = f"HTTP {status}"
    if status == 404:
        return Missing(f"{told}: {_SETUP[404]}", retryable=False)
    if status in _SETUP:
        return ReportFault(f"{told}: {_SETUP[status]}", retryable=False)
    seconds = float(wait) if wait.isdecimal() and len(wait) < 6 else None
    later = status >= 500 or status in _LATER
    return ReportFault(told, retryable=later, retry_after=seconds, unknown=making and status >= 500)


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
        return None
