"""Whether all is right for WhatsApp, here and at Meta: its state of health, and findings for an engineer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.model import Template
from bot.ports import Finding, Health, SendFault
from connectors.whatsapp_api import Graph

_NUMBER_FIELDS = "display_phone_number,verified_name,quality_rating"
_TEMPLATE_FIELDS = "name,status,category,language,components"
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Account:
    """What was set for one number, apart from the token."""

    name: str
    phone_number_id: str
    app_secret: str
    verify_token: str | None
    business_account_id: str | None
    public_url: str | None
    templates: Mapping[str, Template]


async def health(graph: Graph, account: Account) -> Health:
    """Whether Meta knows the number, and whether the templates may go."""
    try:
        number = await _number(graph, account)
    except SendFault as fault:
        return Health("down", fault.reason)
    # Without the account's id nobody can look at the templates: that is for `check` to say.
    templates = await _asked(graph, account) if account.business_account_id else []
    if wrong := [f"{finding.what}: {finding.advice}" for finding in templates if finding.state != "ok"]:
        return Health("degraded", "; ".join(wrong))
    if number.get("quality_rating") == "RED":
        return Health("degraded", "the number's quality is RED: residents blocked or reported it")
    return Health("ok", _words(number, "display_phone_number"))


async def check(graph: Graph, account: Account) -> list[Finding]:
    """All there is to look at. Never raises."""
    return [
        *await _at_meta(graph, account),
        _set("app secret", account.app_secret, "set the app's secret, from the app's basic settings at Meta"),
        _set(
            "verify token",
            account.verify_token,
            "think one up, set it, and enter it with the webhook at Meta",
        ),
        _webhook(account),
        *await _subscribed(graph, account),
        *await _asked(graph, account),
    ]


async def _at_meta(graph: Graph, account: Account) -> list[Finding]:
    """The token, the number and its quality, by one question."""
    try:
        number = await _number(graph, account)
    except SendFault as fault:
        return [Finding("token and number", "wrong", fault.reason)]
    shown = f"{_words(number, 'display_phone_number')} {_words(number, 'verified_name')}".strip()
    quality = _words(number, "quality_rating") or "UNKNOWN"
    bad = quality in ("YELLOW", "RED")
    advice = "residents block or report the number: look in WhatsApp Manager" if bad else ""
    return [
        Finding("token", "ok"),
        Finding(f"number {shown or account.phone_number_id}", "ok"),
        Finding(f"quality {quality}", "wrong" if quality == "RED" else "todo" if bad else "ok", advice),
    ]


def _set(what: str, value: str | None, advice: str) -> Finding:
    return Finding(what, "ok") if value else Finding(what, "todo", advice)


def _webhook(account: Account) -> Finding:
    if not account.public_url:
        return Finding("webhook address", "todo", "set the public address of this service")
    address = f"{account.public_url.rstrip('/')}/webhooks/{account.name}"
    if not address.startswith("https://"):
        return Finding(f"webhook address {address}", "wrong", "Meta only calls https")
    return Finding(f"webhook address {address}", "ok")


async def _subscribed(graph: Graph, account: Account) -> list[Finding]:
    """Whether the account's messages are sent to an app at all."""
    what = "subscribed app"
    if not account.business_account_id:
        return [Finding(what, "todo", "set the id of the business account, so that this can be looked at")]
    try:
        apps = await graph.pages(f"{account.business_account_id}/subscribed_apps")
    except SendFault as fault:
        return [Finding(what, "wrong", fault.reason)]
    if not apps:
        return [Finding(what, "wrong", "no app gets the account's messages: subscribe the app at Meta")]
    return [Finding(what, "ok")]


async def _asked(graph: Graph, account: Account) -> Sequence[Finding]:
    try:
        return await _templates(graph, account)
    except SendFault as fault:
        return [Finding("templates", "wrong", fault.reason)]


async def _number(graph: Graph, account: Account) -> dict[str, Any]:
    return await graph.get(account.phone_number_id, fields=_NUMBER_FIELDS)


async def _templates(graph: Graph, account: Account) -> list[Finding]:
    """Each template that we have against the one at Meta. Raises `SendFault`."""
    if not account.templates:
        return []
    if not account.business_account_id:
        advice = "set the id of the business account, so that the templates can be looked at"
        return [Finding("templates", "todo", advice)]
    path = f"{account.business_account_id}/message_templates"
    rows = await graph.pages(path, fields=_TEMPLATE_FIELDS, limit="100")
    return [_compared(template, rows) for template in account.templates.values()]


def _compared(template: Template, rows: Sequence[Mapping[str, Any]]) -> Finding:
    what = f"template {template.name} ({template.language})"
    named = [row for row in rows if row.get("name") == template.name]
    there = next((row for row in named if row.get("language") == template.language), None)
    if there is None:
        why = "does not exist at Meta in this language" if named else "does not exist at Meta"
        return Finding(what, "wrong", why)
    differences = list(_differences(template, there))
    if differences:
        return Finding(what, "wrong", ", ".join(differences))
    return Finding(what, "ok")


def _differences(template: Template, there: Mapping[str, Any]) -> list[str]:
    """What an engineer must mend, here or at Meta."""
    found = []
    status, category = _words(there, "status"), _words(there, "category").lower()
    if status != "APPROVED":
        found.append(f"its status is {status or 'unknown'}")
    if category != template.category:
        found.append(f"its category is {category or 'unknown'}, here {template.category}")
    components = there.get("components")
    parts = [one for one in components if isinstance(one, dict)] if isinstance(components, list) else []
    body = next((part for part in parts if part.get("type") == "BODY"), {})
    variables = set(_VARIABLE.findall(_words(body, "text")))
    if len(variables) != len(template.variables):
        found.append(f"it has {len(variables)} variables, here {len(template.variables)}")
    if any(not variable.isdecimal() for variable in variables):
        found.append("its variables have names, and must have numbers")
    buttons = [one for part in parts if part.get("type") == "BUTTONS" for one in part.get("buttons") or ()]
    replies = sum(isinstance(one, dict) and one.get("type") == "QUICK_REPLY" for one in buttons)
    if replies != len(template.choices):
        found.append(f"it has {replies} buttons, here {len(template.choices)}")
    return found


def _words(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""
