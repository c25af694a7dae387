"""Signing in to our own pages with Slack, and out again; looking at a page never signs anybody in."""

from __future__ import annotations

import re
from typing import Final

import structlog
from aiohttp import web

from bot.messages.texts import ide as words
from bot.messages.texts.times import duration
from bot.services.browsers import Browsing
from bot.services.gather import IDE_PATH
from bot.support.errors import Refused
from bot.web.browsers import Browsers, read_form
from bot.web.openid import SlackSignIn, proven
from bot.web.render import Renderer

SIGN_OUT_PATH: Final = "/sign-out"
SIGNED_OUT_PATH: Final = "/signed-out"
#: The form of row ids; addresses accept nothing else.
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

_log = structlog.get_logger(__name__)


class SignedIn:
    """Begin and end browser sessions. ``sign_in`` is None if no Slack client is configured."""

    def __init__(
        self,
        *,
        browsing: Browsing,
        browsers: Browsers,
        renderer: Renderer,
        sign_in: SlackSignIn | None,
        team_id: str,
    ) -> None:
        self._browsing = browsing
        self._browsers = browsers
        self._renderer = renderer
        self._sign_in = sign_in
        self._team_id = team_id

    def ask(self, page: str) -> web.Response:
        """Ask the visitor of a workspace's page to sign in; the same for every address."""
        if self._sign_in is None:
            return self._renderer.problem(404, words.UNSET_TITLE, words.UNSET_TEXT)
        lasts = duration(self._browsing.lifetime)
        return self._renderer.page("ide_sign_in.html", page=f"{IDE_PATH}/{page}", lasts=lasts)

    def go_to_slack(self, request: web.Request, page: str) -> web.Response:
        """Redirect to Slack from the button of our own page; from anywhere else, back to that page."""
        if self._sign_in is None or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return see_other(f"{IDE_PATH}/{page}")
        url, flow = self._sign_in.begin(self._team_id)
        response = see_other(url)
        self._browsers.begin_page(request, response, flow, page)
        return response

    async def come_from_slack(self, request: web.Request, page: str) -> web.StreamResponse:
        """Begin a session with what Slack proved, and redirect to the page that it was for."""
        back = f"{IDE_PATH}/{page}" if ID.fullmatch(page) else ""
        try:
            session_id = await self._proven(request)
        except Refused as refused:
            _log.info("page.sign_in_refused", rule=refused.rule)
            response: web.StreamResponse = self._renderer.refusal(refused, back)
        else:
            await self._browsing.end(self._browsers.session(request))
            response = see_other(back or SIGNED_OUT_PATH)
            self._browsers.open_session(response, session_id, self._browsing.lifetime)
        # Whatever the result: each sign-in is answered once.
        self._browsers.end(request, response)
        return response

    async def _proven(self, request: web.Request) -> str:
        flow = self._browsers.page_flow(request)
        return await self._browsing.begin(await proven(self._sign_in, flow, request.query, words))

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        """End this browser's session, if its own page asks for that."""
        session_id = self._browsers.session(request)
        if session_id is not None:
            fields = await read_form(request) or {}
            if not self._browsers.is_of_session(request, session_id, fields.get("form", "")):
                _log.warning("page.form_refused", reason="sign-out")
                return self._renderer.problem(403, words.FORGED_TITLE, words.forged())
            await self._browsing.end(session_id)
        response = see_other(SIGNED_OUT_PATH)
        self._browsers.close_session(response)
        return response

    async def signed_out(self, _request: web.Request) -> web.StreamResponse:
        """Show that nobody is signed in."""
        return self._renderer.problem(200, words.SIGNED_OUT_TITLE, words.SIGNED_OUT_TEXT)


def see_other(location: str) -> web.Response:
    """Redirect a browser; the location always comes from us."""
    return web.Response(status=303, headers={"Location": location})
