"""`klaartje tune`: learns from what is published, and keeps what it learned only where that is better."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bot.app.commands import prepare
from bot.app.house import NotPossible, open_house
from bot.settings import Settings

if TYPE_CHECKING:
    from knowledge.evaluate import Case
    from knowledge.index import IndexedArticle
    from knowledge.tune import Tuned


async def tune(settings: Settings, *, questions: Path | None, seed: int, dry_run: bool) -> str:
    """Before and after, and whether it is kept, in lines.

    Raises `NotPossible` without sentence-transformers, with too few phrasings, and for a file that holds no questions.
    """
    from knowledge.adapter import is_adapter
    from knowledge.encoder import EncoderUnavailable, import_optional, load_encoder
    from knowledge.tune import TooLittle, keep
    from knowledge.tune import tune as learn
    from knowledge.vectors import FileVectorCache

    if is_adapter(Path(settings.encoder)):
        raise NotPossible(
            "ENCODER names an encoder that was tuned before; name the one that it was tuned on."
        )
    cases = _cases(questions) if questions else []
    try:
        import_optional("sentence_transformers", "klaartje tune")  # better now than after all the work
        articles = await _published(settings, cases)
        base = await asyncio.to_thread(load_encoder, settings.encoder)
        cache = FileVectorCache(settings.state_dir / "vectors")
        tuned = await learn(articles, base, settings.encoder, cases=cases, cache=cache, seed=seed)
    except (EncoderUnavailable, TooLittle) as fault:
        raise NotPossible(str(fault)) from None
    better = not dry_run and not tuned.objections()
    folder = keep(tuned, settings.state_dir.resolve() / "encoder", seed) if better else None
    return "\n".join(_told(tuned, folder))


def _told(tuned: Tuned, folder: Path | None) -> Iterator[str]:
    from knowledge.tune import table

    yield from table(tuned)
    yield ""
    if objections := tuned.objections():
        yield f"Not kept: {'; '.join(objections)}."
    elif folder is None:
        yield "Better. Not kept: this was a dry run."
    else:
        yield f"Kept. To use it, start Klaartje with\nENCODER={folder}"


def _cases(file: Path) -> list[Case]:
    from knowledge.evaluate import read_cases

    try:
        return [case for case in read_cases(file) if case.slugs or case.outside]
    except (ValueError, OSError) as error:
        raise NotPossible(f"{file}: {error}") from None


async def _published(settings: Settings, cases: list[Case]) -> list[IndexedArticle]:
    """Raises `NotPossible` where a question expects what is not published."""
    from knowledge.evaluate import unknown_names
    from knowledge.store import ArticleStore

    await prepare(settings)
    async with open_house(settings, {}) as house:
        published = await ArticleStore(house.database, house.bus, house.clock).published()
    if unknown := unknown_names(cases, {article.slug for article in published}):
        raise NotPossible(f"neither an article nor a route: {', '.join(unknown)}")
    return list(published)
