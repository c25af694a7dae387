"""A SQLite file and the process serving from it: its schema stays, and what it can't write is no write."""

import sqlite3
from contextlib import closing

import pytest

from bot.support.errors import StoreInUse


async def test_the_schema_is_not_changed_under_a_process_that_serves(database):
    await database.open(serves=True)
    path = database.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM migrations WHERE name = (SELECT MAX(name) FROM migrations)")
    with pytest.raises(StoreInUse, match="stop it first"):
        await database.open()
