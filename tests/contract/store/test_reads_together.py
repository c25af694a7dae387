"""Reads of one account come together into one request, and the gate of each is kept all the same."""

from bot.domain.workspaces import Observed, ReadResult, State
from tests.rigs.store import BOB, linked, want_read

STARTING = Observed(State.STARTING)
INTERVAL, MARGIN, BATCH = 2.0, 0.5, 50
SLOT = (3.0, 1.25)


async def claims(store, limit=10, together=BATCH):
    return await store.claim_reads("saturn", limit, INTERVAL, MARGIN, together)


async def record(store, claimed, next_in=2.0, slot=SLOT):
    await store.record_reads(
        [
            ReadResult(
                one.gate_key, one.workspace_ids, STARTING, next_in, granted_at=one.granted_at, slot=slot
            )
            for one in claimed
        ]
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
