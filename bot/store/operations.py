"""Operations: accepting and claiming them, advancing them step by step, and ending each exactly once."""

from dataclasses import replace
from typing import Any, Final, NamedTuple, TypedDict, Unpack

from bot.domain.accounts import Account
from bot.domain.durations import Typical, estimate_duration, start_kind
from bot.domain.forms import FreeName, Spec
from bot.domain.notices import EndState, NoticeKind
from bot.domain.operations import Operation, OperationVerb, Remark
from bot.domain.people import Principal
from bot.domain.steps import ClaimedOperation, Update
from bot.domain.stops import Consent
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import PROVISIONAL, State, Workspace
from bot.store import cards, courses, gates, homes, hours, timers, waitlist, work_items
from bot.store.notices import add_notices, ask_for_end
from bot.store.queues import Queue, declare_queue
from bot.store.tables import OPERATIONS, PREFERENCES, WORKSPACES, make_parser
from bot.store.transaction import Row, Transaction, concerns

#: Maximum time, in seconds, that an operation's first step waits for a read of its workspace. After that, the
#: step runs without one.
READ_SECONDS = 2.0


class OperationView(NamedTuple):
    """An operation with its workspace (unless that was deleted) and its owner's account.

    ``is_superseded`` means that the workspace has a newer operation. ``end_state`` is the state of the
    message about the operation's end. ``time_zone`` is the owner's time zone, if Slack has provided it.
    """

    operation: Operation
    workspace: Workspace | None
    account: Account | None
    is_superseded: bool
    end_state: EndState
    time_zone: str | None


class Accepted(NamedTuple):
    """The result of accepting an operation.

    ``joined`` means that ``operation`` was already open and has the requested verb. ``replaced`` is an open
    operation with another verb, which was ended. ``repeated`` means that the interaction was seen before, so
    nothing was changed. ``remark`` tells the person if Usher does something other than what the verb
    suggests. ``obstacle`` says why no call can be sent now (``bot.domain.feasibility``).
    """

    operation: Operation
    joined: bool = False
    replaced: Operation | None = None
    repeated: bool = False
    remark: Remark = ""
    obstacle: str = ""


OPERATION_QUEUE: Final = declare_queue(
    Queue(
        name="operations",
        kind="operations",
        table="operations",
        due="next_step_at",
        where="outcome IS NULL",
        only="leased_until <= :now AND {settled} AND {starts_here}",
        changes="{claimed}",
    )
)


class Details(TypedDict, total=False):
    """The details of a request for an operation.

    ``reads_first`` means that the first step waits briefly for a read of the workspace, because nothing can
    be decided without one. The other details are described in ``Operation``.
    """

    id: str
    agreed: Consent
    reads_first: bool
    planned_for: float | None
    good_until: float | None
    run_seconds: float | None


def accept(
    tx: Transaction,
    workspace: Workspace,
    verb: OperationVerb,
    deadline_seconds: float,
    reference: str,
    channel_id: str | None = None,
    **more: Unpack[Details],
) -> Accepted:
    """Join a workspace's open operation with the same verb, or begin one with a row for its card.

    An open operation with another verb ends (outcome ``replaced``). A read of the workspace is requested.
    """
    replaced, is_timed = None, more.get("planned_for") is not None
    row = OPERATIONS.row(tx, workspace_id=workspace.id, outcome=None)
    is_joined = row is not None and row["verb"] == verb
    if row is not None and is_joined:
        agreed = more.get("agreed", Consent.NONE)
        if agreed > row["agreed"]:
            row = OPERATIONS.change_returning(tx, {"id": row["id"]}, agreed=agreed) or row
        made = repeat_request(tx, OPERATIONS.parse(row), deadline_seconds)
    else:
        if row is not None:
            # If the previous operation has sent its call, that call takes effect whatever is requested now.
            # Otherwise, the previous operation is cancelled.
            cause = "sent" if OPERATIONS.parse(row).has_called else None
            if is_timed and row["planned_for"] is None:
                # A plan, rather than a request by the owner, replaces the operation.
                cause = "sent_before_plan" if cause else "plan_came"
            replaced = end(tx, row["id"], Outcome.REPLACED, cause)
        made = add(tx, workspace, verb, deadline_seconds, reference, channel_id, **more)
        if replaced is not None:
            made = _carry_over(tx, made, replaced)
    gates.want(tx, workspace.id, brings_up=not (is_joined or verb.brings_down), by_itself=is_timed)
    return Accepted(made, joined=is_joined, replaced=replaced)


