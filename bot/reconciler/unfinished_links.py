"""Credentials created for links that weren't finished: revoked, so that none is left behind."""

from __future__ import annotations

from bot.domain.people import Account, Principal, Task
from bot.providers import base
from bot.providers.base import Access
from bot.reconciler.ask import Refused
from bot.reconciler.context import EnginePart
from bot.reconciler.lists import settled


class UnfinishedLinks(EnginePart):
    """Revoke the credential that a provider issued to Usher for a checked token if no account uses it."""

    async def revoke(self, task: Task) -> None:
        """Revoke the payload's credential unless an account uses it; raise Again while there is no answer."""
        runtime = self._runtimes.get(str(task.payload["connection"]))
        if runtime is None or not isinstance(runtime.provider, base.Revocation):
            return
        unused = _as_account(task)
        access = self._asker.open(unused)
        if isinstance(access, Refused) or await self._is_used(unused, access):
            return
        revoking = self._asker.ask(runtime, unused, "revoke", runtime.provider.revoke, attempts=task.attempts)
        settled(await revoking)

    async def _is_used(self, unused: Account, access: Access) -> bool:
        """Compare tokens, not ciphertexts, which change with the key."""
        account = await self._store.account(unused.principal, unused.connection)
        if account is None or not account.secret:
            return False
        held = self._asker.open(account)
        # A secret that can't be decrypted can't be compared, so it is left alone.
        return isinstance(held, Refused) or held.credential.token == access.credential.token


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
