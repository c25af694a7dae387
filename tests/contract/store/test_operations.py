"""Operations: one open operation per workspace, joined or replaced; comparing and stepping operations."""

import re
from dataclasses import replace
from functools import partial

import pytest

from bot.domain.audit import AuditEntry
from bot.domain.holds import HoldCode, make_hold
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.people import Person, Principal
from bot.domain.steps import Update
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.store import audit, cards, gates, notices, work_items
from bot.store import operations as operation_rows
from bot.store import runs as run_rows
from bot.store import workspaces as workspace_rows
from bot.store.statements import fill_changes
from bot.store.tables import ACCOUNTS, OPERATIONS, RUNS, TABLES
from bot.store.time_repair import build_healing_queries
from bot.support.errors import Outdated
from tests.rigs.statements import gather_statements
from tests.rigs.store import ALICE, BOB, accept_operation, keep_waiting, launched, linked, observe

begin = partial(accept_operation, reference="R-1", deadline_seconds=1800.0)


async def start(store, clock, workspace, seconds=None, *, call=Call.ACCEPTED):
    """Accept a start and return it. If `seconds` are given, finish it after that time."""
    started = (await accept_operation(store, workspace)).operation
    if seconds is not None:
        await store.write(
            operation_rows.save_step, Update(started.id, 1.0, start_call=call, called=call is not Call.NONE)
        )
        clock.advance(seconds)
        await store.write(operation_rows.save_step, Update(started.id, 0.0, outcome=Outcome.FULFILLED))
    return started


async def test_a_second_start_joins_the_open_one(store, workspace):
    first = await begin(store, workspace)
    second = await begin(store, workspace, reference="R-2")
    assert (first.joined, second.joined) == (False, True)
    assert second.operation == first.operation


async def test_another_verb_replaces_the_open_one_and_owes_its_card(store, clock, workspace):
    first = await begin(store, workspace)
    clock.advance(5)
    second = await begin(store, workspace, OperationVerb.STOP, interaction="i2")
    assert second.operation.verb is OperationVerb.STOP
    assert not second.joined
    replaced = await store.read(operation_rows.find_operation, first.operation.id)
    assert second.replaced == replaced
    assert (replaced.outcome, replaced.ended_at, replaced.is_open) == (Outcome.REPLACED, clock.now(), False)
    assert await store.read(operation_rows.open_operations, ALICE) == [second.operation]
    assert await store.read(operation_rows.find_latest_operation, workspace.id) == second.operation
    card = await store.read(cards.find_card, first.operation.id)
    assert (card.is_dirty, card.changed_at) == (True, clock.now())


@pytest.mark.both_engines
@pytest.mark.parametrize("verb", [OperationVerb.STOP, OperationVerb.START], ids=str)
async def test_call_carried_over_twice_keeps_its_state_before(store, workspace, verb):
    """A failure from before the call isn't its result, even if another operation has taken the call over."""
    other = OperationVerb.START if verb is OperationVerb.STOP else OperationVerb.STOP
    call = "stop_call" if verb.brings_down else "start_call"
    first = (await begin(store, workspace, verb, interaction="i1")).operation
    (step,) = await store.claim(operation_rows.claim_operations, 10, 40.0)
    called = {"called": True, "called_from": State.FAILED, call: Call.ACCEPTED}
    await store.write(operation_rows.save_step, Update(first.id, 40.0, claim=step.claim, **called))
    await begin(store, workspace, other, interaction="i2")
    third = (await begin(store, workspace, verb, interaction="i3")).operation
    assert (getattr(third, call), third.called_from) == (Call.ACCEPTED, State.FAILED)


async def test_operations_at_one_instant_show_the_open_one_as_latest(store, workspace):
    await begin(store, workspace, interaction="i1")
    second = await begin(store, workspace, OperationVerb.RESTART, interaction="i2")
    assert await store.read(operation_rows.find_latest_operation, workspace.id) == second.operation


async def test_an_operation_makes_the_gate_due_and_counts_as_use(store, clock, workspace):
    assert await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5) == []
    clock.advance(60)
    await begin(store, workspace, interaction="i1")
    claims = await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)
    assert [(claim.has_open_operation, claim.used_at) for claim in claims] == [(True, clock.now())]
    assert (await store.read(workspace_rows.find_workspace, workspace.id)).used_at == clock.now()


