"""What the parts of one process share, passed to constructors, and what it owns for all on its database.

Where one process has the database to itself, it owns everything and writes nothing.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from bot.domain.people import Installed, Person, Principal
from bot.domain.policy import AnyInstallation, Installation
from bot.messages.texts import problems
from bot.providers.base import Provider
from bot.store.store import Store
from bot.store.tasks import LEASE
from bot.support.clock import Clock, Ids
from bot.support.environment import command
from bot.support.errors import Refused, StoreError
from bot.support.vault import Vault

log = structlog.get_logger(__name__)


#: How often leases are renewed, in seconds: two attempts may fail.
RENEWED_EVERY: Final = 3.0
#: What the names of connections' starts begin with.
STARTS: Final = "starts:"
#: What the names of runs' followed outputs begin with.
OUTPUT: Final = "output:"
#: A lease counts for this long here, from before it was asked for: others take it over later than that.
SURE: Final = LEASE - 1.0
#: After so many seconds without a process that does the work, people are told; a restart is quicker.
MISSED: Final = 15.0


class Owners:
    """Own everything: no other process works on this database."""

    #: This process's name in the database; "" where it has none.
    name = ""

    @property
    def is_worked(self) -> bool:
        """Whether what people ask for is carried out: here, or by a process that was seen lately."""
        return True

    async def own(self, thing: str) -> float | None:
        """Return since when this process has owned something, monotonic; None if another one owns it."""
        return (await self.own_all([thing])).get(thing)

    async def own_all(self, things: Collection[str]) -> dict[str, float]:
        """Take what is free; return since when this process has owned each that it owns."""
        return dict.fromkeys(things, 0.0)

    def owns(self, thing: str, since: float) -> bool:  # noqa: ARG002 - for what others may take over
        """Return whether this process owns something for certain at this moment, and has since then."""
        return True

    async def disown(self, *things: str) -> None:
        """Leave something to others."""

    async def renew(self) -> None:
        """Keep what is owned; never raise."""

    async def end(self) -> None:
        """Own nothing more, and leave starts to others at once; never raise."""

    async def leave(self) -> None:
        """Leave everything to others, for good; never raise."""


class SharedOwners(Owners):
    """Own by leases in the database. ``presence`` says that this process lives, for whoever looks."""

    def __init__(self, store: Store, monotonic: Callable[[], float], name: str, presence: str) -> None:
        self.name = name
        self._store = store
        self._monotonic = monotonic
        self._presence = presence
        #: Since when each is owned, and until when that is sure.
        self._since: dict[str, float] = {}
        self._sure_until: dict[str, float] = {}
        self._asking = asyncio.Lock()
        self._has_ended = False
        self._worked_at = monotonic()

    @property
    def is_worked(self) -> bool:
        """Whether what people ask for is carried out: here, or by a process that was seen lately."""
        return self._monotonic() - self._worked_at < MISSED

    async def own_all(self, things: Collection[str]) -> dict[str, float]:
        """Take what is free; return since when this process has owned each that it owns."""
        if self._missing(things):
            async with self._asking:
                if missing := self._missing(things):
                    now = self._monotonic()
                    self._owns(await self._store.own(self.name, missing), now)
        now = self._monotonic()
        return {one: self._since[one] for one in things if self._sure_until.get(one, 0.0) > now}

    def owns(self, thing: str, since: float) -> bool:
        """Return whether this process owns something for certain at this moment, and has since then."""
        return self._since.get(thing) == since and self._sure_until[thing] > self._monotonic()

    def _missing(self, things: Collection[str]) -> list[str]:
        now = self._monotonic()
        return [] if self._has_ended else [one for one in things if self._sure_until.get(one, 0.0) <= now]

    def _owns(self, things: Collection[str], now: float) -> None:
        for one in things:
            if self._sure_until.get(one, 0.0) <= now:
                # Nobody knows who owned it since: it begins again.
                self._since[one] = now
            self._sure_until[one] = now + SURE

    async def disown(self, *things: str) -> None:
        """Leave something to others."""
        for one in things:
            self._since.pop(one, None)
            self._sure_until.pop(one, None)
        await self._store.disown(self.name, things)

    async def renew(self) -> None:
        """Keep what is owned; never raise."""
        async with self._asking:
            if self._has_ended:
                return
            now = self._monotonic()
            try:
                kept = set(await self._store.renew_owned(self.name))
                if self._presence not in kept:
                    await self._store.own(self.name, [self._presence])
                if await self._store.is_worked():
                    self._worked_at = now
                elif not self.is_worked:
                    log.error("no worker runs", advice=f"start {command('worker')}")
            except StoreError as error:
                log.warning("leases not renewed", problem=error)
                return
            for one in self._since.keys() - kept:
                log.info("no longer owned", thing=one)
                del self._since[one], self._sure_until[one]
            self._owns(kept & self._since.keys(), now)

    async def end(self) -> None:
        """Own nothing more, and leave starts to others at once; never raise."""
        async with self._asking:
            self._has_ended = True
        starts = [one for one in self._since if one.startswith(STARTS)]
        await self._handed_back(self.disown(*starts))

    async def leave(self) -> None:
        """Leave everything to others, for good; never raise."""
        async with self._asking:
            self._has_ended = True
        self._since.clear()
        self._sure_until.clear()
        await self._handed_back(self._store.disown_all(self.name))

    @staticmethod
    async def _handed_back(work: Awaitable[None]) -> None:
        try:
            await work
        except StoreError as error:
            log.warning("leases not handed back", problem=error)


def owners_of(store: Store, clock: Clock, ids: Ids, role: str) -> Owners:
    """Return how this process shares what one at a time has to do."""
    if not store.engine.is_shared:
        return Owners()
    name = ids.new(f"{socket.gethostname()}/{os.getpid()}")
    return SharedOwners(store, clock.monotonic, name, f"{role}:{name}")


class Wake(Protocol):
    """Ask the background work to check for something to do right away; cheap, and safe to call often.

    Whoever has just written something calls it: use cases, handlers, webhooks. The scheduler implements it.
    """

    def __call__(self) -> None:
        """Return at once, whether or not anything runs in the background."""
        ...


class PeopleBook(Protocol):
    """Know who people are. The policy's callers ask; ``bot.slack.people.People`` implements it."""

    async def look_up(self, principal: Principal) -> Person:
        """Look a person up in Slack, store and return them; raise SlackFailed if that isn't possible now."""
        ...

    async def sync(self) -> list[Person]:
        """Read everybody again, store and return them; raise SlackFailed."""
        ...

    async def with_enterprise(self, principal: Principal) -> Principal:
        """Name the enterprise of somebody whose sign-in didn't, if it has installed us; raise SlackFailed."""
        ...


