"""The waitlist: entries in the order of joining, one attempt at a time, and deleted with their workspace."""

import asyncio
import random
from dataclasses import replace

import pytest

from bot.domain.runs import ObservedRun, RunState
from bot.domain.steps import Update
from bot.domain.waitlist import WaitlistEntry, WaitlistState
from bot.domain.work_items import Outcome
from bot.services import restored_backups
from bot.store import counts, operations
from bot.store import waitlist as waitlist_store
from bot.store.runs import find_run, save_run_step
from bot.store.tables import WAITLIST_ENTRIES
from bot.store.waitlist import RUN_PAUSE_SECONDS, STOP_PAUSE_SECONDS
from bot.support.errors import StoreError
from tests.rigs.store import ALICE, BOB, accept_operation, follow, launched, linked, unlink, within

NAMES = ("r1", "r2", "r3")
HOUR = 3600.0


@pytest.fixture
async def three(store):
    return (await linked(store, names=NAMES)).workspaces


def new(workspace, clock, **keys):
    given = {"kind": "gpu", "seq": 0, "joined_at": clock.now(), "expires_at": clock.now() + HOUR}
    return WaitlistEntry(
        f"wait of {workspace.name}", ALICE, workspace.connection, workspace.id, **given | keys
    )


async def join(store, clock, workspace, **keys):
    return await within(store, waitlist_store.join, new(workspace, clock, **keys))


async def due(store):
    return [row["workspace_id"] for row in await within(store, waitlist_store.WAIT_QUEUE.take, 60.0, 10)]


@pytest.mark.both_engines
async def test_the_place_is_how_many_have_joined_before(store, clock, three):
    rows = [await join(store, clock, one) for one in three]
    assert [ahead for ahead, _ in await places(store, rows)] == [0, 1, 2]
    await within(store, waitlist_store.end, rows[0])
    assert [ahead for ahead, _ in await places(store, rows[1:])] == [0, 1]
    of_another_kind = replace(new(three[0], clock, kind="memory"), id="another")
    joined = await within(store, waitlist_store.join, of_another_kind)
    assert (await within(store, waitlist_store.count_places, joined))["ahead"] == 0


async def test_only_the_first_is_due_and_only_where_nothing_is_tried(store, clock, three):
    rows = [await join(store, clock, one) for one in three]
    assert await due(store) == [three[0].id]
    assert await due(store) == []
    await within(store, waitlist_store.change, rows[0], state=WaitlistState.TRYING)
    clock.advance(61.0)
    # Only to be looked after.
    assert await due(store) == [three[0].id]
    with pytest.raises(StoreError):
        await within(store, waitlist_store.change, rows[1], state=WaitlistState.TRYING)


async def test_no_attempt_is_closer_than_a_minute_to_the_last(store, clock, three):
    rows = [await join(store, clock, one) for one in three[:2]]
    await within(store, waitlist_store.record_grant, rows[0], clock.now())
    clock.advance(59.0)
    assert three[1].id not in await due(store)
    clock.advance(2.0)
    assert three[1].id in await due(store)


async def test_whoevers_time_is_over_is_due_wherever_they_stand(store, clock, three):
    await join(store, clock, three[0])
    await join(store, clock, three[1], expires_at=clock.now() + 10.0)
    await due(store)
    clock.advance(11.0)
    assert await due(store) == [three[1].id]


async def test_nobody_waits_twice_for_one_thing(store, clock, three):
    await join(store, clock, three[0])
    with pytest.raises(StoreError):
        await within(store, waitlist_store.join, replace(new(three[0], clock), id="another"))


async def test_a_wait_goes_with_its_workspace(store, clock, three):
    rows = [await join(store, clock, one) for one in three]
    await unlink(store, ALICE, three[0].connection)
    assert [await within(store, waitlist_store.find_entry, one.id) for one in rows] == [None, None, None]


async def fail(store, clock, wait, kind="gpu"):
    """Fail an attempt for lack of capacity, and return the updated entry."""
    return await end_attempt(store, clock, await begin_attempt(store, clock, wait), kind)


async def begin_attempt(store, clock, wait):
    await within(store, waitlist_store.change, wait, state=WaitlistState.TRYING, attempted_at=clock.now())
    return await within(store, waitlist_store.find_entry, wait.id)


