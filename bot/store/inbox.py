"""The inbox: keys of interactions that took effect, so that a redelivered interaction changes nothing."""

from typing import Final

from bot.store import notices, tables, transaction
from bot.store.transaction import Priority, Transaction, prioritize

#: Maximum age, in seconds, of a redelivered message that is still handled. With Delayed Events, Slack retries
#: for a day (``docs/internals/slack.md``, "Requests from Slack").
REDELIVERY_SECONDS: Final = 86_400.0
#: Lifetime of inbox keys, in seconds: the maximum age of redelivered messages, plus a day in case clocks
#: differ. Replies must be kept at least as long, because they show which interactions were answered.
KEY_RETENTION_SECONDS: Final = REDELIVERY_SECONDS + 86_400.0
#: Suffix of the second inbox key of an interaction that took effect and needs no reply. The key shows that
#: the interaction counts as answered, although there is no reply to it.
_ANSWERED_SUFFIX: Final = "/answered"


def add_interaction(
    tx: Transaction, interaction: str, sent_at: float | None = None, result: str = ""
) -> bool:
    """Add a row to the inbox, and return whether it was new. If there is no interaction, return True.

    ``sent_at`` is when the message was sent, if known. ``result`` is the id of the row being created. Raise
    UsedTwice if the same request has already added the row.
    """
    if not interaction:
        return True
    transaction.use_key(interaction)
    return tables.INBOX.add_new(tx, key=interaction, seen_at=tx.now(), result=result, sent_at=sent_at)


def was_seen(tx: Transaction, interaction: str) -> bool:
    """Return whether the inbox contains an interaction."""
    return bool(interaction) and tables.INBOX.row(tx, key=interaction) is not None


def find_result(tx: Transaction, interaction: str) -> str:
    """Return the id of the row that an interaction created or led to, or "" if it isn't known."""
    row = tables.INBOX.row(tx, key=interaction)
    return str(row["result"]) if row else ""


@prioritize(Priority.URGENT)
def resolve_key(tx: Transaction, key: str, alias: str) -> str:
    """Return the key that was first seen with an alias. If the alias is new, this is ``key`` itself.

    Two simultaneous deliveries use the same key, because the alias is stored before either takes effect.
    """
    tables.INBOX.add_new(tx, key=alias, seen_at=tx.now(), result=key, sent_at=None)
    return find_result(tx, alias) or key


@prioritize(Priority.URGENT)
def mark_answered(tx: Transaction, interaction: str) -> None:
    """Record that an interaction had an effect that needs no reply. If it had no effect, do nothing."""
    if was_seen(tx, interaction):
        tables.INBOX.add_new(
            tx, key=f"{interaction}{_ANSWERED_SUFFIX}", seen_at=tx.now(), result="", sent_at=None
        )


def was_answered(tx: Transaction, interaction: str) -> bool:
    """Return whether an interaction has a reply, or had an effect that needs no reply."""
    return notices.reply_to(tx, interaction) is not None or was_seen(tx, f"{interaction}{_ANSWERED_SUFFIX}")


def save_result(tx: Transaction, interaction: str, result: str) -> None:
    """Save the id of a row that an interaction led to, in case the interaction is delivered again."""
    if interaction:
        tables.INBOX.change(tx, {"key": interaction}, result=result)
