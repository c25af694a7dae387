"""Reads each person's workspaces and runs in the background, so that Usher knows what they are called."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import structlog

from bot.domain.accounts import Account
from bot.domain.runs import DiscoveredRun, drop_impossible_run_times
from bot.domain.snapshots import Snapshot
from bot.domain.tasks import Task, TaskKind
from bot.providers import base, facets
from bot.providers.answers import Listing
from bot.reconciler.call_results import Rejected, Succeeded
from bot.reconciler.context import EngineContext
from bot.reconciler.provider_calls import ProviderCall
from bot.reconciler.runtimes import Runtime
from bot.reconciler.tasks import build_replays, hold_slot, require_result
from bot.services.snapshots import RUNS_KIND
from bot.store import accounts, discovered, maintenance, runs, snapshots, tasks
from bot.store.discovered import ListedWorkspace
from bot.store.maintenance import FAILOVER_CONFIRM_SECONDS
from bot.store.tasks import NewTask
from bot.support.errors import NotFound
from bot.support.pool import run_beside_loop

log = structlog.get_logger(__name__)
_T = TypeVar("_T")

#: Time limit for reading a paginated list, in seconds. Must be shorter than the task's lease (its claim on
#: the row).
LIST_TIMEOUT_SECONDS = 30.0
#: For this many seconds after a workspace was used, its account's list is read more often.
RECENT_USE_SECONDS = 3600.0


async def read(engine: EngineContext, task: Task) -> Sequence[NewTask]:
    """Read the list that a task is for. Return tasks that run the commands waiting for the list.

    Raise TaskRetry to try again later.
    """
    account = await engine.store.read(accounts.find_account_by_id, task.subject)
    if account is None or account.state == "revoking":
        return ()
    runtime = engine.runtimes.get(account.connection)
    problem = ""
    if runtime is not None and account.state == "active":
        provider, of = runtime.provider, (task, account, runtime)
        if task.kind is TaskKind.DISCOVER and provider.has_lists:
            problem = await _read(
                engine, *of, "list", provider.require_facet(facets.Lists).discover, _merge_workspaces
            )
        elif task.kind is TaskKind.LIST_RUNS and isinstance(provider, facets.Runs):
            problem = await _read(
                engine, *of, "list runs", provider.require_facet(facets.Runs).list_runs, _merge_runs
            )
    return build_replays(task, account.principal, problem)


async def _read(
    engine: EngineContext,
    task: Task,
    account: Account,
    runtime: Runtime,
    what: str,
    read: Callable[[base.Access], Coroutine[Any, Any, _T]],
    merge: Callable[[EngineContext, Account, Runtime, _T], Awaitable[None]],
) -> str:
    """Read a list and store it. Return the cause if the provider refused it, otherwise ""."""
    with hold_slot(runtime):
        answer = await engine.provider_caller.call(
            ProviderCall(runtime, account, what, task.attempts, LIST_TIMEOUT_SECONDS), read
        )
        match require_result(answer):
            case Succeeded(listing):
                await merge(engine, account, runtime, listing)
                return ""
            case Rejected(error=NotFound()):  # The server has no such lists.
                return ""
            case Rejected(cause=cause):
                return cause


async def _merge_workspaces(
    engine: EngineContext, account: Account, runtime: Runtime, listing: Listing[facets.DiscoveredWorkspace]
) -> None:
    rows = await run_beside_loop(listing, _to_rows, runtime.provider, listing)
    new = await engine.store.perform(discovered.merge_discovered, account.id, rows, is_whole=listing.is_whole)
    log.info(
        "list read",
        connection=runtime.name,
        account=account.id,
        found=len(listing),
        new=new,
        is_whole=listing.is_whole,
    )


async def _merge_runs(
    engine: EngineContext, account: Account, runtime: Runtime, listing: Sequence[DiscoveredRun]
) -> None:
    read_at = await engine.store.now()
    found = [replace(run, observed=drop_impossible_run_times(run.observed, read_at)) for run in listing]
    new = await engine.store.perform(runs.merge_runs, account.id, found)
    await engine.store.write(
        snapshots.save_snapshot, Snapshot(account.connection, account.id, RUNS_KIND, None, read_at)
    )
    log.info("runs listed", connection=runtime.name, account=account.id, found=len(listing), new=new)


async def refresh(engine: EngineContext) -> int:
    """Queue a read of each list that is due, oldest first. Return how many reads were queued.

    Lists in use are read often, and others daily. After a database failover, all lists are read again, a few
    at a time. This begins only after a while, because results of reads from before the failover may still be
    written until then.
    """
    now, last, numbers = (
        await engine.store.now(),
        await engine.store.read(maintenance.find_failover),
        engine.numbers,
    )
    settled_at = 0.0 if last is None else last["detected_at"] + FAILOVER_CONFIRM_SECONDS
    lost_at = settled_at if settled_at <= now else 0.0
    stale_at = max(now - numbers.discover_unused_after, lost_at)
    fresh_at = max(now - numbers.discover_after, lost_at)
    names = [name for name, runtime in engine.runtimes.items() if runtime.provider.has_lists]
    stale = await engine.store.read(
        discovered.find_stale_lists, names, stale_at, numbers.discover_at_once * 10
    )
    used = await engine.store.perform(
        discovered.find_lists_in_use, names, now - RECENT_USE_SECONDS, stale_at, fresh_at
    )
    lost = sum(row.read_at < lost_at for row in stale)
    # Half of the reads go to lists in use, and half to the others, so that neither kind delays the other.
    half = numbers.discover_at_once // 2
    chosen = stale[: max(lost, half, numbers.discover_at_once - len(used))]
    chosen += used[: max(half, numbers.discover_at_once - len(chosen))]
    if chosen:
        await engine.store.write(
            tasks.add_tasks, [NewTask(TaskKind.DISCOVER, row.account_id) for row in chosen]
        )
    return len(chosen)


def _to_rows(provider: base.Provider, listing: Listing[facets.DiscoveredWorkspace]) -> list[ListedWorkspace]:
    return [
        ListedWorkspace(each.remote_id, provider.gate_key(each.remote_id), each.name, each.observed)
        for each in listing
    ]