def ask_for_accept(tx: Transaction, workspace: Workspace, verb: OperationVerb) -> None:
    """Prefetch what ``accept`` reads first."""
    OPERATIONS.ask(tx, workspace_id=workspace.id, outcome=None)
    if verb.brings_down:
        return
    PREFERENCES.ask(tx, principal=workspace.principal)
    tx.ask("last_starts", workspace_id=workspace.id)
    kind = start_kind(verb, workspace.principal, workspace.connection, workspace.spec)
    if kind is not None:
        tx.ask("starts_alike", start_kind=kind)


def repeat_request(tx: Transaction, operation: Operation, deadline_seconds: float) -> Operation:
    """Extend an open operation, because its owner has requested it again, and return it.

    If its deadline has passed, it gets a new one. If the workspace was only going to be created, it will be
    started, too. A planned start becomes valid for at least as long as a start requested now.
    """
    if operation.good_until is not None:
        extend_start(tx, operation, tx.now() + deadline_seconds)
    if operation.creates_stopped:
        OPERATIONS.change(tx, {"id": operation.id}, run_seconds=None)
        operation = replace(operation, run_seconds=None)
    if operation.deadline_at is not None:
        return operation
    return keep_waiting(tx, operation.id, deadline_seconds) or operation


def extend_start(tx: Transaction, start: Operation, good_until: float) -> None:
    """Allow a planned start to be sent until a later time. If the time is earlier, nothing changes."""
    if start.good_until is not None and good_until > start.good_until:
        OPERATIONS.change(tx, {"id": start.id, "outcome": None}, good_until=good_until)


def _carry_over(tx: Transaction, made: Operation, former: Operation) -> Operation:
    """Carry over a call that the previous operation sent, because it may still take effect.

    The call becomes the ``prior_call`` of the new operation. So does a call that the previous operation had
    carried over from an even earlier one. But if the previous operation sent nothing itself and its
    ``prior_call`` is of the kind that the new operation sends, that call counts as the new operation's own.
    Restarts and creations carry nothing over, because they send what they need in any case.
    """
    is_down = made.verb.brings_down
    if not is_down and made.verb is not OperationVerb.START:
        return made
    # If a restart has sent its start call, its stop call has already taken effect.
    is_stop_last = former.start_call is Call.NONE
    sent = former.start_call if is_down else former.stop_call if is_stop_last else Call.NONE
    carried: dict[str, Any]
    if sent is not Call.NONE:
        carried = {"prior_call": sent, "prior_at": former.called_at}
    elif former.prior_call is Call.NONE:
        return made
    elif former.verb.brings_down == is_down:
        carried = {"prior_call": former.prior_call, "prior_at": former.prior_at}
    elif not former.has_called and made.verb in (OperationVerb.START, OperationVerb.STOP):
        carried = {
            "stop_call" if is_down else "start_call": former.prior_call,
            "called_at": former.prior_at,
            "unknown_since": tx.now() if former.prior_call.is_unsure else None,
        }
    else:
        return made
    # If the workspace had already failed before the call, that state isn't the call's result. Other states
    # matter only if the operation sent a call itself.
    is_same_call = sent is not Call.NONE or not former.has_called
    if is_same_call and former.called_from is State.FAILED:
        carried["called_from"] = State.FAILED
    row = OPERATIONS.change_returning(tx, {"id": made.id}, **carried)
    return made if row is None else OPERATIONS.parse(row)


def add(
    tx: Transaction,
    workspace: Workspace,
    verb: OperationVerb,
    deadline_seconds: float,
    reference: str,
    channel_id: str | None = None,
    **more: Unpack[Details],
) -> Operation:
    """Write an operation and a row for its card. The workspace must have no open operation."""
    now, reads_first = tx.now(), more.get("reads_first", False)
    kind, usual = _measure_similar_starts(tx, workspace, verb)
    made = Operation(
        id=more.get("id") or tx.ids.new("operation"),
        principal=workspace.principal,
        workspace_id=workspace.id,
        connection=workspace.connection,
        verb=verb,
        created_at=now,
        # If a start is planned for a lesson, its deadline counts from the beginning of the lesson.
        deadline_at=max(now, more.get("planned_for") or 0.0) + deadline_seconds,
        next_step_at=now + READ_SECONDS if reads_first else now,
        reference=reference,
        agreed=more.get("agreed", Consent.NONE),
        channel_id=channel_id,
        planned_for=more.get("planned_for"),
        good_until=more.get("good_until"),
        run_seconds=more.get("run_seconds"),
        usual_seconds=usual.usual,
        slow_seconds=usual.late,
    )
    waits_for = "read" if reads_first else "time"
    OPERATIONS.add(tx, made, waits_for=waits_for, start_kind=kind)
    # The buttons of earlier messages have become invalid, even if no message about this operation is sent.
    cards.queue_messages(tx, workspace.id, changed=False)
    cards.add(tx, NoticeKind.CARD, made.id, made.principal.key, workspace.id)
    return made


