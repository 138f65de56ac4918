"""What the Zaken API of Open Zaak asks of a call and how it refuses one, as recorded of the real one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

Json = dict[str, Any]

OLDEST = 3600
"""Seconds that an `iat` may be ago; one in the future is taken."""

FILTERS = {
    "zaken": {"identificatie", "bronorganisatie", "zaaktype", "uuid__in"},
    "rollen": {"zaak", "omschrijvingGeneriek", "betrokkeneType"},
    "statussen": {"zaak", "statustype"},
}
"""What a list can be asked by; others are an error, as they are there."""

_ALWAYS = {"page", "pageSize", "expand"}
_TITLES = {
    "permission_denied": "Je hebt geen toestemming om deze actie uit te voeren.",
    "precondition_failed": "Voorwaarde is niet vervuld",
    "not_acceptable": "Kan niet voldoen aan de opgegeven Accept header.",
    "not_found": "Niet gevonden.",
    "invalid": "Ongeldige invoer.",
}
_TYPES = {
    400: "ValidationError",
    403: "PermissionDenied",
    404: "NotFound",
    406: "NotAcceptable",
    412: "PreconditionFailed",
}


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, detail: str = "", *, params: list[Json] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.params = status, code, detail, params

    def body(self, base: str) -> Json:
        """As Open Zaak gives it."""
        title = _TITLES.get(self.code, _TITLES["permission_denied"])
        found: Json = {
            "type": f"{base}/ref/fouten/{_TYPES[self.status]}/",
            "code": self.code,
            "title": title,
            "status": self.status,
            "detail": self.detail or title,
            "instance": f"urn:uuid:{uuid.uuid4()}",
        }
        return found | ({"invalidParams": self.params} if self.params else {})


def check_token(authorization: str, clients: Mapping[str, str], now: float) -> None:
    """Raises `Refusal` unless the token is one of a client that is known."""
    word, _, token = authorization.partition(" ")
    if word != "Bearer" or not token:
        raise Refusal(403, "permission_denied")
    try:
        claims = _unverified(token)
    except (ValueError, KeyError):
        raise Refusal(403, "invalid-jwt-signature", "Client credentials zijn niet geldig") from None
    secret = clients.get(str(claims.get("client_id")))
    if secret is None:
        raise Refusal(403, "invalid-client-identifier", "Client identifier bestaat niet")
    try:
        jwt.decode(token, OctKey.import_key(secret), algorithms=["HS256"])
    except (JoseError, ValueError):
        raise Refusal(403, "invalid-jwt-signature", "Client credentials zijn niet geldig") from None
    if int(claims["iat"]) < now - OLDEST:
        raise Refusal(403, "jwt-expired", "De JWT die gebruikt is voor dit verzoek is verlopen")
    assert {"iss", "iat", "client_id", "user_id", "user_representation"} <= set(claims)


def _unverified(token: str) -> Json:
    import base64
    import json

    middle = token.split(".")[1]
    found = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    if not isinstance(found, dict):
        raise ValueError("no claims")
    return found


def check_question(
    resource: str, headers: Mapping[str, str], query: Mapping[str, str], *, many: bool
) -> None:
    """Raises `Refusal` for a call without coordinates, or with a parameter that nobody knows."""
    if resource == "zaken":
        crs = headers.get("Accept-Crs")
        if crs is None:
            raise Refusal(412, "precondition_failed", "'Accept-Crs' header ontbreekt")
        if crs != "EPSG:4326":
            raise Refusal(406, "not_acceptable", f"CRS '{crs}' is niet ondersteund")
    known = _ALWAYS | (FILTERS[resource] if many else set())
    if unknown := [name for name in query if name not in known]:
        reason = f"Onbekende query parameters: {', '.join(unknown)}"
        params = [{"name": "nonFieldErrors", "code": "unknown-parameters", "reason": reason}]
        raise Refusal(400, "invalid", params=params)
