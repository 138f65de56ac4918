"""What a rule finds: a stretch of the text, before it becomes a `Finding` with line and column."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.plain.report import Kind, Severity

RIJK = (
    "Communicatie Rijk, Taalniveau B1, "
    "https://www.communicatierijk.nl/vakkennis/rijkswebsites/aanbevolen-richtlijnen/taalniveau-b1"
)
HVDS = "Hendrikx van der Spek, Schrijven op B1-niveau, https://hvds.nl/tipsentricks/schrijven-op-b1-niveau/"
TAALWINKEL = (
    "Taalwinkel (HvA en UvA), Vermijd opeenstapeling van ontkenningen, "
    "https://taalwinkel.nl/doe-niet-moeilijk-als-het-makkelijk-kan/"
)
HOLLANDS_KROON = "Gemeente Hollands Kroon, Schrijfstijl, https://www.hollandskroon.nl/stijlgids/schrijfstijl/"
ZUID_HOLLAND = (
    "Provincie Zuid-Holland, Schrijfwijzer, "
    "https://wapenfeiten.zuid-holland.nl/schrijfwijzer/heldere-taal/woordgebruik"
)
FREQUENCY = (
    "SUBTLEX, Zipf-schaal: onder 3 is een woord zeldzaam "
    "(Van Heuven e.a. 2014, doi:10.1080/17470218.2013.850521)"
)
HOUSE = "Schrijven voor Klaartje, docs/redactie.md"


@dataclass(frozen=True, slots=True)
class Hit:
    """From `start` to `end` in the text; the rest as in `Finding`."""

    start: int
    end: int
    kind: Kind
    severity: Severity
    reason: str
    suggestion: str
    source: str
    replacement: str | None = None
