"""Runs of jobs at Saturn Cloud.

A start returns no run's name, so live pods and the history tell runs apart.
"""

import json
from types import SimpleNamespace

import pytest
import pytest_asyncio
from pydantic_core import to_jsonable_python

from bot.domain.forms import FormProblems, Spec
from bot.domain.observations import OutcomeSearch
from bot.domain.people import Principal
from bot.domain.runs import RunState
from bot.support import errors
from tests.contract.providers.rigs import SATURN_SEED, saturn_rig

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKER = Principal(None, "T1", "U1")
SEED = {
    **SATURN_SEED,
    "jobs": [
        {"owner": "alice", "name": "nightly", "command": "papermill a.ipynb", "schedule": "0 3 * * *"},
        {"owner": "alice", "name": "failing", "command": "python x.py", "exit_code": 3},
        {"owner": "alice", "name": "broken", "fail": True},
        {"owner": "bob", "name": "secret"},
    ],
}


@pytest_asyncio.fixture(loop_scope="session")
async def rig():
    async with saturn_rig(SEED) as ready:
        yield ready


def job_id(rig, name="nightly", owner="alice"):
    found = rig.server.state.resources.values()
    return next(one.id for one in found if (one.name, one.owner, one.type) == (name, owner, "job"))


async def launched(rig, name="nightly", key="job_00000001"):
    return await rig.provider.launch_run(rig.access, Spec(name, {"job": job_id(rig, name)}), key)


async def state_of(rig, remote_id):
    found = await rig.provider.run_status(rig.access, [remote_id])
    return found[remote_id]


async def output_of(rig, remote_id):
    return "".join([chunk.text async for chunk in rig.provider.run_output(rig.access, remote_id)])


async def test_jobs_are_named_by_name_id_or_link(rig):
    snapshot = await rig.provider.read_offer(rig.access)
    json.dumps(to_jsonable_python(snapshot))
    (field,) = rig.provider.form(snapshot, "job", {}, ASKER).fields
    assert {one.label for one in field.choices} == {"nightly", "failing", "broken"}
    key = job_id(rig)
    link = f"{rig.provider.settings.base_url}/dash/resources/job/{key.upper()}/overview"
    for told in ("nightly", " NIGHTLY ", "night", key, link):
        meant = rig.provider.spec(snapshot, "job", {"template": told}, ASKER)
        assert meant == Spec("nightly", {"job": key, "size": "medium"})
    unlisted = rig.provider.spec(snapshot, "job", {"template": "a" * 32}, ASKER)
    assert unlisted == Spec("job aaaaaaaa", {"job": "a" * 32})
    for told in ("", "nothing", f"https://evil.example/dash/resources/job/{key}"):
        with pytest.raises(FormProblems):
            rig.provider.spec(snapshot, "job", {"template": told}, ASKER)


async def test_a_server_without_lists_is_told_the_job_by_its_link(rig):
    rig.server.state.seeds_only = True
    snapshot = await rig.provider.read_offer(rig.access)
    (field,) = rig.provider.form(snapshot, "job", {}, ASKER).fields
    assert (field.name, field.kind) == ("template", "text")
    assert rig.provider.spec(snapshot, "job", {"template": job_id(rig)}, ASKER).text("job") == job_id(rig)


async def test_a_run_is_its_pod_from_the_start_to_the_end(rig):
    run = await launched(rig)
    assert run.remote_id.startswith(f"{job_id(rig)}/j-alice-nightly-")
    assert (await state_of(rig, run.remote_id)).state is RunState.QUEUED
    rig.server_clock.advance(5)
    seen = await state_of(rig, run.remote_id)
    assert (seen.state, seen.started_at) == (RunState.RUNNING, pytest.approx(1_700_000_004.0, abs=0.01))
    rig.server_clock.advance(10)
    seen = await state_of(rig, run.remote_id)
    assert (seen.state, seen.exit_code) == (RunState.SUCCEEDED, 0)
    assert seen.ended_at - seen.started_at == pytest.approx(6.0)
    # Later the run is only in the history, which has no exit code.
    rig.server_clock.advance(600)
    seen = await state_of(rig, run.remote_id)
    assert (seen.state, seen.exit_code) == (RunState.SUCCEEDED, None)


