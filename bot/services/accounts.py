"""Who a person is: linked accounts and their end, approved usernames, first contacts, signed-in browsers.

Every refusal is a ``Refused`` with a text for the person. Each change is written in one transaction with its
audit row.

An administrator says which person is which user at a provider; it is never guessed from names or addresses.
Every step leaves an audit row.

A session proves who signed in with Slack, and nothing more. Who owns a workspace, and whether its owner may
still act, is checked again at every request.
"""

import hmac
import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final, Literal

import structlog

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Account, Approval, AuditEntry, Link, Principal, TaskKind
from bot.domain.policy import Target
from bot.domain.workspaces import BrowserSession, Look, Workspace
from bot.messages.texts import pages, problems
from bot.providers import base
from bot.services import linking
from bot.services.asked import Asked, Authority
from bot.services.context import Context, Part
from bot.store import accounts, browsers, people
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.records import Activation, NewTask
from bot.store.store import Store
from bot.store.tables import BROWSER_SESSIONS
from bot.store.tasks import add_tasks
from bot.store.transaction import Transaction
from bot.support.cleaning import SHOWN, clean, escape
from bot.support.errors import Refused
from bot.support.vault import entry_key, row_key

log = structlog.get_logger(__name__)


async def end_unreadable(store: Store, account: Account) -> bool:
    """End a link of which no key opens the secret, and ask its person to link again. Raises StoreError.

    Return False if it was ended or replaced meanwhile.
    """
    body = {"connection": account.connection, "username": account.username, "cause": "secret"}
    notice = NewNotice(account.id, NoticeKind.LINK_AGAIN, f"{account.linked_at:.3f}", account.principal, body)
    detail = {"connection": account.connection, "cause": "secret"}
    ended = AuditEntry("operator", "account.refuse", account.id, "refused", detail)
    hold = problems.sentence("secret")
    return await store.refuse_account(account.id, account.secret, notice, [ended], hold=hold)


def acting(tx: Transaction, asked: Asked, connection: str) -> Account | None:
    """Return the account a person acts through on a connection, or None; as ``Accounts.acting`` does."""
    context, principal = asked.context, asked.principal
    account, provider = _usable(tx, asked, connection), context.connections.get(connection)
    is_open = provider is not None and provider.links_by("none") and provider.settings.serves(principal)
    if account is not None or not is_open:
        return account
    credential = base.Credential.of_connection("none")
    fresh = Account(
        id=context.ids.new("account"),
        principal=principal,
        connection=connection,
        username="",
        secret=context.vault.seal(row_key(principal.key, connection), credential.as_mapping()),
        state="active",
        linked_at=tx.now(),
    )
    accounts.activate_directly(tx, Activation(fresh))
    asked.note(tx, "account.opened", f"{principal.key}/{connection}", "ok", account=fresh.id)
    return accounts.account(tx, principal, connection)


def _usable(tx: Transaction, asked: Asked, connection: str) -> Account | None:
    provider = asked.context.connections.get(connection)
    if provider is not None and not provider.settings.serves(asked.principal):
        return None
    account = accounts.account(tx, asked.principal, connection)
    return account if account is not None and account.state != "revoking" else None


