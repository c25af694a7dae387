"""Carries out operations, from planning to completion. A workspace's new operation replaces its old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import structlog

from bot.domain import causes
from bot.domain.failure_causes import lacks_capacity
from bot.domain.feasibility import LINK_HELPS, MAX_HELD_SECONDS, find_access_obstacle
from bot.domain.forms import NAME_IN_USE, FreeName, Spec, append_suffix
from bot.domain.holds import NOTHING, Hold, HoldCode, find_server_words, is_hold, make_hold
from bot.domain.notices import NoticeKind
from bot.domain.observations import Created, OutcomeSearch
from bot.domain.operations import Operation, OperationVerb
from bot.domain.plan import NO_RESTART, STILL_FAILED, STOPPING_FIRST, Plan, Step, plan, plan_unmade
from bot.domain.policy import LEAVER_RULES, Target
from bot.domain.steps import ClaimedOperation, Update
from bot.domain.stops import is_final
from bot.domain.timeouts import UNANSWERED_SECONDS, Verdict, is_unanswered, list_card_changes
from bot.domain.work_items import LOST_TRACK, Call, Outcome
from bot.domain.workspaces import DOWN_STATES, State, Workspace
from bot.providers import base, facets
from bot.reconciler import outcomes
from bot.reconciler.call_results import (
    CallFailure,
    OutcomeUnknown,
    ProviderBusy,
    Rejected,
    RetryLater,
    Succeeded,
)
from bot.reconciler.context import EngineContext
from bot.reconciler.provider_calls import REFUSED_WAIT_SECONDS, ProviderCall
from bot.reconciler.runtimes import Runtime
from bot.reconciler.step import (
    MAX_CONFLICT_ATTEMPTS,
    START_STEPS,
    Stepper,
    build_success,
    find_block_reason,
    name_call,
)
from bot.services.feasibility import get_stop_effects
from bot.services.operation_requests import build_replacement
from bot.store import creations, gates, operations, workspaces
from bot.store import notices as notice_rows
from bot.store.transaction import Row
from bot.support.errors import Conflict, NotFound

log = structlog.get_logger(__name__)


#: Steps that stop a workspace. ``_STOP_VERBS`` are the verbs that request a stop, and ``_TRANSIENT_STATES``
#: the states in which a provider may refuse calls.
_STOP_STEPS: Final = frozenset({Step.STOP, Step.SUSPEND, Step.FORCE})
_STOP_VERBS: Final = frozenset({OperationVerb.STOP, OperationVerb.SUSPEND, OperationVerb.FORCE})
_TRANSIENT_STATES: Final = frozenset({State.STARTING, State.STOPPING, State.UNKNOWN})
#: The plan that ends an operation whose workspace is no longer on its owner's list.
FORGOTTEN: Final = Plan(Step.END, Outcome.CANCELLED, "forgotten")
#: If a start has waited this many seconds for the workspace to finish stopping, the start's card suggests
#: asking the connection's administrator.
LONG_STOP_SECONDS: Final = 300.0
#: Two creations within this many seconds may be confused: a search for the newer workspace may find the older
#: one.
MAX_CREATION_OVERLAP_SECONDS = 600.0
#: Maximum number of creation times kept in memory. When it is reached, Usher drops them all, and reads them
#: again as needed.
MAX_CREATION_TIMES = 10_000


class OperationStepper(Stepper[ClaimedOperation]):
    """The stepper that advances operations when they are due."""

    lost_outcome = Outcome.UNKNOWN
    question_kind = NoticeKind.OUTCOME_QUESTION
    late_kind = NoticeKind.WAITING
    keeps_call = False
    #: Due time of the latest check that was scheduled for a waiting operation, by the store's clock.
    _last_check = 0.0

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        #: Creation times of workspaces, keyed by poll gate key. They never change, so each is read only once.
        #: Usher needs them if a creation's outcome is unknown and the list doesn't give the candidates'
        #: creation times.
        self._created_at: dict[str, float | None] = {}

    async def claim(self, limit: int, lease: float) -> Sequence[Sequence[ClaimedOperation]]:
        """Lease due operations, oldest first. Each operation is a batch of its own."""
        claimed = await self._store.claim(operations.claim_operations, limit, lease, self._owners.name)
        return [[each] for each in claimed]

    async def save(self, claimed: ClaimedOperation, update: Update) -> Row | None:
        """Save an operation's update. Return None if it has ended or another process has claimed it."""
        return await self._store.write(operations.save_step, update, claimed.row)

    async def plan(self, claimed: ClaimedOperation, runtime: Runtime) -> Plan:
        """Return the next step, based on the workspace's last read or on the state of its creation."""
        operation, workspace = claimed.subject, claimed.workspace
        if workspace.is_provisional:
            return plan_unmade(operation, await self._read_creation(claimed), await self._store.now())
        if workspace.hidden:
            return FORGOTTEN
        effects = runtime.provider.stop_effects(workspace)
        decided = plan(
            operation,
            workspace.current_state,
            workspace.read_at,
            workspace.actions,
            effects,
            stop_risks=workspace.stakes,
            up_at=workspace.up_at,
            lacks=workspace.lacks,
            lacks_since=workspace.lacks_since,
        )
        if decided.step is not Step.END and operation.is_planned_ahead:
            good_until = operation.good_until or 0.0
            if await self._store.now() >= good_until:
                return Plan(Step.END, Outcome.FAILED, outcomes.make_stale_cause(operation))
        return decided

    def ends_while_refused(self, claimed: ClaimedOperation, decided: Plan) -> bool:
        """Return whether the operation ends even if the person links the account again."""
        is_missed = causes.get_cause_word(decided.cause) == causes.MISSED_CAUSE
        return decided is FORGOTTEN or (claimed.subject.is_planned_ahead and is_missed)

    async def save_blocked(self, claimed: ClaimedOperation, update: Update, hold: Hold | None) -> None:
        """Save the update of an operation that has to wait. It is woken earlier if its card has to change."""
        operation = claimed.subject
        if operation.deadline_at is not None:
            now, changes = await self._store.now(), list_card_changes(operation)
            coming = [at - now for at in changes if at > now]
            next_in, is_dirty = min([update.next_in, *coming]), len(coming) < len(changes)
            update = update._replace(next_in=next_in, card_dirty=update.card_dirty or is_dirty)
        await super().save_blocked(claimed, update, hold)

    async def after_deadline(
        self, claimed: ClaimedOperation, update: Update, *, is_blocked: bool = False
    ) -> Update:
        """Return the update with its next step scheduled no later than the operation's deadline or expiry.

        A person who has already been told about a planned operation isn't told again at its deadline.
        """
        operation, notices = claimed.subject, update.notices
        if operation.planned_for is not None and not operation.has_called:
            is_blocked = _is_blocked(claimed, operation.planned_for, await self._store.now())
        update = await super().after_deadline(claimed, update, is_blocked=is_blocked)
        if not operation.is_planned_ahead or update.outcome is not None:
            return update
        seconds_left = (operation.good_until or 0.0) - await self._store.now()
        update = update._replace(next_in=min(update.next_in, max(seconds_left, 0.0)))
        if update.deadline_passed and await self._store.read(notice_rows.has_notices, operation.id):
            update = update._replace(notices=notices)
        return update

    def find_required_permission(self, claimed: ClaimedOperation, _step: Step) -> tuple[str, Target]:
        """Return the verb and the workspace for which every step needs permission."""
        return claimed.subject.verb, Target("workspace", claimed.workspace.id, claimed.workspace.principal)

    def can_use_cached_person(self, claimed: ClaimedOperation) -> bool:
        """Return whether a person's stored details suffice while Slack isn't responding.

        They suffice only for a stop that a start can undo. Such a stop mustn't wait for Slack, because the
        workspace would go on running and costing money.
        """
        verb, effects = claimed.subject.verb, get_stop_effects(self._context, claimed.workspace)
        return (verb is OperationVerb.STOP and not is_final(effects, "stop")) or verb is OperationVerb.SUSPEND

    async def resolve_forbidden(self, claimed: ClaimedOperation, _step: Step, rule: str) -> bool:
        """End an operation that isn't allowed, and return False.

        If the operation stops a workspace of someone who has left, return True, so that it continues.
        """
        if rule in LEAVER_RULES and claimed.subject.verb in _STOP_VERBS:
            return True
        hide = _is_never_created(claimed)
        ended = outcomes.make_end_update(claimed.subject, Outcome.REFUSED, rule, claimed.claim, hide=hide)
        await self.save(claimed, ended)
        return False

    async def end(self, claimed: ClaimedOperation, decided: Plan) -> Update:
        """Return the update that ends the operation. If the provider failed, include its explanation.

        A workspace that was removed, was never created, or may not exist is taken off the list.
        """
        operation, workspace = claimed.subject, claimed.workspace
        outcome, cause = decided.outcome, decided.cause
        assert outcome is not None, "a plan that ends says how"
        if cause in {"provider_failed", "stopped_elsewhere"} and workspace.reason:
            is_full = lacks_capacity(workspace.reason) and not operation.verb.brings_down
            word = "no_room" if is_full else "provider_failed"
            cause = f"{word}: {workspace.reason}"
        if cause == "gave_up" and (words := find_server_words(operation.block_reason)):
            cause = f"{cause}: {words}"
        is_removed = operation.verb is OperationVerb.REMOVE and outcome is Outcome.FULFILLED
        hide = is_removed or _is_never_created(claimed) or outcome is Outcome.UNKNOWN
        # If a workspace is started for a lesson, its owner isn't told before the lesson begins, even if the
        # workspace comes up earlier. A workspace that was created in the stopped state isn't up yet.
        is_early = operation.creates_stopped or (operation.planned_for or 0.0) > await self._store.now()
        notify = operation.verb.brings_down or outcome is not Outcome.FULFILLED or not is_early
        return outcomes.make_end_update(operation, outcome, cause, claimed.claim, hide=hide, notify=notify)

    async def advance(self, claimed: ClaimedOperation, runtime: Runtime, decided: Plan) -> None:
        """Carry out a step that isn't a call: read, wait, or replace the workspace."""
        match decided.step:
            case Step.READ:
                await self._read(claimed, runtime, decided.cause)
            case Step.RENEW:
                await self._renew(claimed, runtime)
            case _:
                await self._wait(claimed, runtime, decided.cause)

    async def _renew(self, claimed: ClaimedOperation, runtime: Runtime) -> None:
        """Replace the workspace, which has ended, with a new one for the operation to create."""
        operation = claimed.subject
        if claimed.workspace.spec is None:
            await self.save(claimed, await self.end(claimed, NO_RESTART))
            return
        fresh = build_replacement(self._ids, runtime.provider, claimed.workspace)
        made = outcomes.build_audit_entry(operation, "workspace.renew", "accepted")
        await self._store.write(creations.renew, operation.id, claimed.claim, fresh, [made])

    async def _read(self, claimed: ClaimedOperation, runtime: Runtime, cause: str | None) -> None:
        """Request a read.

        The next step follows once the result is recorded or, without a result, after a while.
        """
        late_in = self._compute_read_wait(runtime) + self._numbers.call_seconds
        wait = max(late_in, runtime.health.pause)
        hold: Hold | None = find_block_reason(runtime, claimed.subject) or _find_hold(claimed, cause)
        if not hold and is_hold(claimed.subject.block_reason, HoldCode.NO_STOP_YET):
            hold = None  # Keep showing this until the workspace is stopped.
        update = claimed.update(wait, waits_for="read", wants_read=True)
        if cause == STILL_FAILED.cause:
            update = update._replace(failed_at=claimed.subject.failed_at or claimed.workspace.observed_at)
        # The read request and the update are saved in one transaction, so this operation can't miss the
        # result, which wakes it.
        await self.save_blocked(claimed, update, hold)

    async def _wait(self, claimed: ClaimedOperation, runtime: Runtime, cause: str | None) -> None:
        operation, state = claimed.subject, claimed.workspace.current_state
        update = claimed.update(await self._schedule_check(), waits_for="change")
        # If the workspace is now starting or stopping, the call took effect, even if it was refused or
        # unanswered.
        is_down = operation.verb.brings_down
        is_busy = operation.busy_since is not None and operation.conflict is None
        if state is State.STARTING and (operation.start_call.is_unsure or (is_busy and not is_down)):
            update = update._replace(start_call=Call.ACCEPTED, attempts=0)
        if state is State.STOPPING and (operation.stop_call.is_unsure or (is_busy and is_down)):
            update = update._replace(stop_call=Call.ACCEPTED, attempts=0)
        is_accepted = Call.ACCEPTED in (update.start_call, update.stop_call)
        hold = (
            runtime.health.block_reason if is_accepted else find_block_reason(runtime, operation)
        ) or NOTHING
        if operation.verb.brings_down:
            hold, next_in = await self._offer_force(claimed, runtime, hold, update.next_in)
            update = update._replace(next_in=next_in)
        hold = hold or _find_stop_before(claimed, cause, await self._store.now())
        await self.save_blocked(claimed, update, hold or _find_hold(claimed, cause))

    async def _offer_force(
        self, claimed: ClaimedOperation, runtime: Runtime, hold: Hold, next_in: float
    ) -> tuple[Hold, float]:
        operation = claimed.subject
        if "force" not in runtime.provider.stop_modes or not claimed.workspace.allows("force"):
            return hold, next_in
        now = await self._store.now()
        if is_unanswered(operation, now):
            return hold or make_hold(HoldCode.UNANSWERED), next_in
        return hold, min(next_in, max(operation.created_at + UNANSWERED_SECONDS - now, 1.0))

    async def _schedule_check(self) -> float:
        """Return how many seconds until a waiting operation is checked again. The check rate is limited."""
        now = await self._store.now()
        at = max(now + self._numbers.tick, self._last_check + 1.0 / self._numbers.checks_per_second)
        self._last_check = min(at, now + self._numbers.slow_tick)
        return self._last_check - now

    # -- calls -----------------------------------------------------------------------------------------------

    async def prepare_call(
        self, claimed: ClaimedOperation, runtime: Runtime, step: Step, access: base.Access
    ) -> Update:
        """Return the update to commit before the call. If a new workspace has no name, choose a free one."""
        operation = claimed.subject
        # If the credential reaches everyone's workspaces, a read must have shown that this one belongs to the
        # person.
        is_known = step is Step.CREATE or claimed.workspace.verified_at is not None
        if runtime.provider.can_reach_all_workspaces(access) and not is_known:
            return outcomes.make_end_update(operation, Outcome.FAILED, "not_found", claimed.claim)
        name: FreeName | None = None
        spec = claimed.workspace.spec
        if step is Step.CREATE and spec is not None and spec.is_unnamed:
            free = await self._choose_name(claimed, runtime, spec.stem)
            if isinstance(free, Update):
                return free
            name = free
        elif step is Step.CREATE and spec is not None:
            refused = await self._refuse_used_name(claimed, runtime, spec)
            if refused is not None:
                return refused
        acts = runtime.provider.credential_owner(access, str(step))
        return claimed.update(
            self._numbers.lease,
            account=claimed.account,
            person=claimed.person,
            called=True,
            called_from=claimed.workspace.state,
            cause="",
            name=name,
            # Write the audit entry before the call, so that any use of other people's permissions is
            # recorded.
            audit=[outcomes.build_audit_entry(operation, f"call.{step}", "sent", acts=acts)]
            if acts == "admin"
            else [],
            **name_call(step, Call.CALLING),
        )

    async def _choose_name(self, claimed: ClaimedOperation, runtime: Runtime, stem: str) -> FreeName | Update:
        """Return a name that is free or has a unique suffix, or an update if the provider doesn't respond."""
        answer = await self._provider_caller.call(
            ProviderCall(runtime, claimed.account, "names", claimed.subject.attempts),
            lambda access: runtime.provider.require_facet(facets.Creation).list_names(access, stem),
        )
        match answer:
            case Succeeded(names) if names is not None:
                return FreeName(stem, names)
            case OutcomeUnknown(is_unreadable=False) | RetryLater() | Rejected(needs_credential=True):
                return self.build_retry(claimed, runtime, Step.FIND, answer, None)
            case _:
                return FreeName(append_suffix(stem, claimed.workspace.id))

    async def _refuse_used_name(
        self, claimed: ClaimedOperation, runtime: Runtime, spec: Spec
    ) -> Update | None:
        """Return the update that ends a creation whose name is in use, or None if the call may be sent.

        Only the first call is checked. After that, the name may be in use because of the call itself.
        """
        operation = claimed.subject
        if operation.verb is not OperationVerb.CREATE or operation.called_at is not None:
            return None
        answer = await self._provider_caller.call(
            ProviderCall(runtime, claimed.account, "names", operation.attempts),
            lambda access: runtime.provider.require_facet(facets.Creation).is_name_in_use(access, spec),
        )
        match answer:
            case Succeeded(True):
                cause = causes.to_cause(Conflict(NAME_IN_USE))
                return outcomes.make_end_update(operation, Outcome.FAILED, cause, claimed.claim, hide=True)
            case OutcomeUnknown(is_unreadable=False) | RetryLater() | Rejected(needs_credential=True):
                return self.build_retry(claimed, runtime, Step.FIND, answer, None)
            case _:  # The creation itself will show whether the name is in use.
                return None

    async def reload_name(self, claimed: ClaimedOperation) -> ClaimedOperation:
        """Reload the operation with the name that was chosen when the call was committed."""
        workspace = await self._store.read(workspaces.find_workspace, claimed.workspace.id)
        assert workspace is not None, "its row was there when the call was committed to"
        return replace(claimed, workspace=workspace)

    async def send(
        self, claimed: ClaimedOperation, runtime: Runtime, step: Step, access: base.Access
    ) -> Created | str | None:
        """Make the call. Return what it created, or the provider's message if there was nothing to change."""
        workspace = claimed.workspace
        if step is Step.CREATE:
            spec = workspace.spec or Spec(workspace.name)
            making = runtime.provider.require_facet(facets.Creation)
            create = making.create_stopped if claimed.subject.creates_stopped else making.create
            return await create(access, spec, workspace.id)
        if step is Step.START:
            return await runtime.provider.start(access, workspace)
        return await send_down(runtime, access, workspace, step)

    async def record_accepted(
        self,
        claimed: ClaimedOperation,
        runtime: Runtime,
        step: Step,
        access: base.Access,
        created: Created | str | None,
    ) -> Update | None:
        """Save the result of an accepted call.

        If a stop or removal has replaced this operation during a call that started or created the workspace,
        carry out the stop or removal.
        """
        already, created = (created, None) if isinstance(created, str) else (None, created)
        if already is not None and step in _STOP_STEPS and claimed.workspace.current_state is State.STARTING:
            # The provider says that the workspace is already down, but it is still coming up, so stop it
            # again later.
            retry = replace(self._make_retry(claimed), hold=make_hold(HoldCode.NO_STOP_YET))
            return self.build_retry(claimed, runtime, step, retry, Call.NONE)
        operation, remote_id = claimed.subject, claimed.workspace.remote_id
        acts = runtime.provider.credential_owner(access, str(step))
        if created is not None:
            # Save the id before anything else can fail, because the workspace can only be found by its id.
            remote_id = created.remote_id
            gate_key = runtime.provider.gate_key(remote_id)
            if (
                await self._store.write(
                    creations.name_created, operation.id, created, gate_key, claimed.claim
                )
                is None
            ):
                return None
        # If the workspace was created without being started, later steps start it.
        known = Call.ACCEPTED if created is None or created.is_started else Call.NONE
        acts_as = None if acts == "person" else acts
        now, moments = await self._store.now(), (operation.deadline_at, operation.slow_at)
        coming = [at - now for at in moments if at is not None and at > now]
        # This step is only a fallback, because the result of the read normally wakes the operation sooner.
        next_in = min([self._compute_read_wait(runtime) + self._numbers.call_seconds, *coming])
        entry = outcomes.build_audit_entry(operation, f"call.{step}", "accepted", acts=acts_as)
        cause = None if already is None else f"{LOST_TRACK}: {already}"
        # The first read after a start may still show the old state, so it doesn't wake the operation.
        was_down = step is Step.START and claimed.workspace.current_state in DOWN_STATES
        accepted = build_success(
            claimed,
            next_in,
            entry,
            cause=cause,
            waits_for="change" if was_down else "read",
            read_needed=True,
            **name_call(step, known),
        )
        if not await self.save(claimed, accepted) and step in START_STEPS:
            await self._enforce_replacement(claimed, runtime, remote_id)
        return None

    def build_retry(
        self, claimed: ClaimedOperation, runtime: Runtime, step: Step, answer: CallFailure, known: Call | None
    ) -> Update:
        """Return the update that reads the workspace and then retries the call.

        If the call's outcome is unknown, the read follows soon. A pause requested by the provider applies
        only to calls.
        """
        hold, wait, changes = answer.hold, REFUSED_WAIT_SECONDS, dict[str, Any](name_call(step, known))
        if not isinstance(answer, Rejected):
            is_call, wait = step is not Step.FIND, answer.wait
            changes |= {"attempts": answer.attempts, "read_needed": is_call}
            if is_call and isinstance(answer, OutcomeUnknown | ProviderBusy):
                wait = min(wait, self._compute_read_wait(runtime))
                changes["waits_for"] = "read"
        return claimed.update(wait, block_reason=hold, card_dirty=hold is not None, **changes)

    def _compute_read_wait(self, runtime: Runtime) -> float:
        """Return how many seconds until the next read is sent. A response may take ``call_seconds`` more."""
        return runtime.pace.min_poll_interval + 2 * self._numbers.margin

    def record_rejected(
        self, claimed: ClaimedOperation, runtime: Runtime, step: Step, answer: Rejected
    ) -> Update:
        """Return the update for a rejected call: retry it, end the operation, or read the workspace."""
        operation, makes = claimed.subject, step is Step.CREATE
        is_conflict = isinstance(answer.error, Conflict)
        # A transitional or unknown state may last a long time, so attempts made during it don't count towards
        # the limit.
        is_stable = claimed.workspace.current_state not in _TRANSIENT_STATES
        if is_conflict and not makes and not (is_stable and operation.attempts >= MAX_CONFLICT_ATTEMPTS):
            return self.build_retry(claimed, runtime, step, self._make_retry(claimed), Call.NONE)
        if step in _STOP_STEPS and isinstance(answer.error, NotFound) and not operation.attempts:
            # A single answer that the workspace doesn't exist isn't proof that there is nothing to stop.
            return self.build_retry(claimed, runtime, step, self._make_retry(claimed), Call.NONE)
        cause = answer.call_cause(makes=makes)
        if step not in START_STEPS or (isinstance(answer.error, NotFound) and not makes):
            # A read will show whether the workspace is down or gone.
            return claimed.update(
                self._compute_read_wait(runtime),
                waits_for="read",
                read_needed=True,
                cause=cause,
                **name_call(step, Call.NONE),
            )
        ended = outcomes.make_end_update(operation, Outcome.FAILED, cause, claimed.claim, hide=makes)
        if not makes or (is_conflict and operation.called_at is not None and operation.attempts):
            return ended
        # The call created nothing, so workspaces that other operations find can't be its result. After a name
        # conflict (above), this isn't certain, because an earlier attempt may have taken the name.
        return ended._replace(start_call=Call.NONE)

    async def search(
        self, claimed: ClaimedOperation, runtime: Runtime, access: base.Access
    ) -> OutcomeSearch | None:
        """Return the workspaces that may be the result of this creation and belong to no other row.

        Return None if a candidate still has to be read and its gate is closed.
        """
        creation = await self.find_creation(claimed)
        spec = claimed.workspace.spec or Spec(claimed.workspace.name)
        since = creation.sent_at or creation.created_at
        traces = await runtime.provider.require_facet(facets.Creation).find_created(
            access, spec, claimed.workspace.id, since
        )
        if not traces.candidates:
            return traces
        by_gate = {runtime.provider.gate_key(trace.remote_id): trace for trace in traces.candidates}
        # Read the other creations after the list. By then, the creation of every workspace in the list has
        # been recorded.
        others_since = creation.created_at - MAX_CREATION_OVERLAP_SECONDS
        candidate_gates = await self._store.read(
            creations.find_unexplained_gates, creation.id, runtime.name, list(by_gate), others_since
        )
        others = []
        for gate in candidate_gates:
            candidate = by_gate[gate]
            if not candidate.has_details and not await self._is_read(runtime, access, gate, candidate):
                return None
            made_at = since if candidate.has_details else self._created_at[gate]
            if made_at is not None and made_at >= since - base.MAX_CLOCK_SKEW_SECONDS:
                others.append(candidate)
        return replace(traces, candidates=tuple(others))

    async def _is_read(self, runtime: Runtime, access: base.Access, gate: str, candidate: Created) -> bool:
        """Read a candidate's creation time unless it is known. Return False if its gate is still closed."""
        if gate in self._created_at:
            return True
        closed_for = runtime.pace.min_poll_interval + self._numbers.margin
        # An unanswered request may still arrive at the provider at any time before it times out.
        longest_closed = closed_for + self._numbers.call_seconds
        key = (gate, runtime.name, candidate.remote_id)
        if not await self._store.write(gates.close_gate, *key, longest_closed):
            return False
        made_at = await runtime.provider.require_facet(facets.Creation).read_creation_time(
            access, candidate.remote_id
        )
        await self._store.write(gates.close_gate, *key, closed_for, is_answered=True)
        if len(self._created_at) >= MAX_CREATION_TIMES:
            self._created_at.clear()
        self._created_at[gate] = made_at
        return True

    def is_still_needed(self, claimed: ClaimedOperation) -> bool:
        """Return whether the operation still wants to create the workspace. If not, it cancels a creation."""
        return claimed.subject.verb is OperationVerb.CREATE

    def abandon(self, claimed: ClaimedOperation, verdict: Verdict) -> Update:
        """Return the update that ends the operation because the creation has been cancelled."""
        is_known = verdict is Verdict.NOTHING
        outcome, cause = (Outcome.FULFILLED, "not_made") if is_known else (Outcome.UNKNOWN, "untold")
        return outcomes.make_end_update(claimed.subject, outcome, cause, claimed.claim, hide=True)

    async def record_found(
        self, claimed: ClaimedOperation, runtime: Runtime, created: Created
    ) -> Update | None:
        """Record the id of the workspace that a search found, before anything else can fail."""
        operation, creation = claimed.subject, await self.find_creation(claimed)
        claim = claimed.claim if creation.id == operation.id else ""
        gate_key = runtime.provider.gate_key(created.remote_id)
        if await self._store.write(creations.name_created, creation.id, created, gate_key, claim) is None:
            return None
        entry = outcomes.build_audit_entry(operation, "call.find", "found")
        return build_success(claimed, 0.0, entry, read_needed=True)

    async def find_creation(self, claimed: ClaimedOperation) -> Operation:
        """Return the operation that creates the workspace. The claimed one may be cancelling the creation."""
        creation = await self._read_creation(claimed)
        assert creation is not None, "only what was called is looked for"
        return creation

    async def _read_creation(self, claimed: ClaimedOperation) -> Operation | None:
        is_it = claimed.subject.verb is OperationVerb.CREATE
        return (
            claimed.subject
            if is_it
            else await self._store.read(operations.find_creation, claimed.workspace.id)
        )

    async def _enforce_replacement(self, claimed: ClaimedOperation, runtime: Runtime, remote_id: str) -> None:
        """Carry out a stop or removal that was requested while the call to start or create was in flight."""
        current = await self._store.read(operations.find_operation, claimed.subject.id)
        if current is None or current.outcome is not Outcome.REPLACED:
            return
        latest = await self._store.read(operations.find_latest_operation, current.workspace_id)
        if latest is None or not latest.verb.brings_down:
            return
        if latest.is_open:
            await self._store.write(operations.save_step, Update(latest.id, 0.0, read_needed=True))
        elif latest.outcome is Outcome.FULFILLED:
            # The person was told that the workspace is down, so bring it down again.
            log.info("bringing down what was replaced", operation=claimed.subject.id, verb=str(latest.verb))
            step, workspace = Step(latest.verb.value), replace(claimed.workspace, remote_id=remote_id)
            await self._provider_caller.call(
                ProviderCall(runtime, claimed.account, str(step)),
                lambda access: send_down(runtime, access, workspace, step),
            )


