"""Tests of the poll gate: one read per resource and interval, and whose rows each result updates."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.reads import ReadResult
from bot.domain.steps import Update
from bot.domain.workspaces import State
from bot.store import cards, discovered, gates, operations, sweeping, tasks
from bot.store import workspaces as workspace_rows
from tests.contract.store.gates import SHARED, by_reference, claim_one, claimed
from tests.rigs.providers import NO_GPU
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    add_workspace,
    hide_workspace,
    link_account,
    linked,
    listed_workspace,
    observe,
    unlink,
    want_read,
)


async def told(store, claim, observed, next_in, *hold, **more):
    """Record the result of a claimed read."""
    result = ReadResult(claim.gate_key, claim.workspace_ids, observed, next_in, *hold, **more)
    await store.perform(gates.record_reads, [result])


async def test_a_claim_closes_the_gate_for_interval_and_margin(store, clock):
    account = await link_account(store)
    workspace = await add_workspace(store, by_reference(ALICE))
    claim = await claim_one(store)
    assert (claim.gate_key, claim.connection, claim.remote_id) == (SHARED, "saturn", "shared")
    assert (claim.account, claim.workspace_ids) == (account, (workspace.id,))
    assert (claim.state, claim.has_open_operation) == (State.UNKNOWN, False)
    assert claim.granted_at == clock.now()
    for _ in range(3):
        await want_read(store, workspace.id)
        clock.advance(3.4)
        assert await claim_one(store) is None
    clock.advance(10.5 - 3 * 3.4)
    assert await claim_one(store) is not None


async def test_a_read_whose_reader_died_is_due_again_when_the_gate_opens(store, clock):
    await claimed(store)
    clock.advance(10.4)
    assert await claim_one(store) is None
    clock.advance(0.1)
    assert await claim_one(store)


@pytest.mark.parametrize(
    ("state", "next_in", "closed", "rest"), [(State.RUNNING, 300.0, 299, 1), (State.STARTING, 1.0, 10.4, 0.1)]
)
async def test_the_result_says_when_to_read_next_and_never_opens_the_gate_early(
    store, clock, state, next_in, closed, rest
):
    _, claim = await claimed(store)
    await told(store, claim, Observed(state), next_in)
    clock.advance(closed)
    assert await claim_one(store) is None
    clock.advance(rest)
    assert await claim_one(store)


async def test_without_a_next_time_nobody_reads_until_somebody_asks(store, clock):
    workspace, claim = await claimed(store)
    await told(store, claim, Observed(State.STOPPED), None)
    clock.advance(100_000)
    assert await claim_one(store) is None
    await want_read(store, workspace.id)
    assert await claim_one(store)


async def test_a_slow_answer_keeps_the_gate_closed_for_the_interval(store, clock):
    workspace, claim = await claimed(store)
    await want_read(store, workspace.id)
    clock.advance(3)
    result = ReadResult(SHARED, claim.workspace_ids, Observed(State.STARTING), 1.0, closed_for=claim.interval)
    await store.perform(gates.record_reads, [result])
    clock.advance(9.9)
    await want_read(store, workspace.id)
    assert await claim_one(store) is None
    clock.advance(0.1)
    assert await claim_one(store)


async def test_what_was_wanted_while_a_read_was_under_way_is_read_after_it(store, clock):
    workspace, claim = await claimed(store)
    clock.advance(1)
    await want_read(store, workspace.id)
    clock.advance(1)
    await told(store, claim, Observed(State.RUNNING), 300.0)
    clock.advance(8.4)
    assert await claim_one(store) is None
    clock.advance(0.1)
    assert await claim_one(store)


async def test_one_gate_serves_people_and_connections_to_the_same_place(store, clock):
    await link_account(store)
    await link_account(store, BOB, "saturn-2")
    await add_workspace(store, by_reference(ALICE))
    claim = await claim_one(store)
    assert claim.account.principal == ALICE
    await add_workspace(store, by_reference(BOB, "saturn-2"))
    assert await claim_one(store, "saturn-2") is None
    assert await claim_one(store) is None
    clock.advance(10.5)
    claims = [await claim_one(store, "saturn-2"), await claim_one(store)]
    assert [claim is not None for claim in claims] == [True, False]
    assert claims[0].account.principal == BOB


@pytest.mark.both_engines
async def test_a_gate_is_handed_to_the_connection_that_still_has_a_reader(store, clock):
    await link_account(store, BOB, "saturn-2")
    await link_account(store)
    await add_workspace(store, by_reference(BOB, "saturn-2"))
    await add_workspace(store, by_reference(ALICE))
    await unlink(store, ALICE, "saturn")
    assert await claim_one(store) is None
    clock.advance(10.5)
    claim = await claim_one(store, "saturn-2")
    assert claim.account.principal == BOB


async def test_a_gate_keeps_its_time_across_an_unlink_and_a_new_link(store, clock):
    await claimed(store)
    await unlink(store, ALICE, "saturn")
    await store.perform(sweeping.sweep)
    await link_account(store, secret="again")
    await add_workspace(store, by_reference(ALICE))
    assert await claim_one(store) is None
    clock.advance(10.5)
    assert await claim_one(store)


async def test_a_forgotten_workspace_is_not_read(store, clock):
    workspace = (await linked(store)).workspaces[0]
    await want_read(store, workspace.id)
    await hide_workspace(store, workspace.id)
    assert await claim_one(store) is None


async def test_the_unproven_read_first_with_their_own_account_then_the_proven_take_turns(store, clock):
    readers = []
    for principal in (ALICE, BOB):
        await link_account(store, principal)
        await add_workspace(store, by_reference(principal))
    for _ in range(5):
        claim = await claim_one(store)
        readers.append(claim.account.principal)
        await told(store, claim, Observed(State.RUNNING), 1.0, granted_at=claim.granted_at)
        clock.advance(10.5)
    assert set(readers[:2]) == {ALICE, BOB}
    assert readers[2:] == [readers[0], readers[1], readers[0]]


async def test_an_unproven_reader_that_fails_does_not_keep_the_proven_from_reading(store, clock):
    await link_account(store)
    alice = await add_workspace(store, by_reference(ALICE))
    await observe(store, clock, alice, Observed(State.RUNNING), 1.0)
    await link_account(store, BOB)
    bob = await add_workspace(store, by_reference(BOB))
    readers = []
    for _ in range(3):
        clock.advance(10.5)
        claim = await claim_one(store)
        readers.append(claim.account.principal)
        seen = Observed(State.RUNNING) if claim.account.principal == ALICE else None
        await told(store, claim, seen, 1.0)
    assert readers == [BOB, ALICE, ALICE]
    # If somebody asks again, the account is tried again.
    await want_read(store, bob.id)
    clock.advance(10.5)
    assert (await claim_one(store)).account.principal == BOB


async def test_an_open_operation_of_any_watcher_is_told(store, clock):
    await link_account(store)
    alice = await add_workspace(store, by_reference(ALICE))
    await link_account(store, BOB)
    await add_workspace(store, by_reference(BOB))
    await accept_operation(store, alice)
    assert (await claim_one(store)).has_open_operation


async def test_claims_are_limited_and_each_gate_is_granted_once(store, clock):
    names = [f"w{number:02}" for number in range(30)]
    workspaces = (await linked(store, names=names)).workspaces
    for workspace in workspaces:
        await want_read(store, workspace.id)
    rounds = await asyncio.gather(*(store.claim(gates.claim_reads, "saturn", 8, 10.0, 0.5) for _ in range(6)))
    assert sorted(map(len, rounds)) == [0, 0, 6, 8, 8, 8]
    assert len({claim.gate_key for claims in rounds for claim in claims}) == 30


# -- the result of a read: who sees it, what it makes due, what it never reveals -----------------------------


RUNNING = Observed(State.RUNNING, "https://ide.example.org", "Ready", 100, "shared")


async def two_watchers(store):
    """Let Alice and Bob add the same resource, which neither has verified yet, and return their rows."""
    rows = []
    for principal in (ALICE, BOB):
        await link_account(store, principal)
        rows.append(await add_workspace(store, by_reference(principal)))
    return rows


async def read_as(store, clock, principal, observed):
    """Claim reads until it is this person's turn, and record ``observed`` as the result of that read.

    The reads of other people before that are recorded without a result.
    """
    for _ in range(4):
        claim = await claim_one(store)
        if claim is not None:
            seen = observed if claim.account.principal == principal else None
            result = ReadResult(SHARED, claim.workspace_ids, seen, 1.0, granted_at=claim.granted_at)
            await store.perform(gates.record_reads, [result])
            if seen is not None:
                return claim
        clock.advance(10.5)
    raise AssertionError("it was never this person's turn")


async def test_an_observation_is_written_as_old_as_its_claim(store, clock, workspace):
    clock.advance(5)
    await want_read(store, workspace.id)
    claim = await claim_one(store)
    granted = clock.now()
    clock.advance(4)
    await told(store, claim, RUNNING, None)
    seen = await store.read(workspace_rows.find_workspace, workspace.id)
    assert (seen.state, seen.url, seen.detail, seen.progress, seen.name) == (
        State.RUNNING,
        "https://ide.example.org",
        "Ready",
        100,
        "shared",
    )
    assert seen.observed_at == granted
    assert (seen.verified_at or 0) >= workspace.observed_at


async def test_a_reason_is_kept_until_it_is_up_or_started_again(store, clock, workspace):
    async def after(state: State, reason: str | None = None) -> str | None:
        clock.advance(1)
        await observe(store, clock, workspace, Observed(state, reason=reason))
        return (await store.read(workspace_rows.find_workspace, workspace.id)).reason

    for state, said, known in [
        (State.STARTING, NO_GPU, NO_GPU),
        (State.STARTING, None, NO_GPU),
        (State.UNKNOWN, None, NO_GPU),
        (State.FAILED, "Timeout", NO_GPU),
        (State.STOPPED, None, NO_GPU),
        (State.STARTING, None, None),
        (State.STARTING, "image", "image"),
        (State.STARTING, "", None),
        (State.STARTING, "quota", "quota"),
        (State.FAILED, "OOMKilled", "OOMKilled"),
    ]:
        assert await after(state, said) == known
    await accept_operation(store, workspace)
    assert (await store.read(workspace_rows.find_workspace, workspace.id)).reason is None
    assert await after(State.FAILED, NO_GPU) == NO_GPU
    assert await after(State.RUNNING) is None


async def test_an_error_keeps_the_rows_and_tells_the_open_operation(store, clock, workspace):
    operation = (await accept_operation(store, workspace)).operation
    claim = await claim_one(store)
    await told(store, claim, None, 20.0, "No answer.")
    assert (await store.read(operations.find_operation, operation.id)).block_reason == "No answer."
    assert (await store.read(workspace_rows.find_workspace, workspace.id)).state is State.STOPPED
    assert (await store.read(cards.find_card, operation.id)).is_dirty
    clock.advance(20)
    claim = await claim_one(store)
    await told(store, claim, Observed(State.STARTING), 1.0)
    assert (await store.read(operations.find_operation, operation.id)).block_reason is None


async def test_a_read_does_not_clear_what_a_step_said(store, clock, workspace):
    operation = (await accept_operation(store, workspace)).operation
    await store.write(operations.save_step, Update(operation.id, 60.0, block_reason="Waiting for a licence."))
    await observe(store, clock, workspace, Observed(State.STOPPED))
    assert (
        await store.read(operations.find_operation, operation.id)
    ).block_reason == "Waiting for a licence."


async def test_a_step_that_nothing_holds_up_does_not_clear_what_a_read_said(store, clock, workspace):
    operation = (await accept_operation(store, workspace)).operation
    await told(store, await claim_one(store), None, 20.0, "No answer.")
    await store.write(operations.save_step, Update(operation.id, 20.0, block_reason=""))
    assert (await store.read(operations.find_operation, operation.id)).block_reason == "No answer."
    await store.write(operations.save_step, Update(operation.id, 20.0, block_reason="Waiting for a licence."))
    assert (
        await store.read(operations.find_operation, operation.id)
    ).block_reason == "Waiting for a licence."
    await store.write(operations.save_step, Update(operation.id, 20.0, block_reason=""))
    assert (await store.read(operations.find_operation, operation.id)).block_reason is None


@pytest.mark.both_engines
async def test_an_unknown_word_keeps_the_last_state_and_is_no_news(store, clock, workspace):
    await observe(store, clock, workspace, RUNNING)
    before = await store.read(workspace_rows.find_workspace, workspace.id)
    clock.advance(60)
    await observe(store, clock, workspace, Observed(State.UNKNOWN))
    assert (await store.read(workspace_rows.find_workspace, workspace.id)).state is State.RUNNING
    assert (await store.read(workspace_rows.find_workspace, workspace.id)).observed_at == before.observed_at


async def test_nothing_of_anothers_read_is_shown_on_an_unproven_row(store, clock):
    alice, bob = await two_watchers(store)
    claim = await claim_one(store)
    reader, other = (alice, bob) if claim.account.principal == ALICE else (bob, alice)
    assert claim.workspace_ids == (reader.id,)
    # Even if the result lists the row by mistake, nothing becomes visible there.
    await store.perform(gates.record_reads, [ReadResult(SHARED, (reader.id, other.id), RUNNING, 1.0)])
    assert (await store.read(workspace_rows.find_workspace, reader.id)).verified_at is not None
    unproven = await store.read(workspace_rows.find_workspace, other.id)
    assert (unproven.state, unproven.url, unproven.detail, unproven.verified_at) == (
        State.UNKNOWN,
        None,
        None,
        None,
    )


async def test_one_read_serves_all_who_were_proven(store, clock):
    alice, bob = await two_watchers(store)
    await read_as(store, clock, ALICE, RUNNING)
    await read_as(store, clock, BOB, RUNNING)
    clock.advance(20)
    claim = await claim_one(store)
    assert set(claim.workspace_ids) == {alice.id, bob.id}
    await told(store, claim, Observed(State.STOPPING), 1.0)
    assert {(await store.read(workspace_rows.find_workspace, row.id)).state for row in (alice, bob)} == {
        State.STOPPING
    }


@pytest.mark.both_engines
@pytest.mark.parametrize("reader", [ALICE, BOB])
async def test_a_read_changes_whose_it_is_and_what_is_allowed_for_its_reader_alone(store, clock, reader):
    """Bob's workspace is shared with Alice; each of them is told what is true for their own account."""
    alice, bob = await two_watchers(store)
    shared = replace(RUNNING, owner="bob", actions=frozenset({"open"}))
    await read_as(store, clock, ALICE, shared)
    await read_as(store, clock, BOB, RUNNING)
    clock.advance(20)
    await read_as(store, clock, reader, replace(shared if reader == ALICE else RUNNING, state=State.STOPPED))
    found = [await store.read(workspace_rows.find_workspace, row.id) for row in (alice, bob)]
    assert [row.state for row in found] == [State.STOPPED, State.STOPPED]
    assert [(row.owner, row.actions) for row in found] == [("bob", {"open"}), (None, None)]
    assert [row.allows("remove") for row in found] == [False, True]


