"""Accounts' credentials in use: decrypted, refreshed once, or suspected."""

from __future__ import annotations

import asyncio
from typing import Literal
from weakref import WeakValueDictionary

import structlog

from bot.domain.people import Account, AuditEntry
from bot.messages.texts import problems
from bot.providers import base
from bot.providers.base import Access, Credential, Provider
from bot.reconciler.runtimes import Runtime
from bot.services.context import Context, Part
from bot.support.errors import CredentialRefused, PermanentError, ProviderError, SecretError
from bot.support.vault import row_key

#: ``locked``: it is the connection's own secret that is refused.
#: An error says why a renewal gave no usable credential.
_Unrenewed = Literal["later", "locked"] | PermanentError
#: What became of a refused credential; see ``Keys.refused``.
Became = Literal["changed", "suspected", "refused", "locked", "later"]

log = structlog.get_logger(__name__)

#: Short, because a step that refreshes has already made a call, and its lease covers both.
REFRESH_SECONDS = 10.0
#: Minting with the connection's secret takes more requests: a login link, a session, the token, its owner.
MINT_SECONDS = 14.0
#: How long a decrypted secret is cached, so that a poll every ten seconds doesn't decrypt it each time.
OPEN_SECONDS = 60.0
MOST_OPEN = 5_000


class Keys(Part):
    """Decrypt accounts' secrets, and react when a provider refuses one."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        #: Decrypted accesses by what they were decrypted from; all are dropped together when they expire.
        self._opened: dict[tuple[str, str, str], Access] = {}
        self._open_until = 0.0
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        #: The secret from a refresh, by account, until a call with it succeeds.
        self._unproven: dict[str, str] = {}
        #: Since when connections' own secrets have been refused, in epoch seconds; None once accepted again.
        #: Connections about which nothing is known yet are absent.
        self.lockouts: dict[str, float | None] = {}

    def open(self, account: Account) -> Access:
        """Return the access for an account's calls; raise SecretError if its secret can't be decrypted."""
        now = self._clock.monotonic()
        if now >= self._open_until or len(self._opened) >= MOST_OPEN:
            self._opened.clear()
            self._open_until = now + OPEN_SECONDS
        key = (row_key(account.principal.key, account.connection), account.username, account.secret)
        access = self._opened.get(key)
        if access is None:
            sealed = self._vault.open(key[0], account.secret)
            access = self._opened[key] = Access(account.username, Credential.from_mapping(sealed))
        return access

    def worked(self, account: Account, access: Access) -> None:
        """Note that a provider accepted the credential, by the access that the call was made with."""
        self._unproven.pop(account.id, None)
        if access.credential.acts != "person" and self.lockouts.get(account.connection, 0.0) is not None:
            self.lockouts[account.connection] = None

    async def refused(self, account: Account, runtime: Runtime) -> Became:
        """Handle a refused credential: refresh it once if possible.

        ``changed``: there is a new secret, continue with it. ``suspected``: one refusal may be wrong, so the
        credential is checked again. ``refused``: the link is gone. ``locked``: the operator's own secret is
        refused, which linking again can't fix; it must be replaced in the settings. ``later``: the refresh
        got no answer.
        """
        lock = self._locks.setdefault(account.id, asyncio.Lock())
        async with lock:
            current = await self._store.account_by_id(account.id)
            if current is None or current.state != "active":
                return "refused"
            if current.secret != account.secret:
                return "changed"
            fresh = await self._refreshed(current, runtime.provider)
            if isinstance(fresh, Credential):
                sealed = self._vault.seal(
                    row_key(current.principal.key, current.connection), fresh.as_mapping()
                )
                if await self._store.save_secret(
                    current.id, current.secret, sealed, is_fresh=True, ends_at=fresh.ends_at
                ):
                    self._unproven[current.id] = sealed
                    await self._note_renewal(current, fresh)
                return "changed"
            if fresh == "locked":
                self.locked_out(account.connection)
                return "locked"
            if fresh == "later":
                return "later"
            noted = AuditEntry(
                "usher",
                "account.suspect",
                current.id,
                "refused",
                {"connection": current.connection, "cause": problems.cause_of(fresh)},
            )
            if await self._store.suspect_account(current.id, current.secret, [noted]):
                log.info("credential suspected", connection=account.connection, account=account.id)
            return "suspected"

    def locked_out(self, connection: str) -> None:
        """Note that a connection's own secret is refused; logged once until it is accepted again."""
        if self.lockouts.get(connection) is None:
            log.warning("the connection's own secret is refused", connection=connection)
            self.lockouts[connection] = self._clock.now()

    def _is_of_connection(self, account: Account) -> bool:
        try:
            return self.open(account).credential.acts != "person"
        except SecretError:
            return False

    async def _refreshed(self, account: Account, provider: Provider) -> Credential | _Unrenewed:
        of_connection = self._is_of_connection(account)
        refusal: _Unrenewed = "locked" if of_connection else CredentialRefused()
        if not isinstance(provider, base.Renewal) or self._unproven.get(account.id) == account.secret:
            return refusal
        try:
            access = self.open(account)
            if not access.credential.is_renewable:
                return refusal
            async with asyncio.timeout(MINT_SECONDS if of_connection else REFRESH_SECONDS):
                return await provider.refresh(access)
        except CredentialRefused:
            return refusal
        except (ProviderError, SecretError, TimeoutError) as error:
            log.info("refresh failed", connection=account.connection, problem=error)
            # The connection's secret is valid, but no longer gives access to this account.
            return error if of_connection and isinstance(error, PermanentError) else "later"

    async def _note_renewal(self, account: Account, fresh: Credential) -> None:
        if fresh.acts == "admin":
            detail = {"connection": account.connection, "username": account.username, "acts": "admin"}
            await self._store.append_audit([AuditEntry("usher", "account.renew", account.id, "ok", detail)])
