"""A run whose workers are forked says what any run says, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from tests.project.repository import ROOT

TESTS = """
import os, signal, time, warnings
import pytest

@pytest.fixture(scope="session")
def unending():
    yield
    raise RuntimeError("it does not end")

@pytest.mark.parametrize("number", range(5))
def test_passes(number): pass
def test_fails():
    print("what was printed")
    assert 1 == 2
def test_ends_its_worker(): os._exit(3)
def test_kills_its_worker(): os.kill(os.getpid(), signal.SIGKILL)
@pytest.mark.timeout(0.2)
def test_takes_too_long(): signal.pause()
def test_is_left_out(): pytest.skip("because")
@pytest.mark.xfail
def test_is_expected_to_fail(): raise AssertionError
def test_leaves_something_to_the_end(unending): pass
def test_warns(): warnings.warn("careful")
@pytest.mark.parametrize("number", range(2))
def test_has_a_folder_of_its_own(tmp_path, number):
    (tmp_path / "file").touch(exist_ok=False)
"""
LEAVES = r"""
import os, signal, subprocess
import pytest

@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(2))
def test_leaves_a_process(number):
    code = "import os; os.fork() and os._exit(0); os.setsid(); os.execlp('sleep', 'sleep', '1000')"
    subprocess.run(["PYTHON", "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open("told", "w") as told:
        told.write(f"{os.getpid()}\n")
    WHAT
"""


def command(*words: str) -> list[str]:
    given = ["-p", "pytest_timeout", "-p", "tests.runner.plugin", "--workers", "2", "-ra", *words]
    return [sys.executable, "-m", "pytest", *given]


@contextmanager
def started(folder, tests, *words):
    (folder / "test_it.py").write_text(tests)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    outputs = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    # A shell has what it runs in the background ignore Ctrl+C, and so would all below.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command(*words), cwd=folder, env=environment, **outputs) as process:
        signal.signal(signal.SIGINT, former)
        try:
            yield process
        finally:
            process.kill()


def said(folder, tests, *words):
    with started(folder, tests, *words) as process:
        # All that it forked has the same output: that ends when the last of them has.
        words, _ = process.communicate()
        return process.returncode, words


def test_each_test_is_reported_by_its_name_and_in_the_usual_summary(tmp_path):
    status, words = said(tmp_path, TESTS, "--junitxml=told.xml")
    cases = ElementTree.parse(tmp_path / "told.xml").iter("testcase")
    found = {one.get("name"): {part.tag for part in one} for one in cases}
    assert status == 1
    assert {name for name, tags in found.items() if "failure" in tags} == {
        "test_fails",
        "test_ends_its_worker",
        "test_kills_its_worker",
        "test_takes_too_long",
    }
    assert {name for name, tags in found.items() if "skipped" in tags} == {
        "test_is_left_out",
        "test_is_expected_to_fail",
    }
    assert len(found) == 15
    assert "The worker that ran this test was killed by signal 9." in words
    assert "The worker that ran this test ended itself with 3." in words
    assert "what was printed" in words
    assert "it does not end" in words
    last = words.splitlines()[-1]
    assert re.search(r" 4 failed, 9 passed, 1 skipped, 1 xfailed, 1 warning, 1 error in ", last), words


def test_told_to_stop_at_the_first_failure_it_does(tmp_path):
    tests = (
        "import pytest\n@pytest.mark.parametrize('number', range(500))\ndef test_it(number): assert number\n"
    )
    status, words = said(tmp_path, tests, "-x")
    assert status == 1
    assert "stopping after 1 failures" in words
    assert "499 passed" not in words


def test_somebody_who_ends_the_run_from_a_test_ends_it(tmp_path):
    status, words = said(tmp_path, "import pytest\ndef test_it(): pytest.exit('enough')\n")
    assert (status, "enough" in words) == (2, True)


def test_what_a_test_wrote_is_kept_where_it_is_looked_for_if_it_failed(tmp_path):
    tests = (
        "import pathlib\n"
        "def test_it(tmp_path):\n"
        "    (tmp_path / 'written').write_text('by the test')\n"
        "    pathlib.Path('where').write_text(str(tmp_path))\n"
        "    assert not FAILS\n"
    )
    options = f"--basetemp={tmp_path / 'kept'}", "-o", "tmp_path_retention_policy=failed"
    for fails in (False, True):
        status, _ = said(tmp_path, tests.replace("FAILS", str(fails)), *options)
        assert status == fails
        assert [one.read_text() for one in (tmp_path / "kept").rglob("written")] == ["by the test"] * fails
        where = Path((tmp_path / "where").read_text())
        assert where.exists() == (fails and where.is_relative_to(tmp_path))


def left_over(folder):
    return [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == str(folder)]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody inherits children")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_process(tmp_path, number):
    os.mkfifo(tmp_path / "told")
    tests = LEAVES.replace("PYTHON", sys.executable).replace("WHAT", "signal.pause()")
    # Open for both, it ends for nobody.
    with started(tmp_path, tests) as process, (tmp_path / "told").open("r+b", buffering=0) as told:
        assert len({told.readline(), told.readline()}) == 2
        assert len(left_over(tmp_path)) >= 6  # the run, its keeper, two workers, what each left
        process.send_signal(number)
        process.communicate()
    assert left_over(tmp_path) == []


#: The wall clock is set back while the keeper looks for the first time for what is left.
SET_BACK = """
from psutil import _pslinux
steps, real = [3600.0], _pslinux.boot_time
_pslinux.boot_time = lambda: real() + (steps.pop() if steps else 0.0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody inherits children")
def test_nor_does_one_while_the_clock_is_set(tmp_path):
    (tmp_path / "conftest.py").write_text(SET_BACK)
    _, words = said(tmp_path, LEAVES.replace("PYTHON", sys.executable).replace("WHAT", "pass"))
    assert " 2 passed" in words.splitlines()[-1]
    assert left_over(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody inherits children")
def test_nor_does_a_worker_that_is_killed(tmp_path):
    tests = LEAVES.replace("PYTHON", sys.executable).replace("WHAT", "os.kill(os.getpid(), signal.SIGKILL)")
    _, words = said(tmp_path, tests)
    assert " 2 failed" in words.splitlines()[-1]
    assert left_over(tmp_path) == []
