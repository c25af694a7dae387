"""The poll gate: one read per resource and interval, whoever asks, and a fair choice of who reads."""

import asyncio

import pytest

from bot.domain.workspaces import Observed, ReadResult, State, Workspace
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    add_workspace,
    gate_key,
    hide_workspace,
    link_account,
    linked,
    observe,
    unlink,
    want_read,
)

SHARED = gate_key("saturn", "shared")


def by_reference(principal, connection="saturn", key=SHARED, name="shared"):
    return Workspace(
        id=f"workspace_{principal.user_id}_{connection}_{name}",
        principal=principal,
        connection=connection,
        remote_id=name,
        gate_key=key,
        name=name,
        origin="added",
    )


async def claim_one(store, connection="saturn", interval=10.0, margin=0.5):
    claims = await store.claim_reads(connection, 10, interval, margin)
    return claims[0] if claims else None


async def test_an_untouched_gate_is_not_read(store):
    await linked(store)
    assert await claim_one(store) is None


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
    await link_account(store)
    await add_workspace(store, by_reference(ALICE))
    assert await claim_one(store)
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
    await link_account(store)
    await add_workspace(store, by_reference(ALICE))
    claim = await claim_one(store)
    await store.record_reads([ReadResult(SHARED, claim.workspace_ids, Observed(state), next_in)])
    clock.advance(closed)
    assert await claim_one(store) is None
    clock.advance(rest)
    assert await claim_one(store)


async def test_without_a_next_time_nobody_reads_until_somebody_asks(store, clock):
    await link_account(store)
    workspace = await add_workspace(store, by_reference(ALICE))
    claim = await claim_one(store)
    await store.record_reads([ReadResult(SHARED, claim.workspace_ids, Observed(State.STOPPED), None)])
    clock.advance(100_000)
    assert await claim_one(store) is None
    await want_read(store, workspace.id)
    assert await claim_one(store)


async def test_a_slow_answer_keeps_the_gate_closed_for_the_interval(store, clock):
    await link_account(store)
    workspace = await add_workspace(store, by_reference(ALICE))
    claim = await claim_one(store)
    await want_read(store, workspace.id)
    clock.advance(3)
    result = ReadResult(SHARED, claim.workspace_ids, Observed(State.STARTING), 1.0, closed_for=claim.interval)
    await store.record_reads([result])
    clock.advance(9.9)
    await want_read(store, workspace.id)
    assert await claim_one(store) is None
    clock.advance(0.1)
    assert await claim_one(store)


async def test_what_was_wanted_while_a_read_was_under_way_is_read_after_it(store, clock):
    await link_account(store)
    workspace = await add_workspace(store, by_reference(ALICE))
    claim = await claim_one(store)
    clock.advance(1)
    await want_read(store, workspace.id)
    clock.advance(1)
    await store.record_reads([ReadResult(SHARED, claim.workspace_ids, Observed(State.RUNNING), 300.0)])
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
    await link_account(store)
    await add_workspace(store, by_reference(ALICE))
    assert await claim_one(store)
    await unlink(store, ALICE, "saturn")
    await store.sweep()
    await link_account(store, secret="again")
    await add_workspace(store, by_reference(ALICE))
    assert await claim_one(store) is None
    clock.advance(10.5)
    assert await claim_one(store)


async def test_a_workspace_without_an_active_account_is_not_read(store, clock):
    first = await linked(store)
    await unlink(store, ALICE, "saturn", revocable=["saturn"])
    await want_read(store, first.workspaces[0].id)
    assert await claim_one(store) is None


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
        await store.record_reads(
            [
                ReadResult(
                    SHARED, claim.workspace_ids, Observed(State.RUNNING), 1.0, granted_at=claim.granted_at
                )
            ]
        )
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
        await store.record_reads([ReadResult(SHARED, claim.workspace_ids, seen, 1.0)])
    assert readers == [BOB, ALICE, ALICE]
    # Asking again is worth another try.
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
    rounds = await asyncio.gather(*(store.claim_reads("saturn", 8, 10.0, 0.5) for _ in range(6)))
    assert sorted(map(len, rounds)) == [0, 0, 6, 8, 8, 8]
    assert len({claim.gate_key for claims in rounds for claim in claims}) == 30
