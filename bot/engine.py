"""The dialogue engine behind its private door: one HTTP call a turn, memory in and memory out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import NoneType
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.model import Choice, Command, Link, Outbound, Reply, Route, Say, Trace, Turn
from bot.ports import EngineFault, Health

TIMEOUT = 5.0
"""Seconds for one turn; well within the lease, so that the fallback still has its time."""


class HttpEngine:
    """Speaks the engine's protocol (docs/flow.md). Raises `EngineFault`, nothing else."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._session: ClientSession | None = None

    def _client(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=TIMEOUT, connect=1.0))
        return self._session

    async def reply(self, turn: Turn) -> Reply:
        """The engine's reply to a turn."""
        request = {
            "conversation_id": turn.conversation_id,
            "message": {"text": turn.text, "choice": turn.choice, "metadata": dict(turn.metadata)},
            "memory": turn.memory,
        }
        try:
            async with self._client().post(
                f"{self._url}/reply", json=request, headers=self._headers
            ) as response:
                body = await response.json()
                status = response.status
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise EngineFault(type(error).__name__, down=True) from None
        if status != 200:
            told = body if isinstance(body, dict) else {}
            reason = f"HTTP {status} {told.get('error', '')} {told.get('detail', '')}".strip()
            raise EngineFault(reason, down=status in (401, 403, 503))
        try:
            return read_reply(body)
        except (KeyError, TypeError, ValueError) as error:
            raise EngineFault(f"a reply that can't be read: {type(error).__name__}", down=False) from None

    async def health(self) -> Health:
        """Whether the model is loaded."""
        try:
            async with asyncio.timeout(2), self._client().get(f"{self._url}/health") as response:
                state = _a(dict, await response.json()).get("state")
        except (ClientError, TimeoutError, OSError, ValueError, TypeError) as error:
            return Health("degraded", f"{type(error).__name__}; questions are answered from search alone")
        if state == "ok":
            return Health("ok")
        return Health("degraded", "the model is being loaded; questions are answered from search alone")

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()


def read_reply(body: Mapping[str, Any]) -> Reply:
    """A reply from its JSON. Raises KeyError, TypeError or ValueError where it is not one."""
    return Reply(
        messages=tuple(_message(_a(dict, message)) for message in _a(list, body["messages"])),
        commands=tuple(_command(_a(dict, command)) for command in _a(list, body["commands"])),
        memory=_a((dict, NoneType), body["memory"]),
        trace=_trace(_a((dict, NoneType), body.get("trace"))),
    )


def _a(kind: type | tuple[type, ...], value: Any) -> Any:
    """The value, which must be of this kind: what is wrong here would else fail in the middle of a turn."""
    if not isinstance(value, kind):
        raise TypeError(type(value).__name__)
    return value


def _message(message: Mapping[str, Any]) -> Say | Outbound:
    if "phrase" in message:
        return Say(_a(str, message["phrase"]), _a(dict, message.get("args", {})))
    return Outbound(
        text=_a(str, message["text"]),
        choices=tuple(
            Choice(_a(str, choice["id"]), _a(str, choice["label"])) for choice in message.get("choices", ())
        ),
        links=tuple(Link(_a(str, link["label"]), _a(str, link["url"])) for link in message.get("links", ())),
        article=message.get("article"),
        revision=message.get("revision"),
    )


def _command(command: Mapping[str, Any]) -> Command:
    return Command(_a(str, command["name"]), _a(dict, command.get("args", {})))


def _trace(trace: Mapping[str, Any] | None) -> Trace | None:
    if trace is None:
        return None
    return Trace(
        Route(trace["route"]),
        trace.get("article"),
        tuple(trace.get("alternatives", ())),
        trace.get("confidence"),
    )
