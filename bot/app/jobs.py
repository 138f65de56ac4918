"""One command's job: with the settings of the environment, and every fault that we know told in one clear line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import click

from bot import logs
from bot.accounts import AccountError
from bot.app.house import NotMigrated, NotPossible
from bot.municipality import MunicipalityError
from bot.post import NoConversation
from bot.quick import QuickReplyError
from bot.settings import Settings, SettingsError
from bot.staff.members import StaffError
from bot.statuses import StatusesError
from bot.templates import TemplatesError
from bot.web.server import NotListening
from bot.window import TemplateError
from bot.wording import WordingError

_FAULTS = (
    AccountError,
    MunicipalityError,
    NoConversation,
    NotListening,
    NotMigrated,
    NotPossible,
    QuickReplyError,
    SettingsError,
    StaffError,
    StatusesError,
    TemplateError,
    TemplatesError,
    WordingError,
)


def run_job(job: Callable[[Settings], Coroutine[Any, Any, Any]], *, quiet: bool = False) -> Any:
    """Run a job with the settings of the environment; a fault that we know is one clear line, not a trace."""
    try:
        settings = Settings.read()
        if quiet and settings.log_level == "INFO":
            settings = settings.model_copy(update={"log_level": "WARNING"})
        logs.configure(settings.log_level, settings.log_format)
        os.umask(0o077)  # what we keep is for nobody else on this machine
        return asyncio.run(job(settings))
    except _FAULTS as error:
        raise click.ClickException(str(error)) from None
    except ExceptionGroup as group:  # the same, from beside a background job
        known, other = group.split(_FAULTS)
        if known is None or other is not None:
            raise
        raise click.ClickException("; ".join(map(str, _leaves(known)))) from None
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
