"""Schedules of jobs: set on the provider by a task; the person is told the result either way."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Account, AuditEntry, Principal, Task, TaskKind
from bot.providers import base
from bot.reconciler.ask import Refused
from bot.reconciler.context import EnginePart
from bot.reconciler.lists import Busy, settled, slot
from bot.reconciler.runtimes import Runtime
from bot.services.snapshots import TEMPLATES
from bot.store.records import NewTask

log = structlog.get_logger(__name__)

#: How soon, in seconds, to look again whether an earlier request about the same job has ended.
SOON = 1.0


class Schedules(EnginePart):
    """Set and clear schedules. Doing it twice does no harm, so an interrupted task is repeated.

    A delayed task is dropped once a later one for the same job was asked for, whichever process has it: its
    schedule is outdated. The later one waits while the earlier one may be on its way.
    """

    async def set(self, task: Task) -> Sequence[NewTask]:
        """Set the schedule of a task and have the jobs read again. Raise Again to retry."""
        if (is_next := await self._store.task_turn(task)) is None:
            await self._not_set(task, "replaced")
            return ()
        if not is_next:
            raise Busy(SOON)
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
            lambda access: runtime.provider.need(base.Schedules).schedule(access, job, cron),
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
