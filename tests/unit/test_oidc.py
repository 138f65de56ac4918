"""OpenID Connect against a real provider, and everything of a token that must not be believed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.staff.oidc import Flow, OidcFault, Provider, claimed
from tests.fakes.oidc import CLIENT, SECRET, FakeOidc

BACK = "http://127.0.0.1:1/inloggen/terug"


@pytest.fixture
async def fake() -> AsyncIterator[FakeOidc]:
    async with FakeOidc().serve() as server:
        yield server


@pytest.fixture
async def provider(fake: FakeOidc) -> AsyncIterator[Provider]:
    made = Provider(fake.issuer, CLIENT, SECRET, BACK)
    yield made
    await made.close()


async def goes(provider: Provider, flow: Flow) -> dict[str, str]:
    """To the provider's page; what the browser brings back."""
    address = await provider.address(flow)
    async with aiohttp.ClientSession() as browser, browser.get(address, allow_redirects=False) as answer:
        assert answer.status == 302
        back = answer.headers["Location"]
    assert back.startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


async def signs_in(provider: Provider) -> dict[str, Any]:
    flow = Flow.new()
    back = await goes(provider, flow)
    assert back["state"] == flow.state
    return dict(await provider.claims(flow, back["code"], back.get("iss"), "roles"))


async def refusal(provider: Provider) -> str:
    with pytest.raises(OidcFault) as refused:
        await signs_in(provider)
    assert "Sanne" not in refused.value.reason
    assert "8f2c" not in refused.value.reason
    return refused.value.reason


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_who_signs_in_is_believed(fake: FakeOidc, provider: Provider, algorithm: str) -> None:
    fake.algorithm = algorithm
    claims = await signs_in(provider)
    assert (claims["sub"], claims["roles"]) == ("8f2c", ["kcc-team"])
    assert "userinfo" not in fake.asked


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
async def test_the_client_shows_itself_as_the_provider_wants(
    fake: FakeOidc, provider: Provider, way: str
) -> None:
    fake.ways = [way]
    assert (await signs_in(provider))["sub"] == "8f2c"


async def test_a_client_without_a_secret_has_its_verifier(fake: FakeOidc) -> None:
    fake.ways = ["none"]
    provider = Provider(fake.issuer, CLIENT, None, BACK)
    assert (await signs_in(provider))["sub"] == "8f2c"
    await provider.close()


@pytest.mark.parametrize(
    ("lies", "why"),
    [
        ({"nonce": "other"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"iss": "https://other.example"}, "iss"),
        ({"aud": "other"}, "aud"),
        ({"aud": [CLIENT, "other"]}, "another client"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "another client"),
        ({"azp": "other"}, "another client"),
        ({"exp": -3600}, "exp"),
        ({"exp": None}, "exp"),
        ({"iat": 3600}, "iat"),
        ({"nbf": 3600}, "nbf"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
    ],
    ids=str,
)
async def test_a_claim_that_does_not_hold(
    fake: FakeOidc, provider: Provider, lies: dict[str, Any], why: str
) -> None:
    """Numbers are seconds from now."""
    now = int(time.time())
    fake.lies = {name: now + lie if isinstance(lie, int) else lie for name, lie in lies.items()}
    assert why in await refusal(provider)


async def test_several_audiences_where_we_are_the_one_meant(fake: FakeOidc, provider: Provider) -> None:
    fake.lies = {"aud": [CLIENT, "other"], "azp": CLIENT}
    assert (await signs_in(provider))["sub"] == "8f2c"


@pytest.mark.parametrize("how", ["unsigned", "by_secret", "foreign_key"])
async def test_a_token_that_the_provider_did_not_sign(fake: FakeOidc, provider: Provider, how: str) -> None:
    setattr(fake, how, True)
    assert "not signed by the provider" in await refusal(provider)


async def test_a_code_counts_with_its_verifier_only(provider: Provider) -> None:
    flow = Flow.new()
    code = (await goes(provider, flow))["code"]
    with pytest.raises(OidcFault, match="answered 400"):
        await provider.claims(Flow(flow.state, flow.nonce, "another"), code, None, "roles")
    with pytest.raises(OidcFault, match="answered 400"):  # and the code is spent
        await provider.claims(flow, code, None, "roles")


async def test_a_code_of_another_provider_is_not_redeemed(fake: FakeOidc, provider: Provider) -> None:
    flow = Flow.new()
    code = (await goes(provider, flow))["code"]
    fake.asked.clear()
    with pytest.raises(OidcFault, match="another issuer"):
        await provider.claims(flow, code, "https://other.example", "roles")
    assert fake.asked == []


async def test_discovery_of_another_issuer_is_not_believed(fake: FakeOidc, provider: Provider) -> None:
    fake.told_issuer = "https://other.example"
    assert "another issuer" in await refusal(provider)


async def test_new_keys_are_fetched_but_not_for_whoever_asks(
    fake: FakeOidc, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signs_in(provider)
    fake.change_keys()
    assert "not signed" in await refusal(provider)
    assert fake.asked.count("keys") == 1
    monkeypatch.setattr("bot.staff.oidc._AGAIN", 0.0)
    await signs_in(provider)
    assert fake.asked.count("keys") == 2
    assert fake.asked.count("discovery") == 1


async def test_roles_that_are_told_apart(fake: FakeOidc, provider: Provider) -> None:
    fake.apart = {"roles"}
    assert (await signs_in(provider))["roles"] == ["kcc-team"]
    fake.userinfo = {"sub": "somebody else"}
    assert "somebody else" in await refusal(provider)


async def test_what_is_signed_goes_before_what_is_told(fake: FakeOidc, provider: Provider) -> None:
    fake.apart, fake.userinfo = {"roles"}, {"name": "Iemand Anders"}
    assert (await signs_in(provider))["name"] == "Sanne de Vries"


async def test_a_provider_that_is_away_or_in_trouble(fake: FakeOidc, provider: Provider) -> None:
    fake.status = 500
    assert "answered 500" in await refusal(provider)
    away = Provider("http://127.0.0.1:9", CLIENT, SECRET, BACK)
    assert "can't be reached" in await refusal(away)
    await away.close()


async def test_our_own_clock_decides(fake: FakeOidc) -> None:
    late = Provider(fake.issuer, CLIENT, SECRET, BACK, lambda: datetime.now(UTC) + timedelta(hours=2))
    assert "exp" in await refusal(late)
    await late.close()


@pytest.mark.parametrize(
    ("claims", "name", "words"),
    [
        ({"roles": ["a", "b"]}, "roles", ["a", "b"]),
        ({"roles": "a"}, "roles", ["a"]),
        ({"realm_access": {"roles": ["a", 1]}}, "realm_access.roles", ["a"]),
        ({"https://x.example/roles": ["a"]}, "https://x.example/roles", ["a"]),
        ({"roles": {"a": 1}}, "roles", []),
        ({"realm_access": "x"}, "realm_access.roles", []),
        ({}, "roles", []),
    ],
)
def test_words_of_a_claim(claims: dict[str, Any], name: str, words: list[str]) -> None:
    assert list(claimed(claims, name)) == words
