"""Runs as people see them: accepted once, watched, stopped, listed."""

from bot.domain.forms import Spec
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.runs import FoundRun, ObservedRun, RunState, Update
from bot.domain.workspaces import Call
from tests.rigs.store import ALICE, BOB, launched, run_by_remote, want_stop, watch_run


async def ran(store, **fields):
    return await launched(store, shows=True, channel_id="C1", **fields)


async def test_a_run_is_written_with_its_card(store, clock, account):
    run = await ran(store)
    assert (run.name, run.spec, run.reference, run.channel_id) == ("train", Spec("train"), "R-1", "C1")
    assert (run.state, run.start_call, run.remote_id, run.is_open) == (
        RunState.QUEUED,
        Call.NONE,
        None,
        True,
    )
    assert (run.created_at, run.next_step_at, run.is_watched) == (clock.now(), clock.now(), True)
    assert await store.run(run.id) == run
    (notice,) = await store.claim_notices(10, 60.0)
    assert (notice.subject, notice.kind) == (run.id, NoticeKind.JOB_CARD)
    await store.notice_sent(notice.id, "D1", "1.1")
    card = await store.card(run.id)
    assert (card.id, card.channel_id, card.message_ts) == (run.id, "D1", "1.1")
    assert (await store.statistics())["open_runs"] == 1


async def test_a_run_is_found_by_its_persons_connection_and_remote_id(store, account):
    run = await ran(store, remote_id="r1", state=RunState.RUNNING)
    assert (run.remote_id, run.start_call, run.state) == ("r1", Call.ACCEPTED, RunState.RUNNING)
    assert await run_by_remote(store, ALICE, "posit", "r1") == run
    assert await run_by_remote(store, BOB, "posit", "r1") is None
    assert await run_by_remote(store, ALICE, "saturn", "r1") is None


async def test_a_run_that_a_list_found_gets_its_card_when_it_is_watched(store, account):
    await store.merge_runs(account.id, [FoundRun("r1", "found", ObservedRun(RunState.RUNNING))])
    run = await run_by_remote(store, ALICE, "posit", "r1")
    assert not run.is_watched
    assert await store.card(run.id) is None
    watched = await watch_run(store, run.id)
    assert watched.is_watched
    # It has its card: no second one takes its place.
    assert await watch_run(store, run.id) == watched
    assert [notice.subject for notice in await store.claim_notices(10, 60.0)] == [run.id]
    assert await store.card(run.id) is not None
    assert await watch_run(store, "nobody's") is None


async def test_output_is_owed_from_the_launch_until_it_was_sent(store, clock, account):
    run = await ran(store)
    assert await store.watched_runs() == []
    clock.advance(1)
    other = await ran(store, remote_id="r2")
    await store.save_run_step(Update(run.id, 2.0, remote_id="r1", start_call=Call.ACCEPTED))
    await ran(store, remote_id="r3", is_watched=False)
    assert [one.id for one in await store.watched_runs()] == [run.id, other.id]
    await store.save_run_step(Update(run.id, 0.0, observed=ObservedRun(RunState.FAILED), outcome="ended"))
    assert [one.id for one in await store.watched_runs()] == [run.id, other.id]
    await store.output_done(run.id)
    assert [one.id for one in await store.watched_runs()] == [other.id]
    assert (await watch_run(store, run.id)).is_watched


async def test_the_message_with_output_is_known_once_it_was_sent(store, account):
    run = await ran(store)
    await store.add_notices([NewNotice(run.id, NoticeKind.JOB_OUTPUT, "1", ALICE)])
    for notice in await store.claim_notices(10, 60.0):
        await store.notice_sent(notice.id, "D1", f"{notice.kind}.1")
    assert (await store.run(run.id)).output_ts == "job_output.1"
    assert (await store.card(run.id)).message_ts == "job_card.1"


async def test_how_a_run_ended_waits_for_its_card(store, clock, account):
    run = await ran(store)
    ended = NewNotice("", NoticeKind.JOB_ENDED, "end", ALICE)
    await store.save_run_step(Update(run.id, 0.0, outcome="ended", notices=(ended,)))
    (card,) = await store.claim_notices(10, 60.0)
    assert card.kind is NoticeKind.JOB_CARD
    await store.notice_sent(card.id, "D1", "1.1")
    assert [notice.kind for notice in await store.claim_notices(10, 60.0)] == [NoticeKind.JOB_ENDED]


async def test_a_stop_is_asked_for_once_and_a_forced_one_after_it(store, clock, account):
    run = await ran(store)
    await store.save_run_step(Update(run.id, 600.0))
    stopping = await want_stop(store, run.id)
    assert (stopping.stop_wanted, stopping.stop_call, stopping.next_step_at) == (
        "stop",
        Call.NONE,
        clock.now(),
    )
    await store.save_run_step(Update(run.id, 600.0, stop_call=Call.ACCEPTED))
    again = await want_stop(store, run.id)
    assert (again.stop_call, again.next_step_at) == (Call.ACCEPTED, clock.now() + 600)
    forced = await want_stop(store, run.id, "force")
    assert (forced.stop_wanted, forced.stop_call, forced.next_step_at) == ("force", Call.NONE, clock.now())
    plain = await want_stop(store, run.id)
    assert plain.stop_wanted == "force"
    assert (await store.card(run.id)).changed_at == clock.now()


async def test_a_persons_runs_newest_first(store, clock, account):
    made = []
    for number in range(4):
        clock.advance(1)
        made.append((await ran(store, name=f"run {number}")).id)
    await launched(store, BOB)
    assert [run.id for run in await store.runs(ALICE)] == made[::-1]
    assert [run.id for run in await store.runs(ALICE, limit=2)] == made[:1:-1]
