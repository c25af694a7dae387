"""Which running workspaces are looked at for whether they are still needed."""

from bot.domain.people import Preferences
from bot.domain.workspaces import Observed, State
from tests.rigs.store import ALICE, linked, observe, prefer

EVERY = 1800.0


async def claimed(store, *, is_set):
    return await store.claim_running(10, EVERY, is_set=is_set)


async def test_what_runs_on_is_looked_at_now_and_then_if_anybody_wants_that(store, clock):
    rows = (await linked(store, names=("runs", "ends", "stopped"), state=State.RUNNING)).workspaces
    await observe(store, clock, rows[1], Observed(State.RUNNING, ends_at=clock.now() + 900, ends_how="stops"))
    await observe(store, clock, rows[2], Observed(State.STOPPED))
    assert await claimed(store, is_set=False) == []
    assert await claimed(store, is_set=True) == [rows[0].id]
    assert await claimed(store, is_set=True) == []
    clock.advance(EVERY)
    await prefer(store, ALICE, Preferences(asks_after=8))
    assert await claimed(store, is_set=False) == [rows[0].id]
