"""A stage with several Slack workspaces: some with Usher installed by OAuth, and some without."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp.test_utils import TestServer

from bot.domain.tasks import TaskKind
from bot.providers import list_secrets
from bot.slack.manifest import http_manifest
from bot.store import tasks
from bot.store.tasks import NewTask
from bot.support.logs import Redactor
from playground.demo.browser import Browser, Page
from playground.harness import Clock
from playground.slack import SlackServer, SlackWorkspaces, manifest
from tests.rigs.due_times import check_due_times
from tests.rigs.scenario.people import Person
from tests.rigs.scenario.stage import PATIENCE, World
from tests.rigs.scenario.watch import Watch, listening
from tests.rigs.steps import until_idle

COOKIE = "usher-install"
#: Two workspaces in which the same user ids belong to different people, and an organisation of two
#: workspaces.
FIRST, SECOND, ORG = "T0ACME", "T0BETA", "E0GRID"
_GRID = {"enterprise_id": ORG, "enterprise_name": "Grid Holdings"}
SEEDS: list[dict[str, Any]] = [
    {"team": {"id": FIRST, "domain": "acme", "name": "Acme Research"}},
    {"team": {"id": SECOND, "domain": "beta", "name": "Beta Labs"}},
    {
        "team": {"id": "T0NORTH", "domain": "north", "name": "North", **_GRID},
        "teams": [{"id": "T0SOUTH", "domain": "south", "name": "South", **_GRID}],
        "people": [
            {"id": "U0OLIVIA", "name": "olivia", "real_name": "Olivia North"},
            {"id": "U0SAM", "name": "sam", "real_name": "Sam South", "team_id": "T0SOUTH"},
        ],
        "channels": [
            {"id": "C0GENERAL", "name": "general", "members": ["U0OLIVIA", "U0SAM", "@bot"]},
        ],
    },
]


@dataclass
class Came:
    """The page at which a browser arrived: its status, text and address."""

    status: int
    text: str
    address: str


class Place:
    """The stage as seen by the people of one Slack workspace."""

    def __init__(self, world: SeveralWorld, slack: SlackServer) -> None:
        self._world = world
        self.slack = slack

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)


class Member(Person):
    """A person in one of several Slack workspaces, who may have to choose it when signing in."""

    async def goes_through(self, browser: Browser, address: str, token: str) -> Page:
        page = await browser.get(address)
        page = await browser.get(page.link("/sign-in"))
        if not any("as=" in link for link in page.links):
            page = await browser.get(page.link(f"team={self.world.slack.state.team.id}"))
        page = await browser.get(page.link(f"as={self.id}"))
        page = await browser.submit(page, token=token)
        return await browser.submit(page)


class SeveralWorld(World):
    """A world with several Slack workspaces and one bot, which isn't configured with a bot token."""

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        super().__init__(folder, {"sign_in": True, **options})
        self.slacks = SlackWorkspaces(SEEDS, Clock(self.clock.now), ack_seconds=PATIENCE)
        self.slacks.app.on_response_prepare.append(self._date)
        self.slack = self.slacks.members[0]
        self.slacks[ORG].state.app.is_enterprise_install = True
        self.watches = [Watch() for _ in self.slacks.members]

    def at(self, team: str, user: str) -> Member:
        """Return a person in a workspace."""
        return Member(Place(self, self.slacks[team]), user)  # it is the stage, too

    def environment(self) -> dict[str, str]:
        given = self.slacks.credentials
        mine = {
            "SLACK_SIGNING_SECRET": given["signing_secret"],
            "SLACK_CLIENT_ID": given["client_id"],
            "SLACK_CLIENT_SECRET": given["client_secret"],
            "USHER_SLACK_API_URL": given["api_url"],
            "USHER_ADMINS": f"{FIRST}:U0AMIR",
            "USHER_SLACK_WORKSPACES": "*",
        }
        others = {name: value for name, value in self._base().items() if name not in mine}
        return {**others, **mine, **self._options.get("settings", {})}

    def _base(self) -> dict[str, str]:
        return {
            "PORT": str(self.port),
            "USHER_PUBLIC_URL": self.origin,
            "USHER_DATABASE_URL": f"sqlite:///{self.folder / 'usher.db'}",
            "USHER_ENCRYPTION_KEYS": self._keys,
            "USHER_CONNECTIONS": str(self.folder / "connections.toml"),
            "USHER_COMMAND": "/workspace",
        }

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def settle(self) -> bool:
        timers = {f"timers {number}": one.timers.run_due for number, one in enumerate(self.slacks.members)}
        was_busy = await until_idle({**timers, **self.steps()}, self.looks)
        await check_due_times(self.bot.store)
        return was_busy

    def _install(self, address: str) -> None:
        stand_in = "https://usher.example.test"
        told = http_manifest(stand_in, by_oauth=True)
        for member in self.slacks.members:
            manifest.apply(member.state, told)
            app = member.state.app
            app.redirect_urls = [url.replace(stand_in, address) for url in app.redirect_urls]
            app.request_url = str(app.request_url).replace(stand_in, address)

    # -- a browser that installs -----------------------------------------------------------------------------

    async def visits(self, address: str, state: str = "") -> Came:
        """Open a page with the cookie of a state, without following redirects."""
        headers = {"Cookie": f"{COOKIE}={state}"} if state else {}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(address, headers=headers, allow_redirects=False) as answer,
        ):
            cookie = answer.cookies.get(COOKIE)
            self.state = cookie.value if cookie is not None else ""
            text = unescape(await answer.text())
            return Came(answer.status, text, answer.headers.get("Location", ""))

    async def begins(self, team: str) -> tuple[str, str]:
        """Open the installation page. Return the address of Slack's page, and the browser's state."""
        page = await self.visits(f"{self.origin}/slack/install?team={team}")
        assert page.status == 200, page.text
        found = re.search(r'href="([^"]+/oauth/v2/authorize[^"]+)"', page.text)
        assert found is not None, page.text
        return found[1], self.state

    async def installs(self, team: str, user: str = "U0OLIVIA") -> Came:
        """Install Usher in a Slack workspace, as the given user would."""
        named = self.slacks[team].state.team.id
        address, state = await self.begins(named)
        allowed = await self.visits(f"{address}&as={user}")
        assert allowed.status == 302, allowed.text
        return await self.visits(allowed.address, state)

    async def know_everybody(self) -> None:
        await self.bot.store.write(tasks.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, "everybody")])
        await self.settle()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        async with AsyncExitStack() as stack:
            self.slack_url = await stack.enter_async_context(self.slacks.running())
            server = await stack.enter_async_context(TestServer(self.saturn.app, host="127.0.0.1"))
            self.saturn_url = str(server.make_url("")).rstrip("/")
            redactor = Redactor(self.settings().secrets() + list_secrets(self.connections()))
            stack.enter_context(listening(self.watch, redactor))
            stack.push_async_callback(self.stop_bot)
            await self.start_bot()
            yield self
        self.watch.learn(self.saturn)
        assert self.slacks.harness.violations == [], self.slacks.harness.violations
        assert self.saturn.harness.violations == [], self.saturn.harness.violations
        secrets = {self._keys, self.slacks.credentials["client_secret"], *self.watch.secrets}
        for member in self.slacks.members:
            tokens = member.state.tokens.values()
            secrets |= {text for one in tokens for text in (one.value, one.refresh) if text}
        log, held = self.watch.log.getvalue(), self.stored()
        assert not [secret for secret in secrets if secret in log or secret.encode() in held]
        assert not [line for line in self.watch.lines() if "exception" in line]


def several(folder: Path, **options: Any) -> AbstractAsyncContextManager[SeveralWorld]:
    """Create and run a world with several Slack workspaces."""
    return SeveralWorld(folder, options).running()
