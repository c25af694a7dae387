"""Tests of SQLite's nightly backups: complete, without blocking anybody, and restorable."""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from bot.commands.store_checks import check_backups
from bot.domain.audit import AuditEntry
from bot.reconciler.scheduler import DAY_SECONDS, Scheduler
from bot.services.audit_witness import AuditWitness
from bot.services.backups import BACKUPS_RETAINED, list_copies, make_backup
from bot.store import audit, counts, maintenance, open_store
from bot.store.copies import COPY_BATCH_PAGES, replace_database, write_backup
from bot.store.maintenance import mark
from bot.store.transaction import StoreTime
from bot.support.errors import StoreUnavailable
from bot.support.settings import Settings
from tests.app.command_line import environment, of_slack, run, running
from tests.playground.slack_help import slack
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.scenario import world
from tests.rigs.store import ACTION, linked, make_used_database

#: Statements that make SQLite report damage: a row lacks a value that its column requires.
DAMAGE = (
    "CREATE TABLE damaged (one)",
    "INSERT INTO damaged VALUES (NULL)",
    "PRAGMA writable_schema = ON",
    "UPDATE sqlite_master SET sql = 'CREATE TABLE damaged (one NOT NULL)' WHERE name = 'damaged'",
)


async def _make(context, folder, to, is_due=True):
    return await make_backup(context, (folder / "usher.db", to), is_due)


@asynccontextmanager
async def installed(folder, actions=(ACTION,)):
    """Open a database with its schema; yield the store, a function that makes backups, and the clock."""
    clock = FakeClock()
    store = await open_store(f"sqlite:///{folder / 'usher.db'}", clock, CountingIds())
    await store.begin_serving()
    await store.write(audit.append_audit, actions)
    context = SimpleNamespace(store=store, clock=clock, ids=CountingIds())
    try:
        yield store, partial(_make, context, folder), clock
    finally:
        await store.close()


def rows(file, query):
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as database:
        return database.execute(query).fetchall()


async def test_the_seven_newest_are_kept_each_whole_and_its_owners_alone(tmp_path):
    folder = tmp_path / "backups"
    async with installed(tmp_path) as (store, make, clock):
        await linked(store)
        for night in range(BACKUPS_RETAINED + 2):
            assert await make(folder) == ""
            if night == 0:
                # Usher doesn't delete copies that somebody made by hand, nor those of another database.
                (folder / "usher-2020-01-01.db").touch()
                (folder / "another-2020-01-01-0317.db").touch()
                (folder / "usher-2020-01-01-0317.db.new").touch()
            clock.advance(DAY_SECONDS)
    made = sorted(folder.glob("usher-20??-??-??-????.db"))
    assert [one.name for one in made] == [f"usher-2027-01-{day}-0800.db" for day in range(17, 24)]
    assert {one.name for one in folder.iterdir()} - {one.name for one in made} == {
        "usher-2020-01-01.db",
        "another-2020-01-01-0317.db",
    }
    assert (folder.stat().st_mode & 0o777, made[0].stat().st_mode & 0o777) == (0o700, 0o600)
    assert rows(made[-1], "SELECT COUNT(*) FROM accounts") == [(1,)]
    assert rows(made[-1], "PRAGMA integrity_check") == [("ok",)]
    assert rows(made[-1], "SELECT COUNT(*) FROM upkeep WHERE work = 'copied'") == [(1,)]


def test_copies_of_database_with_brackets_in_its_name_are_found(tmp_path):
    copy = tmp_path / "usher[1]-2026-12-01-0317.db"
    copy.touch()
    (tmp_path / "usher1-2026-12-01-0317.db").touch()
    assert list_copies(Path("usher[1].db"), tmp_path) == [copy]


async def test_folder_without_copies_gets_one_before_the_night(tmp_path):
    """The setting may name another folder, or a new disk may be mounted there.

    Once the folder has a copy, the next one is made only at night.
    """
    async with installed(tmp_path) as (_, make, clock):
        assert await make(tmp_path / "backups") == ""
        clock.advance(3600)
        assert await make(tmp_path / "backups", is_due=False) is None
        shutil.rmtree(tmp_path / "backups")
        assert await make(tmp_path / "backups", is_due=False) == ""
        assert "No such file" in await make(tmp_path / "disk" / "copies", is_due=False)
    assert len(list((tmp_path / "backups").iterdir())) == 1


