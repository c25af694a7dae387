"""Lists of people's workspaces and runs: read in the background, so that names are known when needed."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog

from bot.domain.accounts import Account
from bot.domain.people import Principal
from bot.domain.runs import FoundRun
from bot.domain.snapshots import Snapshot
from bot.domain.tasks import Task, TaskKind
from bot.providers import base
from bot.reconciler.ask import HELD, LIMITED, Answer, Done, Later, Refused, Unknown
from bot.reconciler.context import EnginePart
from bot.reconciler.runtimes import LISTS_SHARE, Runtime
from bot.services.snapshots import RUNS
from bot.store.discovered import FoundWorkspace
from bot.store.tasks import NewTask
from bot.store.upkeep import SETTLES
from bot.support.errors import NotFound
from bot.support.pool import beside

log = structlog.get_logger(__name__)
_Found = TypeVar("_Found")

#: A list may have many pages; reading it must end before its task's lease does.
DISCOVER_SECONDS = 30.0
#: An account's list is kept fresh if a workspace was used within this many seconds.
RECENT = 3600.0
#: All lists of a connection share its slots under this name; no principal's key looks like it.
LISTS = "lists"


class Again(Exception):
    """Request that a task be retried after some seconds.

    ``problem`` is the cause (``bot.messages.texts.problems``), "" if nothing went wrong.
    """

    def __init__(self, seconds: float, problem: str = "") -> None:
        super().__init__(seconds)
        self.seconds = seconds
        self.problem = problem


class Busy(Again):
    """Request a retry because nothing could be tried now, which doesn't count as a failure."""


@contextmanager
def slot(runtime: Runtime) -> Iterator[None]:
    """Hold one of the connection's slots for lists and similar reads. Raise Again if none is free."""
    if runtime.health.pause > 0:
        # A requested pause isn't the task's failure; a connection that is down is.
        if runtime.health.since is None:
            raise Busy(runtime.health.pause, LIMITED)
        raise Again(runtime.health.pause, "unreachable")
    if runtime.is_probed or not runtime.slots.take_for(LISTS, LISTS_SHARE):
        raise Busy(1.0)
    try:
        yield
    finally:
        runtime.slots.give_from(LISTS)


