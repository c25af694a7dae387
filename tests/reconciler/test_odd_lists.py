"""A list that is good, then has an odd or missing entry, then is good again: nothing counts as gone."""

from typing import Any

import pytest

from bot.domain.runs import RunState
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.store import accounts, tasks, workspaces
from bot.store import runs as run_rows
from bot.store.tasks import NewTask
from bot.support.errors import BadAnswer
from tests.contract.providers.odd_answers import (
    JOB,
    PAST,
    POD,
    RECIPE,
    SERVER,
    SESSION,
    A,
    B,
    Change,
    but,
    instead,
    provider,
    two,
    without,
)
from tests.rigs.store import ALICE, notify, want_read

GOOD: Change = lambda entry: entry  # noqa: E731 - a change like the others


def saturn(change: Change) -> dict[str, Any]:
    listed = two(RECIPE, change)
    return {"recipes": {"recipes": listed}, f"workspaces_{A}": _status(A), f"workspaces_{B}": _status(B)}


def _status(remote_id: str) -> dict[str, Any]:
    return {"id": remote_id, "status": "running", "url": "https://app.acme.io/x"}


def posit(change: Change) -> dict[str, Any]:
    return {"get_session": {"sessions": two(SESSION, change)}}


def hub(change: Change) -> dict[str, Any]:
    servers = {"odd": change(dict(SERVER)), "good": SERVER}
    return {"users_alice": {"servers": servers}}


def saturn_runs(change: Change) -> dict[str, Any]:
    run = {**RECIPE, "type": "job"}
    return {
        "recipes": {"recipes": [run]},
        "active_pods": {"pod_summaries": two(POD, change)},
        f"jobs_{A}_history": {"pods": [{**PAST, "status": "running"}]},
    }


def posit_runs(change: Change) -> dict[str, Any]:
    return {"get_session": {"sessions": [], "jobs": two(JOB, change)}}


async def turn(world: Any, answers: dict[str, Any], kind: TaskKind) -> None:
    """Let the provider give these answers while lists and reads are repeated a few times."""
    world.provider.api._http.answers = answers
    account = await world.store.read(accounts.find_account, ALICE, "cloud")
    for _ in range(3):
        await world.store.write(tasks.add_tasks, [NewTask(kind, account.id)])
        for row in await world.store.perform(workspaces.read_workspaces, ALICE):
            await want_read(world.store, row.id)
        await world.pass_time(40, step=4)


async def begin(world: Any, kind: str) -> None:
    world.provider = provider(kind)
    world.reborn()
    await world.link(username="alice")
    await world.know()


@pytest.mark.parametrize(
    ("kind", "answers", "odd"),
    [
        ("saturn", saturn, but(state__status=None)),
        ("saturn", saturn, but(state__id=None)),
        ("saturn", saturn, instead(None)),
        ("posit", posit, but(activity_state=None)),
        ("posit", posit, without("id")),
        ("posit", posit, instead("x")),
        ("jupyterhub", hub, but(ready=None)),
        ("jupyterhub", hub, instead(None)),
    ],
)
async def test_no_workspace_is_gone_and_nobody_is_told(world, kind, answers, odd):
    await begin(world, kind)
    await turn(world, answers(GOOD), TaskKind.DISCOVER)
    rows = {row.id: row for row in await world.store.perform(workspaces.read_workspaces, ALICE)}
    for row_id in rows:
        await notify(world.store, row_id, ready=None, stopped=True)
    for change in (odd, GOOD):
        before = (await world.store.read(accounts.find_account, ALICE, "cloud")).discovered_at
        await turn(world, answers(change), TaskKind.DISCOVER)
        assert (await world.store.read(accounts.find_account, ALICE, "cloud")).discovered_at > before
        now = {row.id: row for row in await world.store.perform(workspaces.read_workspaces, ALICE)}
        assert {key: (row.name, row.state) for key, row in now.items()} == {
            key: (row.name, row.state) for key, row in rows.items()
        }
        assert State.GONE not in {row.state for row in now.values()}
    assert len(rows) >= 2
    assert world.slack.messages == []


@pytest.mark.parametrize(
    ("kind", "answers", "odd"),
    [
        ("saturn", saturn_runs, without("status")),
        ("saturn", saturn_runs, instead(None)),
        ("posit", posit_runs, but(status=None)),
        ("posit", posit_runs, instead(None)),
    ],
)
async def test_no_run_is_lost_and_nobody_is_told(world, kind, answers, odd):
    await begin(world, kind)
    await turn(world, answers(GOOD), TaskKind.LIST_RUNS)
    runs = {run.id: run for run in await world.store.read(run_rows.list_runs, ALICE)}
    assert len(runs) >= 2
    for change in (odd, GOOD):
        before = max(run.observed_at for run in runs.values())
        await turn(world, answers(change), TaskKind.LIST_RUNS)
        now = {run.id: run for run in await world.store.read(run_rows.list_runs, ALICE)}
        assert {key: (run.name, run.state, run.outcome) for key, run in now.items()} == {
            key: (run.name, run.state, None) for key, run in runs.items()
        }
        assert {run.state for run in now.values()} == {RunState.RUNNING}
        assert max(run.observed_at for run in now.values()) > before
    assert world.slack.messages == []


async def test_what_runs_is_not_gone_by_one_list_that_lacks_it(world):
    await begin(world, "saturn")
    await turn(world, saturn(GOOD), TaskKind.DISCOVER)
    for row in await world.store.perform(workspaces.read_workspaces, ALICE):
        await notify(world.store, row.id, ready=None, stopped=True)
    account = await world.store.read(accounts.find_account, ALICE, "cloud")
    lacking = {**saturn(GOOD), "recipes": {"recipes": two(RECIPE, GOOD)[1:]}}
    for answers in (lacking, saturn(GOOD), lacking):
        world.provider.api._http.answers = answers
        asked = len(world.provider.api._http.asked)
        await world.store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])
        # The list alone makes a read due. Nobody has to ask for one.
        await world.pass_time(40, step=4)
        assert {row.state for row in await world.store.perform(workspaces.read_workspaces, ALICE)} == {
            State.RUNNING
        }
        is_read = f"workspaces/{B}" in world.provider.api._http.asked[asked:]
        assert is_read is (answers is lacking)
    assert world.slack.messages == []
    # If its own status confirms that, it is gone, which is reported once.
    del lacking[f"workspaces_{B}"]
    await world.store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])
    await world.pass_time(40, step=4)
    assert [row.state for row in await world.store.perform(workspaces.read_workspaces, ALICE)].count(
        State.GONE
    ) == 1
    assert len(world.slack.messages) == 1


async def test_who_waits_for_a_list_that_cant_be_read_hears_so_within_seconds(world):
    account = await world.link()
    command = {"text": "list", "principal": ALICE.key, "interaction": "click-1"}
    await world.store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id, {"then": [command]})])
    world.provider.fail("discover", BadAnswer("the answer's field recipes is not a list"), times=5)
    await world.pass_time(6)
    [(_, told)] = world.replayed
    assert told["problem"] == "bad_answer"
    # The list is tried again, and a person who was told isn't told twice.
    await world.pass_time(60)
    assert world.provider.count("discover") == 6
    assert len(world.replayed) == 1
    assert (await world.store.read(accounts.find_account_by_id, account.id)).discovered_at is not None
