"""The made-up people and workspaces of a run, and a database in which all of it stands already."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import SecretStr

from bot.domain.accounts import Account
from bot.domain.people import Person, Principal
from bot.domain.steps import Update
from bot.domain.work_items import Call
from bot.domain.workspaces import State, Workspace
from bot.providers.base import Credential
from bot.store import discovered, open_store, operations
from bot.store import workspaces as workspace_rows
from bot.store.discovered import ListedWorkspace
from bot.store.store import Store
from bot.support.clock import SystemClock, SystemIds
from bot.support.errors import StoreBusy
from bot.support.vault import Vault, row_key
from tests.rigs.store import accept_operation, listed_workspace, put_account

_T = TypeVar("_T")

TEAM = "T0ACME"
CONNECTION = "saturn"
#: Operations in a database that has been at work for a while are looked at in turn: so many are looked at
#: once in the longest time that the bot itself leaves between two looks (``Numbers.slow_tick``).
_SPREAD = 600.0
_DEADLINE = 86_400.0
#: Writes that wait for the store together: it commits what has queued up in one go.
_TOGETHER = 50


@dataclass(frozen=True, slots=True)
class Crowd:
    """Describe so many people with so many workspaces each; every name and token follows from its number."""

    people: int
    each: int = 1
    #: How many of these are pending where some are; the others run, and nobody waits for them.
    pending: int | None = None

    @staticmethod
    def team(_number: int) -> str:
        """Return the Slack workspace that a person is in."""
        return TEAM

    @staticmethod
    def user(number: int) -> str:
        """Return a person's id in Slack."""
        return f"U0P{number:05d}"

    @staticmethod
    def username(number: int) -> str:
        """Return a person's name at the provider."""
        return f"person{number:05d}"

    @staticmethod
    def token(number: int) -> str:
        """Return a person's token at the provider."""
        return hashlib.sha256(f"token of {number}".encode()).hexdigest()[:40]

    @staticmethod
    def workspace(number: int) -> str:
        """Return the name of a person's workspace."""
        return f"notebook-{number:03d}"

    @staticmethod
    def remote_id(person: int, workspace: int) -> str:
        """Return a workspace's id at the provider."""
        return hashlib.sha256(f"{person}/{workspace}".encode()).hexdigest()[:32]

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Return every (person, workspace): everybody's first ones, then the second ones and so on."""
        return ((person, workspace) for workspace in range(self.each) for person in range(self.people))


@dataclass(frozen=True, slots=True)
class Deployment:
    """Say where the database is, what its secrets are sealed with, and which provider it speaks of."""

    database_url: str
    key: str
    base_url: str
    connection: str = CONNECTION
    #: Ids that the provider gave by itself; the crowd's own otherwise.
    ids: Mapping[tuple[int, int], str] = field(default_factory=dict)


async def settle(crowd: Crowd, place: Deployment, state: State, *, pending: bool = False) -> None:
    """Write everybody's account and workspaces; with ``pending`` each has a start that was accepted."""
    store = await open_store(place.database_url, SystemClock(), SystemIds())
    try:
        await store.migrate()
        vault = Vault([place.key])
        for number in range(crowd.people):
            await _person(store, vault, crowd, place, number, state)
        if pending:
            for number in range(crowd.people):
                await _operations(store, _principal(crowd, number), place.connection)
    finally:
        await store.close()


def _state(crowd: Crowd, workspace: int) -> State:
    return State.STARTING if crowd.pending is None or workspace < crowd.pending else State.RUNNING


def _account_id(place: Deployment, number: int) -> str:
    return f"account_{place.connection}_{number:05d}"


def _principal(crowd: Crowd, number: int) -> Principal:
    return Principal(None, crowd.team(number), crowd.user(number))


async def _person(
    store: Store, vault: Vault, crowd: Crowd, place: Deployment, number: int, state: State
) -> None:
    principal, now = _principal(crowd, number), await store.now()
    await store.save_people([Person(principal, crowd.username(number), seen_at=now)])
    credential = Credential(SecretStr(crowd.token(number)))
    account = Account(
        id=_account_id(place, number),
        principal=principal,
        connection=place.connection,
        username=crowd.username(number),
        secret=vault.seal(row_key(principal.key, place.connection), credential.as_mapping()),
        state="active",
        linked_at=now,
        # Linking stores it, so that nothing has to be learned before a first call.
        remote_id=hashlib.sha256(f"id of {number}".encode()).hexdigest()[:32],
    )
    await put_account(store, account)
    found = [_build_discovered(crowd, place, number, workspace, state) for workspace in range(crowd.each)]
    await store.perform(discovered.merge_discovered, account.id, found)


def _build_discovered(
    crowd: Crowd, place: Deployment, person: int, workspace: int, state: State
) -> ListedWorkspace:
    remote_id = place.ids.get((person, workspace)) or crowd.remote_id(person, workspace)
    return listed_workspace(remote_id, f"{place.base_url}#{remote_id}", crowd.workspace(workspace), state)


async def _operations(store: Store, principal: Principal, connection: str, old: Container[str] = ()) -> None:
    workspaces = [
        workspace
        for workspace in await store.perform(workspace_rows.read_workspaces, principal, connection=connection)
        if workspace.state is State.STARTING and workspace.name not in old
    ]
    for first in range(0, len(workspaces), _TOGETHER):
        some = workspaces[first : first + _TOGETHER]
        await asyncio.gather(*(_pending(store, workspace) for workspace in some))


async def _pending(store: Store, workspace: Workspace) -> None:
    accepted = await _patiently(
        lambda: accept_operation(store, workspace, deadline_seconds=_DEADLINE, reference="benchmark")
    )
    update = Update(
        accepted.operation.id,
        random.uniform(0.0, _SPREAD),  # noqa: S311 - spreads work, protects nothing
        waits_for="change",
        start_call=Call.ACCEPTED,
        called=True,
    )
    await _patiently(lambda: store.write(operations.save_step, update))


async def _patiently(write: Callable[[], Awaitable[_T]]) -> _T:
    """Write however busy the machine is: a write that was turned away has done nothing."""
    while True:
        with suppress(StoreBusy):
            return await write()
