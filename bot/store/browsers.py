"""Browser sessions.

A session begins with *Sign in with Slack*. It ends when the person signs out or unlinks an account, when it
has been idle for too long, or when it expires.
"""

from bot.domain.browsers import BrowserSession, PageRows
from bot.domain.people import Principal
from bot.store import operations, workspaces
from bot.store.account_ids import list_resting_connections
from bot.store.engine import Engine
from bot.store.fan_out import FAN_OUT_BATCH_SIZE, repeat_until_done
from bot.store.notices import find_direct_channel
from bot.store.tables import BROWSER_SESSIONS
from bot.store.transaction import Priority, Transaction, prioritize


def find_session(tx: Transaction, id_hash: str, idle_seconds: float) -> BrowserSession | None:
    """Return a session, or None if it is unknown, has expired, or hasn't been used for ``idle_seconds``."""
    now = tx.now()
    since = now - idle_seconds
    return BROWSER_SESSIONS.first(tx, "browser_session", id_hash=id_hash, now=now, unused_since=since)


def find_page_rows(tx: Transaction, id_hash: str, idle_seconds: float, workspace_id: str) -> PageRows | None:
    """Return a live session and the rows needed for a workspace's page.

    Return None if there is no live session. If the workspace doesn't belong to the person who is signed in,
    its operation and the person's channel are left out.
    """
    found = find_session(tx, id_hash, idle_seconds)
    if found is None:
        return None
    workspace = workspaces.find_workspace(tx, workspace_id)
    if workspace is None or workspace.principal.user_id != found.principal.user_id:
        return PageRows(tx.now(), found, workspace)
    if workspace.connection in list_resting_connections(tx, workspace.principal.key):
        # While the link is suspended, the page shows nothing until the owner proves that the account is
        # theirs.
        return PageRows(tx.now(), found, None)
    return PageRows(
        tx.now(),
        found,
        workspace,
        operations.find_latest_operation(tx, workspace_id),
        find_direct_channel(tx, workspace.principal),
    )


@prioritize(Priority.URGENT)
def keep_browser_session(tx: Transaction, id_hash: str) -> None:
    """Record that a session has just been used. This doesn't revive a session that has ended."""
    BROWSER_SESSIONS.change(tx, {"id_hash": id_hash}, seen_at=tx.now())


def end_sessions_of(tx: Transaction, principal: Principal) -> None:
    """End all of a person's sessions, in every enterprise where they signed in."""
    ending = f"%:{principal.team_id}:{principal.user_id}"
    tx.run("end_browser_sessions_of", user_id=principal.user_id, ending=ending)


async def end_browser_sessions_at(engine: Engine, installation: str) -> int:
    """End all sessions in a team, or in an enterprise where Usher is installed. Return their number."""
    given = {"within": f"%:{installation}:%", "limit": FAN_OUT_BATCH_SIZE}
    return await repeat_until_done(engine, lambda tx: tx.count("end_browser_sessions_at", **given))
