"""Operations for the stepper: how they are planned, wait and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.plan import NO_RESTART, Plan, Step, plan, plan_unmade
from bot.domain.policy import Target
from bot.domain.runs import ClaimedOperation, Update
from bot.domain.settling import UNANSWERED_SECONDS, is_unanswered, progress_of
from bot.domain.workspaces import Call, OperationVerb, Outcome, State
from bot.messages.texts import holds, problems
from bot.reconciler import outcomes
from bot.reconciler.caller import Caller
from bot.reconciler.context import EngineContext
from bot.reconciler.early_looks import EarlyLooks
from bot.reconciler.operation_calls import creation_of
from bot.reconciler.preconditions import Preconditions
from bot.reconciler.runtimes import Runtime
from bot.reconciler.step import Stepper
from bot.reconciler.updates import Updates
from bot.services.making import another

#: The progress bar is redrawn when it has grown by this many points.
BAR_STEP = 5


class Operations(Stepper[ClaimedOperation]):
    """Step due operations."""

    ends_while_refused = False
    #: When the last of the postponed looks is due, by the store's time.
    _last_look = 0.0

    def __init__(
        self,
        engine: EngineContext,
        updates: Updates[ClaimedOperation],
        preconditions: Preconditions,
        caller: Caller[ClaimedOperation],
        early: EarlyLooks,
    ) -> None:
        super().__init__(engine, updates, preconditions, caller)
        self._early = early

    async def claim(self, limit: int, lease: float) -> Sequence[ClaimedOperation]:
        """Lease due operations, oldest first."""
        return await self._store.claim_operations(limit, lease, self._owners.name)

    async def lost(self, claimed: ClaimedOperation, cause: str | None) -> Update | None:
        """End what can't continue: cancelled, or of unknown outcome if a call was sent."""
        operation = claimed.operation
        if cause is not None:
            is_known = cause == "unlinked" or not operation.has_called
            outcome = Outcome.CANCELLED if is_known else Outcome.UNKNOWN
            return outcomes.ended(operation, outcome, cause, claimed.claim)
        if claimed.workspace.hidden and not claimed.workspace.is_provisional:
            # Removed from the list just as it was requested: it isn't read any more.
            return outcomes.ended(operation, Outcome.CANCELLED, "forgotten", claimed.claim)
        return None

    async def plan(self, claimed: ClaimedOperation, runtime: Runtime) -> Plan:
        """Plan from the last observation of the workspace, or from its creation."""
        operation, workspace = claimed.operation, claimed.workspace
        if workspace.is_provisional:
            return plan_unmade(operation, await creation_of(self._store, claimed), await self._store.now())
        effects = runtime.provider.stops(workspace)
        return plan(
            operation,
            workspace.state,
            workspace.observed_at,
            workspace.actions,
            effects,
            up_at=workspace.up_at,
        )

    def asks(self, claimed: ClaimedOperation, _step: Step) -> tuple[str, Target]:
        """Ask at every step whether the person is still allowed to do this."""
        return claimed.operation.verb, Target("workspace", claimed.workspace.id, claimed.workspace.principal)

    async def goes_on_forbidden(self, claimed: ClaimedOperation, _step: Step, rule: str) -> bool:
        """End the operation: nothing forbidden continues."""
        hides = _is_never_made(claimed)
        await self._updates.save(
            outcomes.ended(claimed.operation, Outcome.REFUSED, rule, claimed.claim, hides=hides)
        )
        return False

    async def end(self, claimed: ClaimedOperation, decided: Plan) -> Update:
        """End it, with the provider's words if it failed there; a workspace never made leaves the list."""
        operation, workspace, outcome, cause = (
            claimed.operation,
            claimed.workspace,
            decided.outcome,
            decided.cause,
        )
        assert isinstance(outcome, Outcome), "a plan that ends says how"
        if cause == "provider_failed" and workspace.detail:
            cause = f"{cause}: {workspace.detail[: problems.MESSAGE_LIMIT]}"
        is_removed = operation.verb is OperationVerb.REMOVE and outcome is Outcome.FULFILLED
        hides = is_removed or _is_never_made(claimed) or outcome is Outcome.UNKNOWN
        return outcomes.ended(operation, outcome, cause, claimed.claim, hides=hides)

    async def advance(self, claimed: ClaimedOperation, runtime: Runtime, decided: Plan) -> None:
        """Read, wait or renew as planned."""
        match decided.step:
            case Step.READ:
                await self._read(claimed, runtime, decided.cause)
            case Step.RENEW:
                await self._renew(claimed, runtime)
            case _:
                await self._wait(claimed, runtime, decided.cause)

    async def _renew(self, claimed: ClaimedOperation, runtime: Runtime) -> None:
        """Replace an ended workspace with a new one if Usher made it; the operation then creates that."""
        operation = claimed.operation
        if claimed.workspace.spec is None:
            await self._updates.save(await self.end(claimed, NO_RESTART))
            return
        fresh = another(self._ids, runtime.provider, claimed.workspace)
        made = outcomes.audit(operation, "workspace.renew", "accepted")
        await self._store.renew(operation.id, claimed.claim, fresh, [made])

    async def _read(self, claimed: ClaimedOperation, runtime: Runtime, cause: str | None) -> None:
        """Request a read, and step again when one is recorded, or after a while in any case."""
        wait = max(runtime.pace.min_poll_interval + 2 * self._numbers.margin, runtime.health.pause, 2.0)
        hold = runtime.health.hold or _said(claimed, runtime, cause) or None
        moved = await self._moved(claimed, claimed.update(wait))
        # In one transaction, so that whatever the read finds wakes this operation.
        await self._updates.save_held(claimed, replace(moved, waits_for="read", wants_read=True), hold)

    async def _wait(self, claimed: ClaimedOperation, runtime: Runtime, cause: str | None) -> None:
        operation, state = claimed.operation, claimed.workspace.state
        hold = runtime.health.hold or _said(claimed, runtime, cause)
        update = replace(claimed.update(await self._next_look()), waits_for="change")
        # A call without an answer was accepted after all: the workspace is starting.
        if state is State.STARTING and operation.start_call in (Call.CALLING, Call.UNKNOWN):
            update = replace(update, start_call=Call.ACCEPTED, attempts=0)
        if state is State.STOPPING and operation.stop_call in (Call.CALLING, Call.UNKNOWN):
            update = replace(update, stop_call=Call.ACCEPTED, attempts=0)
        if operation.verb.brings_down:
            hold, next_in = await self._force_offered(claimed, runtime, hold, update.next_in)
            update = replace(update, next_in=next_in)
        else:
            update = await self._moved(claimed, update)
        await self._updates.save_held(claimed, update, hold)

    async def _force_offered(
        self, claimed: ClaimedOperation, runtime: Runtime, hold: str, next_in: float
    ) -> tuple[str, float]:
        """Offer to force a stop that has shown no effect for a minute, if the provider can."""
        operation = claimed.operation
        if "force" not in runtime.provider.stop_modes or not claimed.workspace.allows("force"):
            return hold, next_in
        now = await self._store.now()
        if is_unanswered(operation, now):
            return hold or holds.UNANSWERED, next_in
        return hold, min(next_in, max(operation.created_at + UNANSWERED_SECONDS - now, 1.0))

    async def _moved(self, claimed: ClaimedOperation, update: Update) -> Update:
        """Return an update with the bar's movement; the first one after an early look doesn't wait."""
        operation, now = claimed.operation, await self._store.now()
        floor = operation.progress_floor
        progress = progress_of(operation, claimed.workspace, now) or 0
        if progress <= floor:
            return update
        grown = progress // BAR_STEP > floor // BAR_STEP
        moves = grown and floor < BAR_STEP and self._early.has(operation)
        return replace(update, progress_floor=progress, card_dirty=grown, card_moves=moves)

    async def _next_look(self) -> float:
        """Return the seconds until a waiting operation's next look for its bar: a few per second, in turn."""
        now = await self._store.now()
        at = max(now + self._numbers.tick, self._last_look + 1.0 / self._numbers.looks_per_second)
        self._last_look = min(at, now + self._numbers.slow_tick)
        return self._last_look - now


def _said(claimed: ClaimedOperation, runtime: Runtime, cause: str | None) -> str:
    """Return a sentence on what the plan waits for, if worth one."""
    match cause:
        case "still_down":
            return holds.still_down(runtime.title, claimed.operation.called_at or 0.0)
        case "stopping_first":
            return holds.STOPPING_FIRST
        case "start_sent":
            return holds.START_SENT
        case _:
            return ""


def _is_never_made(claimed: ClaimedOperation) -> bool:
    """Return whether an operation ends without its workspace having been created: no list shows it."""
    operation = claimed.operation
    is_about_it = operation.verb is OperationVerb.CREATE or operation.verb.brings_down
    return claimed.workspace.is_provisional and is_about_it and operation.start_call is Call.NONE