async def test_database_nobody_has_used_is_not_copied(tmp_path):
    """An unused database isn't backed up.

    If a disk is lost and a new database is created, empty copies would otherwise replace the good ones
    within a week.
    """
    loaded = AuditEntry("usher", "providers.loaded", "serve", "ok")
    async with installed(tmp_path, [loaded]) as (store, make, _):
        assert [await make(tmp_path / "backups", is_due) for is_due in (True, False)] == [None, None]
        assert not (tmp_path / "backups").exists()
        await store.write(audit.append_audit, [ACTION])
        assert await make(tmp_path / "backups") == ""


async def test_while_it_is_copied_people_are_answered_and_what_they_do_is_written(tmp_path):
    """While the copy is paused between two batches, nobody waits, and the copy stays consistent."""
    pieces, held, go_on = [], Event(), Event()

    def is_over():
        pieces.append(1)
        held.set()
        return not go_on.wait(60)

    async with world(tmp_path, live=True) as ready:
        store, database, target = ready.bot.store, tmp_path / "usher.db", tmp_path / "copy.db"
        for number in range(60):
            await store.write(
                audit.append_audit, [AuditEntry("a", "act", f"{number}", "ok", {"text": "x" * 200_000})]
            )
        left, time = partial(mark, left="copied"), StoreTime(ready.clock)
        copying = asyncio.create_task(
            asyncio.to_thread(write_backup, database, target, left, time, CountingIds(), is_over)
        )
        await asyncio.to_thread(held.wait, 60)
        length, _ = await store.read(audit.read_audit_head)
        assert "/workspace" in (await ready.alice.types("help")).text
        for number in range(20):
            await store.write(
                audit.append_audit, [AuditEntry("a", "act", f"later {number}", "ok", {"text": "y" * 9_000})]
            )
        assert not target.exists()
        go_on.set()
        await copying
    ((pages,),) = rows(target, "PRAGMA page_count")
    assert pages > 2 * COPY_BATCH_PAGES
    # SQLite restarts a copy outside a transaction when the database changes. The copy would then contain
    # later rows.
    assert rows(target, "SELECT MAX(seq) FROM audit") == [(length,)]


async def test_one_that_is_given_up_leaves_nothing_and_ends_at_once(tmp_path):
    async with installed(tmp_path) as (store, _make, clock):
        for number in range(60):
            await store.write(
                audit.append_audit, [AuditEntry("a", "act", f"{number}", "ok", {"text": "x" * 200_000})]
            )
        asked = []

        def is_over():
            asked.append(1)
            return True

        given = (tmp_path / "usher.db", tmp_path / "copy.db", partial(mark, left="copied"))
        with pytest.raises(StoreUnavailable, match="given up"):
            write_backup(*given, StoreTime(clock), CountingIds(), is_over)
    assert len(asked) == 1
    assert not list(tmp_path.glob("copy.db*"))


def damage(file):
    with closing(sqlite3.connect(file)) as database:
        for statement in DAMAGE:
            database.execute(statement)
        database.commit()


