"""Pauses that providers have asked for. During a pause, the provider isn't called."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from bot.store.fan_out import FAN_OUT_BATCH_SIZE
from bot.store.queues import ALWAYS, Queue, declare_queue
from bot.store.transaction import Priority, Transaction, prioritize

#: How long, in seconds, a provider's request for a pause is remembered. If a provider asks for pauses for
#: several people within this time, all calls to that provider are paused.
RETENTION_SECONDS = 60.0
Calls = Literal["any", "start"]


class Pause(NamedTuple):
    """A pause that a provider requested ``ago`` seconds ago, with ``left`` seconds remaining.

    ``calls`` says whether the pause applies to all calls (``any``) or only to those that start something
    (``start``). ``account_id`` is "" if it applies to all accounts.
    """

    connection: str
    calls: Calls
    account_id: str
    ago: float
    left: float


def save_pauses(tx: Transaction, connection: str, calls: Calls, seconds: Mapping[str, float]) -> None:
    """Save pauses, given as the seconds for each account id ("" for all accounts).

    A longer pause that is already stored for the same account is kept.
    """
    now = tx.now()
    tx.run("delete_old_pauses", now=now, before=now - RETENTION_SECONDS, limit=FAN_OUT_BATCH_SIZE)
    for account_id, wait in seconds.items():
        key = {"connection": connection, "calls": calls, "account_id": account_id}
        tx.run("save_pause", **key, now=now, until=now + wait)


#: The queue of pauses. Pauses aren't claimed: every process reads all that are still in effect.
PAUSE_QUEUE: Final = declare_queue(
    Queue(
        name="pauses",
        kind="outages",
        table="pauses",
        due=ALWAYS,
        where=f"(paused_until > :now OR requested_at > :now - {RETENTION_SECONDS})",
    )
)


@prioritize(Priority.STEADY)
def list_pauses(tx: Transaction) -> list[Pause]:
    """Return all pauses that aren't over yet, on all connections."""
    now = tx.now()
    return [
        Pause(
            row["connection"],
            row["calls"],
            row["account_id"],
            now - row["requested_at"],
            row["paused_until"] - now,
        )
        for row in tx.all("pauses", now=now, requested_before=now - RETENTION_SECONDS)
    ]
