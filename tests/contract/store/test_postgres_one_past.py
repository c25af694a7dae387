"""Confirmed commits stay: if two servers accept writes, the one with the later timeline is used."""

import asyncio
import socket
from contextlib import closing, suppress
from threading import Thread
from time import monotonic

import pytest
from psycopg.conninfo import conninfo_to_dict
from structlog.testing import capture_logs

from bot.store import open_store, postgres_servers
from bot.store.maintenance import find_failover, note_same_data
from bot.store.postgres_servers import Servers
from bot.store.transaction import Priority
from bot.support.clock import SystemClock, SystemIds
from bot.support.errors import StoreBusy, StoreUnavailable
from tests.contract.store.test_postgres_refused import working
from tests.rigs import postgres
from tests.rigs.postgres_standby import own_server, pair
from tests.rigs.store import first_sight


async def opened(url):
    store = await open_store(url, SystemClock(), SystemIds())
    await store.begin_serving()
    return store


async def durability(store):
    asked = "SELECT current_setting('synchronous_commit') AS durable"
    found = [session._cursor().execute(asked).fetchone() for session in store.engine._writing]
    return {one["durable"] for one in found}


@pytest.mark.parametrize(
    ("given", "used"), [("off", "on"), ("local", "on"), ("on", "on"), ("remote_apply", "remote_apply")]
)
async def test_a_commit_is_durable_whatever_the_database_says(given, used):
    url = postgres.new_database("usher_durable")
    with postgres.connected(url) as connection:
        name = connection.execute("SELECT current_database()").fetchone()[0]
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = {given}".encode())
    store = await opened(url)
    assert await durability(store) == {used}
    await store.close()


@pytest.fixture
def two_primaries():
    """A pair of servers whose old primary was replaced and came back, so that both accept writes."""
    with pair() as servers:
        old = servers._server
        yield servers, old


def come_back(servers, old):
    servers.fail_over()
    # Wait until the new primary accepts writes, or the old one could be mistaken for the only one.
    with postgres.connected(servers._server.get_uri()) as connection:
        while connection.execute("SELECT pg_is_in_recovery(), pg_sleep(0.05)").fetchone()[0]:
            pass
    old.start()


@pytest.mark.parametrize("turned", [False, True])
async def test_of_two_primaries_the_later_timeline_is_used_and_it_is_said(two_primaries, turned):
    servers, old = two_primaries
    url = servers.url
    store = await opened(url)
    assert await first_sight(store, "before")
    come_back(servers, old)
    await store.close()
    if turned:
        hosts = url.partition("host=")[2].partition("&")[0]
        url = url.replace(hosts, ",".join(reversed(hosts.split(","))))
    with capture_logs() as logs:
        store = await opened(url)
    assert {session.timeline.partition("/")[2] for session in store.engine._writing} == {"00000002"}
    assert await first_sight(store, "after")
    (said,) = [one["problem"] for one in logs if one["event"] == "two databases take writes"]
    assert "two servers of its address take writes" in said
    status, answer = await working(store)
    assert (status, answer["problems"]["store"]) == (200, said)
    await store.close()
    old.stop()


def promote(standby):
    with postgres.connected(standby.get_uri()) as connection:
        connection.execute("SELECT pg_promote()")
        while connection.execute("SELECT pg_is_in_recovery(), pg_sleep(0.05)").fetchone()[0]:
            pass


async def see_on(store, number):
    """Write until every writing connection is on this timeline."""
    seen = set()
    while seen != {number}:
        with suppress(StoreBusy, StoreUnavailable):
            for _ in store.engine._writing:
                await first_sight(store, f"on {number}")
                await store.engine.write(lambda tx: tx.now(), Priority.CLAIMS)
                await store.engine.write(lambda tx: tx.now(), Priority.RECORDS)
                for name in "abcdefgh":
                    await store.engine.write(lambda tx: tx.now(), subjects=[name])
        seen = {session.timeline.partition("/")[2] for session in store.engine._writing}
        await asyncio.sleep(0.05)


@pytest.mark.timeout(120)
async def test_a_running_process_goes_to_a_later_timeline_and_never_back(two_primaries, monkeypatch):
    monkeypatch.setattr(postgres_servers, "LOOK_SECONDS", 0.1)
    # All connections are used at once, so each of them notices the new primary.
    monkeypatch.setattr("bot.store.postgres.NEAR_SECONDS", 0.0)
    servers, old = two_primaries
    new = servers._standby
    store = await opened(servers.url)
    assert await first_sight(store, "before")
    with capture_logs() as logs:
        promote(new)
        await see_on(store, "00000002")
        (said,) = [one["problem"] for one in logs if one["event"] == "two databases take writes"]
    status, answer = await working(store)
    assert (status, answer["problems"]["store"]) == (200, said)
    # Only the old primary still accepts writes.
    new.stop()
    for _ in range(3):
        with pytest.raises((StoreBusy, StoreUnavailable)):
            await first_sight(store, "in the past")
    assert "lives in the past" in store.engine.problem
    new.start()
    await see_on(store, "00000002")
    with postgres.connected(old.get_uri(database="usher")) as connection:
        assert not connection.execute("SELECT key FROM inbox WHERE key = 'in the past'").fetchall()
    await store.close()


def test_a_later_timeline_that_is_noted_meanwhile_is_not_forgotten():
    servers = Servers()

    class Interrupted(dict):
        """The latest timelines. Just before an earlier one is stored, another thread notes a later one."""

        def get(self, past, number):
            known = super().get(past, number)
            if number == "00000001":
                noting.start()
                noting.join(0.1)
            return known

    servers._latest = Interrupted()
    noting = Thread(target=servers.note, args=["one/00000002"])
    servers.note("one/00000001")
    noting.join()
    assert servers._latest == {"one": "00000002"}


async def test_a_server_that_says_nothing_keeps_nobody_longer_than_two_seconds():
    with own_server() as server, closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        folder = server.url.partition("host=")[2]
        ports = f"{silent.getsockname()[1]},5432"
        address = f"host=127.0.0.1,{folder} port={ports} user=postgres dbname=postgres"
        began, servers = monotonic(), Servers()
        found = conninfo_to_dict(await asyncio.to_thread(servers.choose, address))
        assert (found["host"], found["port"], servers.problem) == (folder, "5432", "")
        assert monotonic() - began < 10


async def test_a_server_with_the_same_rows_is_no_failover_once_that_was_said():
    """After an upgrade of PostgreSQL, a new server has the same rows. The operator confirms that."""
    url = postgres.new_database("usher_upgraded")
    store = await opened(url)
    await first_sight(store, "before")
    await store.close()
    for says_so in (True, False):
        with postgres.connected(url) as connection:
            connection.execute("UPDATE database_timeline SET server = 'another/1', detected_at = NULL")
        store = await open_store(url, SystemClock(), SystemIds())
        if says_so:
            await store.write(note_same_data)
        await store.begin_serving()
        await first_sight(store, "after")
        assert (await store.read(find_failover) is None) == says_so
        await store.close()