class Accounts(Part):
    """Create links, and accept the codes typed back. ``steps`` serves the pages."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._context = context
        self.sign_in = context.sign_in
        self.steps = linking.LinkSteps(context)

    def linkable(self, principal: Principal) -> list[str]:
        """Return the names of the connections that a person may link themselves."""
        return sorted(
            name
            for name, provider in self._connections.items()
            if provider.links_by("token") and provider.settings.serves(principal)
        )

    async def acting(self, principal: Principal, connection: str) -> Account | None:
        """Return the account a person acts through on a connection, or None.

        Where the provider has no user accounts (linking ``none``), the row is written on first use: what a
        person makes there is theirs alone.
        """
        asked = Asked(self._context, principal)
        account = await asked.see(_usable, connection)
        provider = self._connections.get(connection)
        if account is not None or provider is None or not provider.links_by("none"):
            return account
        return await asked.to(acting, connection)

    async def invite(
        self,
        principal: Principal,
        connection: str,
        waiting: dict[str, Any] | None = None,
        interaction: str = "",
    ) -> str:
        """Return the address of a new link; this invalidates an older one for the same connection.

        ``waiting`` is the command that runs once the account is linked. Raises Refused (``link.no_address``,
        ``link.unknown_connection``, ``link.not_by_token``, ``link.repeated``).
        """
        provider = self._connections.get(connection)
        if provider is None or not provider.settings.serves(principal):
            known = (
                ", ".join(self._connections[one].settings.title for one in self.linkable(principal)) or "none"
            )
            raise Refused("link.unknown_connection", pages.unknown_connection(connection, known))
        if not provider.links_by("token"):
            raise Refused("link.not_by_token", pages.not_by_token(provider.settings.title))
        if self._public_url is None:
            raise Refused("link.no_address", pages.no_address())
        nonce = linking.new_nonce()
        now = await self._store.now()
        link = Link(
            nonce_hash=linking.digest(nonce),
            principal=principal,
            connection=connection,
            waiting=waiting,
            created_at=now,
            expires_at=now + linking.LINK_SECONDS,
            tries_left=linking.TRIES,
        )
        if not await self._store.new_link(link, [linking.entry(link, "link.invited", "ok")], interaction):
            raise Refused("link.repeated", pages.link_repeated())
        return f"{self._public_url.rstrip('/')}/link/{nonce}"

    async def confirm_code(self, principal: Principal, code: str) -> Account:
        """Link the account waiting for this person's code; raises Refused (``code.none``, …)."""
        link = await self._store.open_link_of(principal, "code")
        if link is None or link.code_hash is None or link.code_tries_left <= 0:
            raise Refused("code.none", pages.code_none(self._command))
        if link.connection not in self.linkable(principal):
            # The operator has changed the connections since.
            raise Refused("code.none", pages.code_none(self._command))
        left = link.code_tries_left - 1
        # The attempt is counted before the comparison, so that concurrent attempts can't exceed five.
        tried = replace(link, code_tries_left=left, tries_left=left)
        if not await self._store.change_link(tried, "code", link.tries_left):
            raise Refused("code.busy", pages.code_busy())
        expected = self._vault.open(linking.code_row(link), link.code_hash)["code"]
        if not hmac.compare_digest(expected.encode(), linking.digest(linking.plain_code(code)).encode()):
            await self._store.append_audit([linking.entry(link, "link.code", "refused", tries_left=left)])
            raise Refused("code.wrong", pages.code_wrong(left, self._command))
        return await self.steps.linked.activate(tried, "code", proof="code")


def unlink(
    tx: Transaction, asked: Asked, connections: Collection[str], *, is_answered: bool = False
) -> list[Account]:
    """End a person's own links on some connections; as ``end``."""
    asked.check(tx, "unlink")
    who = asked.principal
    return end(tx, asked, who, connections, actor=who.key, cause="person", is_answered=is_answered)


def unlink_other(tx: Transaction, asked: Asked, other: Principal, connection: str | None) -> list[Account]:
    """End a colleague's links on a connection, or all of them, as an administrator; as ``end``."""
    linked_elsewhere(tx, asked, other)
    connections = None if connection is None else [connection]
    return end(tx, asked, other, connections, actor=asked.principal.key, cause="administrator")


def linked_elsewhere(tx: Transaction, asked: Asked, other: Principal) -> list[Account]:
    """Return a colleague's accounts to an administrator, who may end them."""
    asked.check(tx, "unlink_other", Target("account", other.key, other))
    return accounts.all_of(tx, other)


def end(
    tx: Transaction,
    asked: Asked,
    person: Principal,
    connections: Collection[str] | None = None,
    *,
    actor: str,
    cause: str,
    tell: bool = True,
    is_answered: bool = False,
) -> list[Account]:
    """End a person's accounts on some connections, or all, with everything that depends on them.

    Return the accounts that ended, as they were. ``actor`` is who did it (a principal's key, ``slack`` …);
    ``cause`` says why (``person``, ``administrator``, ``left``, ``revoked``, ``uninstalled``). ``tell`` is
    False where no message can reach them; ``is_answered`` where the answer says it already. Their requests to
    administrators are withdrawn and their browser sessions end, even without an account.
    """
    ending = [
        account
        for account in accounts.all_of(tx, person)
        if connections is None or account.connection in connections
    ]
    if ending and not asked.is_new(tx):
        return []
    accounts.withdraw(tx, person, connections)
    browsers.end_of(tx, person)
    for account in ending:
        provider = asked.context.connections.get(account.connection)
        accounts.end(tx, account, can_revoke=isinstance(provider, base.Revocation), tell=tell)
        if tell and not is_answered:
            add_notices(tx, [_unlinked(account, cause)])
        detail = {"account": account.id, "username": account.username, "cause": cause}
        target = f"{person.key}/{account.connection}"
        append_audit(tx, [AuditEntry(actor, "account.unlinked", target, "ok", detail)])
    return ending


