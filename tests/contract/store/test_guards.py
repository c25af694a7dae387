"""Guards of the store, tested with rows that changed after an earlier guard had let them through."""

import pytest

from bot.domain.runs import DiscoveredRun, ObservedRun, RunState
from bot.domain.steps import Update
from bot.domain.work_items import Call
from bot.services.timers import cancel_timer
from bot.store import accounts as account_rows
from bot.store import courses as class_rows
from bot.store import operations, runs
from bot.store import timers as timer_rows
from bot.store.tables import PARTICIPANTS, WORKSPACES
from tests.contract.store.classes import CARD, ended, look, stop, time
from tests.rigs.store import ALICE, BOB, launched, link_account, unlink, want_stop, within
from tests.rigs.use_cases import ask

pytestmark = pytest.mark.both_engines


async def timed(store, clock):
    """Return Alice's workspace with the timer that the end of her class has set."""
    await ended(store, clock, ALICE)
    await look(store)
    return await time(store, ALICE)


async def test_a_consent_withdrawn_while_its_timer_stayed_stops_nothing(store, clock):
    row = await timed(store, clock)
    await within(store, class_rows.withdraw, CARD, ALICE.key)
    assert (await time(store, ALICE)).stop_at == row.stop_at
    await stop(store, ALICE)
    assert await store.read(operations.open_operations, ALICE) == []
    counts = await store.read(class_rows.count_members, CARD)
    assert (counts.kept, counts.stopping) == (1, 0)


async def test_what_a_class_has_let_go_gets_no_timer_again(store, clock):
    row = await timed(store, clock)
    # There was nothing to stop at the time, and by now the class no longer controls the workspace.
    await store.carry_out(lambda tx: PARTICIPANTS.change(tx, {"card_id": CARD}, ended_at=clock.now()))
    await within(store, WORKSPACES.change, {"id": row.id}, **timer_rows.NO_TIMER)
    await look(store)
    assert (await time(store, ALICE)).stop_at is None


async def test_who_keeps_theirs_before_the_warning_is_neither_warned_nor_stopped(store, clock):
    await ended(store, clock, ALICE, BOB)
    await look(store)
    await ask(store, "keep", ALICE).run(cancel_timer, (await time(store, ALICE)).id)
    await look(store)
    assert (await time(store, ALICE)).stop_at is None
    assert (await time(store, BOB)).stop_card == CARD


@pytest.mark.parametrize(
    ("connection", "username", "found"),
    [
        ("saturn", "alice", ["ALICE at saturn"]),
        ("saturn", "bob", ["BOB at saturn"]),
        ("hub", "alice", []),
        ("hub", "bob", ["ALICE at hub"]),
        # If one secret opens everybody's workspaces, nobody has a username, so no two accounts match.
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
    accounts = await store.read(account_rows.find_accounts_by_username, connection, username)
    names = {ALICE: "ALICE", BOB: "BOB"}
    assert [f"{names[one.principal]} at {one.connection}" for one in accounts] == found


async def test_an_account_that_is_being_revoked_is_nobodys_any_more(store):
    await link_account(store, ALICE, username="alice")
    await unlink(store, revocable=["saturn"])
    assert await store.read(account_rows.find_accounts_by_username, "saturn", "alice") == []


async def test_news_of_a_run_leave_it_marked_for_the_other_stop_that_was_asked_for(store, account):
    run = await launched(store, remote_id="r1")
    await want_stop(store, run.id)
    (step,) = await store.claim(runs.claim_runs, 10, 60.0)
    await store.write(runs.save_run_step, Update(run.id, 30.0, stop_call=Call.CALLING, claim=step.claim))
    await want_stop(store, run.id, "force")
    # While the plain stop is being sent, a list reports that the run has started.
    await store.perform(
        runs.merge_runs, account.id, [DiscoveredRun("r1", "train", ObservedRun(RunState.RUNNING))]
    )
    await store.write(runs.save_run_step, Update(run.id, 600.0, stop_call=Call.ACCEPTED, claim=step.claim))
    (step,) = await store.claim(runs.claim_runs, 10, 60.0)
    assert (step.subject.requested_stop, step.subject.stop_call) == ("force", Call.NONE)


async def test_a_workspace_that_has_become_somebody_elses_is_not_stopped_for_a_class(store, clock):
    await ended(store, clock, ALICE)
    row = await time(store, ALICE)
    await link_account(store, BOB)
    await store.carry_out(lambda tx: WORKSPACES.change(tx, {"id": row.id}, principal=BOB))
    await look(store)
    assert (await time(store, BOB)).stop_at is None