def _is_blocked(claimed: ClaimedOperation, planned_for: float, now: float) -> bool:
    """Return whether a planned operation needs a new link, or is a stop that has been blocked for too long.

    Such an operation isn't shown on a card, so the person is told in a message.
    """
    operation = claimed.subject
    is_held = operation.verb.brings_down and bool(operation.block_reason)
    if is_held and now >= planned_for + MAX_HELD_SECONDS:
        return True
    return find_access_obstacle(claimed.account, now) in LINK_HELPS


def _find_stop_before(claimed: ClaimedOperation, cause: str | None, now: float) -> Hold:
    """Return the block reason of a start that waits for a stop in progress, or "" if it doesn't."""
    operation, workspace = claimed.subject, claimed.workspace
    is_long = now - operation.created_at >= LONG_STOP_SECONDS
    if cause == STOPPING_FIRST.cause:
        return make_hold(HoldCode.STOPPING_LONG if is_long else HoldCode.STOPPING_FIRST)
    is_before_start = not operation.verb.brings_down and not operation.has_called
    if not is_before_start or workspace.current_state is not State.STOPPING:
        return NOTHING
    code = HoldCode.STOPPING_ELSEWHERE_LONG if is_long else HoldCode.STOPPING_ELSEWHERE
    return make_hold(code, workspace.detail or "")


