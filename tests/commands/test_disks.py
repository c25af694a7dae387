"""The disks of the database and its copies, as doctor measures them."""

import os
import shutil

import pytest

from bot.commands.doctor import check_disks
from bot.support.settings import Settings
from tests.app.command_line import environment


def settings(folder, **changes):
    return Settings(**environment(folder, **changes))


@pytest.mark.parametrize("is_large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("min_free", [1, 10**18], ids=["room", "full"])
def test_disks_of_the_database_and_its_copies_are_measured(tmp_path, is_large, min_free):
    database, folder = tmp_path / "usher.db", tmp_path / "disk" / "copies"
    database.touch()
    # Sparse: it takes no room.
    os.truncate(database, shutil.disk_usage(tmp_path).free if is_large else 0)
    wanted = {"room for the database"} if min_free > 1 else set()
    wanted |= {"room for backups"} if is_large else set()
    for changes in ({}, {"USHER_BACKUPS": str(folder)}):
        given = settings(tmp_path, USHER_DATABASE_URL=f"sqlite:///{database}", **changes)
        # Where the folder isn't there, nothing can be said of its disk.
        expected = wanted - ({"room for backups"} if changes else set())
        assert {check.name for check in check_disks(given, min_free)} == expected
    folder.mkdir(parents=True)
    checks = check_disks(given, min_free)
    assert {check.name for check in checks} == wanted
    assert not [check for check in checks if check.is_good or not check.advice.startswith("Make room there")]
    assert (
        check_disks(settings(tmp_path, USHER_DATABASE_URL="postgresql://u@db.example/usher"), min_free) == []
    )