def _unlinked(account: Account, cause: str) -> NewNotice:
    return NewNotice(
        subject=account.id,
        kind=NoticeKind.UNLINKED,
        occasion="unlinked",
        principal=account.principal,
        body={"connection": account.connection, "username": account.username, "cause": cause},
    )


_USERNAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,100}")


def possible(context: Context, principal: Principal) -> list[str]:
    """Return the names of the connections where a person's username may be approved."""
    return sorted(
        name
        for name, provider in context.connections.items()
        if provider.links_by("admin") and provider.settings.serves(principal)
    )


def ask(
    tx: Transaction, asked: Asked, connection: str, username: str, *, waiting: dict[str, Any] | None = None
) -> Approval:
    """Ask the administrators of the person's Slack workspace; return the request as it stands.

    ``waiting`` is the command that runs once they are linked. Raises Refused (``link.unknown_connection``,
    ``approval.username``, ``policy.no_administrators``).
    """
    asked.check(tx, "link")
    context, principal = asked.context, asked.principal
    there = possible(context, principal)
    if connection not in there:
        known = ", ".join(context.connections[one].settings.title for one in there) or "none"
        raise Refused("link.unknown_connection", pages.unknown_connection(connection, known))
    if not is_username(username):
        raise Refused("approval.username", pages.USERNAME_SHAPE)
    place = context.installation
    administrators = place.administrators_of(lambda one: place.are_together(one, principal))
    if not administrators:
        raise Refused("policy.no_administrators", problems.sentence("no_administrators"))
    fresh = context.ids.new("approval")
    new = Approval(fresh, principal, connection, username, "asked", tx.now(), waiting=waiting)
    if not asked.is_new(tx):
        return accounts.approval(tx, people.result_of(tx, asked.interaction)) or new
    approval = accounts.put(tx, new)
    if approval.id == new.id:
        kind = NoticeKind.APPROVAL_ASKED
        add_notices(tx, [notice(new, kind, f"asked:{one.key}", one) for one in administrators])
    people.keep_result(tx, asked.interaction, approval.id)
    append_audit(tx, [approval_entry(new, principal.key, "approval.asked", "ok")])
    return approval


def decide(
    tx: Transaction, asked: Asked, approval_id: str, username: str, *, approve: bool
) -> tuple[Approval, bool]:
    """Approve or deny a request as an administrator; return it, and whether this call decided it.

    ``username`` is what the administrator saw: a request that names another one by now is not decided.
    """
    approval = accounts.approval(tx, approval_id)
    target = Target("approval", approval.id, approval.principal) if approval is not None else None
    asked.check(tx, "approve", target)
    if approval is None:
        raise Refused("approval.unknown", pages.GONE)
    asked.context.provider(approval.connection)
    if approval.username != username or approval.state != "asked" or not asked.is_new(tx):
        return approval, False
    state: Literal["approved", "denied"] = "approved" if approve else "denied"
    decided = accounts.move(tx, approval.id, state, asked.principal.key)
    assert decided is not None, "nobody else decides within this transaction"
    if approve:
        add_tasks(tx, [NewTask(TaskKind.APPROVE, approval.id)])
    else:
        add_notices(tx, [notice(approval, NoticeKind.APPROVAL_DENIED, "denied", approval.principal)])
    append_audit(tx, [approval_entry(approval, asked.principal.key, f"approval.{state}", "ok")])
    return decided, True


def notice(approval: Approval, kind: NoticeKind, occasion: str, to: Principal, **facts: Any) -> NewNotice:
    """Return a direct message about a request; it is sent once per occasion."""
    body = {
        "approval": approval.id,
        "connection": approval.connection,
        "username": approval.username,
        "person": approval.principal.key,
        **facts,
    }
    return NewNotice(approval.id, kind, occasion, to, body)


