"""WhatsApp's error codes: what to do, and why, for an engineer and for an agent. Codes count, never titles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_SETTING = "Het bericht kon niet weg door een fout in de instellingen. Vraag uw beheerder."
_ACCOUNT = "WhatsApp heeft het account van de gemeente beperkt. Vraag uw beheerder."
_OUTAGE = "WhatsApp heeft een storing. Het bericht gaat later opnieuw."
_BUSY = "Er gaan te veel berichten tegelijk. Het bericht gaat later opnieuw."
_TEMPLATE = "Dit sjabloon klopt niet met wat WhatsApp heeft goedgekeurd. Vraag uw beheerder."
_NOT_DELIVERED = "WhatsApp heeft besloten dit bericht niet te bezorgen."
_SHAPE = "WhatsApp kon dit bericht niet lezen. Vraag uw beheerder."
_FILE = "WhatsApp kon het bestand niet verwerken. Het gaat later opnieuw."
_UNKNOWN = "WhatsApp kon het bericht niet bezorgen."


class Treatment(Enum):
    """What to do with a message that met an error."""

    THROTTLE = "throttle"
    """Too fast: again after a while."""
    RETRY = "retry"
    """Again, it may pass."""
    TEMPLATE = "template"
    """Only a template may go now."""
    FINAL = "final"
    """Sending it again does not help."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error: what to do, why (for an engineer), the same for an agent in Dutch, and how long to wait in seconds."""

    treatment: Treatment
    why: str
    dutch: str
    wait: float | None = None

    @property
    def retryable(self) -> bool:
        """Whether sending it again may help."""
        return self.treatment in (Treatment.THROTTLE, Treatment.RETRY)

    @property
    def window(self) -> bool:
        """Whether only a template may go now."""
        return self.treatment is Treatment.TEMPLATE


def trouble(code: int | None, status: int | None = None) -> Trouble:
    """What an error means; `status` is that of HTTP, where there was one, and counts for codes that we don't know."""
    if code is not None and (known := _TABLE.get(code)):
        return known
    if code is not None and 200 <= code <= 299:
        return _PERMISSION
    if status == 429:
        return _TABLE[130429]
    if status is not None and 400 <= status < 500:
        return _UNKNOWN_FINAL
    return _UNKNOWN_RETRY


def code_of(error: object) -> int | None:
    """The code in an error as WhatsApp tells it; None where there is none that can be one."""
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code.isdecimal() and len(code) < 10:
        code = int(code)
    known = isinstance(code, int) and not isinstance(code, bool) and 0 <= code < 10**9
    return code if known else None


def explain(code: int | None, status: int | None = None) -> str:
    """The reason for logs and engineers, such as "131026: not on WhatsApp, or an old version"."""
    why = trouble(code, status).why
    if code is not None:
        return f"{code}: {why}"
    return why if status is None else f"HTTP {status}: {why}"


def dutch(code: int | None) -> str:
    """The reason for an agent."""
    return trouble(code).dutch


def _throttle(wait: float, why: str, dutch: str = _BUSY) -> Trouble:
    return Trouble(Treatment.THROTTLE, why, dutch, wait)


def _retry(why: str, dutch: str = _OUTAGE) -> Trouble:
    return Trouble(Treatment.RETRY, why, dutch)


def _final(why: str, dutch: str = _SETTING) -> Trouble:
    return Trouble(Treatment.FINAL, why, dutch)


_PERMISSION = _final("the token lacks a permission; give its system user whatsapp_business_messaging")
_UNKNOWN_FINAL = _final("refused, for a reason that we don't know", _UNKNOWN)
_UNKNOWN_RETRY = _retry("not delivered, for a reason that we don't know", _UNKNOWN)

