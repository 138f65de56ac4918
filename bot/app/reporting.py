"""Reports put together: around the dialogue, for who follows them, and what an engineer does with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.app.house import House
from bot.audit import Act, audit
from bot.files import ALLOWED
from bot.ports import DialogueEngine, Finding, ReportFault
from bot.reportdesk import ReportCases, ReportDesk, ReportWords
from bot.tidings import Tidings

_REPORT_FIELDS = ("reference", "category", "text", "place", "latitude", "longitude", "phone", "email")


def with_reports(house: House, engine: DialogueEngine) -> DialogueEngine:
    """The engine with the desk of reports in front of it, where there is one."""
    from actions.reports.categories import Categories
    from actions.reports.urgent import UrgentFirst

    if house.reports is None:
        return engine
    words, minutes = ReportWords(house.wording), house.settings.cases_minutes
    desk = ReportDesk(engine, house.database, house.reports, words, minutes=minutes)
    return UrgentFirst(desk, Categories.load())


def report_tidings(house: House) -> Tidings | None:
    """What tells of changes of reports, where there are any."""
    if house.reports is None:
        return None
    return Tidings(
        house.database,
        house.bus,
        house.channels,
        ReportCases(house.reports),
        ReportWords(house.wording),
        house.wording,
        house.clock,
        minutes=house.settings.cases_minutes,
    )


async def lines(house: House, *, every: bool) -> list[str]:
    """The open reports of our own list (or all), and those that are not in the system of reports."""
    from actions.reports.local import LocalReports

    own = await LocalReports(house.database, house.clock).listed(every=every)
    waiting = await house.report_queue.waiting() if house.report_queue else []
    return [line for row in own for line in _own(row)] + [_out(row) for row in waiting]


async def close(house: House, number: str, *, actor: str) -> bool:
    """Note that a report of our own list is dealt with; False where it is not open."""
    from actions.reports.local import LocalReports

    return await LocalReports(house.database, house.clock).done(number, actor=actor)


async def export(house: House, directory: Path, *, actor: str) -> int:
    """Write our own list of reports, and their photos; how many reports. It is noted who did."""
    from actions.reports.local import LocalReports, number_of

    own = LocalReports(house.database, house.clock)
    rows = await own.listed(every=True)
    directory.mkdir(parents=True, exist_ok=True)
    lines = []
    for row in rows:
        number = number_of(row)
        names = []
        for count, photo in enumerate(await own.photos(row.key), 1):
            names.append(f"{number}-{count}.{ALLOWED[photo.mime]}")
            (directory / names[-1]).write_bytes(photo.content)
        told = {name: getattr(row, name) for name in _REPORT_FIELDS}
        moments = {"at": row.at.isoformat(), "closed_at": row.closed_at and row.closed_at.isoformat()}
        lines.append(json.dumps({"number": number, **told, **moments, "photos": names}, ensure_ascii=False))
    (directory / "reports.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    async with house.database.write() as connection:
        await audit(connection, actor, Act.EXPORTED_REPORTS, at=house.clock(), detail={"count": len(rows)})
    return len(rows)


async def missing_categories(house: House) -> list[Finding]:
    """Which of our categories the system of reports does not have."""
    from actions.reports.categories import Categories

    if house.reports is None:
        return []
    try:
        known = set(await house.reports.categories())
    except ReportFault:
        return []  # `check` tells of it
    lacking = [one for one in Categories.load().targets if known and one not in known]
    advice = f"it lacks {', '.join(lacking)}: change knowledge/report_categories.yml"
    return [Finding("our categories", "wrong", advice)] if lacking else [Finding("our categories", "ok")]


def _own(row: Any) -> Iterator[str]:
    from actions.reports.local import number_of

    state = "closed" if row.closed_at else "open"
    yield f"{number_of(row):14} {row.at:%F %R}  {state:7} {row.category:40} {row.photos} photos"
    yield f"{'':14} {row.place}"
    yield f"{'':14} {row.text}"


def _out(row: Any) -> str:
    tried = f"{row.state}, not in after {row.attempts} attempts: {row.error or 'not tried yet'}"
    return f"{row.reference:14} {row.at:%F %R}  {row.category:40} {tried}"
