"""The way to Open Klant: JSON calls with a token, with faults as ours. Nothing is logged, no answer is quoted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from bot.ports import RegistryFault

PATH = "/klantinteracties/api/v1"
PAGE = 100
_PAGES = 5
_SECONDS = 15.0
_LARGEST = 4 * 2**20
_LONGEST_ASKED = 3600.0
_LATER = frozenset({408, 425, 429})
_SETUP = {
    401: "is OPENKLANT_TOKEN right?",
    403: "may the token do this?",
    404: "is OPENKLANT_URL right?",
    405: "is OPENKLANT_URL right?",
}
"""What an engineer puts right; then what waits goes in by itself."""
_NAME = re.compile(r"[\w.-]{1,80}", re.ASCII)

Row = dict[str, Any]


class Declined(RegistryFault):
    """Open Klant understood and does not take it: `fields` are the names of what is wrong, each with a code."""

    def __init__(self, status: int, fields: Mapping[str, str]) -> None:
        told = ", ".join(f"{name} ({code})" for name, code in fields.items())
        super().__init__(f"HTTP {status}: not taken" + (f": {told}" if told else ""), retryable=False)
        self.fields = fields

    def names(self, field: str, code: str | None = None) -> bool:
        """Whether a field is what is wrong, also where it stands within another one."""
        found = (c for name, c in self.fields.items() if name.split(".")[-1] == field)
        return any(code in (None, one) for one in found)


class Api:
    """Calls below one address. The session begins with the first; once closed nothing can be asked any more."""

    def __init__(self, url: str, token: str) -> None:
        base = url.rstrip("/")
        self._base = base if base.endswith(PATH) else f"{base}{PATH}"
        self._token = token
        self._session: ClientSession | None = None
        self._closed = False

    @property
    def safe(self) -> bool:
        """Whether nobody on the way can read along."""
        return self._base.startswith("https://")

    async def get(self, path: str, **query: str) -> Row:
        """What there is at a path. Raises `RegistryFault`."""
        return await self._call("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, Any]) -> Row:
        """Have something made; what was made. Raises `RegistryFault`."""
        return await self._call("POST", path, json=body)

    async def rows(self, path: str, **query: str) -> list[Row]:
        """All that fits a question which few things fit, page by page. Raises `RegistryFault`."""
        found: list[Row] = []
        for page in range(1, _PAGES + 1):
            answer = await self.get(path, page=str(page), pageSize=str(PAGE), **query)
            results = answer.get("results")
            if not isinstance(results, list):
                raise _unreadable()
            found += [row for row in results if isinstance(row, dict)]
            if not answer.get("next"):
                return found
        # An answer to another question than ours: what we look for may be there, and must not be made again.
        raise RegistryFault(f"{path} can't be searched: the filter has no effect", retryable=False)

    async def close(self) -> None:
        """Give the connections back."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def _call(self, method: str, path: str, **arguments: Any) -> Row:
        headers = {"Authorization": f"Token {self._token}", "Accept": "application/json"}
        try:
            async with self._open().request(
                method, f"{self._base}/{path}", headers=headers, allow_redirects=False, **arguments
            ) as answer:
                value = _parsed(await _content(answer))
                status = answer.status
        except (TimeoutError, ClientError, OSError, ValueError) as error:
            raise RegistryFault(f"no answer: {type(error).__name__}", retryable=True) from None
        if not 200 <= status < 300:
            raise _fault(answer, value)
        if not isinstance(value, dict):
            raise _unreadable()
        return value

    def _open(self) -> ClientSession:
        if self._closed:
            raise RegistryFault("closed", retryable=True)
        if self._session is None:
            timeout = ClientTimeout(total=_SECONDS, sock_connect=5)
            self._session = ClientSession(timeout=timeout, trust_env=True)
        return self._session


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


def _unreadable() -> RegistryFault:
    return RegistryFault("unreadable answer", retryable=True)


def _fault(answer: ClientResponse, value: Any) -> RegistryFault:
    """By the status, with the code of Open Klant. Its own words may quote ours: they stay out."""
    status = answer.status
    code = _word(value.get("code")) if isinstance(value, dict) else ""
    told = f"HTTP {status} {code}".rstrip()
    if advice := _SETUP.get(status, "is OPENKLANT_URL right?" if status < 400 else ""):
        return RegistryFault(f"{told}: {advice}", retryable=True)
    if status >= 500 or status in _LATER:
        return RegistryFault(told, retryable=True, retry_after=_asked(answer))
    return Declined(status, _fields(value))


def _asked(answer: ClientResponse) -> float | None:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_ASKED) if asked.isdecimal() and len(asked) < 9 else None


def _fields(value: Any) -> dict[str, str]:
    params = value.get("invalidParams") if isinstance(value, dict) else None
    rows = [row for row in params if isinstance(row, dict)] if isinstance(params, list) else []
    return {_word(row.get("name")) or "?": _word(row.get("code")) or "?" for row in rows[:10]}


def _word(value: Any) -> str:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""
