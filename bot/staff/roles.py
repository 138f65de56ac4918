"""Roles of staff, and what each may. What does not stand in the table is not allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Role(StrEnum):
    """What somebody is here for. A member of staff may have several."""

    AGENT = "agent"
    """Talks with residents."""
    TEAM_LEAD = "team-lead"
    """Sees how the talking goes, and who does it."""
    EDITOR = "editor"
    """Writes what residents are answered."""
    ADMIN = "admin"
    """Decides who may in. Sees nothing of residents."""


class Permission(StrEnum):
    """One thing that a page or an action needs."""

    OWN_ACCOUNT = "own account"
    SEE_CONVERSATIONS = "see conversations"
    ANSWER = "answer residents"
    SEE_FILES = "see files of residents"
    CALL_BACK = "call residents back"
    MANAGE_APPOINTMENTS = "manage appointments"
    ASSIGN = "assign conversations"
    EDIT_ARTICLES = "edit articles"
    PUBLISH_ARTICLES = "publish articles"
    SEE_FIGURES = "see figures"
    MANAGE_STAFF = "manage staff"
    SEE_AUDIT = "see the audit"


_AGENT = frozenset(
    {
        Permission.OWN_ACCOUNT,
        Permission.SEE_CONVERSATIONS,
        Permission.ANSWER,
        Permission.SEE_FILES,
        Permission.CALL_BACK,
        Permission.MANAGE_APPOINTMENTS,
    }
)

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.AGENT: _AGENT,
    Role.TEAM_LEAD: _AGENT | {Permission.ASSIGN, Permission.SEE_FIGURES},
    Role.EDITOR: frozenset(
        {
            Permission.OWN_ACCOUNT,
            Permission.EDIT_ARTICLES,
            Permission.PUBLISH_ARTICLES,
            Permission.SEE_FIGURES,
        }
    ),
    Role.ADMIN: frozenset(
        {Permission.OWN_ACCOUNT, Permission.SEE_FIGURES, Permission.MANAGE_STAFF, Permission.SEE_AUDIT}
    ),
}

DUTCH: Mapping[Role, str] = {
    Role.AGENT: "medewerker KCC",
    Role.TEAM_LEAD: "teamleider KCC",
    Role.EDITOR: "redacteur",
    Role.ADMIN: "beheerder",
}
"""How a role is called on the pages."""


def permitted(roles: Iterable[Role], permission: Permission) -> bool:
    """Whether one of the roles allows it."""
    return any(permission in PERMISSIONS.get(role, frozenset()) for role in roles)


def known(names: Iterable[object]) -> frozenset[Role]:
    """The roles with these names; names that no role has give nothing."""
    values = {role.value for role in Role}
    return frozenset(Role(name) for name in names if isinstance(name, str) and name in values)
