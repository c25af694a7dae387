"""Methods on sessions: the request's body and the answer, each."""

import pytest

from bot.providers.posit.client import STATE_FIELDS
from bot.providers.posit.types import (
    LaunchParameters,
    PlacementConstraint,
    ResourceLimit,
)
from bot.support import errors
from tests.providers.posit.fake import CREDENTIAL, FakeWorkbench

LAUNCHED = {"result": {"url": "/s/0da29cfc78a31acdd5861/", "id": "acdd5861", "project_id": "cfc78a31"}}
SESSION = {
    "url": "/s/0da29cfc78a316124d41f/",
    "id": "6124d41f",
    "launch_parameters": {
        "name": "RStudio Pro Session",
        "cluster": "Local",
        "placement_constraints": [],
        "resource_limits": [],
        "queues": [],
        "container_image": "",
        "default_image": "",
        "container_images": [""],
    },
    "created": 1721684073175,
    "activity_state": "suspended",
    "label": "RStudio Pro Session",
    "display_name": "RStudio Pro Session",
    "status_detail": "",
    "project": None,
    "project_id": "none",
    "running": False,
    "r_version": "4.3.0",
    "suspend_size": 20324197,
    "workbench": "RStudio",
    "something_new": {"deep": [1]},
}


async def test_a_launch_sends_what_was_set_up_and_whose_it_is(fake: FakeWorkbench):
    fake.answer = LAUNCHED
    launch = {"workbench": "Jupyter Notebook", "name": "notes", "open_file": None, "start_hooks": None}
    await fake.client.launch_session(CREDENTIAL, launch, "alice")
    assert fake.kwparams == {"workbench": "Jupyter Notebook", "name": "notes", "username": "alice"}


async def test_a_resume_sends_every_launch_parameter(fake: FakeWorkbench):
    fake.answer = LAUNCHED
    whole = LaunchParameters(
        name="notes",
        cluster="Kubernetes",
        placement_constraints=(PlacementConstraint(name="zone", value="a"),),
        resource_limits=(ResourceLimit(name="memory", value="2048", value_type="int"),),
        queues=("long",),
        container_image="r:4",
        default_image="r:3",
        resource_profile="small",
        aws_role_arn="arn",
        databricks_instance="dbc",
        snowflake_account="acc",
        snowflake_role="role",
    )
    await fake.client.resume_session(CREDENTIAL, "acdd5861", launch_parameters=whole)
    assert fake.kwparams["launch_parameters"] == {
        "name": "notes",
        "cluster": "Kubernetes",
        "placement_constraints": [{"name": "zone", "value": "a"}],
        "resource_limits": [
            {"name": "memory", "type": "memory", "value": "2048", "valueType": "int"},
        ],
        "queues": ["long"],
        "container_image": "r:4",
        "default_image": "r:3",
        "resource_profile": "small",
        "aws_role_arn": "arn",
        "databricks_instance": "dbc",
        "snowflake_account": "acc",
        "snowflake_role": "role",
    }


async def test_the_three_lists_of_launch_parameters_are_there_when_empty(fake: FakeWorkbench):
    fake.answer = LAUNCHED
    few = LaunchParameters(name="n", cluster="Local")
    await fake.client.resume_session(CREDENTIAL, "acdd5861", launch_parameters=few)
    assert fake.kwparams["launch_parameters"] == {
        "name": "n",
        "cluster": "Local",
        "placement_constraints": [],
        "resource_limits": [],
        "queues": [],
    }


@pytest.mark.parametrize(
    "answer", [{"result": {}}, {"result": None}, {"result": {"id": "../x"}}, {"result": []}, b"", b"<html>"]
)
async def test_a_launch_that_brings_no_id_is_an_unknown_outcome(fake: FakeWorkbench, answer):
    fake.answer = answer
    with pytest.raises(errors.UnknownOutcome):
        await fake.client.launch_session(CREDENTIAL, {"workbench": "RStudio"})


@pytest.mark.parametrize("answer", [b"", b"null", b'"ok"', b"{}", {"result": {"url": 7}}, {"result": []}])
async def test_a_resume_is_accepted_whatever_the_answer_leaves_out(fake: FakeWorkbench, answer):
    fake.answer = answer
    await fake.client.resume_session(CREDENTIAL, "acdd5861")
    assert fake.kwparams == {"session_id": "acdd5861"}


async def test_sessions_are_read_by_their_ids_and_only_what_is_needed(fake: FakeWorkbench):
    fake.answer = {"result": {"sessions": [SESSION]}}
    found = await fake.client.get_session(CREDENTIAL, ["6124d41f", "acdd5861"], user="alice")
    assert fake.kwparams == {
        "session_id": "6124d41f,acdd5861",
        "user": "alice",
        "fields": list(STATE_FIELDS),
    }
    (session,) = found.sessions
    assert (session.id, session.activity_state, session.workbench) == ("6124d41f", "suspended", "RStudio")
    assert session.launch_parameters is not None
    assert session.launch_parameters.cluster == "Local"
    assert session.created == 1721684073175.0
    assert session.title == "RStudio Pro Session"
    assert found.jobs == []


async def test_jobs_come_along_under_both_names_of_the_flag(fake: FakeWorkbench):
    fake.answer = {"result": {"sessions": [], "jobs": [{"id": "1", "status": "Running"}]}}
    found = await fake.client.get_session(CREDENTIAL, only=(), include_jobs=True)
    assert fake.kwparams == {"include_jobs": True, "include_all_jobs": True}
    assert [job.id for job in found.jobs] == ["1"]


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
        await fake.client.get_session(CREDENTIAL)


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({}, (False, False)),
        ({"force_quit": True}, (True, False)),
        ({"suspend": True}, (False, True)),
    ],
)
@pytest.mark.parametrize("answer", [b"", b"null", {"result": {}}, {"result": None}])
async def test_a_stop_names_many_and_how_and_its_answer_may_be_empty(
    fake: FakeWorkbench, options, flags, answer
):
    fake.answer = answer
    assert await fake.client.stop_session(CREDENTIAL, ["a1", "b2"], **options) is None
    assert fake.kwparams == {
        "session_ids": "a1,b2",
        "force_quit": flags[0],
        "suspend_session": flags[1],
        "suspend": flags[1],
    }


@pytest.mark.parametrize("identifier", ["", "..", "a,b", "a b", "\udc80", "a" * 101, "a/b"])
async def test_an_id_that_is_none_is_never_sent(fake: FakeWorkbench, identifier):
    for call in (
        fake.client.get_session(CREDENTIAL, [identifier]),
        fake.client.resume_session(CREDENTIAL, identifier),
        fake.client.stop_session(CREDENTIAL, [identifier]),
    ):
        with pytest.raises(errors.NotFound):
            await call
    assert fake.asked == []
    assert await fake.client.stop_session(CREDENTIAL, []) is None
    assert fake.asked == []