async def test_the_page_of_a_run_is_its_jobs(rig):
    run, provider = await launched(rig), rig.provider
    page = provider.run_page_url(SimpleNamespace(spec=None, remote_id=run.remote_id))
    assert page == f"{provider.settings.base_url}/dash/resources/job/{job_id(rig)}"
    assert provider.run_page_url(SimpleNamespace(spec=Spec("x", {"job": "a/b"}), remote_id=None)).endswith(
        "/a%2Fb"
    )
    assert provider.run_page_url(SimpleNamespace(spec=None, remote_id=None)) == ""


async def test_a_run_that_fails_has_its_exit_code(rig):
    run = await launched(rig, "failing")
    rig.server_clock.advance(15)
    seen = await state_of(rig, run.remote_id)
    assert (seen.state, seen.exit_code) == (RunState.FAILED, 3)
    broken = await launched(rig, "broken")
    rig.server_clock.advance(15)
    assert (await state_of(rig, broken.remote_id)).state is RunState.FAILED


async def test_runs_of_one_job_are_told_apart(rig):
    runs = [(await launched(rig, key=f"job_{number}")).remote_id for number in range(3)]
    assert len(set(runs)) == 3
    found = await rig.provider.run_status(rig.access, runs)
    assert set(found) == set(runs)
    listed = await rig.provider.list_runs(rig.access)
    assert {one.remote_id for one in listed} == set(runs)
    assert {one.name for one in listed} == {"nightly"}


async def test_pods_and_history_are_read_to_their_end(rig):
    first, second = {"name": "p1", "status": "Running"}, {"name": "p2", "status": "pending"}
    # Times may be ISO strings, or numbers of seconds or milliseconds.
    past = [
        {"pod_name": "p3", "status": "COMPLETED", "start_time": 1_700_000_000, "end_time": "1700000060"},
        {"pod_name": "p4", "status": "error", "start_time": 1_700_000_000_000.0, "end_time": None},
    ]
    for body in (
        {"pod_summaries": [first], "next_key": 2},
        {"pod_summaries": [second], "next_key": None},
    ):
        rig.inject_fault("/active/pods$", body=json.dumps(body))
    for body in ({"pods": past[:1], "next_key": "k"}, {"pods": past[1:], "next_key": ""}):
        rig.inject_fault("/history$", body=json.dumps(body))
    wanted = [f"{job_id(rig)}/p{number}" for number in (1, 2, 3, 4)]
    one, two, three, four = (await rig.provider.run_status(rig.access, wanted)).values()
    assert (one.state, two.state) == (RunState.RUNNING, RunState.QUEUED)
    assert (three.state, three.started_at, three.ended_at) == (
        RunState.SUCCEEDED,
        1_700_000_000.0,
        1_700_000_060.0,
    )
    assert (four.state, four.started_at) == (RunState.FAILED, 1_700_000_000.0)


async def test_a_pod_that_is_not_shown_at_once_is_found_later(rig):
    earlier = await launched(rig)
    nothing = json.dumps({"pod_summaries": []})
    rig.server_clock.advance(5)
    requests = rig.harness.requests
    # The first look is before the start; the second finds nothing new.
    shown = {
        "name": earlier.remote_id.partition("/")[2],
        "status": "running",
        "started_at": "2023-11-14T22:13:24Z",
    }
    rig.inject_fault("/api/active/pods$", body=json.dumps({"pod_summaries": [shown]}))
    rig.inject_fault("/api/active/pods$", body=nothing)
    run = await launched(rig)
    assert "/@" in run.remote_id
    assert sum(count for path, count in requests.items() if path.endswith("/start")) == 2
    rig.inject_fault("/api/active/pods$", body=json.dumps({"pod_summaries": [shown]}))
    found = await rig.provider.run_status(rig.access, [earlier.remote_id, run.remote_id])
    assert run.remote_id not in found  # no pod but the earlier one is shown yet
    found = await rig.provider.run_status(rig.access, [earlier.remote_id, run.remote_id])
    assert found[run.remote_id].state is RunState.QUEUED
    rig.server_clock.advance(5)
    found = await rig.provider.run_status(rig.access, [earlier.remote_id, run.remote_id])
    named = found[run.remote_id].remote_id
    assert named not in {None, earlier.remote_id, run.remote_id}
    assert (await output_of(rig, run.remote_id)) == (await output_of(rig, named))


