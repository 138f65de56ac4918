"""The accounts at vendors: one of each from the environment, and as many as there are in the file of CHANNELS."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
)

from bot.settings import Settings, clean_secret, telegram_secret
from bot.yamlfile import YamlError, read_yaml

RESERVED = ("webchat", "terminal", "ask")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


class AccountError(ValueError):
    """The file of CHANNELS is not right; the message says where, and never shows a value."""


def _secret(value: object) -> object:
    """A secret as it stands, or where it is: `{env: NAME}` or `{file: PATH}`."""
    match value:
        case {"env": str(name), **rest} if not rest:
            if not (found := os.environ.get(name)):
                raise ValueError(f"the environment has no {name}")
            return found
        case {"file": str(path), **rest} if not rest:
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"{path} can't be read ({type(error).__name__})") from None
        case _:
            return value


Secret = Annotated[SecretStr, BeforeValidator(_secret), AfterValidator(clean_secret)]
Digits = Annotated[str, Field(pattern=r"^\d{5,32}$")]


class _Account(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class TelegramAccount(_Account):
    """A bot. Without `webhook_secret` its messages are fetched."""

    type: Literal["telegram"]
    token: Secret
    webhook_secret: Annotated[Secret, AfterValidator(telegram_secret)] | None = None


class WhatsAppAccount(_Account):
    """A number of the Cloud API. Numbers of one app share its secret, and may share its webhook address."""

    type: Literal["whatsapp"]
    token: Secret
    phone_number_id: Digits
    app_secret: Secret
    verify_token: Secret | None = None
    business_account_id: Digits | None = None
    templates: Path | None = None
    rate: Annotated[float, Field(gt=0, le=1000)] = 60.0


Account = TelegramAccount | WhatsAppAccount
_READ: TypeAdapter[Account] = TypeAdapter(Annotated[Account, Field(discriminator="type")])


def accounts(settings: Settings) -> dict[str, Account]:
    """All that are set up, by the name of their channel. Raises `AccountError`."""
    found: dict[str, Account] = {}
    if settings.telegram_token:
        found["telegram"] = TelegramAccount(
            type="telegram",
            token=settings.telegram_token,
            webhook_secret=settings.telegram_webhook_secret,
        )
    if settings.whatsapp_token and settings.whatsapp_phone_number_id and settings.whatsapp_app_secret:
        found["whatsapp"] = WhatsAppAccount(
            type="whatsapp",
            token=settings.whatsapp_token,
            phone_number_id=settings.whatsapp_phone_number_id,
            app_secret=settings.whatsapp_app_secret,
            verify_token=settings.whatsapp_verify_token,
            business_account_id=settings.whatsapp_business_account_id,
            templates=settings.whatsapp_templates,
            rate=settings.whatsapp_rate,
        )
    for name, account in _of_file(settings.channels).items():
        if name in found:
            raise AccountError(f"{settings.channels}: {name} is set in the environment already")
        found[name] = account
    numbers = [a.phone_number_id for a in found.values() if isinstance(a, WhatsAppAccount)]
    if len(numbers) != len(set(numbers)):
        raise AccountError("two channels have the same phone_number_id")
    bots = [a.token.get_secret_value() for a in found.values() if isinstance(a, TelegramAccount)]
    if len(bots) != len(set(bots)):
        raise AccountError("two Telegram channels have the same token: each needs a bot of its own")
    if (
        any(isinstance(a, TelegramAccount) and a.webhook_secret for a in found.values())
        and not settings.public_url
    ):
        raise AccountError("a Telegram webhook needs PUBLIC_URL: Telegram must know where to call")
    return found


def missing(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """Of each channel of the environment the settings that it needs and that are not set."""
    needed = {
        "telegram": ("telegram_token",),
        "whatsapp": ("whatsapp_token", "whatsapp_phone_number_id", "whatsapp_app_secret"),
    }
    return {
        channel: tuple(name.upper() for name in names if not getattr(settings, name))
        for channel, names in needed.items()
    }


def _of_file(path: Path | None) -> dict[str, Account]:
    if path is None:
        return {}
    try:
        entries = read_yaml(path)
    except YamlError as error:
        raise AccountError(f"CHANNELS: {error}") from None
    if entries is None:
        return {}
    if not isinstance(entries, dict):
        raise AccountError(f"{path}: must hold accounts by the name of their channel")
    problems: list[str] = []
    found: dict[str, Account] = {}
    for name, entry in entries.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name in RESERVED:
            problems.append(
                f"{path}: {name!r} is no name for a channel: at most 32 lower-case letters, digits and dashes, "
                f"and not {', '.join(RESERVED)}"
            )
            continue
        try:
            found[name] = _READ.validate_python(entry)
        except ValidationError as error:
            problems += [f"{path}: {name}: {_where(p)}{_said(p)}" for p in error.errors(include_input=False)]
    if problems:
        raise AccountError("\n".join(problems))
    return found


def _said(problem: Any) -> str:
    """In our own words where the library's help nobody."""
    match problem["type"]:
        case "union_tag_invalid" | "union_tag_not_found":
            return "type must be telegram or whatsapp"
        case "string_type":
            return "must be a text: put numbers in quotes"
    return str(problem["msg"]).removeprefix("Value error, ")


def _where(problem: Any) -> str:
    place = [str(part) for part in problem["loc"] if part not in ("telegram", "whatsapp")]
    return f"{'.'.join(place)}: " if place else ""
