"""The page as it leaves the server: closed headers, safe text, files that browsers may keep."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bot.web.page import HERE, add_page

HOURS = "maandag tot en met vrijdag van 8.30 tot 17.00 uur"


async def served(path: str = "/", **options: object) -> tuple[int, dict[str, str], str]:
    app = web.Application()
    settings = {"municipality_name": "Gemeente Zonneveen", "phone": "14 0999", "hours": HOURS, **options}
    add_page(app, **settings)  # type: ignore[arg-type]
    async with TestServer(app) as server, ClientSession() as client:
        async with client.get(server.make_url("/")) as page:
            version = re.findall(r"/static/([0-9a-f]{16})/", await page.text())[0]
        async with client.get(server.make_url(path.replace("VERSION", version))) as answer:
            return answer.status, dict(answer.headers), await answer.text(errors="replace")


async def test_the_page_runs_only_its_own_scripts_and_styles() -> None:
    status, headers, text = await served()
    assert status == 200
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?! type=\"module\" src=)", text)


async def test_sites_that_may_frame_the_page_are_named() -> None:
    _, headers, _ = await served(frame_ancestors=("'self'", "https://www.zonneveen.example"))
    assert headers["Content-Security-Policy"].endswith("frame-ancestors 'self' https://www.zonneveen.example")
    assert "X-Frame-Options" not in headers


async def test_it_is_dutch_titled_and_tells_who_has_no_script_where_to_call() -> None:
    _, _, text = await served()
    assert '<html lang="nl">' in text
    assert "<title>Stel uw vraag aan Klaartje – Gemeente Zonneveen</title>" in text
    noscript = text.partition("<noscript>")[2].partition("</noscript>")[0]
    assert 'href="tel:140999"' in noscript
    assert HOURS in noscript


async def test_a_name_stays_text() -> None:
    _, _, text = await served(municipality_name='<img src=x onerror="alert(1)">')
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


async def test_browsers_may_keep_files_of_this_version_only() -> None:
    _, headers, _ = await served("/static/VERSION/chat.css")
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["Content-Type"] == "text/css; charset=utf-8"
    status, headers, _ = await served(f"/static/{'0' * 16}/chat/main.js")
    assert (status, headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "name", ["../page.py", "vendor/SHA256SUMS", "vendor/button-css/LICENSE.md", "nothing.css"]
)
async def test_nothing_else_is_served(name: str) -> None:
    status, _, _ = await served(f"/static/VERSION/{name}")
    assert status == 404


async def test_all_that_the_page_and_its_modules_name_is_there() -> None:
    _, _, text = await served()
    names = re.findall(r"/static/[0-9a-f]{16}/([\w./-]+)", text)
    static = HERE / "static"
    for script in sorted((static / "chat").glob("*.js")):
        names += [f"chat/{name}" for name in re.findall(r'from "\./([\w.]+)"', script.read_text())]
    for sheet in ("theme.css", "chat.css"):
        names += re.findall(r'url\("([^"]+)"\)', (static / sheet).read_text())
    assert len(names) > 20
    for name in names:
        assert (static / name).is_file(), name


async def test_a_municipality_brings_its_own_look(tmp_path: Path) -> None:
    (tmp_path / "theme.css").write_text(":root { --klaartje-brand: #b00; }")
    (tmp_path / "notes.txt").write_text("not served")
    status, _, text = await served("/static/VERSION/theme.css", theme=tmp_path)
    assert (status, text) == (200, ":root { --klaartje-brand: #b00; }")
    assert (await served("/static/VERSION/notes.txt", theme=tmp_path))[0] == 404
    assert (await served("/static/VERSION/chat.css", theme=tmp_path))[0] == 200