def _find_hold(claimed: ClaimedOperation, cause: str | None) -> Hold:
    """Return the block reason that the card shows while the plan waits, or "" if it shows none."""
    match cause:
        case "still_down" | "no_effect":
            return make_hold(HoldCode(cause), claimed.subject.called_at or 0.0)
        case "start_sent" | "no_stop_yet":
            return make_hold(HoldCode(cause))
    return NOTHING


def _is_never_created(claimed: ClaimedOperation) -> bool:
    """Return whether an operation ends without having created its workspace, so that no list shows it."""
    operation = claimed.subject
    is_about_it = operation.verb is OperationVerb.CREATE or operation.verb.brings_down
    return claimed.workspace.is_provisional and is_about_it and operation.start_call is Call.NONE


async def send_down(runtime: Runtime, access: base.Access, workspace: Workspace, step: Step) -> str | None:
    """Make the call that stops or removes a workspace.

    Return the result of ``Provider.stop`` or ``remove``.
    """
    workspace = replace(workspace, state=workspace.current_state)
    match step:
        case Step.REMOVE:
            return await runtime.provider.require_facet(facets.Removal).remove(access, workspace)
        case Step.SUSPEND:
            return await runtime.provider.stop(access, workspace, "suspend")
        case Step.FORCE:
            return await runtime.provider.stop(access, workspace, "force")
        case _:
            return await runtime.provider.stop(access, workspace)