async def test_keep_waiting_sets_a_new_deadline(store, clock, workspace):
    operation = (await begin(store, workspace, interaction="i1")).operation
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    passed = Update(operation.id, next_in=3600.0, deadline_passed=True, claim=step.claim)
    await store.write(operation_rows.save_step, passed)
    assert (await store.read(operation_rows.find_operation, operation.id)).deadline_at is None
    clock.advance(100)
    kept = await keep_waiting(store, operation.id, 900.0)
    assert (kept.deadline_at, kept.deadline_number) == (clock.now() + 900, 2)
    assert [step.subject.id for step in await store.claim(operation_rows.claim_operations, 10, 60.0)] == [
        operation.id
    ]
    card = await store.read(cards.find_card, operation.id)
    assert card.is_dirty


async def test_keep_waiting_says_when_the_operation_has_ended(store, clock, workspace):
    operation = (await begin(store, workspace, interaction="i1")).operation
    await store.write(
        operation_rows.save_step, Update(operation.id, next_in=0.0, outcome=Outcome.FAILED, cause="gone")
    )
    assert await keep_waiting(store, operation.id, 900.0) is None
    assert await keep_waiting(store, "operation_none", 900.0) is None
    assert (await store.read(operation_rows.find_operation, operation.id)).deadline_number == 1


async def test_open_operations_are_a_persons_own_oldest_first(store, clock):
    alice = await linked(store, ALICE, ["one", "two"])
    bob = await linked(store, BOB, ["three"])
    operations = []
    for number, workspace in enumerate([alice.workspaces[1], alice.workspaces[0], bob.workspaces[0]]):
        clock.advance(1)
        operations.append((await begin(store, workspace, interaction=f"w{number}")).operation)
    assert await store.read(operation_rows.open_operations, ALICE) == operations[:2]
    assert await store.read(operation_rows.open_operations, BOB) == operations[2:]


# -- the usual duration of a start: from the person's own starts, or else from ten similar ones --------------


def person(number, team="T1"):
    return Principal(None, team, f"U{number:02}")


async def workspace_of(store, principal):
    return (await linked(store, principal, names=("lab",), username=principal.user_id)).workspaces[0]


async def test_ones_own_starts_count_from_the_third(store, clock):
    workspace = await workspace_of(store, ALICE)
    for seconds, call in ((10, Call.ACCEPTED), (1000, Call.NONE), (50, Call.ACCEPTED), (30, Call.ACCEPTED)):
        assert (await start(store, clock, workspace, seconds=seconds, call=call)).usual_seconds is None
    assert (await start(store, clock, workspace)).usual_seconds == 30


@pytest.mark.parametrize(("count", "team", "usual"), [(9, "T1", None), (10, "T1", 60.0), (10, "T2", None)])
async def test_before_that_ten_of_others_in_the_same_slack_workspace(store, clock, count, team, usual):
    for number in range(count):
        other = person(number, team)
        workspace = await workspace_of(store, other)
        await start(store, clock, workspace, seconds=300 if number == 9 else 60)
    mine = await start(store, clock, await workspace_of(store, ALICE))
    assert (mine.usual_seconds, mine.slow_seconds) == (usual, usual and 1.5 * usual)


async def test_what_brings_down_takes_no_usual_time(store, clock):
    workspace = await workspace_of(store, ALICE)
    for _ in range(3):
        await start(store, clock, workspace, seconds=10)
    assert (await accept_operation(store, workspace, OperationVerb.STOP)).operation.usual_seconds is None


# -- steps: leased, advanced, woken by reads, and ended together with their notices in one transaction -------


READY = NewNotice("", NoticeKind.READY, "1", ALICE, {"workspace": "w"})
ENTRY = AuditEntry("usher", "operation.end", "notebook", "fulfilled")


@pytest.fixture
async def operation(store, workspace):
    return (
        await accept_operation(store, workspace, interaction="i1", deadline_seconds=1800.0, reference="R-1")
    ).operation


async def test_a_step_holds_all_that_it_needs(store, workspace, operation):
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    assert step.subject.id == operation.id
    assert step.workspace.id == workspace.id
    assert step.account.username == "ualice"
    assert step.person.name == "Ualice"
    assert step.claim


