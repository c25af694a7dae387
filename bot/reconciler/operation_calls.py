"""The calls of operations: starts and creations, stops and removals."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.forms import Spec
from bot.domain.names import FreeName, marked
from bot.domain.notices import NoticeKind
from bot.domain.plan import Step
from bot.domain.runs import ClaimedOperation, Update
from bot.domain.settling import Verdict, has_settled
from bot.domain.workspaces import Call, Created, Operation, OperationVerb, Outcome, Traces
from bot.providers import base
from bot.providers.base import CLOCK_SKEW, Access
from bot.reconciler import outcomes
from bot.reconciler.ask import REFUSED_WAIT, Done, Later, NotDone, Refused, Unknown
from bot.reconciler.caller import CONFLICTS, UP, Caller, knowing, went_well
from bot.reconciler.context import EngineContext
from bot.reconciler.early_looks import EarlyLooks
from bot.reconciler.replaced import make_true, send_down
from bot.reconciler.runtimes import Runtime
from bot.reconciler.updates import Updates
from bot.store.store import Store
from bot.support.errors import Conflict

#: A creation called up to this many seconds before this one was requested may have made what is found now.
OTHERS_SECONDS = 600.0
#: How many candidates' creation times are remembered; beyond that they are read again.
REMEMBERED = 10_000


class OperationCalls(Caller[ClaimedOperation]):
    """Make calls to providers for operations."""

    making = Step.CREATE
    question = NoticeKind.ASKED
    keeps_call = False

    def __init__(self, engine: EngineContext, updates: Updates[ClaimedOperation], early: EarlyLooks) -> None:
        super().__init__(engine, updates)
        self._early = early
        #: When candidates were created, if their list entries lack details; it never changes, so read once.
        self._made_at: dict[str, float | None] = {}

    async def calling(
        self, claimed: ClaimedOperation, runtime: Runtime, step: Step, access: Access
    ) -> Update:
        """Commit to the call, with a free name if it has none; using an administrator's right is audited."""
        operation = claimed.operation
        # If the access reaches everybody's, the person's own credential must have shown this one before.
        is_known = step is Step.CREATE or claimed.workspace.verified_at is not None
        if runtime.provider.needs_record(access) and not is_known:
            return outcomes.ended(operation, Outcome.FAILED, "not_found", claimed.claim)
        name: FreeName | None = None
        if step is Step.CREATE and claimed.workspace.spec is not None and claimed.workspace.spec.is_unnamed:
            free = await self._free_name(claimed, runtime, claimed.workspace.spec.stem)
            if isinstance(free, Update):
                return free
            name = free
        acts = runtime.provider.acts(access, str(step))
        sent = replace(
            claimed.update(self._numbers.lease),
            called=True,
            name=name,
            # Before it is sent: using somebody else's right is audited whatever the result.
            audit=[outcomes.audit(operation, f"call.{step}", "sent", acts=acts)] if acts == "admin" else [],
        )
        return knowing(sent, step, Call.CALLING)

    async def _free_name(self, claimed: ClaimedOperation, runtime: Runtime, stem: str) -> FreeName | Update:
        """Look which names are taken; return the update to look later if there is no answer now.

        If no look can tell, the name gets a mark that nobody else's has.
        """
        answer = await self._asker.ask(
            runtime,
            claimed.account,
            "names",
            lambda access: runtime.provider.need(base.Making).names(access, stem),
            attempts=claimed.operation.attempts,
        )
        match answer:
            case Done(names) if names is not None:
                return FreeName(stem, names)
            case Unknown(is_unreadable=False) | Later() | Refused(needs_credential=True):
                return self.again(claimed, runtime, Step.FIND, answer, None)
            case _:
                return FreeName(marked(stem, claimed.workspace.id))

    async def committed(self, claimed: ClaimedOperation, calling: Update) -> ClaimedOperation:
        """Read the name that was chosen when the call was committed to."""
        if calling.name is None:
            return claimed
        workspace = await self._store.workspace(claimed.workspace.id)
        assert workspace is not None, "its row was there when the call was committed to"
        return replace(claimed, workspace=workspace)

    async def send(
        self, claimed: ClaimedOperation, runtime: Runtime, step: Step, access: Access
    ) -> Created | None:
        """Send the call; return what was created, if the call creates something."""
        workspace = claimed.workspace
        if step is Step.CREATE:
            spec = workspace.spec or Spec(workspace.name)
            return await runtime.provider.need(base.Making).create(access, spec, workspace.id)
        if step is Step.START:
            await runtime.provider.start(access, workspace.remote_id)
        else:
            await send_down(runtime, access, workspace.remote_id, step)
        return None

    async def accepted(
        self, claimed: ClaimedOperation, runtime: Runtime, step: Step, access: Access, created: Created | None
    ) -> None:
        """Record the call; if the operation was replaced meanwhile, enforce what replaced it."""
        operation, remote_id = claimed.operation, claimed.workspace.remote_id
        acts = runtime.provider.acts(access, str(step))
        if created is not None:
            # Before anything else can fail: the id is how the workspace is found again.
            remote_id = created.remote_id
            gate_key = runtime.provider.gate_key(remote_id)
            if await self._store.name_created(operation.id, created, gate_key, claimed.claim) is None:
                return
        # A workspace that was created stopped is started by the following steps.
        known = Call.ACCEPTED if created is None or created.is_started else Call.NONE
        acts_as = None if acts == "person" else acts
        next_in = self._first_look(runtime)
        if step in UP:
            next_in = self._early.next_in(operation, await self._store.now(), next_in)
        entry = outcomes.audit(operation, f"call.{step}", "accepted", acts=acts_as)
        accepted = replace(went_well(claimed, next_in, entry), waits_for="read", read_needed=True)
        if not await self._updates.save(knowing(accepted, step, known)) and step in UP:
            await make_true(self._store, self._asker, claimed, runtime, remote_id)

    def again(
        self, claimed: ClaimedOperation, runtime: Runtime, step: Step, answer: NotDone, known: Call | None
    ) -> Update:
        """Read before retrying; soon after an unknown outcome, as a requested pause applies to calls only."""
        sentence, update = answer.sentence, claimed.update(REFUSED_WAIT)
        if not isinstance(answer, Refused):
            is_call = step is not Step.FIND
            update = replace(update, next_in=answer.wait, attempts=answer.attempts, read_needed=is_call)
            if is_call and isinstance(answer, Unknown):
                update = replace(
                    update, next_in=min(answer.wait, self._first_look(runtime)), waits_for="read"
                )
        return replace(knowing(update, step, known), hold=sentence, card_dirty=sentence is not None)

    def _first_look(self, runtime: Runtime) -> float:
        return runtime.pace.min_poll_interval + 2 * self._numbers.margin

    def refused(self, claimed: ClaimedOperation, runtime: Runtime, step: Step, answer: Refused) -> Update:
        """End it; retry a few times if the current state doesn't allow the call, as that may be changing."""
        operation, makes = claimed.operation, step is Step.CREATE
        is_conflict = isinstance(answer.error, Conflict)
        if is_conflict and not makes and operation.attempts < CONFLICTS:
            return self.again(claimed, runtime, step, self._retry(claimed), Call.NONE)
        ended = outcomes.ended(operation, Outcome.FAILED, answer.cause, claimed.claim, hides=makes)
        if not makes or (is_conflict and operation.called_at is not None and operation.attempts):
            return ended
        # It made nothing, so it explains nothing that others find. A name conflict says nothing about an
        # earlier attempt, which may have taken the name.
        return replace(ended, start_call=Call.NONE)

    async def look(self, claimed: ClaimedOperation, runtime: Runtime, access: Access) -> Traces | None:
        """Return what the provider lists, without what any record explains.

        None if a candidate still has to be read and its gate is closed.
        """
        creation = await self._sought(claimed)
        spec = claimed.workspace.spec or Spec(claimed.workspace.name)
        since = creation.sent_at or creation.created_at
        traces = await runtime.provider.need(base.Making).find(access, spec, claimed.workspace.id, since)
        if not traces.others:
            return traces
        by_gate = {runtime.provider.gate_key(one.remote_id): one for one in traces.others}
        # After the list: any creation of what it shows was recorded before.
        others_since = creation.created_at - OTHERS_SECONDS
        left = await self._store.unexplained(creation.id, runtime.name, list(by_gate), others_since)
        others = []
        for gate in left:
            found = by_gate[gate]
            if not found.is_described and not await self._is_read(runtime, access, gate, found):
                return None
            made_at = since if found.is_described else self._made_at[gate]
            if made_at is not None and made_at >= since - CLOCK_SKEW:
                others.append(found)
        return replace(traces, others=tuple(others))

    async def _is_read(self, runtime: Runtime, access: Access, gate: str, found: Created) -> bool:
        """Read once when a candidate was created; False while its gate is closed."""
        if gate in self._made_at:
            return True
        closed_for = runtime.pace.min_poll_interval + self._numbers.margin
        # Until the answer comes, the request may arrive at any time up to its time-out.
        at_most = closed_for + self._numbers.call_seconds
        key = (gate, runtime.name, found.remote_id)
        if not await self._store.hold_candidate(*key, at_most):
            return False
        made_at = await runtime.provider.need(base.Making).made_at(access, found.remote_id)
        await self._store.hold_candidate(*key, closed_for, is_answered=True)
        if len(self._made_at) >= REMEMBERED:
            self._made_at.clear()
        self._made_at[gate] = made_at
        return True

    async def has_settled(self, claimed: ClaimedOperation, now: float) -> bool:
        """Return whether the creation's result would have shown up by now."""
        creation = await self._sought(claimed)
        return has_settled(creation.start_call, creation.called_at, creation.unknown_since, now)

    def is_wanted(self, claimed: ClaimedOperation) -> bool:
        """Return whether it is still wanted: any other verb cancels the creation."""
        return claimed.operation.verb is OperationVerb.CREATE

    def unwanted(self, claimed: ClaimedOperation, verdict: Verdict) -> Update:
        """End the operation that cancelled the creation."""
        is_known = verdict is Verdict.NOTHING
        outcome, cause = (Outcome.FULFILLED, "not_made") if is_known else (Outcome.UNKNOWN, "untold")
        return outcomes.ended(claimed.operation, outcome, cause, claimed.claim, hides=True)

    async def found(self, claimed: ClaimedOperation, runtime: Runtime, created: Created) -> Update | None:
        """Record its id before anything else can fail; from now on it is a workspace like any other."""
        operation, creation = claimed.operation, await self._sought(claimed)
        claim = claimed.claim if creation.id == operation.id else ""
        gate_key = runtime.provider.gate_key(created.remote_id)
        if await self._store.name_created(creation.id, created, gate_key, claim) is None:
            return None
        found = went_well(claimed, 0.0, outcomes.audit(operation, "call.find", "found"))
        return replace(found, read_needed=True)

    async def _sought(self, claimed: ClaimedOperation) -> Operation:
        creation = await creation_of(self._store, claimed)
        assert creation is not None, "only what was called is looked for"
        return creation


async def creation_of(store: Store, claimed: ClaimedOperation) -> Operation | None:
    """Return the operation that creates a step's workspace: its own, or one that it replaced."""
    return (
        claimed.operation
        if claimed.operation.verb is OperationVerb.CREATE
        else await store.creation_of(claimed.workspace.id)
    )
