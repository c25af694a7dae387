"""Credentials: an account's secret, replaced, sealed with another key, set aside and restored."""

from typing import Any

from bot.domain.accounts import Account, plan_first_reminder
from bot.store.accounts import resume_now
from bot.store.refusals import ACCEPTED
from bot.store.tables import ACCOUNTS, UNDECRYPTABLE_SECRETS
from bot.store.transaction import Transaction


def set_secret_aside(tx: Transaction, account_id: str, secret: str) -> None:
    """Keep for a week, sealed as it is, the secret of an account that was refused as no key opens it."""
    UNDECRYPTABLE_SECRETS.upsert(tx, account_id=account_id, secret=secret, removed_at=tx.now())


def list_undecryptable_accounts(tx: Transaction) -> list[Account]:
    """Return the accounts whose secrets no key opened, with these, as far as they are refused still."""
    return [
        ACCOUNTS.parse({**row, "secret": row["undecryptable_secret"]})
        for row in tx.all("accounts_with_undecryptable_secrets")
    ]


def restore_secret(tx: Transaction, account_id: str, secret: str) -> bool:
    """Let a link go on whose secret opens again; return False if it was ended meanwhile."""
    UNDECRYPTABLE_SECRETS.delete(tx, account_id=account_id)
    refused = {"id": account_id, "state": "refused"}
    row = ACCOUNTS.change_returning(tx, refused, state="active", secret=secret, **ACCEPTED)
    if row is not None:
        resume_now(tx, ACCOUNTS.parse(row))
    return row is not None


def reseal_account(tx: Transaction, account_id: str, old: str, new: str) -> bool:
    """Replace a stored secret by the same, sealed with another key; return False if it has changed."""
    return ACCOUNTS.count_changed(tx, {"id": account_id, "secret": old}, secret=new) == 1


def save_secret(
    tx: Transaction,
    account_id: str,
    old: str,
    new: str,
    *,
    is_fresh: bool = False,
    expires_at: float | None = None,
) -> bool:
    """Replace a stored secret if it is still ``old``.

    What waited for a refused one goes on with a fresh one, which may end at ``expires_at``.
    """
    before = ACCOUNTS.row(tx, id=account_id)
    known: dict[str, Any] = {}
    # What is known about the old secret doesn't apply to a fresh one; a re-encrypted one is the same secret.
    if is_fresh:
        known = {**ACCEPTED}
        if before is not None and not ACCOUNTS.parse(before).is_approved:
            # What ends by itself isn't prolonged by what opens it.
            known |= {"expires_at": expires_at, "remind_at": plan_first_reminder(tx.now(), expires_at)}
    if not ACCOUNTS.count_changed(
        tx, {"id": account_id, "secret": old, "state": "active"}, secret=new, **known
    ):
        return False
    if is_fresh and before is not None and before["refused_since"] is not None:
        resume_now(tx, ACCOUNTS.parse(before))
    return True
