"""Refusals of people's sign-ins: since when, who tries again, and what goes on once one is accepted."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.domain.accounts import Account
from bot.domain.notices import NewNotice
from bot.store import outages
from bot.store.accounts import resume_now
from bot.store.fan_out import register_fan_out, start_fan_out
from bot.store.outages import PEOPLE
from bot.store.tables import ACCOUNTS
from bot.store.transaction import Priority, Row, Transaction, prioritize

#: What is known of a secret that its provider accepts.
ACCEPTED: Final[Mapping[str, Any]] = {"refused_since": None, "refused_for": 0, "renamed_to": None}


def hold(tx: Transaction, account: Account, renamed_to: str | None) -> Account | None:
    """Note that an active account's secret was refused now; return the account, None if that has changed.

    ``renamed_to`` is its name at the provider by now: once that is linked, its workspaces are found by it.
    """
    now, same = tx.now(), {"id": account.id, "secret": account.secret, "state": "active"}
    ACCOUNTS.change(tx, {**same, "refused_since": None}, refused_since=now)
    row = ACCOUNTS.change_returning(tx, same, checked_at=now, renamed_to=renamed_to)
    return None if row is None else ACCOUNTS.parse(row)


@prioritize(Priority.STEADY)
def list_refused_accounts(tx: Transaction) -> list[Account]:
    """Return the active accounts that their providers refuse."""
    return ACCOUNTS.query(tx, "held_accounts")


def are_several(tx: Transaction, connection: str, since: float) -> bool:
    """Return whether a connection refuses several people: two since then, or everybody still.

    Secrets that have ended, and accounts that have another name, say nothing of the connection.
    """
    row = tx.one("refused_since", connection=connection, since=since, now=tx.now())
    return (row is not None and row["count"] > 1) or f"{connection}{PEOPLE}" in outages.list_outages(tx)


def try_refused(tx: Transaction, account: Account) -> bool:
    """Grant the next try of a refused account; return False if somebody else has got it."""
    return (
        ACCOUNTS.count_changed(tx, {"id": account.id, "checked_at": account.checked_at}, checked_at=tx.now())
        == 1
    )


def try_at_once(tx: Transaction, account: Account) -> None:
    """Let the next call try an account, should it be refused: its person asks for something."""
    if account.is_held:
        ACCOUNTS.change(tx, {"id": account.id}, checked_at=None)


def end_outage(tx: Transaction, name: str, notices: Sequence[NewNotice] = ()) -> bool:
    """End an outage as ``outages.end`` does; whom that refused is tried at once."""
    is_over = outages.end(tx, name, notices)
    if is_over and name.endswith(PEOPLE):
        start_fan_out(tx, "accepted", connection=name.removesuffix(PEOPLE))
    return is_over


def _try(tx: Transaction, row: Row, _said: Row) -> None:
    account = ACCOUNTS.parse(row)
    try_at_once(tx, account)
    resume_now(tx, account)


register_fan_out("accepted", lambda _tx, _said: True, ("some_held_accounts", _try))


def note_accepted(tx: Transaction, account: Account) -> bool:
    """Resume the work of a refused account, as its secret was accepted; False if that has changed."""
    same = {"id": account.id, "secret": account.secret, "state": "active"}
    if not ACCOUNTS.count_changed(tx, same, **ACCEPTED):
        return False
    resume_now(tx, account)
    return True
