"""Workspaces that were left running: their person is asked once a day whether they are still needed."""

from datetime import datetime
from typing import Final

from bot.domain.moments import zone_of
from bot.domain.needed import evening_of_asking, left_since
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.workspaces import Timer, Workspace, is_final, planned_mode
from bot.services.asked import Asked
from bot.services.context import Context
from bot.services.workspaces import effects, note, owned
from bot.store import accounts, gates, hours, notices, people, timers, workspaces
from bot.store.transaction import Transaction

#: A workspace read longer ago than this is read again before anybody is asked, and looked at again then.
FRESH_SECONDS: Final = 60.0
LOOKS_EVERY: Final = 30.0
HOUR: Final = 3600.0


def look(tx: Transaction, context: Context, workspace_id: str) -> None:
    """Ask a workspace's person whether they still need it, if it was left running for long enough.

    Where its connection says so, it gets a timer for the evening, unless that would end it for good.
    """
    workspace = workspaces.workspace(tx, workspace_id)
    provider = context.connections.get(workspace.connection) if workspace is not None else None
    if workspace is None or provider is None:
        return
    principal, now = workspace.principal, tx.now()
    account = accounts.account(tx, principal, workspace.connection)
    is_ruled = any(not rule.paused for rule in hours.of_workspace(tx, workspace.id))
    if (
        account is None
        or account.state != "active"
        or account.is_refused
        or is_ruled
        or people.quiet(tx, principal) is not None
    ):
        return
    person = people.person(tx, principal)
    zone = zone_of(person.time_zone if person is not None else None)
    wanted = [people.of(tx, principal).asks_after, provider.settings.asks_after_hours]
    soonest = min((hours * HOUR for hours in wanted if hours is not None), default=None)
    evening, left = evening_of_asking(workspace, soonest, now, zone), left_since(workspace)
    day = datetime.fromtimestamp(now, zone).date().isoformat()
    if evening is None or left is None or notices.is_written(tx, workspace.id, NoticeKind.NEEDED, day):
        return
    if now - (workspace.observed_at or 0.0) > FRESH_SECONDS:
        workspaces.read_soon(tx, workspace.id)
        workspaces.ask_again(tx, workspace.id, now + LOOKS_EVERY)
        return
    mode = planned_mode(effects(context, workspace))
    is_over = is_final(effects(context, workspace), mode)
    stops_after = provider.settings.asks_after_hours if provider.settings.stops_unanswered else None
    stops = evening_of_asking(workspace, stops_after and stops_after * HOUR, now, zone) and not is_over
    body = {
        "workspace": workspace.id,
        "connection": workspace.connection,
        "since": left[0],
        "is_unused": left[1],
        "evening": None if is_over else evening,
        "stop_at": evening if stops else None,
    }
    if stops:
        timers.put(tx, workspace.id, Timer(evening, mode, warns=True))
    notices.add_notices(tx, [NewNotice(workspace.id, NoticeKind.NEEDED, day, principal, body)])


def keep(tx: Transaction, asked: Asked, workspace_id: str, stop_at: float | None = None) -> Workspace:
    """Note that a workspace is still needed; take back the stop that was planned for want of an answer."""
    workspace = owned(tx, asked, "start", workspace_id)
    if asked.is_new(tx):
        if stop_at is not None and abs((workspace.stop_at or 0.0) - stop_at) < 1.0:
            timers.clear(tx, workspace.id)
        gates.want(tx, workspace.id)
        note(tx, asked, "workspace.needed", workspace)
    return workspaces.workspace(tx, workspace.id) or workspace
