"""A lean HTTP client and server: what measures must cost little, or it measures itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

_END = b"\r\n\r\n"


def _message(buffer: bytearray) -> tuple[bytes, bytes] | None:
    """The head and body of a message that is complete; it is taken from the buffer."""
    end = buffer.find(_END)
    if end < 0:
        return None
    head = bytes(buffer[:end])
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    start = end + len(_END)
    if len(buffer) < start + length:
        return None
    body = bytes(buffer[start : start + length])
    del buffer[: start + length]
    return head, body


class Connection(asyncio.Protocol):
    """One connection that stays open: one request after the other."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, url: str) -> Connection:
        """A connection to the server of this address."""
        host, _, port = urlsplit(url).netloc.partition(":")
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, int(port))
        return connection

    async def post(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        assert self._transport is not None
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if (found := _message(self._buffer)) and self._answer:
            self._answer.set_result((int(found[0].split(b" ", 2)[1]), found[1]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))


def post(path: str, body: bytes, **headers: str) -> bytes:
    """A request, ready to be written."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Server(asyncio.Protocol):
    """Answers each request at once with what `handle(path, body)` gives: JSON."""

    def __init__(self, handle: Callable[[str, bytes], bytes]) -> None:
        self._handle = handle
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._buffer += data
        while found := _message(self._buffer):
            head, body = found
            answer = self._handle(head.split(b" ", 2)[1].decode(), body)
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % len(answer)
                + answer
            )
