"""Tests that every time column in the schema has the mark by which it is corrected when a clock jumps."""

import sqlite3
from contextlib import closing

from bot.domain.row_times import Kind
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
    assert all((time.farthest > 0) is (time.kind is Kind.DUE) for time in times)
