"""Tests of the client's methods: what each one sends, and how it reads the answer."""

import json
from dataclasses import replace

import pytest

from bot.domain.runs import OutputChunk
from bot.providers.posit.client import STATE_FIELDS
from bot.providers.posit.types import LaunchParameters, PlacementConstraint, ResourceLimit, Version
from bot.support import errors
from tests.providers.posit.fake import JOB, SESSION, TOKEN, USERS, VERSION, FakeWorkbench, streamed

COMMAND = {"name": "Job Test", "cluster": "Local", "exe": "/bin/bash", "args": ["-c", "R -f JobTest.R"]}
LAUNCH = {"job": {**COMMAND, "command": None}, "apply_config_settings": None}
WORDS = {
    "container_image": "r:4", "default_image": "r:3", "resource_profile": "small", "aws_role_arn": "arn",
    "databricks_instance": "dbc", "snowflake_account": "acc", "snowflake_role": "role",
}  # fmt: skip
PARAMETERS = {"name": "notes", "cluster": "Kubernetes"}
WHOLE = LaunchParameters(
    placement_constraints=(PlacementConstraint(name="zone", value="a"),),
    resource_limits=(ResourceLimit(name="memory", value="2048", value_type="int"),),
    queues=("long",),
    **PARAMETERS,
    **WORDS,
)
PLACES = {
    "placement_constraints": [{"name": "zone", "value": "a"}],
    "resource_limits": [{"name": "memory", "type": "memory", "value": "2048", "valueType": "int"}],
    "queues": ["long"],
}
ALICE, RESUMED = {"username": "alice"}, {"session_id": "a1", "username": "alice"}


def stopped(mode: str, **flags: bool):
    whole = {"session_ids": "a1", "force_quit": False, "suspend_session": False, "suspend": False, **flags}
    return "stop_session", lambda server: server.stop_session("a1", mode), whole


@pytest.mark.parametrize(
    ("method", "call", "sent"),
    [
        (
            "launch_session",
            lambda server: server.launch_session({"workbench": "RStudio", "name": "n", "open_file": None}),
            {"workbench": "RStudio", "name": "n", **ALICE},
        ),
        ("resume_session", lambda server: server.resume_session("a1", None), RESUMED),
        (
            "resume_session",
            lambda server: server.resume_session("a1", WHOLE),
            {**RESUMED, "launch_parameters": {**PARAMETERS, **PLACES, **WORDS}},
        ),
        (
            "resume_session",
            lambda server: server.resume_session("a1", LaunchParameters(**PARAMETERS)),
            {**RESUMED, "launch_parameters": {**PARAMETERS, **{key: [] for key in PLACES}}},
        ),
        stopped("stop"),
        stopped("force", force_quit=True),
        stopped("suspend", suspend_session=True, suspend=True),
        (
            "get_session",
            lambda server: server.get_sessions(["a1", "b2"]),
            {"session_id": "a1,b2", "user": "alice", "fields": list(STATE_FIELDS)},
        ),
        (
            "get_session",
            lambda server: server.get_jobs(),
            {
                "user": "alice",
                "fields": ["id", "activity_state"],
                "include_jobs": True,
                "include_all_jobs": True,
            },
        ),
        ("launch_job", lambda server: server.launch_job(LAUNCH), {"job": {**COMMAND, "user": "alice"}}),
        ("stop_job", lambda server: server.stop_job("7"), {"job_id": "7", "force_quit": False}),
        ("get_compute_envs", lambda server: server.get_compute_envs(), {"user": "alice"}),
    ],
)
async def test_a_method_sends_what_is_set_and_for_whom(fake: FakeWorkbench, method, call, sent):
    fake.answer = {"result": {"id": "a1", "sessions": [], "jobs": [], "clusters": [], "workbenches": {}}}
    await call(replace(fake.client, user="alice"))
    assert (fake.kwparams, fake.asked[0].method) == (sent, method)


