"""Tests that every type reads any JSON.

Only the fields that identify something are required. BadAnswer names them without quoting the input.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.providers.posit import types
from bot.support.errors import BadAnswer
from tests.providers.posit.answers import ANSWER
from tests.providers.posit.fake import JOB, SESSION, USERS, VERSION

#: A valid example of each type, with the names of its required fields.
EXAMPLES = {
    types.PlacementConstraint: ({"name": "zone", "value": "a"}, {"name"}),
    types.ResourceLimit: ({**ANSWER["clusters"][1]["resourceLimits"][0], "value": "1"}, {"type"}),
    types.LaunchParameters: (SESSION["launch_parameters"], set()),
    types.WorkbenchSession: (SESSION, {"id"}),
    types.WorkbenchJob: (JOB, {"id"}),
    types.WorkbenchLanguage: ({"name": "R", "available": True}, set()),
    types.WorkbenchIDEInfo: (ANSWER["workbenches"]["RStudio"], set()),
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
    assert isinstance(kind.from_json(example), kind)
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
def test_any_value_in_a_field_that_names_nothing_is_passed_over(kind, data):
    example, required = EXAMPLES[kind]
    name = data.draw(st.sampled_from(sorted(example)))
    value = data.draw(VALUES)
    try:
        read = kind.from_json({**example, name: value})
    except BadAnswer as error:
        assert name in required
        assert error.message.isprintable()  # noqa: PT017 - the same
        assert len(error.message) < 200  # noqa: PT017 - the same
    else:
        assert read.model_dump_json()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_types_are_frozen(kind):
    read = kind.from_json(EXAMPLES[kind][0])
    with pytest.raises(ValidationError):
        setattr(read, next(iter(kind.model_fields)), "x")


def test_an_error_holds_nothing_of_the_input():
    with pytest.raises(BadAnswer) as caught:
        types.WorkbenchSession.from_json({"id": "s3cret/../token", "url": "s3cret"})
    assert "s3cret" not in f"{caught.value!r}{caught.value.__cause__!r}"


def test_a_job_may_be_named_as_the_text_says_it():
    assert types.WorkbenchJob.from_json({"job_id": "9", "status": "Running"}).id == "9"
