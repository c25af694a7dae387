"""Ownership of jobs that one process does on behalf of all the processes that share its database.

A process that has its database to itself owns every job, so it doesn't record any ownership.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Collection
from typing import Final

import structlog

from bot.store import owners
from bot.store.owners import LEASE_SECONDS
from bot.store.store import Store
from bot.support.clock import Clock, Ids
from bot.support.environment import command
from bot.support.errors import StoreBusy, StoreError

log = structlog.get_logger(__name__)
#: How often a process renews its leases, in seconds. A lease makes the process the owner of a job for a
#: limited time. The process remains the owner even if two renewals in a row fail.
RENEWAL_SECONDS: Final = 3.0
#: Prefix for the names of jobs that run a connection's start queue.
STARTS_PREFIX: Final = "starts:"
#: Prefix for the names of jobs that follow a run's output.
OUTPUT_PREFIX: Final = "output:"
#: How long, in seconds, this process considers itself a job's owner after requesting the lease. The lease
#: lasts longer than that in the database, so no other process can take over the job in the meantime.
LOCAL_LEASE_SECONDS: Final = LEASE_SECONDS - 1.0
#: How long background work may stand still, in seconds, before people are told. A restart takes less time.
WORKER_TIMEOUT_SECONDS: Final = 15.0


#: How long, in seconds, a process leaves due work to the leading processes (see ``Owners.leaves_for``) before
#: it helps. This is longer than the scheduler's tick, so the process first checks again what is due, and does
#: only the work that is still waiting.
HELP_AFTER_SECONDS: Final = 1.2


class Owners:
    """Ownership while no other process uses the database: this process owns every job."""

    #: This process's name in the database, or "" if it has none.
    name = ""
    #: Whether another live process has an encryption key that this process lacks.
    lacks_keys = False
    #: Connections that another live process has in its settings, but this process doesn't.
    lacking_connections: frozenset[str] = frozenset()
    #: How long, in seconds, this process waits before it helps the leading processes with due work. It is 0
    #: if this process leads. The processes that own start queues lead. If there are none, the worker whose
    #: name sorts first leads.
    leaves_for = 0.0

    @property
    def is_worked(self) -> bool:
        """Return whether requests are being processed, by this process or by one that was seen recently."""
        return True

    async def own(self, thing: str) -> float | None:
        """Return when this process became a job's owner (monotonic), or None if another process owns it."""
        return (await self.own_all([thing])).get(thing)

    async def own_all(self, things: Collection[str]) -> dict[str, float]:
        """Acquire the jobs that are free. Return those that this process now owns, and since when."""
        return dict.fromkeys(things, 0.0)

    def owns(self, thing: str, since: float) -> bool:  # noqa: ARG002 - for jobs that other processes may take over
        """Return whether this process certainly owns a job, and has owned it ever since ``since``."""
        return True

    async def disown(self, *things: str) -> None:
        """Release jobs, so that other processes can take them over."""

    async def renew(self) -> None:
        """Renew this process's leases. Never raises."""

    async def end(self) -> None:
        """On shutdown, release start queues, so that other processes don't wait for them. Never raises."""

    async def leave(self) -> None:
        """Release everything when the process ends. Never raises."""


