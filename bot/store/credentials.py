"""Credentials: replacing, re-encrypting, setting aside and restoring an account's secret."""

from typing import Any

from bot.domain.accounts import Account, plan_first_reminder
from bot.store.accounts import resume_now
from bot.store.refusals import ACCEPTED
from bot.store.tables import ACCOUNTS, UNDECRYPTABLE_SECRETS
from bot.store.transaction import Transaction


def set_secret_aside(tx: Transaction, account_id: str, secret: str) -> None:
    """Keep a secret that no key can decrypt for a week. Its account has been marked as refused."""
    UNDECRYPTABLE_SECRETS.upsert(tx, account_id=account_id, secret=secret, removed_at=tx.now())


def list_undecryptable_accounts(tx: Transaction) -> list[Account]:
    """Return the accounts that are refused because no key could decrypt their secrets, with those secrets."""
    return [
        ACCOUNTS.parse({**row, "secret": row["undecryptable_secret"]})
        for row in tx.all("accounts_with_undecryptable_secrets")
    ]


def restore_secret(tx: Transaction, account_id: str, secret: str) -> bool:
    """Resume a link whose secret can be decrypted again. Return False if it is no longer refused."""
    UNDECRYPTABLE_SECRETS.delete(tx, account_id=account_id)
    refused = {"id": account_id, "state": "refused"}
    row = ACCOUNTS.change_returning(tx, refused, state="active", secret=secret, **ACCEPTED)
    if row is not None:
        resume_now(tx, ACCOUNTS.parse(row))
    return row is not None


def save_secret(
    tx: Transaction,
    account_id: str,
    old: str,
    new: str,
    *,
    is_fresh: bool = False,
    expires_at: float | None = None,
) -> bool:
    """Replace a stored secret if it is still ``old``, and return whether it was replaced.

    ``is_fresh`` means that the secret is new, not just re-encrypted. It may expire at ``expires_at``. Work
    that was waiting because the old secret had been refused is resumed.
    """
    before = ACCOUNTS.row(tx, id=account_id)
    known: dict[str, Any] = {}
    # Facts about the old secret don't apply to a new one, but they still apply to a re-encrypted one.
    if is_fresh:
        known = {**ACCEPTED}
        if before is not None and not ACCOUNTS.parse(before).is_approved:
            # An approval has an expiry date, which a new secret doesn't extend.
            known |= {"expires_at": expires_at, "remind_at": plan_first_reminder(tx.now(), expires_at)}
    if not ACCOUNTS.count_changed(
        tx, {"id": account_id, "secret": old, "state": "active"}, secret=new, **known
    ):
        return False
    if is_fresh and before is not None and before["refused_since"] is not None:
        resume_now(tx, ACCOUNTS.parse(before))
    return True
