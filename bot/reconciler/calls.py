"""The one call of a step: committed before it leaves, and whatever comes of it has a row."""

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
from bot.models import Call, Created, Outcome
from bot.plan import Operation, backoff
from bot.reconciler import endings
from bot.reconciler.replaced import make_true, send_down
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
#: A credential that is refused for good is somebody's to change: until then a call is of no use.
REFUSED_WAIT = 60.0

#: The operations that bring something up; the others' calls are the wish's stop call.
UP = frozenset({Operation.START, Operation.CREATE})
_MAKES = frozenset({Operation.CREATE})


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
        acts = line.provider.acts(access, str(operation))
        if line.provider.needs_record(access) and operation not in _MAKES and not _is_known(step):
            return endings.ended(wish, Outcome.FAILED, "not_found", step.claim)
        calling = WishUpdate(
            wish.id,
            self._numbers.lease,
            called=True,
            # Before it leaves: a use of somebody else's right is in the audit whatever comes of it.
            audit=[endings.audit(wish, f"call.{operation}", "sent", acts=acts)] if acts == "admin" else [],
            claim=step.claim,
            **_call(operation, Call.CALLING),
        )
        if not await self._store.save_step(calling):
            return None  # Replaced, unlinked or forgotten since it was claimed: nothing may leave.
        try:
            created = await self._send(step, line, operation, access)
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
        remote_id = step.workspace.remote_id
        if created is not None:
            # Before anything else can fail: what exists is found again by this.
            remote_id = created.remote_id
            gate_key = line.provider.gate_key(remote_id)
            if await self._store.name_created(wish.id, created, gate_key, step.claim) is None:
                return None
        # What was made and stands still is started by the steps that follow.
        known = Call.ACCEPTED if created is None or created.is_started else Call.NONE
        accepted = WishUpdate(
            wish.id,
            line.pace.min_poll_interval + 2 * self._numbers.margin,
            waits_for="read",
            read_needed=True,
            attempts=0,
            hold="",
            card_dirty=True,
            audit=[endings.audit(wish, f"call.{operation}", "accepted", acts=acts)],
            claim=step.claim,
            **_call(operation, known),
        )
        if not await self._store.save_step(accepted) and operation in UP:
            # It ended while the call was under way.
            await make_true(self._store, step, line, access, remote_id)
        return None

    async def _send(self, step: WishStep, line: Line, operation: Operation, access: Access) -> Created | None:
        """Send the call; return what was made where it makes something."""
        workspace = step.workspace
        try:
            async with asyncio.timeout(self._numbers.call_seconds):
                if operation is Operation.CREATE:
                    return await line.provider.create(access, workspace.spec or {}, workspace.id)
                if operation is Operation.START:
                    await line.provider.start(access, workspace.remote_id)
                else:
                    await send_down(line, access, workspace.remote_id, operation)
        except TimeoutError:
            raise UnknownOutcome("no answer in time") from None
        return None

    async def _refused(self, step: WishStep, line: Line, operation: Operation) -> WishUpdate:
        """Refresh the credential or wait for a new link; the call itself did not happen."""
        assert step.account is not None, "checked before the call"
        became = await self._keys.refused(step.account, line)
        hold = self._keys.hold(step.account, became, line.title)
        wait = backoff(step.wish.attempts + 1, self._jitter()) if became == "later" else 0.0
        return WishUpdate(
            step.wish.id,
            REFUSED_WAIT if hold is not None else wait,
            read_needed=became == "changed",
            hold=hold,
            card_dirty=hold is not None,
            claim=step.claim,
            **_call(operation, Call.NONE),
        )

    def _permanent(self, step: WishStep, operation: Operation, error: PermanentError) -> WishUpdate:
        wish = step.wish
        makes = operation is Operation.CREATE
        if isinstance(error, Conflict) and wish.attempts < CONFLICTS and not makes:
            # It is just stopping, or starting: look again, then try again.
            return self._again(step, operation, error, Call.NONE)
        if isinstance(error, Conflict) and 0 < wish.attempts < CONFLICTS:
            # Its name may be taken by what an earlier try made after all: look for it again.
            return self._again(step, operation, error, Call.UNKNOWN)
        log.info("call refused", wish=wish.id, operation=str(operation), problem=type(error).__name__)
        cause = problems.cause_of(error)
        return endings.ended(wish, Outcome.FAILED, cause, step.claim, hides=makes)

    def _temporary(
        self, step: WishStep, line: Line, operation: Operation, error: TemporaryError
    ) -> WishUpdate:
        # A gateway that answers 5xx, or nonsense, may have passed the call on.
        unknown = isinstance(error, (UnknownOutcome, ServerFailed, BadAnswer))
        if isinstance(error, RateLimited):
            line.health.worked(error)  # It answers; a limit on starts says nothing about reads.
            if operation in UP:
                line.turns.hold_off(error.retry_after or 1.0)
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


def _is_known(step: WishStep) -> bool:
    """Say whether a list or a read with the person's own credential has shown the workspace."""
    return step.workspace.verified_at is not None


def _call(operation: Operation, known: Call) -> dict[str, Any]:
    return {"start_call" if operation in UP else "stop_call": known}
