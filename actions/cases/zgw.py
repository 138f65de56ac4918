"""Cases of the ZGW standard (Zaken API 1.5, as Open Zaak has it): found by number, proved by who asked for it.

A number is unique only within an organisation, so both are asked for. Who asked is the role `initiator`. Of a person
only address and date of birth are looked at; nothing of it leaves this module, and the citizen service number that
stands beside it is never read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from actions.cases.proofs import same_address, same_birth_date
from actions.cases.zgw_api import Api, Missing, Row, unreadable
from bot.clock import AMSTERDAM
from bot.model import Case, CaseStatus, Proof
from bot.ports import CaseFault, Finding, Health

_EXPAND = "status,status.statustype,zaaktype,resultaat,resultaat.resultaattype"
_LOCAL = ("localhost", "127.0.0.1", "::1")
_SECRET = 32
"""Characters of a secret that is as strong as the signature made with it."""
_KEEP_GOOD, _KEEP_BAD = 60.0, 15.0
"""Seconds that a state of health is kept."""


class ZgwCases:
    """The Zaken API behind `url`, and in it the cases of one organisation (its RSIN)."""

    name = "zgw"

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: str,
        organisation: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._api = Api(url, client_id, secret, now)
        self._short = len(secret) < _SECRET
        self._host = urlsplit(url).hostname or ""
        self._organisation = organisation
        self._clock = clock
        self._asking = asyncio.Lock()
        self._health: tuple[float, Health] | None = None

    async def find(self, reference: str, proof: Proof) -> Case | None:
        """The case whose initiator the proof fits."""
        query = {"identificatie": reference, "bronorganisatie": self._organisation, "expand": _EXPAND}
        rows = await self._api.rows("zaken", **query)
        # A server that overlooks a filter must not lead to somebody else's case.
        mine = [
            row
            for row in rows
            if row.get("identificatie") == reference and row.get("bronorganisatie") == self._organisation
        ]
        if len(mine) != 1:
            return None
        address = mine[0].get("url")
        if not isinstance(address, str):
            raise unreadable()
        roles = await self._api.rows("rollen", zaak=address, omschrijvingGeneriek="initiator")
        return _case(mine[0]) if any(_fits(role, address, proof) for role in roles) else None

    async def look(self, key: str) -> Case | None:
        """The case with this uuid."""
        try:
            row = await self._api.get(f"zaken/{UUID(key)}", expand=_EXPAND)
        except ValueError:
            return None
        except Missing:
            # Is it the case that is gone, or all of it? An address that is not right must not end what people follow.
            await self._api.get("zaken", bronorganisatie=self._organisation, pageSize="1")
            return None
        return _case(row)

    async def health(self) -> Health:
        """Whether we may ask. Kept for a while."""
        async with self._asking:
            if self._health is None or self._clock() >= self._health[0]:
                try:
                    await self._ask()
                    state = Health("ok", "Zaken API")
                except CaseFault as fault:
                    # Everything else still works: a resident hears that it can't be looked up now.
                    state = Health("degraded", fault.reason)
                keep = _KEEP_GOOD if state.state == "ok" else _KEEP_BAD
                self._health = (self._clock() + keep, state)
            return self._health[1]

    async def check(self) -> list[Finding]:
        """Address and token, and whether there is any case that we may see."""
        found = []
        if not self._api.safe and self._host not in _LOCAL:
            found.append(
                Finding("address", "todo", "use https: addresses of residents can be read on the way")
            )
        if self._short:
            advice = "give the client a secret of at least 32 characters: a short one can be guessed"
            found.append(Finding("secret", "todo", advice))
        try:
            count = await self._ask()
        except CaseFault as fault:
            return [*found, Finding("address and token", "wrong", fault.reason)]
        found.append(Finding("address and token", "ok"))
        advice = "we see no case of ZGW_ORGANISATION: is that right, and which types may the client read?"
        return [*found, Finding("cases", "ok") if count else Finding("cases", "todo", advice)]

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close()

    async def _ask(self) -> int:
        """How many cases we see. Raises `CaseFault`."""
        answer = await self._api.get("zaken", bronorganisatie=self._organisation, pageSize="1")
        count = answer.get("count")
        if not isinstance(count, int):
            raise unreadable()
        return count


def _fits(role: Row, case: str, proof: Proof) -> bool:
    who = role.get("betrokkeneIdentificatie")
    if (
        role.get("zaak") != case
        or role.get("omschrijvingGeneriek") != "initiator"
        or not isinstance(who, dict)
    ):
        return False
    if proof.birth_date:
        return same_birth_date(proof, str(who.get("geboortedatum") or ""))
    home = who.get("verblijfsadres")
    if not isinstance(home, dict):
        return False
    number = str(home.get("aoaHuisnummer") or "")
    addition = f"{home.get('aoaHuisletter') or ''}{home.get('aoaHuisnummertoevoeging') or ''}"
    return same_address(
        proof, str(home.get("aoaPostcode") or ""), int(number) if number.isdecimal() else None, addition
    )


def _case(row: Row) -> Case:
    """As we tell of it. Raises `CaseFault` where it can't be read: half a case would be a wrong answer."""
    try:
        expanded = row.get("_expand") or {}
        kind = expanded["zaaktype"]
        paused, result = row.get("opschorting") or {}, expanded.get("resultaat") or {}
        return Case(
            key=str(UUID(row["uuid"])),
            reference=str(row["identificatie"]),
            types=_words(kind, "identificatie", "omschrijving", "omschrijvingGeneriek"),
            started=date.fromisoformat(row["startdatum"]),
            status=_status(expanded.get("status")) if row.get("status") else None,
            planned=_day(row.get("einddatumGepland")),
            deadline=_day(row.get("uiterlijkeEinddatumAfdoening")),
            suspended=paused.get("indicatie") is True,
            ended=_day(row.get("einddatum")),
            result=str(_inner(result, "resultaattype").get("omschrijving") or "")
            if row.get("resultaat")
            else "",
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise unreadable() from None


def _status(found: Any) -> CaseStatus:
    kind = _inner(found, "statustype")
    since = datetime.fromisoformat(found["datumStatusGezet"])
    if since.tzinfo is None:
        since = since.replace(tzinfo=AMSTERDAM)
    names = _words(kind, "omschrijving", "omschrijvingGeneriek")
    if not names:
        raise ValueError("a status without a name")
    return CaseStatus(names, str(kind.get("statustekst") or ""), since)


def _inner(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return (row.get("_expand") or {}).get(name) or {}


def _words(row: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for name in names if (value := str(row.get(name) or "").strip())))


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if value else None
