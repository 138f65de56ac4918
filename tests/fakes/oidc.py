"""A small provider of work accounts: discovery, keys, the page where one signs in, tokens with PKCE, userinfo.

Strict where the standard is: a code counts once, for one client, one address and one verifier. What a test sets wrong
is wrong in the token only.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

CLIENT, SECRET = "klaartje", "client: secret/%"


@dataclass
class FakeOidc:
    """`person` is who signs in, as claims; `lies` are claims of the ID token that are put in their place."""

    person: dict[str, Any] = field(
        default_factory=lambda: {
            "sub": "8f2c",
            "name": "Sanne de Vries",
            "preferred_username": "Sanne@zonneveen.example",
            "roles": ["kcc-team"],
        }
    )
    lies: dict[str, Any] = field(default_factory=dict)
    apart: set[str] = field(default_factory=set)
    """Claims that are told by userinfo only."""
    userinfo: dict[str, Any] = field(default_factory=dict)
    """What userinfo says otherwise."""
    algorithm: str = "RS256"
    unsigned: bool = False
    by_secret: bool = False
    """Sign with the client's secret, as whoever knows it could."""
    foreign_key: bool = False
    ways: list[str] = field(default_factory=lambda: ["client_secret_basic", "client_secret_post"])
    status: int = 200
    issuer: str = ""
    told_issuer: str | None = None
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.change_keys()

    def change_keys(self) -> None:
        """Keys of today; the old ones are gone."""
        self.keys: dict[str, RSAKey | ECKey] = {
            "RS256": RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"}),
            "ES256": ECKey.generate_key("P-256", {"kid": secrets.token_hex(4), "use": "sig"}),
        }

    @property
    def about(self) -> dict[str, Any]:
        """Discovery."""
        return {
            "issuer": self.told_issuer or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "token_endpoint_auth_methods_supported": self.ways,
            "code_challenge_methods_supported": ["S256"],
        }

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[FakeOidc]:
        """Run it on a free port of this machine."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        app.router.add_get("/userinfo", self._userinfo)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    async def _discovery(self, _request: web.Request) -> web.Response:
        self.asked.append("discovery")
        return web.json_response(self.about, status=self.status)

    async def _keys(self, _request: web.Request) -> web.Response:
        self.asked.append("keys")
        encryption = RSAKey.generate_key(2048, {"kid": "enc", "use": "enc", "alg": "RSA-OAEP"})
        found = KeySet([*self.keys.values(), encryption]).as_dict(private=False)
        return web.json_response(found, status=self.status)

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{back}"})

    async def _token(self, request: web.Request) -> web.Response:
        self.asked.append("token")
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        if not self._is_client(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != asked["redirect_uri"]
            or base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() != asked["code_challenge"]
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        access = secrets.token_urlsafe(16)
        self.tokens.add(access)
        given = {"access_token": access, "token_type": "Bearer", "expires_in": 60}
        return web.json_response({**given, "id_token": self.id_token(asked["nonce"])})

    def _is_client(self, request: web.Request, form: dict[str, str]) -> bool:
        scheme, _, pair = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, secret = base64.b64decode(pair).decode().partition(":")
            return "client_secret_basic" in self.ways and (unquote(name), unquote(secret)) == (CLIENT, SECRET)
        if "client_secret" in form:
            return "client_secret_post" in self.ways and form["client_secret"] == SECRET
        return "none" in self.ways and form.get("client_id") == CLIENT

    def id_token(self, nonce: str) -> str:
        """A token for who signs in."""
        now = int(time.time())
        said = {key: value for key, value in self.person.items() if key not in self.apart}
        honest = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **said}
        claims = {key: value for key, value in {**honest, **self.lies}.items() if value is not None}
        if self.unsigned:
            parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
            return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."
        if self.by_secret:
            return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET * 2), algorithms=["HS256"])
        key = self.keys[self.algorithm]
        header = {"alg": self.algorithm, "kid": str(key.kid)}
        if self.foreign_key:
            key = RSAKey.generate_key(2048)
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])

    async def _userinfo(self, request: web.Request) -> web.Response:
        self.asked.append("userinfo")
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return web.json_response({}, status=401)
        return web.json_response({**self.person, **self.userinfo})
