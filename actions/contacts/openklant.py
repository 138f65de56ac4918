"""Open Klant 2 as the register: a contact becomes a klantcontact, a callback request an internal task for a team.

What must be made is made in steps, each looked for first by what is ours: the contact by our reference, which is the
object that it is about; the rest by the contact. So a step of which nobody knows whether it was done is found, and one
that was not done is made. Where two would do it at the same moment, a number that Open Klant keeps unique stops one.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from actions.contacts.openklant_api import Api, Declined, Row
from bot.model import CallbackRequest, Contact
from bot.ports import Finding, Health, RegistryFault

REGISTER = "klaartje"
"""The register in which our references are known, for Open Klant."""

_CHANNELS = {"whatsapp": "WhatsApp", "telegram": "Telegram", "webchat": "Webchat"}
_TASK = "Contact opnemen met betrokkene"
"""What the screens for employees ask for by these words."""
_PARTS = {"ochtend": "in de ochtend", "middag": "in de middag"}
_TITLE, _TEXT = 200, 1000
_NUMBERS = 5
"""So many numbers are tried where somebody else has ours: one in thousands of millions."""
_KEEP_GOOD, _KEEP_BAD = 60.0, 15.0
"""Seconds that a state of health is kept."""


class OpenKlant:
    """The register behind `url`; callback requests are for the actor with the uuid `actor`."""

    name = "openklant"

    def __init__(
        self, url: str, token: str, actor: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = Api(url, token)
        self._host = urlsplit(url).hostname or ""
        self._actor = actor
        self._clock = clock
        self._asking = asyncio.Lock()
        self._health: tuple[float, Health] | None = None

    async def register_contact(self, contact: Contact) -> str:
        """A klantcontact with a human."""
        subject = "Chatgesprek met een medewerker"
        body = {
            "onderwerp": _cut(f"{subject}: {contact.topic}" if contact.topic else subject, _TITLE),
            "inhoud": _cut(_summary(f"Gesprek {contact.reference} via de chatassistent.", contact), _TEXT),
            "indicatieContactGelukt": True,
        }
        return await self._contact(contact, body)

    async def register_callback(self, request: CallbackRequest) -> str:
        """A klantcontact, the telephone number of who was in contact, and a task for the team; the task comes last,
        so that nobody gets one without a number."""
        contact = request.contact
        lead = f"Terugbelverzoek {contact.reference} via de chatassistent."
        body = {
            "onderwerp": _cut(f"Terugbelverzoek: {contact.topic}", _TITLE),
            "inhoud": _cut(_summary(lead, contact), _TEXT),
            "indicatieContactGelukt": False,
        }
        key = await self._contact(contact, body)
        await self._phone(await self._person(key), request.phone)
        when = _PARTS.get(request.part_of_day, "moment maakt niet uit")
        await self._task(key, contact, _cut(_summary(f"{lead} Bellen: {when}.", contact), _TEXT))
        return key

    async def health(self) -> Health:
        """Whether the token is taken and the team is there. Kept for a while."""
        async with self._asking:
            if self._health is None or self._clock() >= self._health[0]:
                state = await self._look()
                keep = _KEEP_GOOD if state.state == "ok" else _KEEP_BAD
                self._health = (self._clock() + keep, state)
            return self._health[1]

    async def check(self) -> list[Finding]:
        """Address, token and team."""
        found = []
        if not self._api.safe and self._host not in ("localhost", "127.0.0.1", "::1"):
            advice = "use https: the token and telephone numbers can be read on the way"
            found.append(Finding("address", "todo", advice))
        try:
            await self._api.get("actoren", pageSize="1")
        except RegistryFault as fault:
            return [*found, Finding("address and token", "wrong", fault.reason)]
        found.append(Finding("address and token", "ok"))
        state = await self._look()
        return [*found, Finding("team", "ok" if state.state == "ok" else "wrong", state.detail)]

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close()

    async def _look(self) -> Health:
        try:
            actor = await self._api.get(f"actoren/{self._actor}")
        except RegistryFault as fault:
            reason = (
                "there is no actor with OPENKLANT_ACTOR, or " if fault.reason.startswith("HTTP 404") else ""
            )
            return Health("down", f"{reason}{fault.reason}")
        if actor.get("indicatieActief") is not True:
            return Health("degraded", "the actor of OPENKLANT_ACTOR is not active")
        return Health("ok")

    async def _contact(self, contact: Contact, body: Mapping[str, Any]) -> str:
        """The uuid of the klantcontact, made where there is none; with who was in contact, at once or not at all."""
        whole = {
            **body,
            "kanaal": _channel(contact.channel),
            "taal": "nld",
            "vertrouwelijk": True,
            "plaatsgevondenOp": contact.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }

        async def make(number: str) -> str:
            answer = await self._api.post(
                "maak-klantcontact",
                {
                    "klantcontact": {**whole, "referentienummer": number},
                    "betrokkene": {"wasPartij": None, "rol": "klant", "initiator": True},
                    "onderwerpobject": {
                        "wasKlantcontact": None,
                        "onderwerpobjectidentificator": _identificator(contact.reference),
                    },
                },
            )
            made = answer.get("klantcontact")
            return _uuid(made if isinstance(made, dict) else {})

        return await self._once(contact.reference, lambda: self._find(contact.reference), make)

    async def _find(self, reference: str) -> str | None:
        """The contact that is about our reference. Each answer is looked at: one that ignores the question must not
        lead to somebody else's contact."""
        ours = _identificator(reference)
        rows = await self._api.rows(
            "onderwerpobjecten",
            onderwerpobjectidentificatorObjectId=ours["objectId"],
            onderwerpobjectidentificatorCodeRegister=ours["codeRegister"],
        )
        contacts = [
            _uuid(row["klantcontact"])
            for row in rows
            if row.get("onderwerpobjectidentificator") == ours and isinstance(row.get("klantcontact"), dict)
        ]
        return min(contacts, default=None)  # of two, each time the same one

    async def _person(self, contact: str) -> Row:
        """Who was in contact. There is one, unless somebody took it away."""
        rows = await self._api.rows("betrokkenen", hadKlantcontact__uuid=contact)
        mine = [row for row in rows if _of(row, "hadKlantcontact") == contact]
        if mine:
            return min(mine, key=_uuid)
        body = {"wasPartij": None, "hadKlantcontact": {"uuid": contact}, "rol": "klant", "initiator": True}
        return await self._api.post("betrokkenen", body)

    async def _phone(self, person: Row, phone: str) -> None:
        """The number, unless one is there. Two at the same moment may add it twice; it is the same."""
        if person.get("digitaleAdressen"):
            return
        body = {
            "verstrektDoorBetrokkene": {"uuid": _uuid(person)},
            "verstrektDoorPartij": None,
            "adres": re.sub(r"[^\d+]", "", phone),
            "soortDigitaalAdres": "telefoonnummer",
            "omschrijving": "terugbelnummer",
        }
        try:
            await self._api.post("digitaleadressen", body)
        except Declined as fault:
            if not fault.names("adres"):
                raise
            # A number that Open Klant takes for none (0800): better so than nobody calling.
            await self._api.post("digitaleadressen", {**body, "soortDigitaalAdres": "overig"})

    async def _task(self, key: str, contact: Contact, explanation: str) -> None:
        async def find() -> str | None:
            rows = await self._api.rows("internetaken", aanleidinggevendKlantcontact__uuid=key)
            tasks = [_uuid(row) for row in rows if _of(row, "aanleidinggevendKlantcontact") == key]
            return min(tasks, default=None)

        async def make(number: str) -> str:
            body = {
                "referentienummer": number,
                "gevraagdeHandeling": _TASK,
                "aanleidinggevendKlantcontact": {"uuid": key},
                "toegewezenAanActoren": [{"uuid": self._actor}],
                "toelichting": explanation,
                "status": "te_verwerken",
            }
            return _uuid(await self._api.post("internetaken", body))

        await self._once(contact.reference, find, make)

    async def _once(self, reference: str, find: Callable[[], Any], make: Callable[[str], Any]) -> str:
        """What is there, else what is made. A number that is taken means: it was made just now, or the number is
        somebody else's. (An Open Klant before 2.16 has no such number and ignores it.)"""
        refusal: Declined | None = None
        for number in _numbers(reference):
            if found := await find():
                return str(found)
            try:
                return str(await make(number))
            except Declined as fault:
                if not fault.names("referentienummer", "unique"):
                    raise
                refusal = fault
        raise refusal or RegistryFault("no number is free", retryable=True)


