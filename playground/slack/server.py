"""A complete local Slack, with functions for tests and demos."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from playground.guard import LOOPBACK
from playground.harness import Clock, Handler, Harness
from playground.slack.accounts import Accounts
from playground.slack.acts import Acts
from playground.slack.api import Api
from playground.slack.assistant import Assistant
from playground.slack.backstage import Backstage
from playground.slack.calls import Services
from playground.slack.control import Control
from playground.slack.crowd import Crowd
from playground.slack.dispatch import ACK_SECONDS, Dispatcher
from playground.slack.events import Events
from playground.slack.files import FileServer, readable
from playground.slack.forms import Forms
from playground.slack.hands import Hands
from playground.slack.limits import Budgets
from playground.slack.openid import OpenId
from playground.slack.page import Page
from playground.slack.records import Json
from playground.slack.replies import ResponseUrls
from playground.slack.seed import plant
from playground.slack.seen import show
from playground.slack.sockets import Sockets
from playground.slack.timers import Timers
from playground.slack.traffic import Traffic


class SlackServer:
    """A workspace with one app, and everything that happens between them.

    ``wall`` returns the time used in signatures and id_tokens, which the app compares with its own clock.
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
        self.traffic = Traffic(self.state)
        self.dispatcher = Dispatcher(self.state, harness, self.sockets, self.traffic, wall, ack_s)
        self.events = Events(self.state, self.dispatcher, self.timers)
        self.openid = OpenId(self.state, wall)
        self.control = Control(self.state, self.budgets, self.sockets, self.dispatcher, self.events)
        services = Services(
            self.state, self.budgets, self.openid, self.sockets.new_url, self.control.uninstall
        )
        self.api = Api(services, harness)
        self.answers = ResponseUrls(self.state, harness)
        self.file_server = FileServer(self.state, harness)
        self.assistant = Assistant(self.state, self.dispatcher)
        self.acts = Acts(self.state, harness, self.dispatcher, self.events, self.assistant)
        self.hands = Hands(self.state, harness, self.dispatcher)
        self.forms = Forms(self.state, self.hands)
        self.backstage = Backstage()
        self.page = Page(self.state, self.acts, self.hands, self.forms)
        self.accounts = Accounts(self.state)
        self.crowd = Crowd(self.state, self.hands, self.control)
        self.app = web.Application(middlewares=[self._note_address])
        self._install()
        # What a person does: type, press, fill in forms.
        self.say = self.acts.say
        self.open_home = self.acts.home
        self.press = self.hands.press
        self.shortcut = self.hands.shortcut
        self.options = self.hands.options
        self.submit = self.hands.submit
        self.close_view = self.hands.close
        self.form = self.forms.read
        self.form_when = self.forms.when
        self.fill = self.forms.fill
        self.choose = self.forms.choose
        # What administrators and Slack itself do.
        self.change_person = self.control.change_person
        self.uninstall = self.control.uninstall
        self.install_again = self.control.install_again
        self.verify_request_url = self.control.verify_request_url

    def _install(self) -> None:
        self.harness.install(self.app)
        self.app.middlewares.insert(0, self.traffic.recording())
        self.traffic.install(self.app)
        self.backstage.install(self.app)
        self.backstage.install_control(self.app)
        self.page.install(self.app)
        self.control.install(self.app)
        self.accounts.install(self.app)
        self.crowd.install(self.app)
        self.openid.install(self.app)
        self.file_server.install(self.app)
        for family in ("commands", "actions", "app"):
            self.app.router.add_post(f"/{family}/{{team}}/{{number}}/{{secret}}", self.answers.handle)
        self.app.router.add_get("/link/", self.sockets.handle)
        for verb in ("GET", "POST"):
            self.app.router.add_route(verb, "/api/{method:.*}", self.api.handle)
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
        return await handler(request)

    @property
    def credentials(self) -> dict[str, Any]:
        """Return the credentials that an operator would copy from Slack's settings pages."""
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
        """Store the server's URL and return the credentials."""
        self.state.base_url = url
        return self.credentials

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on 127.0.0.1 until the block ends. Yields the URL."""
        runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self.state.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self.state.base_url
        finally:
            await runner.cleanup()

    def sees(self, user: str) -> Json:
        """Return everything that a person sees, as ``GET /_page/state`` does."""
        return show(self.state, self.state.person(user))

    def seen(self, user: str, channel: str = "@bot") -> list[Json]:
        """Return the messages that a person sees in one conversation, oldest first."""
        place = self.state.place(user, channel)
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
        """Return the content of a file that the person can see; otherwise raise SlackError file_not_found."""
        return readable(self.state, file_id, user).content or b""


def injected(status: int) -> Json:
    """Return the body of an injected error in Slack's format."""
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
    """Build a local Slack. Signatures use the given clock or, without one, the machine's time."""
    signing_time = wall or (clock.now if clock is not None else time.time)
    server = SlackServer(Harness(clock, injected), signing_time, seed, environment or {}, ack_seconds)
    server.budgets.on = limits
    return server
