"""Two weeks of a busy person, a course, a waitlist and an admin. Every evening, all messages are true.

``TRANSCRIPT=FILE`` writes down when each person wrote and read what, for a reader who doesn't know the code.
"""

import asyncio
import os
import re
from pathlib import Path

import pytest

from tests.rigs.fortnight import play_fortnight
from tests.rigs.fortnight.world import WAITING, user_id
from tests.rigs.term import at

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(900)]

#: Maximum number of unrequested messages per week: for Liv, and on average for everybody.
MAX_NOTIFICATIONS_OF_LIV = 24
MAX_NOTIFICATIONS, MAX_MESSAGES, MAX_EDITS = 4.5, 6.5, 10.0


@pytest.fixture(scope="module")
def fortnight(tmp_path_factory):
    played = asyncio.run(play_fortnight(tmp_path_factory.mktemp("fortnight")))
    if place := os.environ.get("TRANSCRIPT"):
        Path(place).write_text(played.transcript, encoding="utf-8")
    return played


def found(fortnight, kind):
    """Return the findings of a kind, one per line."""
    return "\n".join(str(one) for one in fortnight.findings if one.kind == kind)


def test_everybody_could_do_what_they_wanted(fortnight):
    assert {name: told.splitlines()[-1] for name, told in fortnight.log.failed.items()} == {}


def test_what_stands_in_the_evening_is_true(fortnight):
    assert found(fortnight, "text") == ""


def test_no_button_that_stands_in_the_evening_is_dead(fortnight):
    assert fortnight.pressed > 100
    assert found(fortnight, "button") == ""


def test_home_is_true_in_the_evening(fortnight):
    assert found(fortnight, "home") == ""


def test_nothing_runs_on_without_a_word(fortnight):
    assert found(fortnight, "machine") == ""


def test_promised_stops_are_kept_or_told_as_failed(fortnight):
    assert found(fortnight, "promise") == ""


def test_unused_grant_goes_to_the_next_in_line(fortnight):
    """Each of the three got the only GPU on Monday, because two of them didn't open their workspaces."""
    monday = at("2026-11-09"), at("2026-11-10")
    got = {
        name
        for name in WAITING
        if any(re.search(r"\*gpu\* is ready", one.text) for one in fortnight.log.told(user_id(name), *monday))
    }
    assert got == set(WAITING)


def test_a_week_has_few_messages_and_changes(fortnight):
    counts = fortnight.counts["liv"]
    assert max(notifications for _, notifications, _ in counts) <= MAX_NOTIFICATIONS_OF_LIV, counts
    means = [fortnight.count_per_week(place) for place in range(3)]
    assert means[0] <= MAX_MESSAGES, fortnight.counts
    assert means[1] <= MAX_NOTIFICATIONS, fortnight.counts
    assert means[2] <= MAX_EDITS, fortnight.counts
