"""The pages of staff for everyone: axe finds nothing, a keyboard is enough, small screens and large text fit."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, expect

from bot.app.staff import first_link
from bot.clock import utc_now
from bot.db.migrate import migrate
from bot.staff.roles import Role
from tests import services
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_accessible import focused, violations
from tests.conftest import SetClock
from tests.fakes.oidc import CLIENT, SECRET, FakeOidc
from tests.staff import PASSWORD, Office, open_office

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[FakeOidc]:
    async with FakeOidc().serve() as fake:
        yield fake


@pytest_asyncio.fixture(loop_scope="session")
async def office(tmp_path: Path, provider: FakeOidc) -> AsyncIterator[Office]:
    """Passwords and work accounts, in the browser that a test opens."""
    url, clock = f"sqlite+aiosqlite:///{tmp_path / 'klaartje.db'}", SetClock()
    clock.now = utc_now()  # the provider's tokens are of today
    await migrate(url)
    port = services.free_port()
    more = {
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_roles": ("kcc-team=agent",),
    }
    async with open_office(url, tmp_path, clock, **more) as opened:
        yield opened


async def invited(office: Office, *roles: Role) -> str:
    link = await office.house.members.add("sanne", "Sanne de Vries", roles, actor="engineer")
    return f"{office.address}inloggen/instellen/{link}"


async def key_of(page: Page) -> str:
    return (await page.locator(".secret").inner_text()).replace(" ", "")


async def settles_in(office: Office, page: Page) -> str:
    """Somebody chooses a password and an app, up to the recovery codes; the key of the app."""
    await page.goto(await invited(office, Role.AGENT, Role.TEAM_LEAD))
    secret = await key_of(page)
    await page.get_by_label("Nieuw wachtwoord", exact=True).fill(PASSWORD)
    await page.get_by_label("Nog een keer uw nieuwe wachtwoord").fill(PASSWORD)
    await page.get_by_label("Code uit de app").fill(pyotp.TOTP(secret).at(office.clock.now))
    await page.get_by_role("button", name="Opslaan en inloggen").click()
    await expect(page.get_by_role("heading", name="Bewaar uw herstelcodes")).to_be_visible()
    return secret


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_axe_finds_nothing(
    chromium: Browser, office: Office, provider: FakeOidc, size: ViewportSize, scheme: str
) -> None:
    page = await chromium.new_page(viewport=size, color_scheme="dark" if scheme == "dark" else "light")
    there = office.address
    await page.goto(f"{there}inloggen")
    assert await violations(page) == [], "sign-in"
    await page.get_by_role("button", name="Inloggen").click()
    await expect(page.locator("#problem")).to_be_visible()
    assert await violations(page) == [], "sign-in that failed"
    await page.goto(await invited(office, Role.AGENT, Role.TEAM_LEAD))
    assert await violations(page) == [], "setting up"
    secret = await key_of(page)
    await page.get_by_label("Nieuw wachtwoord", exact=True).fill("sanne")
    await page.get_by_role("button", name="Opslaan en inloggen").click()
    await expect(page.locator("#password-error")).to_be_visible()
    assert await violations(page) == [], "setting up that failed"
    await page.get_by_label("Nieuw wachtwoord", exact=True).fill(PASSWORD)
    await page.get_by_label("Nog een keer uw nieuwe wachtwoord").fill(PASSWORD)
    await page.get_by_label("Code uit de app").fill(pyotp.TOTP(secret).at(office.clock.now))
    await page.get_by_role("button", name="Opslaan en inloggen").click()
    assert await violations(page) == [], "recovery codes"
    for path in ("medewerkers", "account", "account?gelukt", "account/app", "kcc/files/x"):
        await page.goto(there + path)
        assert await violations(page) == [], path
    await page.goto(f"{there}account")
    await page.get_by_role("button", name="Wachtwoord veranderen").click()
    await expect(page.locator("#now-error")).to_be_visible()
    assert await violations(page) == [], "another password that failed"
    await page.get_by_role("button", name="Uitloggen").click()
    provider.person["roles"] = []
    await page.get_by_role("link", name="Inloggen met uw werkaccount").click()
    await expect(page.get_by_role("heading", name="U hebt geen toegang tot Klaartje")).to_be_visible()
    assert await violations(page) == [], "without a role"
    await page.goto(f"{there}inloggen/terug?error=access_denied")
    assert await violations(page) == [], "not signed in"
    await page.close()


async def test_with_a_password_by_keyboard_alone(chromium_page: Page, office: Office) -> None:
    page = chromium_page
    secret = await settles_in(office, page)
    await page.get_by_role("button", name="Uitloggen").click()
    await expect(page.get_by_role("heading", name="Inloggen", exact=True)).to_be_visible()
    await page.wait_for_load_state()
    order = []
    for _ in range(6):
        await page.keyboard.press("Tab")
        order.append(await focused(page))
        assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", order
    assert order == [
        "Ga naar de inhoud",
        "Inloggen met uw werkaccount",
        "Gebruikersnaam",
        "Wachtwoord",
        "Code",
        "Inloggen",
    ]
    await page.keyboard.press("Enter")
    for name in ("Gebruikersnaam", "Wachtwoord", "Code"):
        told = page.get_by_label(name, exact=True)
        await expect(told).to_have_attribute("aria-invalid", "true")
        await expect(told).to_have_accessible_description(re.compile("klopt niet"))
    assert (await page.title()).startswith("Fout: Inloggen")
    office.clock.forward(seconds=30)
    await page.get_by_label("Gebruikersnaam").focus()
    for typed in ("sanne", PASSWORD, pyotp.TOTP(secret).at(office.clock.now)):
        await page.keyboard.type(typed)
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Welkom, Sanne de Vries")).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"


async def test_with_a_work_account(chromium_page: Page, office: Office) -> None:
    """There and back over another site: the cookie comes along, the policy of the page allows it."""
    page = chromium_page
    await page.goto(f"{office.address}account")
    await page.get_by_role("link", name="Inloggen met uw werkaccount").click()
    await expect(page.get_by_role("heading", name="Uw account")).to_be_visible()
    await expect(page.get_by_text("U logt in met uw werkaccount.")).to_be_visible()
    await page.get_by_role("button", name="Uitloggen").click()
    await expect(page.get_by_role("heading", name="Inloggen", exact=True)).to_be_visible()


async def test_errors_lead_to_their_fields(chromium_page: Page, office: Office) -> None:
    page = chromium_page
    await page.goto(await invited(office, Role.AGENT))
    await page.get_by_label("Nieuw wachtwoord", exact=True).fill("kort")
    await page.get_by_role("button", name="Opslaan en inloggen").click()
    summary = page.get_by_role("alert")
    await expect(summary.get_by_role("link")).to_have_count(2)
    await summary.get_by_role("link").first.click()
    field = page.get_by_label("Nieuw wachtwoord", exact=True)
    await expect(field).to_be_focused()
    await expect(field).to_have_attribute("aria-describedby", "password-error password-hint")
    await expect(page.locator("#password-error")).to_contain_text("te kort")
    await expect(field).to_have_value("")


@pytest.mark.parametrize("size", [(320, 568), (640, 450)], ids=["400 %", "200 %"])
async def test_it_fits_without_scrolling_sideways(
    chromium_page: Page, office: Office, size: tuple[int, int]
) -> None:
    page = chromium_page
    await page.set_viewport_size({"width": size[0], "height": size[1]})

    async def fits(where: str) -> None:
        assert await page.evaluate("document.documentElement.scrollWidth") <= size[0], where
        for box in [await found.bounding_box() for found in await page.locator(".nl-button:visible").all()]:
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= size[0], where

    await page.goto(f"{office.address}inloggen")
    await fits("sign-in")
    await page.goto(await invited(office, Role.AGENT))
    await fits("setting up")
    colleague = await office.hires("piet", *Role)
    await page.goto(f"{office.address}inloggen")
    await page.get_by_label("Gebruikersnaam").fill("piet")
    await page.get_by_label("Wachtwoord").fill(PASSWORD)
    await page.get_by_label("Code", exact=True).fill(colleague.codes[0])
    await page.get_by_role("button", name="Inloggen").click()
    for path in ("medewerkers", "account", "account/app", "kcc/files/x"):
        await page.goto(office.address + path)
        await fits(path)
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert await page.evaluate("document.documentElement.scrollWidth") <= size[0], path


async def test_the_first_link_signs_in(chromium_page: Page, tmp_path: Path) -> None:
    url, clock = f"sqlite+aiosqlite:///{tmp_path / 'first.db'}", SetClock()
    await migrate(url)
    async with open_office(url, tmp_path, clock, port=services.free_port()) as office:
        link = await first_link(office.house, office.address)
        assert link
        await chromium_page.goto(link)
        await expect(chromium_page.get_by_role("heading", name="Welkom, Beheerder")).to_be_visible()
        await chromium_page.get_by_role("link", name="Stel nu uw account in").click()
        await expect(chromium_page.get_by_role("heading", name="Uw account instellen")).to_be_visible()


async def test_other_tabs_are_signed_out_too(context: BrowserContext, office: Office) -> None:
    first = await context.new_page()
    await settles_in(office, first)
    second = await context.new_page()
    await second.goto(f"{office.address}medewerkers")
    await first.get_by_role("button", name="Uitloggen").click()
    await second.reload()
    await expect(second.get_by_role("heading", name="Inloggen", exact=True)).to_be_visible()
    await second.go_back()
    await expect(second.get_by_text("medewerker KCC")).to_have_count(0)
