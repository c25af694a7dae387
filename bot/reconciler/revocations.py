"""Pending revocations: the secrets of links that have ended, until their providers confirm it."""

import math
from typing import Final

import structlog

from bot.domain.accounts import Account
from bot.domain.people import Principal
from bot.domain.plan import backoff
from bot.domain.tasks import Task, TaskKind
from bot.providers import base
from bot.reconciler.context import EngineContext
from bot.reconciler.provider_calls import REVOKE, Rejected, Succeeded
from bot.reconciler.tasks import Again, BaseTaskWorker, Work, slot
from bot.services import revocations
from bot.store import accounts
from bot.store.revocations import enqueue_revocation, revocation_refused
from bot.support.errors import CredentialRefused, Forbidden

log = structlog.get_logger(__name__)

#: A single refusal proves nothing (docs/internals/rules.md, "One observation is not the truth"); seconds to
#: the second.
SECOND_LOOK: Final = 900.0
#: The longest wait, in seconds, between two attempts.
LONGEST: Final = 1_200.0


class Revocations(BaseTaskWorker):
    """Have providers delete the secrets that are used no more."""

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._jitter = engine.jitter

    def works(self) -> dict[TaskKind, Work]:
        """Return how secrets are revoked: as often as it takes, until that has an end of its own."""
        return {
            TaskKind.REVOCATION: Work(do=self.revoke, tries=math.inf),
            TaskKind.REVOKE_UNUSED: Work(do=self._enqueue_unused),
        }

    async def revoke(self, task: Task) -> None:
        """Revoke a secret; raise Again as long as its provider hasn't confirmed it."""
        account = await self._store.read(accounts.account_by_id, task.subject)
        if account is None or account.state != "revoking":
            return
        ended = await self._ended(task, account, await self._store.now())
        notify = bool(task.payload.get("tell"))
        log.info("revocation ended", connection=account.connection, account=account.id, ended=ended)
        await self._store.carry_out(
            lambda tx: revocations.settle(tx, self._context, account, ended, notify=notify)
        )

    async def _ended(self, task: Task, account: Account, now: float) -> revocations.Ended:
        if now - (account.unlinked_at or 0.0) >= revocations.LAPSES_AFTER:
            return "lapsed"
        wait = backoff(task.attempts + 1, self._jitter(), longest=LONGEST)
        runtime = self._runtimes.get(account.connection)
        if runtime is None or not isinstance(runtime.provider, base.Revocation):
            raise Again(wait)
        revoke = runtime.provider.revoke
        try:
            # However many are pending at once, they hold up nobody's list.
            with slot(runtime):
                answer = await self._provider_caller.call(
                    runtime, account, REVOKE, revoke, attempts=task.attempts
                )
        except Again:
            raise Again(wait) from None
        match answer:
            case Succeeded():
                return "deleted"
            case Rejected(error=CredentialRefused() | Forbidden() as error):
                if account.refused_since is None:
                    await self._store.carry_out(lambda tx: revocation_refused(tx, account.id))
                left = SECOND_LOOK - (now - (account.refused_since or now))
                if left > 0:
                    raise Again(left)
                return "forbidden" if isinstance(error, Forbidden) else "refused"
        raise Again(wait)

    async def _enqueue_unused(self, task: Task) -> None:
        """Enqueue the revocation of what a provider issued to Usher for a checked token, unless used."""
        unused = _as_account(task)
        access = self._provider_caller.open(unused)
        if isinstance(access, Rejected) or await self._is_used(unused, access):
            return
        await self._store.carry_out(lambda tx: enqueue_revocation(tx, unused, notify=False))

    async def _is_used(self, unused: Account, access: base.Access) -> bool:
        """Compare tokens, not ciphertexts, which change with the key."""
        account = await self._store.read(accounts.account, unused.principal, unused.connection)
        if account is None or not account.secret:
            return False
        opened = self._provider_caller.open(account)
        # A secret that can't be decrypted can't be compared, so it is left alone.
        return isinstance(opened, Rejected) or opened.credential.token == access.credential.token


def _as_account(task: Task) -> Account:
    left = task.payload
    return Account(
        id=task.id,
        principal=Principal.from_key(str(left["principal"])),
        connection=str(left["connection"]),
        username=str(left["username"]),
        secret=str(left["secret"]),
        state="revoking",
        linked_at=task.created_at,
    )
