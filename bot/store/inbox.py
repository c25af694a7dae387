"""The inbox: the interactions that took effect, so that a repeated delivery changes nothing."""

from typing import Final

from bot.store import notices, tables, transaction
from bot.store.transaction import Priority, Transaction, prioritize

#: For how long a message that is delivered again is read: with Delayed Events Slack tries for a day, in an
#: incident perhaps for longer (``docs/internals/slack.md``, "Requests from Slack"). Older words are dropped.
REDELIVERY_SECONDS: Final = 86_400.0
#: How long keys are kept, and replies at the least, by which it is known what was answered: as long as the
#: words are read, and a day for clocks that differ.
KEY_RETENTION_SECONDS: Final = REDELIVERY_SECONDS + 86_400.0
#: What the inbox key ends in of an interaction whose effect is all of its answer.
_ANSWERED_SUFFIX: Final = "/answered"


def add_interaction(
    tx: Transaction, interaction: str, sent_at: float | None = None, result: str = ""
) -> bool:
    """Write an inbox row; return whether it was new. An empty interaction is always new.

    ``sent_at`` is the time of the message, if that is known, ``result`` the id of the row that is created.
    Raises UsedTwice if the same request wrote it.
    """
    if not interaction:
        return True
    transaction.use_key(interaction)
    return tables.INBOX.add_new(tx, key=interaction, seen_at=tx.now(), result=result, sent_at=sent_at)


def was_seen(tx: Transaction, interaction: str) -> bool:
    """Return whether an interaction has an inbox row."""
    return bool(interaction) and tables.INBOX.row(tx, key=interaction) is not None


def find_result(tx: Transaction, interaction: str) -> str:
    """Return the id of the row that an interaction created, "" if none was kept."""
    row = tables.INBOX.row(tx, key=interaction)
    return str(row["result"]) if row else ""


@prioritize(Priority.URGENT)
def resolve_key(tx: Transaction, key: str, alias: str) -> str:
    """Return the key that came first with this alias, which is ``key`` if the alias is new.

    Two deliveries at once agree on one key, as the row is written before either has an effect.
    """
    tables.INBOX.add_new(tx, key=alias, seen_at=tx.now(), result=key, sent_at=None)
    return find_result(tx, alias) or key


@prioritize(Priority.URGENT)
def mark_answered(tx: Transaction, interaction: str) -> None:
    """Note that an interaction needs no reply beside its effect; without an effect it may still be read."""
    if was_seen(tx, interaction):
        tables.INBOX.add_new(
            tx, key=f"{interaction}{_ANSWERED_SUFFIX}", seen_at=tx.now(), result="", sent_at=None
        )


def was_answered(tx: Transaction, interaction: str) -> bool:
    """Return whether an interaction has a reply, or an effect that needs none."""
    return notices.reply_to(tx, interaction) is not None or was_seen(tx, f"{interaction}{_ANSWERED_SUFFIX}")


def save_result(tx: Transaction, interaction: str, result: str) -> None:
    """Save the id of another row than its own that an interaction led to, for repeated deliveries."""
    if interaction:
        tables.INBOX.change(tx, {"key": interaction}, result=result)
