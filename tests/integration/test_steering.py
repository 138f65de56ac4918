"""The page of figures on a real socket: what is shown, chosen and downloaded."""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from html import unescape
from io import StringIO
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.costs import costs, total
from bot.db.tables import conversations, day_figures, messages, sent_counts
from bot.settings import ROOT
from bot.staff.roles import Role
from bot.usage import Count
from tests.conformance.test_figures import MONDAY, TUESDAY, at, town
from tests.conftest import SetClock
from tests.integration.test_staff import ONLY_SQLITE
from tests.staff import Browser, Office, Page, open_office

PRICES = "\nwhatsapp_prices: {service: 0.01, utility: 0.0456}\n"
BOTH = "/sturing?van=2026-11-23&tot=2026-11-24&per=dag"

WRONG = {
    "van=gisteren": "Deze dag bestaat niet",
    "tot=0001-01-01": "Deze dag bestaat niet",
    "van=2026-11-24&tot=2026-11-23": "De eerste dag ligt na de laatste",
    "van=2026-01-01&tot=2026-11-23&per=dag": "Dit zijn meer dan 92 dagen",
    "per=uur": "Kies dag, week of maand",
}


@pytest.fixture
async def office(database_url: str, tmp_path: Path, clock: SetClock) -> AsyncIterator[Office]:
    """Tuesday evening in the small town: Monday was counted."""
    file = tmp_path / "municipality.yml"
    shipped = (ROOT / "knowledge" / "municipality.yml").read_text(encoding="utf-8")
    file.write_text(shipped + PRICES, encoding="utf-8")
    clock.now = at("20:00", TUESDAY)
    async with open_office(
        database_url, tmp_path, clock, municipality=file, whatsapp_free_messages=100
    ) as opened:
        await town(opened.house.database)
        await opened.house.daybook.count()
        yield opened


@pytest.fixture
async def lead(office: Office) -> Browser:
    browser = await office.browser()
    await office.hires("tess", Role.TEAM_LEAD, browser=browser)
    return browser


def tables(page: Page) -> dict[str, list[list[str]]]:
    """The tables by what a screen reader calls them, cell by cell."""
    found = {}
    for table in re.findall(r"<table.*?</table>", page.text, re.S):
        [caption] = re.findall(r"<caption[^>]*>(.*?)</caption>", table, re.S)
        lines = re.findall(r"<tr.*?</tr>", table, re.S)
        cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.S) for line in lines]
        found[caption] = [
            [unescape(re.sub(r"<[^>]*>", "", cell)).replace("\u00a0", " ").strip() for cell in line]
            for line in cells
        ]
    return found


@ONLY_SQLITE
async def test_the_figures_of_two_days(lead: Browser, office: Office) -> None:
    page = await lead.get(BOTH)
    assert (page.status, page.title) == (200, "Sturing")
    found = tables(page)
    assert found["Gesprekken per dag"][1:] == [
        ["ma 23 nov", "7", "2 (29 %)", "4", "1", "3", "2", "9,0"],
        ["di 24 nov", "1", "0 (0 %)", "1", "0", "0", "0", "6,0"],
    ]
    assert [row[:2] for row in found["Gesprekken per kanaal"][1:]] == [["WhatsApp", "5"], ["Website", "3"]]
    assert [row[:2] for row in found["Gesprekken per onderwerp"][1:]] == [
        ["Geen onderwerp", "4"],
        ["Reisdocumenten", "3"],
        ["Afval", "1"],
    ]
    reasons = found["Waarom bewoners naar een medewerker gingen"][1:]
    assert [row[:3] for row in reasons] == [
        ["Vroeg om een medewerker", "2", "67 %"],
        ["Klaartje begreep het twee keer niet", "1", "33 %"],
    ]
    assert found["Wachten en helpen per dag"][1:] == [
        ["ma 23 nov", "1", "4 min", "4 min", "1", "1", "16 min", "16 min"],
        ["di 24 nov", "1", "9 uur", "9 uur", "0", "1", "30 min", "30 min"],
    ]
    assert "Gemiddeld 7,5. Het doel is 8: dat is nog niet gehaald." in page.text
    assert found["Online, bellen of langskomen per dag"][1:] == [
        ["ma 23 nov", "1", "1", "1", "1", "0", "1", "0"],
        ["di 24 nov", "0", "1", "0", "0", "1", "0", "0"],
    ]
    assert "ging er niets via WhatsApp" in page.text


@ONLY_SQLITE
async def test_weeks_months_and_narrower(lead: Browser, office: Office) -> None:
    page = await lead.get("/sturing?van=2026-11-22&tot=2026-11-24&per=week&kanaal=whatsapp")
    found = tables(page)["Gesprekken per week"][1:]
    assert [row[:2] for row in found] == [["week 47 (22-11 – 22-11)", "0"], ["week 48 (23-11 – 24-11)", "5"]]
    assert "kanaal=whatsapp" in page.text  # the file is of the same
    page = await lead.get("/sturing?van=2026-10-31&tot=2026-11-24&per=maand&onderwerp=-")
    found = tables(page)["Gesprekken per maand"][1:]
    assert [row[:2] for row in found] == [["oktober 2026", "0"], ["november 2026", "4"]]
    page = await lead.get("/sturing")  # four weeks; before it nobody wrote
    assert "28 oktober 2026 tot en met 24 november 2026" in page.text
    assert "26 dagen zijn niet geteld" in page.text
    assert "Eén dag is niet geteld" in (await lead.get("/sturing?van=2026-11-22&tot=2026-11-24")).text


