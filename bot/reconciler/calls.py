"""The one start or stop call of a step: committed before it leaves, and whatever comes of it has a row."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from bot.errors import (
    BadAnswer,
    Conflict,
    CredentialRefused,
    PermanentError,
    ProviderError,
    RateLimited,
    ServerFailed,
    TemporaryError,
    UnknownOutcome,
)
from bot.models import Call, Outcome, WishVerb
from bot.plan import Operation, backoff
from bot.reconciler import endings
from bot.store.base import WishStep, WishUpdate
from bot.words import problems

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.providers.base import Access
    from bot.reconciler.keys import Keys
    from bot.reconciler.lines import Line
    from bot.reconciler.ports import Numbers
    from bot.store.base import Store

log = structlog.get_logger(__name__)

#: A call that the present state does not allow is tried so often: the state may just be changing.
CONFLICTS = 4


class Calls:
    """Make calls to providers for wishes (design §3, rules 2, 8 and 9)."""

    def __init__(self, store: Store, keys: Keys, numbers: Numbers, jitter: Callable[[], float]) -> None:
        self._store = store
        self._keys = keys
        self._numbers = numbers
        self._jitter = jitter

    async def make(self, step: WishStep, line: Line, operation: Operation) -> WishUpdate | None:
        """Commit ``calling``, send the call, return what is still to be written; None when nothing is.

        Raises SecretError before anything is written when the account's secret does not open.
        """
        wish, account = step.wish, step.account
        assert account is not None, "a wish without an account ends before it calls"
        access = self._keys.open(account)
        calling = WishUpdate(
            wish.id,
            self._numbers.lease,
            called=True,
            claim=step.claim,
            **_call(operation, Call.CALLING),
        )
        if not await self._store.save_step(calling):
            return None  # Replaced, unlinked or forgotten since it was claimed: nothing may leave.
        try:
            await self._send(step, line, operation, access)
        except CredentialRefused as error:
            line.health.worked(error)
            return await self._refused(step, line, operation)
        except PermanentError as error:
            line.health.worked(error)
            return self._permanent(step, operation, error)
        except TemporaryError as error:
            return self._temporary(step, line, operation, error)
        line.health.worked()
        self._keys.worked(account)
        accepted = WishUpdate(
            wish.id,
            line.pace.min_poll_interval + 2 * self._numbers.margin,
            waits_for="read",
            read_needed=True,
            attempts=0,
            hold="",
            card_dirty=True,
            audit=[endings.audit(wish, f"call.{operation}", "accepted")],
            claim=step.claim,
            **_call(operation, Call.ACCEPTED),
        )
        if not await self._store.save_step(accepted):
            # It ended while the call was under way.
            await self._after(step, line, operation, access)
        return None

    async def _send(self, step: WishStep, line: Line, operation: Operation, access: Access) -> None:
        send = line.provider.start if operation is Operation.START else line.provider.stop
        try:
            async with asyncio.timeout(self._numbers.call_seconds):
                await send(access, step.workspace.remote_id)
        except TimeoutError:
            raise UnknownOutcome("no answer in time") from None

    async def _refused(self, step: WishStep, line: Line, operation: Operation) -> WishUpdate:
        """Refresh the credential or wait for a new link; the call itself did not happen."""
        assert step.account is not None, "checked before the call"
        became = await self._keys.refused(step.account, line)
        wait = {"changed": 0.0, "refused": 60.0, "later": backoff(step.wish.attempts + 1, self._jitter())}
        hold = problems.sentence("credential_refused", line.title) if became == "refused" else None
        return WishUpdate(
            step.wish.id,
            wait[became],
            read_needed=became == "changed",
            hold=hold,
            card_dirty=hold is not None,
            claim=step.claim,
            **_call(operation, Call.NONE),
        )

    def _permanent(self, step: WishStep, operation: Operation, error: PermanentError) -> WishUpdate:
        wish = step.wish
        if isinstance(error, Conflict) and wish.attempts < CONFLICTS:
            # It is just stopping, or starting: look again, then try again.
            return self._again(step, operation, error, Call.NONE)
        log.info("call refused", wish=wish.id, operation=str(operation), problem=type(error).__name__)
        return endings.ended(wish, Outcome.FAILED, problems.cause_of(error), step.claim)

    def _temporary(
        self, step: WishStep, line: Line, operation: Operation, error: TemporaryError
    ) -> WishUpdate:
        # A gateway that answers 5xx, or nonsense, may have passed the call on.
        unknown = isinstance(error, (UnknownOutcome, ServerFailed, BadAnswer))
        if isinstance(error, RateLimited):
            line.health.worked(error)  # It answers; a limit on starts says nothing about reads.
        else:
            line.health.failed(error)
        log.info(
            "call not answered", wish=step.wish.id, operation=str(operation), problem=type(error).__name__
        )
        return self._again(step, operation, error, Call.UNKNOWN if unknown else Call.NONE, line)

    def _again(
        self,
        step: WishStep,
        operation: Operation,
        error: ProviderError,
        known: Call,
        line: Line | None = None,
    ) -> WishUpdate:
        """Return the update after which the wish is read and tried again."""
        attempts = step.wish.attempts + 1
        told = getattr(error, "retry_after", None)
        wait = max(backoff(attempts, self._jitter()), told or 0.0)
        hold = None
        if line is not None and isinstance(error, TemporaryError):
            hold = line.health.sentence(error)
        return WishUpdate(
            step.wish.id,
            wait,
            read_needed=True,
            attempts=attempts,
            hold=hold,
            card_dirty=hold is not None,
            claim=step.claim,
            **_call(operation, known),
        )

    async def _after(self, step: WishStep, line: Line, operation: Operation, access: Access) -> None:
        """See that a stop wins which replaced this start while its call was under way."""
        if operation is not Operation.START:
            return
        current = await self._store.wish(step.wish.id)
        if current is None or current.outcome is not Outcome.REPLACED:
            return
        latest = await self._store.latest_wish(step.wish.workspace_id)
        if latest is None or latest.verb is not WishVerb.STOP:
            return
        if latest.is_open:
            await self._store.save_step(WishUpdate(latest.id, 0.0, read_needed=True))
        elif latest.outcome is Outcome.FULFILLED:
            # It was found stopped before the start had landed: make true what the person was told.
            log.info("stopping a start that was replaced", wish=step.wish.id)
            try:
                await line.provider.stop(access, step.workspace.remote_id)
            except ProviderError as error:
                log.warning("replaced start not stopped", wish=step.wish.id, problem=type(error).__name__)


def _call(operation: Operation, known: Call) -> dict[str, Any]:
    return {"start_call" if operation is Operation.START else "stop_call": known}
