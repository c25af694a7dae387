"""Account ids from providers. They show whether a username has passed to someone else.

The account's id is stored with the link. Whenever the provider reports which account has the username now,
Usher compares that account's id with the stored one. If the ids differ, the link is suspended (it *rests*)
until its owner proves that the account is theirs, or an administrator approves it.
"""

from typing import Final

from bot.domain.accounts import (
    RESTING_NOTICE_DELAY_SECONDS,
    SAME_REST_SECONDS,
    Account,
    Comparison,
    RemoteIdSource,
    compare_remote_ids,
)
from bot.domain.audit import AuditEntry
from bot.domain.holds import hold_by_cause
from bot.domain.notices import NewNotice, NoticeKind
from bot.providers.access import RemoteAccount
from bot.services.context import Context
from bot.store import account_ids as rows
from bot.store import people
from bot.store.audit import append_audit
from bot.store.notices import add_notices, add_or_extend, is_written
from bot.store.transaction import Transaction

#: Cause of blocked work: the link's username now belongs to another account.
RESTING_CAUSE: Final = "another_account"
#: Cause of delayed work: the stored id couldn't be compared with the one that the provider reports.
UNCLEAR_CAUSE: Final = "account_unclear"


def compare_account(account: Account, current: RemoteAccount | None) -> Comparison:
    """Compare a linked account with the account that the provider reports now."""
    if not account.remote_id or current is None:
        return "unclear"
    return compare_remote_ids(account.remote_id, current.account_id)


def learn_id(tx: Transaction, account: Account, current: RemoteAccount | None, *, is_own_token: bool) -> None:
    """Save the id of an account that was linked before Usher stored ids, or whose provider gave no id then.

    The id is certain if the owner's own token opens the account, or if the account's e-mail address is either
    the approved one or the owner's address in Slack. Otherwise, the first id seen is saved.
    """
    remote_id = "" if current is None else current.account_id
    source: RemoteIdSource = "token" if is_own_token else "seen"
    if not is_own_token and current is not None and current.email:
        person = people.find_person(tx, account.principal)
        address = rows.find_approved_email(tx, account) or (person.email if person is not None else None)
        if address is not None and address.casefold() == current.email.casefold():
            source = "email"
    if rows.learn_id(tx, account, remote_id, source) and remote_id:
        detail = {"connection": account.connection, "username": account.username, "source": source}
        append_audit(tx, [AuditEntry("usher", "account.id_learnt", account.id, "ok", detail)])


def follow_rename(tx: Transaction, context: Context, account: Account, username: str) -> bool:
    """Save an account's new username if its id hasn't changed. Return False if another link has the name."""
    provider = context.connections[account.connection]

    def move_id(remote_id: str, former: str) -> tuple[str, str]:
        by_name = provider.id_after_rename(remote_id, former, username)
        return by_name, provider.gate_key(by_name)

    if not rows.rename(tx, account, username, move_id):
        return False
    detail = {"connection": account.connection, "username": username, "former": account.username}
    append_audit(tx, [AuditEntry("usher", "account.renamed", account.id, "ok", detail)])
    return True


def rest_account(tx: Transaction, context: Context, account: Account, other_id: str) -> bool:
    """Suspend a link whose username now belongs to another account. Notify its owner and administrators.

    Returns False if the link has been ended or replaced, or is already suspended. If several of a
    connection's links are suspended together, for example after a server was reinstalled, administrators
    receive a single message.
    """
    resting = rows.rest(tx, account, other_id, hold_by_cause(RESTING_CAUSE))
    if resting is None or resting.resting_since is None:
        return False
    about = {"connection": resting.connection, "username": resting.username}
    occasion = f"{resting.resting_since:.3f}"
    add_notices(tx, [NewNotice(resting.id, NoticeKind.LINK_RESTING, occasion, resting.principal, about)])
    detail = {**about, "known": resting.remote_id or "", "found": other_id}
    append_audit(tx, [AuditEntry("usher", "account.rested", resting.id, "refused", detail)])
    _notify_administrators(tx, context, resting)
    if len(rows.list_resting(tx, resting.connection, tx.now() - SAME_REST_SECONDS)) == 1:
        rows.compare_others(tx, resting)
    return True


def _notify_administrators(tx: Transaction, context: Context, account: Account) -> None:
    installation, now, connection = context.installation, tx.now(), account.connection
    among = rows.list_resting(tx, connection, now - SAME_REST_SECONDS)
    for reader in installation.list_administrators():
        if not installation.decides(reader, account.principal):
            continue
        decided = [other for other in among if installation.decides(reader, other.principal)]
        first = decided[0] if decided else account
        subject, kind = f"resting:{connection}:{reader.key}", NoticeKind.LINKS_RESTING
        alone, several = (f"{word}:{first.id}:{first.resting_since:.3f}" for word in ("one", "several"))
        if is_written(tx, subject, kind, several):
            continue
        is_several = is_written(tx, subject, kind, alone)
        body = {"connection": connection, "accounts": [account.id], "is_several": is_several}
        occasion = several if is_several else alone
        add_or_extend(
            tx, NewNotice(subject, kind, occasion, reader, body, RESTING_NOTICE_DELAY_SECONDS), "accounts"
        )
