"""Pending revocations: asking providers, repeatedly if necessary, to delete the secrets of ended links."""

from typing import Final

import structlog

from bot.domain.accounts import Account
from bot.domain.people import Principal
from bot.domain.tasks import Task
from bot.providers import base, facets
from bot.reconciler.call_results import Rejected, RetryLater, Succeeded
from bot.reconciler.context import EngineContext
from bot.reconciler.provider_calls import REVOKE_CALL, ProviderCall
from bot.reconciler.tasks import TaskRetry, hold_slot, to_task_retry
from bot.services import revocations
from bot.store import accounts
from bot.store.revocations import enqueue_revocation, note_refused_revocation
from bot.support.errors import CredentialRefused, Forbidden

log = structlog.get_logger(__name__)

#: How long a provider must keep refusing to revoke a secret, in seconds, before Usher gives up. A single
#: refusal proves nothing (docs/internals/rules.md, "Don't trust a single observation").
MIN_REFUSAL_SECONDS: Final = 900.0
#: Maximum wait, in seconds, between two attempts to revoke a secret.
MAX_RETRY_SECONDS: Final = 1_200.0


async def revoke(engine: EngineContext, task: Task) -> None:
    """Revoke a secret. Raise TaskRetry until the provider confirms or refuses, or ``LAPSE_SECONDS`` pass."""
    account = await engine.store.read(accounts.find_account_by_id, task.subject)
    if account is None or account.state != "revoking":
        return
    ended = await _try_to_revoke(engine, task, account, await engine.store.now())
    notify = bool(task.payload.get("tell"))
    log.info("revocation ended", connection=account.connection, account=account.id, ended=ended)
    await engine.store.carry_out(
        lambda tx: revocations.finish_revocation(tx, engine, account, ended, notify=notify)
    )


async def _try_to_revoke(
    engine: EngineContext, task: Task, account: Account, now: float
) -> revocations.RevocationOutcome:
    if now - (account.unlinked_at or 0.0) >= revocations.LAPSE_SECONDS:
        return "lapsed"
    wait = engine.provider_caller.compute_backoff(task.attempts + 1, MAX_RETRY_SECONDS)
    runtime = engine.runtimes.get(account.connection)
    if runtime is None or not isinstance(runtime.provider, facets.Revocation):
        raise TaskRetry(wait)
    revoke = runtime.provider.revoke
    try:
        # Taking a slot limits how many revocations run at a time, so that they don't delay people's calls.
        with hold_slot(runtime):
            answer = await engine.provider_caller.call(
                ProviderCall(runtime, account, REVOKE_CALL, task.attempts), revoke
            )
    except TaskRetry:
        raise TaskRetry(wait) from None
    match answer:
        case Succeeded():
            return "deleted"
        case Rejected(error=CredentialRefused() | Forbidden() as error):
            if account.refused_since is None:
                await engine.store.carry_out(lambda tx: note_refused_revocation(tx, account.id))
            left = MIN_REFUSAL_SECONDS - (now - (account.refused_since or now))
            if left > 0:
                raise TaskRetry(left)
            return "forbidden" if isinstance(error, Forbidden) else "refused"
    raise TaskRetry(wait)


async def enqueue_unused(engine: EngineContext, task: Task) -> None:
    """Queue the revocation of a secret whose link expired unused, unless an account uses the secret."""
    unused = _as_account(task)
    access = engine.provider_caller.open(unused)
    if isinstance(access, RetryLater):
        raise to_task_retry(access)
    if isinstance(access, Rejected) or await _is_used(engine, unused, access):
        return
    await engine.store.carry_out(lambda tx: enqueue_revocation(tx, unused, notify=False))


async def _is_used(engine: EngineContext, unused: Account, access: base.Access) -> bool:
    """Return whether an account uses the token. Decrypt both, because ciphertexts can't be compared."""
    account = await engine.store.read(accounts.find_account, unused.principal, unused.connection)
    if account is None or not account.secret:
        return False
    opened = engine.provider_caller.open(account)
    # A secret that can't be decrypted can't be compared, so don't revoke it.
    return not isinstance(opened, base.Access) or opened.credential.token == access.credential.token


def _as_account(task: Task) -> Account:
    payload = task.payload
    return Account(
        id=task.id,
        principal=Principal.from_key(str(payload["principal"])),
        connection=str(payload["connection"]),
        username=str(payload["username"]),
        secret=str(payload["secret"]),
        state="revoking",
        linked_at=task.created_at,
    )
