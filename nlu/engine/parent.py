"""An engine that was started as a child has no reason to outlive its parent: it would hold the port."""

from __future__ import annotations

import logging
import os
import select
import stat
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


def watch(descriptor: int = 0, gone: Callable[[], None] = lambda: os._exit(3)) -> bool:
    """Call `gone` once whoever holds the other end of our standard input is no more; the system closes it, also after
    a kill -9. False where nobody holds it: a terminal, /dev/null, a pipe that has ended. From a thread, so that it
    works while a model loads; and without leave-taking, for there is nobody left to answer."""
    if not _held(descriptor):
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


def _held(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
            return False
        ended, _, _ = select.select([descriptor], [], [], 0)
    except (OSError, ValueError):
        return False
    return not ended
