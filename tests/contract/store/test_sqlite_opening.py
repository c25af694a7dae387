"""Opening, migrating and closing SQLite files: errors are reported at once, and in words."""

import asyncio
import errno
import os
import sqlite3
import stat

import pytest
from structlog.testing import capture_logs

from bot.store import open_store, workspaces
from bot.store.sqlite import explain_not_opened, probe_disk, translate
from bot.store.statements import read_queries
from bot.store.time_repair import build_healing_queries
from bot.support.clock import SystemIds
from bot.support.errors import StoreUnavailable
from tests.rigs.clock import FakeClock
from tests.rigs.store import ALICE, first_sight, linked, memory_store

IDS = SystemIds()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "usher.db"


async def opened(path, clock=None):
    return await open_store(f"sqlite:///{path}", clock or FakeClock(), IDS)


async def test_a_new_file_is_the_owners_alone(path):
    store = await opened(path)
    await store.migrate()
    await linked(store)
    modes = {stat.S_IMODE(found.stat().st_mode) for found in path.parent.iterdir()}
    await store.close()
    assert modes == {0o600}


async def test_a_relative_path_and_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = await open_store("sqlite:///here.db", FakeClock(), IDS)
    await store.close()
    assert (tmp_path / "here.db").exists()
    store = await open_store("sqlite:///:memory:", FakeClock(), IDS)
    await store.migrate()
    await store.close()
    assert [found.name for found in tmp_path.iterdir()] == ["here.db"]


async def test_an_unmigrated_database_says_so(path):
    store = await opened(path)
    with pytest.raises(StoreUnavailable, match="not migrated"):
        await store.perform(workspaces.read_workspaces, ALICE)
    with pytest.raises(StoreUnavailable, match="not migrated"):
        await first_sight(store, "i1")
    await store.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////nowhere/at/all/usher.db", "folder doesn't exist"),
        ("sqlite:///{folder}", "is a folder"),
        ("sqlite:///{text}", "isn't a SQLite database"),
        ("mysql://host/usher", "not understood"),
        ("sqlite:///", "not understood"),
        ("usher.db", "not understood"),
    ],
)
async def test_what_cannot_be_opened_says_why(tmp_path, url, words):
    (tmp_path / "text").write_text("no database " * 100)
    with pytest.raises(StoreUnavailable, match=words):
        await open_store(url.format(folder=tmp_path, text=tmp_path / "text"), FakeClock(), IDS)


@pytest.mark.parametrize("code", ["SQLITE_IOERR_SHMSIZE", "SQLITE_CANTOPEN", "SQLITE_READONLY_DIRECTORY"])
@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(errno.ENOSPC, "the disk is full; make room on it", id="full"),
        pytest.param(errno.EDQUOT, "this user's part of the disk is full; make room on it", id="quota"),
        pytest.param(errno.EROFS, "the disk is read-only; make it writable", id="read-only"),
        pytest.param(errno.EACCES, "isn't allowed to use it; make Usher's user the owner", id="owner"),
        pytest.param(errno.EIO, "(disk I/O error)", id="broken"),
        pytest.param(0, "(disk I/O error)", id="writable"),
    ],
)
def test_disk_error_says_what_is_wrong_with_the_disk(path, code, number, words):
    """SQLite reports "disk I/O error" for a full disk, too; only trying to write tells them apart."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = getattr(sqlite3, code)
    found = OSError(number, os.strerror(number)) if number else None
    opening = explain_not_opened(str(path), error, lambda _: found)
    assert opening.startswith(f"{path} can't be opened: ")
    assert words in opening
    # An error while serving names the same cause.
    assert words.partition(";")[0] in str(translate(error, str(path), lambda _: found))


async def test_probe_of_a_disk_leaves_nothing_behind(path):
    assert probe_disk(str(path)) is None
    assert list(path.parent.iterdir()) == []
    assert probe_disk(str(path.parent / "missing" / path.name)).errno == errno.ENOENT


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_file_that_may_not_be_written_says_so(path):
    path.touch(0o400)
    with pytest.raises(StoreUnavailable, match="isn't allowed to use it"):
        await opened(path)


async def test_a_damaged_file_is_named_with_what_to_do_next(path):
    store = await opened(path)
    await store.migrate()
    await store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"canary " * 200_000)
    with pytest.raises(
        StoreUnavailable,
        match=r"damaged \(.+\): stop Usher and restore .+`usher docs operate#a-damaged-database`",
    ):
        await opened(path)


async def test_closing_finishes_what_is_queued(path):
    store = await opened(path)
    await store.migrate()
    await linked(store)
    waiting = [asyncio.ensure_future(first_sight(store, f"i{number}")) for number in range(300)]
    await asyncio.sleep(0)
    await store.close()
    assert all(await asyncio.gather(*waiting))
    with pytest.raises(StoreUnavailable, match="closed"):
        await first_sight(store, "late")
    await store.close()
    store = await opened(path)
    assert not await first_sight(store, "i299")
    await store.close()


async def test_two_stores_in_memory_are_two():
    async with memory_store() as first, memory_store() as second:
        await linked(first)
        assert await second.perform(workspaces.read_workspaces, ALICE) == []


def test_every_query_is_used_and_every_one_that_is_used_is_there():
    import re
    from pathlib import Path

    import bot.services
    from tests.project.repository import list_store

    services = Path(bot.services.__file__).parent.glob("*.py")
    source = "\n".join(path.read_text() for path in [*services, *list_store("*.py")])
    used = set(re.findall(r"tx\.(?:all|one|run)\(\s*\"(\w+)\"", source))
    used |= set(re.findall(r"\.(?:query|first|change_returning)\(\s*tx,\s*\"(\w+)\"", source))
    # Other names are chosen from several or passed on. They consist of more than one word, unlike most
    # tables' names.
    quoted = set(re.findall(r"(?:fill_changes|build_claim)\(\s*\"(\w+)\"|\"(\w+_\w+)\"", source))
    quoted = {name for names in quoted for name in names}
    assert used <= read_queries().keys()
    assert read_queries().keys() - build_healing_queries().keys() <= used | quoted


@pytest.mark.parametrize("other", ["usher.db", "old.sqlite"])
async def test_new_file_beside_a_served_database_is_logged(tmp_path, other):
    served = await opened(tmp_path / other)
    await served.begin_serving()
    await served.close()
    (tmp_path / "notes.txt.lock").touch()
    (tmp_path / "notes.txt").write_text("no database")
    for name, others in (("usher.db ", [[other]]), (other, []), ("usher.db ", [])):
        with capture_logs() as logs:
            await (await opened(tmp_path / name)).close()
        found = [line["others"] for line in logs if line["event"] == "new database beside another one"]
        assert found == others


async def test_new_file_in_a_folder_of_its_own_is_not_logged(path):
    with capture_logs() as logs:
        await (await opened(path)).close()
    assert [line for line in logs if line["event"] == "new database beside another one"] == []
