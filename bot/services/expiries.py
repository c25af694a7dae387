"""Workspaces that end by themselves soon: each end is announced once, and one that has moved is a new one."""

from typing import Final

from bot.domain.expiries import ExpiryKind
from bot.domain.notices import NewNotice
from bot.domain.workspaces import EXPIRY_WARNING_SECONDS, Workspace
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.scheduled_work import FRESH_SECONDS, ScheduledWork
from bot.store import gates, workspaces
from bot.store.notices import add_notices
from bot.store.transaction import Transaction

#: So many ends are announced at once.
MAX_CLAIMED: Final = 100
#: How often a workspace is asked for that ends soon and hasn't been read lately.
READ_AGAIN_SECONDS: Final = 20.0


def _claim(tx: Transaction, context: Context) -> list[Workspace]:
    found = workspaces.claim_ending(tx, EXPIRY_WARNING_SECONDS, MAX_CLAIMED, READ_AGAIN_SECONDS)
    return [one for one in found if one.connection in context.connections and one.verified_at is not None]


def _warn(tx: Transaction, _caller: Caller, workspace: Workspace) -> None:
    """Announce the end of a workspace that was read just now, else have it read."""
    if tx.now() - (workspace.observed_at or 0.0) > FRESH_SECONDS:
        gates.request_read_now(tx, workspace.id)
        return
    body = {"workspace": workspace.id, "connection": workspace.connection, "expires_at": workspace.expires_at}
    occasion = f"{workspace.expires_at:.0f}"
    add_notices(
        tx, [NewNotice(workspace.id, ExpiryKind.WORKSPACE_EXPIRY, occasion, workspace.principal, body)]
    )


EXPIRIES: Final = ScheduledWork(name="expiry", order=50, claim=_claim, carry_out=_warn)
