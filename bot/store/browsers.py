"""Browser sessions: begun by Sign in with Slack, used by pages, ended by sign-out, an unlink or expiry."""

from collections.abc import Sequence

from bot.domain.people import AuditEntry, Principal
from bot.domain.workspaces import BrowserSession, Look
from bot.store import operations, workspaces
from bot.store.audit import append_audit
from bot.store.notices import known_channel
from bot.store.tables import BROWSER_SESSIONS
from bot.store.transaction import Transaction


def begin(tx: Transaction, session: BrowserSession, audit: Sequence[AuditEntry] = ()) -> None:
    """Write a fresh session."""
    BROWSER_SESSIONS.add(tx, session, user_id=session.principal.user_id)
    append_audit(tx, audit)


def session(tx: Transaction, id_hash: str, idle_seconds: float) -> BrowserSession | None:
    """Return a live session; None if it is unknown, expired, or unused for ``idle_seconds``."""
    now = tx.now()
    row = tx.one("browser_session", id_hash=id_hash, now=now, unused_since=now - idle_seconds)
    return BROWSER_SESSIONS.of(row) if row else None


def look(tx: Transaction, id_hash: str, idle_seconds: float, workspace_id: str) -> Look | None:
    """Return a live session with a workspace, whoever owns it; None as for ``session``."""
    found = session(tx, id_hash, idle_seconds)
    if found is None:
        return None
    workspace = workspaces.workspace(tx, workspace_id)
    if workspace is None or workspace.principal.user_id != found.principal.user_id:
        return Look(tx.now(), found, workspace)
    return Look(
        tx.now(),
        found,
        workspace,
        operations.latest(tx, workspace_id),
        known_channel(tx, workspace.principal),
    )


def keep(tx: Transaction, id_hash: str) -> None:
    """Note that a session was used now; one that has ended stays ended."""
    BROWSER_SESSIONS.change(tx, {"id_hash": id_hash}, seen_at=tx.now())


def end(tx: Transaction, id_hash: str, audit: Sequence[AuditEntry] = ()) -> bool:
    """End a session; return False, without an audit row, if there was none."""
    if not BROWSER_SESSIONS.delete(tx, id_hash=id_hash):
        return False
    append_audit(tx, audit)
    return True


def end_of(tx: Transaction, principal: Principal) -> int:
    """End all sessions of a person, whatever enterprise a sign-in named; return how many ended."""
    ending = f"%:{principal.team_id}:{principal.user_id}"
    return tx.run("end_browser_sessions_of", user_id=principal.user_id, ending=ending)


def end_at(tx: Transaction, installation: str) -> int:
    """End everybody's sessions in a team, or in an enterprise that installed Usher; return how many ended."""
    return tx.run("end_browser_sessions_at", within=f"%:{installation}:%")
