"""Secrets of ended accounts, which are kept until the providers have revoked them."""

from dataclasses import replace

from bot.domain.accounts import Account
from bot.domain.tasks import TaskKind
from bot.store import tasks
from bot.store.tables import ACCOUNTS
from bot.store.tasks import NewTask
from bot.store.transaction import Priority, Transaction, prioritize


def enqueue_revocation(tx: Transaction, ended: Account, *, notify: bool, due_in: float = 0.0) -> None:
    """Mark the secret of an ended link as awaiting revocation, and add the task that revokes it.

    If ``notify`` is true, the owner is told the outcome. The task becomes due in ``due_in`` seconds, so that
    calls that still use the secret can finish.
    """
    ACCOUNTS.delete(tx, id=ended.id)
    account = replace(ended, state="revoking", unlinked_at=tx.now(), refused_since=None, remind_at=None)
    ACCOUNTS.add(tx, account)
    tasks.add_tasks(tx, [NewTask(TaskKind.REVOKE_CREDENTIAL, account.id, {"tell": notify}, due_in)])


@prioritize(Priority.STEADY)
def list_pending_revocations(tx: Transaction) -> list[Account]:
    """Return the accounts whose revocation is pending, oldest first."""
    return ACCOUNTS.query(tx, "pending_revocations")


def note_refused_revocation(tx: Transaction, account_id: str) -> None:
    """Record that a provider refuses to revoke an account's secret.

    If this is already recorded, do nothing.
    """
    ACCOUNTS.change(
        tx, {"id": account_id, "state": "revoking", "refused_since": None}, refused_since=tx.now()
    )


def drop(tx: Transaction, account_id: str) -> bool:
    """Erase a secret that is awaiting revocation. Return False if another process has already erased it."""
    return ACCOUNTS.count_deleted(tx, id=account_id, state="revoking") == 1
