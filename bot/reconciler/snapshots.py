"""What providers offer and say about themselves: read in the background, for forms and administrators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import structlog

from bot.domain.people import Account, Principal, Snapshot, Task
from bot.providers import base
from bot.providers.base import Access
from bot.reconciler.ask import Done, Refused
from bot.reconciler.context import EnginePart
from bot.reconciler.lists import DISCOVER_SECONDS, not_yet, slot, waiting_commands
from bot.reconciler.runtimes import Runtime
from bot.services.snapshots import TEMPLATES, payload_of
from bot.store.records import NewTask

log = structlog.get_logger(__name__)

#: The prefix of a task's subject that is about a server itself; any other is ``ACCOUNT/KIND``.
_CONNECTION: Final = "connection:"


class Snapshots(EnginePart):
    """Read what forms are built from with people's accounts, facts about servers with Usher's own secret."""

    async def read(self, task: Task) -> Sequence[NewTask]:
        """Read and store a task's snapshot; return the commands that waited for it. Raise Again to retry."""
        owner, _, kind = task.subject.rpartition("/")
        account: Account | None = None
        connection = owner.removeprefix(_CONNECTION)
        if not owner.startswith(_CONNECTION):
            account = await self._store.account_by_id(owner)
            if account is None or account.state == "revoking":
                return ()
            if account.state == "refused":
                return waiting_commands(task, account.principal, "credential_refused")
            connection = account.connection
        runtime = self._runtimes.get(connection)
        if runtime is None:
            return waiting_commands(task, _person(account), "connection_gone")
        if (problem := _unasked(runtime, account, kind)) is not None:
            return waiting_commands(task, _person(account), problem)
        with slot(runtime):
            problem = await self._read(task, runtime, account, kind)
        return waiting_commands(task, _person(account), problem)

    async def _read(self, task: Task, runtime: Runtime, account: Account | None, kind: str) -> str:
        """Read and store it; return the cause of failure, for those who wait, or "". Raise Again to retry."""

        async def send(access: Access) -> Any:
            if account is None:
                return await runtime.provider.need(base.Overview).about()
            return await runtime.provider.need(base.Forms).templates(access)

        seconds = None if account is None else DISCOVER_SECONDS
        answer = await self._asker.ask(runtime, account, kind, send, attempts=task.attempts, seconds=seconds)
        match answer:
            case Done(offer):
                owner = account.id if account is not None else ""
                now = await self._store.now()
                await self._store.save_snapshot(Snapshot(runtime.name, owner, kind, payload_of(offer), now))
                log.info("snapshot read", connection=runtime.name, kind=kind)
                return ""
            case Refused(cause=cause):
                return cause
            case _:
                raise not_yet(answer)


def _unasked(runtime: Runtime, account: Account | None, kind: str) -> str | None:
    """Return why something isn't requested at all, or None if it is."""
    if account is None:
        return None if isinstance(runtime.provider, base.Overview) else "no_about"
    return None if kind == TEMPLATES and isinstance(runtime.provider, base.Forms) else "not_found"


def _person(account: Account | None) -> Principal | None:
    return account.principal if account is not None else None
