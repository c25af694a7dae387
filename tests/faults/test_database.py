"""Tests of a read-only or full database: clear messages, nothing done by half, and work resumes later."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import asynccontextmanager, closing

import pytest

from bot.messages.texts.problems import CAUSES, MESSAGE_NOT_RECORDED
from bot.store.transaction import Priority
from bot.support.errors import StoreTooNew, StoreUnavailable
from tests.faults.world import breaking_world
from tests.rigs import disks
from tests.rigs.scenario.people import BOT, GENERAL
from tests.rigs.store import first_sight, run_pragma

UNAVAILABLE = CAUSES["store_unavailable"]


@asynccontextmanager
async def full_by_pragma(world):
    await run_pragma(world.bot.store, "max_page_count = 1")
    await fill(world)
    yield
    await run_pragma(world.bot.store, "max_page_count = 1000000")


@asynccontextmanager
async def read_only(world):
    await run_pragma(world.bot.store, "query_only = ON")
    yield
    await run_pragma(world.bot.store, "query_only = OFF")


@asynccontextmanager
async def locked(world):
    other = sqlite3.connect(world.folder / "usher.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def fill(world):
    """Write until the database's remaining pages are full."""
    for number in range(2000):
        try:
            await first_sight(world.bot.store, f"filler {number}")
        except StoreUnavailable as error:
            assert "full" in str(error)  # noqa: PT017 - what it raised ends the loop
            return
    raise AssertionError("it never gets full")


async def goes_on_afterwards(world, trouble):
    """Try to start a workspace during the fault: nothing happens, and once the fault is over it works."""
    alice = world.alice
    await alice.links("alice")
    await world.time(5)
    await alice.types("start training")
    operations = len(world.rows("SELECT 1 FROM operations"))
    async with trouble(world):
        shown = await alice.types("start report", then_settle=False)
        assert shown.is_private
        assert UNAVAILABLE in shown.text
        assert "Reference" in shown.text
        # Operations in progress aren't lost. The loops continue, as any of their rounds may fail.
        for _ in range(2):
            world.clock.advance(5)
            await world.work()
        listed = await alice.types("list", then_settle=False)
        assert "training" in listed.text
    assert len(world.rows("SELECT 1 FROM operations")) == operations
    again = await alice.types("start report", then_settle=False)
    assert "report" in again.text
    assert "Reference" not in again.text
    await world.time(100)
    kinds = sorted(shown.kind for shown in alice.sees())
    assert kinds == ["linked", "ready", "ready"]
    assert world.calls("POST .*/start") == 1
    await world.check()


@pytest.mark.parametrize("trouble", [full_by_pragma, read_only, locked], ids=["full", "read-only", "locked"])
async def test_a_database_that_takes_nothing_is_said_and_gone_past(tmp_path, trouble):
    async with breaking_world(tmp_path, patience=dict.fromkeys(Priority, 1.5)) as world:
        await goes_on_afterwards(world, trouble)


async def answers_once(world, trouble, says):
    """Send a command during the fault, and check that it has one reply and takes effect later.

    Redeliveries get no further reply.
    """
    alice = world.alice
    await alice.has_linked("alice")
    channel, words = says
    async with trouble(world):
        assert (await world.slack.say(alice.id, channel, words))["ok"]
        deliveries = world.slack.events.deliveries
        (event_id,) = (name for name, one in deliveries.items() if words in str(one.payload))
        (shown,) = alice.hears(channel=channel)
        assert MESSAGE_NOT_RECORDED in shown.text
        assert "Reference" in shown.text
        assert shown.is_private or channel == BOT
        # Slack redelivers the event immediately, and again a minute later. Here, each comes in a different
        # second.
        for number in (1, 2):
            await world.time(5)
            assert not (await world.slack.events.redeliver(event_id, number)).ok
            assert len(alice.hears(channel=channel)) == 1
        assert world.rows("SELECT 1 FROM operations") == []
    await world.time(150)
    assert len([one for one in alice.sees(channel) if MESSAGE_NOT_RECORDED in one.text]) == 1
    assert [row["verb"] for row in world.rows("SELECT * FROM operations")] == ["start"]
    assert alice.only("ready")
    await world.check()


