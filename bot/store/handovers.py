"""Addresses that come, or change, after people read that a workspace is ready: each is handed over once."""

from hashlib import sha256
from typing import Final

from bot.domain.notices import NewNotice, NoticeKind
from bot.store import notices
from bot.store.tables import OPERATIONS
from bot.store.transaction import Transaction

#: How long an address waits for a message that is just being sent: that may show it already.
WAIT_SECONDS: Final = 5.0


def notify_of_address(tx: Transaction, workspace_id: str, url: str) -> None:
    """Notify the person whose latest start was told as ready of an address that no message of it shows."""
    operation = OPERATIONS.first(tx, "latest_operation", workspace_id=workspace_id)
    if operation is None or operation.is_open or operation.verb.brings_down:
        return
    # A message that wasn't begun yet is drawn with the address.
    if not tx.all("ready_begun", subject=operation.id) or is_address_shown(tx, operation.id, url):
        return
    body = {"workspace": workspace_id, "connection": operation.connection}
    occasion = sha256(url.encode()).hexdigest()[:16]
    new = NewNotice(
        operation.id, NoticeKind.READY_LINK, occasion, operation.principal, body, due_in=WAIT_SECONDS
    )
    notices.add_notices(tx, [new])


def is_address_shown(tx: Transaction, subject: str, url: str, besides: str = "") -> bool:
    """Return whether a message that an operation's workspace is ready shows an address, ``besides`` one."""
    return any(
        row["id"] != besides and f'"{url}"' in row["body"] for row in tx.all("ready_cards", subject=subject)
    )