_TABLE = {
    # Who asks.
    0: _final("the token is not accepted; make a new one"),
    3: _final("the token may not use this; look at its permissions"),
    10: _PERMISSION,
    190: _final("the token has expired or was withdrawn; make a new one"),
    131005: _final("access denied; look at the token's permissions"),
    # Too fast.
    4: _throttle(60, "the app makes too many calls"),
    80007: _throttle(60, "the business account makes too many calls"),
    130429: _throttle(5, "too many messages a second for this number"),
    131048: _throttle(300, "held back: too many messages were blocked or reported", _ACCOUNT),
    131056: _throttle(
        6,
        "too many messages to this resident",
        "Deze inwoner kreeg te veel berichten na elkaar. Het gaat later.",
    ),
    132069: _throttle(60, "the flow is sent too often"),
    133016: _throttle(3600, "the number was registered too often", _ACCOUNT),
    # Their side.
    1: _retry("unknown error on WhatsApp's side"),
    2: _retry("WhatsApp is down or overloaded"),
    131000: _retry("something went wrong on WhatsApp's side"),
    131016: _retry("a service of WhatsApp is overloaded"),
    131052: _retry("the resident's file could not be fetched", _FILE),
    131053: _retry("the file could not be uploaded", _FILE),
    131057: _retry("the business account is in maintenance"),
    133004: _retry("WhatsApp's server is away for a moment"),
    # The window.
    131047: Trouble(
        Treatment.TEMPLATE,
        "more than 24 hours since the resident wrote; only a template may go",
        "De inwoner schreef meer dan 24 uur geleden. Nu kan alleen een sjabloon.",
    ),
    # This resident.
    130472: _final("kept back by an experiment of WhatsApp", _NOT_DELIVERED),
    131021: _final(
        "the resident's number is our own",
        "Dit is het nummer van de gemeente zelf. Daar kan geen bericht heen.",
    ),
    131026: _final(
        "not on WhatsApp, or an old version",
        "De inwoner heeft geen WhatsApp, een oude versie, of blokkeert de gemeente.",
    ),
    131030: _final("a test number may only write to numbers on its list"),
    131049: _final("kept back by WhatsApp: too much marketing for this resident", _NOT_DELIVERED),
    131050: _final(
        "the resident wants no marketing from us", "De inwoner wil deze berichten niet meer van de gemeente."
    ),
    131062: _final(
        "this kind of message can't go to a user id, only to a telephone number",
        "Dit bericht kan alleen naar een telefoonnummer. WhatsApp geeft ons dat van deze inwoner niet.",
    ),
    # The message.
    33: _final("the business number does not exist (any more); look at its id"),
    100: _final("a parameter is not known or not right", _SHAPE),
    131008: _final("a parameter is missing", _SHAPE),
    131009: _final("a value is not right", _SHAPE),
    131051: _final("a kind of message that WhatsApp does not take", _SHAPE),
    131055: _final("this method is not allowed", _SHAPE),
    135000: _final("a parameter is not right", _SHAPE),
    # Templates.
    132000: _final("the template has another number of variables", _TEMPLATE),
    132001: _final("the template does not exist in this language, or is not approved", _TEMPLATE),
    132005: _final("the template is too long once filled in", _TEMPLATE),
    132007: _final("the template breaks WhatsApp's rules", _TEMPLATE),
    132012: _final("a value does not fit the template", _TEMPLATE),
    132015: _final("the template is paused: residents judged it badly", _TEMPLATE),
    132016: _final("the template is switched off for good", _TEMPLATE),
    132068: _final("the flow is blocked", _TEMPLATE),
    # The account.
    368: _final("the account is blocked for a while: it broke WhatsApp's rules", _ACCOUNT),
    130497: _final("the account may not write to residents in that country", _ACCOUNT),
    131031: _final("the account is locked; look in WhatsApp Manager", _ACCOUNT),
    131037: _final("the number's display name is not approved yet", _ACCOUNT),
    131042: _final("there is a problem with the payment; look in WhatsApp Manager", _ACCOUNT),
    131045: _final("the number is not registered with its certificate", _ACCOUNT),
    133000: _final("an earlier deregistration did not end; register the number again", _ACCOUNT),
    133005: _final("the PIN of the number is wrong", _ACCOUNT),
    133006: _final("the number must be verified again", _ACCOUNT),
    133008: _final("too many guesses of the PIN", _ACCOUNT),
    133009: _final("the PIN was guessed too fast", _ACCOUNT),
    133010: _final("the number is not registered; register it first", _ACCOUNT),
    133015: _final("the number was deleted a moment ago; register it later", _ACCOUNT),
    134011: _final("WhatsApp's payment terms are not accepted", _ACCOUNT),
}