def _identificator(reference: str) -> dict[str, str]:
    return {
        "objectId": reference,
        "codeObjecttype": "chatgesprek",
        "codeRegister": REGISTER,
        "codeSoortObjectId": "referentie",
    }


def _numbers(reference: str) -> list[str]:
    """Ten digits of our reference, each time the same: the form that Open Klant has for a reference."""
    digests = (hashlib.sha256(f"{reference}/{n}".encode()).hexdigest() for n in range(_NUMBERS))
    return [str(10**9 + int(digest, 16) % (9 * 10**9)) for digest in digests]


def _uuid(row: Mapping[str, Any]) -> str:
    """Its id, which goes into addresses. Raises `RegistryFault` where it is none."""
    try:
        return str(UUID(row["uuid"]))
    except (KeyError, ValueError, TypeError, AttributeError):
        raise RegistryFault("unreadable answer", retryable=True) from None


def _of(row: Row, name: str) -> str | None:
    inner = row.get(name)
    return _uuid(inner) if isinstance(inner, dict) else None


def _channel(name: str) -> str:
    """As employees call it; of an account with a name of its own, the channel."""
    kind = name.split("-")[0]
    return _CHANNELS.get(kind, name)[:50]


def _summary(lead: str, contact: Contact) -> str:
    return f"{lead} Onderwerp: {contact.topic}" if contact.topic else lead


def _cut(text: str, most: int) -> str:
    """Within a length, as one line."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
