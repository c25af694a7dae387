"""Calls providers on behalf of accounts, within a time limit. ``call_results`` defines their results."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeVar

import structlog

from bot.domain import causes
from bot.domain.accounts import REPEATED_SECONDS, Account
from bot.domain.failure_causes import OWN_LIMITS, find_reason, lacks_capacity
from bot.domain.holds import HoldCode, hold_by_cause, hold_until
from bot.domain.plan import MAX_BACKOFF_SECONDS, Step, backoff
from bot.domain.timeouts import MAX_BUSY_SECONDS, busy_pause
from bot.providers.base import Access, Credential
from bot.providers.facets import Lists
from bot.reconciler.call_results import (
    CallResult,
    OutcomeUnknown,
    ProviderBusy,
    Rejected,
    RetryLater,
    Succeeded,
)
from bot.reconciler.keys import Keys, RefusalResult
from bot.reconciler.runtimes import MAX_REQUESTED_PAUSE_SECONDS, Numbers, Runtime
from bot.services import account_ids
from bot.store import accounts, pauses, refusals
from bot.store.pauses import Calls
from bot.store.store import Store
from bot.support import errors
from bot.support.windows import Window, limit_departures

log = structlog.get_logger(__name__)


_T = TypeVar("_T")

#: How long, in seconds, to wait before retrying a rejected call. The wait is long, because such a call
#: usually keeps failing until someone solves the problem, for instance by replacing the credential.
REFUSED_WAIT_SECONDS: Final = 60.0
#: The ``Access`` for calls that use the connection's own secret. The provider object already has the secret,
#: so it isn't repeated here.
_CONNECTION_ACCESS: Final = Access("", Credential.for_connection("admin"))
#: Why a call is retried: the provider has requested a pause.
RATE_LIMITED_CAUSE: Final = "rate_limited"
#: Why a call is retried after ``KEYS_WAIT_SECONDS``: the account's secret may be encrypted with a key that
#: only other processes have.
KEYS_CAUSE: Final = "other_keys"
KEYS_WAIT_SECONDS: Final = 20.0
#: Why calls for an account are retried: the link has expired, the account has been renamed, or the provider
#: refuses its credential.
REFUSED_SIGN_IN_CAUSES: Final = frozenset({"approval_ended", "renamed", "sign_in_refused"})
#: Name of the only call that may use the secret of an ended link.
REVOKE_CALL: Final = "revoke"
#: Names of the calls that are sent even if the account's credential was refused earlier. Before any other
#: call, Usher reads a list, if the provider has lists, to find out whether the credential is accepted again.
_CALLS_WITHOUT_PROOF: Final = frozenset({"list", REVOKE_CALL})
#: Names of the calls that change something. A call has the same name as the step that makes it.
CHANGING_CALLS: Final = frozenset(
    {*map(str, (Step.START, Step.STOP, Step.SUSPEND, Step.FORCE, Step.REMOVE, Step.CREATE, Step.LAUNCH))}
)
#: Cause given for a call that Usher didn't make because the account had been unlinked.
UNLINKED_CAUSE: Final = "unlinked"
#: Errors from the provider, or from a proxy in front of it, that don't show whether the call was carried out.
_AMBIGUOUS: Final = (errors.UnknownOutcome, errors.ServerFailed, errors.BadAnswer)


class ProviderCall(NamedTuple):
    """A call to a provider. If ``account`` is None, the connection's own secret is used."""

    runtime: Runtime
    account: Account | None
    #: The call's name in the log.
    what: str
    #: Number of times that the call has failed so far.
    attempts: int = 0
    #: The call's time limit, in seconds, or None for the usual one.
    seconds: float | None = None
    #: Whether the call starts something. Such calls have a separate rate limit.
    starts: bool = False
    #: Whether the call is safe to repeat.
    repeats: bool = False
    #: Whether the account's row has just been read and needn't be reread before the call.
    is_checked: bool = False
    #: Monotonic time from which the call's time limit counts, or None to count from now. Once the limit is
    #: over, no request is sent, because another process may have claimed the operation or run by then.
    began: float | None = None
    #: Called just before each request. The request isn't sent if this returns False.
    may_leave: Callable[[], bool] | None = None
    #: Whether the previous attempt was refused as unauthorized (``RetryLater.is_unauthorized``). If it was,
    #: and the credential is accepted otherwise, another refusal ends the retries. If it wasn't, a 401 for a
    #: valid credential is retried once. None means that such a 401 isn't retried.
    was_unauthorized: bool | None = None
    #: Returns whether a result says that a workspace or run no longer exists. If so, Usher checks that the
    #: username still belongs to the linked account. If another account has the username now, the workspace or
    #: run may still exist.
    reports_absence: Callable[[Any], bool] | None = None


