"""The list of people's accounts at the providers, with passwords and tokens, for whoever started this Slack.

Everyone on this machine can open the page, so the list also requires a key, which is shown only in the
terminal.
"""

from __future__ import annotations

import asyncio
import hmac
from pathlib import Path

from aiohttp import web

from playground.slack.records import Json
from playground.slack.state import State
from playground.values import checked, loads

_PAGE = Path(__file__).parent / "static" / "accounts.html"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: The header with the key. Pages from elsewhere can't send it, and it doesn't appear in URLs or logs.
KEY_HEADER = "X-Accounts-Key"


class Accounts:
    """Stores the list that a demo provides, and shows it to requests with the key."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._key = ""
        self._people: Json = {}

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/accounts", self._page)
        app.router.add_get("/_page/accounts", self._list)
        app.router.add_post("/_playground/accounts", self._take)

    async def _take(self, request: web.Request) -> web.Response:
        given = checked(loads(await request.read()), ("key", "people", "sign_outs"))
        key, people = given["key"], given["people"]
        if not isinstance(key, str) or not key or not isinstance(people, dict):
            raise ValueError("a key and people")
        if not all(isinstance(one, dict) for one in people.values()):
            raise ValueError("each of the people is an object")
        sign_outs = given.get("sign_outs", [])
        if not isinstance(sign_outs, list) or not all(map(_is_sign_out, sign_outs)):
            raise ValueError("each of sign_outs is a method and an address on this machine")
        self._key, self._people, self._state.sign_outs = key, people, sign_outs
        return web.json_response({"ok": True, "people": len(self._people)})

    async def _page(self, _request: web.Request) -> web.Response:
        headers = {
            "Content-Security-Policy": _POLICY,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        }
        text = await asyncio.to_thread(_PAGE.read_text, "utf-8")
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(
            self._shown(request.headers.get(KEY_HEADER, "")), headers={"Cache-Control": "no-store"}
        )

    def _shown(self, key: str) -> Json:
        if not self._people:
            return {"ok": False, "error": "no_accounts"}
        if not hmac.compare_digest(key.encode("utf-8", "replace"), self._key.encode("utf-8", "replace")):
            return {"ok": False, "error": "no_key"}
        shown = []
        for user, given in self._people.items():
            person = self._state.people.get(user)
            if person is not None:
                home = self._state.teams.get(person.team_id)
                team = home.name if home is not None and home.id != self._state.team.id else ""
                who = {"id": user, "real_name": person.real_name, "role": person.role, "team": team}
                shown.append({**who, **given})
        return {"ok": True, "people": shown}


def _is_sign_out(given: object) -> bool:
    match given:
        case ["GET" | "POST", str(url)]:
            return url.startswith("http://127.0.0.1:")
    return False
