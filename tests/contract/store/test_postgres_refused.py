"""PostgreSQL servers, roles and poolers that can't be used: the error says why, and retries are paced."""

import asyncio
import os
from contextlib import contextmanager, suppress
from time import sleep

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.commands import store_checks
from bot.store import counts, open_store
from bot.store.postgres_transaction import PostgresTransaction
from bot.support.clock import SystemClock, SystemIds
from bot.support.errors import StoreAway, StoreUnavailable
from bot.support.logs import Redactor
from bot.support.settings import Settings
from bot.support.settings.database import read_sign_in_again
from bot.web.health import HealthRoutes, Metrics
from tests.app.command_line import environment, run
from tests.rigs import postgres
from tests.rigs.postgres_pooler import pooled
from tests.rigs.postgres_standby import own_server
from tests.rigs.store import first_sight

STANDBY = r"the database is a standby, which can only be read: give the address of the primary"


async def opened(url):
    return await open_store(url, SystemClock(), SystemIds())


async def working(store):
    """Ask the health route whether a process with this store can work. Return the status and the answer."""
    health = HealthRoutes(store=store, ready=dict, works=dict, metrics=Metrics())
    app = web.Application()
    app.router.add_routes(health.routes())
    async with TestClient(TestServer(app)) as client, client.get("/workz") as answer:
        return answer.status, await answer.json()


async def written(store, key):
    """Retry writing until the server is found writable again."""
    async with asyncio.timeout(60):
        while True:
            with suppress(StoreAway):
                await first_sight(store, key)
                await store.perform(counts.count_rows)
                return


async def test_a_standby_is_told_by_everybody_and_used_once_it_is_promoted(tmp_path):
    with own_server() as server:
        store = await opened(server.url)
        await store.begin_serving()
        assert await first_sight(store, "before")
        assert await working(store) == (200, {"working": True, "checks": {"store": True}})

        server.becomes_standby()
        refused = server.refusals()
        # Many requests in a second, over existing connections and new ones.
        for _ in range(200):
            with pytest.raises(StoreAway, match=f"^{STANDBY}"):
                await first_sight(store, "meanwhile")
        with pytest.raises(StoreAway, match=f"^postgresql://.*: {STANDBY}"):
            await opened(server.url)
        assert server.refusals() - refused < 10
        status, answer = await working(store)
        assert (status, answer["checks"], "a standby" in answer["problems"]["store"]) == (
            503,
            {"store": False},
            True,
        )
        env = environment(tmp_path, USHER_DATABASE_URL=server.url)
        migrated = await run("migrate", env=env)
        assert (migrated.status, "is a standby" in migrated.err) == (1, True)
        (check,) = await store_checks.check_store(Settings(**env))
        assert (check.is_good, "is a standby" in check.found) == (False, True)

        server.is_promoted()
        await written(store, "after")
        assert not await first_sight(store, "before")
        assert (await working(store))[0] == 200
        await store.close()


SIGN_INS = {
    "the password": (
        "ALTER ROLE usher PASSWORD 'second-password'",
        "the user or the password in it is wrong",
    ),
    "no sign-in": ("ALTER ROLE usher NOLOGIN", "its user may not connect to that database"),
    "no database": (
        "REVOKE CONNECT ON DATABASE usher FROM PUBLIC",
        "its user may not connect to that database",
    ),
}


@contextmanager
def password_server(tmp_path):
    """Run a server with a role that needs a password. The URL is in a file, as the setting allows."""
    with own_server() as server:
        with postgres.connected(server.url) as connection:
            connection.execute(
                f"CREATE ROLE usher LOGIN PASSWORD 'first-password' IN ROLE {postgres.ASKED}".encode()
            )
            connection.execute(b"CREATE DATABASE usher ENCODING 'UTF8' TEMPLATE template0")
            connection.execute(b"ALTER DATABASE usher OWNER TO postgres")
        with postgres.connected(server.url.replace("/postgres?", "/usher?")) as connection:
            connection.execute(b"GRANT ALL ON SCHEMA public TO usher")
        file = tmp_path / "url"
        file.touch(mode=0o600)
        yield server, file


def sign_in_url(server, password):
    return server.url.replace("postgres:@/postgres?", f"usher:{password}@/usher?")


