"""Steps of runs: leased, advanced, woken by people, ended with their notices in one transaction."""

import asyncio

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import AuditEntry, Person
from bot.domain.runs import FoundRun, ObservedRun, RunState, Update
from bot.domain.workspaces import Call
from tests.contract.store.conftest import machines_clock
from tests.rigs.store import ALICE, BOB, launched, link_account, run_by_remote, unlink, want_stop, watch_run

ENTRY = AuditEntry("usher", "job.end", "train", "ended")
RUNNING = ObservedRun(RunState.RUNNING, started_at=5.0)


async def ran(store, principal=ALICE, **fields):
    return await launched(store, principal, **fields)


@pytest.fixture
async def run(store, account):
    return await ran(store)


async def test_a_step_holds_all_that_it_needs(store, account, run):
    (step,) = await store.claim_runs(10, 60.0)
    assert (step.run.id, step.account.id, step.person) == (run.id, account.id, None)
    assert step.claim
    await store.save_people([Person(ALICE, "Alice", seen_at=await store.now())])
    await store.save_run_step(Update(run.id, 0.0, claim=step.claim))
    assert (await store.claim_runs(10, 60.0))[0].person.name == "Alice"


async def test_a_leased_run_is_not_claimed_again_before_its_lease_ends(store, clock, account, run):
    assert len(await store.claim_runs(10, 60.0)) == 1
    clock.advance(59.9)
    assert await store.claim_runs(10, 60.0) == await store.claim_runs_of(account, 10, 60.0) == []
    clock.advance(0.1)
    assert len(await store.claim_runs(10, 60.0)) == 1


async def test_of_two_processes_each_claims_its_own(database):
    first, second = await database.open(), await database.open()
    account = await link_account(first, ALICE, "posit")
    for number in range(40):
        await ran(first, remote_id=f"r{number}")
    claims = await asyncio.gather(
        *(store.claim_runs(5, 60.0) for store in (first, second) * 3),
        *(store.claim_runs_of(account, 5, 60.0) for store in (first, second)),
    )
    assert claims.count(None) == 1, "one of them reads this account's runs"
    taken = [step.run.id for steps in claims for step in steps or ()]
    assert len(taken) == len(set(taken)) == 35


async def test_an_accounts_runs_are_read_by_whoever_knows_when_they_were_last(database, clock):
    first, second = await database.open(), await database.open()
    account = await link_account(first, ALICE, "posit")
    assert await first.claim_runs_of(account, 5, 60.0) == []
    assert await second.claim_runs_of(account, 5, 60.0) is None
    read = await second.account_by_id(account.id)
    assert read.runs_read_at == clock.now()
    clock.advance(5)
    assert await second.claim_runs_of(read, 0, 60.0) == []
    assert await first.claim_runs_of(read, 5, 60.0) is None


async def test_runs_of_one_account_are_read_together(store, clock, account):
    bob = await link_account(store, BOB, "posit")
    waits = {"now": 0.0, "soon": 2.0, "later": 2.1}
    made = {name: await ran(store, remote_id=name) for name in waits}
    await ran(store)
    await ran(store, BOB, remote_id="theirs")
    for name, wait in waits.items():
        await store.save_run_step(Update(made[name].id, wait))
    steps = await store.claim_runs_of(account, 10, 60.0)
    assert {step.run.remote_id for step in steps} == {"now", "soon"}
    assert [step.run.remote_id for step in await store.claim_runs_of(bob, 10, 60.0)] == ["theirs"]
    await unlink(store, BOB, revocable=["posit"])
    assert await store.claim_runs_of(await store.account_by_id(bob.id), 10, 60.0) is None


async def test_a_saved_step_comes_again_when_it_is_due(store, clock, run):
    (step,) = await store.claim_runs(10, 60.0)
    assert await store.save_run_step(
        Update(run.id, 5.0, attempts=2, hold="Posit is slow.", claim=step.claim, observed=RUNNING)
    )
    saved = await store.run(run.id)
    assert (saved.attempts, saved.hold, saved.next_step_at) == (2, "Posit is slow.", clock.now() + 5)
    assert (saved.state, saved.started_at, saved.observed_at) == (RunState.RUNNING, 5.0, clock.now())
    clock.advance(4.9)
    assert await store.claim_runs(10, 60.0) == []
    clock.advance(0.1)
    (step,) = await store.claim_runs(10, 60.0)
    await store.save_run_step(Update(run.id, 5.0, hold="", claim=step.claim))
    saved = await store.run(run.id)
    assert (saved.hold, saved.attempts, saved.state) == (None, 2, RunState.RUNNING)


