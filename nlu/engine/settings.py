"""Where the engine listens, whom it trusts, and where actions run: all from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
MODEL = PROJECT / "models" / "klaartje.tar.gz"


class SettingsError(ValueError):
    """The environment is not right; the message names the variable, never its value."""


@dataclass(frozen=True)
class Settings:
    """One engine. `parent` is the process that started it and without which it has no reason to live, or None."""

    host: str
    port: int
    secret: str
    actions_url: str
    actions_secret: str
    model: Path
    parent: int | None
    log_level: str

    @classmethod
    def read(cls) -> Settings:
        """The settings of this environment. Raises `SettingsError`."""
        return cls(
            host=os.environ.get("ENGINE_HOST", "127.0.0.1"),
            port=_number("ENGINE_PORT", 5065),
            secret=_needed("ENGINE_SECRET"),
            actions_url=os.environ.get("ACTIONS_URL", "http://127.0.0.1:5066/actions/webhook"),
            actions_secret=_needed("ACTIONS_SECRET"),
            model=Path(os.environ.get("ENGINE_MODEL") or MODEL),
            parent=_number("ENGINE_PARENT_PID", 0) or None,
            log_level=_level("LOG_LEVEL", "INFO"),
        )


def _needed(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def _level(name: str, default: str) -> str:
    value = os.environ.get(name, "").upper() or default
    if value not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise SettingsError(f"{name} must be DEBUG, INFO, WARNING or ERROR")
    return value


def _number(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    if not value:
        return default
    if not value.isdecimal():
        raise SettingsError(f"{name} must be a number")
    return int(value)
