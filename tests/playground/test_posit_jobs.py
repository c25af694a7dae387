"""The local Posit Workbench: jobs, from their launch to their exit code."""

import pytest

from playground.posit.scripts import Script, build_script, script_for
from tests.playground.posit_help import Posit


async def test_the_life_of_a_job(posit: Posit):
    told = {"name": "Job Test", "cluster": "Local", "exe": "/bin/bash", "args": ["-c", "R -f JobTest.R"]}
    answer = await posit.result("launch_job", job=told)
    job = answer["result"]["job"]
    assert {key: job[key] for key in told} == told
    assert (job["user"], job["status"], job["submissionTime"]) == (
        "alice",
        "Pending",
        "2023-11-14T22:13:20.000000Z",
    )
    assert "exitCode" not in job
    await posit.advance(1)
    assert (await posit.job(job["id"]))["status"] == "Running"
    await posit.advance(60)
    ended = await posit.job(job["id"])
    assert (ended["status"], ended["exitCode"]) == ("Finished", 0)
    assert ended["lastUpdateTime"] > ended["submissionTime"]
    await posit.advance(86400)
    assert (await posit.result("get_session", include_jobs=True))["jobs"] == []


async def test_the_answer_to_a_launch_is_wrapped_twice_or_once(posit: Posit):
    job = {"name": "x", "cluster": "Local", "command": "ls"}
    assert set((await posit.result("launch_job", job=job))["result"]) == {"job"}
    await posit.control(launch_job_twice=False)
    assert set(await posit.result("launch_job", job=job)) == {"job"}


CAMEL = {
    "workingDirectory": "~/a",
    "container": "ghcr.io/acme/gpu:2024.12",
    "resourceLimits": [{"type": "cpuCount", "value": "2"}],
    "placementConstraints": [{"name": "zone", "value": "west"}],
    "resourceProfile": "small",
}
SNAKE = {
    "working_directory": "~/a",
    "container_image": "ghcr.io/acme/gpu:2024.12",
    "resource_limits": [{"type": "cpuCount", "value": "2"}],
    "placement_constraints": [{"name": "zone", "value": "west"}],
    "resource_profile": "small",
}


@pytest.mark.parametrize(
    ("accepted", "sent", "understood"),
    [
        ("both", CAMEL, True),
        ("both", SNAKE, True),
        ("camel", CAMEL, True),
        ("camel", SNAKE, False),
        ("camel", {**CAMEL, **SNAKE}, True),
        ("snake", SNAKE, True),
        ("snake", {key: value for key, value in CAMEL.items() if key != "container"}, False),
    ],
)
async def test_properties_in_each_spelling(posit: Posit, accepted, sent, understood):
    await posit.control(job_fields=accepted)
    job = await posit.launch_job(cluster="Kubernetes", tags=["a"], **sent)
    assert (job["workingDirectory"], job["container"], job["resourceProfile"]) == (
        ("~/a", "ghcr.io/acme/gpu:2024.12", "small") if understood else ("", "", "custom")
    )
    assert [limit["value"] for limit in job["resourceLimits"]] == (["2"] if understood else [])
    assert bool(job["placementConstraints"]) is understood
    assert job["tags"] == ["a"]
    assert await posit.rules_broken() == []


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (None, 9),
        ([], 9),
        ({"name": ""}, 8),
        ({"command": ""}, 8),
        ({"cluster": "Localhost"}, 10),
        ({"container": {"image": "x"}}, 10),
        ({"queues": ["long"]}, 10),
        ({"args": "-c"}, 9),
        ({"environment": [{"name": "A"}]}, 8),
        ({"mounts": {}}, 9),
        ({"user": "bob"}, 3),
    ],
)
async def test_jobs_are_checked(posit: Posit, job, code):
    whole = {"name": "x", "cluster": "Local", "command": "ls"}
    told = {**whole, **job} if isinstance(job, dict) else job
    assert await posit.code("launch_job", job=told) == code
    assert (await posit.result("get_session", include_jobs=True))["jobs"] == []


