"""The page at ``/`` and the small JSON API behind it, which demos and tests also use."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from playground.slack import seen
from playground.slack.acts import Acts
from playground.slack.errors import SlackError
from playground.slack.files import download, readable
from playground.slack.forms import Forms
from playground.slack.hands import Hands
from playground.slack.records import Json
from playground.slack.state import State
from playground.values import loads

STATIC = Path(__file__).parent / "static"
FILES = {path.name: path for path in STATIC.iterdir()}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
WAIT_SECONDS = 25.0
#: Arguments that must be strings.
WORDS = ("as", "channel", "text", "ts", "thread_ts", "action_id", "block_id", "tab", "query", "pick")


async def _asked(request: web.Request) -> Json:
    try:
        asked = loads(await request.read() or b"{}")
    except ValueError:
        raise SlackError("invalid_json", status=400) from None
    if not isinstance(asked, dict):
        raise SlackError("json_not_object", status=400)
    wrong = [name for name in WORDS if not isinstance(asked.get(name, ""), str | None)]
    values = asked.get("values") or {}
    flat = request.path == "/_page/fill"
    if not isinstance(values, dict) or not (flat or all(isinstance(held, dict) for held in values.values())):
        wrong.append("values")
    if wrong:
        raise SlackError(f"wrong type: {', '.join(wrong)}", status=400)
    return asked


class Page:
    """Serves the page, and acts for the person chosen on it."""

    def __init__(self, state: State, acts: Acts, hands: Hands, forms: Forms) -> None:
        self._state = state
        self._acts = acts
        self._hands = hands
        self._forms = forms
        self._open: set[web.WebSocketResponse] = set()

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/", self._index)
        app.router.add_get("/app_redirect", self._redirect)
        app.router.add_get("/_page/static/{name}", self._static)
        app.router.add_get("/_page/face/{user}.svg", self._face)
        app.router.add_get("/_page/state", self._guarded(self._show))
        app.router.add_get("/_page/changes", self._changes)
        app.on_shutdown.append(self._shut)
        app.router.add_get("/_page/people", self._guarded(self._people))
        app.router.add_get("/_page/options", self._guarded(self._options))
        app.router.add_get("/_page/form", self._guarded(self._form))
        app.router.add_get("/_page/file/{file}", self._file)
        posts = {
            "say": self._say,
            "press": self._press,
            "shortcut": self._shortcut,
            "submit": self._submit,
            "fill": self._fill,
            "choose": self._choose,
            "close": self._close,
            "home": self._home,
            "read": self._read,
        }
        for name, handler in posts.items():
            app.router.add_post(f"/_page/{name}", self._guarded(handler))

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[Json]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def run(request: web.Request) -> web.Response:
            try:
                answer = await handler(request)
            except SlackError as error:
                status = error.status if error.status != 200 else 400
                return web.json_response(error.body(), status=status)
            except KeyError as error:
                return web.json_response({"ok": False, "error": f"missing {error}"}, status=400)
            return web.json_response(answer, headers={"Cache-Control": "no-store"})

        return run

    async def _index(self, request: web.Request) -> web.Response:
        if request.url.host == "localhost":
            # The pages for signing in are on 127.0.0.1, which browsers treat as a different site from
            # localhost.
            raise web.HTTPFound(request.url.with_host("127.0.0.1"))
        text = await asyncio.to_thread((STATIC / "index.html").read_text, "utf-8")
        headers = {
            "Content-Security-Policy": POLICY,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        }
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def _redirect(self, request: web.Request) -> web.Response:
        """Redirect to a conversation, as this path does at Slack. For a direct message, act as its person."""
        channel = self._state.channels.get(request.query.get("channel", ""))
        if channel is None:
            raise web.HTTPFound("/")
        query = {"channel": channel.id} | ({"as": channel.user} if channel.user else {})
        raise web.HTTPFound(f"/?{urlencode(query)}")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        """Serve a static file. The name is looked up in a table and never used as a path."""
        path = FILES.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path)

    async def _face(self, request: web.Request) -> web.Response:
        person = self._state.people.get(request.match_info["user"])
        if person is None:
            raise web.HTTPNotFound
        letters = "".join(word[0] for word in person.real_name.split()[:2]).upper()
        text = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">'
            f'<rect width="72" height="72" rx="14" fill="#{html.escape(person.color)}"/>'
            '<text x="36" y="46" font-family="system-ui,sans-serif" font-size="28" font-weight="600" '
            f'fill="#fff" text-anchor="middle">{html.escape(letters)}</text></svg>'
        )
        return web.Response(text=text, content_type="image/svg+xml", headers={"Cache-Control": "no-cache"})

    async def _show(self, request: web.Request) -> Json:
        person = self._state.person(request.query.get("as", ""))
        since = request.query.get("since")
        if since is not None:
            await self._state.wait_beyond(int(since) if since.isdigit() else -1, WAIT_SECONDS)
        return seen.show(self._state, person)

    async def _changes(self, request: web.Request) -> web.WebSocketResponse:
        """Send a message on a WebSocket each time something changes.

        Browsers limit the number of HTTP connections per host but allow many WebSockets, so each tab can have
        one.
        """
        socket = web.WebSocketResponse(timeout=1.0)
        await socket.prepare(request)
        self._open.add(socket)
        telling = asyncio.create_task(self._tell(socket))
        try:
            async for _ in socket:
                pass
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            self._open.discard(socket)
        return socket

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        known = -1
        while True:
            await self._state.wait_beyond(known, WAIT_SECONDS)
            known = self._state.version
            await socket.send_str(str(known))

    async def _shut(self, _app: web.Application) -> None:
        for socket in set(self._open):
            await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)

    async def _people(self, _request: web.Request) -> Json:
        people = [seen.who(self._state, other) for other in self._state.people.values()]
        first = next((one["id"] for one in people if not one["is_bot"] and not one["deleted"]), None)
        return {"ok": True, "first": first, "people": people}

    async def _say(self, request: web.Request) -> Json:
        asked = await _asked(request)
        return await self._acts.say(
            asked["as"],
            asked["channel"],
            asked["text"],
            asked.get("thread_ts"),
            broadcast=bool(asked.get("broadcast")),
        )

    async def _press(self, request: web.Request) -> Json:
        asked = await _asked(request)
        if not asked.get("channel"):
            self._hands.keep(asked["as"], asked.get("values") or {})
        return await self._hands.press(
            asked["as"],
            asked.get("channel"),
            asked.get("ts"),
            asked["action_id"],
            block_id=asked.get("block_id"),
            value=asked.get("value"),
        )

    async def _shortcut(self, request: web.Request) -> Json:
        asked = await _asked(request)
        return await self._hands.shortcut(
            asked["as"], asked["callback_id"], asked.get("channel"), asked.get("ts")
        )

    async def _submit(self, request: web.Request) -> Json:
        asked = await _asked(request)
        if asked.get("view") is None:
            return await self._hands.submit(asked["as"], asked.get("values") or {})
        shown = self._state.top_view(asked["as"])
        if shown is None or shown.id != asked["view"]:
            raise SlackError("view_not_found")
        self._hands.keep(asked["as"], asked.get("values") or {})
        return await self._hands.submit(asked["as"])

    async def _fill(self, request: web.Request) -> Json:
        asked = await _asked(request)
        return {"ok": True, "answers": await self._forms.fill(asked["as"], asked["values"])}

    async def _choose(self, request: web.Request) -> Json:
        asked = await _asked(request)
        return await self._forms.choose(
            asked["as"],
            asked["action_id"],
            asked.get("query") or "",
            asked.get("pick"),
            block_id=asked.get("block_id"),
        )

    async def _form(self, request: web.Request) -> Json:
        form = self._forms.read(self._state.person(request.query.get("as", "")).id)
        return {"ok": True, "form": None if form is None else form.to_json()}

    async def _file(self, request: web.Request) -> web.Response:
        try:
            file = readable(self._state, request.match_info["file"], request.query.get("as", ""))
        except SlackError:
            raise web.HTTPNotFound from None
        return download(file)

    async def _close(self, request: web.Request) -> Json:
        asked = await _asked(request)
        return await self._hands.close(asked["as"], everything=bool(asked.get("everything")))

    async def _options(self, request: web.Request) -> Json:
        query = request.query
        return await self._hands.options(
            query["as"],
            query.get("channel"),
            query.get("ts"),
            query["action_id"],
            block_id=query.get("block_id"),
            value=query.get("value", ""),
        )

    async def _home(self, request: web.Request) -> Json:
        asked = await _asked(request)
        return await self._acts.home(asked["as"], asked.get("tab", "home"))

    async def _read(self, request: web.Request) -> Json:
        asked = await _asked(request)
        person = self._state.person(asked["as"])
        seen.read(self._state, person, asked["channel"], asked.get("thread_ts") or None)
        return {"ok": True}
