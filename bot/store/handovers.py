"""Workspace URLs that appear or change after the owner was told that the workspace is ready.

Each such URL is sent to the owner once.
"""

from typing import Final

from bot.domain.notices import NewNotice, NoticeKind
from bot.store import notices
from bot.store.tables import OPERATIONS
from bot.store.transaction import Transaction, hash_text

#: Delay before sending a new URL, in seconds, in case a message already being sent turns out to show it.
WAIT_SECONDS: Final = 5.0


def notify_of_address(tx: Transaction, workspace_id: str, url: str) -> None:
    """Send a workspace's URL to its owner if they have been told "ready", but no message shows the URL."""
    operation = OPERATIONS.first(tx, "latest_operation", workspace_id=workspace_id)
    if operation is None or operation.is_open or operation.verb.brings_down:
        return
    ready = tx.one("keep_ready", subject=operation.id)
    # If the "ready" message isn't being sent yet, it will be rendered with the URL.
    is_begun = ready is not None and (ready["state"] != "pending" or ready["attempts"] > 0)
    if not is_begun or is_address_shown(tx, operation.id, url):
        return
    body = {"workspace": workspace_id, "connection": operation.connection}
    occasion = hash_text(url)[:16]
    new = NewNotice(
        operation.id, NoticeKind.READY_LINK, occasion, operation.principal, body, due_in=WAIT_SECONDS
    )
    notices.add_notices(tx, [new])


def is_address_shown(tx: Transaction, subject: str, url: str, besides: str = "") -> bool:
    """Return whether any "ready" message of an operation shows a URL, except the message ``besides``."""
    return any(
        row["id"] != besides and f'"{url}"' in row["body"] for row in tx.all("ready_cards", subject=subject)
    )
