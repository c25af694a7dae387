"""How long a start takes is worked out when it is accepted: from one's own, else from ten alike."""

import pytest

from bot.domain.people import Principal
from bot.domain.runs import Update
from bot.domain.workspaces import Call, OperationVerb, Outcome
from tests.rigs.store import ALICE, accept_operation, linked


def person(number, team="T1"):
    return Principal(None, team, f"U{number:02}")


async def start(store, clock, workspace, seconds=None, *, call=Call.ACCEPTED):
    """Accept a start; with seconds, have it take so long. Return it as it was accepted."""
    started = (await accept_operation(store, workspace)).operation
    if seconds is not None:
        await store.save_step(Update(started.id, 1.0, start_call=call, called=call is not Call.NONE))
        clock.advance(seconds)
        await store.save_step(Update(started.id, 0.0, outcome=Outcome.FULFILLED))
    return started


async def workspace_of(store, principal):
    return (await linked(store, principal, names=("lab",), username=principal.user_id)).workspaces[0]


async def test_ones_own_starts_count_from_the_third(store, clock):
    workspace = await workspace_of(store, ALICE)
    for seconds, call in ((10, Call.ACCEPTED), (1000, Call.NONE), (50, Call.ACCEPTED), (30, Call.ACCEPTED)):
        assert (await start(store, clock, workspace, seconds=seconds, call=call)).usual_seconds is None
    assert (await start(store, clock, workspace)).usual_seconds == 30


@pytest.mark.parametrize(("count", "team", "usual"), [(9, "T1", None), (10, "T1", 60.0), (10, "T2", None)])
async def test_before_that_ten_of_others_in_the_same_slack_workspace(store, clock, count, team, usual):
    for number in range(count):
        other = person(number, team)
        workspace = await workspace_of(store, other)
        await start(store, clock, workspace, seconds=300 if number == 9 else 60)
    mine = await start(store, clock, await workspace_of(store, ALICE))
    assert (mine.usual_seconds, mine.slow_seconds) == (usual, usual)


async def test_what_brings_down_takes_no_usual_time(store, clock):
    workspace = await workspace_of(store, ALICE)
    for _ in range(3):
        await start(store, clock, workspace, seconds=10)
    assert (await accept_operation(store, workspace, OperationVerb.STOP)).operation.usual_seconds is None