async def end_attempt(store, clock, wait, kind="gpu"):
    tried = await within(store, waitlist_store.find_entry, wait.id)
    await within(store, waitlist_store.record_failure, tried, clock.now(), kind)
    return await within(store, waitlist_store.find_entry, wait.id)


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("pause", "next_after"), [(STOP_PAUSE_SECONDS, 60.0), (RUN_PAUSE_SECONDS, 600.0)], ids=["stop", "run"]
)
async def test_attempt_during_which_a_workspace_stopped_is_repeated_soon(
    store, clock, three, pause, next_after
):
    """The attempt was sent before the stop, so its failure says nothing about the freed capacity."""
    wait = await join(store, clock, three[0])
    for _ in range(4):
        wait = await fail(store, clock, wait)
    wait = await begin_attempt(store, clock, wait)
    await within(store, waitlist_store.offer_capacity, wait.connection, pause)
    await end_attempt(store, clock, wait)
    assert await due(store) == []
    clock.advance(next_after - 1.0)
    assert await due(store) == []
    clock.advance(1.0)
    assert await due(store) == [three[0].id]


async def places(store, rows):
    now = [await within(store, waitlist_store.find_entry, one.id) for one in rows]
    counted = [await within(store, waitlist_store.count_places, one) for one in now]
    return [(one["ahead"], one["tried_before"]) for one in counted]


async def test_attempt_in_vain_ends_a_turn(store, clock, three):
    """The next attempt is the next person's, a minute later, though the first person would already be due."""
    rows = [await join(store, clock, one) for one in three[:2]]
    assert await due(store) == [three[0].id]
    assert (await fail(store, clock, rows[0])).attempts == 1
    assert await places(store, rows) == [(1, 0), (0, 1)]
    clock.advance(59.0)
    assert await due(store) == []
    clock.advance(600.0)
    assert await due(store) == [three[1].id]
    await fail(store, clock, rows[1])
    assert await places(store, rows) == [(0, 0), (1, 0)]
    clock.advance(600.0)
    assert await due(store) == [three[0].id]


async def test_passed_turn_counts_as_no_try(store, clock, three):
    """People aren't told that somebody was tried before them if that person could only be skipped."""
    rows = [await join(store, clock, one) for one in three[:2]]
    await within(store, waitlist_store.pass_turn, rows[0], 60.0)
    assert await places(store, rows) == [(1, 0), (0, 0)]


async def test_newcomer_is_tried_soon_after_long_waits(store, clock, three):
    """A person who has waited for hours, with ten minutes between attempts, doesn't slow down a newcomer."""
    waiting = await join(store, clock, three[0])
    for _ in range(5):
        waiting = await fail(store, clock, waiting)
    clock.advance(30.0)
    ann = await join(store, clock, three[1], attempted_at=clock.now())
    assert await places(store, [ann]) == [(1, 0)]
    clock.advance(61.0)
    assert await due(store) == [three[0].id]
    await fail(store, clock, waiting)
    assert await places(store, [ann]) == [(0, 1)]
    clock.advance(61.0)
    assert await due(store) == [three[1].id]


async def test_leaving_and_joining_again_wins_no_turn(store, clock, three):
    rows = [await join(store, clock, one) for one in three[:2]]
    for one in rows:
        await fail(store, clock, one)
    await within(store, waitlist_store.end, rows[1])
    again = await within(store, waitlist_store.join, replace(new(three[1], clock), id="another"))
    assert await places(store, [again]) == [(1, 0)]


async def test_other_kind_of_room_changes_the_line(store, clock, three):
    rows = [await join(store, clock, one) for one in three]
    await fail(store, clock, rows[0], "memory")
    assert await places(store, rows) == [(0, 0), (0, 0), (1, 0)]


@pytest.mark.both_engines
async def test_turn_is_passed_by_who_cannot_be_tried(store, clock, three):
    rows = [await join(store, clock, one) for one in three[:2]]
    await within(store, waitlist_store.pass_turn, rows[0], 60.0)
    assert await due(store) == [three[1].id]


