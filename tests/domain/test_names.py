"""Tests of the names that Usher chooses: short and natural, with just enough added to make them unique."""

import re

import pytest

from bot.domain.forms import FreeName, append_suffix, find_free_name


@pytest.mark.parametrize(
    ("taken", "others", "name"),
    [
        ([], [], "statistics"),
        (["statistics"], [], "statistics-2"),
        (["Statistics"], ["STATISTICS-2"], "statistics-3"),
        (["statistics-2"], [], "statistics"),
        (["statistics-advanced"], [], "statistics"),
        ([], ["statistics", "statistics-3"], "statistics-2"),
    ],
)
def test_a_name_is_the_stem_or_the_first_number_that_is_free(taken, others, name):
    assert FreeName("statistics", taken).choose_name(others) == name


def test_a_taken_name_in_capitals_is_not_chosen_again():
    assert FreeName("Statistics", ["Statistics"]).choose_name(["statistics-2"]) == "Statistics-3"


def test_there_is_a_name_even_where_a_thousand_are_taken():
    taken = [f"lab-{number}" for number in range(1, 1000)] + ["lab"]
    assert find_free_name("lab", taken) == ""
    assert re.fullmatch(r"lab-[0-9a-z]{6}", FreeName("lab", taken).choose_name([]))


def test_a_mark_is_short_and_differs_for_each_key():
    names = {append_suffix("lab", f"workspace_{number}") for number in range(2000)}
    assert len(names) == 2000
    assert all(re.fullmatch(r"lab-[0-9a-z]{6}", name) for name in names)
    # The suffix must be the same in every release, so that a retry uses the same name again.
    assert append_suffix("lab", "workspace_1") == "lab-9unfbm"
