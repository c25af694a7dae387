"""Linking and unlinking: a person in Slack and their own account at a provider.

Every refusal is a ``Refused`` with a text for the person. Each change is written in one transaction with its
audit row.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Any

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Account, AuditEntry, Link, Principal
from bot.messages.texts import pages as words
from bot.messages.texts import problems
from bot.providers import base
from bot.providers.base import Credential
from bot.services import linking
from bot.services.asked import Asked
from bot.services.context import Context, Part
from bot.services.link_steps import LinkSteps
from bot.services.linking import code_row, digest, entry
from bot.store import accounts, links
from bot.store.records import Activation
from bot.store.store import Store
from bot.store.transaction import Transaction
from bot.support.errors import Refused
from bot.support.vault import row_key


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
    credential = Credential.of_connection("none")
    fresh = Account(
        id=context.ids.new("account"),
        principal=principal,
        connection=connection,
        username="",
        secret=context.vault.seal(row_key(principal.key, connection), credential.as_mapping()),
        state="active",
        linked_at=tx.now(),
    )
    links.activate_directly(tx, Activation(fresh))
    asked.note(tx, "account.opened", f"{principal.key}/{connection}", "ok", account=fresh.id)
    return accounts.account(tx, principal, connection)


def _usable(tx: Transaction, asked: Asked, connection: str) -> Account | None:
    provider = asked.context.connections.get(connection)
    if provider is not None and not provider.settings.serves(asked.principal):
        return None
    account = accounts.account(tx, asked.principal, connection)
    return account if account is not None and account.state != "revoking" else None


class Accounts(Part):
    """Create links, accept the codes typed back, and unlink accounts. ``steps`` serves the pages."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._context = context
        self.sign_in = context.sign_in
        self.steps = LinkSteps(context)

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
            raise Refused("link.unknown_connection", words.unknown_connection(connection, known))
        if not provider.links_by("token"):
            raise Refused("link.not_by_token", words.not_by_token(provider.settings.title))
        if self._public_url is None:
            raise Refused("link.no_address", words.no_address())
        nonce = linking.new_nonce()
        now = await self._store.now()
        link = Link(
            nonce_hash=digest(nonce),
            principal=principal,
            connection=connection,
            waiting=waiting,
            created_at=now,
            expires_at=now + linking.LINK_SECONDS,
            tries_left=linking.TRIES,
        )
        if not await self._store.new_link(link, [entry(link, "link.invited", "ok")], interaction):
            raise Refused("link.repeated", words.link_repeated())
        return f"{self._public_url.rstrip('/')}/link/{nonce}"

    async def confirm_code(self, principal: Principal, code: str) -> Account:
        """Link the account waiting for this person's code; raises Refused (``code.none``, …)."""
        link = await self._store.open_link_of(principal, "code")
        if link is None or link.code_hash is None or link.code_tries_left <= 0:
            raise Refused("code.none", words.code_none(self._command))
        if link.connection not in self.linkable(principal):
            # The operator has changed the connections since.
            raise Refused("code.none", words.code_none(self._command))
        left = link.code_tries_left - 1
        # The attempt is counted before the comparison, so that concurrent attempts can't exceed five.
        tried = replace(link, code_tries_left=left, tries_left=left)
        if not await self._store.change_link(tried, "code", link.tries_left):
            raise Refused("code.busy", words.code_busy())
        expected = self._vault.open(code_row(link), link.code_hash)["code"]
        if not hmac.compare_digest(expected.encode(), digest(linking.plain_code(code)).encode()):
            await self._store.append_audit([entry(link, "link.code", "refused", tries_left=left)])
            raise Refused("code.wrong", words.code_wrong(left, self._command))
        return await self.steps.linked.activate(tried, "code", proof="code")

    async def unlink(
        self,
        principal: Principal,
        connection: str | None = None,
        *,
        actor: str,
        cause: str = "",
        interaction: str = "",
        tell: bool = True,
        is_answered: bool = False,
    ) -> list[Account]:
        """Unlink a person's account on a connection, or all of them; return the ones that were unlinked.

        ``actor`` is who did it (a principal's key, ``slack`` …); ``cause`` says why, if it wasn't the
        person (``administrator``, ``left``, ``revoked``, ``uninstalled``). ``tell`` is False where no message
        can reach them; ``is_answered`` where the answer says it already.
        """
        ending = [
            account
            for account in await self._store.accounts(principal)
            if connection is None or account.connection == connection
        ]
        ended = await self._store.unlink(
            principal,
            connection,
            revocable=[name for name, one in self._connections.items() if isinstance(one, base.Revocation)],
            cause="unlinked",
            notices=[_unlinked(account, cause) for account in ending] if tell and not is_answered else (),
            tell=tell,
            audit=[_unlinked_entry(account, actor, cause) for account in ending],
            interaction=interaction,
        )
        if ended:
            self._wake()
        return ended


def _unlinked(account: Account, cause: str) -> NewNotice:
    return NewNotice(
        subject=account.id,
        kind=NoticeKind.UNLINKED,
        occasion="unlinked",
        principal=account.principal,
        body={"connection": account.connection, "username": account.username, "cause": cause},
    )


def _unlinked_entry(account: Account, actor: str, cause: str) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action="account.unlinked",
        target=f"{account.principal.key}/{account.connection}",
        result="ok",
        detail={"account": account.id, "username": account.username, "cause": cause or "asked"},
    )
