"""Tests of jobs on the local Posit Workbench, from field checks to scripted output and exit codes."""

import pytest

from playground.posit.errors import INVALID, MISSING, UNAUTHORISED, UNKNOWN_SESSION, WRONG_TYPE
from playground.posit.scripts import Script, build_script, script_for
from tests.playground.posit_help import Posit


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (None, WRONG_TYPE),
        ([], WRONG_TYPE),
        ({"name": ""}, MISSING),
        ({"command": ""}, MISSING),
        ({"cluster": "Localhost"}, INVALID),
        ({"container": {"image": "x"}}, INVALID),
        ({"queues": ["long"]}, INVALID),
        ({"args": "-c"}, WRONG_TYPE),
        ({"environment": [{"name": "A"}]}, MISSING),
        ({"mounts": {}}, WRONG_TYPE),
        ({"user": "bob"}, UNAUTHORISED),
    ],
)
async def test_jobs_are_checked(posit: Posit, job, code):
    whole = {"name": "x", "cluster": "Local", "command": "ls"}
    told = {**whole, **job} if isinstance(job, dict) else job
    assert await posit.code("launch_job", job=told) == code
    assert (await posit.result("get_session", include_jobs=True))["jobs"] == []


async def test_a_launch_without_job_and_one_with_unknown_properties(posit: Posit):
    assert await posit.code("launch_job") == MISSING
    await posit.launch_job(colour="red")
    assert await posit.rules_broken() == ["required parameters are present", "parameters as documented"]


async def test_a_cluster_that_takes_no_jobs(posit: Posit):
    offers = {"RStudio": {"supports_interactive_sessions": True, "supports_adhoc_jobs": False}}
    await posit.control("compute_envs", clusters=[{"name": "Local", "workbenches": offers}])
    job = {"name": "x", "cluster": "Local", "command": "ls"}
    assert await posit.code("launch_job", job=job) == INVALID


async def test_stopping_what_waits_and_what_is_not_there(posit: Posit):
    job = await posit.launch_job()
    await posit.result("stop_job", job_id=job["id"], force_quit=True)
    ended = await posit.job(job["id"])
    assert (ended["status"], "exitCode" in ended) == ("Killed", False)
    assert await posit.code("stop_job", job_id="nothing") == UNKNOWN_SESSION
    assert await posit.code("stop_job") == MISSING
    assert await posit.code("stop_job", "b1", job_id=job["id"]) == UNAUTHORISED
    await posit.control(unknown_job="404")
    status, answer = await posit.call("stop_job", job_id="nothing")
    assert (status, answer["error"]["code"]) == (404, UNKNOWN_SESSION)


async def test_statuses_set_as_if_done_elsewhere(posit: Posit):
    job = await posit.launch_job("print-lines silent=600")
    for told in ({"status": "Suspended"}, {"status": "Killed", "exit_code": 9}):
        assert (await posit.control(f"jobs/{job['id']}", **told))["status"] == told["status"]
        assert (await posit.job(job["id"]))["status"] == told["status"]
    assert (await posit.job(job["id"]))["exitCode"] == 9
    await posit.control(f"jobs/{job['id']}", removed=True)
    assert (await posit.result("get_session", include_jobs=True))["jobs"] == []


def test_what_a_command_line_says_about_its_output():
    words = "lines=7 rate=0.5 stderr=2 ansi unicode exit=4 silent=3 width=80 tail=9 nonsense lines=x"
    script = script_for(f"/bin/bash -c 'print-lines {words}'", ())
    assert script == Script(
        lines=7,
        rate=0.5,
        stderr_every=2,
        ansi=True,
        unicode=True,
        exit_code=4,
        silent=3.0,
        width=80,
        tail=9.0,
    )
    assert script.duration == 3 + 12 + 9
    assert [script.printed(age) for age in (2.9, 3, 4.9, 5, 14.9, 15, 99)] == [0, 1, 1, 2, 6, 7, 7]
    assert [script.next_line_at(printed) for printed in (0, 1, 6, 7)] == [3, 5, 15, None]
    assert script_for("Rscript 'broken", ()) == Script()
    assert build_script({"lines": 0}).duration == 1
    stream, text = build_script({"stderr": 2, "width": 30, "unicode": True}).line(2)
    assert (stream, len(text)) == ("stderr", 31)
    assert "🚀" in text
