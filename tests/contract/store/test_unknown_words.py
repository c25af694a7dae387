"""Rows of a later release: each is left alone, on every queue, and stops none of its neighbours."""

import pytest
from structlog.testing import capture_logs

from bot.domain.errands import Call
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observed import Observed
from bot.domain.steps import Update
from bot.domain.stops import End
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.store import timers
from bot.store.budget import ENDLESS
from bot.store.cards import MOMENT_SECONDS
from bot.store.tasks import NewTask
from bot.support.errors import UnknownWord
from tests.rigs.store import (
    ALICE,
    accept_operation,
    launched,
    link_account,
    linked,
    observe,
    set_timer,
    want_read,
    within,
)


async def rewrite(store, statement):
    """Write what a later release would have written."""
    await store.engine.write(lambda tx: tx.run(statement))


async def row(store, table, row_id):
    return await store.engine.read(lambda tx: tx.one(f"SELECT * FROM {table} WHERE id = '{row_id}'"))


@pytest.fixture
async def two(store):
    """Two workspaces of one person, each being started."""
    workspaces = (await linked(store, names=["later", "known"])).workspaces
    return [(await accept_operation(store, one)).operation for one in workspaces]


LATER_OPERATION = (
    "verb = 'archive'",
    "start_call = 'queued'",
    "stop_call = 'queued'",
    "prior_call = 'queued'",
)


@pytest.mark.both_engines
@pytest.mark.parametrize("words", LATER_OPERATION)
async def test_an_operation_is_left_alone(store, clock, two, words):
    later, known = two
    await rewrite(store, f"UPDATE operations SET {words} WHERE id = '{later.id}'")
    before = await row(store, "operations", later.id)
    (claimed,) = await store.claim_operations(10, 40.0)
    assert claimed.operation.id == known.id
    assert await store.claim_operations(10, 40.0) == []
    assert await row(store, "operations", later.id) == before
    assert (await store.statistics())["left_to_later_releases"] == 1


async def test_an_operation_whose_verb_is_not_known_is_missing_from_lists_and_cannot_be_shown(store, two):
    later, known = two
    await rewrite(store, f"UPDATE operations SET verb = 'archive' WHERE id = '{later.id}'")
    assert [one.id for one in await store.open_operations(ALICE)] == [known.id]
    with pytest.raises(UnknownWord, match="this one doesn't know: 'archive'"):
        await store.latest_operation(later.workspace_id)


async def test_a_call_of_which_a_later_release_knows_more_is_unknown(store, two):
    later, _known = two
    await rewrite(store, f"UPDATE operations SET start_call = 'queued' WHERE id = '{later.id}'")
    assert (await store.operation(later.id)).start_call is Call.UNKNOWN


@pytest.mark.both_engines
@pytest.mark.parametrize("words", ["start_call = 'queued'", "stop_call = 'queued'"])
async def test_a_run_is_left_alone_also_where_an_accounts_are_read_together(store, clock, words):
    account = await link_account(store, ALICE, "posit")
    later, known = [await launched(store, remote_id=name) for name in ("r1", "r2")]
    await rewrite(store, f"UPDATE runs SET {words} WHERE id = '{later.id}'")
    (claimed,) = await store.claim_runs(10, 40.0)
    assert claimed.run.id == known.id
    await store.save_run_step(Update(known.id, 1.0, claim=claimed.claim))
    (claimed,) = await store.claim_runs_of(account, 10, 40.0)
    assert claimed.run.id == known.id
    assert (await store.statistics())["left_to_later_releases"] == 1


async def test_what_was_observed_is_read_again_instead(store, clock, two):
    later, _known = two
    await rewrite(store, f"UPDATE workspaces SET state = 'hibernated' WHERE id = '{later.workspace_id}'")
    with capture_logs() as logs:
        assert [one.state for one in await store.workspaces(ALICE)] == [State.STOPPED, State.UNKNOWN]
        assert (await store.workspace(later.workspace_id)).state is State.UNKNOWN
    assert len(await store.claim_operations(10, 40.0)) == 2
    assert [(log["kind"], log["word"]) for log in logs] in ([("State", "hibernated")], [])
    for operation in two:
        await want_read(store, operation.workspace_id)
    assert len(await store.claim_reads("saturn", 10, 10.0, 0.5)) == 2
    workspace = await store.workspace(later.workspace_id)
    await observe(store, clock, workspace, Observed(State.RUNNING))
    assert (await store.workspace(later.workspace_id)).state is State.RUNNING


