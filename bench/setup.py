"""How long `make setup` takes on a fresh clone; the packages come from the network or a cache of it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from time import perf_counter

from bench.report import Report
from bot.settings import ROOT


async def measure(directory: Path) -> Report:
    """Clone what is committed, set it up, and set it up again."""
    report = Report("Set-up on a fresh clone", "make bench ARGS=setup")
    clone = directory / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    for name in ("first", "again, nothing to do"):
        started = perf_counter()
        done = subprocess.run(["make", "setup"], cwd=clone, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"make setup failed: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        report.add(name, f"{perf_counter() - started:.1f} s")
    return report
