"""Tests that one of several workers runs all tests of a group, or all that share a module's fixture."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict

from tests.project.repository import ROOT

TESTS = """
import pytest

@pytest.fixture(scope="module")
def dear():
    return 1

@pytest.mark.parametrize("number", range(8))
def test_shares(dear, number, worker_id):
    note("shares", worker_id)

@pytest.mark.xdist_group("named")
@pytest.mark.parametrize("number", range(8))
def test_is_of_a_group(number, worker_id):
    note("named", worker_id)

@pytest.mark.parametrize("number", range(80))
def test_is_alone(number, worker_id):
    note("alone", worker_id)

def note(name, worker):
    with open("told", "a") as told:
        told.write(f"{name} {worker}\\n")
"""


def test_group_runs_in_one_worker(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "2",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "test_it.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    workers = defaultdict(set)
    for line in (tmp_path / "told").read_text().splitlines():
        name, worker = line.split()
        workers[name].add(worker)
    assert {name: len(found) for name, found in workers.items()} == {"shares": 1, "named": 1, "alone": 2}
