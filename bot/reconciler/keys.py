"""Credentials of accounts: decrypting them for calls, renewing refused ones, and checking whose they are."""

import asyncio
import math
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final, Literal
from weakref import WeakValueDictionary

import structlog

from bot.domain import causes
from bot.domain.accounts import MAX_COMPARED_SECONDS, Account
from bot.domain.audit import AuditEntry
from bot.providers import facets
from bot.providers.access import RemoteAccount
from bot.providers.base import Access, Credential, Provider
from bot.reconciler.runtimes import Runtime
from bot.services import account_ids, accounts
from bot.services.context import Context
from bot.store import account_ids as id_rows
from bot.store import accounts as account_rows
from bot.store import audit, credentials
from bot.support import errors
from bot.support.vault import row_key

log = structlog.get_logger(__name__)
#: If a connection refuses several people's credentials within this many seconds, and accepts nobody's in
#: between, Usher treats this as an outage of the connection, not as a problem with the credentials.
OUTAGE_WINDOW_SECONDS: Final = 600.0


#: The reason for a failed renewal: ``later`` if the provider didn't answer, ``locked`` if it refuses the
#: connection's own secret, or the error itself.
_RenewalFailure = Literal["later", "locked"] | errors.PermanentError
#: The result of checking whether a username still belongs to the linked account:
#: - ``usable``: the call may be made.
#: - ``changed``: the account was renamed, so the call must be repeated with the new name.
#: - ``resting``: the name now belongs to another account, so the link isn't used.
#: - ``unclear``: the provider's answer proves nothing, so calls that use the name have to wait.
Verdict = Literal["usable", "changed", "resting", "unclear"]
#: The result of handling a refused credential (see ``Keys.resolve_refusal``).
RefusalResult = Literal["changed", "held", "refused", "locked", "later"]


#: Time limit for refreshing a credential, in seconds. This leaves time for the step to finish before its
#: lease (its claim on the row) ends.
REFRESH_SECONDS = 10.0
#: Time limit, in seconds, for minting a credential with the connection's secret. Minting takes several
#: requests (login link, session, token, owner).
MINT_SECONDS = 14.0
#: Lifetime of the cache of decrypted secrets, in seconds. Without the cache, secrets would be decrypted again
#: for every poll, that is, every ten seconds.
ACCESS_CACHE_SECONDS = 60.0
MAX_CACHED_ACCESSES = 5_000
#: Calls that list an account's contents. For these, a recent check that the username still belongs to the
#: linked account isn't enough, because another account's list would reveal someone else's data.
_LISTS: Final = frozenset({"list", "list runs"})
#: Time limit, in seconds, for checking before a call that the linked account hasn't changed.
COMPARE_SECONDS: Final = 10.0
#: Maximum number of accounts for which a process remembers when it last asked the provider for the account's
#: id. When this number is reached, the process forgets all these times.
MAX_REMEMBERED: Final = 10_000


