"""Tests of a PostgreSQL without free connections, while others are cut: each result is reported once."""

import asyncio
from collections import Counter
from contextlib import ExitStack, closing, suppress

import psycopg
import pytest

from tests.rigs import postgres
from tests.rigs.postgres_standby import own_server
from tests.scenarios.half import PEOPLE, SEEDED
from tests.scenarios.locked import Locked

#: Seconds for which the server is full, and seconds between cuts of one of Usher's connections.
FULL, EVERY = 38.0, 3.0
MOST = "ALTER SYSTEM SET max_connections = 30"
#: Cuts a random one of Usher's connections that is waiting between or within transactions. Any of these may
#: be lost.
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'usher'
ORDER BY random() LIMIT 1
"""


class Full(Locked):
    """Web process and worker with their own server."""

    def __init__(self, folder, options):
        super().__init__(folder, options)
        self.url = options["url"]


@pytest.fixture
async def full_server(tmp_path):
    with own_server() as server:
        with postgres.connected(server.url) as connection:
            connection.execute(MOST)
        server._server.stop()
        server._server.ensure_postgres_running()
        async with Full(
            tmp_path, {"live": True, "saturn_seed": SEEDED, "url": server.url}
        ).running() as ready:
            yield ready


def keys(full_server, person):
    """Return how often each notice is in a person's direct messages, by its key."""
    shown = [one.json.get("metadata") or {} for one in person.sees()]
    return Counter(one["event_payload"]["key"] for one in shown if one.get("event_payload"))


@pytest.mark.thorough
@pytest.mark.timeout(400)
async def test_nothing_is_told_twice_and_all_that_was_accepted_is_told(full_server):
    people = {name: getattr(full_server, name) for name in PEOPLE}
    for name, person in people.items():
        await person.links(name)
    until = asyncio.get_running_loop().time() + FULL
    with ExitStack() as stack, closing(psycopg.connect(full_server.url, autocommit=True)) as admin:
        for number in range(10):
            # Take every free connection, including those that Usher has just lost.
            with suppress(psycopg.OperationalError):
                while True:
                    stack.enter_context(closing(psycopg.connect(full_server.url)))
            for name, person in people.items():
                await person.types(f"start {name}-{number}", then_settle=False)
            admin.execute(CUT)
            await asyncio.sleep(EVERY)
        await asyncio.sleep(max(until - asyncio.get_running_loop().time(), 0.0))
    accepted = set(
        full_server.rows("SELECT w.name FROM operations o JOIN workspaces w ON w.id = o.workspace_id")
    )
    assert accepted
    for name in sorted(accepted):
        await people[name.partition("-")[0]].waits_for("ready", f"*{name}*", 120.0)
    for person in people.values():
        assert [key for key, times in keys(full_server, person).items() if times > 1] == []
        told = Counter(one.text.split("*")[1] for one in person.told("ready"))
        assert set(told.values()) <= {1}