def estimate_slow_seconds(
    tx: Transaction, principal: Principal, connection: str, spec: Spec | None
) -> float | None:
    """Return how many seconds nine in ten similar starts take at most, or None if too few were timed."""
    kind = start_kind(OperationVerb.START, principal, connection, spec)
    return estimate_duration((), [row["seconds"] for row in tx.all("starts_alike", start_kind=kind)]).slow


def estimate_usual_seconds(tx: Transaction, workspace: Workspace) -> float | None:
    """Return how many seconds a workspace usually takes to start, or None if too few starts were timed."""
    return _measure_similar_starts(tx, workspace, OperationVerb.START)[1].usual


def _measure_similar_starts(
    tx: Transaction, workspace: Workspace, verb: OperationVerb
) -> tuple[str | None, Typical]:
    if verb.brings_down:
        return None, Typical()
    kind = start_kind(verb, workspace.principal, workspace.connection, workspace.spec)
    own = [row["seconds"] for row in tx.all("last_starts", workspace_id=workspace.id)]
    alike = [] if kind is None else [row["seconds"] for row in tx.all("starts_alike", start_kind=kind)]
    return kind, estimate_duration(own, alike)


def end(tx: Transaction, operation_id: str, outcome: Outcome, cause: str | None) -> Operation | None:
    """End an open operation and mark its card as dirty. Return None if it has already ended."""
    row = work_items.end(tx, OPERATIONS, operation_id, outcome, cause)
    return None if row is None else OPERATIONS.parse(row)


def put_away(tx: Transaction, workspace_id: str) -> None:
    """Hide a workspace. It is no longer read, and its open operation, if any, ends as cancelled."""
    row = WORKSPACES.change_returning(
        tx, {"id": workspace_id, "hidden": False}, hidden=True, **timers.NO_TIMER
    )
    if row is None:
        return
    cards.queue_messages(tx, workspace_id, changed=True)
    operation = OPERATIONS.row(tx, workspace_id=workspace_id, outcome=None)
    if operation is not None:
        end(tx, operation["id"], Outcome.CANCELLED, "forgotten")
    tx.run("rest_gate_without_reader", gate_key=row["gate_key"])


def keep_waiting(tx: Transaction, operation_id: str, deadline_seconds: float) -> Operation | None:
    """Give an open operation a new deadline and a new deadline number. Return None if it has ended."""
    row = work_items.keep_waiting(tx, OPERATIONS, operation_id, deadline_seconds)
    if row is None:
        return None
    gates.want(tx, row["workspace_id"])
    return OPERATIONS.parse(row)


def find_operation(tx: Transaction, operation_id: str) -> Operation | None:
    """Return an operation by its id."""
    return OPERATIONS.one(tx, id=operation_id)


def find_operation_view(tx: Transaction, operation_id: str) -> OperationView | None:
    """Return an operation with everything shown in its messages."""
    row = tx.one("shown_operation", id=operation_id)
    if row is None:
        return None
    found, workspace, account = make_parser("o w a")(row)
    is_superseded = workspace is not None and row["newest"] != operation_id
    return OperationView(found, workspace, account, is_superseded, row["end_state"], row["time_zone"])


def find_latest_operation(tx: Transaction, workspace_id: str) -> Operation | None:
    """Return the newest operation of a workspace, open or ended."""
    return OPERATIONS.first(tx, "latest_operation", workspace_id=workspace_id)


def find_creation(tx: Transaction, workspace_id: str) -> Operation | None:
    """Return the newest operation that created a workspace, or None if Usher didn't create the workspace."""
    return OPERATIONS.first(tx, "creation_of", workspace_id=workspace_id)


def open_operations(tx: Transaction, principal: Principal) -> list[Operation]:
    """Return a principal's open operations, oldest first."""
    return OPERATIONS.all(tx, "created_at, id", principal=principal, outcome=None)


