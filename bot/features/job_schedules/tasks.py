"""Schedules of jobs, set and cleared at their provider."""

from collections.abc import Sequence
from typing import Final

from bot.domain.audit import AuditEntry
from bot.domain.notices import NewNotice
from bot.domain.people import Principal
from bot.domain.tasks import Task, TaskKind
from bot.features.job_schedules.model import ScheduleKind
from bot.providers import facets
from bot.reconciler.provider_calls import Rejected
from bot.reconciler.tasks import BaseTaskWorker, TaskBusy, TaskHandler, hold_slot, require_result
from bot.services.snapshots import TEMPLATES_KIND
from bot.store import accounts, audit, notices, tasks
from bot.store.tasks import NewTask

#: How soon, in seconds, to look again whether an earlier request about the same job has ended.
TURN_RETRY_SECONDS: Final = 1.0


class ScheduleTasks(BaseTaskWorker):
    """Set and clear schedules. Doing it twice does no harm, so an interrupted task is repeated.

    A delayed task is dropped once a later one for the same job was asked for, whichever process has it: its
    schedule is outdated. The later one waits while the earlier one may be on its way.
    """

    def list_handlers(self) -> dict[TaskKind, TaskHandler]:
        """Return the handler of schedules."""

        async def refuse(task: Task, rule: str) -> None:
            await self.give_up(task, rule.removeprefix("policy."))

        return {
            TaskKind.SCHEDULE: TaskHandler(
                do=self.set, person=self._find_holder, verb="schedule", give_up=self.give_up, refuse=refuse
            )
        }

    async def set(self, task: Task) -> Sequence[NewTask]:
        """Set the schedule of a task and have the jobs read again. Raise TaskRetry to retry."""
        if (is_next := await self._store.read(tasks.has_task_turn, task)) is None:
            await self.give_up(task, "replaced")
            return ()
        if not is_next:
            raise TaskBusy(TURN_RETRY_SECONDS)
        asked = task.payload
        account = await self._store.read(accounts.find_account_by_id, str(asked["account"]))
        runtime = self._runtimes.get(str(asked["connection"]))
        if account is None or account.state != "active" or runtime is None:
            because = "unlinked" if account is None or account.state == "revoking" else "credential_refused"
            await self.give_up(task, because if runtime is not None else "connection_gone")
            return ()
        job, cron = str(asked["job"]), asked["cron"] or None
        with hold_slot(runtime):
            answer = await self._provider_caller.call(
                runtime,
                account,
                "schedule",
                lambda access: runtime.provider.require_facet(facets.Schedules).schedule(access, job, cron),
                attempts=task.attempts,
            )
            refusal = require_result(answer)
        if isinstance(refusal, Rejected):
            await self.give_up(task, refusal.cause)
            return ()
        await self._notify(task, "ok")
        return [NewTask(TaskKind.SNAPSHOT, f"{account.id}/{TEMPLATES_KIND}", {"then": []})]

    async def give_up(self, task: Task, because: str = "gave_up") -> None:
        """Tell the person that it wasn't set; by default because no attempt worked."""
        await self._notify(task, "refused", cause=because)

    async def _notify(self, task: Task, result: str, **cause: str) -> None:
        asked = task.payload
        principal = Principal.from_key(str(asked["principal"]))
        detail = {"connection": asked["connection"], "cron": asked["cron"], **cause}
        body = {"name": asked["name"], **detail}
        await self._store.write(
            notices.add_notices, [NewNotice(task.id, ScheduleKind.SCHEDULED, "schedule", principal, body)]
        )
        target = f"{asked['connection']}/{asked['job']}"
        await self._store.write(
            audit.append_audit, [AuditEntry(principal.key, "call.schedule", target, result, detail)]
        )
