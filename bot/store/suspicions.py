"""Credentials that were refused and may be good all the same: looked at, told of, cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.models import TaskKind
from bot.store import links, rows
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.text import from_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.domain.models import Account, AuditEntry, NewNotice
    from bot.store.transaction import Row, Transaction


def suspect(tx: Transaction, account_id: str, secret: str, audit: Sequence[AuditEntry] = ()) -> bool:
    """Write down since when an active account's secret is refused; False when it was, or is another."""
    if not tx.run("suspect_account", id=account_id, secret=secret, now=tx.now()):
        return False
    append_audit(tx, audit)
    return True


def suspects(tx: Transaction) -> list[Account]:
    """Return the active accounts whose secret was refused, longest not looked at first."""
    return [rows.account(row) for row in tx.all("suspects")]


def claim_look(tx: Transaction, account_id: str, every: float) -> float | None:
    """Grant a look at a suspected account, once in ``every`` seconds; None for not now.

    Returns the seconds since the last look of this suspicion, 0 for its first.
    """
    row, now = tx.one("account_by_id", id=account_id), tx.now()
    if row is None or row["refused_since"] is None or row["state"] != "active":
        return None
    since = 0.0 if row["looked_at"] is None else now - row["looked_at"]
    # A last look that lies ahead was written by a clock that has been put right since.
    if row["looked_at"] is not None and 0.0 <= since < every:
        return None
    is_of_this = row["looked_at"] is not None and row["looked_at"] >= row["refused_since"]
    tx.run("look_at_account", id=account_id, now=now)
    return max(since, 0.0) if is_of_this else 0.0


def count(
    tx: Transaction,
    account_id: str,
    secret: str,
    seconds: float,
    least: float,
    notice: NewNotice | None = None,
) -> float:
    """Add to the time that refusals have lasted (``least`` at least); return it, 0 when it is over.

    The notice is written when its person waits for something of the account: an operation, a run, a command.
    """
    row = tx.one("count_refusal", id=account_id, secret=secret, seconds=seconds, least=least)
    if row is None:
        return 0.0
    if notice is not None and _waits(tx, row):
        add_notices(tx, [notice])
    return float(row["refused_for"])


def _waits(tx: Transaction, account: Row) -> bool:
    pair = {"principal": account["principal"], "connection": account["connection"]}
    if tx.all("open_operations_at", **pair) or tx.all("open_runs_at", **pair):
        return True
    return any(
        task["kind"] == TaskKind.SCHEDULE or from_json(task["payload"]).get("then")
        for task in tx.all("tasks_of_account", account_id=account["id"])
    )


def accept(tx: Transaction, account_id: str, secret: str) -> bool:
    """End a suspicion: operations, runs, reads and tasks of the account go on at once."""
    row = tx.one("trust_account", id=account_id, secret=secret)
    if row is None:
        return False
    resume(tx, row)
    return True


def resume(tx: Transaction, account: Row) -> None:
    """Let everything go on that waited for an account."""
    links.resume(tx, {"principal": account["principal"], "connection": account["connection"]})
    tx.run("hurry_tasks_of_account", account_id=account["id"], now=tx.now())


def totals(tx: Transaction, since: float, enough: int) -> Mapping[str, tuple[int, int, int]]:
    """Return for each connection with a suspicion how many accounts are refused, of how many lately read.

    Refused are those that ``count_refusal`` has counted; ``since`` is from when on a read is late enough.
    Whoever was read is counted up to ``enough``; the third number is of those refused only since then.
    """
    return {
        row["connection"]: (int(row["refused"]), int(row["lately"]), int(row["fresh"]))
        for row in tx.all("suspicion_totals", since=since, enough=enough)
    }
