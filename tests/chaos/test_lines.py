"""Tests of the connections between a cluster and PostgreSQL, with their faults, and of a short storm."""

import asyncio
import random
from collections import Counter

import psycopg
import pytest

from benchmarks.chaos.lines import LINES, Lines
from tests.chaos.play import played
from tests.rigs import postgres

STORM = ["--cluster", "--workers", "2", "--seconds", "15", "--operations", "30", "--people", "12"]
STORM += ["--seed", "95", "--rules", "0", "--only", LINES]


class All(random.Random):
    """A random generator that chooses every connection, and the shortest times and pieces."""

    def random(self):
        return 0.0

    def uniform(self, least, _most):
        return least

    def randint(self, least, _most):
        return least


async def test_lines_are_slow_stand_still_and_are_cut():
    url, count = postgres.new_database("lines"), Counter()
    lines = Lines(url, All(), count)
    async with lines.run():
        connection = await psycopg.AsyncConnection.connect(lines.address(url), autocommit=True)
        slow = asyncio.create_task(lines.slow_down())
        await connection.execute("SELECT 1")
        await slow
        assert not count[LINES]
        still = asyncio.create_task(lines.stand_still())
        await asyncio.sleep(0)
        asked = asyncio.create_task(connection.execute("SELECT 1"))
        await still
        with pytest.raises(psycopg.OperationalError):
            await asked
        assert count[LINES] == 1
        async with await psycopg.AsyncConnection.connect(lines.address(url), autocommit=True) as other:
            await lines.cut_some()
            with pytest.raises(psycopg.OperationalError):
                await other.execute("SELECT 1")
    assert count[LINES] == 2


@pytest.mark.timeout(400)
async def test_a_storm_on_the_lines_breaks_no_promise():
    told = await played(*STORM)
    assert told["holds"]
    assert told["line_cuts"] >= 1
    assert (told["lost"], told["told_twice"], told["repeated"], told["untrue"], told["unseen"]) == (0,) * 5
    assert told["acknowledged"] == 30
    assert told["most_starts_per_operation"] == 1
    assert told["smallest_gap_s"] is None or told["smallest_gap_s"] >= 10.0
