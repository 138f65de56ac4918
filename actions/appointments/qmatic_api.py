"""The way to Qmatic Orchestra: its public appointment API, with a token of its gateway or a name and a password."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from actions.appointments.calls import Answer, Calls, Declined, approve, basic, code_word

PATH = "/calendar-backend/public/api"
_ADDRESS, _CREDENTIALS = "QMATIC_URL", "QMATIC_TOKEN (or QMATIC_USER and QMATIC_PASSWORD)"
_VERSION = re.compile(r"/v[12]$")


class Api:
    """Calls below `url`, with or without the path of the public API."""

    def __init__(self, url: str, *, token: str = "", user: str = "", password: str = "") -> None:
        base = _VERSION.sub("", url.rstrip("/"))
        self._calls = Calls(base if base.endswith(PATH) else f"{base}{PATH}")
        self._headers = {"Accept": "application/json"}
        if token:
            self._headers["auth-token"] = token
        if user:
            self._headers["Authorization"] = basic(user, password)

    @property
    def exposed(self) -> bool:
        """Whether somebody on the way can read along."""
        return self._calls.exposed

    async def get(self, path: str) -> Any:
        """What there is at a path. Raises `CalendarFault`."""
        return self._approve(await self._calls.send("GET", path, headers=self._headers))

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Have something made. Raises `Declined`, `Unsure`, `CalendarFault`."""
        return self._approve(await self._calls.send("POST", path, headers=self._headers, json=body))

    async def delete(self, path: str) -> bool:
        """Have something taken away; whether Qmatic said so (204). Raises `Declined`, `CalendarFault`."""
        answer = await self._calls.send("DELETE", path, headers=self._headers)
        self._approve(answer)
        return answer.status == 204

    async def close(self) -> None:
        """Give the connections back."""
        await self._calls.close()

    def _approve(self, answer: Answer) -> Any:
        """A 500 with a reason in its headers is Qmatic saying no: nothing was done. One without is something that
        broke. The words of the reason may quote what a resident told; its code does not."""
        code = code_word(answer.headers.get("error_code", ""))
        if answer.status == 500 and answer.headers.get("error_message"):
            raise Declined(500, code, retryable=True)
        return approve(answer, _ADDRESS, _CREDENTIALS, code)
