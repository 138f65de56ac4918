"""Whether all is right for Telegram, here and there: findings for an engineer."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from bot.ports import Finding, SendFault
from connectors.telegram_api import NO_TOKEN, Api, faults_as_ours

_CLOUD = "api.telegram.org"
_PORTS = (443, 80, 88, 8443)
_RECENT = 3600.0
_MANY = 100
_RESTART = "start Klaartje again: it tells Telegram at each start"
_STATUS = re.compile(r"response from the webhook: (\d{3})\b")
_TROUBLES = (
    # What Telegram's words for a failed call come down to, and what to look at.
    ("ssl", "the certificate is not accepted", "use one of a known authority, with its whole chain"),
    ("certificate", "the certificate is not accepted", "use one of a known authority, with its whole chain"),
    ("timed out", "no answer in time", "look whether the firewall lets Telegram in, and at the load"),
    ("timeout", "no answer in time", "look whether the firewall lets Telegram in, and at the load"),
    ("resolve", "the name is unknown", "look at the DNS record of the public address"),
    ("refused", "the connection is refused", "look whether the proxy runs and the firewall lets Telegram in"),
    ("reset", "the connection is broken off", "look at the proxy before Klaartje"),
    ("closed", "the connection is broken off", "look at the proxy before Klaartje"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """What was set for one bot, apart from its token and secret."""

    api_url: str
    webhook_url: str | None
    updates: Sequence[str]
    commands: Sequence[str]


async def check(api: Api, account: Account, now: float | None = None) -> list[Finding]:
    """All there is to look at; `now` in seconds since 1970. Never raises."""
    try:
        me = await _object(api, "getMe")
    except SendFault as fault:
        return [Finding("token", "wrong", f"{fault.reason}: {_about(account, fault)}")]
    way = "webhook" if account.webhook_url else "polling"
    return [
        Finding(f"token of @{_words(me, 'username') or '?'}", "ok"),
        Finding(f"messages come in by {way}", "ok"),
        *_address(account),
        *await _webhook(api, account, time.time() if now is None else now),
        await _menu(api, account),
    ]


def _about(account: Account, fault: SendFault) -> str:
    if fault.reason == NO_TOKEN:
        return "set the one that @BotFather gives for this bot"
    return f"look whether {urlsplit(account.api_url).hostname or 'the Bot API'} can be reached from here"


def _address(account: Account) -> list[Finding]:
    """Whether Telegram can call us at all. A Bot API server of one's own takes any address."""
    if account.webhook_url is None:
        return []
    what = f"webhook address {account.webhook_url}"
    if urlsplit(account.api_url).hostname != _CLOUD:
        return [Finding(what, "ok")]
    if not account.webhook_url.startswith("https://"):
        return [Finding(what, "wrong", "Telegram only calls https: set another public address")]
    if _port(account.webhook_url) not in _PORTS:
        ports = ", ".join(str(port) for port in _PORTS)
        return [Finding(what, "wrong", f"Telegram only calls the ports {ports}")]
    return [Finding(what, "ok")]


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port or 443
    except ValueError:
        return None


async def _webhook(api: Api, account: Account, now: float) -> list[Finding]:
    """What Telegram tells of the way to us."""
    try:
        info = await _object(api, "getWebhookInfo")
    except SendFault as fault:
        return [Finding("webhook at Telegram", "wrong", fault.reason)]
    return [
        _known(account, _words(info, "url")),
        *(_last_error(info, now) if account.webhook_url else ()),
        _waiting(account, info),
        _updates(account, info),
    ]


def _known(account: Account, url: str) -> Finding:
    """Never shows another's address: it may hold a token."""
    what = "webhook at Telegram"
    if account.webhook_url is None:
        if not url:
            return Finding(f"no {what}", "ok")
        advice = (
            "another program set one, so nothing comes in: stop it, and start Klaartje, which takes it away"
        )
        return Finding(what, "wrong", advice)
    if not url:
        return Finding(what, "wrong", f"there is none: {_RESTART}")
    if url != account.webhook_url:
        advice = f"it is not ours but another: stop the program that set it, and {_RESTART}"
        return Finding(what, "wrong", advice)
    return Finding(what, "ok")


def _last_error(info: Mapping[str, Any], now: float) -> list[Finding]:
    """The last call of the webhook that failed. Telegram goes on telling of it when all is well again."""
    at = _number(info, "last_error_date")
    if at is None:
        return [Finding("no failed calls", "ok")]
    trouble, advice = _trouble(_words(info, "last_error_message"))
    try:
        when = f"{datetime.fromtimestamp(at, UTC):%F %R} UTC"
    except (OverflowError, OSError, ValueError):
        when = "at an unknown time"
    what = f"last failed call {when}: {trouble}"
    return [Finding(what, "wrong", advice) if now - at < _RECENT else Finding(what, "ok")]


def _trouble(message: str) -> tuple[str, str]:
    """A code or our own words for it, and what to do: Telegram's may quote what we answered."""
    if status := _STATUS.search(message):
        return f"HTTP {status[1]}", _advice(int(status[1]))
    words = message.lower()
    found = next(((ours, advice) for sign, ours, advice in _TROUBLES if sign in words), None)
    return found or ("not reachable", "look whether the public address can be reached from outside")


def _advice(status: int) -> str:
    if status in (401, 403):
        return f"the secret is not the one that Telegram has, or a proxy refuses: {_RESTART}"
    if status == 404 or status < 400:
        return "look at the public address and the proxy: /webhooks/ must come to Klaartje as it is"
    return "look in the log of the web process, and whether its database is up"


def _waiting(account: Account, info: Mapping[str, Any]) -> Finding:
    count = int(_number(info, "pending_update_count") or 0)
    what = f"{count} waiting at Telegram"
    if count <= _MANY:
        return Finding(what, "ok")
    advice = (
        "see above why calls fail" if account.webhook_url else "look whether the web process runs and its log"
    )
    return Finding(what, "wrong", advice)


def _updates(account: Account, info: Mapping[str, Any]) -> Finding:
    known = info.get("allowed_updates")
    lacking = [name for name in account.updates if not isinstance(known, list) or name not in known]
    if lacking:
        return Finding("kinds of update", "todo", f"Telegram does not bring {', '.join(lacking)}: {_RESTART}")
    return Finding("kinds of update", "ok")


async def _menu(api: Api, account: Account) -> Finding:
    what = "menu of commands"
    try:
        rows = await faults_as_ours(api.raw("getMyCommands", {}))
    except SendFault as fault:
        return Finding(what, "wrong", fault.reason)
    found = (
        [_words(row, "command") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    )
    if lacking := [name for name in account.commands if name not in found]:
        return Finding(what, "todo", f"it lacks /{', /'.join(lacking)}: {_RESTART}")
    return Finding(what, "ok")


async def _object(api: Api, method: str) -> dict[str, Any]:
    """What a method without parameters gives. Raises `SendFault`."""
    result = await faults_as_ours(api.raw(method, {}))
    if not isinstance(result, dict):
        raise SendFault("unreadable answer", retryable=True)
    return result


def _words(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _number(row: Mapping[str, Any], name: str) -> float | None:
    value = row.get(name)
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53
    return value if good else None
