"""Logs for an engineer: one line an event, text or JSON, and never what a resident wrote or a token."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

_QUIET = (
    "httpx",
    "httpcore",
    "telegram",
    "rasa_sdk",
    "sanic",
    "asyncio",
    "aiosqlite",
    "sqlalchemy",
    "alembic",
)
"""Libraries that print addresses, texts or tokens below WARNING."""


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["trail"] = trail(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def formatException(self, ei: object) -> str:
        error = ei[1] if isinstance(ei, tuple) else None
        return f"  {trail(error)}" if isinstance(error, BaseException) else ""


def configure(level: str = "INFO", style: str = "text") -> None:
    """Send our logs to stderr. `style` is `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if style == "json" else _Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)


def trail(error: BaseException) -> str:
    """What an exception says without its message, which may hold a resident's text: kind and places."""
    places = [
        f"{frame.name} ({frame.filename}:{frame.lineno})"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return f"{type(error).__name__} at {' > '.join(places) or 'unknown'}"