async def test_a_launch_without_job_and_one_with_unknown_properties(posit: Posit):
    assert await posit.code("launch_job") == 8
    await posit.launch_job(colour="red")
    assert await posit.rules_broken() == ["required parameters are present", "parameters as documented"]


async def test_a_cluster_that_takes_no_jobs(posit: Posit):
    offers = {"RStudio": {"supports_interactive_sessions": True, "supports_adhoc_jobs": False}}
    await posit.control("compute_envs", clusters=[{"name": "Local", "workbenches": offers}])
    job = {"name": "x", "cluster": "Local", "command": "ls"}
    assert await posit.code("launch_job", job=job) == 10


async def test_a_super_admin_launches_for_somebody(posit: Posit):
    told = {"name": "x", "cluster": "Local", "command": "ls", "user": "alice"}
    answer = await posit.result("launch_job", "su", job=told, apply_config_settings=False)
    job = answer["result"]["job"]
    assert job["user"] == "alice"
    assert (await posit.job(job["id"]))["status"] == "Pending"
    _, shown = await posit.request("GET", "/_playground/jobs")
    hidden = next(one for one in shown["jobs"] if one["id"] == job["id"])
    assert (hidden["launched_by"], hidden["apply_config_settings"]) == ("super", False)


@pytest.mark.parametrize(
    ("accepted", "sent", "shown"),
    [
        ("both", "include_jobs", True),
        ("both", "include_all_jobs", True),
        ("include_jobs", "include_jobs", True),
        ("include_jobs", "include_all_jobs", False),
        ("include_all_jobs", "include_jobs", False),
        ("include_all_jobs", "include_all_jobs", True),
    ],
)
async def test_the_flag_for_jobs_in_each_spelling(posit: Posit, accepted, sent, shown):
    await posit.control(jobs_flag=accepted)
    await posit.launch_job()
    answer = await posit.result("get_session", **{sent: True})
    assert ("jobs" in answer) is shown
    assert "jobs" not in await posit.result("get_session", **{sent: False})


@pytest.mark.parametrize(
    ("force_quit", "status", "exit_code"), [(False, "Canceled", 143), (True, "Killed", 137)]
)
async def test_stopping_a_running_job(posit: Posit, force_quit, status, exit_code):
    job = await posit.launch_job("print-lines silent=600")
    await posit.advance(1)
    await posit.result("stop_job", job_id=job["id"], force_quit=force_quit)
    assert (await posit.job(job["id"]))["status"] == ("Killed" if force_quit else "Running")
    await posit.advance(1)
    ended = await posit.job(job["id"])
    assert (ended["status"], ended["exitCode"]) == (status, exit_code)
    assert await posit.code("stop_job", job_id=job["id"]) == 10


async def test_stopping_what_waits_and_what_is_not_there(posit: Posit):
    job = await posit.launch_job()
    await posit.result("stop_job", job_id=job["id"], force_quit=True)
    ended = await posit.job(job["id"])
    assert (ended["status"], "exitCode" in ended) == ("Killed", False)
    assert await posit.code("stop_job", job_id="nothing") == 14
    assert await posit.code("stop_job") == 8
    assert await posit.code("stop_job", "b1", job_id=job["id"]) == 3
    await posit.control(unknown_job="404")
    status, answer = await posit.call("stop_job", job_id="nothing")
    assert (status, answer["error"]["code"]) == (404, 14)


@pytest.mark.parametrize("status", ["Finished", "Failed"])
async def test_how_a_job_fails(posit: Posit, status):
    await posit.control(failed_status=status)
    job = await posit.launch_job("print-lines lines=1 exit=3")
    unlucky = await posit.launch_job("print-lines start_fails")
    await posit.advance(10)
    ended = await posit.job(job["id"])
    assert (ended["status"], ended["exitCode"]) == (status, 3)
    ended = await posit.job(unlucky["id"])
    assert (ended["status"], bool(ended["statusMessage"]), "exitCode" in ended) == ("Failed", True, False)


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
