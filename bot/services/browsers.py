"""Browser sessions. A session proves who signed in with Slack, and nothing more.

For every request, Usher checks again who owns the workspace, and whether that person may still use Usher.
"""

import structlog

from bot.domain.audit import AuditEntry
from bot.domain.browsers import BrowserSession, PageRows
from bot.domain.people import Principal
from bot.domain.policy import Target
from bot.domain.workspaces import Workspace
from bot.providers import base, facets
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.linking import compute_digest, create_nonce
from bot.store import browsers
from bot.store.audit import append_audit
from bot.store.tables import BROWSER_SESSIONS
from bot.store.transaction import Transaction
from bot.support.logs import mark_as_known
from bot.support.vault import entry_key

log = structlog.get_logger(__name__)

#: Minimum interval, in seconds, between two updates of the time when a session was last used. Most requests
#: therefore write nothing.
ACTIVITY_WRITE_SECONDS = 60.0
#: Maximum lifetime of a session, in seconds, even if it is in use.
SESSION_SECONDS = 12 * 3600.0
#: How long, in seconds, a session may be unused before it ends.
MAX_IDLE_SECONDS = 2 * 3600.0


def sign_in(tx: Transaction, caller: Caller) -> str:
    """Start a browser session and return its id. The store keeps only the id's SHA-256."""
    caller.check(tx, "sign_in")
    session_id, now = create_nonce(), tx.now()
    session = BrowserSession(compute_digest(session_id), caller.principal, now, now, now + SESSION_SECONDS)
    BROWSER_SESSIONS.add(tx, session, user_id=caller.principal.user_id)
    _note_session(tx, session, "browser.sign_in")
    return session_id


def sign_out(tx: Transaction, id_hash: str) -> None:
    """End a browser session. Do nothing if it has already ended or has expired for lack of use."""
    session = browsers.find_session(tx, id_hash, MAX_IDLE_SECONDS)
    if session is not None:
        BROWSER_SESSIONS.delete(tx, id_hash=session.id_hash)
        _note_session(tx, session, "browser.sign_out")


def _note_session(tx: Transaction, session: BrowserSession, action: str) -> None:
    # A prefix of the hash is enough to identify a session, but not to open one.
    who, detail = session.principal.key, {"session": session.id_hash[:12]}
    append_audit(tx, [AuditEntry(who, action, who, "ok", detail)])


async def begin(context: Context, principal: Principal) -> str:
    """Start a session and return its id. Raise Refused (``policy.…``) if its owner may not use Usher."""
    resolved = context.installation.resolve_principal(principal)
    return await Caller(context, resolved).run(sign_in)


async def end(context: Context, id_hash: str | None) -> None:
    """Sign out. Ending a session twice is harmless."""
    if id_hash is not None:
        await context.store.carry_out(lambda tx: sign_out(tx, id_hash))


async def read_page_rows(context: Context, id_hash: str | None, workspace_id: str) -> PageRows | None:
    """Return the rows for a workspace's page, whoever owns it, or None if the session is invalid."""
    if id_hash is None:
        return None
    store = context.store
    rows = await store.read(browsers.find_page_rows, id_hash, MAX_IDLE_SECONDS, workspace_id)
    if rows is not None:
        mark_as_known()
    if rows is not None and rows.now - rows.session.seen_at >= ACTIVITY_WRITE_SECONDS:
        await store.write(browsers.keep_browser_session, rows.session.id_hash)
    return rows


async def find_own(context: Context, rows: PageRows) -> tuple[Workspace, base.Provider] | None:
    """Return the requested workspace if it may be shown in this browser, otherwise None.

    The workspace must belong to the signed-in person, who must be allowed to use Usher, and its provider's
    workspaces must open in Usher's page. The result doesn't show which of these conditions isn't met.
    """
    workspace = rows.workspace
    if workspace is None or workspace.hidden:
        return None
    owner, provider = workspace.principal, context.connections.get(workspace.connection)
    if (
        provider is None
        or not isinstance(provider, facets.EmbeddedPage)
        or not provider.is_available_to(owner)
        or not context.installation.is_same_person(owner, rows.session.principal)
    ):
        return None
    decision = await Caller(context, owner).decide("open", Target("workspace", workspace.id, owner))
    if not decision.allowed:
        log.info("page.refused", rule=decision.rule)
        return None
    return workspace, provider


def open_entry(context: Context, workspace: Workspace) -> str | None:
    """Return the secret that opens a workspace in its page, if there is one. Raises SecretError."""
    if workspace.entry is None:
        return None
    row = entry_key(workspace.principal.key, workspace.connection, workspace.remote_id)
    return context.vault.open(row, workspace.entry).get("entry")
