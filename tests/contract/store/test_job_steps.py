"""Steps of runs: leased, advanced, woken by people, ended with their notices in one transaction."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.models import (
    AuditEntry,
    Call,
    FoundJob,
    JobState,
    NewJob,
    NewNotice,
    NoticeKind,
    ObservedJob,
    Person,
    Spec,
    Update,
)
from tests.support.store import ALICE, BOB, link_account

ENTRY = AuditEntry("usher", "job.end", "train", "ended")
RUNNING = ObservedJob(JobState.RUNNING, started_at=5.0)


async def ran(store, principal=ALICE, **fields):
    new = NewJob(principal, "posit", "train", Spec("train"), "R-1", **fields)
    return (await store.accept_job(new, interaction=""))[0]


@pytest.fixture
async def account(store):
    return await link_account(store, ALICE, "posit")


@pytest.fixture
async def job(store, account):
    return await ran(store)


async def test_a_step_holds_all_that_it_needs(store, account, job):
    (step,) = await store.claim_jobs(10, 60.0)
    assert (step.job.id, step.account.id, step.person) == (job.id, account.id, None)
    assert step.claim
    await store.save_people([Person(ALICE, "Alice", seen_at=await store.now())])
    await store.save_job_step(Update(job.id, 0.0, claim=step.claim))
    assert (await store.claim_jobs(10, 60.0))[0].person.name == "Alice"


async def test_a_leased_run_is_not_claimed_again_before_its_lease_ends(store, clock, account, job):
    assert len(await store.claim_jobs(10, 60.0)) == 1
    clock.advance(59.9)
    assert await store.claim_jobs(10, 60.0) == await store.claim_jobs_of(account.id, 10, 60.0) == []
    clock.advance(0.1)
    assert len(await store.claim_jobs(10, 60.0)) == 1


async def test_of_two_processes_each_claims_its_own(database):
    first, second = await database.open(), await database.open()
    account = await link_account(first, ALICE, "posit")
    for number in range(40):
        await ran(first, remote_id=f"r{number}")
    claims = await asyncio.gather(
        *(store.claim_jobs(5, 60.0) for store in (first, second) * 3),
        *(store.claim_jobs_of(account.id, 5, 60.0) for store in (first, second)),
    )
    taken = [step.job.id for steps in claims for step in steps]
    assert len(taken) == len(set(taken)) == 40


async def test_runs_of_one_account_are_read_together(store, clock, account):
    bob = await link_account(store, BOB, "posit")
    waits = {"now": 0.0, "soon": 2.0, "later": 2.1}
    made = {name: await ran(store, remote_id=name) for name in waits}
    await ran(store)
    await ran(store, BOB, remote_id="theirs")
    for name, wait in waits.items():
        await store.save_job_step(Update(made[name].id, wait))
    steps = await store.claim_jobs_of(account.id, 10, 60.0)
    assert {step.job.remote_id for step in steps} == {"now", "soon"}
    assert [step.job.remote_id for step in await store.claim_jobs_of(bob.id, 10, 60.0)] == ["theirs"]
    assert await store.claim_jobs_of("nobody", 10, 60.0) == []


async def test_a_saved_step_comes_again_when_it_is_due(store, clock, job):
    (step,) = await store.claim_jobs(10, 60.0)
    assert await store.save_job_step(
        Update(job.id, 5.0, attempts=2, hold="Posit is slow.", claim=step.claim, observed=RUNNING)
    )
    saved = await store.job(job.id)
    assert (saved.attempts, saved.hold, saved.next_step_at) == (2, "Posit is slow.", clock.now() + 5)
    assert (saved.state, saved.started_at, saved.observed_at) == (JobState.RUNNING, 5.0, clock.now())
    clock.advance(4.9)
    assert await store.claim_jobs(10, 60.0) == []
    clock.advance(0.1)
    (step,) = await store.claim_jobs(10, 60.0)
    await store.save_job_step(Update(job.id, 5.0, hold="", claim=step.claim))
    saved = await store.job(job.id)
    assert (saved.hold, saved.attempts, saved.state) == (None, 2, JobState.RUNNING)


async def test_a_call_under_way_keeps_its_lease(store, clock, job):
    (step,) = await store.claim_jobs(10, 60.0)
    calling = Update(job.id, 30.0, launch_call=Call.CALLING, called=True, claim=step.claim)
    assert await store.save_job_step(calling)
    clock.advance(29)
    assert await store.claim_jobs(10, 60.0) == []
    accepted = Update(job.id, 2.0, remote_id="r1", launch_call=Call.ACCEPTED, claim=step.claim)
    assert await store.save_job_step(accepted)
    saved = await store.job(job.id)
    assert (saved.remote_id, saved.launch_call, saved.called_at) == ("r1", Call.ACCEPTED, clock.now() - 29)


async def test_a_call_that_was_lost_is_found_as_such(store, clock, job):
    (step,) = await store.claim_jobs(10, 60.0)
    await store.save_job_step(Update(job.id, 30.0, launch_call=Call.CALLING, claim=step.claim))
    clock.advance(30)
    (later,) = await store.claim_jobs(10, 60.0)
    assert (later.job.launch_call, later.job.unknown_since) == (Call.UNKNOWN, clock.now())
    assert not await store.save_job_step(Update(job.id, 2.0, remote_id="r1", claim=step.claim))
    assert await store.save_job_step(Update(job.id, 2.0, launch_call=Call.NONE, claim=later.claim))
    assert (await store.job(job.id)).remote_id is None


async def test_a_stop_that_is_asked_for_during_a_step_is_stepped_at_once(store, job):
    (step,) = await store.claim_jobs(10, 60.0)
    await store.want_job_stop(job.id, force=False, interaction="i1")
    assert await store.claim_jobs(10, 60.0) == []
    await store.save_job_step(Update(job.id, 600.0, claim=step.claim))
    assert [one.job.stop_wanted for one in await store.claim_jobs(10, 60.0)] == ["stop"]


async def test_a_plain_stop_under_way_does_not_count_for_a_forced_one(store, job):
    await store.want_job_stop(job.id, force=False, interaction="i1")
    (step,) = await store.claim_jobs(10, 60.0)
    await store.save_job_step(Update(job.id, 30.0, stop_call=Call.CALLING, claim=step.claim))
    await store.want_job_stop(job.id, force=True, interaction="i2")
    await store.save_job_step(Update(job.id, 600.0, stop_call=Call.ACCEPTED, claim=step.claim))
    (step,) = await store.claim_jobs(10, 60.0)
    assert (step.job.stop_wanted, step.job.stop_call) == ("force", Call.NONE)
    await store.save_job_step(Update(job.id, 600.0, stop_call=Call.ACCEPTED, claim=step.claim))
    assert (await store.job(job.id)).stop_call is Call.ACCEPTED


async def test_what_others_write_beside_a_step_counts_and_wakes_it(store, clock, job):
    (step,) = await store.claim_jobs(10, 60.0)
    assert await store.save_job_step(Update(job.id, 1.0, hold="Paused."))
    clock.advance(2)
    assert await store.claim_jobs(10, 60.0) == []
    assert await store.save_job_step(Update(job.id, 600.0, claim=step.claim))
    assert [one.job.hold for one in await store.claim_jobs(10, 60.0)] == ["Paused."]


async def test_the_end_and_its_notices_are_one(store, clock, job):
    (step,) = await store.claim_jobs(10, 60.0)
    over = ObservedJob(JobState.FAILED, exit_code=3, detail="oom", started_at=5.0, ended_at=9.0)
    update = Update(
        job.id,
        0.0,
        observed=over,
        outcome="ended",
        notices=(NewNotice("", NoticeKind.JOB_ENDED, "end", ALICE),),
        audit=(ENTRY,),
        claim=step.claim,
    )
    assert await store.save_job_step(update)
    ended = await store.job(job.id)
    assert (ended.outcome, ended.ended_at, ended.is_open) == ("ended", clock.now(), False)
    assert (ended.state, ended.exit_code, ended.detail) == (JobState.FAILED, 3, "oom")
    assert (ended.started_at, ended.finished_at) == (5.0, 9.0)
    assert [notice.subject for notice in await store.claim_notices(10, 60.0)] == [job.id]
    clock.advance(59)
    assert await store.claim_jobs(10, 60.0) == []
    assert not await store.save_job_step(update)
    assert await store.claim_notices(10, 60.0) == []
    assert [row["action"] for row in await store.audit_entries()] == ["job.end"] * 2


@pytest.mark.parametrize(
    ("known", "told", "kept"),
    [
        (JobState.RUNNING, JobState.UNKNOWN, JobState.RUNNING),
        (JobState.SUCCEEDED, JobState.RUNNING, JobState.SUCCEEDED),
        (JobState.QUEUED, JobState.RUNNING, JobState.RUNNING),
        (JobState.RUNNING, JobState.QUEUED, JobState.QUEUED),
        (JobState.RUNNING, JobState.CANCELLED, JobState.CANCELLED),
    ],
)
async def test_which_news_is_believed(store, job, known, told, kept):
    await store.save_job_step(Update(job.id, 1.0, observed=ObservedJob(known)))
    await store.save_job_step(Update(job.id, 1.0, observed=ObservedJob(told)))
    assert (await store.job(job.id)).state is kept


async def test_a_card_is_owed_for_what_is_seen(store, clock, job):
    async def dirt(**fields):
        for card in await store.claim_cards(10, 0.0, 60.0):
            await store.card_updated(job.id, card)
        await store.save_job_step(Update(job.id, 1.0, **fields))
        card = await store.card(job.id)
        return (card.is_dirty, card.changed_at is not None)

    for notice in await store.claim_notices(10, 60.0):
        await store.notice_sent(notice.id, "D1", "1.1")
    assert await dirt() == (False, False)
    assert await dirt(observed=ObservedJob(JobState.QUEUED)) == (False, False)
    assert await dirt(observed=ObservedJob(JobState.QUEUED, name="better")) == (True, False)
    assert await dirt(observed=RUNNING) == (True, True)


async def test_a_run_that_a_list_brought_in_is_the_launched_one(store, account, job):
    (step,) = await store.claim_jobs(10, 60.0)
    await store.merge_jobs(account.id, [FoundJob("r1", "train", RUNNING)])
    listed = await store.job_by_remote(ALICE, "posit", "r1")
    await store.watch_job(listed.id)
    await store.want_job_stop(listed.id, force=False, interaction="i1")
    update = Update(job.id, 2.0, remote_id="r1", launch_call=Call.ACCEPTED, claim=step.claim)
    assert await store.save_job_step(update)
    (only,) = await store.jobs(ALICE)
    assert (only.id, only.remote_id, only.stop_wanted) == (job.id, "r1", "stop")
    assert await store.job(listed.id) is None
    assert await store.card(listed.id) is None


async def test_a_jump_of_the_clock_gives_a_call_no_more_time(store, clock):
    await link_account(store, ALICE, "posit")
    job = await ran(store)
    (step,) = await store.claim_jobs(10, 60.0)
    calling = Update(job.id, 30.0, launch_call=Call.CALLING, called=True, claim=step.claim)
    await store.save_job_step(calling)
    called_at = (await store.job(job.id)).called_at
    clock.jump(3600)
    assert await store.claim_jobs(10, 60.0) == []
    moved = await store.job(job.id)
    # What it made is looked for from where it was sent: the provider's clock knows of no jump.
    assert (moved.called_at, moved.sent_at) == (pytest.approx(called_at + 3600, abs=0.01), called_at)
    clock.advance(30.1)
    assert len(await store.claim_jobs(10, 60.0)) == 1


async def test_no_run_takes_the_place_of_another_that_was_launched(store, clock, job):
    other = await ran(store)
    await store.save_job_step(Update(other.id, 2.0, remote_id="r1", launch_call=Call.ACCEPTED))
    kept = await store.job(other.id)
    (step,) = await store.claim_jobs(10, 60.0)
    called = Update(job.id, 60.0, launch_call=Call.CALLING, called=True, claim=step.claim)
    assert await store.save_job_step(called)
    update = Update(job.id, 2.0, remote_id="r1", launch_call=Call.ACCEPTED, claim=step.claim)
    assert await store.save_job_step(update)
    assert await store.job(other.id) == kept
    left = await store.job(job.id)
    # It is looked for once more.
    assert (left.remote_id, left.launch_call, left.is_open) == (None, Call.UNKNOWN, True)
