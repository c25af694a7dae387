"""Extensions: asking a provider to end a workspace later than planned, at its owner's request."""

from bot.domain.tasks import Task, TaskKind
from bot.providers import facets
from bot.reconciler.call_results import Rejected
from bot.reconciler.tasks import BaseTaskWorker, TaskHandler, require_result
from bot.services.expiries import note_extension
from bot.store import accounts, workspaces


class Extensions(BaseTaskWorker):
    """The task worker that asks providers to let workspaces run longer."""

    def list_handlers(self) -> dict[TaskKind, TaskHandler]:
        """Return the handler of extension tasks."""
        return {
            TaskKind.EXTEND: TaskHandler(
                do=self.extend,
                person=self._find_holder,
                verb="start",
                give_up=lambda task: self._note(task, None, "gave_up"),
                refuse=lambda task, rule: self._note(task, None, rule),
            )
        }

    async def extend(self, task: Task) -> None:
        """Ask the provider for a later end; raise TaskRetry to ask again, as repeating is harmless."""
        account_id, _, workspace_id = task.subject.partition("/")
        account = await self._store.read(accounts.find_account_by_id, account_id)
        workspace = await self._store.read(workspaces.find_workspace, workspace_id)
        runtime = self._runtimes.get(account.connection) if account is not None else None
        if account is None or workspace is None or runtime is None:
            return
        extension, until = runtime.provider.require_facet(facets.Extension), float(task.payload["until"])
        answer = require_result(
            await self._provider_caller.call(
                runtime,
                account,
                "extend",
                lambda access: extension.extend(access, workspace, until),
                attempts=task.attempts,
                repeats=True,
            )
        )
        if isinstance(answer, Rejected):
            await self._note(task, None, answer.call_cause())
        else:
            await self._note(task, answer.value, "")

    async def _note(self, task: Task, ends_at: float | None, cause: str) -> None:
        await self._store.carry_out(lambda tx: note_extension(tx, task, ends_at, cause))
