"""A stand-in for Signalen, as far as residents may reach it, that keeps its rules: only the keys that it knows, a point
on the map, a category that exists. It keeps what it took, and can be away, slow, throttled or locked.

In a test: `async with FakeSignalen() as fake: reports = Signalen(fake.url, POINT)`.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime
from typing import Any, Self

from aiohttp import web

from tests.fakes.openklant import Mishap

BASE = "/signals/v1/public"
Json = dict[str, Any]

CATEGORIES = {"afval": ("prullenbak-is-vol", "huisafval"), "overig": ("overig",)}
_KEYS = {
    "": ({"text", "location", "category", "reporter", "incident_date_start"}, {"text_extra", "source"}),
    "location": ({"geometrie"}, {"address", "stadsdeel", "buurt_code", "extra_properties"}),
    "category": ({"sub_category"}, set()),
    "reporter": (set(), {"email", "phone", "sharing_allowed"}),
}
"""What each part must and may have."""


class FakeSignalen:
    """The server. `signals` is what it took, `photos` their attachments, `calls` what was asked; `mishap` what goes
    wrong."""

    def __init__(self) -> None:
        self.signals: list[Json] = []
        self.photos: dict[str, list[tuple[str, bytes]]] = {}
        self.calls: list[tuple[str, str]] = []
        self.mishap: Mishap | None = None
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_route("*", "/{rest:.*}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner
        await self._runner.cleanup()

    def close(self, key: str) -> None:
        """Its people are done with a report."""
        row = self._one(key)
        row["status"] = {"state": "CLOSED", "state_display": "Afgesloten"}
        row["updated_at"] = "2026-11-25T08:00:00+01:00"

    def touch(self, key: str) -> None:
        """Its people did something that residents don't see."""
        self._one(key)["updated_at"] = "2026-11-24T08:00:00+01:00"

    def remove(self, key: str) -> None:
        """It is gone."""
        self.signals.remove(self._one(key))

    # -- the calls ---------------------------------------------------------------------------------------------

    async def _take(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(f"{BASE}/")
        self.calls.append((request.method, path))
        mishap = self.mishap if self.mishap and self.mishap.meets(request.method, path) else None
        answer: web.StreamResponse | None = None
        if mishap is None or mishap.after:
            answer = await self._answer(request, path)
        if mishap is None:
            assert answer
            return answer
        mishap.times -= 1
        await asyncio.sleep(mishap.wait)
        if mishap.status is not None:
            return web.Response(status=mishap.status, body=mishap.body, headers=dict(mishap.headers))
        assert request.transport
        request.transport.abort()
        return web.Response()

    async def _answer(self, request: web.Request, path: str) -> web.StreamResponse:
        match request.method, path.split("/"):
            case "GET", ["terms", "categories"]:
                return web.json_response(_categories())
            case "POST", ["signals"]:
                return self._create(await request.json())
            case "POST", ["signals", key, "attachments"] if self._has(key):
                return await self._attach(request, key)
            case "GET", ["signals", key] if self._has(key):
                return web.json_response(_public(self._one(key)))
        return web.json_response({"detail": "Not found."}, status=404)

    def _create(self, body: Json) -> web.Response:
        if wrong := _wrong(body):
            return web.json_response(wrong, status=400)
        key, number = str(uuid.uuid4()), len(self.signals) + 1
        row = {
            **body,
            "signal_id": key,
            "_display": f"SIG-{number}",
            "id_display": f"SIG-{number}",
            "status": {"state": "OPEN", "state_display": "Open"},
            "created_at": "2026-11-23T10:00:00+01:00",
            "updated_at": "2026-11-23T10:00:00+01:00",
        }
        self.signals.append(row)
        return web.json_response(_public(row), status=201)

    async def _attach(self, request: web.Request, key: str) -> web.Response:
        form = await request.post()
        file = form.get("file")
        if not isinstance(file, web.FileField) or file.content_type not in (
            "image/jpeg",
            "image/png",
            "image/gif",
        ):
            return web.json_response({"file": ["Bestandsextensie niet toegestaan."]}, status=400)
        self.photos.setdefault(key, []).append((file.content_type, file.file.read()))
        return web.json_response({"created_by": None}, status=201)

    def _has(self, key: str) -> bool:
        return any(row["signal_id"] == key for row in self.signals)

    def _one(self, key: str) -> Json:
        return next(row for row in self.signals if row["signal_id"] == key)


def _categories() -> Json:
    results = [
        {"slug": main, "name": main, "sub_categories": [{"slug": sub, "is_active": True} for sub in subs]}
        for main, subs in CATEGORIES.items()
    ]
    return {"count": len(results), "next": None, "results": results}


def _public(row: Json) -> Json:
    names = (
        "_display",
        "id_display",
        "signal_id",
        "status",
        "created_at",
        "updated_at",
        "incident_date_start",
    )
    return {name: row[name] for name in names}


def _wrong(body: Json) -> Json | None:
    """The errors of a body, by field, as the server tells them."""
    for part, (needed, allowed) in _KEYS.items():
        value = body.get(part) if part else body
        if not isinstance(value, dict):
            return {part: ["Dit veld is vereist."]}
        if lacking := needed - set(value):
            return {name: ["Dit veld is vereist."] for name in sorted(lacking)}
        if extra := set(value) - needed - allowed:
            return {"non_field_errors": [f"Onbekend veld: {', '.join(sorted(extra))}"]}
    if not str(body["text"]).strip() or len(body["text"]) > 3000:
        return {"text": ["Dit veld is niet juist."]}
    longitude, latitude = body["location"]["geometrie"]["coordinates"]
    if body["location"]["geometrie"]["type"] != "Point" or not (50 < latitude < 54 and 3 < longitude < 8):
        return {"location": ["Niet in dit gebied."]}
    main, sub = _slugs(str(body["category"]["sub_category"]))
    if sub not in CATEGORIES.get(main, ()):
        return {"category": ["Onbekende categorie."]}
    if datetime.fromisoformat(body["incident_date_start"]).tzinfo is None:
        return {"incident_date_start": ["Een tijd zonder zone."]}
    return None


def _slugs(address: str) -> tuple[str, str]:
    parts = address.partition("/terms/categories/")[2].split("/")
    return (parts[0], parts[2]) if len(parts) == 3 and parts[1] == "sub_categories" else ("", "")
