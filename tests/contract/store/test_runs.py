"""Job runs: watched, stopped, found in lists, stepped, and deleted with their account."""

import asyncio

import pytest

from bot.domain.accounts import Approval
from bot.domain.audit import AuditEntry
from bot.domain.holds import hold_by_cause
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Person
from bot.domain.runs import DiscoveredRun, ObservedRun, RunState
from bot.domain.snapshots import Snapshot
from bot.domain.steps import Update
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Call, Outcome
from bot.store import accounts, cards, forms, notices, runs, snapshots, sweeping, tasks
from bot.store import approvals as approvals_store
from bot.store.tasks import NewTask
from tests.contract.store.conftest import machines_clock
from tests.rigs.approvals import ask_approval, decide_approval
from tests.rigs.store import (
    ALICE,
    BOB,
    launched,
    link_account,
    refuse,
    run_by_remote,
    unlink,
    want_stop,
    watch_run,
)


async def ran(store, **fields):
    return await launched(store, shows=True, channel_id="C1", **fields)


async def test_a_run_that_a_list_found_gets_its_card_when_it_is_watched(store, account):
    await store.perform(
        runs.merge_runs, account.id, [DiscoveredRun("r1", "found", ObservedRun(RunState.RUNNING))]
    )
    run = await run_by_remote(store, ALICE, "posit", "r1")
    assert not run.is_watched
    assert await store.read(cards.find_card, run.id) is None
    watched = await watch_run(store, run.id)
    assert watched.is_watched
    # The run already has a card, and no second one replaces it.
    assert await watch_run(store, run.id) == watched
    assert [notice.subject for notice in await store.perform(notices.claim_notices, 10, 60.0)] == [run.id]
    assert await store.read(cards.find_card, run.id) is not None
    assert await watch_run(store, "nobody's") is None


@pytest.mark.both_engines
async def test_output_is_owed_from_the_launch_until_it_was_sent(store, clock, account):
    run = await ran(store)
    assert await store.read(runs.list_watched_runs) == []
    clock.advance(1)
    other = await ran(store, remote_id="r2")
    await store.write(runs.save_run_step, Update(run.id, 2.0, remote_id="r1", start_call=Call.ACCEPTED))
    await ran(store, remote_id="r3", is_watched=False)
    assert [one.id for one in await store.read(runs.list_watched_runs)] == [run.id, other.id]
    await store.write(
        runs.save_run_step, Update(run.id, 0.0, observed=ObservedRun(RunState.FAILED), outcome="ended")
    )
    assert [one.id for one in await store.read(runs.list_watched_runs)] == [run.id, other.id]
    await store.write(runs.note_output_sent, run.id)
    assert [one.id for one in await store.read(runs.list_watched_runs)] == [other.id]
    assert (await watch_run(store, run.id)).is_watched


async def test_an_output_is_sent_once_for_each_time_that_it_is_asked_for(store, account):
    run = await ran(store)
    for number in range(2):
        for name in ("first", "second"):
            # The second write is from another process, which was paused after it had read the whole output.
            file = NewNotice(run.id, NoticeKind.JOB_FILE, f"{name} {number}", ALICE)
            await store.write(runs.note_output_sent, run.id, [file])
        await watch_run(store, run.id)
    sent = [
        one.occasion
        for one in await store.perform(notices.claim_notices, 10, 60.0)
        if one.kind is NoticeKind.JOB_FILE
    ]
    assert sorted(sent) == ["first 0", "first 1"]


async def test_how_a_run_ended_goes_before_its_card(store, clock, account):
    run = await ran(store)
    ended = NewNotice("", NoticeKind.JOB_ENDED, "end", ALICE)
    await store.write(runs.save_run_step, Update(run.id, 0.0, outcome="ended", notices=(ended,)))
    (end,) = await store.perform(notices.claim_notices, 10, 60.0)
    assert end.kind is NoticeKind.JOB_ENDED
    await store.write(notices.mark_notice_sent, end, "D1", "1.1")
    assert [notice.kind for notice in await store.perform(notices.claim_notices, 10, 60.0)] == [
        NoticeKind.JOB_CARD
    ]


