"""Who is signed in in which browser, and what a page may show them.

A session proves who signed in with Slack, and nothing more. Who owns a workspace, and whether its owner may
still act, is checked again at every request.
"""

from __future__ import annotations

import structlog

from bot.domain.people import AuditEntry, Principal
from bot.domain.policy import Target
from bot.domain.workspaces import BrowserSession, Look, Workspace
from bot.providers import base
from bot.providers.base import Provider
from bot.services import linking
from bot.services.authority import Authority
from bot.services.context import Context, Part
from bot.services.linking import digest
from bot.support.vault import entry_key

#: The activity of a session is recorded at most this often, in seconds, so that most requests don't write.
NOTED_EVERY = 60.0

_log = structlog.get_logger(__name__)


class Browsing(Part):
    """Begin, look up and end browser sessions. ``lifetime`` and ``idle`` are in seconds.

    Only the browser knows a session's id; the store holds its SHA-256.
    """

    def __init__(self, context: Context, *, lifetime: float, idle: float) -> None:
        super().__init__(context)
        self._authority = Authority(context)
        self.lifetime = lifetime
        self._idle = idle

    async def begin(self, principal: Principal) -> str:
        """Return the id of a new session; raises Refused (``policy.…``) for anybody who may not use Usher."""
        principal = self._installation.who(principal)
        await self._authority.check(principal, "sign_in")
        session_id = linking.new_nonce()
        now = await self._store.now()
        session = BrowserSession(digest(session_id), principal, now, now, now + self.lifetime)
        await self._store.begin_browser_session(session, [_entry(session, "browser.sign_in")])
        return session_id

    async def who(self, session_id: str | None) -> BrowserSession | None:
        """Return the session of a browser, or None if it has no valid one."""
        if session_id is None or not linking.is_nonce(session_id):
            return None
        session = await self._store.browser_session(digest(session_id), self._idle)
        if session is not None:
            await self._note(session, await self._store.now())
        return session

    async def look(self, session_id: str | None, workspace_id: str) -> Look | None:
        """Return what a page about a workspace needs, whoever owns it; None without a valid session."""
        if session_id is None or not linking.is_nonce(session_id):
            return None
        look = await self._store.look(digest(session_id), self._idle, workspace_id)
        if look is not None:
            await self._note(look.session, look.now)
        return look

    async def end(self, session_id: str | None) -> None:
        """Sign out; ending a session twice is harmless."""
        if session_id is None or not linking.is_nonce(session_id):
            return
        session = await self._store.browser_session(digest(session_id), self._idle)
        if session is not None:
            await self._store.end_browser_session(session.id_hash, [_entry(session, "browser.sign_out")])

    async def own(self, look: Look) -> tuple[Workspace, Provider] | None:
        """Return the requested workspace if it may be shown to this browser; None doesn't say why not.

        It must be theirs, they must be allowed to act, and its provider's workspaces must open in our page.
        """
        workspace = look.workspace
        if workspace is None or workspace.hidden:
            return None
        provider = self._connections.get(workspace.connection)
        if (
            provider is None
            or not isinstance(provider, base.Page)
            or not provider.settings.serves(workspace.principal)
            or not self._is_of(workspace, look.session)
        ):
            return None
        target = Target("workspace", workspace.id, workspace.principal)
        decision = await self._authority.decide(workspace.principal, "open", target)
        if not decision.allowed:
            _log.info("page.refused", rule=decision.rule)
            return None
        return workspace, provider

    def entry(self, workspace: Workspace) -> str | None:
        """Return the secret that opens a workspace in its page, or None; raises SecretError."""
        if workspace.entry is None:
            return None
        row = entry_key(workspace.principal.key, workspace.connection, workspace.remote_id)
        return self._vault.open(row, workspace.entry).get("entry")

    def _is_of(self, workspace: Workspace, session: BrowserSession) -> bool:
        return self._authority.installation.is_same_person(workspace.principal, session.principal)

    async def _note(self, session: BrowserSession, now: float) -> None:
        if now - session.seen_at >= NOTED_EVERY:
            await self._store.keep_browser_session(session.id_hash)


def _entry(session: BrowserSession, action: str) -> AuditEntry:
    # A prefix of the digest is enough to tell sessions apart, and can't be used to open one.
    who, detail = session.principal.key, {"session": session.id_hash[:12]}
    return AuditEntry(actor=who, action=action, target=who, result="ok", detail=detail)