class SharedOwners(Owners):
    """Ownership through leases in the database. The ``presence`` lease shows that this process is alive.

    If this process crashes, others take over within ten seconds. To be safe, it stops relying on a lease one
    second before the lease expires in the database.
    """

    def __init__(
        self,
        store: Store,
        monotonic: Callable[[], float],
        name: str,
        presence: str,
        keys: Collection[str] = (),
        connections: Collection[str] = (),
    ) -> None:
        """Store this process's connections and the fingerprints of its keys, for other processes to see."""
        self.name = name
        self._keys, self._connections = frozenset(keys), frozenset(connections)
        self._presence = presence
        self._shown = {presence, *(f"{owners.KEY_PREFIX}{key}:{name}" for key in keys)}
        self._shown |= {f"{owners.CONNECTION_PREFIX}{one}:{name}" for one in connections}
        self._store = store
        self._monotonic = monotonic
        #: Maps each job to the time when this process became its owner. ``_sure_until`` maps it to the time
        #: until which this process certainly remains its owner. Both are monotonic times.
        self._since: dict[str, float] = {}
        self._sure_until: dict[str, float] = {}
        self._asking = asyncio.Lock()
        self._has_ended = False
        self._worked_at = monotonic()

    @property
    def is_worked(self) -> bool:
        """Return whether requests are being processed, by this process or by one that was seen recently."""
        return self._monotonic() - self._worked_at < WORKER_TIMEOUT_SECONDS

    async def own_all(self, things: Collection[str]) -> dict[str, float]:
        """Acquire those of ``things`` that are free. Return those that this process owns, and since when."""
        if self._list_missing(things):
            async with self._asking:
                if missing := self._list_missing(things):
                    now = self._monotonic()
                    self._extend_leases(await self._store.write(owners.own, self.name, missing), now)
        now = self._monotonic()
        return {one: self._since[one] for one in things if self._sure_until.get(one, 0.0) > now}

    def owns(self, thing: str, since: float) -> bool:
        """Return whether this process certainly owns a job, and has owned it ever since ``since``."""
        return self._since.get(thing) == since and self._sure_until[thing] > self._monotonic()

    def _list_missing(self, things: Collection[str]) -> list[str]:
        now = self._monotonic()
        if self._has_ended or not self._store.engine.is_whole:
            return []
        return [one for one in things if self._sure_until.get(one, 0.0) <= now]

    def _extend_leases(self, things: Collection[str], now: float) -> None:
        for one in things:
            if self._sure_until.get(one, 0.0) <= now:
                # Another process may have owned the job in between, so a new period of ownership begins.
                self._since[one] = now
            self._sure_until[one] = now + LOCAL_LEASE_SECONDS

    async def disown(self, *things: str) -> None:
        """Release jobs, so that other processes can take them over."""
        for one in things:
            self._since.pop(one, None)
            self._sure_until.pop(one, None)
        await self._store.write(owners.release, self.name, things)

    async def renew(self) -> None:
        """Renew this process's leases. Never raises."""
        async with self._asking:
            if self._has_ended:
                return
            now = self._monotonic()
            try:
                await self._look_around(now)
                if not self._store.engine.is_whole:
                    raise StoreBusy("a connection to the database is away")
                kept = set(await self._store.write(owners.renew_owned, self.name))
                if missing := self._shown - kept:
                    await self._store.write(owners.own, self.name, sorted(missing))
            except StoreError as error:
                log.warning("leases not renewed", problem=error)
                return
            for one in self._since.keys() - kept:
                log.info("no longer owned", thing=one)
                del self._since[one], self._sure_until[one]
            self._extend_leases(kept & self._since.keys(), now)

    def _compare_keys(self, in_use: Collection[str]) -> None:
        lacks_keys = bool(self._keys) and not self._keys.issuperset(in_use)
        if lacks_keys and not self.lacks_keys:
            log.error(
                "other processes have encryption keys that this one lacks", advice="restart it with all"
            )
        self.lacks_keys = lacks_keys

    async def _look_around(self, now: float) -> None:
        """Check whether background work is being done, and whether this process leads.

        Also check whether other processes have encryption keys or connections that this process lacks.
        """
        try:
            found = await self._store.read(owners.list_ownerships)
        except StoreError:
            # If the database can't be read, others may still be working, so don't report that nobody is
            # working.
            self._worked_at = now
            raise
        working = {one.name for one in found if one.works}
        if working:
            self._worked_at = now
        elif not self.is_worked:
            log.error("no worker runs", advice=f"start {command('worker')}")
        starters = {one.owner for one in found if one.name.startswith(STARTS_PREFIX)}
        is_first = self._presence == min(working | {self._presence})
        leads = self.name in starters if starters else is_first
        self.leaves_for = 0.0 if leads else HELP_AFTER_SECONDS
        self._compare_keys(owners.list_announced(found, owners.KEY_PREFIX))
        lacking = owners.list_announced(found, owners.CONNECTION_PREFIX) - self._connections
        if lacking - self.lacking_connections:
            log.error(
                "other processes have connections that this one lacks",
                connections=sorted(lacking),
                advice="restart it with their connections file",
            )
        self.lacking_connections = lacking

    async def end(self) -> None:
        """Release start queues on shutdown. Never raises."""
        async with self._asking:
            self._has_ended = True
        starts = [one for one in self._since if one.startswith(STARTS_PREFIX)]
        await self._hand_back(self.disown(*starts))

    async def leave(self) -> None:
        """Release everything when the process ends. Never raises."""
        async with self._asking:
            self._has_ended = True
        self._since.clear()
        self._sure_until.clear()
        await self._hand_back(self._store.write(owners.release_all, self.name))

    @staticmethod
    async def _hand_back(work: Awaitable[None]) -> None:
        try:
            await work
        except StoreError as error:
            log.warning("leases not handed back", problem=error)


def create_owners(
    store: Store, clock: Clock, ids: Ids, role: str, keys: Collection[str], connections: Collection[str]
) -> Owners:
    """Create the object that manages ownership for this process. If the database is shared, use leases."""
    if not store.engine.is_shared:
        return Owners()
    name = ids.new(f"{socket.gethostname()}/{os.getpid()}")
    return SharedOwners(store, clock.monotonic, name, f"{role}:{name}", keys, connections)
