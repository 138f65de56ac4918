"""OpenID Connect: authorization code with PKCE at any provider that tells of itself by discovery."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from bot.clock import Clock, utc_now
from bot.ports import Fault
from bot.staff.secret import new_token

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures that only the provider can make: no `none`, and none by a shared secret."""

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_LEEWAY = 60
_KEEP = 3600.0
_AGAIN = 30.0
"""Seconds between looks for a new key, whoever shows us unknown ones."""


class OidcFault(Fault):
    """The provider can't be asked, or what it says does not hold. `reason` names nobody."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Somebody on the way to the provider: what must come back, and what must not be shown until then."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Flow:
        """Three random words."""
        return cls(new_token(), new_token(), new_token())


class Provider:
    """One provider of work accounts."""

    def __init__(
        self, issuer: str, client_id: str, client_secret: str | None, redirect: str, clock: Clock = utc_now
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect = redirect
        self._clock = clock
        self._about: Mapping[str, Any] = {}
        self._about_until = 0.0
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._session: aiohttp.ClientSession | None = None

    async def address(self, flow: Flow) -> str:
        """Where to send who wants to sign in. Raises `OidcFault`."""
        about = await self._discover()
        challenge = hashlib.sha256(flow.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect,
            "scope": "openid profile email",
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in about["authorization_endpoint"] else "?"
        return f"{about['authorization_endpoint']}{joint}{urlencode(asked)}"

    async def claims(self, flow: Flow, code: str, issuer: str | None, *wanted: str) -> Mapping[str, Any]:
        """What the provider says of who came back with this code, checked. `issuer` is what came back with it,
        where anything did; what is `wanted` is asked for apart where the ID token does not hold it.
        Raises `OidcFault`."""
        about = await self._discover()
        if issuer is not None and issuer != about["issuer"]:
            raise OidcFault("the answer is of another issuer")
        given = await self._redeem(about, code, flow.verifier)
        claims = await self._checked(about, str(given["id_token"]), flow.nonce)
        if all(claimed(claims, name) for name in wanted):
            return claims
        return await self._more(about, given.get("access_token"), claims)

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()

    async def _discover(self) -> Mapping[str, Any]:
        now = asyncio.get_running_loop().time()
        if now < self._about_until:
            return self._about
        place = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        about = await self._json("GET", place)
        needed = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
        if not all(isinstance(about.get(name), str) for name in needed):
            raise OidcFault(f"discovery lacks one of {', '.join(needed)}")
        if about["issuer"].rstrip("/") != self._issuer.rstrip("/"):
            raise OidcFault("discovery tells of another issuer than OIDC_ISSUER")
        ends = [about[name] for name in about if name in (*needed[1:], "userinfo_endpoint")]
        if self._issuer.startswith("https://") and not all(str(end).startswith("https://") for end in ends):
            raise OidcFault("discovery names an address without https")
        self._about, self._about_until = about, now + _KEEP
        return about

    async def _redeem(self, about: Mapping[str, Any], code: str, verifier: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": verifier,
        }
        headers = {}
        ways = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if self._client_secret is None:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in ways:
            pair = f"{quote(self._client_id, safe='')}:{quote(self._client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        given = await self._json("POST", about["token_endpoint"], data=form, headers=headers)
        if not isinstance(given.get("id_token"), str):
            raise OidcFault("the token endpoint gave no id_token")
        return given

    async def _checked(self, about: Mapping[str, Any], token: str, nonce: str) -> Mapping[str, Any]:
        """The claims of an ID token (OpenID Connect Core, 3.1.3.7)."""
        try:
            found = jwt.decode(token, await self._key_set(about), algorithms=ALGORITHMS)
        except (JoseError, ValueError) as first:
            keys = await self._key_set(about, anew=True)  # the provider may have changed its keys
            if keys is None:
                raise OidcFault(f"the ID token is not signed by the provider ({_kind(first)})") from None
            try:
                found = jwt.decode(token, keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError) as error:
                raise OidcFault(f"the ID token is not signed by the provider ({_kind(error)})") from None
        rules = jwt.JWTClaimsRegistry(
            now=int(self._clock().timestamp()),
            leeway=_LEEWAY,
            iss={"essential": True, "value": about["issuer"]},
            sub={"essential": True},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        claims = found.claims
        try:
            rules.validate(claims)
        except JoseError as error:
            claim = getattr(error, "claim", None) or "a claim"
            raise OidcFault(f"the ID token does not hold: {claim} ({_kind(error)})") from None
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._client_id:
            raise OidcFault("the ID token was made for another client")
        return claims

    async def _key_set(self, about: Mapping[str, Any], *, anew: bool = False) -> Any:
        """The keys of the provider; None where new ones were asked for and there are none to be had yet."""
        now = asyncio.get_running_loop().time()
        if anew and now < self._keys_at + _AGAIN:
            return None
        if anew or self._keys is None or now > self._keys_at + _KEEP:
            found = await self._json("GET", about["jwks_uri"])
            try:
                self._keys = KeySet.import_key_set(found)  # type: ignore[arg-type]  # what is no key set raises
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise OidcFault(f"the provider's keys can't be read ({_kind(error)})") from None
            self._keys_at = now
        return self._keys

    async def _more(
        self, about: Mapping[str, Any], access: object, claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """With what the provider tells apart: some put groups there only. What is signed goes first."""
        if not isinstance(about.get("userinfo_endpoint"), str) or not isinstance(access, str):
            return claims
        told = await self._json(
            "GET", about["userinfo_endpoint"], headers={"Authorization": f"Bearer {access}"}
        )
        if told.get("sub") != claims["sub"]:
            raise OidcFault("the provider's userinfo tells of somebody else")
        return {**told, **claims}

    async def _json(self, method: str, url: str, **more: Any) -> Mapping[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        place = url.partition("?")[0]
        try:
            async with self._session.request(method, url, allow_redirects=False, **more) as answer:
                body = await answer.read()
                if answer.status != 200:
                    raise OidcFault(f"{place} answered {answer.status}")
            found = json.loads(body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OidcFault(f"{place} can't be reached ({_kind(error)})") from None
        except ValueError:
            raise OidcFault(f"{place} did not answer in JSON") from None
        if not isinstance(found, dict):
            raise OidcFault(f"{place} did not answer with an object")
        return found


def claimed(claims: Mapping[str, Any], name: str) -> Sequence[str]:
    """The words of a claim, such as `roles`, or of one within another, such as `realm_access.roles`."""
    found: Any = claims
    for part in [name] if name in claims else name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return [found]
    return [word for word in found if isinstance(word, str)] if isinstance(found, list) else []


def _kind(error: BaseException) -> str:
    return type(error).__name__