async def test_a_stop_is_asked_for_once_and_a_forced_one_after_it(store, clock, account):
    run = await ran(store)
    await store.write(runs.save_run_step, Update(run.id, 600.0))
    stopping = await want_stop(store, run.id)
    assert (stopping.requested_stop, stopping.stop_call, stopping.next_step_at) == (
        "stop",
        Call.NONE,
        clock.now(),
    )
    await store.write(runs.save_run_step, Update(run.id, 600.0, stop_call=Call.ACCEPTED))
    again = await want_stop(store, run.id)
    assert (again.stop_call, again.next_step_at) == (Call.ACCEPTED, clock.now() + 600)
    forced = await want_stop(store, run.id, "force")
    assert (forced.requested_stop, forced.stop_call, forced.next_step_at) == ("force", Call.NONE, clock.now())
    plain = await want_stop(store, run.id)
    assert plain.requested_stop == "force"
    assert (await store.read(cards.find_card, run.id)).changed_at == clock.now()


async def test_a_persons_runs_newest_first(store, clock, account):
    made = []
    for number in range(4):
        clock.advance(1)
        made.append((await ran(store, name=f"run {number}")).id)
    await launched(store, BOB)
    assert [run.id for run in await store.read(runs.list_runs, ALICE)] == made[::-1]
    assert [run.id for run in await store.read(runs.list_runs, ALICE, limit=2)] == made[:1:-1]


# -- lists: new runs are followed silently, and known runs are updated ---------------------------------------


DAY = 86_400.0


def found(remote_id, state=RunState.RUNNING, **fields):
    return DiscoveredRun(remote_id, f"run {remote_id}", ObservedRun(state, **fields))


async def going(store, remote_id="r1"):
    run = await launched(store, remote_id=remote_id)
    await store.write(runs.save_run_step, Update(run.id, 600.0))
    return run


async def test_new_runs_are_followed_in_silence(store, clock, account):
    began = clock.now() - 50
    assert (
        await store.perform(
            runs.merge_runs, account.id, [found("r1", started_at=began), found("r2", RunState.QUEUED)]
        )
        == 2
    )
    assert await store.perform(runs.merge_runs, account.id, [found("r1"), found("r2", RunState.QUEUED)]) == 0
    first = await run_by_remote(store, ALICE, "posit", "r1")
    assert (first.name, first.created_at, first.started_at) == ("run r1", began, began)
    assert (first.is_watched, first.channel_id, first.spec) == (False, None, None)
    assert await store.read(cards.find_card, first.id) is None
    assert await store.perform(notices.claim_notices, 10, 60.0) == []
    assert await store.read(runs.list_watched_runs) == []
    assert {step.subject.remote_id for step in await store.claim(runs.claim_runs, 10, 60.0)} == {"r1", "r2"}


async def test_what_had_ended_before_is_only_shown(store, clock, account):
    ended = clock.now() - DAY
    over = found("r1", RunState.FAILED, exit_code=1, started_at=ended - 9, ended_at=ended)
    assert await store.perform(runs.merge_runs, account.id, [over]) == 1
    (run,) = await store.read(runs.list_runs, ALICE)
    assert (run.outcome, run.ended_at, run.finished_at, run.exit_code) == ("ended", ended, ended, 1)
    assert await store.claim(runs.claim_runs, 10, 60.0) == []


async def test_only_as_many_ended_ones_are_new_as_the_sweep_keeps(store, clock, account):
    now = clock.now()
    old = found("old", RunState.SUCCEEDED, ended_at=now - 31 * DAY)
    many = [found(f"r{n}", RunState.SUCCEEDED, started_at=now - n * 60) for n in range(1, 61)]
    assert await store.perform(runs.merge_runs, account.id, [old, *many, found("open")]) == 51
    await store.perform(sweeping.sweep)
    assert {run.remote_id for run in await store.read(runs.list_runs, ALICE, limit=99)} == {
        "open",
        *(f"r{n}" for n in range(1, 50)),
    }


async def test_a_list_counts_as_a_read_of_what_is_known(store, clock, account):
    run = await going(store)
    clock.advance(5)
    over = found("r1", RunState.FAILED, exit_code=3, detail="oom", started_at=5.0, ended_at=7.0)
    assert await store.perform(runs.merge_runs, account.id, [over]) == 0
    read = await store.read(runs.find_run, run.id)
    assert (read.state, read.exit_code, read.detail) == (RunState.FAILED, 3, "oom")
    assert (read.started_at, read.finished_at) == (5.0, 7.0)
    assert (read.observed_at, read.name) == (clock.now(), "run r1")
    # The run stays open until a step ends it, together with the notice that its owner is waiting for.
    assert read.is_open
    assert [step.subject.id for step in await store.claim(runs.claim_runs, 10, 60.0)] == [run.id]
    assert (await store.read(cards.find_card, run.id)).is_dirty


