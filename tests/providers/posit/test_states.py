"""Tests of translating the server's states to Usher's."""

import pytest

from bot.domain.runs import RunState
from bot.domain.workspaces import State
from bot.providers.posit.states import is_over, is_up, to_observed, to_observed_run
from bot.providers.posit.types import WorkbenchJob, WorkbenchSession


def session(word: str, workbench: str = "RStudio", url: str = "/s/1/", detail: str = "") -> WorkbenchSession:
    return WorkbenchSession(
        id="a1", activity_state=word, url=url, workbench=workbench, display_name="n", status_detail=detail
    )


@pytest.mark.parametrize(
    ("word", "state", "actions"),
    [
        *(
            (word, State.STARTING, {"stop", "force"})
            for word in ("launching", "resuming", "pending", "starting")
        ),
        ("running", State.RUNNING, {"open", "stop", "suspend", "force"}),
        ("Running", State.RUNNING, {"open", "stop", "suspend", "force"}),
        ("suspending", State.STOPPING, {"force"}),
        ("suspended", State.SUSPENDED, {"start", "stop", "force"}),
        ("finished", State.GONE, set()),
        ("killed", State.GONE, set()),
        ("failed", State.FAILED, set()),
        ("dreaming\u202e", State.UNKNOWN, {"stop", "force"}),
    ],
)
def test_a_session_is_what_its_word_says(word, state, actions):
    seen = to_observed(session(word), lambda told: f"https://wb{told}")
    assert (seen.state, seen.actions, seen.name) == (state, actions, "n")
    assert (seen.url is not None) is (state is State.RUNNING)
    assert seen.detail == ("unknown state 'dreaming'" if state is State.UNKNOWN else None)
    assert is_up(session(word)) is (state in {State.RUNNING, State.STARTING})
    assert is_over(session(word)) is (state in {State.GONE, State.FAILED})


def test_since_when_is_what_the_server_says():
    told = {"id": "a1", "created": 1721684073175, "workbench": "RStudio"}
    running = WorkbenchSession(**told, activity_state="running", last_state_updated=1721695376181)
    assert to_observed(running, str).started_at == 1721695376.181
    older = WorkbenchSession(**told, activity_state="running")
    assert to_observed(older, str).started_at == 1721684073.175
    asleep = WorkbenchSession(
        **told, activity_state="suspended", last_state_updated=1721695376181, suspend_size=7
    )
    assert (to_observed(asleep, str).down_at, to_observed(asleep, str).stop_risks) == (
        1721695376.181,
        {"memory"},
    )
    assert to_observed(WorkbenchSession(**told, activity_state="suspended"), str).stop_risks == set()


@pytest.mark.parametrize(
    ("told", "detail"),
    [
        ({"status": "Running", "cluster": "Slurm", "host": "node7"}, "On Slurm, host node7."),
        ({"status": "Running", "cluster": "Slurm"}, "On Slurm."),
        ({"status": "Pending", "cluster": "Slurm", "statusMessage": "Waiting"}, "Waiting"),
        ({"status": "Failed", "cluster": "Slurm", "statusCode": "OutOfMemory"}, "OutOfMemory"),
        (
            {"status": "Failed", "statusCode": "OutOfMemory", "statusMessage": "Killed at 2 GB"},
            "Killed at 2 GB",
        ),
        ({"status": "Finished", "cluster": "Slurm"}, None),
    ],
)
def test_a_job_says_where_it_runs_and_why_it_ended(told, detail):
    assert to_observed_run(WorkbenchJob.from_json({"id": "1", **told})).detail == detail


def test_only_rstudio_is_suspended():
    assert "suspend" not in (to_observed(session("running", "JupyterLab"), str).actions or ())


@pytest.mark.parametrize(("url", "said", "lacks"), [("/s/1/", "host", None), ("", "None", "address")])
def test_an_address_that_is_not_allowed_is_not_opened(url, said, lacks):
    seen = to_observed(session("running", url=url), lambda told: None)
    assert (seen.url, seen.lacks) == (None, lacks)
    assert said in str(seen.detail)
    assert "open" not in (seen.actions or ())


def test_a_failure_has_the_servers_words_or_none():
    assert to_observed(session("failed", detail="no\nR"), str).reason == "no R"
    assert to_observed(session("failed"), str).reason is None


def test_what_holds_a_start_up_is_its_reason_and_anything_else_a_detail():
    queued, busy = "Insufficient nvidia.com/gpu", "Unpacking R"
    assert to_observed(session("pending", detail=queued), str).reason == queued
    assert (seen := to_observed(session("pending", detail=busy), str)).detail == busy
    assert seen.reason is None


@pytest.mark.parametrize(
    ("word", "code", "state"),
    [
        ("Pending", None, RunState.QUEUED),
        ("Running", None, RunState.RUNNING),
        ("Suspended", None, RunState.RUNNING),
        ("Finished", 0, RunState.SUCCEEDED),
        ("Finished", None, RunState.SUCCEEDED),
        ("Finished", 3, RunState.FAILED),
        ("Failed", None, RunState.FAILED),
        ("Canceled", 143, RunState.CANCELLED),
        ("Finished", 143, RunState.FAILED),
        ("Killed", 137, RunState.FAILED),
        ("Killed", None, RunState.FAILED),
        ("Dreaming", None, RunState.UNKNOWN),
    ],
)
def test_a_job_is_what_its_word_and_exit_code_say(word, code, state):
    job = WorkbenchJob(
        id="1", status=word, name="n", exit_code=code, updated_at="2024-10-01T20:49:32.294130Z"
    )
    seen = to_observed_run(job)
    assert seen.state is state
    assert seen.exit_code == (code if state.is_over else None)
    assert (seen.ended_at is not None) is state.is_over
    assert (seen.detail is not None) is (word in {"Suspended", "Dreaming", "Killed"})
    assert seen.was_killed is (word == "Killed" or (word, code) == ("Finished", 143))
