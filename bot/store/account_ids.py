"""The ids that providers assign to accounts.

A link is suspended (it *rests*) if its username now belongs to an account with a different id.
"""

from collections.abc import Callable
from typing import Final

from bot.domain.accounts import Account, RemoteIdSource, is_unique
from bot.domain.holds import Hold
from bot.domain.tasks import TaskKind
from bot.store import cards
from bot.store.accounts import (
    SOME_OPEN_RUNS,
    SOME_WORKSPACES,
    find_username_holder,
    move_workspaces,
    refuse,
    resume_now,
)
from bot.store.fan_out import register_fan_out, start_fan_out
from bot.store.refusals import ACCEPTED
from bot.store.tables import ACCOUNTS, APPROVALS, FORM_VALUES, SNAPSHOTS, UNDECRYPTABLE_SECRETS, WORKSPACES
from bot.store.tasks import NewTask, add_tasks
from bot.store.transaction import Row, Transaction, concerns

#: If a username turns out to belong to another account, other links that were made by username may be wrong,
#: too. This is the maximum number of them to check on the same connection.
MAX_COMPARED_AT_ONCE: Final = 20


def learn_id(tx: Transaction, account: Account, remote_id: str, source: RemoteIdSource) -> bool:
    """Save an account's id, unless the account has changed in the meantime. Return whether it was saved."""
    now, same = tx.now(), {"id": account.id, "remote_id": account.remote_id, "state": "active"}
    learnt: Row = {"remote_id": remote_id, "remote_id_source": "", "remote_id_at": None, "compared_at": now}
    if remote_id:
        learnt |= {"remote_id_source": source, "remote_id_at": now}
    return ACCOUNTS.count_changed(tx, same, **learnt) == 1


@concerns(lambda account: [account.principal.key])
def note_compared(tx: Transaction, account: Account) -> None:
    """Record that an account's username was checked and that it still belongs to the same account."""
    ACCOUNTS.change(tx, {"id": account.id, "remote_id": account.remote_id}, compared_at=tx.now())


def rest(tx: Transaction, account: Account, other_id: str, block_reason: Hold) -> Account | None:
    """Suspend a link because its username now belongs to another account, and return the link.

    ``other_id`` is the id of the other account. Return None if the link has changed in the meantime. The
    link's secret and everything read through it are deleted, and its open operations and runs are put on hold
    with ``block_reason``.
    """
    current = ACCOUNTS.one(tx, id=account.id)
    if current is None or current.remote_id != account.remote_id:
        return None
    if not refuse(tx, current, block_reason):
        return None
    ACCOUNTS.change(tx, {"id": account.id}, resting_since=tx.now(), other_id=other_id)
    SNAPSHOTS.delete(tx, connection=account.connection, owner=account.id)
    UNDECRYPTABLE_SECRETS.delete(tx, account_id=account.id)
    FORM_VALUES.delete(tx, **account.pair)
    cards.queue_messages(tx, cards.make_link_key(**account.pair), changed=True)
    start_fan_out(tx, "resting", **account.pair)
    return ACCOUNTS.one(tx, id=account.id)


def _conceal(tx: Transaction, workspace: Row, _body: Row) -> None:
    """Delete a workspace's URL and details. The next read restores them."""
    WORKSPACES.change(
        tx, {"id": workspace["id"]}, verified_at=None, attempted_at=None, url=None, entry=None, detail=None
    )
    cards.queue_messages(tx, workspace["id"], changed=True)


def _is_resting(tx: Transaction, body: Row) -> bool:
    row = tx.one("account", principal=body["principal"], connection=body["connection"])
    return row is not None and row["resting_since"] is not None


register_fan_out(
    "resting",
    (SOME_WORKSPACES, _conceal),
    (SOME_OPEN_RUNS, lambda tx, row, _body: cards.queue_messages(tx, row["id"], changed=True)),
    holds=_is_resting,
)


def compare_others(tx: Transaction, account: Account) -> None:
    """Request new lists for a few other links made by username, because they may be wrong, too."""
    links = tx.all("links_by_name", connection=account.connection, limit=MAX_COMPARED_AT_ONCE)
    add_tasks(tx, [NewTask(TaskKind.DISCOVER, row["id"]) for row in links if row["id"] != account.id])


def list_resting(tx: Transaction, connection: str, since: float) -> list[Account]:
    """Return a connection's links that were suspended at or after a given time, oldest first."""
    return ACCOUNTS.query(tx, "resting_accounts", connection=connection, since=since)


def list_resting_connections(tx: Transaction, principal_key: str) -> frozenset[str]:
    """Return the connections on which a person's link is currently suspended (*resting*)."""
    return frozenset(row["connection"] for row in tx.all("resting_connections", principal=principal_key))


def count_resting(tx: Transaction) -> dict[str, int]:
    """Count the suspended (*resting*) links on each connection."""
    return {row["connection"]: row["count"] for row in tx.all("count_resting")}


def find_id_holder(tx: Transaction, account: Account) -> Account | None:
    """Return another person's link to an account with the same id, if there is one."""
    if not is_unique(account.remote_id):
        return None
    return ACCOUNTS.first(tx, "holder_of_remote_id", remote_id=account.remote_id, **account.pair)


def find_approved_email(tx: Transaction, account: Account) -> str | None:
    """Return the e-mail address that the account had when an administrator approved the link, if known."""
    row = APPROVALS.first(tx, "approved_email", username=account.username, **account.pair)
    return None if row is None else row.email


def rename(
    tx: Transaction, account: Account, username: str, moved: Callable[[str, str], tuple[str, str]]
) -> bool:
    """Save an account's new username.

    Return False if another link already uses it or the account has changed. For ``moved``, see
    ``bot.store.accounts.save``.
    """
    current = ACCOUNTS.one(tx, id=account.id)
    if current is None or current.username != account.username:
        return False
    holder = find_username_holder(tx, current, username)
    if holder is not None and not holder.is_resting:
        return False
    same = {"id": account.id, "username": account.username, "state": "active"}
    if not ACCOUNTS.count_changed(tx, same, username=username, compared_at=tx.now(), **ACCEPTED):
        return False
    move_workspaces(tx, moved, account.username, account.pair)
    cards.queue_messages(tx, cards.make_link_key(**account.pair), changed=True)
    if current.refused_since is not None:
        resume_now(tx, current)
    return True
