"""Workspaces that end by themselves soon: each end is announced once, and one that has moved is a new one."""

from typing import Final

from bot.domain.expiries import ExpiryKind
from bot.domain.notices import NewNotice
from bot.domain.workspaces import Workspace
from bot.services.asked import Asked
from bot.services.context import Context
from bot.services.due import FRESH_SECONDS, Due
from bot.store import gates, workspaces
from bot.store.notices import add_notices
from bot.store.transaction import Transaction


def _claim(tx: Transaction, context: Context) -> list[Workspace]:
    found = workspaces.ending(tx, context.warn_seconds)
    return [one for one in found if one.connection in context.connections and one.verified_at is not None]


def _warn(tx: Transaction, _asked: Asked, workspace: Workspace) -> None:
    """Announce the end of a workspace that was read just now, else have it read."""
    if tx.now() - (workspace.observed_at or 0.0) > FRESH_SECONDS:
        gates.make_due(tx, workspace.id)
        return
    body = {"workspace": workspace.id, "connection": workspace.connection, "ends_at": workspace.ends_at}
    occasion = f"{workspace.ends_at:.0f}"
    add_notices(tx, [NewNotice(workspace.id, ExpiryKind.ENDING, occasion, workspace.principal, body)])


EXPIRIES: Final = Due(name="expiry", every=20.0, claim=_claim, carry_out=_warn)
