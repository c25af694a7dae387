"""Jobs at Workbench: launched, found, read and stopped, with their output streamed."""

import pytest

from bot.domain.forms import Spec
from bot.domain.observations import OutcomeSearch
from bot.domain.runs import RunState
from bot.providers.base import Access, Credential
from bot.support import errors
from playground.posit.plans import PlannedError, StreamFault
from tests.contract.providers.rigs import Rig

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADMIN = Access("alice", Credential.for_connection("admin"))
KEY = "job_0123456789abcdef01234567"


def spec(command: str, name: str = "train", **more: str | tuple[str, ...]) -> Spec:
    return Spec(name, {"command": command, "cluster": "Local", **more})


@pytest.fixture(params=["person", "admin"])
def access(request, posit: Rig) -> Access:
    return posit.access if request.param == "person" else ADMIN


async def look(rig: Rig, access: Access, remote_id: str):
    return (await rig.provider.run_status(access, [remote_id, "lost"])).get(remote_id)


@pytest.mark.parametrize(("code", "state"), [(0, RunState.SUCCEEDED), (3, RunState.FAILED)])
async def test_a_job_runs_to_its_end(posit: Rig, access: Access, code, state):
    made = await posit.provider.launch_run(access, spec(f"print-lines lines=3 rate=1 exit={code}"), KEY)
    assert made.name == "train"
    seen = await look(posit, access, made.remote_id)
    assert seen is not None
    assert (seen.state, seen.started_at, seen.ended_at) == (RunState.QUEUED, None, None)
    assert seen.submitted_at == 1_700_000_000.0
    posit.server_clock.advance(2)
    seen = await look(posit, access, made.remote_id)
    assert (seen.state, seen.started_at) == (RunState.RUNNING, 1_700_000_001.0)
    posit.server_clock.advance(10)
    seen = await look(posit, access, made.remote_id)
    assert (seen.state, seen.exit_code, seen.name) == (state, code, "train")
    assert seen.ended_at == 1_700_000_004.0
    assert list(await posit.provider.run_status(access, ["lost"])) == []
    assert posit.server.state.jobs[made.remote_id].owner == "alice"
    assert posit.harness.violations == []


async def test_a_job_is_found_again_by_its_tag(posit: Rig, access: Access):
    made = await posit.provider.launch_run(access, spec("train"), KEY)
    await posit.provider.launch_run(access, spec("train"), "another_deadbeef")
    since = posit.server_clock.now()
    assert (await posit.provider.find_run(access, spec("train"), KEY, since)).match == made
    assert await posit.provider.find_run(access, spec("train"), "a_third_one", since) == OutcomeSearch(
        is_conclusive=True
    )
    # If the server shows no tags, any recent enough job of that name may be this launch, even a finished one.
    for job in posit.server.state.jobs.values():
        job.values["tags"] = []
    posit.server_clock.advance(100)
    for later, count in ((0, 2), (300, 0)):
        traces = await posit.provider.find_run(access, spec("train"), "a_third_one", since + later)
        assert (traces.match, len(traces.candidates), traces.is_conclusive) == (None, count, not count)


@pytest.mark.parametrize("is_after", [False, True])
async def test_a_launch_of_unknown_outcome_is_looked_for(posit: Rig, access: Access, is_after):
    planned = PlannedError("launch_job", 200, "Transmission error", after=is_after)
    posit.server.state.plans.errors.append(planned)
    with pytest.raises(errors.UnknownOutcome):
        await posit.provider.launch_run(access, spec("train"), KEY)
    traces = await posit.provider.find_run(access, spec("train"), KEY, posit.server_clock.now())
    assert (traces.match is not None) is is_after


async def test_jobs_are_listed_the_youngest_first_and_nobody_elses(posit: Rig, access: Access):
    first = await posit.provider.launch_run(access, spec("train"), "a")
    posit.server_clock.advance(1)
    second = await posit.provider.launch_run(access, spec("train", name="later"), "b")
    bob = Access("bob", Credential.for_connection("admin"))
    await posit.provider.launch_run(bob, spec("train"), "c")
    listed = await posit.provider.list_runs(access)
    assert [one.remote_id for one in listed] == [second.remote_id, first.remote_id]
    assert [one.name for one in listed] == ["later", "train"]


@pytest.mark.parametrize("force", [False, True])
async def test_a_job_is_stopped_once_and_again(posit: Rig, access: Access, force):
    made = await posit.provider.launch_run(access, spec("sleep 60"), KEY)
    posit.server_clock.advance(2)
    await posit.provider.stop_run(access, made.remote_id, force=force)
    posit.server_clock.advance(2)
    seen = await look(posit, access, made.remote_id)
    assert (seen.state, seen.exit_code) == (RunState.FAILED, 137 if force else 143)
    assert seen.was_killed
    await posit.provider.stop_run(access, made.remote_id, force=force)  # ended already is success


