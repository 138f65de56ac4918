"""The parts of an answer (`kosten`, `meenemen`, ...): which ones a question asks for, and their buttons."""

from __future__ import annotations

import re

from actions import sentences
from actions.phrases import Phrases
from bot.model import Choice
from bot.ports import Article

ORDER = ("kosten", "meenemen", "duur", "hoe", "voorwaarden", "waar")

_ASKED = {
    "kosten": r"\b(kost|kosten|kostte|kostenplaatje|prijs|prijzen|tarief|tarieven|hoe duur|gratis"
    r"|is (dat|het|dit) duur"
    r"|hoeveel (geld|euro|betaal\w*|moet (ik|je|u) (er ?voor |daarvoor )?betalen|ben ik kwijt|is (het|dat))"
    r"|(wat|moet ik) (moet ik )?(er ?voor |daarvoor |iets )?(ervoor )?betalen|how much|costs?|price|fee)\b",
    "meenemen": r"\b(mee ?nemen|mee ?brengen|mee te (nemen|brengen)|neem ik (\w+ )?mee|neem je mee"
    r"|moet ik (\w+ )?mee|moet (er )?mee"
    r"|wat (heb|is|moet) (ik |er |je |u )?(er ?voor |daarvoor |hiervoor |allemaal |dan |nog "
    r"|hebben )*nodig|wat ik (\w+ )?nodig heb"
    r"|welke (papieren|documenten|bewijzen|bewijsstukken|spullen)|(what|anything) .*\bbring|(what"
    r"|which) documents)\b",
    "duur": r"\b(hoe ?lang (het |dat |dit |gaat het |gaat dat )?(duurt?|duren|gaat|ben|moet (ik"
    r"|je) wachten|wachten)|duurt (het|dat|dit) lang"
    r"|hoe snel|hoeveel (tijd|weken|dagen|werkdagen) (duurt|kost|zit)|levertijd|wachttijd|doorlooptijd"
    r"|wanneer (is|heb|krijg|kan) (het|dat|ik (het|dat|hem|m)|hij|ie) ?(klaar|binnen|hebben)?"
    r"|how long( does it take)?)\b",
    "voorwaarden": r"\b(voorwaarden?|in aanmerking|recht op|aan welke eisen|wat zijn de (eisen|regels)"
    r"|wie (kan|mag|krijgt|komt)|mag iedereen|(geldt|mag|kan) (dat|het|dit) (ook )?voor (mij|iedereen"
    r"|ons)|who can|conditions)\b",
    "waar": r"^\W*(en )?(waar (moet|kan|ga|haal|lever|breng|vraag|meld|is dat|moeten|kunnen|dan"
    r"|precies)|waar\W*$|where)\b"
    r"|^\W*(en |maar )?waar\W*$",
}
_PATTERNS = {aspect: re.compile(pattern, re.IGNORECASE) for aspect, pattern in _ASKED.items()}
_HOW = re.compile(
    r"^\W*((en|maar|ok|oke|dus) )*(hoe(zo)?( dan| precies)?\W*$|(wat )?nu\W*$|wat (moet|kan) ik (dan "
    r"|nu )?doen\W*$"
    r"|hoe (werkt|gaat|doe|moet|kan|vraag|regel|meld|geef) (ik |je )?(dat|het|dit)\b"
    r"|(kan|moet|mag|gaat) (dat|het|dit) (ook )?(online|via internet|met digid|digitaal)|online\W*$"
    r"|how( do i)?\b)",
    re.IGNORECASE,
)
_AROUND_WORDS = """
betalen geld euro duurt duren gaat lang snel tijd weken dagen werkdagen klaar mee meenemen meebrengen neem
breng brengen papieren documenten spullen recht aanmerking komt krijgt iedereen zit zijn heen terecht precies
dan werkt regel meld geef krijg klaar binnen wachten online internet digitaal kwijt duur take bring anything
long much cost need naartoe moeten aanvragen regelen
"""
_AROUND = frozenset(_AROUND_WORDS.split())


def asked(text: str) -> str | None:
    """The aspect that a question asks for, or None. `hoe` never: that is what the answer itself says."""
    return next(iter(all_asked(text)), None)


def all_asked(text: str) -> tuple[str, ...]:
    """All aspects that a question asks for, as they come in it."""
    places = {
        aspect: found.start() for aspect, pattern in _PATTERNS.items() if (found := pattern.search(text))
    }
    return tuple(sorted(places, key=places.__getitem__))


def alone(text: str) -> str | None:
    """The aspect that a question asks for where it says of nothing else what it is about: `en wat kost dat?`"""
    aspect = asked(text) or ("hoe" if _HOW.search(text) else None)
    if aspect is None:
        return None
    pattern = _PATTERNS.get(aspect, _HOW)
    rest = [word for word in sentences.content(pattern.sub(" ", text)) if word not in _AROUND]
    return None if rest else aspect


def choices(article: Article, phrases: Phrases, without: str | None = None) -> tuple[Choice, ...]:
    """Buttons for the aspects that the article has. They name the article too: an old button still means its own."""
    return tuple(
        Choice(f"aspect:{article.slug}/{aspect}", phrases.text(f"aspect_{aspect}"))
        for aspect in ORDER
        if aspect in article.aspects and aspect != without
    )