def approval_entry(approval: Approval, actor: str, action: str, result: str, **detail: str) -> AuditEntry:
    """Return an audit row about a request."""
    return AuditEntry(
        actor=actor,
        action=action,
        target=f"{approval.principal.key}/{approval.connection}",
        result=result,
        detail={"approval": approval.id, "username": approval.username, **detail},
    )


def is_username(text: str) -> bool:
    """Say whether a text can be approved as a username: fully shown, and with nothing invisible in it."""
    return _USERNAME.fullmatch(text) is not None and clean(text) == text and len(escape(text)) <= SHOWN


#: How many people are remembered as met, so that their requests ask no database.
_MOST: Final = 20_000


class Contacts:
    """Remember who has been introduced to Usher."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._met: set[str] = set()

    async def is_new(self, principal: Principal) -> bool:
        """Return whether a person hasn't been introduced yet."""
        if principal.key in self._met:
            return False
        if not await self._store.has_met(principal):
            return True
        self._note(principal)
        return False

    async def meet(self, principal: Principal) -> bool:
        """Note that a person is introduced now; return whether this is the first time."""
        is_first = await self.is_new(principal) and await self._store.meet(principal)
        self._note(principal)
        return is_first

    def _note(self, principal: Principal) -> None:
        if len(self._met) >= _MOST:
            self._met.clear()
        self._met.add(principal.key)


#: The activity of a session is recorded at most this often, in seconds, so that most requests don't write.
NOTED_EVERY = 60.0


def sign_in(tx: Transaction, asked: Asked, lifetime: float) -> str:
    """Begin a browser session of so many seconds; return its id, of which only the SHA-256 is stored."""
    asked.check(tx, "sign_in")
    session_id, now = linking.new_nonce(), tx.now()
    session = BrowserSession(linking.digest(session_id), asked.principal, now, now, now + lifetime)
    BROWSER_SESSIONS.add(tx, session, user_id=asked.principal.user_id)
    _note(tx, session, "browser.sign_in")
    return session_id


def sign_out(tx: Transaction, session_id: str, idle: float) -> None:
    """End a browser session; one that has ended, or was unused for ``idle`` seconds, is left."""
    session = browsers.session(tx, linking.digest(session_id), idle)
    if session is not None:
        BROWSER_SESSIONS.delete(tx, id_hash=session.id_hash)
        _note(tx, session, "browser.sign_out")


def _note(tx: Transaction, session: BrowserSession, action: str) -> None:
    # A prefix of the digest is enough to tell sessions apart, and can't be used to open one.
    who, detail = session.principal.key, {"session": session.id_hash[:12]}
    append_audit(tx, [AuditEntry(who, action, who, "ok", detail)])


class Browsing(Part):
    """Begin, look up and end browser sessions. ``lifetime`` and ``idle`` are in seconds."""

    def __init__(self, context: Context, *, lifetime: float, idle: float) -> None:
        super().__init__(context)
        self._context = context
        self._authority = Authority(context)
        self.lifetime = lifetime
        self._idle = idle

    async def begin(self, principal: Principal) -> str:
        """Return the id of a new session; raises Refused (``policy.…``) for anybody who may not use Usher."""
        return await Asked(self._context, self._installation.who(principal)).to(sign_in, self.lifetime)

    async def end(self, session_id: str | None) -> None:
        """Sign out; ending a session twice is harmless."""
        if session_id is not None and linking.is_nonce(session_id):
            await self._store.carry_out(lambda tx: sign_out(tx, session_id, self._idle))

    async def look(self, session_id: str | None, workspace_id: str) -> Look | None:
        """Return what a page about a workspace needs, whoever owns it; None without a valid session."""
        if session_id is None or not linking.is_nonce(session_id):
            return None
        look = await self._store.look(linking.digest(session_id), self._idle, workspace_id)
        if look is not None and look.now - look.session.seen_at >= NOTED_EVERY:
            await self._store.keep_browser_session(look.session.id_hash)
        return look

    async def own(self, look: Look) -> tuple[Workspace, base.Provider] | None:
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
            log.info("page.refused", rule=decision.rule)
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
