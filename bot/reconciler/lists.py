"""Lists of people's workspaces and runs: read in the background, so that names are known when asked for."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from bot.domain.models import Task, TaskKind
from bot.providers import facets
from bot.reconciler.ask import LIMITED, SUSPECTED, Done, Later, Refused, Unknown
from bot.reconciler.runtimes import LISTS_SHARE
from bot.store.records import FoundWorkspace, NewTask
from bot.support.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence

    from bot.domain.models import Account, FoundRun, Principal
    from bot.providers.base import Access, Discovered, Listing
    from bot.reconciler.ask import Answer
    from bot.reconciler.context import EngineContext
    from bot.reconciler.runtimes import Runtime
    from bot.store.store import Store

log = structlog.get_logger(__name__)
_Found = TypeVar("_Found")

#: A list may have many pages; it ends before the lease of its task does.
DISCOVER_SECONDS = 30.0
#: Workspaces used within so many seconds keep their account's list fresh.
RECENT = 3600.0
#: All lists of a connection share its slots under this name; no principal's key is like it.
LISTS = "lists"


class Again(Exception):
    """Ask for a task to be tried again after some seconds.

    ``problem`` is the cause (``bot.messages.texts.problems``), "" where nothing went wrong.
    """

    def __init__(self, seconds: float, problem: str = "") -> None:
        super().__init__(seconds)
        self.seconds = seconds
        self.problem = problem


class Busy(Again):
    """Ask for it to be tried again, as nothing could be tried now: that is no failure."""


@contextmanager
def slot(runtime: Runtime) -> Iterator[None]:
    """Hold one of the slots that a connection has for lists and their like. Raises Again."""
    if runtime.health.pause > 0:
        # A pause that was asked for is none of the task's doing; a connection that is away has failed it.
        if runtime.health.since is None:
            raise Busy(runtime.health.pause, LIMITED)
        raise Again(runtime.health.pause, "unreachable")
    if runtime.is_probed or not runtime.slots.take_for(LISTS, LISTS_SHARE):
        raise Busy(1.0)
    try:
        yield
    finally:
        runtime.slots.give_from(LISTS)


class Lists:
    """Read lists of workspaces and of runs, and see to it that the former stay fresh at a calm pace."""

    def __init__(self, engine: EngineContext) -> None:
        self._store = engine.store
        self._runtimes = engine.runtimes
        self._asker = engine.asker
        self._numbers = engine.numbers

    async def read(self, task: Task) -> Sequence[NewTask]:
        """Read the list that a task asks for; return the commands that waited for it. Raises Again."""
        account = await self._store.account_by_id(task.subject)
        if account is None or account.state == "revoking":
            return ()
        runtime = self._runtimes.get(account.connection)
        problem = ""
        if runtime is not None and account.state == "active":
            if task.kind is TaskKind.DISCOVER and runtime.provider.has_lists:
                problem = await self._read(
                    task,
                    account,
                    runtime,
                    "list",
                    runtime.provider.need(facets.Lists).discover,
                    self._merge_workspaces,
                )
            elif task.kind is TaskKind.LIST_JOBS and isinstance(runtime.provider, facets.Runs):
                problem = await self._read(
                    task,
                    account,
                    runtime,
                    "list runs",
                    runtime.provider.need(facets.Runs).jobs,
                    self._merge_runs,
                )
        return waiting_commands(task, account.principal, problem)

    async def _read(
        self,
        task: Task,
        account: Account,
        runtime: Runtime,
        what: str,
        listing: Callable[[Access], Coroutine[Any, Any, _Found]],
        merge: Callable[[Account, Runtime, _Found], Awaitable[None]],
    ) -> str:
        """Read and merge; return the cause when nothing comes of it, for whoever waits. Raises Again."""
        with slot(runtime):
            answer = await self._asker.ask(
                runtime,
                account,
                what,
                lambda access: while_active(self._store, account, listing(access), self._numbers.watch),
                attempts=task.attempts,
                seconds=DISCOVER_SECONDS,
            )
            match settled(answer):
                case Done(found):
                    if found is not None:
                        await merge(account, runtime, found)
                    return ""
                case Refused(error=NotFound()):  # A server without such lists.
                    return ""
                case Refused(cause=cause):
                    return cause

    async def _merge_workspaces(self, account: Account, runtime: Runtime, found: Listing[Discovered]) -> None:
        new = await self._store.merge_discovered(
            account.id,
            [
                FoundWorkspace(
                    each.remote_id,
                    runtime.provider.gate_key(each.remote_id),
                    each.name,
                    each.observed.state,
                    each.observed.url,
                    each.observed.detail,
                    each.observed.actions,
                    each.observed.ends_at,
                    each.observed.ends_how,
                )
                for each in found
            ],
            is_whole=found.is_whole,
        )
        log.info(
            "list read",
            connection=runtime.name,
            account=account.id,
            found=len(found),
            new=new,
            is_whole=found.is_whole,
        )

    async def _merge_runs(self, account: Account, runtime: Runtime, found: Sequence[FoundRun]) -> None:
        new = await self._store.merge_runs(account.id, found)
        log.info("runs listed", connection=runtime.name, account=account.id, found=len(found), new=new)

    async def refresh(self) -> int:
        """Ask for some fresh lists, the oldest first: soon where workspaces are used, else once a day."""
        now = await self._store.now()
        accounts = [
            account
            for account in await self._store.active_accounts()
            if account.connection in self._runtimes
            and self._runtimes[account.connection].provider.has_lists
            and now - (account.discovered_at or 0.0) > self._numbers.discover_after
        ]
        accounts.sort(key=lambda account: account.discovered_at or 0.0)
        due: list[NewTask] = []
        # Unused accounts are passed over, but not without end: many are looked at, few are read.
        for account in accounts[: self._numbers.discover_at_once * 10]:
            stale = now - (account.discovered_at or 0.0) > self._numbers.discover_unused_after
            if stale or await self._is_used(account, now):
                due.append(NewTask(TaskKind.DISCOVER, account.id))
            if len(due) == self._numbers.discover_at_once:
                break
        if due:
            await self._store.add_tasks(due)
        return len(due)

    async def _is_used(self, account: Account, now: float) -> bool:
        rows = await self._store.workspaces(account.principal, connection=account.connection)
        return any(row.used_at is not None and now - row.used_at < RECENT for row in rows)


def settled(answer: Answer[_Found]) -> Done[_Found] | Refused:
    """Return an answer that a task can end with; raises Again for the others.

    What waits for the connection's own secret is not the person's to change, so it goes on waiting.
    """
    if isinstance(answer, (Later, Unknown)):
        raise not_yet(answer)
    if isinstance(answer, Refused) and answer.cause == "connection_refused":
        raise Again(0.0, answer.cause)
    return answer


def not_yet(answer: Later | Unknown) -> Again:
    """Return how a task goes on that was not done: limits and suspicions are no failures of it."""
    return (Busy if answer.cause in {LIMITED, SUSPECTED} else Again)(answer.wait, answer.cause)


async def while_active(
    store: Store, account: Account, listing: Coroutine[Any, Any, _Found], watch: float
) -> _Found | None:
    """Read something long to its end; return None when its account is unlinked meanwhile."""
    reading = asyncio.ensure_future(listing)
    try:
        while not (await asyncio.wait({reading}, timeout=watch))[0]:
            current = await store.account_by_id(account.id)
            if current is None or current.state == "revoking":
                return None
        return reading.result()
    finally:
        reading.cancel()


def waiting_commands(task: Task, principal: Principal | None = None, problem: str = "") -> list[NewTask]:
    """Return the commands that waited for a task, as tasks of their own; the subject makes each one task.

    They run in the name of ``principal``, whose account the task was about, or of who gave them. ``problem``
    is the cause why what they waited for did not come.
    """
    return [
        NewTask(
            TaskKind.REPLAY,
            f"{task.id}/{task.due_at:.3f}.{number}",
            {
                "principal": principal.key if principal else waiting["principal"],
                # What went wrong first is what is told.
                "command": {"problem": problem, **waiting} if problem else waiting,
            },
        )
        for number, waiting in enumerate(task.payload.get("then") or [])
    ]
