"""How long a start takes until everything is ready, and what each process then holds of the memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

import psutil

from bench.report import Report
from tests import processes
from tests.crowd import QUESTIONS, WebResident, patient
from tests.processes import Program


async def measure(directory: Path) -> Report:
    """`klaartje run` with an empty state directory, and once more; its memory after some questions."""
    report = Report("Starts and memory (SQLite, one machine)", "make bench ARGS=starts")
    for name, aim in (("cold start, empty state", ""), ("second start", "aim: below 20 s")):
        async with running(directory) as (house, url, seconds):
            report.add(name, f"{seconds:.1f} s", aim)
            if name == "second start":
                await _talk(url)
                _memory(report, house)
    return report


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[tuple[Program, str, float]]:
    """A house that is ready: engine, search and all; and how long that took."""
    port = processes.port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "ENGINE_PYTHON": str(processes.trained()),
        "PORT": str(port),
        "ENGINE_PORT": str(processes.port()),
        "ACTIONS_PORT": str(processes.port()),
    }
    started = perf_counter()
    with processes.bot("run", directory, environment).start() as house:
        await processes.ready(url, seconds=600)
        yield house, url, perf_counter() - started
        await house.stop()


async def _talk(url: str) -> None:
    async with patient() as session:
        resident = await WebResident.open(session, url)
        for number in range(20):
            await resident.send(number, QUESTIONS[number % len(QUESTIONS)][0])

        async def answered() -> bool:
            return len(await resident.read()) == 1 + 20 * 2

        await processes.until(answered, 60, "20 answers")


def _memory(report: Report, house: Program) -> None:
    for name, pid in (("bot", house.pid), *(("engine", child) for child in house.children())):
        memory = psutil.Process(pid).memory_full_info()
        report.add(f"memory: {name}", f"{memory.rss / 2**20:.0f} MB RSS", f"PSS {memory.pss / 2**20:.0f} MB")