@pytest.mark.both_engines
async def test_a_timer_of_a_workspace_in_a_later_state_still_stops_it(store, clock):
    first, second = (await linked(store, names=["later", "known"])).workspaces
    for workspace in (first, second):
        await observe(store, clock, workspace, Observed(State.RUNNING))
        await set_timer(store, workspace, End(clock.now() + 3600.0, "stop"))
    await rewrite(store, f"UPDATE workspaces SET state = 'hibernated' WHERE id = '{first.id}'")
    clock.advance(3600.0)
    assert {one.id for one in await within(store, timers.claim_timers, 10, 40.0)} == {first.id, second.id}


@pytest.mark.both_engines
async def test_what_a_later_verb_does_is_not_guessed_from_reads(store, clock, two):
    later, _known = two
    await rewrite(store, f"UPDATE operations SET verb = 'archive' WHERE id = '{later.id}'")
    workspace = await store.workspace(later.workspace_id)
    await observe(store, clock, workspace, Observed(State.RUNNING))
    before = (await store.workspace(workspace.id)).episode
    await rewrite(store, f"UPDATE operations SET outcome = 'unknown', ended_at = 1 WHERE id = '{later.id}'")
    clock.advance(20)
    await observe(store, clock, workspace, Observed(State.STOPPED))
    # Nobody is told that it was stopped elsewhere, and no start was noticed.
    assert await store.claim_notices(10, 60.0) == []
    assert (await store.workspace(workspace.id)).episode == before


@pytest.mark.both_engines
async def test_a_notice_is_left_alone_and_so_is_its_card(store, clock, two):
    later, known = two
    ready = [
        NewNotice(
            one.id, NoticeKind.WAITING, "1", ALICE, {"workspace": one.workspace_id, "connection": "saturn"}
        )
        for one in two
    ]
    await store.add_notices(ready)
    await rewrite(store, f"UPDATE notices SET kind = 'reported' WHERE subject = '{later.id}'")
    await rewrite(store, f"UPDATE cards SET kind = 'reported' WHERE subject = '{later.id}'")
    before = await store.engine.read(lambda tx: tx.all("SELECT * FROM notices WHERE kind = 'reported'"))
    (notice,) = await store.claim_notices(10, 60.0)
    assert notice.subject == known.id
    assert before == await store.engine.read(
        lambda tx: tx.all("SELECT * FROM notices WHERE kind = 'reported'")
    )
    await store.notice_sent(notice.id, "D1", "1.1")
    await rewrite(
        store, f"UPDATE cards SET message_ts = '0.1', channel_id = 'D1' WHERE subject = '{later.id}'"
    )
    statistics = await store.statistics()
    assert (statistics["pending_notices"], statistics["left_to_later_releases"]) == (1, 1)
    await rewrite(store, f"UPDATE cards SET is_dirty = 1, changed_at = {clock.now()} WHERE is_notice = 1")
    (card,) = await store.claim_cards(10, 0.0, 60.0)
    assert card.subject == known.id
    await store.card_updated(card.id, card)
    await rewrite(store, "UPDATE cards SET is_dirty = 1, changed_at = NULL WHERE is_notice = 1")
    clock.advance(MOMENT_SECONDS)
    (card,) = await store.claim_cards(10, 0.0, 60.0)
    assert card.subject == known.id
    # Homes wait for what is sent first, but not for what somebody else will send.
    assert not await store.is_news_waiting(notices=ENDLESS, cards=ENDLESS)


@pytest.mark.both_engines
async def test_a_task_is_left_alone(store):
    await store.add_tasks([NewTask(TaskKind.DISCOVER, name) for name in ("later", "known")])
    await rewrite(store, "UPDATE tasks SET kind = 'reconcile' WHERE subject = 'later'")
    (task,) = await store.claim_tasks(10, 40.0)
    assert task.subject == "known"
    assert await store.claim_tasks(10, 40.0) == []
    statistics = await store.statistics()
    assert (statistics["tasks"], statistics["left_to_later_releases"]) == (2, 1)


@pytest.mark.both_engines
async def test_dead_notices_of_a_later_release_hide_no_others(store):
    await store.add_notices([NewNotice(name, NoticeKind.MESSAGE, "1", ALICE) for name in ("later", "known")])
    for notice in await store.claim_notices(10, 60.0):
        await store.notice_dead(notice.id, "gone")
    await rewrite(store, "UPDATE notices SET kind = 'reported' WHERE subject = 'later'")
    assert [one.subject for one in await store.dead_notices()] == ["known"]
