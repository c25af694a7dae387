"""Extensions: asking a provider to shut a workspace down later, on its owner's behalf."""

from bot.domain.tasks import Task
from bot.providers import facets
from bot.reconciler.call_results import Rejected
from bot.reconciler.context import EngineContext
from bot.reconciler.provider_calls import ProviderCall
from bot.reconciler.tasks import require_result
from bot.services.expiries import note_extension
from bot.store import accounts, workspaces


async def extend(engine: EngineContext, task: Task) -> None:
    """Ask the provider to postpone a workspace's shutdown. If this raises TaskRetry, a retry is harmless."""
    account_id, _, workspace_id = task.subject.partition("/")
    account = await engine.store.read(accounts.find_account_by_id, account_id)
    workspace = await engine.store.read(workspaces.find_workspace, workspace_id)
    runtime = engine.runtimes.get(account.connection) if account is not None else None
    if account is None or workspace is None or runtime is None:
        return
    extension, until = runtime.provider.require_facet(facets.Extension), float(task.payload["until"])
    answer = require_result(
        await engine.provider_caller.call(
            ProviderCall(runtime, account, "extend", task.attempts, repeats=True),
            lambda access: extension.extend(access, workspace, until),
        )
    )
    if isinstance(answer, Rejected):
        await note_result(engine, task, None, answer.call_cause())
    else:
        await note_result(engine, task, answer.value, "")


async def note_result(engine: EngineContext, task: Task, ends_at: float | None, cause: str) -> None:
    """Tell the workspace's owner the new time, or why the provider didn't change it."""
    await engine.store.carry_out(lambda tx: note_extension(tx, task, ends_at, cause))