class Lists(EnginePart):
    """Read lists of workspaces and of runs, and keep the former fresh at a moderate pace."""

    async def read(self, task: Task) -> Sequence[NewTask]:
        """Read the list for a task; return the commands that waited for it. Raise Again to retry."""
        account = await self._store.account_by_id(task.subject)
        if account is None or account.state == "revoking":
            return ()
        runtime = self._runtimes.get(account.connection)
        problem = ""
        if runtime is not None and account.state == "active":
            provider, of = runtime.provider, (task, account, runtime)
            if task.kind is TaskKind.DISCOVER and provider.has_lists:
                problem = await self._read(
                    *of, "list", provider.need(base.Lists).discover, self._merge_workspaces
                )
            elif task.kind is TaskKind.LIST_JOBS and isinstance(provider, base.Runs):
                problem = await self._read(*of, "list runs", provider.need(base.Runs).jobs, self._merge_runs)
        return waiting_commands(task, account.principal, problem)

    async def _read(
        self,
        task: Task,
        account: Account,
        runtime: Runtime,
        what: str,
        listing: Callable[[base.Access], Coroutine[Any, Any, _Found]],
        merge: Callable[[Account, Runtime, _Found], Awaitable[None]],
    ) -> str:
        """Read and merge; return the cause of failure, for those who wait, or "". Raise Again to retry."""
        with slot(runtime):
            answer = await self._asker.ask(
                runtime, account, what, listing, attempts=task.attempts, seconds=DISCOVER_SECONDS
            )
            match settled(answer):
                case Done(found):
                    await merge(account, runtime, found)
                    return ""
                case Refused(error=NotFound()):  # The server has no such lists.
                    return ""
                case Refused(cause=cause):
                    return cause

    async def _merge_workspaces(
        self, account: Account, runtime: Runtime, found: base.Listing[base.Discovered]
    ) -> None:
        rows = await beside(found, _rows, runtime.provider, found)
        new = await self._store.merge_discovered(account.id, rows, is_whole=found.is_whole)
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
        read_at = await self._store.now()
        await self._store.save_snapshot(Snapshot(account.connection, account.id, RUNS, None, read_at))
        log.info("runs listed", connection=runtime.name, account=account.id, found=len(found), new=new)

    async def refresh(self) -> int:
        """Request some fresh lists, oldest first: soon where workspaces are in use, else once a day.

        Once a failover has settled all are read again, in pieces: until then what was read before it may be
        written.
        """
        now, last = await self._store.now(), await self._store.failover()
        settled_at = 0.0 if last is None else last["noted_at"] + SETTLES
        lost_at = settled_at if settled_at <= now else 0.0
        accounts = [
            account
            for account in await self._store.active_accounts()
            if account.connection in self._runtimes
            and self._runtimes[account.connection].provider.has_lists
            and (account.discovered_at or 0.0) < max(now - self._numbers.discover_after, lost_at)
        ]
        accounts.sort(key=lambda account: account.discovered_at or 0.0)
        due: list[NewTask] = []
        # Unused accounts are skipped, but the scan is bounded: many are checked, few are read.
        for account in accounts[: self._numbers.discover_at_once * 10]:
            read_at = account.discovered_at or 0.0
            stale = read_at < max(now - self._numbers.discover_unused_after, lost_at)
            if stale or await self._is_used(account, now):
                due.append(NewTask(TaskKind.DISCOVER, account.id))
            if len(due) >= self._numbers.discover_at_once and read_at >= lost_at:
                break
        if due:
            await self._store.add_tasks(due)
        return len(due)

    async def _is_used(self, account: Account, now: float) -> bool:
        rows = await self._store.workspaces(account.principal, connection=account.connection)
        return any(row.used_at is not None and now - row.used_at < RECENT for row in rows)


def settled(answer: Answer[_Found]) -> Done[_Found] | Refused:
    """Return an answer that a task can end with; raise Again for any other.

    A refusal of the connection's own secret isn't the person's to fix, so the task keeps waiting.
    """
    if isinstance(answer, (Later, Unknown)):
        raise not_yet(answer)
    if isinstance(answer, Refused) and answer.cause == "connection_refused":
        raise Again(0.0, answer.cause)
    return answer


def not_yet(answer: Later | Unknown) -> Again:
    """Return how to retry a task that wasn't done; what limits or holds everything isn't its own failure."""
    return (Busy if answer.cause in {LIMITED, *HELD} else Again)(answer.wait, answer.cause)


def waiting_commands(task: Task, principal: Principal | None = None, problem: str = "") -> list[NewTask]:
    """Return the commands that waited for a task as tasks of their own; the subject makes each one unique.

    They run as ``principal``, the owner of the task's account, or as whoever gave them. ``problem`` is the
    cause if what they waited for failed.
    """
    return [
        NewTask(
            TaskKind.REPLAY,
            f"{task.id}/{task.due_at:.3f}.{number}",
            {
                "principal": principal.key if principal else waiting["principal"],
                # The first problem is the one that is reported.
                "command": {"problem": problem, **waiting} if problem else waiting,
            },
        )
        for number, waiting in enumerate(task.payload.get("then") or [])
    ]


def _rows(provider: base.Provider, found: base.Listing[base.Discovered]) -> list[FoundWorkspace]:
    return [
        FoundWorkspace(
            each.remote_id,
            provider.gate_key(each.remote_id),
            each.name,
            each.observed.state,
            each.observed.url,
            each.observed.detail,
            each.observed.actions,
            each.observed.ends_at,
            each.observed.ends_how,
            each.observed.reason,
        )
        for each in found
    ]
