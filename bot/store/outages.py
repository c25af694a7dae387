"""Outages: when each connection, and Slack, last answered, and since when one doesn't."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.domain.notices import NewNotice
from bot.domain.outages import Reached
from bot.store.notices import add_notices
from bot.store.queues import ALWAYS, Queue, declare_queue
from bot.store.tables import OUTAGES, REACHED
from bot.store.transaction import Priority, Transaction, prioritize

#: The name of what isn't an outage of a connection: another Usher answers people of the same app.
TWICE: Final = "#twice"
#: The suffixes of outages of a connection's own secret, and of its people's.
OURS: Final = "#secret"
PEOPLE: Final = "#people"


#: Nobody claims them: each process looks at all of them.
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
    """Return the current outages: since when (epoch seconds), by connection."""
    return {row["connection"]: float(row["since"]) for row in tx.all("outages")}


def begin_outage(tx: Transaction, connection: str, since: float, notices: Sequence[NewNotice] = ()) -> float:
    """Write an outage with its notices; return since when it has lasted.

    If another process has already written it, nothing is written. That one may have ended it just now.
    """
    if OUTAGES.add_new(tx, connection=connection, since=since):
        add_notices(tx, notices)
        return since
    return list_outages(tx).get(connection, since)


def end(tx: Transaction, connection: str, notices: Sequence[NewNotice] = ()) -> bool:
    """End an outage and write its notices; return False, nothing written, if it was already over."""
    if not OUTAGES.count_deleted(tx, connection=connection):
        return False
    add_notices(tx, notices)
    return True


def note_silence(tx: Transaction, name: str, since: float, answered_at: float | None) -> float:
    """Note that something doesn't answer; return since when by its row: another process may have noted it."""
    row = tx.one("silent", name=name, since=since, answered_at=answered_at)
    return since if row is None else float(row["silent_since"])


# It locks a row that nobody holds for long: it takes no turn among those who decide.
@prioritize(Priority.RECORDS)
def note_answer(tx: Transaction, name: str, at: float) -> bool:
    """Note when something answered; return whether it hadn't before that."""
    row = tx.one("answered", name=name, at=at)
    is_silent = row is not None and row["silent_since"] is not None
    return is_silent and tx.count("silence_over", name=name, at=at) == 1


@prioritize(Priority.STEADY)
def list_reached(tx: Transaction) -> dict[str, Reached]:
    """Return the last answer and the silence of each connection, and of Slack.

    What only has an outage has been silent since that began.
    """
    away = {name: Reached(name, silent_since=since) for name, since in list_outages(tx).items()}
    return away | {one.name: one for one in REACHED.parse_all(tx.all("reached"))}
