"""Tests of the disk space that doctor measures, for the database and its backups."""

import os
import shutil
from pathlib import Path

import pytest

from bot.commands.doctor import check_disks
from bot.services.backups import explain_wrong_folder
from bot.support.settings import Settings
from tests.app.command_line import environment


def settings(folder, **changes):
    return Settings(**environment(folder, **changes))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: None, "isn't a folder: is its disk mounted?"),
        (Path.touch, "isn't a folder: is its disk mounted?"),
        (lambda folder: folder.symlink_to("nowhere"), "isn't a folder: is its disk mounted?"),
        (Path.mkdir, ""),
        (lambda folder: folder.mkdir(0o500), "this user can't write to"),
    ],
    ids=["missing", "file", "link", "folder", "read-only"],
)
@pytest.mark.parametrize("name", ["backups", "disk/backups"])
def test_folder_that_takes_no_copies_is_named(tmp_path, monkeypatch, name, make, said):
    (tmp_path / "disk").mkdir()
    folder, file = tmp_path / name, tmp_path / "usher.db"
    make(folder)
    # Root may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, _: bool(path.stat().st_mode & 0o200))
    is_made_when_needed = name == "backups" and not folder.exists() and not folder.is_symlink()
    found = explain_wrong_folder(file, folder)
    assert found == "" if is_made_when_needed or not said else said in found


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
        # If the folder doesn't exist, its disk can't be checked.
        expected = wanted - ({"room for backups"} if changes else set())
        assert {check.name for check in check_disks(given, min_free)} == expected
    folder.mkdir(parents=True)
    checks = check_disks(given, min_free)
    assert {check.name for check in checks} == wanted
    assert not [check for check in checks if check.is_good or not check.advice.startswith("Make room there")]
    assert (
        check_disks(settings(tmp_path, USHER_DATABASE_URL="postgresql://u@db.example/usher"), min_free) == []
    )
