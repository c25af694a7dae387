"""Secrets of removed links. Each secret is kept until its provider has revoked it.

The secret stays encrypted and isn't used for anything else. A person who was promised an update is told once
the secret has been revoked or it is clear that it can't be.
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

#: What remains at the provider after a link is removed: a secret that Usher revokes (``owed``), a secret that
#: the user has to delete (``theirs``), or no secret of the user's own (``none``).
RemainingSecret = Literal["owed", "theirs", "none"]
#: The outcome of a revocation. After ``forbidden`` or ``lapsed``, the secret may still be valid.
RevocationOutcome = Literal["deleted", "refused", "forbidden", "lapsed"]
#: Maximum time, in seconds, that a secret is kept if its provider never responds. Usher then erases it.
LAPSE_SECONDS: Final = 30 * 86_400.0
#: Delay before a replaced secret is revoked, in seconds. Until then, calls in progress can still use it.
CALLS_UNDER_WAY_SECONDS: Final = 60.0
_DAY_SECONDS: Final = 86_400.0


def classify_remaining_secret(context: Context, account: Account, successor: str = "") -> RemainingSecret:
    """Classify the secret that a removed account leaves behind at its provider.

    ``successor`` is the encrypted secret that replaces it, or "". If the provider can revoke secrets, even a
    secret that no key can decrypt is ``owed``, because the key may be restored.
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
    """Replace an account's credential with a fresh one, and queue the revocation of the old one.

    If the old credential has been removed or replaced in the meantime, the fresh one is revoked instead.
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
    """Erase a secret. If ``notify`` is true, tell its owner the outcome, as promised.

    If the secret may still be valid, administrators are told, at most once a day for each connection.
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
