"""Renewals: exchanging a credential that was issued to Usher for a new one before it expires."""

from bot.domain.tasks import Task, TaskKind
from bot.providers import facets
from bot.reconciler.call_results import Rejected
from bot.reconciler.tasks import BaseTaskWorker, TaskHandler, require_result
from bot.services import expiry_reminders as reminders
from bot.services import revocations
from bot.store import accounts


class Renewals(BaseTaskWorker):
    """The worker that renews credentials at their providers."""

    def list_handlers(self) -> dict[TaskKind, TaskHandler]:
        """Return the handler of renewal tasks."""
        return {
            TaskKind.RENEW_CREDENTIAL: TaskHandler(
                do=self.renew, person=self._find_holder, give_up=self.give_up
            )
        }

    async def renew(self, task: Task) -> None:
        """Obtain a new credential to replace one that expires soon; raise TaskRetry to retry."""
        account = await self._store.read(accounts.find_account_by_id, task.subject)
        runtime = self._runtimes.get(account.connection) if account is not None else None
        if account is None or runtime is None:
            return
        minting = runtime.provider.require_facet(facets.Minting).mint
        answer = require_result(
            await self._provider_caller.call(runtime, account, "mint", minting, attempts=task.attempts)
        )
        if isinstance(answer, Rejected):
            await self.give_up(task)
            return
        fresh = answer.value
        await self._store.carry_out(lambda tx: revocations.replace_secret(tx, self._context, account, fresh))

    async def give_up(self, task: Task) -> None:
        """Remind a person whose credential couldn't be renewed to link again."""
        await self._store.carry_out(lambda tx: reminders.remind_again(tx, task.subject))
