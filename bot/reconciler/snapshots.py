"""Reads providers' forms and facts about their servers, and stores them as snapshots."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import structlog
from pydantic_core import to_jsonable_python

from bot.domain.accounts import Account
from bot.domain.snapshots import Snapshot
from bot.domain.tasks import Task
from bot.providers import base, facets
from bot.reconciler.call_results import Rejected, Succeeded
from bot.reconciler.context import EngineContext
from bot.reconciler.lists import LIST_TIMEOUT_SECONDS
from bot.reconciler.provider_calls import ProviderCall
from bot.reconciler.tasks import build_replays, hold_slot, to_task_retry
from bot.services.snapshots import ALLOWANCES_KIND, TEMPLATES_KIND
from bot.store import accounts, prices, snapshots
from bot.store.tasks import NewTask

log = structlog.get_logger(__name__)

#: Prefix of the subject of tasks that read facts about a server. Other tasks' subjects have the form
#: ``ACCOUNT/KIND``.
_CONNECTION: Final = "connection:"


async def read(engine: EngineContext, task: Task) -> Sequence[NewTask]:
    """Read and store the snapshot that a task is for. Return tasks that run the commands waiting for it.

    Raise TaskRetry to try again later.
    """
    owner, _, kind = task.subject.rpartition("/")
    account: Account | None = None
    connection = owner.removeprefix(_CONNECTION)
    if not owner.startswith(_CONNECTION):
        account = await engine.store.read(accounts.find_account_by_id, owner)
        if account is None or account.state == "revoking":
            return ()
        if account.state == "refused":
            return build_replays(task, account.principal, "credential_refused")
        connection = account.connection
    principal = account.principal if account is not None else None
    return build_replays(task, principal, await _read(engine, task, connection, account, kind))


async def _read(
    engine: EngineContext, task: Task, connection: str, account: Account | None, kind: str
) -> str:
    """Read and store a snapshot. Return the cause if it can't be read, otherwise ""."""
    runtime = engine.runtimes.get(connection)
    if runtime is None:
        return "connection_gone"
    provider = runtime.provider
    if account is None and not isinstance(provider, facets.Overview):
        return "no_about"
    needed = {TEMPLATES_KIND: facets.Forms, ALLOWANCES_KIND: facets.Allowances}.get(kind)
    if account is not None and (needed is None or not isinstance(provider, needed)):
        return "not_found"

    async def send(access: base.Access) -> Any:
        if account is None:
            return await provider.require_facet(facets.Overview).read_overview()
        if kind == ALLOWANCES_KIND:
            return await provider.require_facet(facets.Allowances).read_allowances(access)
        return await provider.require_facet(facets.Forms).read_offer(access)

    seconds, attempts = None if account is None else LIST_TIMEOUT_SECONDS, task.attempts
    with hold_slot(runtime):
        answer = await engine.provider_caller.call(
            ProviderCall(runtime, account, kind, attempts, seconds), send
        )
        match answer:
            case Succeeded(offer):
                owner, now = account.id if account is not None else "", await engine.store.now()
                read = Snapshot(connection, owner, kind, to_jsonable_python(offer), now)
                await engine.store.write(snapshots.save_snapshot, read)
                if account is not None and kind == TEMPLATES_KIND:
                    update = partial(provider.require_facet(facets.Forms).update_spec, offer)
                    await engine.store.write(prices.note_offer, account, update, provider.describe_machine)
                log.info("snapshot read", connection=connection, kind=kind)
                return ""
            case Rejected(cause=cause):
                return cause
            case _:
                raise to_task_retry(answer)
