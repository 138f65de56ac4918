"""An engine that was started as a child has no reason to outlive its parent: it would hold the port."""

from __future__ import annotations

import logging
import os
import select
import stat
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

_INIT = 1
"""The process that inherits orphans."""


def watch(
    parent: int | None = None, descriptor: int = 0, gone: Callable[[], None] = lambda: os._exit(3)
) -> bool:
    """Call `gone` once whoever holds the other end of our standard input is no more; the system closes it, also after
    a kill -9. From a thread, so that it works while a model loads; and without leave-taking, for there is nobody left
    to answer. `parent`: the process that started us, where it said so; it may have died before we looked.
    False where nobody holds it: a terminal, /dev/null, a pipe that has ended though our parent lives."""
    orphaned = os.getppid() != parent if parent else os.getppid() == _INIT and _ended(descriptor)
    if orphaned:
        log.warning("the parent is gone")
        gone()
    if not parent and (not _piped(descriptor) or _ended(descriptor)):
        return False

    def read() -> None:
        try:
            while os.read(descriptor, 1024):
                pass
        except OSError:
            log.debug("standard input can't be read any more")
        log.warning("the parent is gone")
        gone()

    threading.Thread(target=read, name="parent", daemon=True).start()
    return True


def _piped(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _ended(descriptor: int) -> bool:
    """Whether a pipe has ended already. Nobody writes to ours, so what can be read is its end."""
    return _piped(descriptor) and bool(select.select([descriptor], [], [], 0)[0])
