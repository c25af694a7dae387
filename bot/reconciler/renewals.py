"""Renewals: each credential issued to Usher is replaced before it expires."""

from bot.domain.tasks import Task
from bot.providers import facets
from bot.reconciler.call_results import Rejected, RetryLater
from bot.reconciler.context import EngineContext
from bot.reconciler.provider_calls import ProviderCall
from bot.reconciler.tasks import require_result, to_task_retry
from bot.services import expiry_reminders as reminders
from bot.services import revocations
from bot.store import accounts


async def renew(engine: EngineContext, task: Task) -> None:
    """Replace a credential that expires soon with a new one. Raise TaskRetry to try again later.

    If only the person can renew it, remind them instead.
    """
    account = await engine.store.read(accounts.find_account_by_id, task.subject)
    runtime = engine.runtimes.get(account.connection) if account is not None else None
    if account is None or runtime is None:
        return
    minting = runtime.provider.require_facet(facets.Minting)
    access = engine.provider_caller.open(account)
    if isinstance(access, RetryLater):
        raise to_task_retry(access)
    if isinstance(access, Rejected) or not minting.can_mint(access.credential):
        await give_up(engine, task)
        return
    answer = require_result(
        await engine.provider_caller.call(ProviderCall(runtime, account, "mint", task.attempts), minting.mint)
    )
    if isinstance(answer, Rejected):
        await give_up(engine, task)
        return
    fresh = answer.value
    await engine.store.carry_out(lambda tx: revocations.replace_secret(tx, engine, account, fresh))


async def give_up(engine: EngineContext, task: Task) -> None:
    """Remind a person to link again, because their credential couldn't be renewed."""
    await engine.store.carry_out(lambda tx: reminders.remind_again(tx, task.subject))