async def test_run_is_found_if_it_starts_in_the_same_second_as_another(rig):
    """The server reports times in whole seconds."""
    earlier, nothing = await launched(rig), json.dumps({"pod_summaries": []})
    pods = [
        {"name": name, "status": "running", "started_at": "2023-11-14T22:13:24Z"}
        for name in (earlier.remote_id.partition("/")[2], "nightly-new")
    ]
    rig.inject_fault("/api/active/pods$", body=json.dumps({"pod_summaries": pods[:1]}))
    rig.inject_fault("/api/active/pods$", body=nothing)
    run = await launched(rig)
    assert "/@" in run.remote_id
    for shown, expected in ((pods[:1], None), (pods, f"{job_id(rig)}/nightly-new")):
        rig.inject_fault("/api/active/pods$", body=json.dumps({"pod_summaries": shown}))
        rig.inject_fault("/history$", body=json.dumps({"pods": []}))
        found = await rig.provider.run_status(rig.access, [earlier.remote_id, run.remote_id])
        assert earlier.remote_id in found
        assert (found[run.remote_id].remote_id if run.remote_id in found else None) == expected


async def test_pod_that_vanished_is_not_running(rig):
    """The history keeps the last status of a pod whose machine was lost."""
    past = [
        {"pod_name": "p1", "status": "running", "start_time": 1_700_000_000, "last_seen": 1_700_000_060},
        {"pod_name": "p2", "status": "completed", "start_time": 1_700_000_000, "last_seen": 1_700_000_060},
        {"pod_name": "p3", "status": "running", "start_time": 1_700_000_000, "last_seen": 1_700_000_060},
    ]
    live = [{"name": "p3", "status": "running"}]
    lost, ended, running = (f"{job_id(rig)}/p{number}" for number in (1, 2, 3))
    rig.inject_fault("/active/pods$", body=json.dumps({"pod_summaries": live}), times=2)
    rig.inject_fault(f"/{job_id(rig)}/history$", body=json.dumps({"pods": past}), times=2)
    found = await rig.provider.run_status(rig.access, [lost, ended, running])
    assert {key: one.state for key, one in found.items()} == {
        ended: RunState.SUCCEEDED,
        running: RunState.RUNNING,
    }
    listed = {one.remote_id for one in await rig.provider.list_runs(rig.access)}
    assert listed >= {ended}
    assert lost not in listed
    # If live pods can't be listed, nothing shows that the pod has vanished.
    rig.inject_fault("/active/pods$", status=404)
    rig.inject_fault(f"/{job_id(rig)}/history$", body=json.dumps({"pods": past}))
    assert (await state_of(rig, lost)).state is RunState.RUNNING


async def test_what_came_of_a_start_without_an_answer_is_listed(rig):
    spec = Spec("nightly", {"job": job_id(rig)})
    since = rig.server_clock.now()
    assert await rig.provider.find_run(rig.access, spec, "k", since) == OutcomeSearch()
    rig.inject_fault("/start$", drop=True, after=True)
    with pytest.raises(errors.UnknownOutcome):
        await launched(rig)
    (found,) = (await rig.provider.find_run(rig.access, spec, "k", since)).candidates
    rig.server_clock.advance(5)
    assert (await state_of(rig, found.remote_id)).state is RunState.RUNNING
    rig.server_clock.advance(600)
    now = rig.server_clock.now()
    assert await rig.provider.find_run(rig.access, spec, "k", now) == OutcomeSearch()


