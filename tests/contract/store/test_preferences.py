"""What people want to hear is kept; what is held back is told once, in one message, or visibly given up."""

from datetime import UTC, datetime

import pytest

from bot.domain.notices import NewNotice, NoticeKind, NoticeState
from bot.domain.people import Preferences
from bot.domain.runs import Update
from bot.domain.workspaces import Observed, OperationVerb, Outcome, State
from tests.contract.store.conftest import machines_clock
from tests.rigs.store import ALICE, BOB, accept_operation, linked, observe, prefer

#: 2027-01-15 08:00 UTC is when the clock of these tests stands.
QUIET = Preferences(stopped=True, quiet_from=7 * 60, quiet_to=10 * 60)
END = 2 * 3600.0


@pytest.fixture
async def notebook(store):
    assert datetime.fromtimestamp(await store.now(), UTC).hour == 8
    return (await linked(store, ALICE, ("notebook",), state=State.RUNNING)).workspaces[0]


async def stop_by_itself(store, clock, workspace):
    await observe(store, clock, workspace, Observed(State.STOPPED))


async def up(store, clock, workspace):
    await observe(store, clock, workspace, Observed(State.RUNNING))


async def claimed(store):
    return await store.claim_notices(50, 60.0)


async def test_preferences_are_kept(store):
    assert await store.preferences(ALICE) == Preferences()
    wanted = Preferences(
        ready=False, stopped=True, quiet_from=0, quiet_to=1439, workspace_id="w", connection="c", template="t"
    )
    await prefer(store, ALICE, wanted)
    assert await store.preferences(ALICE) == wanted
    assert await store.preferences(BOB) == Preferences()
    await prefer(store, ALICE, Preferences())
    assert await store.preferences(ALICE) == Preferences()


async def test_what_is_off_is_not_written_where_a_card_tells_it(store, notebook):
    await prefer(store, ALICE, Preferences(ready=False))
    for number, notices in enumerate(([], [NewNotice("", NoticeKind.CARD, "1", ALICE)])):
        accepted = await accept_operation(store, notebook, interaction=f"i{number}", notices=notices)
        ready = NewNotice("", NoticeKind.READY, "end", ALICE)
        await store.save_step(Update(accepted.operation.id, 0.0, outcome=Outcome.FULFILLED, notices=[ready]))
    kinds = [one.kind for one in await claimed(store)]
    assert kinds == [NoticeKind.READY, NoticeKind.CARD]


async def test_what_is_held_comes_in_one_notice_at_the_end(store, clock, notebook):
    await prefer(store, ALICE, QUIET)
    for _ in range(2):
        await stop_by_itself(store, clock, notebook)
        await up(store, clock, notebook)
    assert await claimed(store) == []
    assert (await store.statistics())["pending_notices"] == 3
    clock.advance(END)
    (held,) = await claimed(store)
    assert (held.kind, held.principal) == (NoticeKind.HELD, ALICE)
    assert [one.kind for one in await store.held_notices(held.id)] == [NoticeKind.STOPPED_ELSEWHERE] * 2
    assert not await store.hold_longer(held)
    await store.notice_sent(held.id, "D1", "1.0")
    assert (await store.statistics())["pending_notices"] == 0
    told = await store.held_notices(held.id)
    assert [(one.state, one.body) for one in told] == [(NoticeState.SENT, {})] * 2


async def test_what_comes_while_it_is_being_sent_is_held_by_another(store, clock, notebook):
    await prefer(store, ALICE, QUIET)
    await stop_by_itself(store, clock, notebook)
    clock.advance(END)
    (first,) = await claimed(store)
    await prefer(store, ALICE, Preferences(stopped=True, quiet_from=7 * 60, quiet_to=12 * 60))
    await up(store, clock, notebook)
    await stop_by_itself(store, clock, notebook)
    await store.notice_sent(first.id, "D1", "1.0")
    clock.advance(END)
    (second,) = await claimed(store)
    assert second.id != first.id
    assert len(await store.held_notices(second.id)) == 1


async def test_a_claimed_one_is_held_on_while_it_is_still_quiet(store, clock, notebook):
    await prefer(store, ALICE, QUIET)
    await stop_by_itself(store, clock, notebook)
    await prefer(store, ALICE, Preferences(stopped=True, quiet_from=7 * 60, quiet_to=12 * 60))
    clock.advance(END)
    (held,) = await claimed(store)
    assert await store.hold_longer(held)
    clock.advance(3600.0)
    assert await claimed(store) == []
    clock.advance(3600.0)
    (again,) = await claimed(store)
    assert again.id == held.id
    assert not await store.hold_longer(again)


@machines_clock
@pytest.mark.parametrize("ahead", [1800.0, 30 * 86_400.0])
async def test_a_clock_that_was_ahead_holds_nothing_for_longer(database, clock, ahead):
    clock.jump(ahead)
    store = await database.open(serves=True)
    workspace = (await linked(store, ALICE, ("notebook",), state=State.RUNNING)).workspaces[0]
    await prefer(store, ALICE, QUIET)
    await stop_by_itself(store, clock, workspace)
    await store.close()
    clock.jump(-ahead)
    store = await database.open(serves=True)
    assert await claimed(store) == []
    clock.advance(END)
    assert [one.kind for one in await claimed(store)] == [NoticeKind.HELD]


async def test_what_is_given_up_shows_with_all_that_it_held(store, clock, notebook):
    await prefer(store, ALICE, QUIET)
    await stop_by_itself(store, clock, notebook)
    clock.advance(END)
    (held,) = await claimed(store)
    await store.notice_dead(held.id, "user_disabled")
    dead = await store.dead_notices()
    assert {one.kind for one in dead} == {NoticeKind.HELD, NoticeKind.STOPPED_ELSEWHERE}
    assert {one.state for one in dead} == {NoticeState.DEAD}


async def test_the_end_of_a_class_was_asked_for_by_somebody_else(store, clock, notebook):
    """A stop that the person asked for a moment ago is told at once, as the only one."""
    await prefer(store, ALICE, QUIET)
    operation = (await accept_operation(store, notebook, OperationVerb.STOP, interaction="i1")).operation
    stopped = NewNotice("", NoticeKind.STOPPED, "end", ALICE)
    await store.save_step(Update(operation.id, 0.0, outcome=Outcome.FULFILLED, notices=[stopped]))
    assert [one.kind for one in await claimed(store)] == [NoticeKind.STOPPED]
