"""Logs for an engineer: one JSON line an event on stderr, and never what a resident wrote.

Rasa prints messages, slots and whole trackers, at more levels than debug and through structlog, logging, warnings and
print. So nothing of a library gets out but its name, its level and the kind of exception; only `engine.*` has words.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
import warnings
from datetime import datetime, timezone
from types import TracebackType
from typing import Any

OWN = "engine"


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        if is_own(record):
            line["message"] = record.getMessage()
            line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1] is not None:
            line["trail"] = trail(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def is_own(record: logging.LogRecord) -> bool:
    """Whether the words of the record are ours."""
    return record.name == OWN or record.name.startswith(OWN + ".")


def _passes(record: logging.LogRecord) -> bool:
    return is_own(record) or record.levelno >= logging.WARNING


def configure(level: str = "INFO") -> None:
    """Take over logging, warnings and uncaught exceptions of this process. Before anything of Rasa is imported."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    handler.addFilter(_passes)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OWN).setLevel(level)
    warnings.showwarning = _unshown
    sys.excepthook = _uncaught


def silence_structlog() -> None:
    """Without this, structlog prints every event with its values to stdout."""
    import structlog

    structlog.configure(
        processors=[lambda logger, name, event: {"event": "rasa"}],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def log(logger: logging.Logger, level: int, message: str, **fields: object) -> None:
    """One event with its fields. Names and numbers only."""
    logger.log(level, message, extra={"fields": fields})


def trail(error: BaseException) -> str:
    """What an exception says without its message, which may hold a resident's text: kind and places."""
    places = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    return f"{type(error).__name__} at {' > '.join(places[-6:]) or 'unknown'}"


def _unshown(*_: object, **__: object) -> None:
    """Libraries put filters back, and Rasa warns with what was said: so nothing is shown at all."""


def _uncaught(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger(OWN).critical("uncaught", exc_info=error)
