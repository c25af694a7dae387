"""Several Slack workspaces at one address, as in the real Slack, with one app installed by OAuth.

Each workspace is a separate local Slack. The token, the code or the workspace in the URL determines which of
them handles a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from html import escape
from typing import Any

from aiohttp import web

from playground.guard import guard
from playground.harness import Clock, Harness
from playground.slack import tabs
from playground.slack.calls import bearer
from playground.slack.dispatch import ACK_SECONDS
from playground.slack.records import Json
from playground.slack.server import SlackServer, injected
from playground.slack.traffic import Traffic


class SlackWorkspaces:
    """A Slack with several workspaces, which are looked up by the id of a team or an enterprise."""

    def __init__(
        self,
        seeds: Sequence[Json],
        clock: Clock,
        *,
        limits: bool = True,
        wall: Callable[[], float] | None = None,
        ack_seconds: float = ACK_SECONDS,
    ) -> None:
        self.harness = Harness(clock, injected)
        first = SlackServer(self.harness, wall or clock.now, seeds[0], {}, ack_seconds)
        app = first.state.app
        shared = {
            "SLACK_CLIENT_ID": app.client_id,
            "SLACK_CLIENT_SECRET": app.client_secret,
            "SLACK_SIGNING_SECRET": app.signing_secret,
        }
        others = [
            SlackServer(self.harness, wall or clock.now, seed, shared, ack_seconds) for seed in seeds[1:]
        ]
        self.members = [first, *others]
        for member in self.members:
            member.budgets.on = limits
            member.state.app.installed = False
            member.state.tokens = {
                name: one for name, one in member.state.tokens.items() if one.kind == "app"
            }
        self.app = web.Application()
        self._install()

    def __getitem__(self, team: str) -> SlackServer:
        """Return the workspace of a team; raise KeyError if there is none."""
        for member in self.members:
            if team in (member.state.team.id, member.state.team.enterprise_id) or self._has(member, team):
                return member
        raise KeyError(team)

    @staticmethod
    def _has(member: SlackServer, team: str) -> bool:
        found, own = member.state.teams.get(team), member.state.team.enterprise_id
        return found is not None and own is not None and found.enterprise_id == own

    def _install(self) -> None:
        self.harness.install(self.app)
        self.app.middlewares.insert(0, self.members[0].traffic.recording(self._traffic_of))
        router = self.app.router
        for verb in ("GET", "POST"):
            router.add_route(verb, "/api/{method:.*}", self._api)
        for family in ("commands", "actions", "app"):
            router.add_post(f"/{family}/{{team}}/{{number}}/{{secret}}", self._respond)
        router.add_get("/oauth/v2/authorize", self._authorize)
        router.add_get("/openid/connect/authorize", self._authorize)
        router.add_get("/openid/connect/keys", self._keys)
        tabs.install(self.app, self.members[0].state)
        router.add_post("/upload/v1/{secret}", self._upload)

    async def _api(self, request: web.Request) -> web.Response:
        return await (await self._of(request)).api.handle(request)

    async def _of(self, request: web.Request) -> SlackServer:
        """Return the workspace that issued the call's token or code, or the first one if none did."""
        given = {bearer(request)}
        if request.method == "POST" and request.content_type == "application/x-www-form-urlencoded":
            # The request caches its form, so the method can read it again.
            fields = await request.post()
            given |= {str(fields[name]) for name in ("token", "code", "refresh_token") if name in fields}
        for member in self.members:
            state = member.state
            tokens = {value for one in state.tokens.values() for value in (one.value, one.refresh)}
            if given & (tokens | member.openid.grants.keys()) - {None}:
                return member
        return self.members[0]

    async def _respond(self, request: web.Request) -> web.Response:
        return await self[request.match_info["team"]].answers.handle(request)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        return await self._uploading(request).file_server.upload(request)

    def _uploading(self, request: web.Request) -> SlackServer:
        secret = request.match_info["secret"]
        has = (one for one in self.members for file in one.state.files.values() if file.secret == secret)
        return next(has, self.members[0])

    async def _traffic_of(self, request: web.Request) -> Traffic:
        """Return the traffic log of the workspace that a call of the app is for."""
        if request.path.startswith("/api/"):
            return (await self._of(request)).traffic
        if "secret" in request.match_info and "team" not in request.match_info:
            return self._uploading(request).traffic
        try:
            return self[request.match_info.get("team", "")].traffic
        except KeyError:
            return self.members[0].traffic

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        """Let the chosen workspace ask who is signing in. If the URL doesn't name one, show the choice."""
        flow = "install" if request.path.startswith("/oauth/") else "openid"
        team = request.query.get("team", "")
        try:
            return self[team].openid.authorize(request, flow)
        except KeyError:
            rows = []
            for member in self.members:
                place = member.state.team
                target = escape(str(request.rel_url.update_query({"team": place.id})), quote=True)
                rows.append(f'<li><a href="{target}"><b>{escape(place.name)}</b></a></li>')
            return tabs.page("Choose a workspace", f"<ul>{''.join(rows)}</ul>")

    async def _keys(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": [member.openid.public_key for member in self.members]})

    @property
    def credentials(self) -> dict[str, Any]:
        """Return the credentials that an operator copies from Slack's settings, without a bot token."""
        app = self.members[0].state.app
        return {
            "signing_secret": app.signing_secret,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "app_id": app.id,
            "api_url": f"{self.members[0].state.base_url}/api/",
        }

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on 127.0.0.1 until the block ends. Yields the URL."""
        runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        background = [asyncio.create_task(member.timers.run()) for member in self.members]
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            for member in self.members:
                member.state.base_url = address
            yield address
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            for member in self.members:
                await member.dispatcher.close()
            await runner.cleanup()

    @asynccontextmanager
    async def pages(self, ports: Sequence[int]) -> AsyncIterator[list[str]]:
        """Serve each workspace's page on a port of its own until the block ends. Yields the URLs."""
        async with AsyncExitStack() as stack:
            shown = []
            for member, port in zip(self.members, ports, strict=True):
                app = web.Application(middlewares=[guard()])
                member.page.install(app)
                member.traffic.install(app)
                member.backstage.install(app)
                member.accounts.install(app)
                runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
                await runner.setup()
                stack.push_async_callback(runner.cleanup)
                await web.TCPSite(runner, "127.0.0.1", port).start()
                shown.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
            yield shown