def claim_operations(tx: Transaction, limit: int, lease: float, owner: str = "") -> list[ClaimedOperation]:
    """Claim due open operations, oldest first, each with everything needed for a step.

    Starts on a connection are left out if another process owns that connection's start queue.
    """
    found = work_items.claim(tx, OPERATION_QUEUE.claim, "claimed_operations", lease, limit=limit, owner=owner)
    steps = []
    for row, beside in found:
        workspace, account, person = make_parser("w a p")(beside)
        given = work_items.make_actor_fields(tx, row, account, person)
        steps.append(ClaimedOperation(subject=OPERATIONS.parse(row), workspace=workspace, **given))
    return steps


@concerns(lambda _update, was=None: [] if was is None else [was["principal"]])
def save_step(tx: Transaction, update: Update, was: Row | None = None) -> Row | None:
    """Write a step's result and release its lease, in one transaction. Return the row as written.

    Return None if the operation has ended in the meantime or another step has claimed it. ``was`` is the row
    that the step worked with.
    """
    pending = update.notices if update.outcome is not None else ()
    saved = work_items.save(tx, OPERATIONS, update, _choose_changes, was, adds_notices=not pending)
    if saved is None:
        return None
    row, update = saved
    if update.name is not None:
        choose_name(tx, row["workspace_id"], update.name)
    if update.wants_read:
        gates.want(tx, row["workspace_id"], by_itself=True)
    if update.read_needed:
        gates.request_read_now(tx, row["workspace_id"])
    if update.hides and update.outcome is not None:
        put_away(tx, row["workspace_id"])
    if update.outcome is not None:
        tx.ask("touched_by_end", workspace_id=row["workspace_id"])
        ask_for_end(tx, pending, update.id)
        homes.show_end(tx, update.id)
        ended = OPERATIONS.parse(row)
        is_stopped = ended.verb.brings_down and ended.outcome is Outcome.FULFILLED
        (touched,) = tx.all("touched_by_end", workspace_id=row["workspace_id"])
        if touched["has_ends"]:
            timers.apply_timer(tx, row["workspace_id"], is_stopped=is_stopped)
        if ended.outcome is Outcome.FAILED:
            pending = courses.follow_start(tx, ended, hours.follow_start(tx, ended, pending))
        if touched["waits"] or ended.outcome is Outcome.FAILED:
            pending = waitlist.follow_attempt(tx, ended, pending)
        # Nobody can join the waitlist in the meantime, because that is done alone.
        if is_stopped and ended.has_called and touched["has_line"]:
            waitlist.offer_capacity(tx, ended.connection, waitlist.STOP_PAUSE_SECONDS)
        if pending:
            add_notices(tx, pending, update.id)
    return row


def _choose_changes(_tx: Transaction, row: Row, update: Update, shared: Row) -> Row:
    now, hold = shared["now"], shared["block_reason"]
    ends = update.outcome is not None
    is_unsent = row["good_until"] is not None and shared["start_call"] == Call.NONE
    # The time spent blocked is measured separately for each cause, as for runs (``bot.store.runs``).
    blocked_since = row["blocked_since"] if hold == row["block_reason"] else None
    return {
        **shared,
        "waits_for": update.waits_for,
        "blocked_since": None if hold is None else blocked_since or now,
        "called_from": update.called_from or row["called_from"],
        "failed_at": None if update.called else update.failed_at or row["failed_at"],
        "read_since": now if update.read_needed else row["read_since"],
        # A block reason found by a read stays until another read says otherwise.
        "read_block_reason": None if update.block_reason or ends else row["read_block_reason"],
        "deadline_at": None if update.deadline_passed else row["deadline_at"],
        "delayed_by": (is_unsent and (hold or row["read_block_reason"])) or row["delayed_by"],
    }


def choose_name(tx: Transaction, workspace_id: str, wanted: FreeName) -> None:
    """Give an unnamed workspace a name that its owner doesn't already use on the connection.

    The name of a workspace whose creation may still succeed counts as used, too.
    """
    workspace = WORKSPACES.one(tx, id=workspace_id)
    if workspace is None or workspace.spec is None or not workspace.spec.is_unnamed:
        return
    others = WORKSPACES.query(
        tx,
        "namesakes",
        id=workspace_id,
        principal=workspace.principal.key,
        connection=workspace.connection,
        unmade=f"{PROVISIONAL}%",
    )
    named = [other for other in others if other.spec is None or not other.spec.is_unnamed]
    name = wanted.choose_name(text for other in named for text in {other.name, other.title})
    spec = replace(workspace.spec, name=name)
    WORKSPACES.change(tx, {"id": workspace_id}, name=name, spec=spec)
