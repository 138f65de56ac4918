"""The way to a Zaken API: JSON calls with a token of its own kind, with faults as ours. Nothing is logged, no answer is
quoted: its sentences may hold what a resident gave."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from joserfc import jwt
from joserfc.jwk import OctKey

from bot.ports import CaseFault

PATH = "/zaken/api/v1"
CRS = "EPSG:4326"
"""The coordinates that we take; a question without this header is refused (412)."""

_USER = "klaartje"
_PAGES = 5
_SECONDS = 5.0
_LARGEST = 4 * 2**20
_CODES = {
    "invalid-jwt-signature": "is ZGW_SECRET right?",
    "invalid-client-identifier": "is ZGW_CLIENT_ID right?",
    "jwt-expired": "does the clock of this machine go right?",
    "permission_denied": "may the client read cases (zaken.lezen), of these types?",
}
_SETUP = {401: "are ZGW_CLIENT_ID and ZGW_SECRET right?", 404: "is ZGW_URL right?", 405: "is ZGW_URL right?"}
_LATER = frozenset({408, 425, 429})
_NAME = re.compile(r"[\w.-]{1,60}", re.ASCII)

Row = dict[str, Any]


class Missing(CaseFault):
    """404: there is no such thing, or nothing at all at this address."""


class Api:
    """Calls below one address. The session begins with the first; once closed nothing can be asked any more."""

    def __init__(self, url: str, client_id: str, secret: str, now: Callable[[], float]) -> None:
        base = url.rstrip("/")
        self.base = base if base.endswith(PATH) else f"{base}{PATH}"
        self._client_id = client_id
        self._key = OctKey.import_key(secret)
        self._now = now
        self._session: ClientSession | None = None
        self._closed = False

    @property
    def safe(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.base.startswith("https://")

    async def get(self, path: str, **query: str) -> Row:
        """What there is at a path. Raises `CaseFault`."""
        return await self._get(f"{self.base}/{path}", query)

    async def rows(self, path: str, **query: str) -> list[Row]:
        """All that fits a question which few things fit, page by page. Raises `CaseFault`."""
        found: list[Row] = []
        address, asked = f"{self.base}/{path}", query
        for _ in range(_PAGES):
            answer = await self._get(address, asked)
            results = answer.get("results")
            if not isinstance(results, list) or not all(isinstance(row, dict) for row in results):
                raise unreadable()
            found += results
            following = answer.get("next")
            if not following:
                return found
            # Only the question is taken of it: behind a proxy it may name another address, and our token stays here.
            address, asked = f"{self.base}/{path}?{urlsplit(str(following)).query}", {}
        raise CaseFault(f"{path} can't be searched: the filter has no effect", retryable=False)

    async def close(self) -> None:
        """Give the connections back."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def _get(self, address: str, query: dict[str, str]) -> Row:
        try:
            async with self._open().get(
                address, params=query or None, headers=self._headers(), allow_redirects=False
            ) as answer:
                value = _parsed(await _content(answer))
                status = answer.status
        except (TimeoutError, ClientError, OSError, ValueError) as error:
            raise CaseFault(f"no answer: {type(error).__name__}", retryable=True) from None
        if status != 200:
            raise _fault(status, value)
        if not isinstance(value, dict):
            raise unreadable()
        return value

    def _headers(self) -> dict[str, str]:
        """With a token of this moment: one whose `iat` is more than an hour ago is refused."""
        claims = {
            "iss": self._client_id,
            "iat": int(self._now()),
            "client_id": self._client_id,
            "user_id": _USER,
            "user_representation": "Klaartje",
        }
        token = jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, self._key)
        return {"Authorization": f"Bearer {token}", "Accept": "application/json", "Accept-Crs": CRS}

    def _open(self) -> ClientSession:
        if self._closed:
            raise CaseFault("closed", retryable=True)
        if self._session is None:
            timeout = ClientTimeout(total=_SECONDS, sock_connect=3)
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


def unreadable() -> CaseFault:
    """An answer that nobody can read: a proxy's, or of another version."""
    return CaseFault("unreadable answer", retryable=True)


def _fault(status: int, value: Any) -> CaseFault:
    code = value.get("code") if isinstance(value, dict) else None
    word = code if isinstance(code, str) and _NAME.fullmatch(code) else ""
    told = f"HTTP {status} {word}".rstrip()
    if status == 404:
        return Missing(f"{told}: {_SETUP[404]}", retryable=False)
    if status == 403 or status in _SETUP:
        advice = _CODES.get(word) or _SETUP.get(status) or _CODES["permission_denied"]
        return CaseFault(f"{told}: {advice}", retryable=False)
    return CaseFault(told, retryable=status >= 500 or status in _LATER)