class Keys:
    """Decrypts accounts' secrets, renews those that are refused, and checks which account each one opens.

    Decrypted secrets are cached in memory, and so is the time at which each unknown account id was last
    requested. After a restart, a renewed secret that the provider hadn't accepted yet may be renewed once
    more. A new secret only ever replaces the one that was refused. Refusals, and outages that affect several
    people, are stored as rows.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._vault = context.vault
        self._clock = context.clock
        #: Cache of credentials by account, username and stored secret. The whole cache expires at once.
        self._accesses: dict[tuple[str, str, str], Access] = {}
        self._accesses_expire_at = 0.0
        self._began_at = self._clock.now()
        #: Maps each account to the stored secret that this process last decrypted for it.
        self._opened: dict[str, str] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        #: Maps each account to its renewed secret until a call with that secret succeeds. Until then, the
        #: secret isn't renewed again.
        self._unproven: dict[str, str] = {}
        #: When each connection's provider began to refuse the connection's own secret (epoch seconds), or
        #: None once it accepts the secret again. There is no entry until the first refusal or acceptance.
        self.lockouts: dict[str, float | None] = {}
        #: When each connection began to refuse several people's credentials (epoch seconds), or None if it
        #: has accepted one since. ``_accepted_at`` is when each connection last accepted a person's
        #: credential (monotonic seconds).
        self.people_lockouts: dict[str, float | None] = {}
        self._accepted_at: dict[str, float] = {}
        self._learning_at: dict[str, float] = {}

    def open(self, account: Account) -> Access:
        """Return the access for an account's calls. Raise SecretError if its secret can't be decrypted."""
        now = self._clock.monotonic()
        if now >= self._accesses_expire_at or len(self._accesses) >= MAX_CACHED_ACCESSES:
            self._accesses.clear()
            self._accesses_expire_at = now + ACCESS_CACHE_SECONDS
        remote_id, key = account.remote_id or "", (account.id, account.username, account.secret)
        access = self._accesses.get(key)
        if access is None:
            row = row_key(account.principal.key, account.connection)
            access = Access(account.username, Credential.from_mapping(self._vault.open(row, account.secret)))
            self._opened[account.id] = account.secret
        if access.credential.account_id != remote_id:
            access = replace(access, credential=replace(access.credential, account_id=remote_id))
        self._accesses[key] = access
        return access

    def is_behind(self, account: Account) -> bool:
        """Return whether an account's secret may be encrypted with a key that this process doesn't have.

        This is possible if a process with another key is running, or if the secret was encrypted after this
        process started or last decrypted it.
        """
        if self._context.owners.lacks_keys:
            return True
        sealed_at = self._vault.find_sealing_time(account.secret)
        is_new = sealed_at is not None and sealed_at > self._began_at
        return is_new or self._opened.get(account.id, account.secret) != account.secret

    def note_accepted(self, account: Account, access: Access) -> None:
        """Record that a provider accepted a credential in a call."""
        self._unproven.pop(account.id, None)
        is_persons = access.credential.owner == "person"
        if is_persons:
            self._accepted_at[account.connection] = self._clock.monotonic()
        refusals = self.people_lockouts if is_persons else self.lockouts
        if refusals.get(account.connection, 0.0) is not None:
            refusals[account.connection] = None

    async def resolve_refusal(
        self, account: Account, runtime: Runtime, refusal: errors.CredentialRefused
    ) -> RefusalResult:
        """Renew a refused credential once, if possible, and return the result.

        ``changed`` means that the call can be retried with a new secret or name. ``held`` means that the
        account's calls have to wait, and its owner is notified if the credential is refused again.
        ``refused`` means that the link can no longer be used. ``locked`` means that the provider refuses the
        connection's own secret, which only the operator can replace. ``later`` means that the provider didn't
        respond.
        """
        lock = self._locks.setdefault(account.id, asyncio.Lock())
        async with lock:
            current = await self._store.read(account_rows.find_account_by_id, account.id)
            if current is None or current.state != "active":
                return "refused"
            if current.secret != account.secret or current.username != account.username:
                return "changed"
            if isinstance(refusal, errors.AccountRenamed) and await self._follow_rename(current, runtime):
                return "changed"
            fresh = await self._refresh(current, runtime.provider)
            if isinstance(fresh, Credential) and self._is_of_connection(current):
                # The credential was fetched by the account's name, which may now belong to another account.
                owner = RemoteAccount(fresh.account_id, current.username)
                match await self._judge(current, owner, is_own_token=False):
                    case "resting":
                        return "refused"
                    case "unclear":
                        return "later"
            if isinstance(fresh, Credential):
                sealed = self._vault.seal(
                    row_key(current.principal.key, current.connection), fresh.as_mapping()
                )
                if await self._store.write(
                    credentials.save_secret,
                    current.id,
                    current.secret,
                    sealed,
                    is_fresh=True,
                    expires_at=fresh.expires_at,
                ):
                    self._unproven[current.id] = sealed
                    await self._note_renewal(current, fresh)
                return "changed"
            if fresh == "locked":
                self.note_lockout(account.connection)
                return "locked"
            if fresh == "later":
                return "later"
            accepted = self._clock.monotonic() - self._accepted_at.get(account.connection, -math.inf)
            hold_account = partial(
                accounts.suspend_account,
                account=current,
                cause=causes.to_cause(fresh),
                renamed=refusal.message if isinstance(refusal, errors.AccountRenamed) else "",
                lately=min(accepted, OUTAGE_WINDOW_SECONDS),
            )
            if (
                await self._store.carry_out(hold_account)
                and self.people_lockouts.get(account.connection) is None
            ):
                log.warning("connection refuses several people", connection=account.connection)
                self.people_lockouts[account.connection] = self._clock.now()
            return "held"

    async def compare(
        self, provider: Provider, account: Account, what: str, access: Access, *, now: bool
    ) -> Verdict | errors.ProviderError:
        """Check that a call's account is the linked one. Return the verdict or the provider's error.

        If a call names its account, a comparison remains valid for ten minutes. The account is always
        compared again before a list is read, or if ``now`` is true. An account id that isn't known yet is
        requested and saved. If the provider doesn't respond, only calls that name an account with a known id
        have to wait, because a person's own token can't open another account.
        """
        is_by_name = provider.is_made_by_name(access, what)
        if account.remote_id is not None and not is_by_name:
            return "usable"
        if not provider.has_account_ids or (account.remote_id is None and not self._may_learn(account)):
            return "usable"
        is_recent = account.remote_id is not None and not (now or what in _LISTS)
        if is_recent and account.was_compared(await self._store.now()):
            return "usable"
        # If the id isn't known, there is nothing to compare, so the call doesn't have to wait.
        is_required = is_by_name and bool(account.remote_id)
        try:
            async with asyncio.timeout(COMPARE_SECONDS):
                current = await provider.read_account(access)
        except TimeoutError:
            return errors.UnknownOutcome("no answer in time") if is_required else "usable"
        except errors.ProviderError as error:
            log.info("account not compared", connection=account.connection, account=account.id, problem=error)
            return error if is_required else "usable"
        verdict = await self._judge(account, current, is_own_token=access.credential.owner == "person")
        return "usable" if verdict == "unclear" and not is_by_name else verdict

    async def _judge(self, account: Account, current: RemoteAccount | None, *, is_own_token: bool) -> Verdict:
        """Compare the linked account with the one that has its name now, and update the link's row."""
        is_learned = False
        if account.remote_id:
            match account_ids.compare_account(account, current):
                case "another" if current is not None:
                    log.warning(
                        "another account has the name", connection=account.connection, account=account.id
                    )
                    await self._store.carry_out(
                        partial(
                            account_ids.rest_account,
                            context=self._context,
                            account=account,
                            other_id=current.account_id,
                        )
                    )
                    return "resting"
                case "unclear":
                    log.info("account not told", connection=account.connection, account=account.id)
                    return "unclear"
        elif is_learned := current is None or bool(current.account_id):
            learn = partial(account_ids.learn_id, account=account, current=current, is_own_token=is_own_token)
            await self._store.carry_out(learn, [account.principal.key])
        if current is not None and account.username and current.username != account.username:
            # This is the linked account under another name, so the account was renamed.
            return "changed" if await self._save_rename(account, current.username) else "unclear"
        # If the id was learned just now, the time of the comparison was saved along with it.
        if not is_learned:
            with suppress(errors.StoreError):
                await self._store.write(id_rows.note_compared, account)
        return "usable"

    def _may_learn(self, account: Account) -> bool:
        """Return whether an account's id may be requested again. Requests are at least ten minutes apart."""
        now = self._clock.monotonic()
        if self._learning_at.get(account.id, -math.inf) > now - MAX_COMPARED_SECONDS:
            return False
        if len(self._learning_at) >= MAX_REMEMBERED:
            self._learning_at.clear()
        self._learning_at[account.id] = now
        return True

    async def _save_rename(self, account: Account, username: str) -> bool:
        return await self._store.carry_out(
            partial(account_ids.follow_rename, context=self._context, account=account, username=username)
        )

    async def _follow_rename(self, account: Account, runtime: Runtime) -> bool:
        """If an account was renamed and is provably still the same, save its new name and return True."""
        if not account.remote_id:
            return False
        try:
            async with asyncio.timeout(REFRESH_SECONDS):
                current = await runtime.provider.read_account(self.open(account))
        except (errors.ProviderError, errors.SecretError, TimeoutError):
            return False
        if current is None or account_ids.compare_account(account, current) != "same":
            return False
        return current.username != account.username and await self._save_rename(account, current.username)

    def note_lockout(self, connection: str) -> None:
        """Record that a connection's own secret was refused. Log only the first refusal in a row."""
        if self.lockouts.get(connection) is None:
            log.warning("the connection's own secret is refused", connection=connection)
            self.lockouts[connection] = self._clock.now()

    def _is_of_connection(self, account: Account) -> bool:
        try:
            return self.open(account).credential.owner != "person"
        except errors.SecretError:
            return False

    async def _refresh(self, account: Account, provider: Provider) -> Credential | _RenewalFailure:
        is_of_connection = self._is_of_connection(account)
        refusal: _RenewalFailure = "locked" if is_of_connection else errors.CredentialRefused()
        if not isinstance(provider, facets.Renewal) or self._unproven.get(account.id) == account.secret:
            return refusal
        try:
            access = self.open(account)
            if not access.credential.is_renewable:
                return refusal
            async with asyncio.timeout(MINT_SECONDS if is_of_connection else REFRESH_SECONDS):
                return await provider.refresh(access)
        except errors.CredentialRefused:
            return refusal
        except (errors.ProviderError, errors.SecretError, TimeoutError) as error:
            log.info("refresh failed", connection=account.connection, problem=error)
            # A permanent error means that the connection's secret is valid, but that it can't access this
            # account.
            return error if is_of_connection and isinstance(error, errors.PermanentError) else "later"

    async def _note_renewal(self, account: Account, fresh: Credential) -> None:
        if fresh.owner == "admin":
            detail = {"connection": account.connection, "username": account.username, "acts": "admin"}
            await self._store.write(
                audit.append_audit, [AuditEntry("usher", "account.renew", account.id, "ok", detail)]
            )
