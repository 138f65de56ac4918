"""What Meta demands of a body for POST /{phone_number_id}/messages: its shape, its limits, no field too many."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

Json = dict[str, Any]

TEXT, BODY, SMALL = 4096, 1024, 60
BUTTONS, BUTTON_TITLE, BUTTON_ID = 3, 20, 256
ROWS, ROW_TITLE, ROW_ID, DESCRIPTION = 10, 24, 200, 72
BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")


class Refusal(Exception):
    """An answer that is not ok, as the Graph API words it."""

    def __init__(self, code: int, details: str, *, status: int = 400) -> None:
        super().__init__(details)
        self.code = code
        self.details = details
        self.status = status

    def body(self) -> Json:
        """The body of the answer."""
        error = {
            "message": f"(#{self.code}) {self.details}",
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": "AfAkEtRaCe",
        }
        return {"error": error}


def check(body: Any, templates: Collection[Json] = ()) -> str:
    """The kind of a good body: `text`, `button`, `list`, `cta_url`, `template` or `read`. Raises `Refusal`."""
    if not isinstance(body, dict):
        raise Refusal(100, "the body must be an object")
    _equal(body, "messaging_product", "whatsapp")
    if "status" in body:
        return _read(body)
    given = {"messaging_product", "recipient_type", "to", "recipient", "type", "context"}
    kind = body.get("type", "text")
    if not isinstance(kind, str) or kind not in ("text", "interactive", "template"):
        raise Refusal(131051, "message type is not supported")
    _only(body, given | {kind})
    if body.get("recipient_type", "individual") != "individual":
        raise Refusal(131009, "recipient_type must be individual")
    if ("to" in body) == ("recipient" in body):
        raise Refusal(131008, "one of to and recipient is required")
    _string(body, "to" if "to" in body else "recipient", 140)
    if "context" in body:
        _only(body["context"], {"message_id"})
        _string(body["context"], "message_id", 255)
    part = body.get(kind)
    if not isinstance(part, dict):
        raise Refusal(131008, f"{kind} is required")
    if kind == "text":
        _only(part, {"body", "preview_url"})
        _string(part, "body", TEXT)
        if not isinstance(part.get("preview_url", False), bool):
            raise Refusal(131009, "preview_url must be a boolean")
        return "text"
    return _interactive(part) if kind == "interactive" else _template(part, templates)


def _read(body: Json) -> str:
    _only(body, {"messaging_product", "status", "message_id", "typing_indicator"})
    _equal(body, "status", "read")
    _string(body, "message_id", 255)
    if "typing_indicator" in body and body["typing_indicator"] != {"type": "text"}:
        raise Refusal(131009, "typing_indicator.type must be text")
    return "read"


def _interactive(part: Json) -> str:
    _only(part, {"type", "header", "body", "footer", "action"})
    kind = part.get("type")
    _text_of(part, "body", BODY, needed=True)
    _text_of(part, "footer", SMALL, needed=False)
    if "header" in part:
        _only(part["header"], {"type", "text"})
        _equal(part["header"], "type", "text")
        _string(part["header"], "text", SMALL)
    action = part.get("action")
    if not isinstance(action, dict):
        raise Refusal(131008, "action is required")
    match kind:
        case "button":
            _buttons(action)
        case "list":
            _list(action)
        case "cta_url":
            _only(action, {"name", "parameters"})
            _equal(action, "name", "cta_url")
            parameters = action.get("parameters")
            if not isinstance(parameters, dict):
                raise Refusal(131008, "parameters is required")
            _only(parameters, {"display_text", "url"})
            _string(parameters, "display_text", BUTTON_TITLE)
            _string(parameters, "url", 2000)
            if not re.fullmatch(r"https?://[^\s/]+\.\S+", parameters["url"]):
                raise Refusal(131009, "url is not valid")
        case _:
            raise Refusal(131009, "interactive.type is not supported")
    return str(kind)


def _buttons(action: Json) -> None:
    _only(action, {"buttons"})
    buttons = action.get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= BUTTONS:
        raise Refusal(131009, f"there must be 1 to {BUTTONS} buttons")
    for button in buttons:
        _only(button, {"type", "reply"})
        _equal(button, "type", "reply")
        reply = button.get("reply")
        if not isinstance(reply, dict):
            raise Refusal(131008, "reply is required")
        _only(reply, {"id", "title"})
        _id(reply, BUTTON_ID)
        _string(reply, "title", BUTTON_TITLE)
    _unique([button["reply"]["id"] for button in buttons], "button ids")
    _unique([button["reply"]["title"] for button in buttons], "button titles")


def _list(action: Json) -> None:
    _only(action, {"button", "sections"})
    _string(action, "button", BUTTON_TITLE)
    sections = action.get("sections")
    if not isinstance(sections, list) or not 1 <= len(sections) <= 10:
        raise Refusal(131009, "there must be 1 to 10 sections")
    rows: list[Json] = []
    for section in sections:
        _only(section, {"title", "rows"})
        if len(sections) > 1 or "title" in section:
            _string(section, "title", ROW_TITLE)
        if not isinstance(section.get("rows"), list) or not section["rows"]:
            raise Refusal(131009, "a section must have rows")
        rows += section["rows"]
    if len(rows) > ROWS:
        raise Refusal(131009, f"there may be {ROWS} rows in all")
    for row in rows:
        _only(row, {"id", "title", "description"})
        _id(row, ROW_ID)
        _string(row, "title", ROW_TITLE)
        if "description" in row:
            _string(row, "description", DESCRIPTION)
    _unique([row["id"] for row in rows], "row ids")


def _template(part: Json, templates: Collection[Json]) -> str:
    _only(part, {"name", "language", "components"})
    _string(part, "name", 512)
    language = part.get("language")
    if not isinstance(language, dict):
        raise Refusal(131008, "language is required")
    _only(language, {"code", "policy"})
    _string(language, "code", 15)
    known = [t for t in templates if t["name"] == part["name"] and t["language"] == language["code"]]
    if not known or known[0]["status"] != "APPROVED":
        raise Refusal(132001, "template name does not exist in the translation", status=404)
    body = next((c["text"] for c in known[0]["components"] if c["type"] == "BODY"), "")
    wanted = len(set(re.findall(r"\{\{\d+\}\}", body)))
    given = 0
    components = _list_of(part, "components")
    _unique([str(one.get("index", one.get("type"))) for one in components], "components")
    for component in components:
        _only(component, {"type", "parameters", "sub_type", "index"})
        parameters = _list_of(component, "parameters")
        match component.get("type"):
            case "body":
                given = len(parameters)
                for one in parameters:
                    _equal(one, "type", "text")
                    _string(one, "text", 1024)
                    if re.search(r"[\n\t]| {5}", one["text"]):
                        raise Refusal(
                            132012, "a parameter has line breaks, tabs or more than 4 spaces in a row"
                        )
            case "button":
                _equal(component, "sub_type", "quick_reply")
                if not re.fullmatch(r"\d", str(component.get("index"))) or len(parameters) != 1:
                    raise Refusal(131009, "a button needs its index and one parameter")
                _equal(parameters[0], "type", "payload")
                _string(parameters[0], "payload", 256)
            case _:
                raise Refusal(131009, "component type is not supported")
    if given != wanted:
        raise Refusal(132000, f"number of parameters does not match: {given} given, {wanted} expected")
    return "template"


def _list_of(part: Json, name: str) -> list[Json]:
    """The objects in a list that may be missing."""
    found = part.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Refusal(100, f"{name} must be a list of objects")
    return found


def _id(part: Json, most: int) -> None:
    _string(part, "id", most)
    if part["id"] != part["id"].strip():
        raise Refusal(131009, "id may not begin or end with a space")


def _only(part: Any, known: Collection[str]) -> None:
    if not isinstance(part, dict):
        raise Refusal(100, "must be an object")
    if unknown := set(part) - set(known):
        raise Refusal(100, f"unexpected key {sorted(unknown)[0]!r}")


def _equal(part: Any, name: str, value: str) -> None:
    if not isinstance(part, dict) or part.get(name) != value:
        raise Refusal(131009, f"{name} must be {value}")


def _text_of(part: Json, name: str, most: int, *, needed: bool) -> None:
    if name not in part:
        if needed:
            raise Refusal(131008, f"{name} is required")
        return
    _only(part[name], {"text"})
    _string(part[name], "text", most)


def _string(part: Json, name: str, most: int) -> None:
    """Counted in UTF-16 units: at the worst."""
    value = part.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refusal(131008, f"{name} is required")
    if len(value.encode("utf-16-le", "surrogatepass")) // 2 > most:
        raise Refusal(131009, f"{name} may have {most} characters")


def _unique(values: list[str], what: str) -> None:
    if len(set(values)) != len(values):
        raise Refusal(131009, f"{what} must be unique")
