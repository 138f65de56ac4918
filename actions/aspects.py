"""The parts of an answer (`kosten`, `meenemen`, ...): which one a question asks for, and their buttons."""

from __future__ import annotations

import re

from actions.phrases import Phrases
from bot.model import Choice
from bot.ports import Article

ORDER = ("kosten", "meenemen", "duur", "hoe", "voorwaarden", "waar")

_ASKED = {
    "kosten": r"\b(kost|kosten|prijs|prijzen|tarief|tarieven|hoe duur|gratis|"
    r"hoeveel (geld|euro|betaal\w*|moet ik betalen))\b",
    "meenemen": r"\b(meenemen|meebrengen|mee te nemen|neem ik mee|neem je mee|moet ik mee\w*|heb ik (allemaal )?nodig|"
    r"welke (papieren|documenten|bewijzen|bewijsstukken))\b",
    "duur": r"\b(hoe ?lang duurt|hoe ?lang gaat|hoe ?lang ben|hoe ?lang moet ik wachten|duurt het lang|hoe snel|"
    r"hoeveel (tijd|weken|dagen) duurt|levertijd|wachttijd|doorlooptijd)\b",
    "voorwaarden": r"\b(voorwaarden?|in aanmerking|recht op|aan welke eisen|wie (kan|mag|krijgt))\b",
    "waar": r"^\W*(en )?waar (moet|kan|ga|haal|lever|breng|vraag|meld|is dat|moeten|kunnen)\b",
}
_PATTERNS = {aspect: re.compile(pattern, re.IGNORECASE) for aspect, pattern in _ASKED.items()}
_FOLLOW_UP = re.compile(
    r"^\W*en\b|\b(dat|het|dit|die|deze|daarvoor|ervoor|hiervoor|daar|dan)\b", re.IGNORECASE
)
_SHORT = 7


def asked(text: str) -> str | None:
    """The aspect that a question asks for, or None. `hoe` never: that is what the answer itself says."""
    return next((aspect for aspect, pattern in _PATTERNS.items() if pattern.search(text)), None)


def follows_up(text: str) -> bool:
    """Whether a question leans on the one before: short, and pointing back (`en wat kost dat?`)."""
    return len(text.split()) <= _SHORT and _FOLLOW_UP.search(text) is not None


def choices(article: Article, phrases: Phrases, without: str | None = None) -> tuple[Choice, ...]:
    """Buttons for the aspects that the article has. They name the article too: an old button still means its own."""
    return tuple(
        Choice(f"aspect:{article.slug}/{aspect}", phrases.text(f"aspect_{aspect}"))
        for aspect in ORDER
        if aspect in article.aspects and aspect != without
    )