class Removals(Protocol):
    """Know whether Slack still lets an installation in, and forget it if not: ``InstalledSlack``."""

    async def installation(self, enterprise_id: str | None, team_id: str | None) -> Installation | None:
        """Return the installation that a team belongs to, as of a few seconds ago; never raise."""
        ...

    async def is_gone(self, installation: Installation) -> Installed | None:
        """Return the row whose token Slack takes no more; None if it takes it. Raises SlackFailed."""
        ...

    async def forget(self, gone: Installed) -> None:
        """Forget its token, unless it was replaced meanwhile."""
        ...


def nobody() -> None:
    """Wake nothing, for commands that run no background work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Hold the outside world (store, providers, people, clock), where Usher is installed, and the settings.

    A constructor takes the context, and otherwise only what nobody else needs.
    """

    store: Store
    connections: Mapping[str, Provider]
    people: PeopleBook
    installation: AnyInstallation
    vault: Vault
    clock: Clock
    ids: Ids
    wake: Wake = nobody
    #: What this process does for all processes on its database; usually all of it.
    owners: Owners = field(default_factory=Owners)
    #: How long an operation may take before its person is told, in seconds.
    deadline_seconds: float = 1800.0
    #: The origin that browsers reach, or None.
    public_url: str | None = None
    #: The slash commands for workspaces and for jobs.
    command: str = "/workspace"
    job_command: str = "/job"
    #: Whether Sign in with Slack proves who somebody is; otherwise a code is typed back.
    sign_in: bool = False
    #: Only where Usher is installed by OAuth.
    removals: Removals | None = None

    def need(self, connection: str) -> Provider:
        """Return a connection's provider; raises Refused (``connection.gone``) if there is none."""
        if connection not in self.connections:
            raise Refused("connection.gone", problems.sentence("connection_gone", connection))
        return self.connections[connection]


#: After a hint the next one waits this long, in seconds: each makes every loop of every worker look.
TOGETHER: Final = 0.2


class Hints:
    """Pass wake-ups on through the database; losing one costs a tick."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sending: asyncio.Task[None] | None = None
        self._is_wanted = False

    def wake(self) -> None:
        """Let other processes look for work soon."""
        self._is_wanted = True
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._is_wanted:
                self._is_wanted = False
                await self._store.engine.hint()
                await asyncio.sleep(TOGETHER)
        except StoreError as error:
            log.info("no hint given", problem=error)
        finally:
            self._sending = None

    async def close(self) -> None:
        """Give no more hints."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