async def test_an_operation_that_reads_first_is_stepped_with_that_read(store, clock, workspace):
    await accept_operation(
        store, workspace, interaction="i1", deadline_seconds=1800.0, reference="R-1", reads_first=True
    )
    assert await store.claim(operation_rows.claim_operations, 10, 60.0) == []
    await observe(store, clock, workspace, Observed(State.STOPPED))
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    assert step.workspace.state is State.STOPPED


async def test_an_operation_that_reads_first_is_stepped_soon_without_a_read_too(store, clock, workspace):
    await accept_operation(
        store, workspace, interaction="i1", deadline_seconds=1800.0, reference="R-1", reads_first=True
    )
    clock.advance(2.0)
    assert len(await store.claim(operation_rows.claim_operations, 10, 60.0)) == 1


async def test_a_leased_operation_is_not_claimed_again_before_its_lease_ends(store, clock, operation):
    assert len(await store.claim(operation_rows.claim_operations, 10, 60.0)) == 1
    clock.advance(59.9)
    assert await store.claim(operation_rows.claim_operations, 10, 60.0) == []
    clock.advance(0.1)
    assert len(await store.claim(operation_rows.claim_operations, 10, 60.0)) == 1


async def test_claims_are_oldest_first_and_limited(store, clock):
    workspaces = (await linked(store, ALICE, ["one", "two", "three"])).workspaces
    made = []
    for workspace in workspaces:
        clock.advance(1)
        made.append((await accept_operation(store, workspace)).operation.id)
    assert [step.subject.id for step in await store.claim(operation_rows.claim_operations, 2, 60.0)] == made[
        :2
    ]
    assert [step.subject.id for step in await store.claim(operation_rows.claim_operations, 2, 60.0)] == made[
        2:
    ]


async def test_a_saved_step_comes_again_when_it_is_due(store, clock, operation):
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    slow = Update(operation.id, next_in=5.0, attempts=2, block_reason="Saturn is slow.", claim=step.claim)
    assert await store.write(operation_rows.save_step, slow)
    saved = await store.read(operation_rows.find_operation, operation.id)
    assert (saved.attempts, saved.block_reason, saved.next_step_at) == (2, "Saturn is slow.", clock.now() + 5)
    clock.advance(4.9)
    assert await store.claim(operation_rows.claim_operations, 10, 60.0) == []
    clock.advance(0.1)
    assert len(await store.claim(operation_rows.claim_operations, 10, 60.0)) == 1


async def test_what_is_left_out_stays_and_an_empty_hold_clears(store, operation):
    await store.write(
        operation_rows.save_step,
        Update(
            operation.id,
            next_in=1.0,
            start_call=Call.ACCEPTED,
            called=True,
            block_reason="slow",
            attempts=1,
        ),
    )
    before = await store.read(operation_rows.find_operation, operation.id)
    await store.write(operation_rows.save_step, Update(operation.id, next_in=1.0))
    after = await store.read(operation_rows.find_operation, operation.id)
    assert (after.start_call, after.called_at) == (Call.ACCEPTED, before.called_at)
    assert (after.block_reason, after.attempts) == ("slow", 1)
    await store.write(operation_rows.save_step, Update(operation.id, next_in=1.0, block_reason=""))
    assert (await store.read(operation_rows.find_operation, operation.id)).block_reason is None


async def test_the_end_and_its_notices_are_one(store, clock, operation):
    await store.claim(operation_rows.claim_operations, 10, 60.0)
    clock.advance(3)
    assert await store.write(
        operation_rows.save_step,
        Update(
            operation.id,
            next_in=0.0,
            outcome=Outcome.FAILED,
            cause="provider_failed",
            notices=[READY],
            audit=[ENTRY],
        ),
    )
    ended = await store.read(operation_rows.find_operation, operation.id)
    assert (ended.outcome, ended.cause, ended.ended_at) == (Outcome.FAILED, "provider_failed", clock.now())
    (notice,) = await store.perform(notices.claim_notices, 10, 60.0)
    assert (notice.subject, notice.kind, notice.occasion) == (operation.id, NoticeKind.READY, "1")
    assert await store.claim(operation_rows.claim_operations, 10, 60.0) == []
    assert (await store.read(cards.find_card, operation.id)).changed_at == clock.now()


