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
from bot.audit import Act, audit
from bot.clock import utc_now
from bot.db.migrate import migrate
from bot.db.tables import staff_sessions
from bot.logbook import PAGE
from bot.staff.roles import Role
from tests import services
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_accessible import focused, violations
from tests.conftest import SetClock
from tests.fakes.oidc import CLIENT, SECRET, FakeOidc
from tests.staff import PASSWORD, Office, open_office

NARROW: ViewportSize = {"width": 390, "height": 844}

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
    long = "Aansprakelijkheidswaardevaststellingen" * 3
    await office.house.members.add("x" * 64, long, [*Role], actor="engineer")
    key = next(row.id for row in await office.house.members.listed() if row.display_name == long)
    manage = ("medewerkers", "medewerkers/nieuw", f"medewerkers/{key}", f"medewerkers/{key}/link", "logboek")
    places = ("medewerkers", "account", "account/app", "kcc/files/x", *(f"beheer/{one}" for one in manage))
    for path in places:
        await page.goto(office.address + path)
        await fits(path)
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert await page.evaluate("document.documentElement.scrollWidth") <= size[0], path


async def signs_in(office: Office, page: Page, name: str, *roles: Role) -> None:
    """Somebody with these roles, by the form."""
    colleague = await office.hires(name, *roles)
    await page.goto(f"{office.address}inloggen")
    await page.get_by_label("Gebruikersnaam").fill(name)
    await page.get_by_label("Wachtwoord").fill(PASSWORD)
    await page.get_by_label("Code", exact=True).fill(colleague.codes[0])
    await page.get_by_role("button", name="Inloggen").click()
    await expect(page.get_by_role("heading", name="Welkom, Sanne de Vries")).to_be_visible()


@pytest.mark.parametrize("path", ["kcc", "kcc/overzicht", "medewerkers"])
async def test_signing_out_works_on_every_kind_of_page(
    chromium_page: Page, office: Office, path: str
) -> None:
    """The page's own policy lets the form go; afterwards nobody is in, not here and not with the old cookie."""
    page = chromium_page
    await page.set_viewport_size(DESKTOP)
    await signs_in(office, page, "sanne", Role.TEAM_LEAD)
    await page.goto(office.address + path)
    await page.get_by_role("button", name="Uitloggen").click()
    await expect(page.get_by_role("heading", name="Inloggen", exact=True)).to_be_visible()
    assert page.url == f"{office.address}inloggen"
    await page.goto(office.address + path)
    await expect(page.get_by_role("heading", name="Inloggen", exact=True)).to_be_visible()
    assert await office.rows(staff_sessions, staff_sessions.c.user_id) != []  # the one by the link goes on
    assert ("sanne", "signed out") in await office.noted()


async def a_colleague(office: Office) -> str:
    """Els, who was added; the address of her page."""
    await office.house.members.add("els", "Els Jansen", [Role.AGENT], actor="engineer")
    rows = await office.house.members.listed()
    return f"{office.address}beheer/medewerkers/{next(row.id for row in rows if row.name == 'els')}"


@pytest.mark.parametrize(("size", "scheme"), [(NARROW, "dark"), (DESKTOP, "light")], ids=["390", "1280"])
async def test_axe_finds_nothing_on_the_pages_of_administrators(
    chromium: Browser, office: Office, size: ViewportSize, scheme: str
) -> None:
    page = await chromium.new_page(viewport=size, color_scheme="dark" if scheme == "dark" else "light")
    await signs_in(office, page, "annemiek", Role.ADMIN, Role.AGENT)
    els, there = await a_colleague(office), f"{office.address}beheer/"
    async with office.house.database.write() as connection:
        await audit(connection, "retention", Act.PURGED, *map(str, range(PAGE)), at=office.clock())
        await audit(connection, "annemiek", Act.OPENED_CONVERSATION, "c1", at=office.clock())
    places = {
        "the list": f"{there}medewerkers",
        "somebody found": f"{there}medewerkers?zoek=els",
        "nobody found": f"{there}medewerkers?zoek=xyz",
        "somebody": els,
        "a question": f"{els}/blokkeren",
        "the audit": f"{there}logboek",
        "nothing in the audit": f"{there}logboek?wie=xyz",
        "a day that is none": f"{there}logboek?dag=x&wat=x",
        "not there": f"{there}medewerkers/x",
    }
    for state, place in places.items():
        await page.goto(place)
        assert await violations(page) == [], state
    await page.goto(f"{there}medewerkers/nieuw")
    assert await violations(page) == [], "somebody new"
    await page.get_by_role("button", name="Toevoegen").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await violations(page) == [], "somebody new, refused"
    await page.goto(f"{els}/link")
    await page.get_by_role("button", name="Maak een nieuwe link").click()
    await expect(page.get_by_label("Link om een wachtwoord te kiezen")).to_be_visible()
    assert await violations(page) == [], "the link"
    await page.goto(f"{els}/blokkeren")
    await page.get_by_role("button", name="Blokkeer").click()
    await expect(page.get_by_text("is geblokkeerd")).to_be_visible()
    assert await violations(page) == [], "blocked"
    await page.goto(f"{els}/link")
    await page.get_by_role("button", name="Maak een nieuwe link").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await violations(page) == [], "a deed refused"
    await page.close()


async def test_somebody_is_added_by_keyboard_alone(chromium_page: Page, office: Office) -> None:
    page = chromium_page
    await signs_in(office, page, "annemiek", Role.ADMIN)
    await page.goto(f"{office.address}beheer/medewerkers")
    await page.get_by_role("link", name="Medewerker toevoegen").press("Enter")
    await page.get_by_label("Naam", exact=True).focus()
    order = []
    for keys in ("Els Jansen", "els", " ", "", "", ""):
        order.append(await focused(page))
        assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", order
        await page.keyboard.type(keys)
        await page.keyboard.press("Tab")
    assert order == [
        "Naam",
        "Gebruikersnaam",
        "medewerker KCC",
        "teamleider KCC",
        "redacteur",
        "beheerder",
    ]
    await page.keyboard.press("Enter")
    link = await page.get_by_label("Link om een wachtwoord te kiezen").input_value()
    assert link.startswith(f"{office.address}inloggen/instellen/")
    await page.goto(link)
    await expect(page.get_by_text("Welkom, Els Jansen.")).to_be_visible()


async def test_the_file_of_the_audit_is_downloaded(chromium_page: Page, office: Office) -> None:
    page = chromium_page
    await signs_in(office, page, "annemiek", Role.ADMIN)
    await page.goto(f"{office.address}beheer/logboek?wie=engineer")
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Download als CSV").click()
    download = await started.value
    assert download.suggested_filename == "logboek.csv"
    text = Path(await download.path()).read_text(encoding="utf-8-sig")
    assert "Technisch beheer;engineer;Medewerker toegevoegd;Sanne de Vries (annemiek);beheerder" in text


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