async def test_news_during_a_step_is_stepped_after_it(store, account):
    run = await going(store)
    await want_stop(store, run.id)
    (step,) = await store.claim(runs.claim_runs, 10, 60.0)
    await store.perform(runs.merge_runs, account.id, [found("r1", RunState.CANCELLED)])
    await store.write(
        runs.save_run_step, Update(run.id, 600.0, claim=step.claim, observed=ObservedRun(RunState.RUNNING))
    )
    assert [one.subject.state for one in await store.claim(runs.claim_runs, 10, 60.0)] == [RunState.CANCELLED]


async def test_a_list_is_as_old_as_its_request(store, clock, account):
    run = await going(store)
    await store.write(tasks.add_tasks, [NewTask(TaskKind.LIST_RUNS, account.id)])
    await store.claim(tasks.claim_tasks, 10, 60.0)
    clock.advance(5)
    await store.write(runs.save_run_step, Update(run.id, 600.0, observed=ObservedRun(RunState.RUNNING)))
    await store.perform(runs.merge_runs, account.id, [found("r1", RunState.QUEUED)])
    assert (await store.read(runs.find_run, run.id)).state is RunState.RUNNING


async def test_what_has_ended_here_stays_ended(store, account):
    run = await going(store)
    await store.write(runs.save_run_step, Update(run.id, 0.0, outcome="failed", cause="lost"))
    ended = await store.read(runs.find_run, run.id)
    assert await store.perform(runs.merge_runs, account.id, [found("r1")]) == 0
    assert await store.read(runs.find_run, run.id) == ended


async def test_a_run_that_is_listed_twice_is_one(store, account):
    assert (
        await store.perform(runs.merge_runs, account.id, [found("r1"), found("r1", RunState.SUCCEEDED)]) == 1
    )
    assert len(await store.read(runs.list_runs, ALICE)) == 1


async def test_nothing_is_kept_of_a_list_for_an_account_that_is_gone(store, account):
    await unlink(store, ALICE, "posit", revocable=["posit"])
    assert await store.perform(runs.merge_runs, account.id, [found("r1")]) == 0
    assert await store.perform(runs.merge_runs, "nobody", [found("r1")]) == 0
    assert await store.read(runs.list_runs, ALICE) == []


# -- steps ---------------------------------------------------------------------------------------------------


ENTRY = AuditEntry("usher", "job.end", "train", "ended")
RUNNING = ObservedRun(RunState.RUNNING, started_at=5.0)


@pytest.fixture
async def run(store, account):
    return await launched(store)


async def test_a_step_holds_all_that_it_needs(store, account, run):
    (step,) = await store.claim(runs.claim_runs, 10, 60.0)
    assert (step.subject.id, step.account.id, step.person) == (run.id, account.id, None)
    assert step.claim
    await store.save_people([Person(ALICE, "Alice", seen_at=await store.now())])
    await store.write(runs.save_run_step, Update(run.id, 0.0, claim=step.claim))
    assert (await store.claim(runs.claim_runs, 10, 60.0))[0].person.name == "Alice"


async def test_a_leased_run_is_not_claimed_again_before_its_lease_ends(store, clock, account, run):
    assert len(await store.claim(runs.claim_runs, 10, 60.0)) == 1
    clock.advance(59.9)
    assert (
        await store.claim(runs.claim_runs, 10, 60.0)
        == await store.claim(runs.claim_runs_of, account, 10, 60.0)
        == []
    )
    clock.advance(0.1)
    assert len(await store.claim(runs.claim_runs, 10, 60.0)) == 1


async def test_of_two_processes_each_claims_its_own(database):
    first, second = await database.open(), await database.open()
    account = await link_account(first, ALICE, "posit")
    for number in range(40):
        await launched(first, remote_id=f"r{number}")
    claims = await asyncio.gather(
        *(store.claim(runs.claim_runs, 5, 60.0) for store in (first, second) * 3),
        *(store.claim(runs.claim_runs_of, account, 5, 60.0) for store in (first, second)),
    )
    assert claims.count(None) == 1, "one of them reads this account's runs"
    taken = [step.subject.id for steps in claims for step in steps or ()]
    assert len(taken) == len(set(taken)) == 35