async def test_an_ended_operation_takes_no_update_and_no_notice(store, workspace, operation):
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    await accept_operation(store, workspace, OperationVerb.STOP, interaction="i2", reference="R-2")
    before = await store.read(operation_rows.find_operation, operation.id)
    update = Update(
        operation.id,
        next_in=0.0,
        outcome=Outcome.FULFILLED,
        start_call=Call.ACCEPTED,
        read_needed=True,
        notices=[READY],
        audit=[ENTRY],
        claim=step.claim,
    )
    assert await store.write(operation_rows.save_step, update) is None
    assert await store.read(operation_rows.find_operation, operation.id) == before
    assert await store.perform(notices.claim_notices, 10, 60.0) == []
    assert [row["action"] for row in await store.read(audit.read_audit)] == ["operation.end"]


async def test_nothing_is_told_beside_the_end_that_was_written_meanwhile(store, workspace, operation):
    await accept_operation(store, workspace, OperationVerb.STOP, interaction="i2", reference="R-2")
    assert (
        await store.write(operation_rows.save_step, Update(operation.id, next_in=0.0, notices=[READY]))
        is None
    )
    assert await store.perform(notices.claim_notices, 10, 60.0) == []


async def test_a_step_whose_lease_ran_out_does_not_write_over_the_next(store, clock, operation):
    (late,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    clock.advance(60)
    (current,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    assert (
        await store.write(
            operation_rows.save_step,
            Update(operation.id, next_in=1.0, start_call=Call.CALLING, claim=late.claim),
        )
        is None
    )
    assert (await store.read(operation_rows.find_operation, operation.id)).start_call is Call.NONE
    assert await store.write(
        operation_rows.save_step,
        Update(operation.id, next_in=1.0, start_call=Call.CALLING, claim=current.claim),
    )


async def test_the_lease_is_kept_while_a_call_is_under_way(store, clock, workspace, operation):
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    assert await store.write(
        operation_rows.save_step,
        Update(operation.id, 30.0, "read", start_call=Call.CALLING, called=True, claim=step.claim),
    )
    # A read recorded meanwhile must not wake a second step, as that would consider the call lost.
    clock.advance(1)
    await observe(store, clock, workspace, Observed(State.STARTING))
    assert await store.claim(operation_rows.claim_operations, 10, 60.0) == []
    assert await store.write(
        operation_rows.save_step,
        Update(operation.id, 60.0, "read", start_call=Call.ACCEPTED, claim=step.claim),
    )
    assert len(await store.claim(operation_rows.claim_operations, 10, 60.0)) == 1


async def test_what_others_write_leaves_the_lease_and_brings_the_next_step_at_once(store, clock, operation):
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    clock.advance(1)
    assert await store.write(operation_rows.save_step, Update(operation.id, 0.0, read_needed=True))
    assert await store.claim(operation_rows.claim_operations, 10, 60.0) == []
    assert await store.write(operation_rows.save_step, Update(operation.id, 600.0, claim=step.claim))
    (again,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    assert again.subject.read_since == clock.now()


@pytest.mark.both_engines
async def test_a_save_and_a_read_set_only_what_they_change(store, clock, workspace, operation, monkeypatch):
    filled = []

    def record(name, *columns, **words):
        filled.append((name, {*columns}))
        return fill_changes(name, *columns, **words)

    monkeypatch.setattr(work_items, "fill_changes", record)
    monkeypatch.setattr(gates, "fill_changes", record)
    for waits_for, deadline_passed in (("read", False), ("change", True)):
        await store.write(operation_rows.save_step, Update(operation.id, 0.0, waits_for=waits_for))
        (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
        again = step.update(5.0, waits_for=waits_for, deadline_passed=deadline_passed)
        assert await store.write(operation_rows.save_step, again, step.row)
    assert [columns for name, columns in filled if name == "save"] == [
        {"waits_for"},
        {"attempts"},
        {"waits_for"},
        {"deadline_at"},
    ]
    await observe(store, clock, workspace, Observed(State.RUNNING))
    (columns,) = [columns for name, columns in filled if name == "observed"]
    assert {"state", "observed_at"} <= columns
    assert columns.isdisjoint({"name", "folded", "owner", "detail", "reason", "expires_at"})


@pytest.mark.both_engines
async def test_a_step_writes_what_follows_from_the_row_as_others_have_left_it(store, operation):
    await store.carry_out(
        lambda tx: work_items.hold(OPERATIONS, tx, {"id": operation.id}, {"block_reason": "Refused."})
    )
    await store.write(operation_rows.save_step, Update(operation.id, 0.0))
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    assert step.subject.block_reason == "Refused."
    await store.carry_out(
        lambda tx: work_items.resume(OPERATIONS, tx, OPERATIONS.row(tx, id=operation.id), {})
    )
    await keep_waiting(store, operation.id, 7200.0)
    waits = await store.read(operation_rows.find_operation, operation.id)
    assert await store.write(
        operation_rows.save_step, Update(operation.id, 600.0, attempts=1, claim=step.claim), step.row
    )
    saved = await store.read(operation_rows.find_operation, operation.id)
    assert (saved.block_reason, saved.deadline_at, saved.attempts) == (None, waits.deadline_at, 1)
    # Meanwhile somebody asked for it at once.
    (again,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    assert (
        await store.write(operation_rows.save_step, Update(operation.id, 600.0, claim=step.claim), step.row)
        is None
    )
    row = await store.write(
        operation_rows.save_step, Update(operation.id, 600.0, attempts=2, claim=again.claim), again.row
    )
    assert (row["attempts"], row["claim"]) == (2, "")


#: Changes to an account between a step's claim and the commit to its call.
CHANGES_OF_ACCOUNT = {
    "secret": {"secret": "another"},
    "state": {"state": "refused"},
    "revoking": {"state": "revoking"},
    "rests": {"state": "refused", "secret": "", "resting_since": 1.0, "other_id": "another"},
    "username": {"username": "alice-2"},
    "remote_id": {"remote_id": "another"},
    "refused": {"refused_since": 1.0, "checked_at": 1.0},
    "renamed": {"renamed_to": "alice-2"},
}


@pytest.mark.both_engines
@pytest.mark.parametrize("is_carried", [True, False])
@pytest.mark.parametrize("changed", [*CHANGES_OF_ACCOUNT, "person", "nothing"])
@pytest.mark.parametrize("of_run", [False, True], ids=["operation", "run"])
async def test_a_call_is_committed_to_only_for_who_it_was_decided_for(
    store, operation, changed, is_carried, of_run
):
    """The account isn't read again before the call, so the commit has to detect all of these changes."""
    person = Person(ALICE, "Alice", seen_at=await store.now())
    await store.save_people([person])
    subject, claim, save_step, find = (
        (
            await launched(store, connection=operation.connection),
            run_rows.claim_runs,
            run_rows.save_run_step,
            run_rows.find_run,
        )
        if of_run
        else (
            operation,
            operation_rows.claim_operations,
            operation_rows.save_step,
            operation_rows.find_operation,
        )
    )
    (step,) = await store.claim(claim, 10, 60.0)
    known = {"start_call": Call.CALLING, "account": step.account, "person": step.person}
    calling = Update(subject.id, 60.0, called=True, claim=step.claim, **known)
    if changed in CHANGES_OF_ACCOUNT:
        to = CHANGES_OF_ACCOUNT[changed]
        await store.carry_out(lambda tx: ACCOUNTS.change(tx, {"id": step.account.id}, **to))
    elif changed == "person":
        await store.save_people([replace(person, is_guest=True, seen_at=person.seen_at + 1)])
    save = store.write(save_step, calling, step.row if is_carried else None)
    if changed == "nothing":
        assert await save
    else:
        with pytest.raises(Outdated):
            await save
    assert (await store.read(find, subject.id)).has_called is (changed == "nothing")


@pytest.mark.both_engines
async def test_a_step_overwrites_nothing_that_was_written_since_it_began(store, clock, operation):
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    at = clock.now() + 30.0
    limits = {"workspace_id": operation.workspace_id, "at": at, "now": clock.now()}
    await store.carry_out(lambda tx: tx.run("limit_start", **limits))
    update = Update(operation.id, 1.0, block_reason="Slow.", claim=step.claim)
    assert await store.write(operation_rows.save_step, update, step.row)
    saved = await store.read(operation_rows.find_operation, operation.id)
    assert (saved.block_reason, saved.deadline_at) == ("Slow.", at)


async def test_what_others_end_has_ended_for_the_step_under_way(store, operation):
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    assert await store.write(
        operation_rows.save_step, Update(operation.id, 0.0, outcome=Outcome.FAILED, cause="gone")
    )
    assert not await store.write(
        operation_rows.save_step, Update(operation.id, 0.0, block_reason="Slow.", claim=step.claim)
    )
    assert await store.claim(operation_rows.claim_operations, 10, 60.0) == []


async def test_a_call_whose_caller_died_comes_again_with_the_lease(store, clock, operation):
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    await store.write(
        operation_rows.save_step,
        Update(operation.id, 30.0, start_call=Call.CALLING, called=True, claim=step.claim),
    )
    clock.advance(30)
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    assert (step.subject.start_call, step.subject.unknown_since) == (Call.UNKNOWN, clock.now())


@pytest.mark.parametrize(
    ("waits_for", "observed", "wakes"),
    [
        ("read", Observed(State.STOPPED), True),
        ("read", Observed(State.RUNNING), True),
        ("change", Observed(State.STOPPED), False),
        ("change", Observed(State.RUNNING), True),
        ("change", Observed(State.STOPPED, url="https://ide"), True),
        ("change", Observed(State.STOPPED, reason="FailedScheduling"), True),
        ("change", Observed(State.STOPPED, detail="Pulling the image", progress=30), False),
        ("time", Observed(State.RUNNING), False),
    ],
)
@pytest.mark.parametrize("during_the_step", [False, True])
async def test_reads_wake_the_operations_that_wait_for_them(
    store, clock, workspace, operation, waits_for, observed, wakes, during_the_step
):
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    if not during_the_step:
        await store.write(operation_rows.save_step, Update(operation.id, 600.0, waits_for, claim=step.claim))
    clock.advance(1)
    await observe(store, clock, workspace, observed)
    if during_the_step:
        await store.write(operation_rows.save_step, Update(operation.id, 600.0, waits_for, claim=step.claim))
    assert bool(await store.claim(operation_rows.claim_operations, 10, 60.0)) is wakes


async def test_a_needed_read_makes_the_gate_due_and_is_marked(store, clock, workspace, operation):
    (claim,) = await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)
    clock.advance(20)
    await store.perform(gates.record_reads, [])
    (step,) = await store.claim(operation_rows.claim_operations, 10, 60.0)
    await store.write(
        operation_rows.save_step, Update(operation.id, 60.0, "read", read_needed=True, claim=step.claim)
    )
    assert (await store.read(operation_rows.find_operation, operation.id)).read_since == clock.now()
    (again,) = await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)
    assert again.gate_key == claim.gate_key


@pytest.mark.both_engines
async def test_who_answers_again_holds_up_nothing_of_its_connection(store, operation):
    run = await launched(store, connection=operation.connection)
    elsewhere = await launched(store, connection="posit", name="another")
    silent = make_hold(HoldCode.SILENT)
    for of, table in ((operation, OPERATIONS), (run, RUNS), (elsewhere, RUNS)):
        await store.carry_out(lambda tx, of=of, t=table: t.change(tx, {"id": of.id}, block_reason=silent))
    await store.write(work_items.clear_silence, operation.connection)
    assert (await store.read(operation_rows.find_operation, operation.id)).block_reason is None
    assert (await store.read(run_rows.find_run, run.id)).block_reason is None
    assert (await store.read(run_rows.find_run, elsewhere.id)).block_reason == silent


def test_every_statement_that_changes_a_row_of_work_counts_the_change():
    """A step is saved only at an unchanged revision, so a change that isn't counted would be overwritten."""
    keyed = [
        table._find("UPDATE", {"id": ""}, ("principal",))[0] for table in TABLES.values() if table.revises
    ]
    writing = [
        query
        for query in (*gather_statements().values(), *build_healing_queries().values(), *keyed)
        if re.match(r"(/\* claim \*/ )?UPDATE (operations|runs)\b", query)
    ]
    assert len(writing) > 20
    assert [query for query in writing if "revision = revision + 1" not in query] == []
