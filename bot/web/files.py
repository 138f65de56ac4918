"""Files of residents, for staff only: each through a link of its own that lives for some minutes."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.files import SHOWN, Files
from bot.ports import Refused
from bot.staff.roles import Permission
from bot.staff.secret import is_token
from bot.staff.sessions import Visit
from bot.web.staff.door import Door, Reach

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class FilesPage:
    """`GET /kcc/files/<token>`. `unless`: whether nobody can sign in yet; then the link alone is enough."""

    def __init__(self, door: Door, files: Files, unless: Reach) -> None:
        self._door = door
        self._files = files
        self._unless = unless

    def routes(self) -> list[web.RouteDef]:
        """The one address."""
        return [
            self._door.get("/kcc/files/{token}", Permission.SEE_FILES, self.show, unless=self._unless),
        ]

    async def show(self, request: web.Request, visit: Visit) -> web.Response:
        """The file. Anything that is wrong with the link is answered alike."""
        token, actor = request.match_info["token"], visit.member.name if visit.member else None
        kept = await self._files.opened(token, actor=actor) if is_token(token) else None
        if kept is None:
            raise Refused("this link does not work (any more)", 404)
        try:
            content = await asyncio.to_thread(kept.path.read_bytes)
        except FileNotFoundError:
            raise Refused("this file is gone", 410) from None
        how = "inline" if kept.mime in SHOWN else "attachment"
        disposition = {"Content-Disposition": f'{how}; filename="{kept.name}"'}
        return web.Response(body=content, content_type=kept.mime, headers=_HEADERS | disposition)