async def test_an_accounts_runs_are_read_by_whoever_knows_when_they_were_last(database, clock):
    first, second = await database.open(), await database.open()
    account = await link_account(first, ALICE, "posit")
    assert await first.claim(runs.claim_runs_of, account, 5, 60.0) == []
    assert await second.claim(runs.claim_runs_of, account, 5, 60.0) is None
    read = await second.read(accounts.find_account_by_id, account.id)
    assert read.runs_read_at == clock.now()
    clock.advance(5)
    assert await second.claim(runs.claim_runs_of, read, 0, 60.0) == []
    assert await first.claim(runs.claim_runs_of, read, 5, 60.0) is None


async def test_runs_of_one_account_are_read_together(store, clock, account):
    bob = await link_account(store, BOB, "posit")
    waits = {"now": 0.0, "soon": 2.0, "later": 2.1}
    made = {name: await launched(store, remote_id=name) for name in waits}
    await launched(store)
    await launched(store, BOB, remote_id="theirs")
    for name, wait in waits.items():
        await store.write(runs.save_run_step, Update(made[name].id, wait))
    steps = await store.claim(runs.claim_runs_of, account, 10, 60.0)
    assert {step.subject.remote_id for step in steps} == {"now", "soon"}
    assert [step.subject.remote_id for step in await store.claim(runs.claim_runs_of, bob, 10, 60.0)] == [
        "theirs"
    ]
    await unlink(store, BOB, revocable=["posit"])
    assert (
        await store.claim(runs.claim_runs_of, await store.read(accounts.find_account_by_id, bob.id), 10, 60.0)
        is None
    )


async def test_a_stop_that_is_asked_for_during_a_step_is_stepped_at_once(store, run):
    (step,) = await store.claim(runs.claim_runs, 10, 60.0)
    await want_stop(store, run.id)
    assert await store.claim(runs.claim_runs, 10, 60.0) == []
    await store.write(runs.save_run_step, Update(run.id, 600.0, claim=step.claim))
    assert [one.subject.requested_stop for one in await store.claim(runs.claim_runs, 10, 60.0)] == ["stop"]


async def test_a_plain_stop_under_way_does_not_count_for_a_forced_one(store, run):
    await want_stop(store, run.id)
    (step,) = await store.claim(runs.claim_runs, 10, 60.0)
    await store.write(runs.save_run_step, Update(run.id, 30.0, stop_call=Call.CALLING, claim=step.claim))
    await want_stop(store, run.id, "force")
    await store.write(runs.save_run_step, Update(run.id, 600.0, stop_call=Call.ACCEPTED, claim=step.claim))
    (step,) = await store.claim(runs.claim_runs, 10, 60.0)
    assert (step.subject.requested_stop, step.subject.stop_call) == ("force", Call.NONE)
    await store.write(runs.save_run_step, Update(run.id, 600.0, stop_call=Call.ACCEPTED, claim=step.claim))
    assert (await store.read(runs.find_run, run.id)).stop_call is Call.ACCEPTED


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
    await store.write(runs.save_run_step, Update(run.id, 1.0, observed=ObservedRun(known)))
    await store.write(runs.save_run_step, Update(run.id, 1.0, observed=ObservedRun(told)))
    assert (await store.read(runs.find_run, run.id)).state is kept


async def test_a_card_is_owed_for_what_is_seen(store, clock, run):
    async def dirt(**fields):
        for card in await store.claim(cards.claim_cards, 10, 60.0):
            await store.write(cards.finish_update, run.id, card)
        await store.write(runs.save_run_step, Update(run.id, 1.0, **fields))
        card = await store.read(cards.find_card, run.id)
        return (card.is_dirty, card.changed_at is not None)

    for notice in await store.perform(notices.claim_notices, 10, 60.0):
        await store.write(notices.mark_notice_sent, notice, "D1", "1.1")
    assert await dirt() == (False, False)
    assert await dirt(observed=ObservedRun(RunState.QUEUED)) == (False, False)
    assert await dirt(observed=ObservedRun(RunState.QUEUED, name="better")) == (True, False)
    assert await dirt(observed=RUNNING) == (True, False)
    assert await dirt(outcome=Outcome.ENDED) == (True, True)


