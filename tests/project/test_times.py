"""Tests that every time column in the schema has the mark by which it is corrected when a clock jumps."""

import sqlite3
from contextlib import closing

import pytest

from bot.domain import timeouts
from bot.domain.row_times import Kind
from bot.reconciler import runtimes
from bot.services import due_lessons, linking
from bot.slack.notifier import rendering, timing
from bot.store import approvals
from bot.store.schema import read_migrations
from bot.store.tables import TABLES


def columns_of_the_schema():
    with closing(sqlite3.connect(":memory:")) as database:
        for script in read_migrations().values():
            database.executescript(script)
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        times = {
            table: {
                row[1]
                for row in database.execute(f"PRAGMA table_info({table})")
                if row[2] == "DOUBLE PRECISION"
            }
            for table in tables
        }
    return {table: columns for table, columns in times.items() if columns}


def test_every_time_column_of_the_schema_has_its_bound():
    known = {name: set(table.times) for name, table in TABLES.items() if table.times}
    assert known == {
        **columns_of_the_schema(),
        "migrations": {"applied_at"},
        "schema_changes": {"applied_at"},
    }, "a time column needs its mark, in its model or with its table: how far ahead it can lie"


def test_only_what_lies_ahead_has_a_bound():
    times = [time for table in TABLES.values() for time in table.times.values()]
    assert all((time.farthest > 0) is (time.kind in {Kind.DUE, Kind.CHECK}) for time in times)


@pytest.mark.parametrize(
    ("place", "longest"),
    [
        ("operations.leased_until", runtimes.Numbers().lease),
        ("operations.next_step_at", runtimes.Numbers().slow_tick),
        ("operations.retry_at", timeouts.MAX_BUSY_SECONDS),
        ("operations.retry_at", 1.25 * runtimes.MAX_REQUESTED_PAUSE_SECONDS),
        ("notices.due_at", rendering.MAX_PAUSE_SECONDS),
        ("notices.due_at", timing.Timing().lease),
        ("cards.leased_until", rendering.MAX_PAUSE_SECONDS),
        ("tasks.due_at", approvals.DAY_SECONDS),
        ("tasks.due_at", linking.UNUSED_SECONDS),
        ("participants.due_at", due_lessons.LINK_SECONDS),
    ],
)
def test_limit_of_a_column_covers_its_longest_wait(place, longest):
    table, _, column = place.partition(".")
    assert longest <= TABLES[table].times[column].farthest
