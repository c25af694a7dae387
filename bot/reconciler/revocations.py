"""Pending revocations: asking providers to delete the secrets of ended links until they confirm it."""

import math
from typing import Final

import structlog

from bot.domain.accounts import Account
from bot.domain.people import Principal
from bot.domain.plan import backoff
from bot.domain.tasks import Task, TaskKind
from bot.providers import base, facets
from bot.reconciler.call_results import Rejected, Succeeded
from bot.reconciler.context import EngineContext
from bot.reconciler.provider_calls import REVOKE_CALL
from bot.reconciler.tasks import BaseTaskWorker, TaskHandler, TaskRetry, hold_slot
from bot.services import revocations
from bot.store import accounts
from bot.store.revocations import enqueue_revocation, note_refused_revocation
from bot.support.errors import CredentialRefused, Forbidden

log = structlog.get_logger(__name__)

#: How long refusals must persist before we believe them, in seconds, since a single refusal proves nothing
#: (docs/internals/rules.md, "One observation is not the truth").
MIN_REFUSAL_SECONDS: Final = 900.0
#: Maximum wait between two attempts to revoke a secret, in seconds.
MAX_RETRY_SECONDS: Final = 1_200.0


class Revocations(BaseTaskWorker):
    """The worker that asks providers to delete secrets that are no longer used."""

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._jitter = engine.jitter

    def list_handlers(self) -> dict[TaskKind, TaskHandler]:
        """Return the handlers for revocations, which are retried until they succeed or are given up."""
        return {
            TaskKind.REVOKE_CREDENTIAL: TaskHandler(do=self.revoke, tries=math.inf),
            TaskKind.REVOKE_UNUSED: TaskHandler(do=self._enqueue_unused),
        }

    async def revoke(self, task: Task) -> None:
        """Revoke a secret; raise TaskRetry until the provider confirms or refuses, or the secret lapses."""
        account = await self._store.read(accounts.find_account_by_id, task.subject)
        if account is None or account.state != "revoking":
            return
        ended = await self._try_to_revoke(task, account, await self._store.now())
        notify = bool(task.payload.get("tell"))
        log.info("revocation ended", connection=account.connection, account=account.id, ended=ended)
        await self._store.carry_out(
            lambda tx: revocations.finish_revocation(tx, self._context, account, ended, notify=notify)
        )

    async def _try_to_revoke(self, task: Task, account: Account, now: float) -> revocations.RevocationOutcome:
        if now - (account.unlinked_at or 0.0) >= revocations.LAPSE_SECONDS:
            return "lapsed"
        wait = backoff(task.attempts + 1, self._jitter(), longest=MAX_RETRY_SECONDS)
        runtime = self._runtimes.get(account.connection)
        if runtime is None or not isinstance(runtime.provider, facets.Revocation):
            raise TaskRetry(wait)
        revoke = runtime.provider.revoke
        try:
            # The slot limits the number of revocations at a time, so that they don't delay people's calls.
            with hold_slot(runtime):
                answer = await self._provider_caller.call(
                    runtime, account, REVOKE_CALL, revoke, attempts=task.attempts
                )
        except TaskRetry:
            raise TaskRetry(wait) from None
        match answer:
            case Succeeded():
                return "deleted"
            case Rejected(error=CredentialRefused() | Forbidden() as error):
                if account.refused_since is None:
                    await self._store.carry_out(lambda tx: note_refused_revocation(tx, account.id))
                payload = MIN_REFUSAL_SECONDS - (now - (account.refused_since or now))
                if payload > 0:
                    raise TaskRetry(payload)
                return "forbidden" if isinstance(error, Forbidden) else "refused"
        raise TaskRetry(wait)

    async def _enqueue_unused(self, task: Task) -> None:
        """Queue the revocation of a secret issued for a checked token, unless an account uses it."""
        unused = _as_account(task)
        access = self._provider_caller.open(unused)
        if isinstance(access, Rejected) or await self._is_used(unused, access):
            return
        await self._store.carry_out(lambda tx: enqueue_revocation(tx, unused, notify=False))

    async def _is_used(self, unused: Account, access: base.Access) -> bool:
        """Return whether an account uses the token; both are decrypted, as ciphertexts depend on the key."""
        account = await self._store.read(accounts.find_account, unused.principal, unused.connection)
        if account is None or not account.secret:
            return False
        opened = self._provider_caller.open(account)
        # A secret that can't be decrypted can't be compared, so don't revoke it.
        return isinstance(opened, Rejected) or opened.credential.token == access.credential.token


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
