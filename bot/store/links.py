"""Links: one-time invitations to link an account, up to the linked account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from bot.domain.people import Account, AuditEntry, Link, Principal, TaskKind
from bot.domain.telling import first_reminder
from bot.store import approvals, cards, gates, people, runs, snapshots
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.queries import setting
from bot.store.records import Activation
from bot.store.tables import ACCOUNTS, APPROVALS, GATES, LINKS, OPERATIONS, TASKS, WORKSPACES
from bot.store.tasks import add_tasks
from bot.store.transaction import Transaction


def new(tx: Transaction, link: Link, audit: Sequence[AuditEntry] = (), interaction: str = "") -> bool:
    """Write a fresh link; older unused ones of the same principal and connection expire at once.

    Return False, nothing written, for a repeated interaction: its first link stays as it is.
    """
    if not people.first_sight(tx, interaction):
        return False
    expire(tx, link.principal.key, link.connection)
    LINKS.add(tx, link)
    append_audit(tx, audit)
    return True


def expire(tx: Transaction, principal_key: str, connection: str) -> None:
    """Expire the unused links of a pair, and delete the secrets they hold."""
    tx.run("expire_links", principal=principal_key, connection=connection, now=tx.now())


def link(tx: Transaction, nonce_hash: str) -> Link | None:
    """Return a link, used or expired ones too (they are kept for a day, for honest answers)."""
    return LINKS.one(tx, nonce_hash=nonce_hash)


def change(tx: Transaction, link: Link, expected_stage: str, expected_tries: int) -> bool:
    """Write a link's new stage if it is unexpired and still in ``expected_stage``.

    Its ``tries_left`` must also still be ``expected_tries``, so that each of many simultaneous guesses costs
    one try. Return False if another write came first.
    """
    expected = {"expected_stage": expected_stage, "expected_tries": expected_tries, "now": tx.now()}
    return tx.run(setting("change_link", *LINKS.fields), **LINKS.columns(link), **expected) == 1


def open_of(tx: Transaction, principal: Principal, stage: str) -> Link | None:
    """Return the newest unexpired link of a principal in a stage (for the code typed back)."""
    row = tx.one("open_link_of", principal=principal.key, stage=stage, now=tx.now())
    return LINKS.of(row) if row else None


def activate(
    tx: Transaction, nonce_hash: str, expected_stage: str, activation: Activation
) -> Literal["ok", "gone", "taken"]:
    """Consume a link and write its account, atomically.

    ``gone`` if it was used or expired meanwhile; ``taken`` if another principal has that username on that
    connection (empty usernames never clash). A former account of the same pair is replaced; open operations
    and runs that waited for it continue (hold cleared, stepped at once).
    """
    account = activation.account
    pair = {"principal": account.principal.key, "connection": account.connection}
    existing = LINKS.row(tx, nonce_hash=nonce_hash)
    if (
        existing is None
        or existing["stage"] != expected_stage
        or existing["expires_at"] <= tx.now()
        or (existing["principal"], existing["connection"]) != (pair["principal"], pair["connection"])
    ):
        return "gone"
    if tx.one("holder_of_username", username=account.username, **pair) is not None:
        return "taken"
    if tx.one("use_link", nonce_hash=nonce_hash, expected_stage=expected_stage, now=tx.now()) is None:
        return "gone"
    _stand(tx, activation, pair)
    return "ok"


def activate_directly(
    tx: Transaction, activation: Activation, approval_id: str = ""
) -> Literal["ok", "gone", "taken"]:
    """Write an account without a link page (approval, import, connections without people).

    Return ``ok``, or ``taken`` if the username belongs to somebody else there. An account of the same pair is
    replaced as by ``activate``. With ``approval_id`` that request becomes ``linked`` in the same transaction;
    ``gone``, nothing written, if it is no longer ``approved``.
    """
    account = activation.account
    pair = {"principal": account.principal.key, "connection": account.connection}
    if tx.one("holder_of_username", username=account.username, **pair) is not None:
        return "taken"
    if approval_id and not _has_approval(tx, approval_id, account):
        return "gone"
    _stand(tx, activation, pair)
    return "ok"


def _has_approval(tx: Transaction, approval_id: str, account: Account) -> bool:
    """Use up an approval; return False if it was withdrawn meanwhile or is for somebody else."""
    row = APPROVALS.row(tx, id=approval_id)
    if row is None or (row["principal"], row["connection"]) != (account.principal.key, account.connection):
        return False
    return approvals.move(tx, approval_id, "linked") is not None


def _stand(tx: Transaction, activation: Activation, pair: dict[str, str]) -> None:
    """Write an account, and resume what waited for it."""
    _put(tx, activation, pair)
    resume(tx, pair)
    TASKS.delete(tx, kind=TaskKind.REVOKE_UNUSED, subject=activation.settles)
    add_tasks(tx, activation.tasks)
    add_notices(tx, activation.notices)
    append_audit(tx, activation.audit)


def _put(tx: Transaction, activation: Activation, pair: dict[str, str]) -> None:
    account = activation.account
    former = tx.one("replace_account", **pair)
    if former is not None:
        snapshots.delete_of(tx, account.connection, former["id"])
        if former["renamed_to"] == account.username and activation.moved is not None:
            _move(tx, activation.moved, former["username"], pair)
    if former is None or former["username"] != account.username or not account.username:
        # Access verified with another account proves nothing about this one.
        WORKSPACES.change(tx, pair, verified_at=None, tried_at=None)
    remind_at = first_reminder(account.linked_at, account.ends_at)
    ACCOUNTS.add(tx, replace(account, remind_at=remind_at))


def _move(
    tx: Transaction, moved: Callable[[str, str], tuple[str, str]], former: str, pair: dict[str, str]
) -> None:
    """Let workspaces be found by their person's new name; what was found by it meanwhile stays as it is."""
    found = WORKSPACES.rows(tx, **pair)
    taken = {row["remote_id"] for row in found}
    for row in found:
        remote_id, gate_key = moved(row["remote_id"], former)
        if remote_id in taken:
            continue
        GATES.add_new(tx, gate_key=gate_key, connection=pair["connection"], remote_id=remote_id)
        WORKSPACES.change(tx, {"id": row["id"]}, remote_id=remote_id, gate_key=gate_key)
        tx.run("rest_gate_without_reader", gate_key=row["gate_key"])


def resume(tx: Transaction, pair: dict[str, str]) -> None:
    """Resume what waited for the account: operations at once, watches with the next read."""
    for operation in OPERATIONS.rows(tx, "created_at, id", **pair, outcome=None):
        tx.run("resume_operation", id=operation["id"], now=tx.now())
        if operation["hold"] or operation["read_hold"]:
            cards.owe(tx, operation["id"], changed=True)
    runs.resume_all(tx, pair)
    cards.owe_about(tx, cards.of_link(pair["principal"], pair["connection"]), changed=True)
    for workspace in WORKSPACES.rows(tx, **pair, hidden=False):
        gates.make_due(tx, workspace)
