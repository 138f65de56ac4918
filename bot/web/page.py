"""The resident's chat page: `GET /` and its static files, with the security headers that keep it closed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

HERE = Path(__file__).resolve().parent

SHEETS = (
    *(f"vendor/{name}-css/{name}.css" for name in ("button", "heading", "link", "paragraph", "skip-link")),
    *(f"vendor/{name}-css/index.css" for name in ("alert", "textarea", "unordered-list")),
    "theme.css",
    "tokens.css",
    "chat.css",
)

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
"""What is served; other files beside them (licences, hashes) are not."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, read once."""

    body: bytes
    content_type: str


class StaticFiles:
    """All static files in memory, under an address that changes with their content: browsers keep them for good.

    A file in `theme` takes the place of ours of the same name (`theme.css`, `logo.svg`, `avatar.svg`).
    """

    def __init__(self, theme: Path | None = None) -> None:
        self._files = {**_read(HERE / "static"), **(_read(theme) if theme else {})}
        digest = hashlib.sha256()
        for name, file in sorted(self._files.items()):
            digest.update(f"{name}\n{len(file.body)}\n".encode() + file.body)
        self.version = digest.hexdigest()[:16]
        self.address = f"/static/{self.version}"

    async def serve(self, request: web.Request) -> web.Response:
        """One file. An address of another version (a deploy is under way) gets ours, and is not kept."""
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        mine = request.match_info["version"] == self.version
        keep = "public, max-age=31536000, immutable" if mine else "no-cache"
        headers = {
            "Content-Type": file.content_type,
            "Cache-Control": keep,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        }
        return web.Response(body=file.body, headers=headers)


def add_page(
    app: web.Application,
    *,
    municipality_name: str,
    phone: str,
    hours: str,
    frame_ancestors: Sequence[str] = (),
    theme: Path | None = None,
) -> StaticFiles:
    """Serve the page on `/`, and the static files, which are given back. `phone` and `hours` are for who can't or
    won't chat; `frame_ancestors` are the sites that may show the page inside their own; `theme` is a folder with the
    municipality's own look."""
    static = StaticFiles(theme)
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    body = environment.get_template("chat.html.j2").render(
        municipality=municipality_name,
        phone=phone,
        dial=re.sub(r"[^\d+]", "", phone),
        hours=hours,
        static=static.address,
        sheets=SHEETS,
    )
    headers = {"Content-Type": "text/html; charset=utf-8", **security_headers(frame_ancestors)}

    async def page(_request: web.Request) -> web.Response:
        return web.Response(body=body.encode(), headers=headers)

    app.router.add_get("/", page)
    app.router.add_get(r"/static/{version:[0-9a-f]{16}}/{name:.+}", static.serve)
    return static


def security_headers(frame_ancestors: Sequence[str] = (), *, forms: bool = False) -> Mapping[str, str]:
    """Headers of a page that runs its own scripts and styles only, and is framed by the given sites only. `forms`: it
    has forms that a browser itself sends, to us."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self'",
        "font-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'" if forms else "'none'",
        "frame-ancestors": " ".join(frame_ancestors) or "'none'",
    }
    headers = {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }
    return headers if frame_ancestors else {**headers, "X-Frame-Options": "DENY"}


def _read(folder: Path) -> dict[str, StaticFile]:
    return {
        path.relative_to(folder).as_posix(): StaticFile(path.read_bytes(), _TYPES[path.suffix])
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _TYPES
    }
