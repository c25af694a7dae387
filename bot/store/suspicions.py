"""Refused credentials that may still be valid: checked, reported, cleared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.notices import NewNotice
from bot.domain.people import Account, AuditEntry, TaskKind
from bot.store import links
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.tables import ACCOUNTS, OPERATIONS, RUNS
from bot.store.text import from_json
from bot.store.transaction import Row, Transaction


def suspect(tx: Transaction, account_id: str, secret: str, audit: Sequence[AuditEntry] = ()) -> bool:
    """Record when an active account's secret was first refused.

    Return False if that is already recorded, or if the secret has changed.
    """
    if not ACCOUNTS.change(
        tx,
        {"id": account_id, "secret": secret, "state": "active", "refused_since": None},
        refused_since=tx.now(),
        refused_for=0,
    ):
        return False
    append_audit(tx, audit)
    return True


def suspects(tx: Transaction) -> list[Account]:
    """Return the active accounts whose secret was refused, least recently checked first."""
    return [ACCOUNTS.of(row) for row in tx.all("suspects")]


def claim_look(tx: Transaction, account_id: str, every: float) -> float | None:
    """Grant a check of a suspected account at most once every ``every`` seconds.

    Return the seconds since the last check during this suspicion, 0 for the first, None if it is too early.
    """
    row, now = ACCOUNTS.row(tx, id=account_id), tx.now()
    if row is None or row["refused_since"] is None or row["state"] != "active":
        return None
    since = 0.0 if row["looked_at"] is None else now - row["looked_at"]
    # A last check in the future was written by a clock that has since been corrected.
    if row["looked_at"] is not None and 0.0 <= since < every:
        return None
    is_of_this = row["looked_at"] is not None and row["looked_at"] >= row["refused_since"]
    ACCOUNTS.change(tx, {"id": account_id}, looked_at=now)
    return max(since, 0.0) if is_of_this else 0.0


def count(
    tx: Transaction,
    account_id: str,
    secret: str,
    seconds: float,
    least: float,
    notice: NewNotice | None = None,
) -> float:
    """Add ``seconds`` to how long the refusals have lasted (at least ``least``) and return the total.

    Return 0 if they have ended. The notice is written only if its person is waiting for an operation, a run
    or a command on the account.
    """
    row = tx.one("count_refusal", id=account_id, secret=secret, seconds=seconds, least=least)
    if row is None:
        return 0.0
    if notice is not None and _waits(tx, row):
        add_notices(tx, [notice])
    return float(row["refused_for"])


def _waits(tx: Transaction, account: Row) -> bool:
    pair = {"principal": account["principal"], "connection": account["connection"]}
    if OPERATIONS.row(tx, **pair, outcome=None) or RUNS.row(tx, **pair, outcome=None):
        return True
    return any(
        task["kind"] == TaskKind.SCHEDULE or from_json(task["payload"]).get("then")
        for task in tx.all("tasks_of_account", account_id=account["id"])
    )


def accept(tx: Transaction, account_id: str, secret: str) -> bool:
    """End a suspicion: operations, runs, reads and tasks of the account resume at once."""
    row = tx.one("trust_account", id=account_id, secret=secret)
    if row is None:
        return False
    resume(tx, row)
    return True


def resume(tx: Transaction, account: Row) -> None:
    """Resume everything that waited for an account."""
    links.resume(tx, {"principal": account["principal"], "connection": account["connection"]})
    tx.run("hurry_tasks_of_account", account_id=account["id"], now=tx.now())


def totals(tx: Transaction, since: float, enough: int) -> Mapping[str, tuple[int, int, int]]:
    """Return, for each connection with a suspicion, how many accounts are refused and how many were read.

    Credentials that have ended say nothing of the connection, and are left out.

    An account counts as refused once ``count_refusal`` has counted it, and as read if that was after
    ``since``; reads are counted up to ``enough``. The third number counts those refused only since then.
    """
    return {
        row["connection"]: (int(row["refused"]), int(row["lately"]), int(row["fresh"]))
        for row in tx.all("suspicion_totals", since=since, enough=enough, now=tx.now())
    }
