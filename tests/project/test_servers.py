"""Tests that servers shared by a run's workers end with the run, even if a worker or the run is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest

from tests.project.repository import ROOT
from tests.rigs import servers
from tests.rigs.thorough import draw

TESTS = """
import asyncio, json, os, signal
import pytest
from tests.app.command_line import environment
from tests.rigs import forked, servers

async def start(folder):
    # It asks for Slack again and again.
    given = environment(folder, USHER_SLACK_API_URL="http://127.0.0.1:9/api/")
    process = await forked.start(["serve"], {**given, "PYTHONPATH": "ROOT"}, folder)
    while b"slack not reached" not in (line := await process.stderr.readline()):
        assert line, "it ended"

def ask(folder):
    url, _ = json.loads(servers.ask("postgres"))
    asyncio.run(start(folder))
    with open("told", "a") as told:
        told.write(f"{url}\\n")

@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(2))
def test_asks(number, tmp_path):
    ask(tmp_path)
    WHAT
"""
#: A run without pytest, which would replace a killed worker. It has two workers, each of which is killed
#: after using the servers.
KILLED_WORKERS = """
import signal, subprocess, sys
from tests.rigs import servers
worker = "import os, pathlib, signal, sys, test_it; from tests.rigs import servers;"
worker += "servers.join(sys.argv[1]); test_it.ask(pathlib.Path.cwd()); os.kill(os.getpid(), signal.SIGKILL)"
for _ in range(2):
    assert subprocess.run([sys.executable, "-c", worker, servers.begin()]).returncode == -signal.SIGKILL
"""
MARK = "USHER_TEST_OF_SERVERS"


def list_left(mark):
    """Return the command lines of processes that have this mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def wait_until_nothing_is_left(mark):
    end = time.monotonic() + 30
    while left := list_left(mark):
        assert time.monotonic() < end, left
        time.sleep(0.05)


def start(folder, what, *options):
    """Start a run of two tests that use both servers, on two workers."""
    (folder / "test_it.py").write_text(TESTS.replace("WHAT", what).replace("ROOT", str(ROOT)))
    command = ["-m", "pytest", "-q", "-n", "2", "-p", "tests.conftest", *options]
    settings = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), "-p", "no:cacheprovider"]
    return start_python(folder, *command, *settings, "test_it.py")


@contextmanager
def start_python(folder, *words):
    """Run Python with a mark in its environment, by which ``list_left`` finds its descendants."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), MARK: str(folder)}
    environment.pop("TEST_DATABASE_URL", None)
    outputs = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    # SIGINT is ignored in a script's background jobs, and programs started there would inherit this.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen([sys.executable, *words], cwd=folder, env=environment, **outputs) as run:
        try:
            signal.signal(signal.SIGINT, before)
            yield run
            run.wait()
        except BaseException:
            run.kill()
            raise


def read_told(folder):
    told = folder / "told"
    return told.read_text().splitlines() if told.exists() else []


@pytest.mark.thorough
def test_servers_are_shared_and_end_with_the_run(tmp_path):
    with start(tmp_path, "pass") as run:
        said = run.communicate(timeout=90)[0]
    assert "2 passed" in said
    assert len(set(read_told(tmp_path))) == 1, "each worker had a PostgreSQL of its own"
    assert list_left(str(tmp_path)) == []


def test_killed_worker_leaves_nothing(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS.replace("WHAT", "pass").replace("ROOT", str(ROOT)))
    with start_python(tmp_path, "-c", KILLED_WORKERS) as run:
        said = run.communicate(timeout=90)[0]
    assert run.returncode == 0, said
    # The surviving worker continued with the same server.
    assert len(set(read_told(tmp_path))) == 1
    wait_until_nothing_is_left(str(tmp_path))


@pytest.mark.parametrize("number", draw([signal.SIGINT, signal.SIGKILL, signal.SIGTERM], 1))
def test_killed_run_leaves_nothing(tmp_path, number):
    with start(tmp_path, "signal.pause()") as run:
        end = time.monotonic() + 60
        while len(read_told(tmp_path)) < 2:
            assert time.monotonic() < end
            time.sleep(0.05)
        run.send_signal(number)
        run.stdout.close()
    wait_until_nothing_is_left(str(tmp_path))


@pytest.mark.thorough
def test_run_without_workers_has_servers_of_its_own(tmp_path):
    with start(tmp_path, "pass", "-n", "0") as run:
        said = run.communicate(timeout=90)[0]
    assert "2 passed" in said
    assert list_left(str(tmp_path)) == []


def test_server_is_started_once(tmp_path, monkeypatch):
    monkeypatch.setattr(servers, "_folders", [tmp_path])
    started = []
    monkeypatch.setattr(servers, "_start", lambda name, place: (started.append(name), place.touch()))
    assert servers.path("bots") == servers.path("bots") == str(tmp_path / "bots")
    assert started == ["bots"]