async def test_attempts_keep_their_distance_in_any_history(store, clock):
    """People join and leave at random.

    There is at most one attempt a minute, and nobody is tried twice before all others.
    """
    chance, last, count = random.Random(11), -60.0, 0
    own = (await linked(store, names=[f"r{number}" for number in range(6)])).workspaces
    waiting, since = dict[str, WaitlistEntry](), dict[str, set[str]]()
    for number in range(80):
        one = chance.choice(own)
        if one.id not in waiting:
            joining = replace(new(one, clock, expires_at=clock.now() + 90 * HOUR), id=f"wait {number}")
            waiting[one.id], since[one.id] = await within(store, waitlist_store.join, joining), set()
        elif chance.random() < 0.3:
            await within(store, waitlist_store.end, waiting.pop(one.id))
        clock.advance(chance.choice([5.0, 30.0, 130.0, 700.0]))
        for key in await due(store):
            assert clock.now() >= last + 60.0
            assert not [other for other in waiting.keys() - {key} if key in since[other]]
            waiting[key], last, count = await fail(store, clock, waiting[key]), clock.now(), count + 1
            for other in waiting:
                since[other] = since[other] | {key} if other != key else set()
    assert count > 20


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("outcome", "cause", "state"),
    [
        (Outcome.FAILED, "no_room: 3 Insufficient nvidia.com/gpu.", WaitlistState.WAITING),
        (Outcome.FAILED, "invalid: no such size", WaitlistState.OVER),
        (Outcome.FAILED, "provider_failed: OOMKilled", WaitlistState.OVER),
        (Outcome.FAILED, "provider_failed", WaitlistState.WAITING),
        (Outcome.FAILED, "provider_failed: Timeout", WaitlistState.WAITING),
        (Outcome.FAILED, "conflict: lab is pending spawn", WaitlistState.WAITING),
        (Outcome.FAILED, "gave_up", WaitlistState.WAITING),
        (Outcome.FULFILLED, None, WaitlistState.GRANTED),
        (Outcome.REFUSED, "policy.left", WaitlistState.OVER),
    ],
)
async def test_the_end_of_an_attempt_changes_the_wait_in_the_same_transaction(
    store, clock, three, outcome, cause, state
):
    wait = await join(store, clock, three[0])
    begun = (await accept_operation(store, three[0])).operation
    trying = {"state": WaitlistState.TRYING, "operation_id": begun.id, "attempted_at": clock.now()}
    await within(store, waitlist_store.change, wait, **trying)
    clock.advance(5.0)
    await store.write(operations.save_step, Update(begun.id, 0.0, outcome=outcome, cause=cause))
    after = await within(store, waitlist_store.find_entry, wait.id)
    assert after.state is state
    assert after.attempts == (state is WaitlistState.WAITING)
    row = await within(store, lambda tx: WAITLIST_ENTRIES.row(tx, id=wait.id))
    if state is WaitlistState.WAITING:
        assert row["next_at"] == pytest.approx(clock.now() + 120.0, abs=5.0)


async def test_lines_are_counted_by_kind_with_how_long_people_waited(store, clock, three):
    rows = [await join(store, clock, one) for one in three]
    clock.advance(600.0)
    now = await store.now()
    await within(store, waitlist_store.record_grant, rows[0], now)
    (line,) = await within(store, waitlist_store.summarize_lines, now - 86_400.0)
    assert (line["kind"], line["waiting"], line["got"]) == ("gpu", 2, 1)
    assert line["waited"] == pytest.approx(600.0, abs=5.0)
    assert (await store.perform(counts.measure_figures)).waiting["saturn", "gpu"][0] == 2


@pytest.mark.both_engines
async def test_two_processes_try_one_at_a_time(store, clock, three, database):
    """Whatever both processes claim at once, only one attempt is begun."""
    for one in three:
        await join(store, clock, one)
    beside = await database.open()

    def attempt(tx):
        claimed = WAITLIST_ENTRIES.parse_all(waitlist_store.WAIT_QUEUE.take(tx, 60.0, 10))
        return [waitlist_store.change(tx, one, state=WaitlistState.TRYING) for one in claimed]

    found = await asyncio.gather(*(one.claim(attempt) for one in (store, beside, store, beside)))
    assert [one for some in found for one in some] == [True]
    (trying,) = await within(
        store, lambda tx: tx.all("SELECT * FROM waitlist_entries WHERE state = 'trying'")
    )
    assert trying["workspace_id"] == three[0].id


@pytest.mark.both_engines
async def test_what_a_restored_backup_waits_for_is_asked_about_and_not_tried(store, clock, three):
    wait = await join(store, clock, three[0])
    clock.advance(HOUR)
    _, held, _ = await restored_backups.pause_restored(store)
    assert held["waits"] == 1
    assert (await within(store, waitlist_store.find_entry, wait.id)).state is WaitlistState.OVER
    (row,) = await within(store, lambda tx: tx.all("SELECT * FROM notices WHERE kind = 'waitlist_ended'"))
    assert '"restored"' in row["body"]
    assert await due(store) == []


@pytest.mark.parametrize("is_unlinked", [False, True], ids=["ended", "unlinked"])
async def test_run_frees_a_place_only_if_it_ends_at_its_provider(store, clock, is_unlinked):
    """The run of an unlinked account may still be going on at the provider."""
    (lab,) = (await linked(store, names=("lab",), connection="posit")).workspaces
    await linked(store, BOB, names=(), connection="posit")
    run = await launched(store, BOB, remote_id="r1")
    await join(store, clock, lab)
    assert await due(store) == [lab.id]
    if is_unlinked:
        await unlink(store, BOB, "posit")
        await follow(store)
    else:
        ended = ObservedRun(RunState.SUCCEEDED)
        await within(store, save_run_step, Update(run.id, 0.0, observed=ended, outcome=Outcome.ENDED))
    assert not (await store.read(find_run, run.id)).is_open
    assert await due(store) == ([] if is_unlinked else [lab.id])
