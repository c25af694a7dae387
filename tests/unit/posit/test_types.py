"""Every type reads any JSON: a well-formed value, or BadAnswer in words that may be shown."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadAnswer
from bot.providers.posit import types
from tests.unit.posit.test_client_jobs import JOB
from tests.unit.posit.test_client_server import USERS, VERSION
from tests.unit.posit.test_client_sessions import SESSION
from tests.unit.posit.test_computing import ANSWER

#: A good example of each type, with the names of what it requires (seed 001, "Data types").
EXAMPLES = {
    types.PlacementConstraint: ({"name": "zone", "value": "a"}, {"name", "value"}),
    types.ResourceLimit: ({"type": "memory", "value": "1"}, {"type"}),
    types.EnvironmentVariable: ({"name": "A", "value": ""}, {"name", "value"}),
    types.SessionHook: ({"exe": "/bin/true"}, {"exe"}),
    types.JobConfig: ({"name": "a", "value": "b", "valueType": "string"}, {"name"}),
    types.LaunchParameters: (SESSION["launch_parameters"], {"name", "cluster"}),
    types.Launched: ({"id": "a1", "url": "/s/a1/", "project_id": "p"}, {"id"}),
    types.WorkbenchSession: (SESSION, {"id", "activity_state"}),
    types.WorkbenchJob: (JOB, {"id", "status"}),
    types.WorkbenchLanguage: ({"name": "R", "available": True}, {"name", "available"}),
    types.WorkbenchIDEInfo: (
        ANSWER["workbenches"]["RStudio"],
        {"default_cluster", "default_image", "lang"},
    ),
    types.WorkbenchSupport: ({"supports_adhoc_jobs": True}, set()),
    types.ComputeEnv: (ANSWER["clusters"][1], {"name"}),
    types.ComputeEnvs: (ANSWER, {"clusters", "workbenches"}),
    types.WorkbenchUser: (USERS[0], {"username"}),
    types.Version: (VERSION, {"version"}),
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_is_required_is_named_when_it_is_missing_and_the_rest_is_not(kind):
    example, required = EXAMPLES[kind]
    assert dataclasses.is_dataclass(kind.from_json(example))
    assert kind.from_json({**example, "unheard_of": [1, {"x": None}]}) == kind.from_json(example)
    for name in example:
        rest = {key: value for key, value in example.items() if key != name}
        if name not in required:
            kind.from_json(rest)
            continue
        with pytest.raises(BadAnswer, match=name):
            kind.from_json(rest)


@pytest.mark.parametrize("kind", EXAMPLES)
@given(data=st.data())
def test_any_value_in_any_field_is_read_or_refused_in_words(kind, data):
    example, _ = EXAMPLES[kind]
    name = data.draw(st.sampled_from(sorted(example)))
    try:
        read = kind.from_json({**example, name: data.draw(VALUES)})
    except BadAnswer as error:
        assert error.message.isprintable()  # noqa: PT017 - most values are refused, some are not
        assert len(error.message) < 200  # noqa: PT017 - the same
    else:
        assert dataclasses.asdict(read)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_types_are_frozen_and_slotted(kind):
    read = kind.from_json(EXAMPLES[kind][0])
    name = dataclasses.fields(read)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(read, name, "x")
    assert not hasattr(read, "__dict__")


@pytest.mark.parametrize(
    ("container", "image"), [("r:4", "r:4"), ({"image": "r:4"}, "r:4"), ({}, ""), (None, "")]
)
def test_a_jobs_container_is_a_text_or_an_object(container, image):
    assert types.WorkbenchJob.from_json({**JOB, "container": container}).container == image


def test_a_job_may_be_named_as_the_text_says_it():
    assert types.WorkbenchJob.from_json({"job_id": "9", "status": "Running"}).id == "9"
