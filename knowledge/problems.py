"""What keeps articles from being published: judged one by one, and against each other. In Dutch, for an editor."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from knowledge.article import TEXT_LIMIT, ArticleDraft

_VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def problems(draft: ArticleDraft, facts: Mapping[str, str]) -> list[str]:
    """What keeps it from being published, one Dutch sentence each; `facts` is all that a text may name."""
    found: list[str] = []
    texts = [*draft.texts(), *_translated(draft)]
    places = [*texts, ("title", draft.title), *((code, made.title) for code, made in draft.translated())]
    places += [("links", part) for link in draft.links for part in (link.label, link.url)]
    for name, text in places:
        found += _variable_problems(name, text, facts)
    for name, text in texts:
        length = len(_VARIABLE.sub(lambda match: facts.get(match[1], match[0]), text))
        if length > TEXT_LIMIT:
            found.append(f"{name}: {length} tekens; maak de tekst {length - TEXT_LIMIT} tekens korter.")
    for code, made in draft.translated():
        extra = [name for name in made.aspects if name not in draft.aspects]
        found += (
            f"{code}, {name}: dit deel staat niet in het Nederlands; schrijf het daar ook." for name in extra
        )
    return found + _phrasing_problems(draft)


def _translated(draft: ArticleDraft) -> Iterator[tuple[str, str]]:
    for code, made in draft.translated():
        yield f"{code}, answer", made.answer
        yield from ((f"{code}, {name}", text) for name, text in made.aspects.items())


def _phrasing_problems(draft: ArticleDraft) -> list[str]:
    found: list[str] = []
    seen: set[str] = set()
    for phrasing in draft.phrasings:
        key = phrasing_key(phrasing)
        if not key:
            found.append("phrasings: er staat een lege vraag in de lijst; haal die weg.")
        elif re.search(r"[{}]", phrasing):
            found.append(f"phrasings: {phrasing!r} bevat een accolade; een vraag heeft geen variabelen.")
        elif key in seen:
            found.append(f"phrasings: {phrasing!r} staat er twee keer in; haal er een weg.")
        seen.add(key)
    return found


def conflicts(drafts: Iterable[ArticleDraft]) -> list[str]:
    """What does not fit together in a set: a slug or a question twice, a related article not there."""
    found: list[str] = []
    drafts = list(drafts)
    slugs: set[str] = set()
    owners: dict[str, str] = {}
    for draft in drafts:
        if draft.slug in slugs:
            found.append(f"{draft.slug}: deze slug komt twee keer voor; kies een andere.")
        slugs.add(draft.slug)
        for phrasing in draft.phrasings:
            other = owners.setdefault(phrasing_key(phrasing), draft.slug)
            if other != draft.slug:
                found.append(f"{draft.slug}: {phrasing!r} staat ook bij {other}; kies waar de vraag hoort.")
    for draft in drafts:
        missing = (slug for slug in draft.related if slug not in slugs)
        found += (f"{draft.slug}: verwant artikel {slug} bestaat niet; haal het weg." for slug in missing)
    return found


def phrasing_key(phrasing: str) -> str:
    """What makes two phrasings the same: their words, without capitals, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", phrasing.casefold())
    return " ".join(re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c))))


def _variable_problems(name: str, text: str, facts: Mapping[str, str]) -> Iterator[str]:
    for variable in dict.fromkeys(_VARIABLE.findall(text)):
        if variable not in facts:
            close = difflib.get_close_matches(variable, facts, n=1)
            hint = f"bedoelt u {{{close[0]}}}?" if close else "voeg haar toe aan de gegevens van de gemeente."
            yield f"{name}: de variabele {{{variable}}} bestaat niet; {hint}"
    if re.search(r"[{}]", _VARIABLE.sub("", text)):
        yield f"{name}: er staat een losse accolade; een variabele schrijft u als {{telefoon}}."
