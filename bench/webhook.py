"""How many webhook calls a second are accepted: the row is committed, 200 is returned."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import sqlalchemy as sa

from bench.http import Connection
from bench.report import Report, milliseconds, quantile
from bench.vendor import Vendor
from bot.db.tables import inbox
from tests import processes
from tests.crowd import opened
from tests.processes import Program

CONNECTIONS, CALLS, RESIDENTS = 50, 10_000, 500
ROUNDS = 5
"""They take turns, so that what else the machine does meets both alike."""


async def measure(directory: Path) -> Report:
    """Ours against a handler that does nothing, the same calls to each, one process each."""
    report = Report("Webhook accepted (SQLite)", "make bench ARGS=webhook")
    ours, theirs = processes.port(), processes.port()
    async with Vendor().serving() as vendor:
        url = f"http://127.0.0.1:{ours}"
        migrate = processes.bot("migrate", directory, {})
        with migrate.start():
            assert await migrate.exit_code(processes.START) == 0, migrate.said
        settings = {"PORT": str(ours), "ACTIONS_PORT": "0", **vendor.settings(url)}
        web = processes.bot("web", directory, settings)
        nothing = Program(
            "nothing", [sys.executable, "-m", "bench.nothing", str(theirs)], {}, log=directory / "nothing.log"
        )
        with web.start(), nothing.start():
            await asyncio.gather(processes.answers(ours), _listens(theirs))
            ours_rates, their_rates, delays, busy = [], [], [], 0.0
            for _ in range(ROUNDS):
                rate, _, share = await _load(vendor, f"http://127.0.0.1:{theirs}")
                their_rates.append(rate)
                busy = max(busy, share)
                rate, delay, _ = await _load(vendor, url)
                ours_rates.append(rate)
                delays += delay
            await web.stop()
    async with opened(processes.sqlite(directory)) as store, store.read() as connection:
        stored = await connection.scalar(sa.select(sa.func.count()).select_from(inbox))
    assert stored == ROUNDS * CALLS, f"{stored} rows for {ROUNDS * CALLS} calls"
    one, other = median(ours_rates), median(their_rates)
    ratio = median(mine / their for mine, their in zip(ours_rates, their_rates, strict=True))
    report.add(
        "ours", f"{one:.0f}/s", f"p50 {milliseconds(quantile(delays, 0.5))}, {CONNECTIONS} connections"
    )
    report.add("handler that does nothing", f"{other:.0f}/s", f"who calls is busy {busy:.0%} of the time")
    report.add("ratio", f"{ratio:.2f}", "aim: at least 0.25")
    return report


async def _load(vendor: Vendor, url: str) -> tuple[float, list[float], float]:
    """Calls a second, the delay of each, and how busy this process was: near 100 % it would measure itself."""
    calls = iter([vendor.update(10_000 + number % RESIDENTS, f"bericht {number}") for number in range(CALLS)])
    delays: list[float] = []

    async def caller() -> None:
        connection = await Connection.open(url)
        for call in calls:
            started = perf_counter()
            status, _ = await connection.post(call)
            assert status == 200, status
            delays.append(perf_counter() - started)
        connection.close()

    started, worked = perf_counter(), process_time()
    await asyncio.gather(*(caller() for _ in range(CONNECTIONS)))
    seconds = perf_counter() - started
    return CALLS / seconds, delays, (process_time() - worked) / seconds


async def _listens(port: int) -> None:
    async def connected() -> bool:
        try:
            (await Connection.open(f"http://127.0.0.1:{port}")).close()
        except OSError:
            return False
        return True

    await processes.until(connected, processes.START, "the handler that does nothing")
