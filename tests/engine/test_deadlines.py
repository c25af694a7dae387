"""Runs never wait in silence: one that has not begun, or can't be seen, is told of once; and operations."""

from __future__ import annotations

import json

import pytest

from bot.domain.models import FoundJob, JobState, NewNotice, NoticeKind, ObservedJob, Outcome
from bot.domain.settling import ANSWER_SECONDS
from bot.support.errors import SlackFailed, Unreachable
from tests.engine.jobs import new_job_world, said
from tests.engine.world import DEADLINE
from tests.support.store import ALICE


@pytest.fixture
async def jobs():
    async with new_job_world() as made:
        made.cloud.job_takes = None
        yield made


def waiting(jobs, job_id):
    keyed = [
        (each.get("metadata", {}).get("event_payload", {}).get("key", ""), each)
        for each in jobs.slack.messages
    ]
    begin = f"{job_id}/job_waiting/"
    return [json.dumps(each, ensure_ascii=False) for key, each in keyed if key.startswith(begin)]


def take_away(jobs):
    """Have the connection taken out of the settings, and the process started again."""
    jobs.world.reborn(connections={})


async def test_a_run_that_is_seen_has_no_deadline(jobs):
    jobs.cloud.queued_for = 2 * DEADLINE
    job_id = await jobs.runs()
    await jobs.world.pass_time(3 * DEADLINE, step=15)
    job = await jobs.job(job_id)
    assert (job.deadline_at, job.held_since, waiting(jobs, job_id)) == (None, None, [])


@pytest.mark.parametrize("is_begun", [False, True])
async def test_a_run_whose_credential_is_refused_is_told_of_once(jobs, is_begun):
    if is_begun:
        job_id = await jobs.runs()
        await jobs.world.pass_time(5)
    jobs.cloud.refused_tokens.add("token-1")
    if not is_begun:
        job_id = await jobs.runs()
    await jobs.world.pass_time(DEADLINE - 60, step=30)
    assert waiting(jobs, job_id) == []
    await jobs.world.pass_time(3 * DEADLINE, step=30)
    (told,) = waiting(jobs, job_id)
    assert ("I still can't check on" if is_begun else "still hasn't started") in told
    assert "Keep waiting" in told
    assert "Let it go" in told
    assert "Let it go" in said(jobs.message(f"{job_id}/job_card/1"))
    assert (await jobs.job(job_id)).is_open


async def test_keep_waiting_sets_another_deadline_and_what_is_seen_again_has_none(jobs):
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    jobs.cloud.fail("job_status", Unreachable("no connection"), times=10_000)
    await jobs.world.pass_time(DEADLINE + 120, step=30)
    assert len(waiting(jobs, job_id)) == 1
    assert await jobs.store.keep_job_waiting(job_id, DEADLINE, "press") is not None
    await jobs.world.pass_time(DEADLINE + 120, step=30)
    assert len(waiting(jobs, job_id)) == 2
    jobs.cloud.heal()
    await jobs.world.pass_time(120, step=5)
    job = await jobs.job(job_id)
    assert (job.is_late, job.deadline_at, job.hold) == (False, None, None)
    assert "Let it go" not in said(jobs.message(f"{job_id}/job_card/1"))


async def test_a_run_of_a_person_who_cannot_be_looked_up_is_told_of(jobs):
    await jobs.world.link()
    jobs.clock.advance(2 * ANSWER_SECONDS)  # What Slack said of them is too old by now.
    jobs.slack.fail("users.info", SlackFailed("users.info", "down"), times=10_000)
    job_id = await jobs.runs()
    await jobs.world.pass_time(DEADLINE + 60, step=30)
    (told,) = waiting(jobs, job_id)
    assert "asking Slack who you are" in told


