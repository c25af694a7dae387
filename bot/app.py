"""Sets up, runs and shuts down one Usher process: Slack, web pages and background work."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import count
from typing import Any, TypeVar

import aiohttp
import structlog
from aiohttp import web

from bot.domain.audit import AuditEntry
from bot.domain.transcript import Board
from bot.messages.texts.runs import explain_missing
from bot.providers import build_providers, list_distributions
from bot.providers.connection import ConnectionSettings
from bot.reconciler import Numbers, Reconciler
from bot.reconciler.scheduler import Scheduler
from bot.services.audit_witness import HOLD_FIRST, OLDER, AuditWitness
from bot.services.backups import make_backup
from bot.services.context import Context
from bot.services.encryption_keys import try_secrets
from bot.services.failovers import Failovers
from bot.services.owners import RENEWAL_SECONDS, create_owners
from bot.slack.calls import SlackCaller
from bot.slack.installed import READ_INTERVAL_SECONDS
from bot.slack.methods import API_TEST
from bot.slack.notifier import Notifier
from bot.slack.people import PeopleDirectory
from bot.slack.tenants import SlackSetup, set_up_slack
from bot.slack.web_api import WebApi
from bot.store import audit, name_of, open_store
from bot.store.connections import keep_titles
from bot.store.maintenance import BACKUP
from bot.store.store import Store
from bot.support.clock import Clock, Ids, SystemClock, SystemIds
from bot.support.connector import CleanConnector
from bot.support.errors import (
    NotDone,
    SlackFailed,
    SlackPermanent,
    StoreAway,
    StoreBusy,
    StoreMigrated,
)
from bot.support.http import Http
from bot.support.limits import RateLimiter
from bot.support.settings import Settings
from bot.support.settings.database import find_database_file
from bot.support.vault import Vault
from bot.support.windows import GatedRequest
from bot.web.app import (
    build_app,
    build_health_app,
    build_waiting_app,
    listening,
    why_not_listening,
)
from bot.web.bolt import build_bolt
from bot.web.front import Serve
from bot.web.health import Checks, HealthRoutes, Metrics
from bot.web.install import InstallPages
from bot.web.other_instances import LOOKS_EVERY, OtherInstances, choose_connections
from bot.web.replays import SAVED_EVERY, Replays
from bot.web.socket import SocketSide
from handlers.home import publish_home
from handlers.listeners import register
from handlers.loading import load
from handlers.replaying import replay
from handlers.requests.services import build_services

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

#: How long, in seconds, work in progress may take to finish after SIGTERM. Database writes have their own
#: limit, ``END_WRITE_SECONDS``.
DRAIN_SECONDS = 6.0
END_WRITE_SECONDS = 8.0
#: Delays, in seconds, between attempts to reach the database and Slack at start-up. The last delay is
#: repeated.
START_PAUSE_SECONDS = (1.0, 2.0, 4.0, 8.0)
#: Interval, in seconds, at which this machine's clock is compared with Slack's.
CLOCK_COMPARISON_SECONDS = 60.0
#: Interval, in seconds, at which the members of the user groups named in the settings are read.
GROUPS_READ_SECONDS = 300.0


class Role(StrEnum):
    """What a process does: everything, only requests and pages, or only background work."""

    SERVE = "serve"
    WEB = "web"
    WORKER = "worker"


class StartError(NotDone):
    """The process can't start or continue. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Outlets:
    """Factories for a process's connections. Tests pass factories that fail at a chosen call."""

    store: Callable[[str, Clock, Ids], Awaitable[Store]] = open_store
    http: Callable[[aiohttp.ClientSession, Callable[[], float]], Http] = Http
    slack: Callable[[str, str, aiohttp.ClientSession, Clock], SlackCaller] = WebApi