async def test_what_takes_no_parameters_is_asked_by_get(fake: FakeWorkbench):
    fake.answer = {"result": {"clusters": [], "workbenches": {}}}
    assert (await fake.client.get_compute_envs()).clusters == ()
    fake.answer = {"result": []}
    assert await fake.client.get_users() == []
    assert [(asked.verb, asked.method, asked.body) for asked in fake.asked] == [
        ("GET", "get_compute_envs", None),
        ("GET", "get_users", None),
    ]


NO_ID = [{"result": {}}, {"result": {"id": "../x"}}, {"result": []}, {"result": None}, b"", b"<html>"]
NO_JOB = [{"result": {"job": {}}}, {"result": {}}, b"", b"<html>", {"result": []}]


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        *((lambda server: server.launch_session({"workbench": "RStudio"}), answer) for answer in NO_ID),
        *((lambda server: server.launch_job(LAUNCH), answer) for answer in NO_JOB),
    ],
)
async def test_a_launch_that_brings_nothing_is_an_unknown_outcome(fake: FakeWorkbench, call, answer):
    fake.answer = answer
    with pytest.raises(errors.UnknownOutcome):
        await call(fake.client)


@pytest.mark.parametrize("answer", [b"", b"null", b'"ok"', b"{}", {"result": {"url": 7}}, {"result": []}])
async def test_a_change_is_accepted_whatever_the_answer_leaves_out(fake: FakeWorkbench, answer):
    fake.answer = answer
    await fake.client.resume_session("a1", None)
    await fake.client.stop_session("a1", "stop")
    assert len(fake.asked) == 2


async def test_a_session_is_read_from_what_the_reference_shows(fake: FakeWorkbench):
    fake.answer = {"result": {"sessions": [SESSION]}}
    (session,) = await fake.client.get_sessions(["6124d41f", "acdd5861"])
    assert (session.id, session.activity_state, session.workbench) == ("6124d41f", "suspended", "RStudio")
    assert session.launch_parameters.cluster == "Local"
    assert (session.created, session.title) == (1721684073.175, "RStudio Pro Session")


@pytest.mark.parametrize(
    ("result", "named"),
    [
        ({}, "sessions"),
        ({"sessions": None}, "sessions"),
        ({"sessions": ["x"]}, "can't be read"),
        ({"sessions": [{"activity_state": "running"}]}, r"field id"),
        ({"sessions": [{"id": "../x"}]}, r"field id"),
    ],
)
async def test_what_is_missing_is_named(fake: FakeWorkbench, result, named):
    fake.answer = {"result": result}
    with pytest.raises(errors.BadAnswer, match=named):
        await fake.client.get_sessions()


@pytest.mark.parametrize("identifier", ["", ".", "..", "a b", "a,b", "\udc80", "a" * 201, "a" * 101, "a/b"])
async def test_an_id_that_is_none_is_never_sent(fake: FakeWorkbench, identifier):
    server = fake.client
    calls = [
        lambda: server.get_sessions([identifier]),
        lambda: server.resume_session(identifier, None),
        lambda: server.stop_session(identifier, "stop"),
    ]
    if identifier not in {"a" * 101, "a/b"}:  # a job's may be so
        calls += [lambda: server.stop_job(identifier), lambda: anext(server.get_job_output(identifier))]
    for call in calls:
        with pytest.raises(errors.NotFound):
            await call()
    assert fake.asked == []


@pytest.mark.parametrize(
    "answer",
    [{"result": {"result": {"job": JOB}}}, {"result": {"job": JOB}}, {"job": JOB}, {"result": JOB}],
    ids=["as in the reference", "once", "bare", "without job"],
)
async def test_a_job_comes_out_of_every_wrapping(fake: FakeWorkbench, answer):
    fake.answer = answer
    job = await fake.client.launch_job(LAUNCH)
    assert (job.id, job.status, job.user) == ("77", "Pending", "jvroom")
    assert job.submitted_at == pytest.approx(1727815772.294014, abs=1e-5)
    assert job.updated_at == pytest.approx(1727815772.294130, abs=1e-5)


