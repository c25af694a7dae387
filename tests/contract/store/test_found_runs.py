"""Lists of runs: what is new is followed in silence, what is known is read by it."""

from bot.domain.people import TaskKind
from bot.domain.runs import FoundRun, ObservedRun, RunState, Update
from bot.store.tasks import NewTask
from tests.rigs.store import ALICE, launched, run_by_remote, unlink, want_stop

DAY = 86_400.0


def found(remote_id, state=RunState.RUNNING, **fields):
    return FoundRun(remote_id, f"run {remote_id}", ObservedRun(state, **fields))


async def going(store, remote_id="r1"):
    run = await launched(store, remote_id=remote_id)
    await store.save_run_step(Update(run.id, 600.0))
    return run


async def test_new_runs_are_followed_in_silence(store, clock, account):
    began = clock.now() - 50
    assert (
        await store.merge_runs(account.id, [found("r1", started_at=began), found("r2", RunState.QUEUED)]) == 2
    )
    assert await store.merge_runs(account.id, [found("r1"), found("r2", RunState.QUEUED)]) == 0
    first = await run_by_remote(store, ALICE, "posit", "r1")
    assert (first.name, first.created_at, first.started_at) == ("run r1", began, began)
    assert (first.is_watched, first.channel_id, first.spec) == (False, None, None)
    assert await store.card(first.id) is None
    assert await store.claim_notices(10, 60.0) == []
    assert await store.watched_runs() == []
    assert {step.run.remote_id for step in await store.claim_runs(10, 60.0)} == {"r1", "r2"}


async def test_what_had_ended_before_is_only_shown(store, clock, account):
    ended = clock.now() - DAY
    over = found("r1", RunState.FAILED, exit_code=1, started_at=ended - 9, ended_at=ended)
    assert await store.merge_runs(account.id, [over]) == 1
    (run,) = await store.runs(ALICE)
    assert (run.outcome, run.ended_at, run.finished_at, run.exit_code) == ("ended", ended, ended, 1)
    assert await store.claim_runs(10, 60.0) == []


async def test_only_as_many_ended_ones_are_new_as_the_sweep_keeps(store, clock, account):
    now = clock.now()
    old = found("old", RunState.SUCCEEDED, ended_at=now - 31 * DAY)
    many = [found(f"r{n}", RunState.SUCCEEDED, started_at=now - n * 60) for n in range(1, 61)]
    assert await store.merge_runs(account.id, [old, *many, found("open")]) == 51
    await store.sweep()
    assert {run.remote_id for run in await store.runs(ALICE, limit=99)} == {
        "open",
        *(f"r{n}" for n in range(1, 50)),
    }


async def test_a_list_counts_as_a_read_of_what_is_known(store, clock, account):
    run = await going(store)
    clock.advance(5)
    over = found("r1", RunState.SUCCEEDED, exit_code=0, ended_at=7.0)
    assert await store.merge_runs(account.id, [over]) == 0
    read = await store.run(run.id)
    assert (read.state, read.exit_code, read.finished_at) == (RunState.SUCCEEDED, 0, 7.0)
    assert (read.observed_at, read.name) == (clock.now(), "run r1")
    # It is open until a step ends it, with the notice that its person waits for.
    assert read.is_open
    assert [step.run.id for step in await store.claim_runs(10, 60.0)] == [run.id]
    assert (await store.card(run.id)).changed_at == clock.now()


async def test_news_during_a_step_is_stepped_after_it(store, account):
    run = await going(store)
    await want_stop(store, run.id)
    (step,) = await store.claim_runs(10, 60.0)
    await store.merge_runs(account.id, [found("r1", RunState.CANCELLED)])
    await store.save_run_step(Update(run.id, 600.0, claim=step.claim, observed=ObservedRun(RunState.RUNNING)))
    assert [one.run.state for one in await store.claim_runs(10, 60.0)] == [RunState.CANCELLED]


async def test_a_list_is_as_old_as_its_request(store, clock, account):
    run = await going(store)
    await store.add_tasks([NewTask(TaskKind.LIST_JOBS, account.id)])
    await store.claim_tasks(10, 60.0)
    clock.advance(5)
    await store.save_run_step(Update(run.id, 600.0, observed=ObservedRun(RunState.RUNNING)))
    await store.merge_runs(account.id, [found("r1", RunState.QUEUED)])
    assert (await store.run(run.id)).state is RunState.RUNNING


async def test_what_has_ended_here_stays_ended(store, account):
    run = await going(store)
    await store.save_run_step(Update(run.id, 0.0, outcome="failed", cause="lost"))
    ended = await store.run(run.id)
    assert await store.merge_runs(account.id, [found("r1")]) == 0
    assert await store.run(run.id) == ended


async def test_a_run_that_is_listed_twice_is_one(store, account):
    assert await store.merge_runs(account.id, [found("r1"), found("r1", RunState.SUCCEEDED)]) == 1
    assert len(await store.runs(ALICE)) == 1


async def test_nothing_is_kept_of_a_list_for_an_account_that_is_gone(store, account):
    await unlink(store, ALICE, "posit", revocable=["posit"])
    assert await store.merge_runs(account.id, [found("r1")]) == 0
    assert await store.merge_runs("nobody", [found("r1")]) == 0
    assert await store.runs(ALICE) == []
