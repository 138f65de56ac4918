"""Files of residents, for staff only: each through a link of its own that lives for some minutes."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from bot.files import SHOWN, Files
from bot.ports import Refused

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class FilesPage:
    """`GET /kcc/files/<token>`."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def routes(self) -> list[web.RouteDef]:
        """The one address."""
        return [web.get("/kcc/files/{token}", self.show, allow_head=False)]

    async def show(self, request: web.Request) -> web.Response:
        """The file. Anything that is wrong with the link is answered alike."""
        token = request.match_info["token"]
        kept = await self._files.opened(token) if _TOKEN.fullmatch(token) else None
        if kept is None:
            raise Refused("this link does not work (any more)", 404)
        try:
            content = await asyncio.to_thread(kept.path.read_bytes)
        except FileNotFoundError:
            raise Refused("this file is gone", 410) from None
        how = "inline" if kept.mime in SHOWN else "attachment"
        disposition = {"Content-Disposition": f'{how}; filename="{kept.name}"'}
        return web.Response(body=content, content_type=kept.mime, headers=_HEADERS | disposition)