@pytest.mark.both_engines
async def test_a_run_that_a_list_brought_in_is_the_launched_one(store, account, run):
    (step,) = await store.claim(runs.claim_runs, 10, 60.0)
    await store.perform(runs.merge_runs, account.id, [DiscoveredRun("r1", "train", RUNNING)])
    listed = await run_by_remote(store, ALICE, "posit", "r1")
    await watch_run(store, listed.id)
    await want_stop(store, listed.id)
    update = Update(run.id, 2.0, remote_id="r1", start_call=Call.ACCEPTED, claim=step.claim)
    assert await store.write(runs.save_run_step, update)
    (only,) = await store.read(runs.list_runs, ALICE)
    assert (only.id, only.remote_id, only.requested_stop) == (run.id, "r1", "stop")
    assert await store.read(runs.find_run, listed.id) is None
    assert await store.read(cards.find_card, listed.id) is None


@machines_clock
async def test_a_jump_of_the_clock_gives_a_call_no_more_time(store, clock):
    await link_account(store, ALICE, "posit")
    run = await launched(store)
    (step,) = await store.claim(runs.claim_runs, 10, 60.0)
    calling = Update(run.id, 30.0, start_call=Call.CALLING, called=True, claim=step.claim)
    await store.write(runs.save_run_step, calling)
    called_at = (await store.read(runs.find_run, run.id)).called_at
    clock.jump(3600)
    assert await store.claim(runs.claim_runs, 10, 60.0) == []
    moved = await store.read(runs.find_run, run.id)
    # The search for the run uses the provider's clock, which doesn't stop while our machine sleeps.
    assert (moved.called_at, moved.sent_at) == (pytest.approx(called_at + 3600, abs=0.01), called_at)
    clock.advance(30.1)
    assert len(await store.claim(runs.claim_runs, 10, 60.0)) == 1


async def test_no_run_takes_the_place_of_another_that_was_launched(store, clock, run):
    other = await launched(store)
    await store.write(runs.save_run_step, Update(other.id, 2.0, remote_id="r1", start_call=Call.ACCEPTED))
    kept = await store.read(runs.find_run, other.id)
    (step,) = await store.claim(runs.claim_runs, 10, 60.0)
    called = Update(run.id, 60.0, start_call=Call.CALLING, called=True, claim=step.claim)
    assert await store.write(runs.save_run_step, called)
    update = Update(run.id, 2.0, remote_id="r1", start_call=Call.ACCEPTED, claim=step.claim)
    assert await store.write(runs.save_run_step, update)
    assert await store.read(runs.find_run, other.id) == kept
    left = await store.read(runs.find_run, run.id)
    # The run is searched for once more.
    assert (left.remote_id, left.start_call, left.is_open) == (None, Call.UNKNOWN, True)


# -- the account ---------------------------------------------------------------------------------------------


AGAIN = NewNotice("account", NoticeKind.RELINK_PROMPT, "1", ALICE)


async def unlinked(store, *, notify=True):
    return await unlink(store, ALICE, "posit", notify=notify, says=True)


async def failed(store):
    return [
        one
        for one in await store.perform(notices.claim_notices, 10, 60.0)
        if one.kind is NoticeKind.JOB_FAILED
    ]


async def test_an_unlink_ends_runs_and_tells_their_person(store, clock, account):
    run = await launched(store, remote_id="r1", channel_id="C1")
    theirs, elsewhere = await launched(store, BOB), await launched(store, connection="saturn")
    await unlinked(store)
    ended = await store.read(runs.find_run, run.id)
    assert (ended.outcome, ended.cause, ended.ended_at) == ("cancelled", "unlinked", clock.now())
    (notice,) = await failed(store)
    assert (notice.subject, notice.principal) == (run.id, ALICE)
    assert notice.body == {"job": run.id, "connection": "posit", "cause": "unlinked", "channel_id": "C1"}
    assert (await store.read(cards.find_card, run.id)).changed_at == clock.now()
    assert (await store.read(runs.find_run, theirs.id)).is_open
    assert [one.id for one in await store.read(runs.list_runs, ALICE)] == [elsewhere.id]
    assert await run_by_remote(store, ALICE, "posit", "r1") is None
    assert await store.read(runs.list_watched_runs) == []
    assert await watch_run(store, run.id) is None


