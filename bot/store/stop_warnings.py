"""Warnings about planned stops. An owner counts as warned once the message has been delivered.

The statement that claims due timers (in ``timers.sql``) makes sure that the owner then has some time before
the workspace is stopped.
"""

from dataclasses import replace

from bot.domain.notices import NewNotice, NoticeKind, NoticeState
from bot.store import cards, notices
from bot.store.tables import CARDS, NOTICES
from bot.store.transaction import Row, Transaction

#: How long, in seconds, a planned stop may be delayed because its warning can't be sent. Usher tries for
#: longer to send the warning: it gives up only after a day (``bot.slack.notifier.timing.Timing``).
MAX_WARNING_DELAY_SECONDS = 12 * 3600.0
_UNSENT = frozenset({NoticeState.PENDING, NoticeState.RETRY})
_ON_ITS_WAY = _UNSENT | {NoticeState.LEASED}


def write(tx: Transaction, warning: NewNotice, former: str | None) -> str:
    """Write a warning and return its id. If the ``former`` warning hasn't been sent, withdraw it.

    If Usher gave up on sending an earlier warning for the same time, a new one is written in spite of it.
    """
    drop(tx, former)
    row = _find_by_key(tx, warning)
    if row is not None and not (is_on_its_way(row) or row["message_ts"]):
        warning = replace(warning, occasion=f"{warning.occasion}:{tx.now():.3f}")
    notices.add_notices(tx, [warning])
    row = _find_by_key(tx, warning)
    assert row is not None, "warnings are always written"
    return str(row["id"])


def _find_by_key(tx: Transaction, warning: NewNotice) -> Row | None:
    return NOTICES.row(tx, subject=warning.subject, kind=warning.kind, occasion=warning.occasion)


def drop(tx: Transaction, notice_id: str | None) -> None:
    """Withdraw a warning, if there is one and it certainly hasn't been sent."""
    row = find_warning(tx, notice_id)
    if row is None or row["state"] not in _UNSENT or row["unknown_since"] is not None:
        return
    notices.give_up_notice(tx, row["id"], "superseded")


def find_warning(tx: Transaction, notice_id: str | None) -> Row | None:
    """Return a warning's row."""
    return None if notice_id is None else NOTICES.row(tx, id=notice_id)


def is_on_its_way(warning: Row | None) -> bool:
    """Return whether a warning is being sent or will still be sent."""
    return warning is not None and warning["state"] in _ON_ITS_WAY


def is_delivered(tx: Transaction, notice_id: str | None) -> bool:
    """Return whether a warning was delivered. If none was needed (the id is None), return True."""
    warning = find_warning(tx, notice_id)
    return notice_id is None or (warning is not None and bool(warning["message_ts"]))


def turn_into_card(tx: Transaction, notice_id: str | None, operation_id: str, body: Row) -> None:
    """Turn the message that warned of a stop into the card of the operation that carries out the stop."""
    warning = find_warning(tx, notice_id)
    if warning is None or not warning["message_ts"]:
        return
    if (message := cards.find_card(tx, warning["id"])) is not None and message.channel_id:
        NOTICES.change(tx, {"id": warning["id"]}, subject=operation_id, kind=NoticeKind.CARD)
        cards.drop(tx, warning["id"])
        CARDS.change(tx, {"id": operation_id}, body=body)
        cards.save_location(tx, operation_id, message.channel_id, warning["message_ts"])
        cards.queue_updates(tx, operation_id, changed=True)