@pytest.mark.both_engines
async def test_a_stop_that_only_a_share_shows_is_not_believed_while_the_owner_starts_it(store, clock):
    """For people with whom a server is shared, a hub shows no start that is in progress."""
    alice, bob = await two_watchers(store)
    shared = replace(RUNNING, owner="bob", actions=frozenset({"open"}))
    await read_as(store, clock, ALICE, shared)
    await read_as(store, clock, BOB, Observed(State.STARTING))
    clock.advance(20)
    claim = await claim_one(store)
    assert claim.account.principal == ALICE
    await told(store, claim, replace(shared, state=State.STOPPED, url=None), None)
    found = [await store.read(workspace_rows.find_workspace, row.id) for row in (alice, bob)]
    assert [row.state for row in found] == [State.STOPPED, State.STARTING]
    clock.advance(10.5)
    assert (await claim_one(store)).account.principal == BOB


@pytest.mark.both_engines
async def test_an_address_reaches_only_people_with_whom_opening_is_shared(store, clock):
    alice, bob = await two_watchers(store)
    shared = replace(RUNNING, url=None, owner="bob", actions=frozenset({"stop"}))
    for _ in range(2):
        await read_as(store, clock, ALICE, shared)
        await read_as(store, clock, BOB, RUNNING)
    found = [await store.read(workspace_rows.find_workspace, row.id) for row in (alice, bob)]
    assert [row.url for row in found] == [None, RUNNING.url]
    await read_as(store, clock, ALICE, shared)
    assert (await store.read(workspace_rows.find_workspace, bob.id)).url == RUNNING.url


