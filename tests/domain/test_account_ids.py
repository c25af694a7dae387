"""Tests of comparing account ids: the same account, a different one, or not decidable."""

import pytest

from bot.domain.accounts import compare_remote_ids, is_unique
from bot.providers.answers import find_account_id, format_creation

CASES = [
    ("42", "42", "same"),
    ("42", "43", "another"),
    ("AB12", "ab12", "same"),
    ("42", "", "unclear"),
    ("42", " ", "unclear"),
    ("uid=7 created=100.500000", "uid=7 created=100.500000", "same"),
    ("uid=7 created=100.500000", "uid=7 created=900.500000", "another"),
    ("uid=7 created=100.500000", "uid=8 created=100.500000", "another"),
    ("uid=7 created=100.500000", "uid=7", "unclear"),
    ("uid=7 created=100.500000", "uid=8", "another"),
    ("uid=7", "uid=7 created=100.500000", "same"),
    # Times differ within a second: the account was created again, unless one of the times was rounded.
    ("created=100.500000", "created=100.640000", "another"),
    ("created=100.500000", "created=101.000000", "same"),
    ("created=100.500000", "created=103.000000", "another"),
    # Something that isn't a time is compared as text.
    ("created=100.500000", "created=soon", "another"),
]


@pytest.mark.parametrize(("known", "found", "expected"), CASES, ids=str)
def test_ids_are_compared_by_the_facts_that_both_have(known, found, expected):
    assert compare_remote_ids(known, found) == expected


def test_a_whole_second_of_creation_is_no_id_of_its_own():
    """In a database without fractions of a second, accounts created at the same time would share this id."""
    assert [is_unique(one) for one in ("42", "created=100.500000", "created=100.000000", "", None)] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(42, "42"), ("42", "42"), (42.0, "42"), (" 42 ", "42"), (True, ""), (None, ""), ([], ""), (4.5, "")],
    ids=str,
)
def test_id_is_read_as_a_text_whatever_its_type(value, expected):
    assert find_account_id({"id": value}) == expected


def test_creation_is_read_in_each_form_that_servers_have():
    assert format_creation("2026-11-29T03:36:43.990914Z") == "created=1795923403.990914"
    assert format_creation(1_795_923_403_990) == "created=1795923403.990000"
    assert format_creation("yesterday") == format_creation(None) == ""
