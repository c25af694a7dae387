"""Schedules of jobs: set on the provider by a task; the person is told the result either way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.domain.models import Account, AuditEntry, NewNotice, NoticeKind, Principal, Task, TaskKind
from bot.providers import facets
from bot.reconciler.ask import Refused
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.lists import settled, slot
from bot.services.snapshots import TEMPLATES
from bot.store.records import NewTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.reconciler.runtimes import Runtime

log = structlog.get_logger(__name__)

#: How many jobs' newest requests are remembered.
REMEMBERED = 10_000


class Schedules(EnginePart):
    """Set and clear schedules. Doing it twice does no harm, so an interrupted task is repeated.

    A delayed task is dropped once a later one for the same job has come up: its schedule is outdated.
    """

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        #: When the newest request for each job was written, by account and job.
        self._newest: dict[tuple[str, str], float] = {}

    async def set(self, task: Task) -> Sequence[NewTask]:
        """Set the schedule of a task and have the jobs read again. Raise Again to retry."""
        if self._is_outdated(task):
            await self._not_set(task, "replaced")
            return ()
        account = await self._store.account_by_id(str(task.payload["account"]))
        connection = str(task.payload["connection"])
        runtime = self._runtimes.get(connection)
        if account is None or account.state != "active" or runtime is None:
            because = "unlinked" if account is None or account.state == "revoking" else "credential_refused"
            await self._not_set(task, because if runtime is not None else "connection_gone")
            return ()
        with slot(runtime):
            problem = await self._send(task, account, runtime)
        if problem:
            await self._not_set(task, problem)
            return ()
        await self._tell(task, "ok")
        return [NewTask(TaskKind.SNAPSHOT, f"{account.id}/{TEMPLATES}", {"then": []})]

    def _is_outdated(self, task: Task) -> bool:
        key = (str(task.payload["account"]), str(task.payload["job"]))
        newest = max(task.created_at, self._newest.pop(key, 0.0))
        self._newest[key] = newest
        if len(self._newest) > REMEMBERED:
            # Drop the oldest request: its tasks have been given up by now.
            del self._newest[next(iter(self._newest))]
        return task.created_at < newest

    async def give_up(self, task: Task, because: str = "gave_up") -> None:
        """Tell the person that it wasn't set; by default because no attempt worked."""
        await self._not_set(task, because)

    async def _send(self, task: Task, account: Account, runtime: Runtime) -> str:
        """Send it; return the cause of failure, or "". Raise Again to retry."""
        job, cron = str(task.payload["job"]), task.payload["cron"] or None
        answer = await self._asker.ask(
            runtime,
            account,
            "schedule",
            lambda access: runtime.provider.need(facets.Schedules).schedule(access, job, cron),
            attempts=task.attempts,
        )
        match settled(answer):
            case Refused(cause=cause):
                return cause
            case _:
                return ""

    async def _not_set(self, task: Task, cause: str) -> None:
        await self._tell(task, "refused", cause=cause)

    async def _tell(self, task: Task, result: str, **cause: str) -> None:
        asked = task.payload
        principal = Principal.from_key(str(asked["principal"]))
        detail = {"connection": asked["connection"], "cron": asked["cron"], **cause}
        body = {"name": asked["name"], **detail}
        await self._store.add_notices([NewNotice(task.id, NoticeKind.SCHEDULED, "schedule", principal, body)])
        target = f"{asked['connection']}/{asked['job']}"
        await self._store.append_audit([AuditEntry(principal.key, "call.schedule", target, result, detail)])