async def test_nobody_is_told_of_runs_that_they_never_asked_for_or_when_they_left(store, account):
    await store.perform(
        runs.merge_runs, account.id, [DiscoveredRun("r1", "found", ObservedRun(RunState.RUNNING))]
    )
    await unlinked(store)
    assert await failed(store) == []
    await link_account(store, ALICE, "posit", secret="again")
    run = await launched(store)
    await unlinked(store, notify=False)
    assert not (await store.read(runs.find_run, run.id)).is_open
    assert await failed(store) == []


async def test_a_run_that_was_let_go_is_found_again_after_a_new_link(store, account):
    run = await launched(store, remote_id="r1")
    await unlinked(store)
    again = await link_account(store, ALICE, "posit", secret="again")
    assert (
        await store.perform(
            runs.merge_runs, again.id, [DiscoveredRun("r1", "found", ObservedRun(RunState.RUNNING))]
        )
        == 1
    )
    found = await run_by_remote(store, ALICE, "posit", "r1")
    assert found.id != run.id
    assert found.is_open


@pytest.mark.both_engines
async def test_a_refused_account_holds_runs_and_a_new_link_lets_them_go_on(store, clock, account):
    run = await launched(store)
    await store.write(runs.save_run_step, Update(run.id, 600.0))
    assert await refuse(store, account)
    held = await store.read(runs.find_run, run.id)
    assert (held.block_reason, held.is_open) == (hold_by_cause("credential_refused"), True)
    assert await store.claim(runs.claim_runs_of, account, 10, 60.0) is None
    await link_account(store, ALICE, "posit", secret="again")
    resumed = await store.read(runs.find_run, run.id)
    assert (resumed.block_reason, resumed.next_step_at) == (None, clock.now())
    (step,) = await store.claim(runs.claim_runs, 10, 60.0)
    assert step.account.secret == "again"


@pytest.mark.both_engines
async def test_snapshots_and_what_was_filled_in_go_with_the_account(store, account):
    bob = await link_account(store, BOB, "posit")
    for owner in (account.id, bob.id, ""):
        await store.write(snapshots.save_snapshot, Snapshot("posit", owner, "templates", [owner], 1.0))
    await store.write(forms.remember, ALICE, "posit", "workspace", {"ide": "RStudio"})
    await store.write(forms.remember, BOB, "posit", "workspace", {"ide": "VS Code"})
    await unlinked(store)
    kept = [
        await store.read(snapshots.find_snapshot, "posit", owner, "templates")
        for owner in (account.id, bob.id, "")
    ]
    assert [one and one.payload for one in kept] == [None, [bob.id], [""]]
    assert await store.read(forms.find_form_values, ALICE, "posit", "workspace") == {}
    assert await store.read(forms.find_form_values, BOB, "posit", "workspace") == {"ide": "VS Code"}
    await store.write(snapshots.save_snapshot, Snapshot("posit", account.id, "templates", ["late"], 2.0))
    assert await store.read(snapshots.find_snapshot, "posit", account.id, "templates") is None


async def test_another_account_of_the_pair_sees_nothing_of_the_first_ones_snapshots(store, account):
    await store.write(snapshots.save_snapshot, Snapshot("posit", account.id, "templates", ["mine"], 1.0))
    await link_account(store, ALICE, "posit", username="other")
    assert await store.read(snapshots.find_snapshot, "posit", account.id, "templates") is None


@pytest.mark.parametrize("connection", ["posit", None])
@pytest.mark.parametrize("state", ["requested", "approved"])
async def test_what_administrators_were_asked_for_is_withdrawn_also_without_an_account(
    store, connection, state
):
    asked = Approval("a1", ALICE, "posit", "alice", "requested", 1.0)
    others = Approval("a2", BOB, "posit", "bob", "requested", 1.0)
    await ask_approval(store, asked)
    await ask_approval(store, others)
    if state == "approved":
        await decide_approval(store, "a1", "approved", "UADMIN")
    assert await unlink(store, ALICE, connection) == []
    assert await store.read(approvals_store.find_request, "a1") is None
    assert await store.read(approvals_store.find_request, "a2") == others