async def test_a_call_under_way_keeps_its_lease(store, clock, run):
    (step,) = await store.claim_runs(10, 60.0)
    calling = Update(run.id, 30.0, start_call=Call.CALLING, called=True, claim=step.claim)
    assert await store.save_run_step(calling)
    clock.advance(29)
    assert await store.claim_runs(10, 60.0) == []
    accepted = Update(run.id, 2.0, remote_id="r1", start_call=Call.ACCEPTED, claim=step.claim)
    assert await store.save_run_step(accepted)
    saved = await store.run(run.id)
    assert (saved.remote_id, saved.start_call, saved.called_at) == ("r1", Call.ACCEPTED, clock.now() - 29)


async def test_a_call_that_was_lost_is_found_as_such(store, clock, run):
    (step,) = await store.claim_runs(10, 60.0)
    await store.save_run_step(Update(run.id, 30.0, start_call=Call.CALLING, claim=step.claim))
    clock.advance(30)
    (later,) = await store.claim_runs(10, 60.0)
    assert (later.run.start_call, later.run.unknown_since) == (Call.UNKNOWN, clock.now())
    assert not await store.save_run_step(Update(run.id, 2.0, remote_id="r1", claim=step.claim))
    assert await store.save_run_step(Update(run.id, 2.0, start_call=Call.NONE, claim=later.claim))
    assert (await store.run(run.id)).remote_id is None


async def test_a_stop_that_is_asked_for_during_a_step_is_stepped_at_once(store, run):
    (step,) = await store.claim_runs(10, 60.0)
    await want_stop(store, run.id)
    assert await store.claim_runs(10, 60.0) == []
    await store.save_run_step(Update(run.id, 600.0, claim=step.claim))
    assert [one.run.stop_wanted for one in await store.claim_runs(10, 60.0)] == ["stop"]


async def test_a_plain_stop_under_way_does_not_count_for_a_forced_one(store, run):
    await want_stop(store, run.id)
    (step,) = await store.claim_runs(10, 60.0)
    await store.save_run_step(Update(run.id, 30.0, stop_call=Call.CALLING, claim=step.claim))
    await want_stop(store, run.id, "force")
    await store.save_run_step(Update(run.id, 600.0, stop_call=Call.ACCEPTED, claim=step.claim))
    (step,) = await store.claim_runs(10, 60.0)
    assert (step.run.stop_wanted, step.run.stop_call) == ("force", Call.NONE)
    await store.save_run_step(Update(run.id, 600.0, stop_call=Call.ACCEPTED, claim=step.claim))
    assert (await store.run(run.id)).stop_call is Call.ACCEPTED


async def test_what_others_write_beside_a_step_counts_and_wakes_it(store, clock, run):
    (step,) = await store.claim_runs(10, 60.0)
    assert await store.save_run_step(Update(run.id, 1.0, hold="Paused."))
    clock.advance(2)
    assert await store.claim_runs(10, 60.0) == []
    assert await store.save_run_step(Update(run.id, 600.0, claim=step.claim))
    assert [one.run.hold for one in await store.claim_runs(10, 60.0)] == ["Paused."]


async def test_the_end_and_its_notices_are_one(store, clock, run):
    (step,) = await store.claim_runs(10, 60.0)
    over = ObservedRun(RunState.FAILED, exit_code=3, detail="oom", started_at=5.0, ended_at=9.0)
    update = Update(
        run.id,
        0.0,
        observed=over,
        outcome="ended",
        notices=(NewNotice("", NoticeKind.JOB_ENDED, "end", ALICE),),
        audit=(ENTRY,),
        claim=step.claim,
    )
    assert await store.save_run_step(update)
    ended = await store.run(run.id)
    assert (ended.outcome, ended.ended_at, ended.is_open) == ("ended", clock.now(), False)
    assert (ended.state, ended.exit_code, ended.detail) == (RunState.FAILED, 3, "oom")
    assert (ended.started_at, ended.finished_at) == (5.0, 9.0)
    assert [notice.subject for notice in await store.claim_notices(10, 60.0)] == [run.id]
    clock.advance(59)
    assert await store.claim_runs(10, 60.0) == []
    assert not await store.save_run_step(update)
    assert await store.claim_notices(10, 60.0) == []
    assert [row["action"] for row in await store.audit_entries()] == ["job.end"] * 2


