"""`klaartje eval`: questions go the whole way of a resident's message, or to the search alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from bot.app.commands import asking, prepare
from bot.app.house import NotPossible, open_house
from bot.app.roles import searching
from bot.ask import Answered, Asking
from bot.settings import Settings

if TYPE_CHECKING:
    from knowledge.evaluate import Case, Given, Judged, Report

ALONE = 50
"""So many are asked one at a time, to tell how long an answer takes; the others together, to be done sooner."""

TOGETHER = 16


async def evaluate(settings: Settings, file: Path, *, search_only: bool, judged: Path | None) -> str:
    """How well the questions of a file are answered, in lines; each judged case goes to the file `judged`, if given.
    Raises `NotPossible` for a file that holds none, or expects what does not exist."""
    from knowledge.evaluate import as_json, lines, read_cases

    try:
        cases = read_cases(file)
    except (ValueError, OSError) as error:
        raise NotPossible(f"{file}: {error}") from None
    if judged is not None:  # better now than after all the work
        try:
            judged.write_text("")
        except OSError as error:
            raise NotPossible(f"{judged} can't be written: {error.strerror}") from None
    await prepare(settings)
    report = await (_by_search if search_only else _by_asking)(settings, cases)
    if judged is not None:
        await asyncio.to_thread(
            judged.write_text, "".join(f"{as_json(one)}\n" for one in report.judged), "utf-8"
        )
    return "\n".join(lines(report))


async def _themes(settings: Settings, cases: Sequence[Case]) -> dict[str, str]:
    """The theme of each published article. Raises `NotPossible` where something else is expected."""
    from knowledge.evaluate import unknown_names
    from knowledge.store import ArticleStore

    async with open_house(settings, {}) as house:
        published = await ArticleStore(house.database, house.bus, house.clock).published()
    themes = {article.slug: article.draft.theme for article in published}
    if unknown := unknown_names(cases, themes):
        raise NotPossible(f"neither an article nor a route: {', '.join(unknown)}")
    return themes


async def _by_search(settings: Settings, cases: Sequence[Case]) -> Report:
    from knowledge.evaluate import evaluate

    await _themes(settings, cases)
    async with open_house(settings, {}) as house, searching(house) as live:
        await live.load()
        return await evaluate(live.search, cases)


async def _by_asking(settings: Settings, cases: Sequence[Case]) -> Report:
    from knowledge.evaluate import report

    themes = await _themes(settings, cases)
    async with asking(settings) as asked:
        judged = [await _ask(asked, case, timed=True) for case in cases[:ALONE]]
        turn = asyncio.Semaphore(TOGETHER)

        async def in_turn(case: Case) -> Judged:
            async with turn:
                return await _ask(asked, case, timed=False)

        judged += await asyncio.gather(*map(in_turn, cases[ALONE:]))
    return report(judged, themes)


async def _ask(asked: Asking, case: Case, *, timed: bool) -> Judged:
    from knowledge.evaluate import judge

    started = perf_counter()
    answered = await asked.ask(case.text)
    return judge(case, _given(answered), perf_counter() - started if timed else None)


def _given(answered: Answered) -> Given:
    from knowledge.evaluate import Given

    named = (answered.article,) if answered.article else ()
    articles = tuple(dict.fromkeys((*named, *answered.articles)))
    return Given(answered.route, articles, answered.alternatives, answered.confidence)
