"""The real services that tests use: an address from the environment, else one that runs, else a private one.

Where none can be had the test is skipped with a loud reason; with CI=true that is a failure."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

DEADLINE = 20.0


class Missing(Exception):
    """A service that is not here; the message says what was tried."""


def need(find: Callable[[], str]) -> str:
    """The address that `find` gives; skips the test (fails it on CI) where there is none."""
    try:
        return find()
    except Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"a service is missing on CI: {missing}")
        pytest.skip(f"NOT TESTED: {missing}")


@cache
def postgresql() -> str:
    """An address of a PostgreSQL server in which we may make databases: `postgresql+asyncpg://...`."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        return given
    if _answers(5432):
        user = os.environ.get("PGUSER", "postgres")
        return f"postgresql+asyncpg://{user}@127.0.0.1:5432/postgres"
    return _private_postgresql()


@cache
def redis() -> str:
    """An address of a Redis server: `redis://...`."""
    if given := os.environ.get("TEST_REDIS_URL"):
        return given
    if _answers(6379):
        return "redis://127.0.0.1:6379/0"
    server = shutil.which("redis-server") or shutil.which("valkey-server")
    if server is None:
        raise Missing("no Redis: set TEST_REDIS_URL, start one on port 6379, or install redis-server")
    port = free_port()
    _keep([server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], port)
    return f"redis://127.0.0.1:{port}/0"


@cache
def chromium() -> str:
    """The path of a Chromium."""
    candidates = [
        os.environ.get("CHROMIUM"),
        *map(shutil.which, ("chromium", "chromium-browser", "google-chrome")),
    ]
    for candidate in candidates:
        if candidate and Path(candidate).exists():
            return candidate
    raise Missing("no Chromium: set CHROMIUM to its path, or install the package chromium")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _private_postgresql() -> str:
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    initdb = shutil.which("initdb") or next(
        (str(b / "initdb") for b in binaries if (b / "initdb").exists()), None
    )
    if initdb is None:
        raise Missing("no PostgreSQL: set TEST_DATABASE_URL, start one on port 5432, or install postgresql")
    data = Path(tempfile.mkdtemp(prefix="klaartje-pg-"))
    atexit.register(shutil.rmtree, data, ignore_errors=True)
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(data, "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    command = [*as_user, initdb, "-D", str(data / "db"), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    subprocess.run(command, check=True, capture_output=True)
    port = free_port()
    server = str(Path(initdb).with_name("postgres"))
    _keep(
        [*as_user, server, "-D", str(data / "db"), "-p", str(port), "-k", str(data), "-h", "127.0.0.1"], port
    )
    return f"postgresql+asyncpg://postgres@127.0.0.1:{port}/postgres"


def _keep(command: list[str], port: int) -> None:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop() -> None:
        process.terminate()
        process.wait()

    atexit.register(stop)
    end = time.monotonic() + DEADLINE
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > end:
            raise Missing(f"{Path(command[0]).name} does not start")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
