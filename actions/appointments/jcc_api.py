"""The way to JCC-Afspraken: its REST API (WARP), with a token that is got with the credentials of a client."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from actions.appointments.calls import Answer, Calls, Unsure, approve, basic, code_word, row
from bot.clock import Clock, utc_now
from bot.ports import CalendarFault

_ADDRESS, _CREDENTIALS = "JCC_URL", "JCC_CLIENT_ID and JCC_CLIENT_SECRET"
_SCOPE = "warp-api"
_EARLY = timedelta(seconds=30)
"""A token is renewed so long before its time: the call must arrive within it."""
_LIFE = 300.0
"""Seconds that a token is used that comes without its time."""

Query = Sequence[tuple[str, str]]


class Api:
    """Calls below `url` (`.../api/warp/v1`). The token is kept as long as it is good."""

    def __init__(self, url: str, client: str, secret: str, clock: Clock = utc_now) -> None:
        self._calls = Calls(url)
        self._client = basic(client, secret)
        self._clock = clock
        self._asking = asyncio.Lock()
        self._token = ""
        self._until = clock()

    @property
    def exposed(self) -> bool:
        """Whether somebody on the way can read along."""
        return self._calls.exposed

    async def get(self, path: str, query: Query = ()) -> Any:
        """What there is at a path. Raises `CalendarFault`."""
        return await self._call("GET", path, query)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Have something made. Raises `Declined`, `Unsure`, `CalendarFault`."""
        return await self._call("POST", path, (), json=body)

    async def delete(self, path: str, query: Query) -> Any:
        """Have something taken away. Raises `Declined`, `CalendarFault`."""
        return await self._call("DELETE", path, query)

    async def close(self) -> None:
        """Give the connections back."""
        await self._calls.close()

    async def _call(self, method: str, path: str, query: Query, **arguments: Any) -> Any:
        """With a new token where JCC does not know ours any more: a 401 did nothing."""
        asked = f"{path}?{urlencode(query)}" if query else path
        token = await self._good_token()
        answer = await self._send(method, asked, token, arguments)
        if answer.status == 401:
            token = await self._good_token(but=token)
            answer = await self._send(method, asked, token, arguments)
        return approve(answer, _ADDRESS, _CREDENTIALS, _code(answer))

    async def _send(self, method: str, path: str, token: str, arguments: Mapping[str, Any]) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "language": "nl"}
        return await self._calls.send(method, path, headers=headers, **arguments)

    async def _good_token(self, but: str = "") -> str:
        """The token that we have, or a new one where it ran out or is `but`. Many at once ask for one. Raises
        `CalendarFault`, never `Unsure`: nothing was asked of the calendar yet."""
        async with self._asking:
            if self._token in ("", but) or self._clock() >= self._until:
                try:
                    await self._renew()
                except Unsure as fault:
                    raise CalendarFault(f"no token: {fault.reason}", retryable=True) from None
            return self._token

    async def _renew(self) -> None:
        answer = await self._calls.send(
            "POST",
            "connect/token",
            headers={"Authorization": self._client, "Accept": "application/json"},
            data={"grant_type": "client_credentials", "scope": _SCOPE},
        )
        if answer.status == 400:  # how OAuth says that it does not know a client
            raise CalendarFault(f"HTTP 400: is {_CREDENTIALS} right?", retryable=False)
        value = row(approve(answer, _ADDRESS, _CREDENTIALS))
        token, life = value.get("access_token"), value.get("expires_in", _LIFE)
        if not isinstance(token, str) or not token.isprintable() or not token.isascii() or not token:
            raise Unsure()
        seconds = float(life) if isinstance(life, int | float) and 0 < life < 10**7 else _LIFE
        self._token, self._until = token, self._clock() + timedelta(seconds=seconds) - _EARLY


def _code(answer: Answer) -> str:
    """JCC's own number of what is wrong; its words may quote ours."""
    return code_word(answer.value.get("code")) if isinstance(answer.value, dict) else ""
