"""Refused secrets: recording them, trying them again, and resuming work once the provider accepts them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.domain.accounts import Account
from bot.domain.notices import NewNotice
from bot.store import outages
from bot.store.accounts import resume_now
from bot.store.fan_out import register_fan_out, select_some, start_fan_out
from bot.store.outages import PEOPLE
from bot.store.tables import ACCOUNTS
from bot.store.transaction import Priority, Row, Transaction, prioritize

#: The column values of an account whose secret the provider accepts.
ACCEPTED: Final[Mapping[str, Any]] = {"refused_since": None, "renamed_to": None}


def hold(tx: Transaction, account: Account, renamed_to: str | None) -> Account | None:
    """Record that an active account's secret was refused. Return the account, or None if it has changed.

    ``renamed_to`` is the account's new username, if the provider has renamed it. If the person links that
    username, the account's workspaces are kept.
    """
    now, same = tx.now(), {"id": account.id, "secret": account.secret, "state": "active"}
    ACCOUNTS.change(tx, {**same, "refused_since": None}, refused_since=now)
    row = ACCOUNTS.change_returning(tx, same, checked_at=now, renamed_to=renamed_to)
    return None if row is None else ACCOUNTS.parse(row)


@prioritize(Priority.STEADY)
def list_refused_accounts(tx: Transaction) -> list[Account]:
    """Return the active accounts whose secrets are refused."""
    return ACCOUNTS.query(tx, "held_accounts")


def are_several(tx: Transaction, connection: str, since: float) -> bool:
    """Return whether a connection refuses several people's secrets or has an outage for that reason.

    Only accounts refused since a given time are counted. Expired secrets and renamed accounts don't count.
    """
    (row,) = tx.all("refused_since", connection=connection, since=since, now=tx.now())
    return row["count"] > 1 or f"{connection}{PEOPLE}" in outages.list_outages(tx)


def try_refused(tx: Transaction, account: Account) -> bool:
    """Claim the next attempt to use a refused account. Return False if another process has claimed it."""
    same = {"id": account.id, "checked_at": account.checked_at}
    return ACCOUNTS.count_changed(tx, same, checked_at=tx.now()) == 1


def try_at_once(tx: Transaction, account: Account) -> None:
    """Let the next call try a refused secret again, because its owner has just requested something."""
    ACCOUNTS.change(tx, {"id": account.id}, checked_at=None)


def end_outage(tx: Transaction, name: str, notices: Sequence[NewNotice] = ()) -> bool:
    """Mark an outage as over (see ``outages.end``), and retry the accounts that were refused during it."""
    is_over = outages.end(tx, name, notices)
    if is_over and name.endswith(PEOPLE):
        start_fan_out(tx, "accepted", connection=name.removesuffix(PEOPLE))
    return is_over


def _try(tx: Transaction, row: Row, _said: Row) -> None:
    account = ACCOUNTS.parse(row)
    try_at_once(tx, account)
    resume_now(tx, account)


_HELD: Final = "connection = :connection AND refused_since IS NOT NULL AND state = 'active'"
register_fan_out("accepted", (select_some("accounts", _HELD), _try))


def note_accepted(tx: Transaction, account: Account) -> bool:
    """Resume an account's work because its secret was accepted. Return False if the account has changed."""
    same = {"id": account.id, "secret": account.secret, "state": "active"}
    if not ACCOUNTS.count_changed(tx, same, **ACCEPTED):
        return False
    resume_now(tx, account)
    return True
