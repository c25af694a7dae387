"""Pending revocations: the secret of an ended link until its provider has revoked it.

The secret stays sealed and is used for nothing else. Whoever was told that it isn't used any more is told
again once the provider has confirmed that it is gone, or that it couldn't be had deleted.
"""

from dataclasses import replace
from typing import Final, Literal

from bot.domain.accounts import Account
from bot.domain.audit import AuditEntry
from bot.domain.notices import NewNotice, NoticeKind
from bot.providers import base, facets
from bot.services.context import Context
from bot.store import credentials, revocations
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.transaction import Transaction
from bot.support.errors import SecretError
from bot.support.vault import row_key

#: What is left: a secret that is Usher's to revoke, one that its person has to delete, or nothing of theirs.
RemainingSecret = Literal["owed", "theirs", "none"]
#: How a revocation ended: ``forbidden`` and ``lapsed`` leave a secret that may still be valid.
RevocationOutcome = Literal["deleted", "refused", "forbidden", "lapsed"]
#: After so many seconds without a provider's word the secret is erased all the same.
LAPSE_SECONDS: Final = 30 * 86_400.0
#: For how many seconds calls may go on that began with a secret before it was replaced.
CALLS_UNDER_WAY_SECONDS: Final = 60.0
_DAY_SECONDS: Final = 86_400.0


def classify_remaining_secret(context: Context, account: Account, successor: str = "") -> RemainingSecret:
    """Classify the secret that an ending account leaves at its provider; ``successor`` is the next secret.

    What no key opens is pending, too: the key may come back.
    """
    provider = context.connections.get(account.connection)
    if account.state != "active":
        return "none"
    row = row_key(account.principal.key, account.connection)
    try:
        opened = context.vault.open(row, account.secret)
    except SecretError:
        is_ours = provider is not None and isinstance(provider, facets.Revocation)
        return "owed" if is_ours else "none"
    credential = base.Credential.from_mapping(opened)
    if credential.owner != "person" or (successor and context.vault.open(row, successor) == opened):
        return "none"
    if provider is None or not isinstance(provider, facets.Revocation):
        return "theirs"
    return "owed" if provider.can_revoke(credential) else "theirs"


def replace_secret(tx: Transaction, context: Context, account: Account, fresh: base.Credential) -> None:
    """Use a fresh credential of Usher's own in place of the one before, whose revocation is enqueued.

    If that was ended or replaced meanwhile, it is the fresh one that nobody uses.
    """
    sealed = context.vault.seal(row_key(account.principal.key, account.connection), fresh.as_mapping())
    is_used = credentials.save_secret(
        tx, account.id, account.secret, sealed, is_fresh=True, expires_at=fresh.expires_at
    )
    unused = replace(account, id=tx.ids.new("account"), secret=account.secret if is_used else sealed)
    revocations.enqueue_revocation(tx, unused, notify=False, due_in=CALLS_UNDER_WAY_SECONDS)
    detail = {"account": account.id, "connection": account.connection}
    append_audit(
        tx, [AuditEntry("usher", "account.renew", account.id, "ok" if is_used else "unused", detail)]
    )


def finish_revocation(
    tx: Transaction, context: Context, account: Account, ended: RevocationOutcome, *, notify: bool
) -> None:
    """Erase a secret, and notify its person of the revocation's outcome where that was promised.

    Administrators are told what may still be valid, once a day for a connection.
    """
    if not revocations.drop(tx, account.id):
        return
    is_gone = ended in {"deleted", "refused"}
    detail = {"account": account.id, "username": account.username, "ended": ended}
    target, result = f"{account.principal.key}/{account.connection}", "ok" if is_gone else "refused"
    append_audit(tx, [AuditEntry("usher", "account.revoked", target, result, detail)])
    about = {"connection": account.connection}
    if notify:
        body = about | {"ended": ended}
        add_notices(tx, [NewNotice(account.id, NoticeKind.REVOKED, "revoked", account.principal, body)])
    if not is_gone:
        place, day = context.installation, tx.now() // _DAY_SECONDS
        for one in place.filter_administrators(lambda one: place.are_together(one, account.principal)):
            occasion = f"{day:.0f}:{one.key}"
            add_notices(tx, [NewNotice(account.connection, NoticeKind.NOT_REVOKED, occasion, one, about)])
