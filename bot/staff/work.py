"""Sign-in with a work account: the provider says who it is and in which groups, a table says which roles that gives."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import queue
from bot.audit import NOBODY, Act, audit
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import users, work_sign_ins
from bot.staff.members import new_user, shut_out, was_removed
from bot.staff.oidc import Flow, OidcFault, Provider, claimed
from bot.staff.roles import Role
from bot.staff.secret import hashed
from bot.staff.sessions import Sessions

log = logging.getLogger(__name__)

LIFE = timedelta(minutes=10)


class NoAccess(Exception):
    """The provider knows who it is, and that somebody may not be here: no role, or disabled."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A session that has begun, and where to go on."""

    token: str
    onward: str


@dataclass(frozen=True, slots=True)
class ByClaim:
    """Which words of a claim give which teams."""

    claim: str
    words: Mapping[str, frozenset[str]]

    def given(self, claims: Mapping[str, Any]) -> list[str]:
        """The teams of somebody with these claims; without any they help all."""
        found = (self.words.get(word, frozenset()) for word in claimed(claims, self.claim))
        return sorted(frozenset[str]().union(*found))


class WorkAccounts:
    """Lets members in whom the provider knows. `roles`: which role a word of the claim gives; `teams`: the same for
    teams, where the provider says those too."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        provider: Provider,
        claim: str,
        roles: Mapping[str, frozenset[Role]],
        clock: Clock = utc_now,
        *,
        teams: ByClaim | None = None,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._provider = provider
        self._claim = claim
        self._roles = roles
        self._clock = clock
        self._teams = teams

    async def leave(self, visit: str, onward: str) -> str:
        """Where to send who wants to sign in; noted, so that only the same browser can come back. Raises
        `OidcFault`."""
        flow = Flow.new()
        address = await self._provider.address(flow)
        row = {"state_hash": hashed(flow.state), "visit_hash": hashed(visit), "onward": onward}
        secrets = {"nonce": flow.nonce, "verifier": flow.verifier}
        now = self._clock()
        async with self._database.write() as connection:
            await connection.execute(sa.delete(work_sign_ins).where(work_sign_ins.c.until <= now))
            await connection.execute(sa.insert(work_sign_ins).values(**row, **secrets, until=now + LIFE))
        return address

    async def enter(self, visit: str, state: str, code: str, issuer: str | None) -> Entered:
        """Let in who came back. Raises `OidcFault` and `NoAccess`."""
        async with self._database.write() as connection:
            mine = sa.and_(
                work_sign_ins.c.state_hash == hashed(state), work_sign_ins.c.visit_hash == hashed(visit)
            )
            gone = sa.delete(work_sign_ins).where(mine).returning(work_sign_ins)
            row = (await connection.execute(gone)).one_or_none()
        if row is None or row.until <= self._clock():
            raise OidcFault("somebody came back who did not leave from this browser, or long ago")
        flow = Flow(state, row.nonce, row.verifier)
        wanted = {self._claim, self._teams.claim} if self._teams else {self._claim}
        claims = await self._provider.claims(flow, code, issuer, *sorted(wanted))
        roles = self._given(claims)
        async with self._database.write() as connection:
            token = await self._admit(connection, claims, roles)
        if token is None:
            raise NoAccess
        return Entered(token, row.onward)

    async def _admit(
        self, connection: AsyncConnection, claims: Mapping[str, Any], roles: frozenset[Role]
    ) -> str | None:
        """The token of a new session; None for who may not be here, and then no longer is."""
        key = (users.c.issuer == claims["iss"], users.c.subject == claims["sub"])
        row = (await connection.execute(sa.select(users).where(*key))).one_or_none()
        shown = str(claims.get("name") or claims.get("preferred_username") or "Medewerker")[:128]
        teams = {} if self._teams is None else {"teams": self._teams.given(claims)}
        if row is not None:
            changed = sa.update(users).where(users.c.id == row.id)
            await connection.execute(changed.values(roles=sorted(roles), display_name=shown, **teams))
        disabled = row is not None and row.disabled_at is not None
        if disabled:
            log.warning("sign-in refused: this work account is disabled here")
        if disabled or not roles:
            if row is not None:
                await shut_out(connection, row.id)
                await queue.gone(connection, row.name)
            await audit(connection, NOBODY, Act.SIGN_IN_REFUSED, row.id if row else "", at=self._clock())
            return None
        if row is not None:
            return await self._sessions.begin(connection, row.id, row.name, "work account")
        more = {"issuer": claims["iss"], "subject": claims["sub"], "created_at": self._clock()}
        new = new_user("", shown, roles, **teams, **more)
        new["name"] = await _free_name(connection, claims, new["id"])
        await connection.execute(sa.insert(users).values(**new))
        return await self._sessions.begin(connection, new["id"], new["name"], "work account")

    def _given(self, claims: Mapping[str, Any]) -> frozenset[Role]:
        words = claimed(claims, self._claim)
        roles = frozenset(role for word in words for role in self._roles.get(word, frozenset()))
        if not roles:
            why = (
                f"none of its {len(words)} words stands in OIDC_ROLES"
                if words
                else "it is not there or empty"
            )
            log.warning("sign-in refused: claim %s gives no role (OIDC_ROLES_CLAIM): %s", self._claim, why)
        return roles


async def _free_name(connection: AsyncConnection, claims: Mapping[str, Any], key: str) -> str:
    """A name for the audit. Providers let people change theirs: who comes later never gets one that is taken."""
    wanted = next(
        (str(claims[claim]) for claim in ("preferred_username", "upn", "email") if claims.get(claim)), "werk"
    ).lower()[:64]
    taken = await connection.scalar(sa.select(users.c.id).where(users.c.name == wanted))
    free = taken is None and not await was_removed(connection, wanted)
    return wanted if free else f"{wanted[:55]}-{key[:8]}"
