"""What an administrator can do to an account at once: each asks first, and says what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deed:
    """`key` is its word in the address; `title` asks, `text` tells what will happen, `button` does it."""

    key: str
    title: str
    text: str
    button: str
    done: str


DEEDS: Mapping[str, Deed] = {
    deed.key: deed
    for deed in (
        Deed(
            "link",
            "Nieuwe link maken",
            "Uw collega kiest met de link een nieuw wachtwoord en koppelt opnieuw een app. Het oude wachtwoord, de "
            "app en de herstelcodes werken dan niet meer. Uw collega wordt overal uitgelogd.",
            "Maak een nieuwe link",
            "",
        ),
        Deed(
            "blokkeren",
            "Blokkeren",
            "Uw collega wordt meteen overal uitgelogd en kan niet meer inloggen. Open gesprekken gaan terug in de rij. "
            "U kunt uw collega later weer toelaten.",
            "Blokkeer deze medewerker",
            "De medewerker is geblokkeerd. Open gesprekken gaan nu terug in de rij.",
        ),
        Deed(
            "toelaten",
            "Weer toelaten",
            "Uw collega kan weer inloggen, met het wachtwoord en de app van voor de blokkade.",
            "Laat deze medewerker weer toe",
            "De medewerker kan weer inloggen.",
        ),
        Deed(
            "verwijderen",
            "Verwijderen",
            "Het account is daarna weg en komt niet terug. Open gesprekken gaan terug in de rij. Wat uw collega deed, "
            "blijft in het logboek staan.",
            "Verwijder deze medewerker",
            "De medewerker is verwijderd. Open gesprekken gaan nu terug in de rij.",
        ),
    )
}

DONE: Mapping[str, str] = {
    "opslaan": "De gegevens zijn opgeslagen.",
    **{deed.key: deed.done for deed in DEEDS.values()},
}
"""What the next page says, by the word in its address."""