@pytest.mark.parametrize(
    ("spoils", "said"),
    [
        (lambda file, _folder: damage(file), "the copy is damaged: NULL value in damaged.one"),
        (lambda _file, folder: folder.rmdir(), "No such file or directory"),
        (
            lambda file, folder: os.truncate(file, shutil.disk_usage(folder).free),
            " MB are free, and it takes ",
        ),
    ],
    ids=["damaged", "no folder", "no room"],
)
async def test_none_is_made_where_it_would_be_worth_nothing_and_that_is_said(tmp_path, spoils, said):
    folder = tmp_path / "disk" / "backups"
    folder.mkdir(parents=True)
    async with installed(tmp_path) as (store, make, clock):
        database = tmp_path / "usher.db"
        size = database.stat().st_size
        given = Settings(**environment(tmp_path, USHER_BACKUPS=str(folder)))
        checked = partial(check_backups, store, given, 1.0)
        scheduler = Scheduler(store, clock, CountingIds())
        scheduler.nightly["backup"] = partial(make, folder)
        assert (await checked()).found == "not yet"
        spoils(database, folder)
        await scheduler._run_daily()
        check = await checked()
        assert (check.is_good, check.is_warning, said in check.found) == (False, False, True)
        assert check.advice == "What to do: `usher docs incidents#a-backup-fails`."
        assert (await store.perform(counts.measure_figures)).outages == {"#backup": 0.0}
        assert not [*folder.glob("*")]
        # Once the cause of the failure is gone, the backup is tried again.
        folder.mkdir(exist_ok=True)
        os.truncate(database, size)
        with closing(sqlite3.connect(database)) as mended:
            mended.execute("DROP TABLE IF EXISTS damaged")
            mended.commit()
        clock.advance(600)
        await scheduler._run_daily()
        check = await checked()
        assert (check.is_good, check.is_warning) == (True, True)
        assert check.found == f"on the same disk as the database, in {folder}"
        assert (await store.perform(counts.measure_figures)).outages == {}
        # Once a delayed backup has succeeded, no copy is made before the next night.
        clock.advance(600)
        await scheduler._run_daily()
        assert len([*folder.glob("*")]) == 1


@pytest.fixture
def another_disk(tmp_path):
    for place in ("/dev/shm", "/var/tmp"):
        with tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as another:
            if Path(another).stat().st_dev != tmp_path.stat().st_dev:
                yield another
                return
    pytest.skip("there is one disk here")


async def test_only_on_another_disk_it_is_called_done(tmp_path, another_disk):
    async with installed(tmp_path) as (store, make, _clock):
        given = Settings(**environment(tmp_path, USHER_BACKUPS=another_disk))
        assert await make(Path(another_disk)) == ""
        await store.write(maintenance.note_daily_work, "backup")
        check = await check_backups(store, given, 1.0)
        assert (check.is_good, check.found, check.advice, check.is_warning) == (True, "done", "", False)
        shutil.rmtree(another_disk)
        check = await check_backups(store, given, 1.0)
        assert (check.is_good, "is its disk mounted?" in check.found) == (False, True)
        # The folder was just set in the settings, so it doesn't have a backup yet.
        os.mkdir(another_disk)  # noqa: PTH102 - a Path may wait for its disk
        assert (await check_backups(store, given, 1.0)).found == "not yet"


async def test_of_a_server_nobody_knows_whether_it_is_backed_up(tmp_path):
    async with installed(tmp_path) as (store, _make, _clock):
        given = Settings(**environment(tmp_path, USHER_DATABASE_URL="postgresql://u@db.example/usher"))
        check = await check_backups(store, given, 1.0)
        assert (check.found.partition(",")[0], check.is_warning) == ("Usher doesn't know", True)


@pytest.fixture
def served():
    """Yield a folder that another user can reach.

    Its parent is open to everybody, unlike those of pytest's folders.
    """
    with tempfile.TemporaryDirectory() as passed:
        Path(passed).chmod(0o755)
        folder = Path(passed, "data")
        folder.mkdir(mode=0o700)
        yield folder


def owned(folder, user):
    for one in (folder, *folder.iterdir()) if user is not None else ():
        os.chown(one, user, user)


def found(folder, pattern):
    return [*folder.glob(pattern)]


async def test_a_restore_by_another_user_starts(served):
    """Root restores a backup, and the user that Usher runs as can open it.

    The old database is kept next to it.
    """
    user = 65_534 if os.geteuid() == 0 else None
    async with slack() as (local, _client):
        env = environment(served, **of_slack(local))
        await make_used_database(env["USHER_DATABASE_URL"])
        owned(served, user)
        async with running("serve", env=env, user=user) as usher:
            await usher.line_with("database backed up")
            (backup,) = found(served, "backups/usher-*.db")
            refused = await run("restored", str(backup), env=env)
            assert (refused.status, "stop it first" in refused.err) == (1, True)
            assert (await usher.end()).status == 0
        # The case of a new machine, where the operator first names the wrong file.
        (served / "usher.db.lock").unlink()
        assert (await run("restored", env["USHER_CONNECTIONS"], env=env)).status == 1
        restored = await run("restored", str(backup), env=env)
        assert (restored.status, restored.err) == (0, "")
        assert restored.out.startswith("Restored from a backup that was made on ")
        (before,) = found(served, "usher.db.before-*")
        assert rows(before, "SELECT COUNT(*) FROM upkeep WHERE work = 'backup'") == [(1,)]
        async with running("serve", env=env, user=user) as usher:
            await usher.line_with("ready")
            assert {one.stat().st_uid for one in found(served, "usher.db*")} == {served.stat().st_uid}


