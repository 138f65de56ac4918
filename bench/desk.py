"""The desk of editors with ten thousand articles and a month of answers: how fast the list and a form are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import sqlalchemy as sa

from bench.report import Report, milliseconds, quantile
from bot.db.database import Database
from bot.db.migrate import migrate
from bot.db.tables import article_drafts, article_revisions, articles, conversations, messages
from bot.model import Author, Kind
from bot.residents import new_conversation
from bot.settings import ROOT
from bot.staff.roles import Role
from bot.standing import digest
from knowledge.article import parse, to_json
from tests.conftest import SetClock
from tests.staff import Office, open_office

ARTICLES, ANSWERS, TIMES = 10_000, 200_000, 40
PAGES = {
    "list": "/redactie",
    "list, last page": "/redactie?pagina=200",
    "list, searched": "/redactie?zoek=onderwerp+77",
    "list, by theme and state": "/redactie?thema=thema+7&staat=review",
    "list, to look at again": "/redactie?nakijken=ja",
    "form of an article": "/redactie/artikel/onderwerp-77",
}


async def measure(directory: Path) -> Report:
    """Each page asked for some times, one at a time, as a browser does."""
    url, clock = f"sqlite+aiosqlite:///{directory / 'klaartje.db'}", SetClock()
    clock.now = datetime.now(UTC)
    await migrate(url)
    await _fill(url, clock.now)
    found = {}
    async with open_office(url, directory, clock) as office:
        browser = await office.browser()
        await office.hires("ann", Role.EDITOR, browser=browser)
        for name, path in PAGES.items():
            found[name] = await _ask(office, browser.session, path)
    title = f"The desk of editors: {ARTICLES:,} articles, {ANSWERS:,} answers in 28 days, SQLite"
    report = Report(title, "make bench ARGS=desk")
    for name, times in found.items():
        report.add(
            name, milliseconds(quantile(times, 0.95)), f"p95; p50 {milliseconds(quantile(times, 0.5))}"
        )
    return report


async def _ask(office: Office, session: Any, path: str) -> list[float]:
    times = []
    for _ in range(TIMES):
        began = perf_counter()
        async with session.get(path) as answer:
            await answer.read()
            assert answer.status == 200, answer.status
        times.append(perf_counter() - began)
    return times


async def _fill(url: str, now: datetime) -> None:
    database = Database(url)
    file = ROOT / "knowledge" / "content" / "hondenbelasting.md"
    text = json.loads(to_json(parse(file.read_text("utf-8"), file.name)))
    many = range(1, ARTICLES + 1)
    contents = [
        {**text, "slug": f"onderwerp-{n}", "title": f"Onderwerp {n}", "theme": f"thema {n % 20}"}
        for n in many
    ]
    async with database.write() as connection:
        await connection.execute(
            sa.insert(articles),
            [
                {
                    "slug": one["slug"],
                    "revision": number,
                    "published_at": now,
                    "title": one["title"],
                    "theme": one["theme"],
                    "owner": one["owner"],
                    "review": (now + timedelta(days=number % 400 - 40)).date(),
                }
                for number, one in zip(many, contents, strict=True)
            ],
        )
        await connection.execute(
            sa.insert(article_revisions),
            [
                {
                    "revision": number,
                    "slug": one["slug"],
                    "digest": digest(one),
                    "content": one,
                    "author": "import",
                    "created_at": now,
                }
                for number, one in zip(many, contents, strict=True)
            ],
        )
        draft = {"version": 1, "authors": ["ann"], "saved_by": "ann", "saved_at": now, "remark": ""}
        await connection.execute(
            sa.insert(article_drafts),
            [{**draft, "slug": one["slug"], "content": one, "state": "review"} for one in contents[::7]],
        )
        conversation = new_conversation("webchat", "a", now)
        await connection.execute(sa.insert(conversations).values(**conversation))
        line = {"conversation_id": conversation["id"], "author": Author.BOT, "kind": Kind.TEXT, "text": ""}
        for start in range(0, ANSWERS, 20_000):
            await connection.execute(
                sa.insert(messages),
                [
                    {
                        **line,
                        "id": str(number),
                        "choices": [],
                        "links": [],
                        "article": f"onderwerp-{number % ARTICLES + 1}",
                        "at": now - timedelta(seconds=number * 12),
                    }
                    for number in range(start, start + 20_000)
                ],
            )
    await database.close()