@pytest.mark.parametrize("answer", [VERSION, {"result": VERSION}], ids=["bare", "wrapped"])
async def test_the_version_comes_bare_or_wrapped(fake: FakeWorkbench, answer):
    fake.answer = answer
    version = await fake.client.version()
    assert (version.text, version.release_name) == ("2024.09.1", "Cranberry Hibiscus")
    assert version.features == ("jobs", "launcher")
    (asked,) = fake.asked
    assert (asked.verb, asked.body, asked.authorization) == ("GET", None, f"Bearer {TOKEN}")


async def test_the_version_may_be_asked_without_a_token(fake: FakeWorkbench):
    fake.answer = {"version": "2024.09.1"}
    anybody = replace(fake.client, api=fake.client.api.acting_as(None))
    assert await anybody.version() == Version(major="2024", minor="09", patch="1")
    assert fake.asked[0].authorization is None


@pytest.mark.parametrize("answer", [{}, {"version": None}, {"version": {}}, {"result": []}, []])
async def test_no_version_is_a_bad_answer(fake: FakeWorkbench, answer):
    fake.answer = answer
    with pytest.raises(errors.BadAnswer):
        await fake.client.version()


@pytest.mark.parametrize("answer", [{"result": USERS}, USERS, {"result": {"users": USERS}}])
async def test_users_are_listed_with_their_level(fake: FakeWorkbench, answer):
    fake.answer = answer
    levels = [
        (one.username, one.is_active, one.is_admin, one.is_super_admin)
        for one in await fake.client.get_users()
    ]
    assert levels == [("user1", True, True, False), ("user2", False, False, True)]


@pytest.mark.parametrize("answer", [{"result": {}}, {"result": [7]}, {"result": [{"status": "Active"}]}])
async def test_a_list_of_users_that_is_none_is_a_bad_answer(fake: FakeWorkbench, answer):
    fake.answer = answer
    with pytest.raises(errors.BadAnswer):
        await fake.client.get_users()


# -- the stream of a run's output --------------------------------------------------------------------------

ONE, TWO = (
    json.dumps({"jobId": "77", "outputType": "stdout", "output": text}).encode() for text in ("one", "two")
)


def failed(code: int) -> bytes:
    return json.dumps({"error": {"code": code, "message": f"gone {TOKEN}"}}).encode()


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (streamed(ONE, TWO[:9]), errors.UnknownOutcome, "cut"),
        (streamed(ONE, is_cut=True), errors.UnknownOutcome, None),
        (streamed(ONE + failed(14)), errors.NotFound, "gone …"),
        (streamed(ONE + failed(404)), errors.NotFound, "gone …"),
        (streamed(ONE + failed(200)), errors.ServerFailed, "gone …"),
    ],
)
async def test_what_goes_wrong_in_a_stream_comes_after_what_was_before_it(
    fake: FakeWorkbench, answer, kind, said
):
    fake.answer = answer
    output = fake.client.get_job_output("77")
    assert await anext(output) == OutputChunk("stdout", "one")
    with pytest.raises(kind, match=said):
        await anext(output)


@pytest.mark.parametrize(
    ("answer", "status", "kind", "said"),
    [
        ({"error": {"code": 14, "message": "no such job"}}, 400, errors.NotFound, "no such job"),
        (b"<html>", 302, errors.PermanentError, "check its address"),
        (b"<html>", 200, errors.BadAnswer, None),
        ({"result": []}, 204, errors.ProviderError, None),
    ],
)
async def test_a_refusal_before_the_stream_is_an_error_of_its_own(
    fake: FakeWorkbench, answer, status, kind, said
):
    fake.answer, fake.status = answer, status
    with pytest.raises(kind, match=said):
        await anext(fake.client.get_job_output("77"))
