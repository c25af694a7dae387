"""Approving links to usernames: looking up users, asking approvers, and linking once they approve."""

from typing import Final

import structlog

from bot.domain.people import Principal
from bot.domain.tasks import Task
from bot.providers import facets
from bot.reconciler.call_results import Rejected, Succeeded
from bot.reconciler.context import EngineContext
from bot.reconciler.provider_calls import ProviderCall
from bot.reconciler.tasks import to_task_retry
from bot.services.approvals import fail_approved, link_approved, note_user
from bot.services.caller import Caller
from bot.store import approvals as store
from bot.support.errors import CredentialRefused, NotFound, Untrusted

log = structlog.get_logger(__name__)

#: Time limit, in seconds, for checking a username at the provider.
CHECK_SECONDS: Final = 20.0


async def find_requester(engine: EngineContext, task: Task) -> Principal | None:
    """Return the person who made the request, or None if the request no longer exists."""
    approval = await engine.store.read(store.find_request, task.subject)
    return approval.principal if approval is not None else None


async def link(engine: EngineContext, task: Task) -> None:
    """Check an approved username and link the person. Raise TaskRetry if the provider doesn't respond."""
    approval = await engine.store.read(store.find_request, task.subject)
    if approval is None or approval.state != "approved":
        return
    runtime = engine.runtimes.get(approval.connection)
    is_served = runtime is not None and runtime.provider.is_available_to(approval.principal)
    if runtime is None or not is_served or not runtime.provider.has_link_method("admin"):
        # The connections file has been changed since the request was approved.
        await give_up(engine, task, "not_set_up")
        return
    answer = await engine.provider_caller.call(
        ProviderCall(runtime, None, "check a username", task.attempts, CHECK_SECONDS),
        lambda _own: runtime.provider.require_facet(facets.Impersonation).check_username(approval.username),
    )
    match answer:
        case Succeeded(identity):
            await Caller(engine, approval.principal).run(link_approved, approval.id, identity)
        case Rejected(error=NotFound()):
            await give_up(engine, task, "not_found")
        case Rejected(error=CredentialRefused()):
            await give_up(engine, task, "credential_refused")
        case Rejected(error=Untrusted() as error):
            await give_up(engine, task, "untrusted", error.message)
        case Rejected():
            await give_up(engine, task, "forbidden")
        case _:
            raise to_task_retry(answer)


async def look_up(engine: EngineContext, task: Task) -> None:
    """Look up the requested user's e-mail address. Raise TaskRetry if the provider doesn't respond."""
    approval = await engine.store.read(store.find_request, task.subject)
    runtime = engine.runtimes.get(approval.connection) if approval is not None else None
    if approval is None or approval.state != "requested" or runtime is None:
        return
    if not isinstance(runtime.provider, facets.EmailLookup):
        return
    answer = await engine.provider_caller.call(
        ProviderCall(runtime, None, "look up a user", task.attempts),
        lambda _own: runtime.provider.require_facet(facets.EmailLookup).find_user(approval.username),
    )
    match answer:
        case Succeeded(user) if user.email or user.account_id:
            await Caller(engine, approval.principal).run(note_user, approval, user)
        case Succeeded() | Rejected():
            log.info("address not told", connection=approval.connection)
        case _:
            raise to_task_retry(answer)


async def give_up(engine: EngineContext, task: Task, because: str = "gave_up", said: str = "") -> None:
    """Tell the person and the administrator that linking failed. ``because`` is the cause."""
    approval = await engine.store.read(store.find_request, task.subject)
    if approval is not None:
        caller = Caller(engine, approval.principal)
        await caller.run(fail_approved, approval.id, because, said=said)