@pytest.mark.both_engines
async def test_what_is_no_longer_shared_was_never_the_persons_own(store, clock):
    alice, bob = await two_watchers(store)
    await read_as(store, clock, ALICE, replace(RUNNING, owner="bob"))
    await read_as(store, clock, BOB, RUNNING)
    clock.advance(20)
    await read_as(store, clock, ALICE, Observed(State.GONE))
    found = [await store.read(workspace_rows.find_workspace, row.id) for row in (alice, bob)]
    assert [(row.state, row.was_never_shown) for row in found] == [(State.GONE, True), (State.RUNNING, False)]


@pytest.mark.both_engines
@pytest.mark.parametrize("state", [State.GONE, State.UNKNOWN])
async def test_an_absence_proves_nothing(store, clock, state):
    _, bob = await two_watchers(store)
    await read_as(store, clock, BOB, Observed(state))
    seen = await store.read(workspace_rows.find_workspace, bob.id)
    assert (seen.state, seen.verified_at) == (state, None)


async def test_gone_is_believed_for_the_reader_alone_and_the_others_ask_themselves(store, clock):
    alice, bob = await two_watchers(store)
    await read_as(store, clock, ALICE, RUNNING)
    await read_as(store, clock, BOB, RUNNING)
    clock.advance(10.5)
    claim = await claim_one(store)
    reader, other = (alice, bob) if claim.account.principal == ALICE else (bob, alice)
    await told(store, claim, Observed(State.GONE), None)
    assert (await store.read(workspace_rows.find_workspace, reader.id)).state is State.GONE
    assert (await store.read(workspace_rows.find_workspace, other.id)).state is State.RUNNING
    clock.advance(10.5)
    claim = await claim_one(store)
    assert claim.account.principal == other.principal
    await told(store, claim, Observed(State.GONE), None)
    assert (await store.read(workspace_rows.find_workspace, other.id)).state is State.GONE
    clock.advance(100)
    assert await claim_one(store) is None


