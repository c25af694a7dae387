"""Guards of the store, each met by what an earlier one would have kept away: rows that changed in between."""

import pytest

from bot.domain.errands import Call
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.runs import FoundRun, ObservedRun, RunState, Update
from bot.services import classes
from bot.store.tables import WORKSPACES
from tests.contract.store.test_classes import CARD, STOP, by, ended, told_in_time
from tests.rigs.store import ALICE, BOB, deliver, launched, link_account, unlink, want_stop


async def left(store, clock):
    """Return Alice's press as the end of her class has just read it."""
    await ended(store, clock, ALICE)
    await told_in_time(store, clock, ALICE)
    (read,) = await store.presses_to_stop(CARD, 10, 270.0)
    return read


async def kept(store):
    assert await by(store, ALICE, "keep").to(classes.keep, CARD)


async def test_a_consent_withdrawn_since_it_was_read_stops_nothing(store, clock):
    read = await left(store, clock)
    await kept(store)
    assert not await store.stop_for_class(read, *STOP)
    assert await store.open_operations(ALICE) == []
    counts = await store.class_counts(CARD)
    assert (counts.kept, counts.stopping) == (1, 0)


async def test_a_press_that_was_ended_since_it_was_read_stops_nothing_again(store, clock):
    read = await left(store, clock)
    # Nothing was to stop then; by now the workspace is their own matter again.
    await store.stop_for_class(read)
    assert not await store.stop_for_class(read, *STOP)
    assert await store.open_operations(ALICE) == []


async def test_who_keeps_theirs_before_the_warning_is_neither_warned_nor_stopped(store, clock):
    await ended(store, clock, ALICE, BOB)
    await kept(store)
    assert [one.principal for one in await store.presses_to_warn(CARD, 10)] == [BOB]
    # Somebody had read the rows before, and warns both now.
    warnings = [
        (one, NewNotice(CARD, NoticeKind.CLASS_ENDING, f"ends:{one.key}", one)) for one in (ALICE, BOB)
    ]
    await store.class_warned(CARD, warnings)
    assert [one.principal for one in await deliver(store, NoticeKind.CLASS_ENDING)] == [BOB]
    clock.advance(300.0)
    assert [one.principal for one in await store.presses_to_stop(CARD, 10, 270.0)] == [BOB]


@pytest.mark.parametrize(
    ("connection", "username", "found"),
    [
        ("saturn", "alice", ["ALICE at saturn"]),
        ("saturn", "bob", ["BOB at saturn"]),
        ("hub", "alice", []),
        ("hub", "bob", ["ALICE at hub"]),
        # Where one secret opens everybody's, nobody has a username, and no two are the same person.
        ("plain", "", []),
    ],
)
async def test_an_account_is_found_by_its_own_username_at_its_own_connection(
    store, connection, username, found
):
    linked = [
        (ALICE, "saturn", "alice"),
        (BOB, "saturn", "bob"),
        (ALICE, "hub", "bob"),
        (ALICE, "plain", ""),
        (BOB, "plain", ""),
    ]
    for principal, place, name in linked:
        await link_account(store, principal, place, username=name)
    accounts = await store.accounts_of(connection, username)
    names = {ALICE: "ALICE", BOB: "BOB"}
    assert [f"{names[one.principal]} at {one.connection}" for one in accounts] == found


async def test_an_account_that_is_being_revoked_is_nobodys_any_more(store):
    await link_account(store, ALICE, username="alice")
    await unlink(store, revocable=["saturn"])
    assert await store.accounts_of("saturn", "alice") == []


async def test_news_of_a_run_leave_it_marked_for_the_other_stop_that_was_asked_for(store, account):
    run = await launched(store, remote_id="r1")
    await want_stop(store, run.id)
    (step,) = await store.claim_runs(10, 60.0)
    await store.save_run_step(Update(run.id, 30.0, stop_call=Call.CALLING, claim=step.claim))
    await want_stop(store, run.id, "force")
    # While the plain stop is under way, a list says that the run has begun.
    await store.merge_runs(account.id, [FoundRun("r1", "train", ObservedRun(RunState.RUNNING))])
    await store.save_run_step(Update(run.id, 600.0, stop_call=Call.ACCEPTED, claim=step.claim))
    (step,) = await store.claim_runs(10, 60.0)
    assert (step.run.stop_wanted, step.run.stop_call) == ("force", Call.NONE)


async def test_a_workspace_that_has_become_somebody_elses_is_not_stopped_for_a_class(store, clock):
    read = await left(store, clock)
    await link_account(store, BOB)
    await store.carry_out(lambda tx: WORKSPACES.change(tx, {"id": read.workspace_id}, principal=BOB))
    assert not await store.stop_for_class(read, *STOP)
    assert await store.open_operations(BOB) == []
