"""One local Slack: its parts put together, and what tests and demos do with it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from playground.harness import Clock, Handler, Harness
from playground.slack import shapes
from playground.slack.acts import Acts
from playground.slack.api import Api
from playground.slack.control import Control
from playground.slack.dispatch import ACK_SECONDS, Dispatcher
from playground.slack.events import Events
from playground.slack.files import FileServer, readable
from playground.slack.forms import Form, Forms
from playground.slack.hands import Hands
from playground.slack.limits import Budgets
from playground.slack.openid import OpenId
from playground.slack.page import Page
from playground.slack.records import Json, Person
from playground.slack.replies import ResponseUrls
from playground.slack.seed import plant
from playground.slack.sockets import Sockets
from playground.slack.timers import Timers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


#: Names of this machine; no other name in a Host header is believed.
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SlackServer:
    """A workspace with one app, and everything that happens between the two.

    ``wall`` tells the time that goes into signatures and id_tokens: the app checks it against its own clock.
    """

    def __init__(
        self,
        harness: Harness,
        wall: Callable[[], float],
        seed: Json | None,
        environment: dict[str, str],
        ack_s: float,
    ) -> None:
        self.harness = harness
        self.state = plant(harness.clock, seed, environment)
        self.timers = Timers(harness.clock)
        self.budgets = Budgets(harness)
        self.sockets = Sockets(self.state, harness)
        self.dispatcher = Dispatcher(self.state, harness, self.sockets, wall, ack_s)
        self.events = Events(self.state, self.dispatcher, self.timers)
        self.openid = OpenId(self.state, wall)
        self.acts = Acts(self.state, harness, self.dispatcher, self.events)
        self.hands = Hands(self.acts)
        self.forms = Forms(self.state, self.hands)
        self.page = Page(self)
        self.app = web.Application(middlewares=[self._note_address])
        self._install()

    def _install(self) -> None:
        self.harness.install(self.app)
        self.page.install(self.app)
        Control(self).install(self.app)
        self.openid.install(self.app)
        FileServer(self.state, self.harness).install(self.app)
        answers = ResponseUrls(self.state, self.harness)
        for family in ("commands", "actions", "app"):
            self.app.router.add_post(f"/{family}/{{team}}/{{number}}/{{secret}}", answers.handle)
        self.app.router.add_get("/link/", self.sockets.handle)
        for verb in ("GET", "POST"):
            self.app.router.add_route(verb, "/api/{method:.*}", Api(self).handle)
        self.app.cleanup_ctx.append(self._background)
        self.app.on_shutdown.append(self._shut)

    async def _background(self, _app: web.Application) -> AsyncIterator[None]:
        running = asyncio.create_task(self.timers.run())
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await self.dispatcher.close()

    async def _shut(self, _app: web.Application) -> None:
        self.state.changed()
        await self.sockets.close()

    @web.middleware
    async def _note_address(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.url.host in LOOPBACK:
            self.state.base_url = str(request.url.origin())
        origin = request.headers.get("Origin")
        own = request.path.startswith(("/_page/", "/_playground/"))
        if own and origin is not None and origin != str(request.url.origin()):
            return web.json_response({"ok": False, "error": "foreign_origin"}, status=403)
        return await handler(request)

    @property
    def credentials(self) -> dict[str, Any]:
        """Return what the app's operator copies from Slack's settings pages."""
        state = self.state
        of_kind = {token.kind: token.value for token in reversed(state.tokens.values())}
        return {
            "bot_token": of_kind["bot"],
            "app_token": of_kind["app"],
            "signing_secret": state.app.signing_secret,
            "client_id": state.app.client_id,
            "client_secret": state.app.client_secret,
            "app_id": state.app.id,
            "team_id": state.team.id,
            "bot_user_id": state.app.bot_user,
            "api_url": f"{state.base_url}/api/",
        }

    def credentials_at(self, url: str) -> dict[str, Any]:
        """Take note of the server's address and return the credentials."""
        self.state.base_url = url
        return self.credentials

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on 127.0.0.1 within a block and give its address."""
        runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self.state.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self.state.base_url
        finally:
            await runner.cleanup()

    async def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Json:
        """Type as a person; what begins with a slash is a command. ``channel``: an id, #name or ``@bot``."""
        return await self.acts.say(user, channel, text, thread_ts)

    async def press(
        self,
        user: str,
        channel: str | None,
        ts: str | None,
        action_id: str,
        *,
        block_id: str | None = None,
        value: Any = None,
    ) -> Json:
        """Press or choose as a person; without a channel in the open modal, ``home`` is the home tab."""
        return await self.hands.press(user, channel, ts, action_id, block_id, value)

    async def submit(self, user: str, values: dict[str, dict[str, Any]] | None = None) -> Json:
        """Submit the open modal of a person with ``{block_id: {action_id: value}}``."""
        return await self.hands.submit(user, values)

    def form(self, user: str) -> Form | None:
        """Read the open modal of a person as a form."""
        return self.forms.read(user)

    async def form_when(self, user: str, holds: Callable[[Form], bool], timeout_s: float = 10.0) -> Form:
        """Wait until the open modal of a person is as wanted, as after an update; TimeoutError if never."""
        return await self.forms.when(user, holds, timeout_s)

    async def fill(self, user: str, values: dict[str, Any]) -> list[Json]:
        """Fill in fields of the open modal by action (and block) id; the app hears of what dispatches."""
        return await self.forms.fill(user, values)

    async def choose(
        self,
        user: str,
        action_id: str,
        query: str = "",
        pick: str | None = None,
        *,
        block_id: str | None = None,
    ) -> Json:
        """Type a query into a select of the open modal and choose an option, by value or text."""
        return await self.forms.choose(user, action_id, query, pick, block_id)

    async def close_view(self, user: str, *, everything: bool = False) -> Json:
        """Close the open modal of a person, or all that lie upon each other."""
        return await self.hands.close(user, everything=everything)

    async def options(
        self,
        user: str,
        channel: str | None,
        ts: str | None,
        action_id: str,
        *,
        block_id: str | None = None,
        value: str = "",
    ) -> Json:
        """Ask for the options of a select, as while typing."""
        return await self.hands.options(user, channel, ts, action_id, block_id, value)

    async def open_home(self, user: str, tab: str = "home") -> Json:
        """Open the app's home tab as a person."""
        return await self.acts.home(user, tab)

    def sees(self, user: str) -> Json:
        """Return everything that a person sees, as ``GET /_page/state`` does."""
        return self.page.show(self.state.person(user))

    def seen(self, user: str, channel: str = "@bot") -> list[Json]:
        """Return the messages that a person sees in one conversation, oldest first."""
        place = self.acts.where(user, channel)
        return [
            {**m.to_json(), "ephemeral": m.only_for is not None} for m in self.state.visible(place.id, user)
        ]

    def thread(self, user: str, channel: str, ts: str) -> list[Json]:
        """Return a thread as a person sees it, beginning with its parent."""
        return [m for m in self.seen(user, channel) if ts in (m["ts"], m.get("thread_ts"))]

    def files(self, user: str, channel: str = "@bot") -> list[Json]:
        """Return the files that a person sees in one conversation, oldest first."""
        return [file for message in self.seen(user, channel) for file in message.get("files", [])]

    def file_bytes(self, user: str, file_id: str) -> bytes:
        """Download a file that a person sees; another one raises SlackError file_not_found."""
        return readable(self.state, file_id, user).content or b""

    async def change_person(self, user: str, **changes: Any) -> str | None:
        """Change somebody, or let somebody join; tell the app by user_change or team_join."""
        known = user in self.state.people
        now = int(self.harness.clock.now())
        if known:
            person = self.state.people[user]
            for key, value in changes.items():
                setattr(person, key, value)
        else:
            self.state.people[user] = person = Person(id=user, **{"team_id": self.state.team.id, **changes})
        person.updated = now
        self.state.changed()
        event: Json = {
            "type": "user_change" if known else "team_join",
            "user": shapes.user(self.state, person, email=False, locale=True),
            "cache_ts": now,
            "event_ts": self.state.new_ts(),
        }
        return await self.events.emit(event)

    async def uninstall(self) -> list[str | None]:
        """Remove the app: its tokens are worthless, and it hears of both."""
        app = self.state.app
        app.installed = False
        for token in self.state.tokens.values():
            if token.kind != "app":
                token.revoked = True
        revoked: Json = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [app.bot_user]}}
        gone: Json = {"type": "app_uninstalled"}
        return [
            await self.events.emit({**event, "event_ts": self.state.new_ts()}) for event in (revoked, gone)
        ]

    def install_again(self) -> None:
        """Install the app anew with the tokens that it had."""
        self.state.app.installed = True
        for token in self.state.tokens.values():
            token.revoked = False

    async def verify_request_url(self) -> bool:
        """Send the url_verification challenge and compare what comes back."""
        challenge = self.state.new_id("C", 40)
        told = {
            "token": self.state.app.verification_token,
            "challenge": challenge,
            "type": "url_verification",
        }
        reply = await self.dispatcher.send("event", told)
        body = reply.body.decode("utf-8", "replace")
        try:
            return reply.ok and (body.strip() == challenge or reply.content().get("challenge") == challenge)
        except ValueError:
            return False


def _injected(status: int) -> Json:
    """Return the body of an injected error in Slack's words."""
    words = {401: "invalid_auth", 429: "ratelimited"}
    return {"ok": False, "error": words.get(status, "internal_error")}


def build(
    clock: Clock | None = None,
    seed: Json | None = None,
    limits: bool = True,
    *,
    environment: dict[str, str] | None = None,
    wall: Callable[[], float] | None = None,
    ack_seconds: float = ACK_SECONDS,
) -> SlackServer:
    """Make a local Slack; signatures follow the clock that is handed in, otherwise the machine's time."""
    told = wall or (clock.now if clock is not None else time.time)
    server = SlackServer(Harness(clock, _injected), told, seed, environment or {}, ack_seconds)
    server.budgets.on = limits
    return server
