"""Outages: when Slack and each connection last answered, and how long they have been silent."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.domain.notices import NewNotice
from bot.domain.outages import Reached
from bot.store.notices import add_notices
from bot.store.queues import ALWAYS, Queue, declare_queue
from bot.store.tables import OUTAGES, REACHED
from bot.store.transaction import Priority, Transaction, prioritize

#: Name of the outage stored while a second Usher uses the same Slack app. Connections' names never begin with
#: ``#``, so it can't clash with one.
TWICE: Final = "#twice"
#: Suffix of an outage's name: ``OURS`` if the connection refuses Usher's own secret, ``PEOPLE`` if it refuses
#: the secrets of several people.
OURS: Final = "#secret"
PEOPLE: Final = "#people"


#: The queue of outages. Outages aren't claimed: every process checks all of them.
OUTAGE_QUEUE: Final = declare_queue(
    Queue(
        name="outages",
        kind="outages",
        table="outages",
        due=ALWAYS,
    )
)


@prioritize(Priority.STEADY)
def list_outages(tx: Transaction) -> Mapping[str, float]:
    """Map each connection with an outage to the time at which it began (epoch seconds)."""
    return {row["connection"]: float(row["since"]) for row in tx.all("outages")}


def begin_outage(tx: Transaction, connection: str, since: float, notices: Sequence[NewNotice] = ()) -> float:
    """Write an outage and its notices, unless another process already has. Return when the outage began."""
    if OUTAGES.add_new(tx, connection=connection, since=since):
        add_notices(tx, notices)
        return since
    return list_outages(tx).get(connection, since)


def end(tx: Transaction, connection: str, notices: Sequence[NewNotice] = ()) -> bool:
    """Mark an outage as over and write the notices. If it was already over, do nothing and return False."""
    if not OUTAGES.count_deleted(tx, connection=connection):
        return False
    add_notices(tx, notices)
    return True


def note_silence(tx: Transaction, name: str, since: float, answered_at: float | None) -> float:
    """Record that a connection or Slack isn't answering. Return when a process first noticed the silence."""
    row = tx.one("silent", name=name, since=since, answered_at=answered_at)
    return since if row is None else float(row["silent_since"])


# No transaction locks this row for long, so this function needn't take turns with other steady work.
@prioritize(Priority.RECORDS)
def note_answer(tx: Transaction, name: str, at: float) -> bool:
    """Record when a connection or Slack answered. Return whether the answer may end a period of silence."""
    tx.ask("answered", name=name, at=at)
    tx.finish()
    row = tx.one("answered", name=name, at=at)
    return row is not None and row["silent_since"] is not None


@prioritize(Priority.RECORDS)
def end_silence(tx: Transaction, name: str, at: float) -> bool:
    """End a period of silence that began before an answer at time ``at``. Return whether there was one."""
    return tx.count("silence_over", name=name, at=at) == 1


@prioritize(Priority.STEADY)
def list_reached(tx: Transaction) -> dict[str, Reached]:
    """Map each connection, and Slack, to the time of its last answer and, if it is silent, since when.

    If only an outage is stored for a connection, its silence is taken to have begun with the outage.
    """
    away = {name: Reached(name, silent_since=since) for name, since in list_outages(tx).items()}
    return away | {one.name: one for one in REACHED.parse_all(tx.all("reached"))}
