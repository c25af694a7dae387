"""Tests of comparing two revisions: the code of each one creates and fills its own database."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from cryptography.fernet import Fernet

from benchmarks.crowd import Crowd, Deployment
from benchmarks.machine import BenchmarkError
from benchmarks.stage import Stage
from bot.domain.workspaces import State
from playground.processes import HOME

OTHER = "9999_other"


@pytest.fixture
def scene(tmp_path):
    place = Deployment("", Fernet.generate_key().decode(), "https://saturn.example.org")
    return Stage(Crowd(2, 3), None, None, tmp_path, place, State.STARTING, pending=True)


@pytest.fixture
def revision(tmp_path):
    """Return a folder that contains this checkout's packages, and one more migration."""
    folder = tmp_path / "revision"
    shutil.copytree(HOME / "bot", folder / "bot")
    for name in ("benchmarks", "handlers", "playground", "providers", "tests"):
        (folder / name).symlink_to(HOME / name)
    migration = folder / "bot" / "store" / "migrations" / f"{OTHER}.sql"
    migration.write_text("CREATE TABLE other (id TEXT);\n", encoding="utf-8")
    return folder


async def test_another_revision_fills_its_database_with_its_own_code(scene, revision):
    await scene.beside("before", revision)
    with closing(sqlite3.connect(scene.database("before"))) as rows:
        assert rows.execute("SELECT 1 FROM migrations WHERE name = ?", [OTHER]).fetchone()
        assert rows.execute("SELECT COUNT(*) FROM operations").fetchone() == (6,)


async def test_a_folder_whose_code_fills_nothing_is_named_with_the_reason(scene, tmp_path):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "crowd.py").write_text("", encoding="utf-8")
    with pytest.raises(BenchmarkError, match=rf"(?s){tmp_path} can't fill.*cannot import name 'Crowd'"):
        await scene.beside("before", tmp_path)


async def test_a_revision_without_the_loader_of_today_loads_with_its_own(scene, revision):
    (revision / "handlers").unlink()
    shutil.copytree(HOME / "handlers", revision / "handlers")
    (revision / "bot" / "features").mkdir()
    (revision / "handlers" / "loading.py").rename(revision / "bot" / "features" / "feature.py")
    # In the other revision, the function that loads features takes one more argument.
    declarations = revision / "bot" / "support" / "declarations.py"
    text = declarations.read_text(encoding="utf-8")
    declarations.write_text(text.replace("def complete()", "def complete(hooks)"), encoding="utf-8")
    loader = revision / "bot" / "features" / "feature.py"
    text = loader.read_text(encoding="utf-8")
    loader.write_text(text.replace("declarations.complete()", "declarations.complete([])"), encoding="utf-8")
    await scene.beside("before", revision)
    with closing(sqlite3.connect(scene.database("before"))) as rows:
        assert rows.execute("SELECT COUNT(*) FROM operations").fetchone() == (6,)