SAYS = pytest.mark.parametrize(
    "says", [(BOT, "start report"), (GENERAL, "@usher start report")], ids=["direct", "mention"]
)


@SAYS
@pytest.mark.parametrize("trouble", [read_only, locked], ids=["read-only", "locked"])
async def test_sentence_without_database_is_answered_once(tmp_path, trouble, says):
    async with breaking_world(tmp_path, patience=dict.fromkeys(Priority, 1.5)) as world:
        await answers_once(world, trouble, says)


@SAYS
async def test_sentence_on_a_full_disk_is_answered_once(tmp_path, says):
    with disks.small_disk(tmp_path):
        async with breaking_world(tmp_path) as world:
            await answers_once(world, full_disk, says)


@asynccontextmanager
async def full_disk(world):
    with disks.full_disk(world.folder):
        yield


async def test_a_disk_that_is_full_is_said_and_gone_past(tmp_path):
    with disks.small_disk(tmp_path):
        async with breaking_world(tmp_path) as world:
            await goes_on_afterwards(world, full_disk)


def remount(folder, mode):
    subprocess.run(["mount", "-o", f"remount,{mode}", str(folder)], check=True)


@asynccontextmanager
async def read_only_disk(world):
    """Make a disk read-only."""
    remount(world.folder, "ro")
    try:
        yield
    finally:
        remount(world.folder, "rw")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(full_disk, "is full"), (read_only_disk, "is read-only")],
    ids=["full", "read-only"],
)
async def test_start_on_a_disk_that_takes_nothing_says_so(tmp_path, trouble, words):
    with disks.small_disk(tmp_path):
        async with breaking_world(tmp_path) as world:
            await world.alice.has_linked("alice")
            await world.stop_bot()
            given = environment(world)
            async with trouble(world):
                status, said = await serve(given)
            assert (status, said.count("\n")) == (1, 1)
            assert f"usher.db can't be opened: the disk {words}; make " in said
            await world.start_bot()
            assert "notebook" in (await world.alice.types("list")).text


async def serve(given):
    """Run ``serve`` until it exits, and return its exit status and output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "serve",
        env={**os.environ, **given},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    return process.returncode, said.decode()


async def test_a_database_of_a_newer_release_is_left_alone(tmp_path):
    async with breaking_world(tmp_path) as world:
        await world.stop_bot()
        path = tmp_path / "usher.db"
        with closing(sqlite3.connect(path)) as database:
            database.execute("INSERT INTO schema_changes VALUES ('9999_later', 0, '9.0.0')")
            database.commit()
            before = list(database.iterdump())
        with pytest.raises(StoreTooNew, match="newer release"):
            await world.start_bot()
        await world.stop_bot()
        status, said = await serve(environment(world))
        assert status == 2
        assert "newer release" in said
        assert "Traceback" not in said
        with closing(sqlite3.connect(path)) as database:
            assert list(database.iterdump()) == before
            database.execute("DELETE FROM schema_changes WHERE name = '9999_later'")
            database.commit()
        await world.start_bot()
        await world.alice.links("alice")
        assert world.alice.only("linked")


def environment(world):
    """Return the settings of a world's bot as environment variables, with a connections file."""
    path = world.folder / "connections.toml"
    path.write_text(
        '[connections.saturn]\nprovider = "saturn"\ntitle = "Saturn Cloud"\n'
        f'base_url = "{world.saturn_url}"\n'
    )
    path.chmod(0o600)
    settings = world.settings()
    return {
        "SLACK_BOT_TOKEN": settings.slack_bot_token.get_secret_value(),
        "SLACK_SIGNING_SECRET": settings.slack_signing_secret.get_secret_value(),
        "PORT": "0",
        "USHER_SLACK_API_URL": settings.slack_api_url,
        "USHER_DATABASE_URL": settings.database_url,
        "USHER_ENCRYPTION_KEYS": settings.encryption_keys.get_secret_value(),
        "USHER_CONNECTIONS": str(path),
    }
