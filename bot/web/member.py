"""The seam to the sign-in: who asks for a page of the staff, and what they may."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

SIGN_IN = "/inloggen"


class Permission(StrEnum):
    """One thing that a page or an act needs."""

    SEE_CONVERSATIONS = "see conversations"
    ANSWER = "answer residents"
    SEE_FILES = "see files of residents"
    ASSIGN = "assign conversations"


_AGENT = frozenset({Permission.SEE_CONVERSATIONS, Permission.ANSWER, Permission.SEE_FILES})

PERMISSIONS: Mapping[str, frozenset[Permission]] = {
    "agent": _AGENT,
    "team-lead": _AGENT | {Permission.ASSIGN},
}
"""What each role may; what does not stand here is not allowed."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the staff who signed in. `csrf` is the token of their session, which each act must bring along;
    without `teams` they help all. `most` conversations at the same time; None: as many as the municipality says."""

    id: str
    name: str
    roles: frozenset[str]
    teams: tuple[str, ...] = ()
    csrf: str = ""
    most: int | None = None


Identify = Callable[[web.Request], Awaitable[Member | None]]
"""Finds who asks; None where nobody signed in."""


async def nobody(_request: web.Request) -> Member | None:
    """Where there is no sign-in, nobody is signed in."""
    return None


def permitted(roles: Collection[str], permission: Permission) -> bool:
    """Whether one of the roles allows it."""
    return any(permission in PERMISSIONS.get(role, frozenset()) for role in roles)


def is_own_page(member: Member, request: web.Request) -> bool:
    """Whether an act comes from a page that we made for this member: it brings the token of their session."""
    given = request.headers.get("X-CSRF-Token", "")
    return bool(member.csrf) and hmac.compare_digest(given.encode(), member.csrf.encode())