async def test_a_backup_of_a_newer_release_replaces_nothing(tmp_path):
    async with installed(tmp_path) as (_store, make, _clock):
        assert await make(tmp_path / "backups") == ""
    (backup,) = found(tmp_path, "backups/*")
    with closing(sqlite3.connect(backup)) as database, database:
        for table, values in (("migrations", "0"), ("schema_changes", "0, '99.1.0'")):
            database.execute(f"INSERT INTO {table} VALUES ('9999_later', {values})")
    was = (tmp_path / "usher.db").read_bytes()
    ended = await run("restored", str(backup), env=environment(tmp_path))
    assert (ended.status, "needs 99.1.0 or later" in ended.err) == (2, True), ended.err
    assert (tmp_path / "usher.db").read_bytes() == was
    assert found(tmp_path, "usher.db.*") == [tmp_path / "usher.db.lock"]


async def test_the_log_of_what_was_there_stays_with_it(tmp_path):
    """The log of the replaced database is kept with it.

    Otherwise SQLite would apply a killed process's last commits to the restored file.
    """
    async with installed(tmp_path) as (store, make, clock):
        assert await make(tmp_path / "backups") == ""
        await linked(store)
        killed = tmp_path / "killed.db"
        for ending in ("", "-wal", "-shm"):
            shutil.copy(tmp_path / f"usher.db{ending}", f"{killed}{ending}")
    (backup,) = found(tmp_path, "backups/*")
    replace_database(backup, killed, StoreTime(clock), CountingIds())
    counted = []
    for file in (killed, *found(tmp_path, f"killed.db.before-{clock.now():.0f}")):
        with closing(sqlite3.connect(file)) as database:
            counted += database.execute("SELECT COUNT(*) FROM accounts").fetchall()
    assert counted == [(0,), (1,)]


async def test_who_serves_leads_whoever_restores_to_no_file_elsewhere(tmp_path):
    """Root restores a backup in a folder of Usher's user, and mustn't follow that user's symbolic links."""
    database, theirs, made = (tmp_path / name for name in ("usher.db", "theirs", "made"))
    theirs.write_text("kept")
    async with installed(tmp_path) as (store, make, clock):
        assert await make(tmp_path / "backups") == ""
        (tmp_path / "usher.db.seen.new").symlink_to(theirs)
        await AuditWitness(database).note(store)
    (backup,) = found(tmp_path, "backups/*")
    for ending in (".restored", ".restored.new"):
        database.with_name(f"usher.db{ending}").symlink_to(theirs)
    (tmp_path / "usher.db.lock").unlink(missing_ok=True)
    (tmp_path / "usher.db.lock").symlink_to(made)
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        replace_database(backup, database, StoreTime(clock), CountingIds())
    (tmp_path / "usher.db.lock").unlink()
    replace_database(backup, database, StoreTime(clock), CountingIds())
    assert (theirs.read_text(), made.exists()) == ("kept", False)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "There's no file {}."),
        (b"no database" * 100, "{} can't be put in place: the file isn't a SQLite database"),
        (b"", "{} is no database of Usher's."),
    ],
    ids=["missing", "other", "empty"],
)
async def test_what_is_no_backup_is_not_put_in_place(tmp_path, written, said):
    given, database = tmp_path / "given.db", tmp_path / "usher.db"
    if written is not None:
        given.write_bytes(written)
    async with installed(tmp_path) as (store, _make, _clock):
        await linked(store)
    ended = await run("restored", str(given), env=environment(tmp_path))
    assert (ended.status, said.format(given) in ended.err) == (1, True)
    assert rows(database, "SELECT COUNT(*) FROM accounts") == [(1,)]
    assert not list(tmp_path.glob("usher.db.*re*"))
