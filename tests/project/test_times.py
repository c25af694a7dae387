"""Every time column of the schema has its place in the table by which moved clocks are healed."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from bot.store.queries import migrations
from bot.store.times import TIMES, Kind


def columns_of_the_schema():
    with closing(sqlite3.connect(":memory:")) as database:
        for script in migrations().values():
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
    known = {table: set(columns) for table, columns in TIMES.items()}
    assert known == {**columns_of_the_schema(), "migrations": {"applied_at"}}, (
        "a time column needs its entry in bot/store/times.py: what it is, and how far ahead it can lie"
    )


def test_only_what_lies_ahead_has_a_bound():
    columns = [column for table in TIMES.values() for column in table.values()]
    assert all((column.farthest > 0) is (column.kind is Kind.DUE) for column in columns)