@ONLY_SQLITE
async def test_a_period_that_is_none(lead: Browser) -> None:
    for query, told in WRONG.items():
        for place in ("/sturing", "/sturing/cijfers.csv"):
            page = await lead.get(f"{place}?{query}")
            assert page.status == 422 and told in page.text and 'role="alert"' in page.text, query


@ONLY_SQLITE
async def test_the_file(lead: Browser, office: Office) -> None:
    async with office.house.database.write() as connection:  # as a theme that an editor typed
        row = {
            "day": MONDAY,
            "channel": "webchat",
            "theme": "=1+1",
            "name": "conversations",
            "value": 0,
            "number": 1,
        }
        await connection.execute(sa.insert(day_figures).values(**row))
    page = await lead.get(BOTH.replace("?", "/cijfers.csv?"))
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "cijfers-2026-11-23-2026-11-24.csv" in page.headers["Content-Disposition"]
    assert page.headers["Cache-Control"] == "no-store"
    lines = list(csv.DictReader(StringIO(page.text.removeprefix("\ufeff")), delimiter=";"))
    assert [(one["van"], one["kanaal"], one["onderwerp"], one["gesprekken"]) for one in lines] == [
        ("2026-11-23", "Website", "Geen onderwerp", "1"),
        ("2026-11-23", "Website", "'=1+1", "1"),
        ("2026-11-23", "Website", "Afval", "1"),
        ("2026-11-23", "Website", "Reisdocumenten", "1"),
        ("2026-11-23", "WhatsApp", "Geen onderwerp", "2"),
        ("2026-11-23", "WhatsApp", "Reisdocumenten", "2"),
        ("2026-11-24", "Website", "Afval", "0"),
        ("2026-11-24", "WhatsApp", "Geen onderwerp", "1"),
        ("2026-11-24", "WhatsApp", "Reisdocumenten", "0"),
    ]
    late = lines[-1]
    assert (late["wachten: 9 van 10 binnen (minuten)"], late["gemiddeld cijfer"], late["bellen"]) == (
        "540",
        "6,0",
        "1",
    )
    assert lines[4]["overgedragen: Klaartje begreep het twee keer niet"] == "1"


@ONLY_SQLITE
async def test_what_whatsapp_costs(lead: Browser, office: Office) -> None:
    async with office.house.database.write() as connection:
        for kind, delivered in (("service", 150), ("utility", 10), ("marketing", 1)):
            row = {
                "channel": "whatsapp",
                "month": "2026-11",
                "kind": kind,
                "sent": delivered,
                "delivered": delivered,
            }
            await connection.execute(sa.insert(sent_counts).values(**row))
    page = await lead.get(BOTH)
    assert tables(page)["Kosten van WhatsApp per maand"][1:] == [
        ["november 2026", "WhatsApp", "Sjabloon: reclame", "1", "0", "niet ingevuld", "–"],
        ["november 2026", "WhatsApp", "Vrij bericht", "150", "100", "€ 0,0100", "€ 0,50"],
        ["november 2026", "WhatsApp", "Sjabloon: dienst", "10", "0", "€ 0,0456", "€ 0,46"],
    ]
    assert "Samen €" not in page.text  # of one nobody knows the price


def test_costs_are_of_what_is_paid_for() -> None:
    counts = [
        Count("whatsapp-wijkteam", "2026-11", "service", 9, 7),
        Count("whatsapp-wijkteam", "2026-11", "utility", 3, 2),
        Count("webchat", "2026-11", "service", 500, 0),
    ]
    prices = {"service": Decimal("0.05"), "utility": Decimal("0.1")}
    found = costs(counts, prices, free=5)
    assert [(one.free, one.amount) for one in found] == [(5, Decimal("0.10")), (0, Decimal("0.2"))]
    assert total(found) == Decimal("0.30")
    assert total(costs(counts, {}, free=5)) is None and total([]) is None


@ONLY_SQLITE
async def test_nothing_personal_is_on_it(lead: Browser, office: Office) -> None:
    """No number, name or word of a resident or an agent gets into the table or on the page."""
    async with office.house.database.write() as connection:
        await connection.execute(
            sa.update(conversations).values(address=sa.literal("+31612345678-") + conversations.c.id)
        )
        await connection.execute(sa.update(messages).values(text="geheim woord"))
    office.clock.now += timedelta(days=1)
    await office.house.daybook.count()
    kept = [tuple(row) for row in await office.rows(day_figures)]
    told = repr(kept) + (await lead.get(BOTH)).text
    for word in ("612345678", "geheim", "sanne"):
        assert word not in told