def change(server, statement):
    """Run a statement and end the role's connections, as an administrator would when replacing a password."""
    with postgres.connected(server.url) as connection:
        connection.execute(statement.encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'usher'")


@pytest.mark.parametrize(("statement", "named"), SIGN_INS.values(), ids=SIGN_INS)
async def test_refused_sign_in_is_named(tmp_path, statement, named):
    with password_server(tmp_path) as (server, _):
        store = await opened(sign_in_url(server, "first-password"))
        await store.begin_serving()
        change(server, statement)
        for _ in range(3):
            status, answer = await working(store)
            assert (status, named in answer["problems"]["store"]) == (503, True)
            with pytest.raises(StoreUnavailable, match=named):
                await first_sight(store, "meanwhile")
            await asyncio.sleep(0.4)
        await store.close()


@pytest.mark.parametrize("comes", ["before", "after"])
async def test_replaced_password_is_read_from_the_file_again(tmp_path, monkeypatch, comes):
    """Usher reconnects, whether the file or the server gets the new password first."""
    with password_server(tmp_path) as (server, file):
        monkeypatch.setenv("USHER_DATABASE_URL", f"file:{file}")
        file.write_text(sign_in_url(server, "first-password"))
        store = await opened(file.read_text())
        await store.begin_serving()
        hints = []
        listening = asyncio.create_task(store.engine.listen(hints.append))
        while not hints:  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.1)
        if comes == "before":
            file.write_text(sign_in_url(server, "second-password"))
        change(server, SIGN_INS["the password"][0])
        if comes == "after":
            assert (await working(store))[0] == 503
            file.write_text(sign_in_url(server, "second-password"))
        async with asyncio.timeout(20):
            while (await working(store))[0] != 200:  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.2)
            assert await first_sight(store, "after")
            # A new listener starts with a notification for everything.
            while hints != [None, None]:  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.1)
        listening.cancel()
        assert "second-password" not in Redactor().text("second-password")
        await store.close()


@pytest.mark.parametrize(
    ("written", "is_used"),
    [
        ("postgresql://usher:new@db:5432/usher?sslmode=require", True),
        ("postgres://other:new@db:5432/usher?sslmode=require", True),
        ("postgresql://db:5432/usher?user=usher&password=new&sslmode=require", True),
        ("postgresql://usher:new@db:5432/another?sslmode=require", False),
        ("postgresql://usher:new@elsewhere:5432/usher?sslmode=require", False),
        ("postgresql://usher:new@db:5432/usher", False),
        ("sqlite:////usher.db", False),
        ("", False),
    ],
)
def test_sign_in_read_again_never_leads_to_another_database(tmp_path, monkeypatch, written, is_used):
    (tmp_path / "url").write_text(written)
    (tmp_path / "url").chmod(0o600)
    monkeypatch.setenv("USHER_DATABASE_URL", f"file:{tmp_path}/url")
    before = "postgresql://usher:old@db:5432/usher?sslmode=require"
    assert read_sign_in_again(before) == (written if is_used else before)


class Moved(PostgresTransaction):
    """A transaction whose connection a pooler has moved to a standby."""

    is_moved = is_slow = False

    def _send(self, statement, params=()):
        if self.is_moved and statement.startswith(b"BEGIN "):
            self.is_moved = False
            # A standby's error code; PostgreSQL also uses it for a plan that a migration has made stale.
            sent = super()._send(b"DO $$ BEGIN RAISE feature_not_supported; END $$")
            if self.is_slow:
                # The answer arrives before the next statement is sent.
                sleep(0.2)
            return sent
        return super()._send(statement, params)


@pytest.mark.parametrize("is_slow", [False, True])
async def test_a_transaction_that_may_not_begin_is_not_begun_again_and_again(is_slow):
    store = await opened(await postgres.migrated())
    transaction = store.engine._session.transaction
    transaction.__class__ = Moved
    transaction.is_moved, transaction.is_slow = True, is_slow
    with pytest.raises(StoreAway, match="is a standby"):
        await first_sight(store, "i1")
    assert await first_sight(store, "i1")
    await store.close()


@pytest.fixture
async def reader_url():
    """The URL of a migrated database, for a role that may read everything and write nothing."""
    url, role = await postgres.migrated(), f"usher_reader_{os.getpid()}"
    if "host=" not in url or "@" not in url:
        pytest.skip("the server asks roles for passwords")
    with postgres.connected(url) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN; GRANT pg_read_all_data TO {role}".encode())
        yield url.replace("postgres:@", f"{role}:@")
        connection.execute(f"DROP ROLE {role}".encode())


async def test_a_role_that_may_only_read_is_told_so_before_anybody_needs_it(reader_url, tmp_path):
    (check,) = await store_checks.check_store(
        Settings(**environment(tmp_path, USHER_DATABASE_URL=reader_url))
    )
    assert (check.is_good, "make that user the owner of the database" in check.found) == (False, True)
    store = await opened(reader_url)
    status, answer = await working(store)
    assert (status, "its user may not do this" in answer["problems"]["store"]) == (503, True)
    await store.close()


async def test_a_pooler_that_shares_connections_is_refused_with_the_next_step():
    async with pooled(await postgres.migrated()) as url:
        with pytest.raises(StoreUnavailable, match=r"^postgresql://.*: a pooler .* use session pooling"):
            await opened(url)


async def test_statements_that_a_pooler_has_mixed_up_say_so():
    store = await opened(await postgres.migrated())
    for statements in (("PREPARE one AS SELECT 1",) * 2, ("EXECUTE never_prepared",)):
        with pytest.raises(StoreUnavailable, match="use session pooling"):
            await store.engine.write(lambda tx, statements=statements: [tx.run(one) for one in statements])
    await store.close()


async def test_a_pooler_without_a_free_connection_keeps_nobody_waiting(monkeypatch):
    monkeypatch.setattr("bot.store.postgres_session.FIRST_STATEMENT_SECONDS", 0.2)
    async with pooled(await postgres.migrated(), has_room=False) as url, asyncio.timeout(30):
        with pytest.raises(StoreAway, match="a pooler in between, let it keep enough"):
            await opened(url)