@pytest.mark.parametrize(
    ("known", "told", "kept"),
    [
        (RunState.RUNNING, RunState.UNKNOWN, RunState.RUNNING),
        (RunState.SUCCEEDED, RunState.RUNNING, RunState.SUCCEEDED),
        (RunState.QUEUED, RunState.RUNNING, RunState.RUNNING),
        (RunState.RUNNING, RunState.QUEUED, RunState.QUEUED),
        (RunState.RUNNING, RunState.CANCELLED, RunState.CANCELLED),
    ],
)
async def test_which_news_is_believed(store, run, known, told, kept):
    await store.save_run_step(Update(run.id, 1.0, observed=ObservedRun(known)))
    await store.save_run_step(Update(run.id, 1.0, observed=ObservedRun(told)))
    assert (await store.run(run.id)).state is kept


async def test_a_card_is_owed_for_what_is_seen(store, clock, run):
    async def dirt(**fields):
        for card in await store.claim_cards(10, 0.0, 60.0):
            await store.card_updated(run.id, card)
        await store.save_run_step(Update(run.id, 1.0, **fields))
        card = await store.card(run.id)
        return (card.is_dirty, card.changed_at is not None)

    for notice in await store.claim_notices(10, 60.0):
        await store.notice_sent(notice.id, "D1", "1.1")
    assert await dirt() == (False, False)
    assert await dirt(observed=ObservedRun(RunState.QUEUED)) == (False, False)
    assert await dirt(observed=ObservedRun(RunState.QUEUED, name="better")) == (True, False)
    assert await dirt(observed=RUNNING) == (True, True)


async def test_a_run_that_a_list_brought_in_is_the_launched_one(store, account, run):
    (step,) = await store.claim_runs(10, 60.0)
    await store.merge_runs(account.id, [FoundRun("r1", "train", RUNNING)])
    listed = await run_by_remote(store, ALICE, "posit", "r1")
    await watch_run(store, listed.id)
    await want_stop(store, listed.id)
    update = Update(run.id, 2.0, remote_id="r1", start_call=Call.ACCEPTED, claim=step.claim)
    assert await store.save_run_step(update)
    (only,) = await store.runs(ALICE)
    assert (only.id, only.remote_id, only.stop_wanted) == (run.id, "r1", "stop")
    assert await store.run(listed.id) is None
    assert await store.card(listed.id) is None


@machines_clock
async def test_a_jump_of_the_clock_gives_a_call_no_more_time(store, clock):
    await link_account(store, ALICE, "posit")
    run = await ran(store)
    (step,) = await store.claim_runs(10, 60.0)
    calling = Update(run.id, 30.0, start_call=Call.CALLING, called=True, claim=step.claim)
    await store.save_run_step(calling)
    called_at = (await store.run(run.id)).called_at
    clock.sleep(3000)
    clock.jump(600)
    assert await store.claim_runs(10, 60.0) == []
    moved = await store.run(run.id)
    # What it made is looked for by the provider's clock, which goes on while ours sleeps.
    assert (moved.called_at, moved.sent_at) == (
        pytest.approx(called_at + 3600, abs=0.01),
        pytest.approx(called_at + 600, abs=0.01),
    )
    clock.advance(30.1)
    assert len(await store.claim_runs(10, 60.0)) == 1


async def test_no_run_takes_the_place_of_another_that_was_launched(store, clock, run):
    other = await ran(store)
    await store.save_run_step(Update(other.id, 2.0, remote_id="r1", start_call=Call.ACCEPTED))
    kept = await store.run(other.id)
    (step,) = await store.claim_runs(10, 60.0)
    called = Update(run.id, 60.0, start_call=Call.CALLING, called=True, claim=step.claim)
    assert await store.save_run_step(called)
    update = Update(run.id, 2.0, remote_id="r1", start_call=Call.ACCEPTED, claim=step.claim)
    assert await store.save_run_step(update)
    assert await store.run(other.id) == kept
    left = await store.run(run.id)
    # It is looked for once more.
    assert (left.remote_id, left.start_call, left.is_open) == (None, Call.UNKNOWN, True)
