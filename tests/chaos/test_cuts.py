"""Tests of short database outages in a chaos run: connections are closed, or a file is locked."""

import asyncio
import random
import sqlite3
from collections import Counter
from contextlib import closing

import psycopg
import pytest

from benchmarks.chaos.cuts import CUTS, cut_off
from benchmarks.postgres import Database
from tests.rigs import postgres


class Brief(random.Random):
    """A random generator that always chooses a short wait and a short cut."""

    def uniform(self, _a, _b):
        return 0.1


class Given:
    """A stand-in for the tests' server, with a database."""

    def __init__(self, url):
        self.url = url

    def get_uri(self, database):
        return self.url


async def test_cut_of_a_server_ends_connections_of_the_bot_alone():
    """The second cut finds no connection to end, and isn't counted."""
    url, count = postgres.new_database("cuts"), Counter()
    with (
        psycopg.connect(url, autocommit=True, application_name="usher") as cut,
        psycopg.connect(url, autocommit=True, application_name="other") as other,
    ):
        await cut_off(url, Database(Given(url)), 0.05, Brief(), count)
        with pytest.raises(psycopg.OperationalError):
            cut.execute("SELECT 1")
        other.execute("SELECT 1")
    assert count[CUTS] == 1


async def test_each_cut_of_a_file_refuses_other_writers_for_a_while(tmp_path):
    path, count, refused = tmp_path / "usher.db", Counter(), []
    storm = asyncio.create_task(cut_off(f"sqlite:///{path}", None, 0.05, Brief(), count))
    with closing(sqlite3.connect(path, timeout=0.0, isolation_level=None)) as connection:
        while not storm.done():
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
                refused.append(False)
            except sqlite3.OperationalError:
                refused.append(True)
            await asyncio.sleep(0.005)
    changes = [now for before, now in zip([False, *refused], refused, strict=False) if before != now]
    assert (changes, count[CUTS]) == ([True, False, True, False], 2)