async def test_a_server_without_history_and_pods_says_no_more_than_started(rig):
    rig.server.state.seeds_only = True
    run = await launched(rig)
    assert run.remote_id == f"{job_id(rig)}/~00000001"
    seen = await state_of(rig, run.remote_id)
    assert (seen.state, seen.is_last) == (RunState.UNKNOWN, True)
    assert await output_of(rig, run.remote_id) == ""
    with pytest.raises(errors.OutcomeNotReported):
        await rig.provider.find_run(rig.access, Spec("", {"job": job_id(rig)}), "k", 0.0)
    with pytest.raises(errors.NotFound):
        await rig.provider.list_runs(rig.access)


async def test_a_stop_ends_what_goes_on_and_leaves_what_is_over(rig):
    first = await launched(rig)
    rig.server_clock.advance(15)
    second = await launched(rig)
    await rig.provider.stop_run(rig.access, first.remote_id)
    assert (await state_of(rig, second.remote_id)).state is RunState.QUEUED
    await rig.provider.stop_run(rig.access, second.remote_id)
    rig.server_clock.advance(5)
    assert (await state_of(rig, second.remote_id)).state is RunState.CANCELLED
    assert (await state_of(rig, first.remote_id)).state is RunState.SUCCEEDED


async def test_a_run_that_no_list_shows_any_more_is_stopped_with_its_job(rig):
    """The server listed no pod when the run started, and since then it refuses to list pods."""
    for _ in range(2):
        rig.inject_fault("/api/active/pods$", body=json.dumps({"pod_summaries": []}))
    run = await launched(rig)
    assert "/@" in run.remote_id
    rig.inject_fault("/api/active/pods$", status=404)
    await rig.provider.stop_run(rig.access, run.remote_id)
    assert rig.harness.requests[f"POST /api/jobs/{job_id(rig)}/stop"] == 1


async def test_the_output_is_the_same_live_and_afterwards(rig):
    run = await launched(rig)
    begin = await output_of(rig, run.remote_id)
    assert begin.startswith("2023-")
    rig.server_clock.advance(5)
    live = await output_of(rig, run.remote_id)
    assert live.startswith(begin)
    assert "Starting papermill a.ipynb" in live
    rig.server_clock.advance(20)
    ended = await output_of(rig, run.remote_id)
    assert ended.startswith(live)
    rig.server_clock.advance(600)
    assert await output_of(rig, run.remote_id) == ended
    assert "exit code 0" in ended


@pytest.mark.parametrize("logs", ['{"logs": 7}', '{"logs": [7]}', '{"logs": [{"content": 7}]}', "{}"])
async def test_a_log_that_is_none_is_a_bad_answer(rig, logs):
    run = await launched(rig)
    rig.inject_fault("/logs$", body=logs)
    with pytest.raises(errors.BadAnswer, match="logs"):
        await output_of(rig, run.remote_id)


async def test_somebody_elses_job_is_not_there(rig):
    theirs = job_id(rig, "secret", "bob")
    with pytest.raises(errors.NotFound):
        await rig.provider.launch_run(rig.access, Spec("x", {"job": theirs}), "job_1")
    assert await rig.provider.run_status(rig.access, [f"{theirs}/pod-1"]) == {}


@pytest.mark.parametrize("remote_id", ["", "x", "/", "x/", "/y", "x/y/z", "../y"])
async def test_an_id_that_is_none_is_not_found(rig, remote_id):
    if remote_id == "../y":
        assert await rig.provider.run_status(rig.access, ["a" * 32 + "/y"]) == {}
    with pytest.raises(errors.NotFound):
        await rig.provider.run_status(rig.access, [remote_id])


@pytest.mark.parametrize("status", [403, 500])
async def test_a_job_that_cant_be_read_hides_no_other_jobs_runs(rig, status):
    run, other = await launched(rig), await launched(rig, "failing")
    rig.server_clock.advance(600)
    rig.inject_fault(f"/api/jobs/{job_id(rig)}/history$", status=status, times=2)
    found = await rig.provider.run_status(rig.access, [run.remote_id, other.remote_id])
    assert [one.state for one in found.values()] == [RunState.UNKNOWN, RunState.FAILED]
    with pytest.raises((errors.Forbidden, errors.ServerFailed)):
        await state_of(rig, run.remote_id)
