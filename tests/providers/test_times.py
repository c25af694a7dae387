"""Tests of the formats in which providers write times, and of values that mean none."""

import pytest

from bot.domain.workspaces import State
from bot.providers.answers import parse_time
from bot.providers.posit.types import WorkbenchJob, WorkbenchSession
from bot.providers.sphere import states as sphere

NONE = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00",
    "1899-12-30T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "1970-12-31T23:59:59Z",
    "9999-12-31T23:59:59Z",
    "0",
]


@pytest.mark.parametrize(
    "value", [*NONE, pytest.param(0, id="zero"), pytest.param(-1, id="negative")], ids=str
)
def test_moment_that_means_no_time_is_none(value):
    assert parse_time(value) is None


@pytest.mark.parametrize("value", ["1971-01-01T00:00:00Z", 31_536_000, "31536000.0"], ids=str)
def test_moment_from_1971_is_read(value):
    assert parse_time(value) == 31_536_000.0


def test_sphere_time_before_1971_is_none():
    """Sphere's API has its own format for times."""
    assert sphere.parse_sphere_time("1970-01-01 00:00:00 +0000") is None
    assert sphere.parse_sphere_time("0001-01-01 00:00:00 +0000") is None
    assert sphere.parse_sphere_time("1971-01-01 00:00:00 +0000") == 31_536_000.0


@pytest.mark.parametrize(
    "value",
    [
        "2027-01-15T08:00:00Z",
        "2027-01-15t08:00:00z",
        " 2027-01-15T08:00:00.000+00:00 ",
        "2027-01-15 09:00:00 +0100",
        "2027-01-15T08:00:00",
        "1800000000000",
        1_800_000_000,
        1_800_000_000.0,
    ],
    ids=repr,
)
def test_each_field_reads_each_form_of_a_time(value):
    """A provider's next release may use another format than the documented one."""
    session = {"id": "a1", "created": value, "last_used": value, "last_state_updated": value}
    job = WorkbenchJob.from_json({"job_id": "1", "submissionTime": value, "lastUpdateTime": value})
    told = WorkbenchSession.from_json(session)
    read = [told.created, told.last_used, told.last_state_updated, job.submitted_at, job.updated_at]
    assert {parse_time(value), sphere.parse_sphere_time(value), *read} == {1_800_000_000.0}


@pytest.mark.parametrize("value", [2, 2.0, "2", " 2.0"], ids=repr)
def test_whole_number_may_be_written_as_text_or_with_decimals(value):
    assert sphere.parse_minutes(value) == 120.0
    assert sphere.to_observed({"state": {"code": value}}).state is State.RUNNING


@pytest.mark.parametrize("value", [2.5, True, None, "nan", "1e400", 10**400, [2], ""], ids=repr)
def test_anything_else_is_no_whole_number(value):
    assert sphere.parse_minutes(value) == 0.0
    assert sphere.to_observed({"state": {"code": value}}).state is State.UNKNOWN