class ProviderCaller:
    """Calls providers, and updates credentials and the health of connections according to the responses."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        numbers: Numbers,
        jitter: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._monotonic = monotonic
        self._store = store
        self._keys = keys
        self._numbers = numbers
        self._jitter = jitter

    def compute_backoff(self, attempts: int, longest: float = MAX_BACKOFF_SECONDS) -> float:
        """Return how many seconds to wait after ``attempts`` consecutive failures."""
        return backoff(attempts, self._jitter(), longest=longest)

    def compute_busy_pause(self, busy_for: float, longest: float = MAX_BUSY_SECONDS) -> float:
        """Return how many seconds to wait for a provider that has been busy for ``busy_for`` seconds."""
        return busy_pause(busy_for, self._jitter(), longest=longest)

    def open(self, account: Account, attempts: int = 0) -> Access | RetryLater | Rejected:
        """Return the access for an account's calls, or Rejected if its secret can't be decrypted.

        If it may be encrypted with a key that only other processes have, return RetryLater.
        """
        try:
            return self._keys.open(account)
        except errors.SecretError as error:
            log.exception("a stored secret does not open", connection=account.connection, account=account.id)
            refusal = Rejected(error, "secret", hold_by_cause("secret"))
        if not self._keys.is_behind(account):
            return refusal
        log.error("the encryption keys here are older than the database's: restart this process with all")
        return RetryLater(KEYS_WAIT_SECONDS, hold_by_cause(KEYS_CAUSE), attempts, KEYS_CAUSE)

    async def admit(
        self, runtime: Runtime, account: Account | None, attempts: int = 0, *, starts: bool = False
    ) -> Access | RetryLater | Rejected:
        """Return the credentials for a call if it may be sent now, or else a result that says why not."""
        if account is None:
            return _CONNECTION_ACCESS
        if account.is_held and (wait := account.compute_retry_delay(await self._store.now())) > 0:
            return await self._postpone_refused(runtime, account, wait, attempts)
        wait = runtime.limits.find_wait(account.id)
        if starts:
            wait = max(wait, runtime.start_limits.find_wait(account.id))
        if wait > 0:
            return RetryLater(wait, runtime.health.describe_pause(wait), attempts, RATE_LIMITED_CAUSE)
        return self.open(account, attempts)

    async def call(self, call: ProviderCall, send: Callable[[Access], Awaitable[_T]]) -> CallResult[_T]:
        """Call a provider once and return the result.

        Errors that don't come from the provider, but from the store or Usher itself, are raised. Nothing is
        sent for an account that any process has unlinked. The account's row is read before the call and
        repeatedly during a long call, which may consist of many requests.

        If the provider accepts a credential for another call, the credential isn't the reason for a refusal.
        So a refused credential is first tested by reading a list, if the provider has lists. The account's id
        is compared if the call requires that (``docs/internals/rules.md``, "Nobody acts through another's
        account").
        """
        within = self._numbers.call_seconds if call.seconds is None else call.seconds
        until = (self._monotonic() if call.began is None else call.began) + within
        if call.account is not None and not call.is_checked:
            current = await self._read_account(call.account, call.what)
            if current is None or current.state == "refused":
                return _reject_account(UNLINKED_CAUSE if current is None else current.refusal)
            call = call._replace(account=current)
        access = await self.admit(call.runtime, call.account, call.attempts, starts=call.starts)
        if not isinstance(access, Access):
            return access
        is_accepted = call.was_unauthorized is True and self._is_accepted(call)
        if call.account is not None and call.account.is_held:
            tried = await self._try_refused(call, call.account, access, within)
            if not isinstance(tried, Account):
                return tried
            call, is_accepted = call._replace(account=tried), is_accepted or not tried.is_held
        if (unusable := await self._compare_account(call, access)) is not None:
            return unusable
        window = Window(until, call.may_leave)
        if window.has_closed(self._monotonic()):
            return RetryLater(0.0, None, call.attempts)
        sent = await self._send(call, access, send, within, window)
        if isinstance(sent, Rejected):
            return sent
        reports = call.reports_absence
        is_absent = reports is not None and isinstance(sent, Succeeded) and reports(sent.value)
        if is_absent or isinstance(sent, errors.NotFound):
            # If another account has the username now, the linked account's workspaces and runs only seem to
            # be gone.
            unusable = await self._compare_account(call, access, now=True)
            if unusable is not None:
                return unusable
        if isinstance(sent, Succeeded):
            return sent
        return await self.judge(call, sent, is_accepted=is_accepted)

    async def _send(
        self,
        call: ProviderCall,
        access: Access,
        send: Callable[[Access], Awaitable[_T]],
        seconds: float,
        window: Window,
    ) -> Succeeded[_T] | Rejected | errors.ProviderError:
        """Make a call within its time window. Return its result, or Rejected if the account was unlinked."""
        loop, watches = asyncio.get_running_loop(), list[asyncio.Task[None]]()
        until, limit = loop.time() + seconds, asyncio.timeout(None)

        def begin_watch() -> None:
            if not math.isfinite(seconds):
                return
            limit.reschedule(until)
            # Streams check for themselves whether the account is linked, and an account that is being revoked
            # is already unlinked.
            if call.account is not None and call.account.state != "revoking":
                watches.append(loop.create_task(self._watch(call.account, limit)))

        # Most calls end before this timer fires, so they need no other.
        timer = loop.call_later(min(self._numbers.watch, seconds), begin_watch)
        try:
            async with limit:
                with limit_departures(window):
                    value = await send(access)
        except TimeoutError:
            if any(watch.done() for watch in watches):
                return _reject_account(UNLINKED_CAUSE)
            return errors.UnknownOutcome("no answer in time")
        except errors.ProviderError as error:
            # An earlier request of this call may have been sent in time, and may have taken effect.
            is_unknown = isinstance(error, errors.SentTooLate) and window.has_closed(self._monotonic())
            return errors.UnknownOutcome("not sent in time") if is_unknown else error
        finally:
            timer.cancel()
            for watch in watches:
                watch.cancel()
        await self._note_success(call, access)
        return Succeeded(value)

    async def _watch(self, account: Account, limit: asyncio.Timeout) -> None:
        """Watch a running call, and cut it off if its account is unlinked."""
        is_linked = True
        while is_linked:
            # If the store can't be read, the next check may still notice that the account was unlinked.
            with suppress(errors.StoreError):
                is_linked = await self._read_account(account) is not None
            if is_linked:
                await asyncio.sleep(self._numbers.watch)
        if not limit.expired():
            limit.reschedule(asyncio.get_running_loop().time())

    def _is_accepted(self, call: ProviderCall) -> bool:
        """Return whether neither the account's nor the connection's own secret is marked as refused."""
        is_held = call.account is not None and call.account.is_held
        return not is_held and self._keys.lockouts.get(call.runtime.name) is None

    async def _try_refused(
        self, call: ProviderCall, account: Account, access: Access, seconds: float
    ) -> Account | RetryLater | Rejected:
        """Test a refused credential by reading a list, if there is one. Only one call does this at a time.

        If the list can be read, return the account, which is now marked as accepted. If the call mustn't be
        sent, return its result. Any other error proves nothing, so the call is still sent.
        """
        if not await self._store.write(refusals.try_refused, account):
            return await self._postpone_refused(call.runtime, account, REPEATED_SECONDS, call.attempts)
        # Some providers accept a list under any name, so reading one proves nothing about a renamed account.
        is_renamed = account.renamed_to is not None
        if is_renamed or call.what in _CALLS_WITHOUT_PROOF or not call.runtime.provider.has_lists:
            return account
        try:
            async with asyncio.timeout(seconds):
                await call.runtime.provider.require_facet(Lists).discover(access)
        except errors.CredentialRefused as error:
            # Only the list was requested; the call itself wasn't sent.
            answer = await self._resolve_refusal(call._replace(attempts=0), error)
            if isinstance(answer, RetryLater):
                return replace(answer, attempts=call.attempts, is_unauthorized=False)
            return answer._replace(error=errors.CredentialRefused())
        except (errors.ProviderError, TimeoutError):
            return account
        await self._note_success(call, access)
        return replace(account, refused_since=None, renamed_to=None)

    async def _compare_account(
        self, call: ProviderCall, access: Access, *, now: bool = False
    ) -> RetryLater | Rejected | None:
        """Compare a call's account with the provider's. Return None if they match, otherwise a result."""
        account, attempts = call.account, call.attempts
        if account is None or account.state == "revoking":
            return None
        verdict = await self._keys.compare(call.runtime.provider, account, call.what, access, now=now)
        match verdict:
            case "usable":
                return None
            case "changed":
                return RetryLater(0.0, None, attempts)
            case "resting":
                return _reject_account(account_ids.RESTING_CAUSE)
            case errors.TemporaryError() | errors.CredentialRefused():
                compared = ProviderCall(call.runtime, account, "compare", attempts=attempts)
                answer = await self.judge(compared, verdict)
                if isinstance(answer, OutcomeUnknown):
                    return RetryLater(answer.wait, answer.hold, answer.attempts, answer.cause)
                return answer
        wait = min(self.compute_backoff(attempts + 1), REFUSED_WAIT_SECONDS)
        unclear = hold_by_cause(account_ids.UNCLEAR_CAUSE)
        return RetryLater(wait, unclear, attempts + 1, account_ids.UNCLEAR_CAUSE)

    async def _read_account(self, account: Account, what: str = "") -> Account | None:
        """Return an account's current row, or None if it was unlinked, unless the call revokes its secret."""
        if account.state == "revoking":
            return account if what == REVOKE_CALL else None
        current = await self._store.read(accounts.find_account_by_id, account.id)
        return None if current is None or current.state == "revoking" else current

    async def follow(
        self,
        call: ProviderCall,
        begin: Callable[[Access], AsyncIterator[_T]],
        take: Callable[[_T], Awaitable[None]],
    ) -> CallResult[None]:
        """Read a stream to its end. A break after some data doesn't count as a failure.

        If the account is unlinked, the caller ends the stream, because it reads the run's row every second.
        """

        async def read(access: Access) -> None:
            stream, has_begun = begin(access), False
            try:
                async for each in stream:
                    if not has_begun:
                        has_begun = True
                        await self._note_success(call, access)
                    await take(each)
            except errors.TemporaryError as error:
                error.was_answered = has_begun
                raise
            except TimeoutError as error:
                unanswered = errors.UnknownOutcome("no answer in time")
                unanswered.was_answered = has_begun
                raise unanswered from error
            finally:
                close: Any = getattr(stream, "aclose", None)
                if close is not None:
                    await close()

        return await self.call(call._replace(seconds=math.inf, is_checked=True), read)

    async def _postpone_refused(
        self, runtime: Runtime, account: Account, wait: float, failures: int, cause: str = "", at: float = 0.0
    ) -> RetryLater:
        """Return a result that retries a call for a refused account.

        The first refusal isn't shown to the person.
        """
        has_ended = account.has_ended(await self._store.now())
        cause = cause or ("approval_ended" if has_ended else account.refusal)
        is_out = cause == "sign_in_refused" and self._keys.people_lockouts.get(runtime.name) is not None
        hold = hold_by_cause("people_out" if is_out else cause)
        is_news = has_ended or is_out or account.repeats(at or account.checked_at)
        return RetryLater(wait, hold if is_news else None, failures, cause)

    async def _note_success(self, call: ProviderCall, access: Access) -> None:
        call.runtime.health.note_answer()
        if call.account is not None:
            self._keys.note_accepted(call.account, access)
            if call.account.is_held:
                await self._resume_account(call.account)

    async def _resume_account(self, account: Account) -> None:
        """Resume the work that was waiting for a refused account to be accepted again."""
        try:
            if await self._store.write(refusals.note_accepted, account):
                log.info("credential accepted again", connection=account.connection, account=account.id)
        except errors.StoreError as error:
            # A failure to write this must not lose the call's result. The next accepted call retries the
            # write.
            log.warning("acceptance not written", connection=account.connection, problem=error)

    async def judge(
        self, call: ProviderCall, error: errors.ProviderError, *, is_accepted: bool = False
    ) -> RetryLater | OutcomeUnknown | Rejected:
        """Record a provider's error, and return the result for it.

        ``is_accepted`` means that the call was refused with 401 earlier, but another call has been accepted
        since.
        """
        runtime, account, attempts = call.runtime, call.account, call.attempts
        if isinstance(error, errors.SentTooLate):
            # Nothing was sent, so nothing failed. For reads, the poll gate decides when to retry.
            return RetryLater(0.0, None, attempts)
        account_id = account.id if account is not None else ""
        log.info("not done", connection=runtime.name, call=call.what, account=account_id, problem=error)
        is_renamed = isinstance(error, errors.AccountRenamed)
        if isinstance(error, errors.CredentialRefused) and is_accepted and not is_renamed:
            # The credential isn't to blame, since the server accepts it.
            error = errors.Forbidden(error.message, status=error.status)
        is_first_401 = error.status == 401 and call.was_unauthorized is False
        if is_first_401 and not isinstance(error, errors.CredentialRefused):
            # The credential isn't to blame, so a single 401 may be a fluke.
            runtime.health.note_answer(error)
            return RetryLater(self.compute_backoff(attempts + 1), None, attempts + 1, is_unauthorized=True)
        error = refine_start_refusal(error) if call.starts else error
        if isinstance(error, errors.CredentialRefused):
            runtime.health.note_answer(error)
            return await self._resolve_refusal(call, error)
        if not isinstance(error, errors.TemporaryError):
            runtime.health.note_answer(error)
            if account is not None and account.is_held and not isinstance(error, errors.RefusedInFront):
                # The provider refused this call, but it accepted the credential.
                await self._resume_account(account)
            cause = causes.to_cause(error)
            return Rejected(error, cause, hold_by_cause(cause))
        return await self._handle_temporary_error(call, error)

    async def _handle_temporary_error(
        self, call: ProviderCall, error: errors.TemporaryError
    ) -> RetryLater | OutcomeUnknown:
        runtime, account_id = call.runtime, call.account.id if call.account is not None else ""
        is_busy = call.repeats and error.is_refusal
        attempts = call.attempts + (not is_busy)
        # Limit the requested pause, so that it doesn't delay anyone's work for an hour.
        wait = min(max(self.compute_backoff(attempts), error.retry_after or 0.0), MAX_REQUESTED_PAUSE_SECONDS)
        if isinstance(error, errors.RateLimited):
            runtime.health.note_answer(error)
            is_shared = call.account is None or self._is_shared(runtime, call.account, call.what)
            calls: Calls = "start" if call.starts else "any"
            await self._pause(runtime, account_id, wait, calls, is_shared=is_shared)
            if not is_busy:
                return RetryLater(wait, runtime.health.describe_pause(wait), attempts, RATE_LIMITED_CAUSE)
        elif call.starts and error.retry_after:
            # If a start's outcome is unknown, Usher searches for its result before the next attempt.
            await self._pause(runtime, account_id, wait, "start", is_shared=False)
        if is_busy and not runtime.health.is_doubtful:
            # The provider did respond, if only to say that it is busy. Reads will show whether it is down.
            runtime.observer.count_failure(runtime.name, type(error).__name__)
        elif call.what in CHANGING_CALLS and (
            error.status == HTTPStatus.INTERNAL_SERVER_ERROR or error.is_quoted
        ):
            # An error that concerns only this request is a response, too. Reads will show whether the
            # provider is down.
            runtime.health.note_answer(error)
        elif not error.was_answered:
            runtime.health.note_failure(error)
            with suppress(errors.StoreError):
                # Save this before anyone is told. If saving fails, ``Outages`` tries again a second later.
                await runtime.health.answering.write(self._store)
        cause, hold = causes.to_cause(error), runtime.health.describe_silence(error)
        if is_busy:
            # Add jitter, because all calls that were refused at the same time were told to wait equally long.
            pause = min(error.retry_after or 0.0, MAX_REQUESTED_PAUSE_SECONDS) * (1.0 + self._jitter() / 4.0)
            if isinstance(error, errors.RateLimited) and error.is_own:
                until = await self._store.now() + (error.retry_after or pause)
                hold = hold_until(HoldCode.OWN_LIMIT, until)
                return ProviderBusy(pause, hold, attempts, cause, is_own_limit=True)
            return ProviderBusy(pause, hold, attempts, cause)
        if isinstance(error, _AMBIGUOUS):
            return OutcomeUnknown(wait, hold, attempts, cause)
        return RetryLater(wait, hold, attempts, cause)

    async def _pause(
        self, runtime: Runtime, account_id: str, wait: float, calls: Calls, *, is_shared: bool
    ) -> None:
        """Apply a pause that the provider requested, and store it for the other processes."""
        seconds = runtime.select_limits(calls).note(account_id, wait, is_shared=is_shared)
        try:
            await self._store.write(pauses.save_pauses, runtime.name, calls, seconds)
        except errors.StoreError as error:
            log.warning("pause not written", connection=runtime.name, problem=error)

    def _is_shared(self, runtime: Runtime, account: Account, what: str) -> bool:
        """Return whether a call uses a secret that is shared with other people's calls."""
        access = self.open(account)
        return isinstance(access, Access) and runtime.provider.credential_owner(access, what) != "person"

    async def _resolve_refusal(
        self, call: ProviderCall, error: errors.CredentialRefused
    ) -> RetryLater | Rejected:
        """Renew a refused credential if possible. Return the result of the call, which had no effect."""
        runtime, account, attempts = call.runtime, call.account, call.attempts
        if account is None:
            self._keys.note_lockout(runtime.name)
            became: RefusalResult = "locked"
        else:
            became = await self._keys.resolve_refusal(account, runtime, error)
        match became:
            case "changed":
                return RetryLater(0.0, None, attempts, is_unauthorized=True)
            case "later":
                return RetryLater(self.compute_backoff(attempts + 1), None, attempts)
            case "held":
                # Only this call fails, as the credential may be valid for all other calls.
                assert account is not None, "no person's own is locked"
                cause = "renamed" if isinstance(error, errors.AccountRenamed) else ""
                now, failures = await self._store.now(), attempts + 1
                retry = await self._postpone_refused(runtime, account, REPEATED_SECONDS, failures, cause, now)
                return replace(retry, is_unauthorized=True)
            case "locked":
                cause = "connection_refused"
            case _:
                cause = "credential_refused"
        return Rejected(error, cause, hold_by_cause(cause))


def refine_start_refusal(error: errors.ProviderError) -> errors.ProviderError:
    """Return NoCapacity or LimitReached if a refused start's message says so, whatever its status code."""
    # If a server error reports a lack of capacity, nothing was started.
    refuses = not isinstance(error, errors.TemporaryError) or error.is_refusal or error.status == 500
    if not refuses or not error.is_quoted or isinstance(error, (errors.CredentialRefused, errors.NoCapacity)):
        return error
    if lacks_capacity(error.message):
        return errors.NoCapacity(error.message, status=error.status)
    is_own = find_reason(error.message) in OWN_LIMITS and not isinstance(error, errors.TemporaryError)
    return errors.LimitReached(error.message, status=error.status) if is_own else error


def _reject_account(cause: str) -> Rejected:
    return Rejected(errors.CredentialRefused(), cause, hold_by_cause(cause))
