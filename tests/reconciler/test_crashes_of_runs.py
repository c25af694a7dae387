"""Runs and their outputs, killed anywhere: launched once, told of once, whole in one file."""

from contextlib import suppress

import pytest

from bot.domain.runs import RunState
from bot.domain.settling import MAKE_SETTLES
from bot.support.errors import StoreBusy
from tests.reconciler.fuse import Fuse, Killed
from tests.reconciler.runs import new_run_world
from tests.rigs.store import ALICE

TEXT = "".join(f"line {number}\n" for number in range(50))

how = pytest.mark.parametrize("is_kill", [True, False], ids=["kill", "error"])
when = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])


async def goes_on(runs, seconds: int, step: float = 1.0) -> None:
    """Let time pass as the loops do, until all is over at most: an error ends a step, a kill the process."""
    left = round(seconds / step)
    while left > 0:
        left -= 1
        try:
            await runs.world.work()
        except StoreBusy:
            continue
        except Killed:
            runs.world.reborn()
        runs.clock.advance(step)
        if await is_over(runs):
            left = min(left, 5)


async def is_over(runs) -> bool:
    known = await runs.store.statistics()
    (run,) = await runs.store.runs(ALICE)
    return known["open_runs"] + known["pending_notices"] == 0 and not run.is_watched


def is_whole(runs, run_id: str) -> None:
    """Everything came, and nothing came twice."""
    keys = runs.slack.keys()
    assert sorted(keys) == sorted(set(keys))
    # One that is over before its output was seen has no message of its own for that.
    assert {*runs.slack.kinds()} | {"job_output"} == {"job_card", "job_ended", "job_output"}
    assert runs.cloud.launched(run_id) == ["run1"]
    (file,) = runs.slack.shared()
    assert file["files"][0]["content"].decode() == TEXT
    assert file["thread_ts"] == runs.message(f"{run_id}/job_card/1")["ts"]


async def a_run(at: int, *, after: bool, is_kill: bool) -> bool:
    async with new_run_world() as runs:
        runs.cloud.job_takes = 12.0
        for begin in range(0, len(TEXT), 40):
            runs.cloud.writes("run1", TEXT[begin : begin + 40])
        run_id = await runs.runs()
        fuse = Fuse(at, after=after, is_kill=is_kill, done=runs.world.done)
        runs.world.reborn(fuse)
        await goes_on(runs, 40)
        runs.world.reborn()
        # Leases of the dead run out, messages of unknown outcome settle.
        await goes_on(runs, 160, step=5.0)
        run = await runs.run(run_id)
        assert (run.outcome, run.state, run.is_watched) == ("ended", RunState.SUCCEEDED, False)
        assert (await runs.store.statistics())["pending_notices"] == 0
        is_whole(runs, run_id)
        return fuse.is_blown


# Every number is gone through by tests/faults with ``--every-call``, with the whole process.
@how
@when
async def test_a_run_that_meets_trouble_at_some_call_ends_in_one_message_and_one_file(after, is_kill):
    for at in range(1 + 9 * (2 * after + is_kill), 10_000, 36):
        if not await a_run(at, after=after, is_kill=is_kill):
            break


@pytest.mark.parametrize("after", [True, False])
async def test_killed_while_the_launch_is_under_way(after):
    async with new_run_world() as runs:
        runs.cloud.writes("run1", TEXT)
        runs.cloud.fail("launch_job", Killed(), after=after)
        run_id = await runs.runs()
        with suppress(Killed):
            await runs.world.work()
        runs.world.reborn()
        await goes_on(runs, 200)
        is_whole(runs, run_id)
        # What is there is found at once; what is not is looked for at the usual pace while it may still show.
        looks = 1 if after else 1 + MAKE_SETTLES / runs.cloud.pace.pending
        assert (runs.cloud.count("launch_job"), runs.cloud.count("find_job")) == (1 if after else 2, looks)


async def test_killed_while_a_stop_is_under_way():
    async with new_run_world() as runs:
        runs.cloud.job_takes = None
        run_id = await runs.runs()
        await runs.world.pass_time(5)
        runs.cloud.fail("stop_job", Killed(), after=True)
        await runs.stop(run_id)
        with suppress(Killed):
            await runs.world.work()
        runs.world.reborn()
        await goes_on(runs, 100)
        run = await runs.run(run_id)
        assert (run.outcome, run.state) == ("ended", RunState.CANCELLED)
        assert runs.slack.kinds().count("job_ended") == 1


async def test_a_stop_outlives_a_kill_before_the_launch():
    async with new_run_world() as runs:
        run_id = await runs.runs()
        await runs.stop(run_id)
        runs.world.reborn()
        await goes_on(runs, 20)
        assert (await runs.run(run_id)).outcome == "cancelled"
        assert runs.cloud.runs == {}