async def test_a_run_whose_connection_is_gone_for_good_ends_as_unknown(jobs):
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    take_away(jobs)
    await jobs.world.pass_time(DEADLINE + 60, step=60)
    assert len(waiting(jobs, job_id)) == 1
    await jobs.world.pass_time(ANSWER_SECONDS - DEADLINE - 1200, step=600)
    assert (await jobs.job(job_id)).is_open
    await jobs.world.pass_time(1800, step=300)
    job = await jobs.job(job_id)
    assert (job.outcome, job.cause) == ("failed", "connection_gone")
    assert "I don't know how *train*" in said(jobs.message(f"{job_id}/job_failed/end"))


async def test_an_operation_whose_connection_is_gone_for_good_ends_as_unknown(jobs):
    world = jobs.world
    operation_id = await world.begin(await world.own())
    await world.pass_time(4)
    take_away(jobs)
    await world.pass_time(ANSWER_SECONDS + 1200, step=600)
    operation = await jobs.store.operation(operation_id)
    assert (operation.outcome, operation.cause) == (Outcome.UNKNOWN, "connection_gone")
    assert jobs.slack.kinds().count("waiting") == 1


async def test_a_day_of_a_refused_credential_is_none_without_the_connection(jobs):
    world = jobs.world
    operation_id, job_id = await world.begin(await world.own()), await jobs.runs()
    await world.pass_time(4)
    account = await jobs.store.account(ALICE, "cloud")
    await jobs.store.refuse_account(
        account.id,
        account.secret,
        NewNotice(account.id, NoticeKind.LINK_AGAIN, "1", ALICE),
        [],
        hold="Link again.",
    )
    await world.pass_time(ANSWER_SECONDS + 1200, step=600)
    for _ in range(2):
        # A mistake in the settings that the next start puts right.
        take_away(jobs)
        await world.pass_time(1200, step=120)
        world.reborn()
        await world.pass_time(600, step=60)
    assert (await jobs.store.operation(operation_id)).outcome is None
    assert (await jobs.job(job_id)).is_open
    take_away(jobs)
    await world.pass_time(ANSWER_SECONDS + 1200, step=600)
    assert (await jobs.store.operation(operation_id)).cause == "connection_gone"
    assert (await jobs.job(job_id)).cause == "connection_gone"


async def found(jobs):
    """Have a list find a run; return its id."""
    await jobs.world.link()
    await jobs.world.know()
    account = await jobs.store.account(ALICE, "cloud")
    await jobs.store.merge_jobs(account.id, [FoundJob("r9", "train", ObservedJob(JobState.RUNNING))])
    (job,) = await jobs.store.jobs(ALICE)
    return job.id


@pytest.mark.parametrize("is_begun", [False, True])
async def test_a_run_whose_reads_tell_nothing_is_told_of_once(jobs, is_begun):
    job_id = await jobs.runs()
    await jobs.world.work()
    await jobs.world.pass_time(5 if is_begun else 0)
    jobs.cloud.runs["run1"].is_unclear = True
    await jobs.world.pass_time(DEADLINE - 60, step=15)
    assert waiting(jobs, job_id) == []
    await jobs.world.pass_time(DEADLINE, step=15)
    (told,) = waiting(jobs, job_id)
    assert "I can't see its progress right now" in told
    jobs.cloud.runs["run1"].is_unclear = False
    await jobs.world.pass_time(60, step=5)
    job = await jobs.job(job_id)
    assert (job.is_late, job.deadline_at, job.hold) == (False, None, None)


@pytest.mark.parametrize("has_card", [False, True])
async def test_a_found_run_is_told_of_where_it_has_a_card_and_ends_with_its_connection(jobs, has_card):
    job_id = await found(jobs)
    if has_card:
        card = NewNotice("", NoticeKind.JOB_CARD, "1", ALICE)
        await jobs.store.watch_job(job_id, "press", notices=[card])
    take_away(jobs)
    await jobs.world.pass_time(DEADLINE + 120, step=60)
    assert len(waiting(jobs, job_id)) == has_card
    await jobs.world.pass_time(ANSWER_SECONDS, step=600)
    job = await jobs.job(job_id)
    assert (job.outcome, job.cause) == ("failed", "connection_gone")
    assert jobs.slack.kinds().count("job_failed") == has_card
