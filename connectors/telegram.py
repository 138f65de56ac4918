"""Telegram, on python-telegram-bot's Bot and types: a webhook with a secret header, or long polling."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from telegram import BotCommand
from telegram.constants import ChatAction
from telegram.error import Conflict, TelegramError

from bot.model import SILENT, Inbound, Item, Media, Outbound, Template
from bot.ports import (
    Accept,
    Body,
    Finding,
    Health,
    Limits,
    Pace,
    Refused,
    SendFault,
    WebhookRequest,
)
from connectors import telegram_check, telegram_parse, telegram_render
from connectors.telegram_api import Api, faults_as_ours, send_fault

log = logging.getLogger(__name__)

T = TypeVar("T")

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name, not its value
UPDATES = telegram_parse.UPDATES
COMMANDS = (
    BotCommand("start", "Begin een gesprek"),
    BotCommand("help", "Wat kunt u vragen?"),
    BotCommand("opnieuw", "Begin opnieuw"),
    BotCommand("mens", "Praat met een medewerker"),
    BotCommand("stop", "Stop het gesprek"),
)
_POLL_SECONDS = 25
_LONGEST_PAUSE = 60.0


class Telegram:
    """The channel of one bot. With a webhook address and secret Telegram calls us; without, `listen` fetches.

    `rate` and `resident_rate` are messages a second, to all and to one resident. `pause` is how long it waits
    after a first failure, in seconds; each next wait is twice as long.
    """

    def __init__(
        self,
        token: str,
        *,
        api_url: str = "https://api.telegram.org",
        secret: str | None = None,
        webhook_url: str | None = None,
        name: str = "telegram",
        rate: float = 30.0,
        burst: int = 30,
        resident_rate: float = 1.0,
        resident_burst: int = 20,
        pause: float = 1.0,
    ) -> None:
        if (secret is None) != (webhook_url is None):
            raise ValueError("a webhook needs both its address and its secret")
        self._name = name
        self._secret = secret
        self._webhook_url = webhook_url
        self._pause = pause
        self._trouble: str | None = None
        self._limits = Limits(
            text=telegram_render.TEXT,
            buttons=telegram_render.BUTTONS,
            button_label=telegram_render.BUTTON,
            pace=Pace(rate, burst),
            resident_pace=Pace(resident_rate, resident_burst),
            counted=True,
            shares=True,
        )
        self._api = Api(token, api_url=api_url, poll_seconds=_POLL_SECONDS)
        self._account = telegram_check.Account(
            api_url=api_url,
            webhook_url=webhook_url,
            updates=UPDATES,
            commands=tuple(command.command for command in COMMANDS),
        )

    @property
    def name(self) -> str:
        """Which channel this is in the inbox."""
        return self._name

    @property
    def limits(self) -> Limits:
        """What Telegram can show and bear."""
        return self._limits

    @property
    def templates(self) -> Mapping[str, Template]:
        """None: here anything may go at any time."""
        return {}

    def handshake(self, request: WebhookRequest) -> str:
        """Telegram asks nothing."""
        raise Refused("Telegram only calls with POST", 405)

    def verify(self, request: WebhookRequest) -> None:
        """Only Telegram knows the secret. Compared in constant time."""
        if self._secret is None:
            raise Refused("this bot fetches its messages, it has no webhook", 404)
        given = next((v for k, v in request.headers.items() if k.lower() == SECRET_HEADER.lower()), "")
        if not hmac.compare_digest(given.encode(errors="replace"), self._secret.encode()):
            raise Refused("the secret header is missing or wrong", 403)

    def parse(self, body: bytes) -> list[Item]:
        """The message in one update."""
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            raise Refused("not JSON") from None
        if not isinstance(update, dict):
            raise Refused("not an update")
        return self._read(update)

    def render(self, messages: Sequence[Outbound]) -> list[Body]:
        """Bodies for sendMessage: HTML, the keyboard under the last part of each message."""
        return telegram_render.render(messages)

    async def send(self, address: str, body: Body) -> str:
        """One sendMessage; the message's id."""
        # Last: a body that was stored long ago may hold the address that it had then.
        result = await faults_as_ours(self._api.raw("sendMessage", {**body, "chat_id": address}))
        match result:
            case {"message_id": int(key)}:
                return str(key)
        raise SendFault("unreadable answer", retryable=True)

    async def acknowledge(self, message: Inbound, *, typing: bool = True) -> None:
        """Answer the callback query (each must be) and show that we are typing."""
        if message.reply_to is not None:
            await faults_as_ours(self._api.answer_callback_query(message.reply_to))
        if typing and message.kind not in SILENT:
            await faults_as_ours(self._api.send_chat_action(message.address, ChatAction.TYPING))

    async def fetch(self, media: Media, limit: int) -> bytes:
        """A file that a resident sent."""
        return await self._api.download(media, limit)

    async def listen(self, accept: Accept) -> None:
        """With a webhook: tell Telegram where we are, until it knows. Without: fetch, for ever."""
        await self._until_done(self._enrol)
        confirm: int | None = None

        async def fetch() -> int | None:
            return await self._fetch(confirm, accept)

        while self._webhook_url is None:
            confirm = await self._until_done(fetch)

    async def health(self) -> Health:
        """Whether Telegram knows us, and whether messages come in."""
        try:
            await faults_as_ours(self._api.raw("getMe", {}))
        except SendFault as fault:
            return Health("down", fault.reason)
        return Health("degraded", self._trouble) if self._trouble else Health("ok")

    async def check(self) -> list[Finding]:
        """Everything from the token to the menu."""
        return await telegram_check.check(self._api, self._account)

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close_connections()

    async def _enrol(self) -> None:
        """Make Telegram call us, or stop it from calling anyone; set the menu."""
        if self._webhook_url is not None:
            await self._api.set_webhook(self._webhook_url, secret_token=self._secret, allowed_updates=UPDATES)
        else:
            await self._api.delete_webhook()
        await self._api.set_my_commands(COMMANDS)

    async def _fetch(self, confirm: int | None, accept: Accept) -> int | None:
        """One long poll, which also confirms the one before; returns what confirms this one.

        Only what is stored gets confirmed: until then Telegram keeps it. After a poll without news there is
        nothing to confirm, so it does no harm that Telegram may restart its numbers then.
        """
        parameters: dict[str, Any] = {"timeout": _POLL_SECONDS, "allowed_updates": UPDATES}
        if confirm is not None:
            parameters["offset"] = confirm
        try:
            updates = await self._api.raw("getUpdates", parameters)
        except Conflict:
            await self._api.delete_webhook()
            raise
        try:
            last = max((int(update["update_id"]) for update in updates), default=None)
        except (TypeError, LookupError, ValueError):
            raise TelegramError("unreadable updates") from None
        if items := [item for update in updates for item in self._read(update)]:
            await accept(items)
        return None if last is None else last + 1

    def _read(self, update: Mapping[str, Any]) -> list[Item]:
        try:
            message = telegram_parse.read(self._name, update)
        except (
            Exception
        ) as error:  # whatever is wrong with it: another try would not help, and the rest must go on
            log.warning("%s: skipped an update that can't be read (%s)", self._name, type(error).__name__)
            return []
        return [] if message is None else [message]

    async def _until_done(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until it works, with longer and longer pauses."""
        pause = self._pause
        while True:
            try:
                result = await attempt()
            except Exception as error:  # Telegram or our store is down: this outlasts both
                fault = send_fault(error) if isinstance(error, TelegramError) else None
                self._trouble = fault.reason if fault else f"could not store ({type(error).__name__})"
                wait = max(pause, (fault and fault.retry_after) or 0.0)
                log.warning("%s: %s; again in %.1f s", self._name, self._trouble, wait)
                await asyncio.sleep(wait)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._trouble = None
                return result
