"""Times that providers write, and what they write for none."""

import pytest

from bot.providers.answers import parse_time
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
    """Its API has a way of its own to write times."""
    assert sphere.parse_sphere_time("1970-01-01 00:00:00 +0000") is None
    assert sphere.parse_sphere_time("0001-01-01 00:00:00 +0000") is None
    assert sphere.parse_sphere_time("1971-01-01 00:00:00 +0000") == 31_536_000.0
