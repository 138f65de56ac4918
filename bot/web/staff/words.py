"""How the pages of administrators say things: acts, states, moments, and why something can't be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.audit import NOBODY, Act
from bot.clock import AMSTERDAM
from bot.municipality import MONTHS
from bot.staff.members import Why
from bot.staff.roles import DUTCH, known

ACTS: Mapping[Act, str] = {
    Act.SIGNED_IN: "Ingelogd",
    Act.SIGNED_OUT: "Uitgelogd",
    Act.SIGN_IN_FAILED: "Inloggen mislukt",
    Act.SIGN_IN_REFUSED: "Inloggen geweigerd",
    Act.CHOSE: "Wachtwoord en app gekozen",
    Act.CHANGED_PASSWORD: "Wachtwoord veranderd",
    Act.CHANGED_APP: "App opnieuw gekoppeld",
    Act.ADDED: "Medewerker toegevoegd",
    Act.CHANGED_NAME: "Naam veranderd",
    Act.CHANGED_ROLES: "Rollen veranderd",
    Act.CHANGED_TEAMS: "Teams veranderd",
    Act.CHANGED_MOST: "Aantal gesprekken veranderd",
    Act.RESET: "Nieuwe link gemaakt",
    Act.DISABLED: "Medewerker geblokkeerd",
    Act.ENABLED: "Medewerker weer toegelaten",
    Act.REMOVED: "Medewerker verwijderd",
    Act.DOWNLOADED_AUDIT: "Logboek gedownload",
    Act.OPENED_CONVERSATION: "Gesprek geopend",
    Act.TOOK_CONVERSATION: "Gesprek aangenomen",
    Act.SEARCHED: "In gesprekken gezocht",
    Act.OPENED_FILE: "Bestand geopend",
    Act.CALLED_BACK: "Bewoner teruggebeld",
    Act.EXPORTED_REPORTS: "Meldingen gedownload",
    Act.CLOSED_REPORT: "Melding afgehandeld",
    Act.NOTED_APPOINTMENT: "Genoteerd of iemand kwam",
    Act.CALLED_OFF: "Afspraak afgezegd",
    Act.CLOSED_COUNTER: "Dag of loket gesloten",
    Act.OPENED_COUNTER: "Dag of loket weer open",
    Act.SAVED_ARTICLE: "Concept van artikel opgeslagen",
    Act.SUBMITTED_ARTICLE: "Artikel ter controle gegeven",
    Act.RETURNED_ARTICLE: "Artikel teruggegeven",
    Act.SCHEDULED_ARTICLE: "Artikel ingepland",
    Act.PUBLISHED: "Artikel gepubliceerd",
    Act.WITHDREW_ARTICLE: "Artikel ingetrokken",
    Act.RESTORED_ARTICLE: "Oude versie teruggezet",
    Act.DISCARDED_DRAFT: "Concept weggegooid",
    Act.FORGOT: "Gesprek gewist op verzoek",
    Act.PURGED: "Gesprek gewist na de bewaartermijn",
}
"""What each act means."""

CONVERSATIONS = frozenset({Act.OPENED_CONVERSATION, Act.TOOK_CONVERSATION})
"""Acts whose object is a conversation that may still be there."""

_ACTORS: Mapping[str, str] = {
    NOBODY: "Onbekend",
    "retention": "Klaartje",
    "engineer": "Technisch beheer",
    "import": "Import van artikelen",
    "starter content": "Klaartje",
}

_WAYS: Mapping[str, str] = {
    "password": "met een wachtwoord",
    "work account": "met een werkaccount",
    "link": "met een link",
    "first link": "met de eerste link",
}

STATES: Mapping[str, str] = {
    "active": "Actief",
    "work": "Actief, met werkaccount",
    "invited": "Uitgenodigd",
    "disabled": "Geblokkeerd",
}

WHY: Mapping[Why, tuple[str, str]] = {
    Why.BAD_NAME: (
        "name",
        "Kies 2 tot 64 tekens. Het mogen letters, cijfers, punten, streepjes en @ zijn, zonder spaties.",
    ),
    Why.TAKEN: ("name", "Deze gebruikersnaam is er al. Kies een andere."),
    Why.USED: ("name", "Deze gebruikersnaam was van een oud-collega. Kies een andere."),
    Why.UNKNOWN: ("name", "Deze medewerker is er niet meer."),
    Why.NO_ROLE: ("role", "Kies minstens één rol."),
    Why.BAD_MOST: ("most", "Vul een heel getal in van 1 tot en met 20, of laat het vak leeg."),
    Why.WORK_ACCOUNT: ("name", "Dit is een werkaccount. Daar hoort geen link van ons bij."),
    Why.ROLES_ELSEWHERE: ("role", "De rollen van een werkaccount komen van uw systeem voor werkaccounts."),
    Why.NAME_ELSEWHERE: ("display", "De naam van een werkaccount komt van uw systeem voor werkaccounts."),
    Why.TEAMS_ELSEWHERE: ("team", "De teams van een werkaccount komen van uw systeem voor werkaccounts."),
    Why.DISABLED: ("name", "Deze medewerker is geblokkeerd. Laat deze eerst weer toe."),
    Why.YOURSELF: ("role", "Dit is uw eigen account. Vraag een andere beheerder om dit te doen."),
    Why.LAST_ADMIN: ("role", "Dan is er geen beheerder meer. Maak eerst een andere collega beheerder."),
}
"""Why it can't be done: at which field of the form, and what to do."""


def person(actor: str, shown: str) -> str:
    """Who did it; the parts of the program by a name that says what they are."""
    return _ACTORS.get(actor, shown)


def actors_like(term: str) -> frozenset[str]:
    """Which parts of the program have this in what they are called."""
    wanted = term.strip().lower()
    return frozenset(actor for actor, said in _ACTORS.items() if wanted and wanted in said.lower())


def act(name: str) -> str:
    """What was done; as it stands there where a later version wrote it."""
    return ACTS[Act(name)] if name in set(Act) else name


def roles(names: Iterable[str]) -> str:
    """Roles, in the order of their names."""
    return ", ".join(DUTCH[role] for role in sorted(known(names)))


def detail(values: Mapping[str, Any], teams: Mapping[str, str]) -> str:
    """What more is known of an act. `teams` gives the titles."""
    said = []
    if "how" in values:
        said.append(_WAYS.get(values["how"], str(values["how"])))
    if "roles" in values:
        said.append(roles(values["roles"]))
    if "teams" in values:
        said.append(", ".join(teams.get(name, name) for name in values["teams"]) or "alle teams")
    if "most" in values:
        said.append(_most(values["most"]))
    if "count" in values:
        said.append(f"{values['count']} stuks")
    if "revision" in values:
        said.append(f"versie {values['revision']}")
    return "; ".join(said)


def _most(number: int | None) -> str:
    if number is None:
        return "zoveel gesprekken als de gemeente kiest"
    return f"{number} {'gesprek' if number == 1 else 'gesprekken'} tegelijk"


def moment(at: datetime, now: datetime) -> str:
    """`vandaag 14:05`, `gisteren 9:30`, or `23 november 2026 14:05`."""
    local, today = at.astimezone(AMSTERDAM), now.astimezone(AMSTERDAM).date()
    clock = local.strftime("%H:%M")
    if local.date() == today:
        return f"vandaag {clock}"
    if local.date() == today - timedelta(days=1):
        return f"gisteren {clock}"
    return f"{local.day} {MONTHS[local.month - 1]} {local.year} {clock}"