async def serve(
    settings: Settings,
    connections: Mapping[str, ConnectionSettings],
    role: Role = Role.SERVE,
    beside: Callable[["Process"], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Run until SIGTERM or SIGINT.

    Raises StartError, StoreError or OSError if the process can't start, and StoreMigrated if a newer release
    migrates the database meanwhile. Once the process is ready, ``beside`` runs alongside it.
    """
    async with AsyncExitStack() as stack:
        process = Process(settings, connections, stack, role=role)
        stop, loop = process.stop, asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        if await _run_unless_stopped(stop, process.start()):
            address = {"host": settings.host, "port": process.port} if process.port else {}
            log.info("ready", role=str(role), **address, connections=sorted(connections))
            if beside is not None:
                await _run_unless_stopped(stop, beside(process))
            await stop.wait()
        log.info("draining")
    if process.problem is not None:
        raise process.problem


async def _run_unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Run some work until it finishes or ``stop`` is set. Return whether it finished."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
            return True
        return False
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


class Process:
    """A running bot. Closing ``stack`` shuts it down, in the reverse order of the start."""

    def __init__(
        self,
        settings: Settings,
        connections: Mapping[str, ConnectionSettings],
        stack: AsyncExitStack,
        *,
        role: Role = Role.SERVE,
        clock: Clock | None = None,
        ids: Ids | None = None,
        start_pauses: Sequence[float] = START_PAUSE_SECONDS,
        outlets: Outlets | None = None,
    ) -> None:
        load()
        self._settings = settings
        self._connections = connections
        self._stack = stack
        self._takes_requests, self._works = role is not Role.WORKER, role is not Role.WEB
        # Workers on a machine may share settings, so a worker listens only if a port is set explicitly.
        self._listens = self._takes_requests or "port" in settings.model_fields_set
        self.role = role
        self.clock = clock or SystemClock()
        self.ids = ids or SystemIds()
        self._outlets = outlets or Outlets()
        self.metrics = Metrics()
        self._start_pauses = start_pauses
        #: Set to end the process. If that is because a newer release has migrated the database, ``problem``
        #: is the error to raise.
        self.stop = asyncio.Event()
        self.problem: StoreMigrated | None = None
        #: Time limits at shutdown, in seconds, for work in progress and for database writes. Tests override
        #: them.
        self.ends_within = DRAIN_SECONDS, END_WRITE_SECONDS
        self._runs = False
        self.port = 0
        #: The web servers, which are closed first when the process shuts down.
        self._front = AsyncExitStack()
        self._socket: SocketSide | None = None
        self.others: OtherInstances | None = None
        #: Tasks that run alongside the scheduler's loops.
        self._background_tasks: list[asyncio.Task[None]] = []

    async def start(self, *, loops: bool = True) -> None:
        """Open the store, identify the installation, start listening, and start the background work.

        If ``loops`` is false, no background work runs by itself, so that tests can run ``reconciler`` and
        ``notifier`` step by step. Raises StartError and StoreError. The start may be cancelled at any time,
        because ``stack`` undoes everything done so far.
        """
        settings, stack = self._settings, self._stack
        self.store = await self._wait_until_reached(self._begin_serving, None, StoreAway, StoreBusy)
        log.info("database opened", database=name_of(settings.database_url))
        self.store.engine.end_on_migration(self._end_on_migration)
        stack.push_async_callback(self.store.close)
        witness = AuditWitness(find_database_file(settings.database_url))
        if await witness.contradicts(self.store):
            raise StartError(f"{OLDER}. {HOLD_FIRST}")
        await self._try_keys()
        self._machine_clock, clock = self.clock, self.store.engine.clock
        self.clock = clock
        fingerprints = Vault(settings.keys()).fingerprints
        self.owners = create_owners(self.store, clock, self.ids, self.role, fingerprints, self._connections)
        stack.push_async_callback(self.owners.leave)
        await self.owners.renew()
        http_session = await stack.enter_async_context(Http.new_session(settings.proxy()))
        slack_session = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=CleanConnector(), request_class=GatedRequest, middlewares=(settings.proxy(),)
            )
        )
        self.http = self._outlets.http(http_session, clock.monotonic)
        self.providers = build_providers(self._connections, self.http)
        if others := list_distributions(self._connections):
            # Providers from other distributions run with everyone's tokens, so the audit log records which
            # were loaded.
            await self.store.write(
                audit.append_audit, [AuditEntry("usher", "providers.loaded", self.role, "ok", others)]
            )

        def make(token: str) -> SlackCaller:
            return self._outlets.slack(token, settings.slack_api_url, slack_session, clock)

        self._tokenless_slack = make("")
        self._slack_setup = await self._wait_until_reached(
            partial(self._identify_installation, make), self.store, SlackFailed
        )
        if self._slack_setup.by_oauth is not None:
            stack.push_async_callback(self._slack_setup.by_oauth.tokens.close)
        # The scheduler uses this machine's clock rather than the database's.
        self.scheduler = Scheduler(
            self.store,
            self._machine_clock,
            self.ids,
            on_beat=partial(witness.note, self.store),
            owners=self.owners,
        )
        titles = {name: source.settings.title for name, source in self.providers.items()}
        self._titles = await self.store.carry_out(lambda tx: keep_titles(tx, titles))
        self.context = self._make_context()
        self._build_parts()
        self._replays = Replays(clock.monotonic)
        if self._takes_requests:
            await self._replays.load(self.store)
            stack.push_async_callback(self._replays.save, self.store)
        await self._follow_groups()
        await self._listen(slack_session)
        await witness.note(self.store)
        stack.push_async_callback(self._drain)
        if loops:
            self._start_background()

    def _end_on_migration(self, problem: StoreMigrated) -> None:
        if self.problem is None:
            log.error("stopping", problem=str(problem))
        self.problem = problem
        self.stop.set()

    async def _follow_groups(self) -> None:
        groups, settings = self._slack_setup.installation.groups, self._settings
        prepared = [source for given in self._connections.values() for source in given.prepared]
        for source in prepared:
            source.set_groups(groups)
        names = settings.admin_ids() | settings.global_admin_ids()
        groups.follow(names.union(*(source.who or () for source in prepared)), self.clock.monotonic)
        await self._people.read_groups(groups)

    def _start_background(self) -> None:
        is_shared = self.store.engine.is_shared
        if is_shared:
            self.scheduler.call_every(RENEWAL_SECONDS, self.owners.renew)
            self.scheduler.call_every(RENEWAL_SECONDS, Failovers(self.context).step)
        self.scheduler.nightly[BACKUP] = partial(make_backup, self.context, self._settings.nightly_backups())
        if self._takes_requests:
            keep = self._replays.share if is_shared else self._replays.save
            self.scheduler.call_every(SAVED_EVERY, partial(keep, self.store))
        self.scheduler.call_every(CLOCK_COMPARISON_SECONDS, self._compare_clocks)
        if self._slack_setup.by_oauth is not None:
            self.scheduler.call_every(READ_INTERVAL_SECONDS, self._slack_setup.by_oauth.read_again)
        if (groups := self._slack_setup.installation.groups).names:
            self.scheduler.call_every(GROUPS_READ_SECONDS, partial(self._people.read_groups, groups))
        self.scheduler.start()
        beside = [self.metrics.follow_loop()]
        if self._works:
            beside.append(
                self.store.engine.listen(self.scheduler.on_written, lambda: not self.owners.leaves_for)
            )
        self._background_tasks = [asyncio.create_task(work) for work in beside]
        self._runs = True

    async def _drain(self) -> None:
        """Stop accepting requests, let running work finish, then release everything that the process holds.

        Writes that the database doesn't accept in time are lost, as if the process had been killed.
        """
        for_work, for_writing = self.ends_within
        self.store.engine.end_within(for_writing)
        for task in self._background_tasks:
            task.cancel()
        await asyncio.gather(*self._background_tasks, return_exceptions=True)
        ends: list[Awaitable[object]] = [self._front.aclose(), self.owners.end()]
        if self._socket is not None:
            ends.append(self._socket.close())
        await asyncio.gather(
            *ends, self.scheduler.drain(for_work), self.services.outcome_pool.drain(for_work)
        )
        await self.owners.leave()

    def check_background(self) -> Mapping[str, bool]:
        """Return health checks of the background work. ``keys`` is False if encryption keys are missing."""
        keys = {"keys": False} if self._runs and self.owners.lacks_keys else {}
        if not (self._runs and self._works):
            return keys
        return {"loops": not self.scheduler.stalled, "sending": self.notifier.is_sending, **keys}

    def _make_health(self, store: Store | None, ready: Checks, works: Checks) -> HealthRoutes:
        token = self._settings.metrics_token
        return HealthRoutes(store=store, ready=ready, works=works, metrics=self.metrics, metrics_token=token)

    def check_readiness(self) -> Mapping[str, bool]:
        """Return the readiness check: in Socket Mode, whether there is a connection to Slack.

        Over HTTP, Slack connects to Usher, so the check always passes.
        """
        return {"slack": self._socket is None or self._socket.is_ready()}

    async def _compare_clocks(self) -> None:
        """Measure how far this machine's clock is ahead of Slack's.

        A difference of five minutes is enough for Slack's requests to be refused.
        """
        with suppress(SlackFailed):
            answer = await self._tokenless_slack.call(API_TEST, {})
            if answer.at is not None:
                self.metrics.clock_ahead.set(self._machine_clock.now() - answer.at)

    def _make_context(self) -> Context:
        settings, entered = self._settings, self._slack_setup
        self._people = PeopleDirectory(self.store, entered.slack, self.owners)
        return Context(
            store=self.store,
            connections=self.providers,
            titles=self._titles,
            people=self._people,
            installation=entered.installation,
            tenants=entered.tenants,
            vault=Vault(settings.keys()),
            clock=self.clock,
            ids=self.ids,
            owners=self.owners,
            public_url=settings.public_url,
            command=settings.command,
            job_command=settings.job_command,
            sign_in=settings.slack_client_id is not None,
            assistant=settings.assistant,
            names_usage=settings.names_usage,
        )

    async def _begin_serving(self) -> Store:
        async with AsyncExitStack() as stack:
            store = await self._outlets.store(self._settings.database_url, self.clock, self.ids)
            stack.push_async_callback(store.close)
            if applied := await store.begin_serving():
                log.info("database brought up to date", migrations=applied)
            stack.pop_all()
            return store

    async def _wait_until_reached(
        self, attempt: Callable[[], Awaitable[Result]], store: Store | None, *passing: type[Exception]
    ) -> Result:
        """Call ``attempt`` until the database or (if ``store`` is given) Slack responds. Return the result.

        Meanwhile, a small server tells monitoring that the process is alive but not ready.
        """
        name, event = ("store", "database not reached") if store is None else ("slack", "slack not reached")
        for number in count():
            try:
                return await attempt()
            except passing as away:
                pause = self._start_pauses[min(number, len(self._start_pauses) - 1)]
                log.warning(event, problem=str(away), again_in=pause)
            if number == 0 and self._listens:
                waits = partial(dict[str, bool], {name: False})
                await self._listen_with(
                    build_waiting_app(self._make_health(store, waits, waits), self._settings)
                )
            await asyncio.sleep(pause)
        raise AssertionError("it has no end")

    async def _try_keys(self) -> None:
        """Raise StartError if none of the stored secrets can be decrypted."""
        opening = await try_secrets(self.store, Vault(self._settings.keys()))
        self.metrics.closed_secrets.set(len(opening.closed))
        if opening.is_hopeless:
            raise StartError(f"{opening.found}: {opening.advice[0].lower()}{opening.advice[1:]}")
        if opening.closed:
            log.warning("secrets not opened", problem=opening.found, advice=opening.advice)

    async def _identify_installation(self, make: Callable[[str], SlackCaller]) -> SlackSetup:
        try:
            return await set_up_slack(self._settings, self.store, make, self.clock)
        except SlackPermanent as error:
            raise StartError(
                f"Slack refuses the bot token ({error.code}). Copy it again from your app's page, "
                "OAuth & Permissions, into SLACK_BOT_TOKEN."
            ) from None

    def _build_parts(self) -> None:
        settings, context, monotonic = self._settings, self.context, self.clock.monotonic
        limiter = RateLimiter(monotonic)
        self.services = build_services(context, limiter)
        if not self._works:
            return
        board = Board(monotonic, explain_missing=explain_missing)
        self._stack.callback(board.close)
        self.metrics.spooled_bytes.set_function(lambda: board.room.used)
        self.notifier = Notifier(
            context, self._slack_setup.slack, self.http, board, api_url=settings.slack_api_url
        )
        self.reconciler = Reconciler(
            context,
            Numbers(),
            board,
            replay=partial(replay, self.services),
            publish_home=partial(publish_home, self.services, self._slack_setup.slack),
            observer=self.metrics,
        )
        self.scheduler.drive(self.reconciler, self.notifier)

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        settings, context, entered = self._settings, self.context, self._slack_setup
        health = self._make_health(context.store, self.check_readiness, self.check_background)
        if not self._takes_requests:
            if self._listens:
                await self._listen_with(build_health_app(health))
            return
        bolt = build_bolt(
            tenants=entered.tenants, api_url=settings.slack_api_url, ids=self.ids, session=session
        )
        register(bolt, self.services, entered.slack)
        if settings.slack_app_token is not None:
            self._socket = SocketSide(
                bolt,
                settings.slack_app_token,
                settings.slack_api_url,
                context.clock.monotonic,
                proxy=settings.proxy(),
                connections=choose_connections(1),
            )
            self.others = OtherInstances(context, self._socket)
            self.scheduler.call_every(LOOKS_EVERY, self.others.step)
            self._stack.push_async_callback(self._socket.close)
        app = build_app(
            context,
            self.services.limiter,
            settings,
            bolt=bolt,
            http=self.http,
            health=health,
            replays=self._replays,
            machine=self._machine_clock,
            assistant=self._load_assistant() if settings.assistant else None,
        )
        if entered.by_oauth is not None:
            app.router.add_routes(InstallPages(context, entered.by_oauth, settings.slack_api_url).routes())
        await self._listen_with(app)
        if self._socket is not None and self.others is not None:
            await self.others.step()
            self._socket.start()

    def _load_assistant(self) -> Serve:
        from handlers.assistant.web import answer_call  # noqa: PLC0415 - the protocol's types take a long time to import

        return partial(answer_call, self.services)

    async def _listen_with(self, app: web.Application) -> None:
        settings = self._settings
        # Close the server that answered monitoring while this process waited.
        await self._front.aclose()
        self._stack.push_async_callback(self._front.aclose)
        try:
            opened = listening(app, settings.host, *settings.ports())
            self.port = await self._front.enter_async_context(opened)
        except OSError as error:
            raise StartError(why_not_listening(error, settings.host, settings.ports()[-1])) from None