async def test_a_reader_who_was_unlinked_meanwhile_proves_nothing_for_the_successor(store, clock):
    account = await link_account(store)
    await add_workspace(store, by_reference(ALICE))
    claim = await claim_one(store)
    await link_account(store, username="another")
    await told(store, claim, RUNNING, 1.0)
    (row,) = await store.perform(workspace_rows.read_workspaces, ALICE)
    assert claim.account == account
    assert (row.verified_at, row.url) == (None, None)


@pytest.mark.both_engines
async def test_a_row_that_was_deleted_meanwhile_is_skipped(store, clock):
    _, claim = await claimed(store)
    await unlink(store, ALICE)
    await store.perform(
        gates.record_reads,
        [
            ReadResult(SHARED, claim.workspace_ids, RUNNING, 1.0),
            ReadResult("no gate", ("none",), RUNNING, 1.0),
        ],
    )
    clock.advance(60)
    assert await claim_one(store) is None


@pytest.mark.parametrize(
    ("observed", "is_dirty", "is_changed"),
    [
        (Observed(State.STOPPED, name="notebook"), False, False),
        (Observed(State.STOPPED), False, False),
        (Observed(State.STOPPED, progress=20), True, False),
        (Observed(State.STOPPED, detail="Pulling"), True, False),
        (Observed(State.STOPPED, reason="OOMKilled"), True, False),
        (Observed(State.STOPPED, name="renamed"), True, False),
        (Observed(State.RUNNING), True, True),
    ],
)
async def test_the_newest_operations_card_is_owed_what_is_visible(
    store, clock, workspace, observed, is_dirty, is_changed
):
    older = (await accept_operation(store, workspace, OperationVerb.STOP, interaction="1")).operation
    clock.advance(1)
    operation = (
        await accept_operation(
            store, workspace, interaction="2", notices=[NewNotice("", NoticeKind.CARD, "", ALICE)]
        )
    ).operation
    before = await store.read(cards.find_card, older.id)
    await observe(store, clock, workspace, observed)
    card = await store.read(cards.find_card, operation.id)
    assert (card.is_dirty, card.changed_at is not None) == (is_dirty, is_changed)
    after = await store.read(cards.find_card, older.id)
    assert replace(after, revision=before.revision) == before


