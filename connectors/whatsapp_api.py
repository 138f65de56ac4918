"""The way to Meta's Graph API: JSON calls and files, with faults as ours. Nothing is logged."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from bot.model import Media
from bot.ports import SendFault
from connectors.whatsapp_errors import code_of, explain, trouble

_VERSIONED = re.compile(r".*/v\d+\.\d+")
_MEDIA_ID = re.compile(r"[\w-]+", re.ASCII)
_HOMES = ("facebook.com", "fbcdn.net", "fbsbx.com", "whatsapp.net")
"""Where Meta keeps files: the token goes to these and nowhere else."""
_SECONDS = 20.0
_REDIRECTS = 3
_CHUNK = 64 * 1024


class Graph:
    """Calls with our token. The session begins with the first; once closed nothing can be asked any more."""

    def __init__(self, token: str, *, api_url: str, api_version: str) -> None:
        base = api_url.rstrip("/")
        self._base = base if _VERSIONED.fullmatch(base) else f"{base}/{api_version}"
        self._token = token
        self._session: ClientSession | None = None
        self._closed = False

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """What there is at a path below the version. Raises `SendFault`."""
        return await self._call("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Hand over a body; the answer. Raises `SendFault`."""
        return await self._call("POST", path, json=body)

    async def pages(self, path: str, *, most: int = 20, **query: str) -> list[dict[str, Any]]:
        """All rows at a path that is given in pages. Raises `SendFault`."""
        rows: list[dict[str, Any]] = []
        for _ in range(most):
            answer = await self.get(path, **query)
            found = answer.get("data")
            rows += [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
            match answer.get("paging"):
                case {"next": str(), "cursors": {"after": str(after)}}:
                    query = {**query, "after": after}
                case _:
                    break
        return rows

    async def download(self, media: Media, limit: int, **query: str) -> bytes:
        """A file by its id, whole and unchanged. Raises `SendFault`: for a larger one than `limit` it is not
        retryable."""
        if not _MEDIA_ID.fullmatch(media.ref):
            raise SendFault("not the id of a file", retryable=False)
        about = await self.get(media.ref, **query)
        url, size = about.get("url"), about.get("file_size")
        if not isinstance(url, str):
            raise SendFault("unreadable answer", retryable=True)
        if isinstance(size, int) and size > limit:
            raise SendFault("the file is too large", retryable=False)
        try:
            content = await self._content(url, limit)
        except (TimeoutError, ClientError, OSError, ValueError) as error:
            raise _no_answer(error) from None
        known = media.sha256 or about.get("sha256")
        if isinstance(known, str) and known and hashlib.sha256(content).hexdigest() != known.lower():
            raise SendFault("the file is not what was sent", retryable=True)
        return content

    async def close(self) -> None:
        """Give the connections back."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        url = f"{self._base}/{path}"
        try:
            async with self._open().request(
                method, url, headers=self._headers(), allow_redirects=False, **arguments
            ) as answer:
                payload = await answer.read()
        except (TimeoutError, ClientError, OSError) as error:
            raise _no_answer(error) from None
        return _read(answer, payload)

    async def _content(self, url: str, limit: int) -> bytes:
        """What is at the address, where it is Meta's; the same for each that it points on to."""
        for _ in range(_REDIRECTS + 1):
            if not self._may_have_token(url):
                raise SendFault("the file is at an address that is not WhatsApp's", retryable=False)
            async with self._open().get(url, headers=self._headers(), allow_redirects=False) as answer:
                if 300 <= answer.status < 400 and "Location" in answer.headers:
                    url = urljoin(url, answer.headers["Location"])
                    continue
                if answer.status != 200:
                    raise _fault(answer, None)
                return await _at_most(answer, limit)
        raise SendFault("the file is sent from one address to another", retryable=False)

    def _may_have_token(self, url: str) -> bool:
        """Over a safe line to one of Meta's own machines, or to the one that we call anyway."""
        try:
            target, home = urlsplit(url), urlsplit(self._base)
            if (target.scheme, target.hostname, target.port) == (home.scheme, home.hostname, home.port):
                return True
            host = target.hostname or ""
        except ValueError:
            return False
        return target.scheme == "https" and any(host == one or host.endswith(f".{one}") for one in _HOMES)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _open(self) -> ClientSession:
        if self._closed:
            raise SendFault("closed", retryable=True)
        if self._session is None:
            timeout = ClientTimeout(total=_SECONDS, sock_connect=10)
            self._session = ClientSession(timeout=timeout, trust_env=True)
        return self._session


async def _at_most(answer: ClientResponse, limit: int) -> bytes:
    content = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        content += chunk
        if len(content) > limit:
            raise SendFault("the file is too large", retryable=False)
    return bytes(content)


def _read(answer: ClientResponse, payload: bytes) -> dict[str, Any]:
    """The object in an answer. Raises `SendFault` where there is none, or where it tells of an error."""
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        value = None
    error = value.get("error") if isinstance(value, dict) else None
    if answer.status != 200 or error is not None:
        raise _fault(answer, code_of(error))
    if not isinstance(value, dict):
        raise SendFault("unreadable answer", retryable=True)
    return value


def _fault(answer: ClientResponse, code: int | None) -> SendFault:
    """By the code, and by the status where we don't know the code. Meta's own words may quote ours: they stay out."""
    meaning = trouble(code, answer.status)
    wait = meaning.wait
    asked = answer.headers.get("Retry-After", "")
    if meaning.retryable and asked.isdecimal() and len(asked) < 6:
        wait = max(float(asked), wait or 0.0)
    reason = explain(code, answer.status)
    return SendFault(reason, retryable=meaning.retryable, retry_after=wait, window=meaning.window)


def _no_answer(error: Exception) -> SendFault:
    return SendFault(f"no answer: {type(error).__name__}", retryable=True)
