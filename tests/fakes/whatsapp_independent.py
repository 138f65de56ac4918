"""A second opinion on bodies for WhatsApp: a JSON Schema from Meta's documentation, apart from our own rules.

It checks names, types, required fields, lengths, ids and titles that must differ and ten rows in all; no field that
is not known passes. It does not know which templates exist, whether a resident may be written to, how long a page's
address may be, nor how Meta counts an emoji: lengths are in code points here, and in UTF-16 units, the worst, in
`whatsapp_rules`. Where Meta's pages differ, the narrower limit holds; sections of one title are refused on our own
account. That a body passes is no promise of Meta's: only its server knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

SCHEMA = Path(__file__).parent.parent / "fixtures" / "schemas" / "whatsapp_cloud_api.json"
ROWS = 10


def violations(body: Any) -> list[str]:
    """What is wrong with the body of a POST to /{phone_number_id}/messages, each with its place; nothing if it is
    right."""
    found = [_told(error) for error in _validator().iter_errors(body)]
    # What a schema can't say is only looked at where the rest is as it should be.
    return found or list(_repeated(body))


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _told(error: ValidationError) -> str:
    """With the place, and the reason of the alternative that comes nearest."""
    while error.context:
        error = max(error.context, key=lambda one: len(one.absolute_path))
    return f"{error.json_path}: {error.message}"


def _repeated(body: Any) -> Iterator[str]:
    """Ids and titles that must differ within a message, and rows of all sections together."""
    action = body.get("interactive", {}).get("action", {})
    replies = [button["reply"] for button in action.get("buttons", ())]
    sections = action.get("sections", ())
    rows = [row for section in sections for row in section["rows"]]
    components = body.get("template", {}).get("components", ())
    yield from _twice("button ids", [reply["id"] for reply in replies])
    yield from _twice("button titles", [reply["title"] for reply in replies])
    yield from _twice("row ids", [row["id"] for row in rows])
    yield from _twice("section titles", [section["title"] for section in sections if "title" in section])
    yield from _twice("places of buttons", [str(one["index"]) for one in components if "index" in one])
    yield from _twice("components", [one["type"] for one in components if one["type"] != "button"])
    if len(rows) > ROWS:
        yield f"$.interactive.action.sections: {len(rows)} rows in all, at most {ROWS}"


def _twice(what: str, values: Sequence[str]) -> Iterator[str]:
    if len(set(values)) < len(values):
        yield f"{what} must differ"