async def test_many_results_at_once_are_all_written(store, clock):
    names = [f"w{number:03}" for number in range(250)]
    workspaces = (await linked(store, names=names)).workspaces
    for workspace in workspaces:
        await want_read(store, workspace.id)
    claims = await store.claim(gates.claim_reads, "saturn", 1000, 10.0, 0.5)
    assert len(claims) == 250
    await store.perform(
        gates.record_reads,
        [ReadResult(claim.gate_key, claim.workspace_ids, RUNNING, None) for claim in claims],
    )
    assert {row.state for row in await store.perform(workspace_rows.read_workspaces, ALICE)} == {
        State.RUNNING
    }


class Counted:
    """Count the statements that are sent to the database."""

    def __init__(self, tx):
        self._tx, self.statements = tx, []

    def __getattr__(self, name):
        found = getattr(self._tx, name)
        if name not in {"all", "one", "run", "run_each"}:
            return found

        def count(query, *given, **params):
            self.statements.append(query)
            return found(query, *given, **params)

        return count


async def test_however_many_are_claimed_and_recorded_it_takes_as_many_statements(store, clock):
    await linked(store, ALICE, [f"w{number}" for number in range(12)], state=State.RUNNING)
    clock.advance(60.0)
    counts = {}

    def count(work, tx):
        counted = Counted(tx)
        found = work(counted)
        counts.setdefault(work, []).append(len(counted.statements))
        return found

    def claim(tx):
        return gates.claim_reads(tx, "saturn", many, 10.0, 0.5)

    def record(tx):
        # Recorded later than the gate would open by itself, so that the gate is settled as well.
        return gates.record_some(
            tx,
            [
                ReadResult(
                    one.gate_key,
                    one.workspace_ids,
                    Observed(State.RUNNING),
                    30.0,
                    granted_at=one.granted_at,
                    closed_for=10.0,
                )
                for one in claims
            ],
        )

    for many in (2, 10):
        claims = await store.engine.write(partial(count, claim))
        assert len(claims) == many
        clock.advance(1.5)
        await store.engine.write(partial(count, record))
        for one in claims:
            seen = await store.read(workspace_rows.find_workspace, one.workspace_ids[0])
            assert (seen.observed_at, seen.verified_at) == (one.granted_at, one.granted_at)
    assert {work.__name__: found for work, found in counts.items()} == {"claim": [4, 4], "record": [3, 3]}
    clock.advance(28.0)
    assert len(await store.claim(gates.claim_reads, "saturn", 20, 10.0, 0.5)) == 0
    clock.advance(2.0)
    assert len(await store.claim(gates.claim_reads, "saturn", 20, 10.0, 0.5)) == 12


