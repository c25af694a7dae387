"""PgBouncer in front of PostgreSQL, in each pooling mode; and servers whose errors are in other languages."""

import asyncio
import getpass
import socket
import struct
import subprocess
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

import psycopg
import pytest

from bot.store import open_store
from bot.store.postgres_errors import translate
from bot.support.clock import SystemClock, SystemIds
from bot.support.errors import StoreAway, StoreBusy, StoreRefused
from playground.processes import reserved_port
from tests.rigs import postgres, programs
from tests.rigs.postgres_standby import own_server
from tests.rigs.store import first_sight

POOLED = "shares connections between transactions: use session pooling"
_SETTINGS = """
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
admin_users = {user}
pool_mode = {mode}
server_round_robin = {in_turn}
default_pool_size = {size}
min_pool_size = {ready}
query_wait_timeout = 2
max_client_conn = 100
"""


@contextmanager
def bounced(url, folder, mode, *, in_turn=0, size=30, ready=0):
    """Run PgBouncer in front of a database, and yield the URL that connects through it."""
    program, parts = programs.require("pgbouncer"), urlsplit(url)
    given = psycopg.conninfo.conninfo_to_dict(url)
    server = " ".join(f"{key}={given[key]}" for key in ("host", "port", "user", "password") if given.get(key))
    user = given.get("user") or "postgres"
    port = reserved_port()
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        _SETTINGS.format(
            server=server, user=user, port=port, mode=mode, in_turn=in_turn, size=size, ready=ready
        )
    )
    # PgBouncer refuses to run as root. It runs as the owner of the database's socket, who may connect to it
    # and has to be able to read this folder.
    folder.chmod(0o755)
    words = [program, str(settings)]
    if getpass.getuser() == "root":
        place = Path(given.get("host", "/nowhere"))
        words += ["-u", place.owner() if place.is_dir() else "nobody"]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = monotonic() + 20
        while monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            sleep(0.05)
        yield f"postgresql://{user}:canary-1@127.0.0.1:{port}{parts.path}"
    finally:
        running.terminate()
        running.wait()


async def opened(url):
    return await open_store(url, SystemClock(), SystemIds())


async def settings_left(url):
    """Return the setting that a pool's next client finds on its connection."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
        cursor = await other.execute("SELECT current_setting('statement_timeout')")
        return (await cursor.fetchone())[0]


async def test_a_pooler_that_keeps_sessions_is_served_through(tmp_path):
    with bounced(await postgres.migrated(), tmp_path, "session") as url:
        store = await opened(url)
        await store.begin_serving()
        for number in range(20):
            assert await first_sight(store, f"i{number}")
        await store.close()


def reloaded(url, server):
    """Make PgBouncer reload its settings, and end its connections to the server."""
    with postgres.connected(urlsplit(url)._replace(path="/pgbouncer").geturl()) as console:
        console.execute("RELOAD")
    with postgres.connected(server) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'usher'"
        )


#: A pool that keeps many connections and rotates them never gives the same one twice in a round.
POOLS = {"as they come": {}, "in turn": {"in_turn": 1, "size": 12, "ready": 12}}


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("mode", ["transaction", "statement"])
async def test_a_pooler_that_keeps_no_sessions_is_away_and_nothing_is_set_there(tmp_path, mode, pool):
    with bounced(await postgres.migrated(), tmp_path, mode, **POOLS[pool]) as url:
        for _ in range(3):
            with pytest.raises(StoreAway, match=rf"^postgresql://127.*{POOLED}"):
                await opened(url)
        assert {await settings_left(url) for _ in range(12)} == {"0"}


@pytest.mark.parametrize("mode", ["transaction", "statement"])
async def test_a_pooler_that_keeps_no_sessions_any_more_is_away_until_it_does(tmp_path, mode):
    """PgBouncer is reloaded while Usher is serving."""
    server = await postgres.migrated()
    with bounced(server, tmp_path, "session") as url:
        store = await opened(url)
        await store.begin_serving()
        assert await first_sight(store, "before")
        settings = tmp_path / "pgbouncer.ini"
        former = settings.read_text()
        settings.write_text(former.replace("pool_mode = session", f"pool_mode = {mode}"))
        reloaded(url, server)
        for number in range(10):
            with suppress(StoreAway, StoreBusy):
                await first_sight(store, f"i{number}")
        settings.write_text(former)
        reloaded(url, server)
        async with asyncio.timeout(60):
            while True:
                with suppress(StoreAway, StoreBusy):
                    await first_sight(store, "after")
                    break
        await store.close()


async def test_a_pooler_without_a_free_connection_is_away(tmp_path):
    with (
        bounced(await postgres.migrated(), tmp_path, "session", size=1) as url,
        pytest.raises(StoreAway, match="a pooler in between, let it keep enough"),
    ):
        await opened(url)


async def test_a_pooler_whose_server_is_away_is_away(tmp_path):
    with own_server() as server, bounced(server.url, tmp_path, "session") as url:
        store = await opened(url)
        await store.begin_serving()
        server.go_away()
        with pytest.raises((StoreAway, StoreBusy)):
            await first_sight(store, "meanwhile")
        with pytest.raises(StoreAway):
            await opened(url)
        server.come_back()
        async with asyncio.timeout(60):
            while True:
                with suppress(StoreAway, StoreBusy):
                    await first_sight(store, "after")
                    break
        await store.close()


#: Messages of a German PostgreSQL, and one in a language that nobody here knows.
SAYINGS = [
    ("28P01", "Passwort-Authentifizierung für Benutzer »usher« fehlgeschlagen"),
    ("53300", "Verbindungen bitte später, alle Plätze sind belegt"),
    ("57P03", "das Datenbanksystem startet"),
    ("28000", "kein pg_hba.conf-Eintrag für Host »10.0.0.7«, SSL-Verschlüsselung aus"),
    ("3D000", "Datenbank »usher« existiert nicht"),
    ("XX000", "kĩu, ne certificate eblas"),
]


@asynccontextmanager
async def saying(code, words):
    """Run a server that refuses everybody, with these words."""

    async def refuse(reader, writer):
        while True:
            length, kind = struct.unpack("!II", await reader.readexactly(8))
            await reader.readexactly(length - 8)
            if kind in (196_608, 196_610):
                break
            writer.write(b"N")
        fields = f"SFATAL\0VFATAL\0C{code}\0M{words}\0\0".encode()
        writer.write(b"E" + struct.pack("!I", len(fields) + 4) + fields)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        yield f"postgresql://usher:canary-1@127.0.0.1:{port}/usher"


@pytest.mark.parametrize(("code", "words"), SAYINGS)
async def test_what_a_server_says_in_its_language_is_waited_for_and_told(code, words):
    async with saying(code, words) as url:
        with pytest.raises(StoreRefused) as refused:
            await opened(url)
    assert words in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("code", ["08P01", "25P03", "25P04", "57P03", "53300"])
def test_what_may_pass_is_busy_whatever_it_says(code):
    assert isinstance(translate(psycopg.errors.lookup(code)("parolas alie")), StoreBusy)


@pytest.mark.parametrize("code", ["25006", "28P01", "3D000", "53100", "57P04", "58030"])
def test_what_is_about_the_server_is_away_whatever_it_says(code):
    assert isinstance(translate(psycopg.errors.lookup(code)("parolas alie")), StoreAway)
