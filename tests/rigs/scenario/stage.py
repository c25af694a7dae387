"""The stage: a local Slack, a local Saturn Cloud, and the real bot between them, all on one clock."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from email.utils import formatdate
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.fernet import Fernet

from bot.app import Outlets, Process
from bot.domain.people import Principal
from bot.domain.tasks import TaskKind
from bot.providers import list_secrets
from bot.providers.registry import find_provider_class
from bot.slack.manifest import http_manifest, socket_manifest
from bot.store import audit, tasks
from bot.store.store import Store
from bot.store.tasks import NewTask
from bot.support.clock import Clock as BotClock
from bot.support.clock import Ids, SystemClock
from bot.support.logs import Redactor
from bot.support.pool import Pool
from bot.support.settings import Settings
from playground import saturn as local_saturn
from playground import slack as local_slack
from playground.faults import Fault
from playground.harness import Clock, Harness
from playground.processes import reserved_port
from playground.slack import manifest
from tests.rigs.clock import NOW, FakeClock
from tests.rigs.due_times import check_due_times
from tests.rigs.engine import EngineWithoutThread
from tests.rigs.scenario.people import Person
from tests.rigs.scenario.watch import Watch, listening
from tests.rigs.steps import Looks, Steps, until_idle

ALICE, BOB, CAROL = "U0OLIVIA", "U0CHEN", "U0TARA"
#: How long the local Slack waits for an acknowledgement, in real seconds. It's long, so that no scenario
#: fails because the machine is busy.
PATIENCE = 60.0
#: Fixed ids, so that tests can recognise a workspace by its link.
ID = {name: f"{number:032x}" for number, name in enumerate(("notebook", "training", "report", "broken"), 1)}
SEED: dict[str, Any] = {
    "users": [
        {"name": "alice", "token": "a11ce" * 8, "refresh_token": "refresh-of-alice"},
        {"name": "bob", "token": "b0b00" * 8},
        {"name": "carol", "token": "ca401" * 8},
    ],
    "workspaces": [
        {"owner": "alice", "name": "notebook", "id": ID["notebook"], "start_seconds": 25},
        {"owner": "alice", "name": "training", "id": ID["training"], "start_seconds": 5},
        {"owner": "alice", "name": "report", "id": ID["report"], "status": "running"},
        {"owner": "alice", "name": "broken", "id": ID["broken"], "fail": True},
        {"owner": "bob", "name": "notebook"},
        {"owner": "bob", "name": "analysis"},
        {"owner": "carol", "name": "course"},
    ],
}


def inject_fault(harness: Harness, path: str, **fault: Any) -> None:
    """Make requests to a path fail, once or as many ``times`` as given."""
    harness.faults.append(Fault(re.compile(path), **fault))


@lru_cache(maxsize=1)
def _settings(told: tuple[tuple[str, Any], ...]) -> Settings:
    """Return a world's settings, parsed only once however often its bot restarts.

    Parsing takes a fifth of the time that a bot needs to start.
    """
    return Settings(**dict(told))


async def _open_store(url: str, clock: BotClock, ids: Ids) -> Store:
    """Open a database without a thread. A thread would take real time, but time stands still here."""
    engine = EngineWithoutThread(url.removeprefix("sqlite:///"), clock, ids)
    await engine.open()
    return Store(engine)


class World:
    """A world with everything in it.

    ``settle`` does everything that is due, and ``pass_time`` moves the clock in small steps.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        #: Whether the world runs in real time. If so, the bot runs its own loops, and tests don't step them.
        self.is_live = bool(options.get("live"))
        self.clock: Any = SystemClock() if self.is_live else FakeClock(options.get("now", NOW))
        self.folder = folder
        self.watch = Watch()
        self.has_sign_in = bool(options.get("sign_in"))
        self.has_socket = bool(options.get("socket"))
        told = Clock(self.clock.now)
        self.slack = local_slack.build(told, options.get("slack_seed"), ack_seconds=PATIENCE)
        self.slack.app.on_response_prepare.append(self._date)
        self.saturn = local_saturn.build(Clock(self.clock.now), options.get("saturn_seed") or SEED)
        self.saturn.state.seeds_only = bool(options.get("seeds_only"))
        self.slack_url = ""
        self.saturn_url = ""
        self._options = options
        self._keys = Fernet.generate_key().decode()
        self._bot_stack = AsyncExitStack()
        #: Reads the outputs of runs in the background.
        self._streams = Pool(50, lambda: None)
        self._looks: tuple[Process, Looks] | None = None
        self.port = int(options.get("port") or reserved_port())
        self.alice, self.bob, self.carol = (Person(self, user) for user in (ALICE, BOB, CAROL))

    async def _date(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Set the Date header of the local Slack's responses to the fake clock's time."""
        response.headers["Date"] = formatdate(self.clock.now(), usegmt=True)

    # -- time ----------------------------------------------------------------------------------------------

    async def settle(self) -> bool:
        """Do everything that is due now, until nothing is. Return whether anything was done."""
        if self.is_live:
            return False
        was_busy = await until_idle({"timers": self.slack.timers.run_due, **self.steps()}, self.looks)
        await check_due_times(self.bot.store)
        return was_busy

    @property
    def looks(self) -> Looks:
        """Return the ``Looks`` of the bot that is currently running."""
        if self._looks is None or self._looks[0] is not self.bot:
            self._looks = self.bot, Looks(self.bot.scheduler, self.bot.store, self.clock)
        return self._looks[1]

    def steps(self) -> Steps:
        """Return one step for each of the bot's loops."""
        bot = self.bot
        return {
            "outages": bot.reconciler.outages.step,
            "tasks": bot.reconciler.tasks.step,
            "operations": bot.reconciler.operations.step,
            "reads": bot.reconciler.reads.step,
            "jobs": bot.reconciler.runs.step,
            "streams": lambda: bot.reconciler.streams.step(self._streams),
            "scheduled_work": self.looks.timed(bot.reconciler),
            "notices": bot.notifier.step_notices,
            "cards": bot.notifier.step_cards,
            "outputs": bot.notifier.step_outputs,
        }

    async def pass_time(self, seconds: float, step: float | None = None) -> None:
        """Advance the clock, and do everything that becomes due.

        Finding out what is due takes as long as a small test. Without a ``step``, the steps therefore become
        longer while nothing happens: up to four seconds, or to a hundredth of the remaining time.
        """
        left, pause = seconds, step or 1.0
        while left > 0:
            self.clock.advance(min(pause, left))
            left -= pause
            is_busy = await self.settle()
            pause = step or (1.0 if is_busy else min(2 * pause, max(4.0, left / 100)))

    # -- people and servers ----------------------------------------------------------------------------------

    def person(self, user_id: str) -> Person:
        return Person(self, user_id)

    def principal(self, user_id: str = ALICE) -> Principal:
        return self.bot.context.installation.resolve_principal(
            Principal(None, self.slack.state.team.id, user_id)
        )

    def token_of(self, account: str, connection: str = "saturn") -> str:
        if connection != "saturn":
            return str(self._options["tokens"][connection][account])
        accounts = self.saturn.state.accounts
        self.watch.learn(self.saturn)
        return accounts.user_token(accounts.people[account])

    def resource(self, name: str, owner: str = "alice") -> Any:
        """Return a workspace at Saturn Cloud."""
        resources = self.saturn.state.resources.values()
        return next(one for one in resources if one.name == name and one.owner == owner)

    def calls(self, pattern: str, server: Any = None) -> int:
        """Count a server's requests such as ``POST .*/start``. The default server is Saturn Cloud."""
        requests = (server or self.saturn).harness.requests
        return sum(count for line, count in requests.items() if re.search(pattern, line))

    def saturn_fails(self, path: str, **fault: Any) -> None:
        inject_fault(self.saturn.harness, path, **fault)

    def slack_fails(self, method: str, **fault: Any) -> None:
        inject_fault(self.slack.harness, rf"/api/{re.escape(method)}$", **fault)

    def heal(self) -> None:
        self.saturn.harness.faults.clear()
        self.slack.harness.faults.clear()

    async def audit(self, action: str = "") -> list[Mapping[str, Any]]:
        return [
            row for row in await self.bot.store.read(audit.read_audit) if row["action"].startswith(action)
        ]

    # -- the bot -------------------------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """Return the environment variables that the bot reads."""
        given = self.slack.credentials
        told: dict[str, Any] = {
            "SLACK_BOT_TOKEN": given["bot_token"],
            "SLACK_SIGNING_SECRET": None if self.has_socket else given["signing_secret"],
            "SLACK_APP_TOKEN": given["app_token"] if self.has_socket else None,
            "SLACK_CLIENT_ID": given["client_id"] if self.has_sign_in else None,
            "SLACK_CLIENT_SECRET": given["client_secret"] if self.has_sign_in else None,
            "PORT": self.port,
            "USHER_SLACK_API_URL": given["api_url"],
            "USHER_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "USHER_DATABASE_URL": f"sqlite:///{self.folder / 'usher.db'}",
            "USHER_ENCRYPTION_KEYS": self._keys,
            "USHER_CONNECTIONS": str(self.folder / "connections.toml"),
            "USHER_ADMINS": "U0AMIR",
            "USHER_COMMAND": "/workspace",
            **self._options.get("settings", {}),
        }
        return {name: str(value) for name, value in told.items() if value is not None}

    def settings(self) -> Settings:
        """Return the settings in the environment variables."""
        return _settings(tuple(self.environment().items()))

    def connections(self) -> dict[str, Any]:
        """Return the connections as they would be in the connections file."""
        told = {
            "saturn": {
                "name": "saturn",
                "provider": "saturn",
                "title": "Saturn Cloud",
                "linking": ["token"],
                **self._options.get("saturn_connection", {}),
                "base_url": self.saturn_url,
            },
            **self._options.get("connections", {}),
        }
        return {
            name: find_provider_class(table["provider"], table.get("from", "")).settings_model.model_validate(
                table
            )
            for name, table in told.items()
        }

    async def start_bot(self) -> None:
        """Start the bot with whatever an earlier one has left behind."""
        self.bot = Process(
            self.settings(),
            self.connections(),
            self._bot_stack,
            clock=self.clock,
            outlets=Outlets() if self.is_live else Outlets(store=self._open_store),
        )
        await self.bot.start(loops=self.is_live)
        self._install(f"http://127.0.0.1:{self.bot.port}")
        if self.has_socket:
            assert await self.slack.state.wait_for(lambda: bool(self.slack.sockets.open))

    async def _open_store(self, url: str, clock: BotClock, ids: Ids) -> Store:
        return await _open_store(url, clock, ids)

    def _install(self, address: str) -> None:
        """Install the app from Usher's own manifest.

        In it, Usher's address is an https one; the real one is on loopback.
        """
        app, stand_in = self.slack.state.app, "https://usher.example.test"
        if self.has_socket:
            told = socket_manifest(stand_in)
        else:
            told = http_manifest(stand_in, with_assistant="USHER_ASSISTANT" in self.environment())
        manifest.apply(self.slack.state, told)
        app.redirect_urls = [url.replace(stand_in, address) for url in app.redirect_urls]
        app.request_url = None if self.has_socket else str(app.request_url).replace(stand_in, address)
        app.assistant_url = app.assistant_url and app.assistant_url.replace(stand_in, address)

    async def stop_bot(self) -> None:
        await self._streams.drain(0.0)
        await self._bot_stack.aclose()
        self._bot_stack = AsyncExitStack()

    async def know_everybody(self) -> None:
        """Read the list of people, as a bot does when it is started for the first time."""
        await self.bot.store.write(tasks.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, "everybody")])
        await self.settle()

    def stored(self) -> bytes:
        """Return the contents of all files of the database."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.glob("usher.db*")))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Run everything for a block. At its end, check that all rules were kept."""
        async with AsyncExitStack() as stack:
            self.slack_url = await stack.enter_async_context(self.slack.running())
            listening_at = await stack.enter_async_context(TestServer(self.saturn.app, host="127.0.0.1"))
            self.saturn_url = str(listening_at.make_url("")).rstrip("/")
            self.watch.follow(self.slack)
            self.watch.learn(self.saturn)
            self.watch.secrets.add(self._keys)
            redactor = Redactor(self.settings().secrets() + list_secrets(self.connections()))
            stack.enter_context(listening(self.watch, redactor))
            stack.push_async_callback(self.stop_bot)
            await self.start_bot()
            if self._options.get("people_known", not self.is_live):
                await self.know_everybody()
            yield self
        self.watch.learn(self.saturn)
        self.watch.check(self.slack, self.saturn)
        gap = self.saturn.harness.smallest_gap
        assert gap is None or gap >= 10.0
        held = self.stored()
        assert not [secret for secret in self.watch.secrets if secret.encode() in held]


def world(folder: Path, **options: Any) -> AbstractAsyncContextManager[World]:
    """Create and run a world.

    Options: ``saturn_seed``, ``slack_seed``, ``seeds_only``, ``sign_in``, ``socket``, ``people_known`` and
    ``settings``; ``saturn_connection`` adds settings to that connection; ``live`` uses real time;
    ``connections`` adds connections, with their ``tokens`` by connection and account; ``port`` is used
    instead of a free one; ``now`` is the initial time in epoch seconds.
    """
    return World(folder, options).running()


__all__ = ["ALICE", "BOB", "CAROL", "ID", "SEED", "World", "inject_fault", "world"]
