"""A storm of WhatsApp messages on one machine: how many calls a second the webhook takes, and what becomes of them."""

from __future__ import annotations

import os
from pathlib import Path

from bench.report import Report, milliseconds, quantile
from tests import processes
from tests.crowd import opened
from tests.storm import RATE, SETTINGS, Storm, meta


async def measure(directory: Path) -> Report:
    """`klaartje run` on SQLite, and Meta's stand-in beside it; nobody is killed. STORM_SECONDS makes it shorter."""
    seconds = float(os.environ.get("STORM_SECONDS", "60"))
    report = Report(f"Storm of {seconds:.0f} s (SQLite, one process)", "make bench ARGS=storm")
    port = processes.port()
    url = f"http://127.0.0.1:{port}"
    async with meta(url) as fake:
        environment = {
            "ENGINE_PYTHON": str(processes.trained()),
            "PORT": str(port),
            "ENGINE_PORT": str(processes.port()),
            "ACTIONS_PORT": str(processes.port()),
            "PUBLIC_URL": url,
            **fake.settings(),
            **SETTINGS,
        }
        with processes.bot("run", directory, environment).start() as house:
            await processes.ready(url, seconds=300)
            async with opened(processes.sqlite(directory)) as store:
                storm = Storm(fake, store)
                await storm.blow(seconds)
                await storm.settles(600)
                found = await storm.figures()
            await house.stop()
    spread = (
        f"p50 {milliseconds(quantile(found.answers, 0.5))}, p95 {milliseconds(quantile(found.answers, 0.95))}"
    )
    report.add("messages written", f"{found.written / found.seconds:.1f}/s", f"{found.written}, aim {RATE}/s")
    report.add(
        "webhook calls accepted", f"{found.calls / found.elapsed:.0f}/s", f"{found.calls}, receipts too"
    )
    report.add("a call is answered", spread)
    report.add("lost, unanswered", f"{found.lost}, {found.unanswered}", "aim: none")
    report.add("answered twice, arrived twice", f"{found.doubled}, {found.repeats}", "aim: none")
    report.add("forged that got in, out of order", f"{found.forged_in}, {found.disordered}", "aim: none")
    report.add("bodies that the schema refuses", str(len(found.invalid)), "aim: none")
    return report