async def test_nobody_elses_job_is_stopped_or_read(posit: Rig, access: Access):
    bob = Access("bob", Credential.for_connection("admin"))
    made = await posit.provider.launch_run(bob, spec("sleep 60"), KEY)
    for remote_id in (made.remote_id, "lost", "", "a,b"):
        with pytest.raises(errors.NotFound):
            await posit.provider.stop_run(access, remote_id)
        with pytest.raises(errors.NotFound):
            await anext(posit.provider.run_output(access, remote_id))
    assert await look(posit, access, made.remote_id) is None
    assert posit.server.state.jobs[made.remote_id].ordered is None


@pytest.mark.parametrize("dialect", ["live", "reference"])
async def test_servers_of_either_spelling_are_understood(posit: Rig, access: Access, dialect):
    posit.server.state.settings.change({"dialect": dialect})
    told = spec(
        "train",
        cluster="Kubernetes",
        image="ghcr.io/acme/gpu:2024.12",
        directory="/work",
        profile="custom",
        limits=("memory=1024",),
        constraints=("zone=west",),
        environment=("A=1",),
    )
    made = await posit.provider.launch_run(access, told, KEY)
    kept = posit.server.state.jobs[made.remote_id].values
    assert (kept["workingDirectory"], kept["resourceProfile"]) == ("/work", "custom")
    assert kept["container"] == "ghcr.io/acme/gpu:2024.12"
    assert [limit["value"] for limit in kept["resourceLimits"]] == ["1024"]
    assert kept["placementConstraints"] == [{"name": "zone", "value": "west"}]
    assert kept["environment"] == [{"name": "A", "value": "1"}]
    posit.server_clock.advance(1)
    assert (await look(posit, access, made.remote_id)).state is RunState.RUNNING


async def read(rig: Rig, access: Access, remote_id: str) -> dict[str, str]:
    told = {"stdout": "", "stderr": ""}
    async for chunk in rig.provider.run_output(access, remote_id):
        told[chunk.stream] += chunk.text
    return told


@pytest.mark.parametrize("separator", ["mixed", "newline", "none"])
async def test_an_output_comes_whole_with_its_streams_apart(posit: Rig, access: Access, separator):
    posit.server.state.settings.change({"separator": separator})
    command = "print-lines lines=200 rate=0 stderr=3 unicode=true ansi=true"
    made = await posit.provider.launch_run(access, spec(command), KEY)
    posit.server_clock.advance(100)
    told = await read(posit, access, made.remote_id)
    script = posit.server.state.jobs[made.remote_id].script
    for name in ("stdout", "stderr"):
        lines = (script.line(number) for number in range(1, 201))
        assert told[name] == "".join(text for stream, text in lines if stream == name)
    assert await read(posit, access, made.remote_id) == told  # again, from its beginning


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "cut"}, errors.UnknownOutcome),
        ({"kind": "error", "code": 100}, errors.ServerFailed),
        ({"kind": "error", "code": 14}, errors.NotFound),
        ({"kind": "error", "code": 13, "ends": False}, errors.ServerFailed),
    ],
)
async def test_a_stream_that_goes_wrong_raises_after_what_came(posit: Rig, access: Access, fault, kind):
    made = await posit.provider.launch_run(access, spec("print-lines lines=9 rate=0"), KEY)
    posit.server_clock.advance(100)
    posit.server.state.plans.streams.append(StreamFault(after_lines=4, **fault))
    output = posit.provider.run_output(access, made.remote_id)
    told = "".join([(await anext(output)).text for _ in range(4)])
    with pytest.raises(kind):
        await anext(output)
    assert told == "".join(f"line {number}\n" for number in range(1, 5))
    assert (await read(posit, access, made.remote_id))["stdout"].endswith("line 9\n")


async def test_broken_characters_are_replaced_and_an_early_end_is_an_end(posit: Rig, access: Access):
    made = await posit.provider.launch_run(access, spec("print-lines lines=4 rate=0"), KEY)
    posit.server_clock.advance(100)
    posit.server.state.plans.streams.append(StreamFault("broken_utf8", after_lines=1))
    assert "\ufffd" in (await read(posit, access, made.remote_id))["stdout"]
    posit.server.state.plans.streams.append(StreamFault("close", after_lines=2))
    assert (await read(posit, access, made.remote_id))["stdout"] == "line 1\nline 2\n"
    assert (await look(posit, access, made.remote_id)).state is RunState.SUCCEEDED


async def test_a_stream_that_nobody_reads_any_more_is_closed(posit: Rig, access: Access):
    made = await posit.provider.launch_run(access, spec("print-lines lines=500 rate=1"), KEY)
    posit.server_clock.advance(3)
    output = posit.provider.run_output(access, made.remote_id)
    assert (await anext(output)).text.startswith("line")
    assert posit.server.state.streams.open == 1
    await output.aclose()
    posit.server.state.wake()
    for _ in range(200):
        if posit.server.state.streams.open == 0:
            break
        posit.server_clock.advance(1)
        await look(posit, access, made.remote_id)
    assert posit.server.state.streams.open == 0
