"""How soon people hear of hours that begin for all at once counts from the minute that they set."""

import sqlite3
from contextlib import closing

from benchmarks.crowd import Crowd, Deployment, settle
from benchmarks.homes import KEY
from benchmarks.hours import _of_one_minute
from bot.domain.workspaces import State
from bot.features.hours.store import RULES


async def test_hours_begin_at_the_moment_from_which_delays_count(tmp_path):
    """Counted from readiness, a start that is begun late by itself would be no delay."""
    database = tmp_path / "usher.db"
    place = Deployment(f"sqlite:///{database}", KEY, "https://cloud.example.org")
    await settle(Crowd(2), place, State.STOPPED)
    begins = await _of_one_minute(Crowd(2), place)
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        rules = [RULES.parse(dict(row)) for row in connection.execute("SELECT * FROM rules")]
    assert [rule.after(begins - 60.0).at for rule in rules] == [begins, begins]
