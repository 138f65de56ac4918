"""What Open Klant 2 takes and refuses: the fields of each resource, and its errors in its own form."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = dict[str, Any]
PHONE = re.compile(r"0[1-9]\d{8}|\+\d{9,15}|00\d{7,13}")
NO_PHONE = ("0800", "0900", "140")
ADDRESS = {
    "nummeraanduidingId": "", "straatnaam": "", "huisnummer": None, "huisnummertoevoeging": "", "postcode": "",
    "stad": "", "adresregel1": "", "adresregel2": "", "adresregel3": "", "land": "",
}  # fmt: skip
NAME = {"voorletters": "", "voornaam": "", "voorvoegselAchternaam": "", "achternaam": ""}
IDENTIFICATOR = {"objectId": "", "codeObjecttype": "", "codeRegister": "", "codeSoortObjectId": ""}


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, code: str, title: str, params: list[Json] | None = None, *, detail: str = ""
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.title, self.params = status, code, title, params
        self.detail = detail or title

    def body(self, base: str) -> Json:
        """As Open Klant gives it."""
        kinds = {
            400: "ValidationError",
            401: "AuthenticationFailed",
            403: "PermissionDenied",
            404: "NotFound",
        }
        told: Json = {
            "type": f"{base}/ref/fouten/{kinds.get(self.status, 'APIException')}/",
            "code": self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": f"urn:uuid:{uuid.uuid4()}",
        }
        return told | ({"invalidParams": self.params} if self.params is not None else {})


def invalid(*params: tuple[str, str, str]) -> Refusal:
    """A body that is not right: name, code and reason of each field."""
    rows = [{"name": name, "code": code, "reason": reason} for name, code, reason in params]
    return Refusal(400, "invalid", "Ongeldige invoerwaarde.", rows)


@dataclass(frozen=True)
class Field:
    """One field of a body. `to` is the resource that `{"uuid"}` names."""

    kind: type = str
    required: bool = False
    null: bool = False
    blank: bool = True
    most: int | None = None
    among: tuple[str, ...] = ()
    to: str = ""
    many: bool = False
    unique: bool = False
    digits: bool = False
    default: Any = None


_NUMBER = Field(null=True, most=10, unique=True, digits=True)
FIELDS: Mapping[str, Mapping[str, Field]] = {
    "klantcontacten": {
        "nummer": _NUMBER,
        "referentienummer": _NUMBER,
        "kanaal": Field(required=True, blank=False, most=50),
        "onderwerp": Field(required=True, blank=False, most=200),
        "inhoud": Field(most=1000, default=""),
        "reactie": Field(most=4000, default=""),
        "indicatieContactGelukt": Field(bool, null=True),
        "hoofdOnderwerpType": Field(most=200, default=""),
        "verdereActieOndernomen": Field(bool, default=False),
        "taal": Field(required=True, blank=False, most=3),
        "vertrouwelijk": Field(bool, required=True),
        "plaatsgevondenOp": Field(datetime, default="2026-11-23T09:00:00Z"),
        "metadata": Field(dict, default={}),
    },
    "betrokkenen": {
        "wasPartij": Field(dict, required=True, null=True, to="partijen"),
        "hadKlantcontact": Field(dict, required=True, to="klantcontacten"),
        "rol": Field(required=True, among=("klant", "vertegenwoordiger")),
        "initiator": Field(bool, required=True),
        "contactnaam": Field(dict, null=True, default=NAME),
        "organisatienaam": Field(most=200, default=""),
        "bezoekadres": Field(dict, null=True, default=ADDRESS),
        "correspondentieadres": Field(dict, null=True, default=ADDRESS),
    },
    "digitaleadressen": {
        "verstrektDoorBetrokkene": Field(dict, null=True, to="betrokkenen"),
        "verstrektDoorPartij": Field(dict, null=True, to="partijen"),
        "adres": Field(required=True, blank=False, most=80),
        "soortDigitaalAdres": Field(required=True, among=("email", "telefoonnummer", "overig")),
        "isStandaardAdres": Field(bool, default=False),
        "omschrijving": Field(most=40, default=""),
        "referentie": Field(most=50, default=""),
        "verificatieDatum": Field(null=True),
    },
    "onderwerpobjecten": {
        "klantcontact": Field(dict, null=True, to="klantcontacten"),
        "wasKlantcontact": Field(dict, required=True, null=True, to="klantcontacten"),
        "onderwerpobjectidentificator": Field(dict, null=True, default=IDENTIFICATOR),
    },
    "actoren": {
        "naam": Field(required=True, blank=False, most=200),
        "soortActor": Field(
            required=True, among=("medewerker", "geautomatiseerde_actor", "organisatorische_eenheid")
        ),
        "indicatieActief": Field(bool, default=True),
        "actoridentificator": Field(dict, null=True, default=IDENTIFICATOR),
        "actorIdentificatie": Field(dict, null=True),
    },
    "internetaken": {
        "nummer": _NUMBER,
        "referentienummer": _NUMBER,
        "gevraagdeHandeling": Field(required=True, blank=False, most=200),
        "aanleidinggevendKlantcontact": Field(dict, required=True, to="klantcontacten"),
        "toegewezenAanActor": Field(dict, to="actoren"),
        "toegewezenAanActoren": Field(list, to="actoren", many=True),
        "toelichting": Field(most=1000, default=""),
        "status": Field(required=True, among=("te_verwerken", "verwerkt")),
    },
}
"""What may be sent; other names are passed over, as Open Klant does."""

Exists = Callable[[str, str], bool]
Taken = Callable[[str, str], bool]


def checked(resource: str, body: Any, exists: Exists, taken: Taken, but: tuple[str, ...] = ()) -> Json:
    """The values of a body, with what is not given filled in. Raises `Refusal` with every field that is wrong."""
    if not isinstance(body, dict):
        raise invalid(("nonFieldErrors", "invalid", "Ongeldige data. Verwacht een dictionary."))
    values: Json = {}
    wrong: list[tuple[str, str, str]] = []
    for name, field in FIELDS[resource].items():
        if name in but:
            continue
        if name not in body:
            if field.required:
                wrong.append((name, "required", "Dit veld is vereist."))
            values[name] = field.default
            continue
        values[name] = body[name]
        wrong += _wrong(name, field, body[name], exists, taken)
    wrong += _together(resource, body)
    if wrong:
        raise invalid(*wrong)
    return values


def _wrong(name: str, field: Field, value: Any, exists: Exists, taken: Taken) -> list[tuple[str, str, str]]:
    if value is None:
        return [] if field.null else [(name, "null", "Dit veld mag niet leeg zijn.")]
    if field.kind is datetime:
        return [] if _moment(value) else [(name, "invalid", "Datetime heeft een ongeldig formaat.")]
    if not isinstance(value, field.kind):
        return [(name, "invalid", "Geen geldige waarde.")]
    if field.to:
        return _references(name, field, value, exists)
    if field.among and value not in field.among:
        return [(name, "invalid_choice", f'"{value}" is een ongeldige keuze.')]
    if not isinstance(value, str):
        return []
    if not field.blank and not value.strip():
        return [(name, "blank", "Dit veld mag niet leeg zijn.")]
    if "\x00" in value:
        return [(name, "null_characters_not_allowed", "Null-tekens zijn niet toegestaan.")]
    if field.most and len(value) > field.most:
        reason = f"Zorg ervoor dat dit veld niet meer dan {field.most} karakters bevat."
        return [(name, "max_length", reason)]
    if field.digits and not re.fullmatch(r"-?\d+", value):
        return [(name, "invalid", "Voer een geldig geheel getal in.")]
    if field.unique and taken(name, value):
        return [(name, "unique", "Dit veld moet uniek zijn.")]
    return []


def _references(name: str, field: Field, value: Any, exists: Exists) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for place, one in enumerate(value if field.many else [value]):
        where = f"{name}.{place}.uuid" if field.many else f"{name}.uuid"
        if not isinstance(one, dict) or "uuid" not in one:
            found.append((where, "required", "Dit veld is vereist."))
        elif not exists(field.to, str(one["uuid"])):
            found.append((where, "invalid", "Object bestaat niet."))
    return found


def _together(resource: str, body: Json) -> list[tuple[str, str, str]]:
    """What one field says of another."""
    if resource == "internetaken" and ("toegewezenAanActor" in body) == ("toegewezenAanActoren" in body):
        reason = "`toegewezen_aan_actor` of `toegewezen_aan_actoren` is required (mag niet beiden gebruiken)."
        return [("nonFieldErrors", "invalid", reason)]
    phone = body.get("adres")
    if not isinstance(phone, str) or body.get("soortDigitaalAdres") != "telefoonnummer":
        phone = None
    if phone is not None and (phone.startswith(NO_PHONE) or not PHONE.fullmatch(phone)):
        return [("adres", "invalid", f"Het opgegeven telefoonnummer is ongeldig: {phone}")]
    if body.get("indicatieContactGelukt") and body.get("verdereActieOndernomen"):
        reason = "Als het contact gelukt is kan er geen verdere actie zijn ondernomen"
        return [("nonFieldErrors", "no-further-action-when-contact-succesful", reason)]
    return []


def _moment(value: Any) -> bool:
    try:
        return datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False