async def test_two_results_of_one_gate_are_written_one_after_the_other(store, clock, workspace):
    results = []
    for state in (State.STARTING, State.RUNNING):
        clock.advance(30.0)
        await want_read(store, workspace.id)
        claim = await claim_one(store)
        seen = Observed(state)
        results.append(
            ReadResult(claim.gate_key, claim.workspace_ids, seen, 60.0, granted_at=claim.granted_at)
        )
    await store.perform(gates.record_reads, [results[1], results[0]])
    assert (await store.read(workspace_rows.find_workspace, workspace.id)).state is State.RUNNING
    await store.perform(gates.record_reads, [*results, results[1]._replace(observed=Observed(State.STOPPED))])
    assert (await store.read(workspace_rows.find_workspace, workspace.id)).state is State.STOPPED


@pytest.mark.parametrize("state", [State.RUNNING, State.UNKNOWN], ids=str)
async def test_a_list_does_not_write_over_a_read_that_is_younger_than_its_start(store, clock, state):
    from bot.domain.tasks import TaskKind
    from bot.store.tasks import NewTask

    account = await link_account(store)
    workspace = await add_workspace(store, by_reference(ALICE))
    await observe(store, clock, workspace, Observed(State.STOPPED))
    await store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])
    assert await store.claim(tasks.claim_tasks, 10, 60.0)
    clock.advance(2)
    await observe(store, clock, workspace, Observed(state))
    listed = listed_workspace("shared", SHARED, "shared", State.STOPPED)
    await store.perform(discovered.merge_discovered, account.id, [listed])
    assert (await store.read(workspace_rows.find_workspace, workspace.id)).current_state is state


# -- reads of one account are combined into one request ------------------------------------------------------


STARTING = Observed(State.STARTING)
INTERVAL, MARGIN, BATCH = 2.0, 0.5, 50
SLOT = (3.0, 1.25)


async def claims(store, limit=10, together=BATCH):
    return await store.claim(gates.claim_reads, "saturn", limit, INTERVAL, MARGIN, together)


async def record(store, claimed, next_in=2.0, slot=SLOT):
    await store.perform(
        gates.record_reads,
        [
            ReadResult(
                one.gate_key, one.workspace_ids, STARTING, next_in, granted_at=one.granted_at, slot=slot
            )
            for one in claimed
        ],
    )


async def test_reads_that_begin_at_any_time_meet_after_their_first(store, clock):
    rows = (await linked(store, names=("a", "b", "c", "d"))).workspaces
    await claims(store)
    clock.advance(100)
    for row in rows:
        await want_read(store, row.id)
        (claimed,) = await claims(store)
        await record(store, [claimed])
        clock.advance(0.3)
    counts, gaps, last = [], [], {}
    for _ in range(40):
        claimed = await claims(store)
        now = await store.now()
        gaps += [now - last[one.gate_key] for one in claimed if one.gate_key in last]
        last |= {one.gate_key: now for one in claimed}
        if claimed:
            counts.append(len(claimed))
            await record(store, claimed)
        clock.advance(0.25)
    assert set(counts[1:]) == {4}
    assert min(gaps) >= INTERVAL + MARGIN
    assert max(gaps) <= SLOT[0] + 0.25


@pytest.mark.both_engines
async def test_what_is_due_in_a_moment_comes_along_beyond_the_limit_and_nothing_before_its_time(store, clock):
    rows = (await linked(store, names=("a", "b", "c"))).workspaces
    clock.advance(100)
    for row, next_in in zip(rows, (2.5, 3.2, 9.0), strict=True):
        await want_read(store, row.id)
        (claimed,) = await claims(store)
        await record(store, [claimed], next_in, None)
    clock.advance(2.6)
    claimed = await claims(store, limit=1)
    assert {one.workspace_ids[0] for one in claimed} == {rows[0].id, rows[1].id}
    clock.advance(1.0)
    assert await claims(store) == []


async def test_other_accounts_and_providers_of_single_reads_take_nothing_along(store, clock):
    mine = (await linked(store, names=("a", "b"))).workspaces
    theirs = (await linked(store, BOB, names=("x",))).workspaces
    clock.advance(100)
    for row in (*mine, *theirs):
        await want_read(store, row.id)
    claimed = await claims(store, together=1)
    await record(store, claimed, 2.5, None)
    clock.advance(2.6)
    assert len(await claims(store, limit=1, together=1)) == 1
    claimed = await claims(store, limit=1)
    assert len({one.account.id for one in claimed}) == 1
