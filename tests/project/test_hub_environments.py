"""Tests of the JupyterHub releases used by tests: each has a lock and an environment."""

import subprocess

import pytest

from tests.project.locks import ENTRY, pins_of, text_of
from tests.project.repository import ROOT
from tests.rigs import hubs
from tests.rigs.hubs import ALL
from tools.lock import HUBS as HUB_REQUIREMENTS

#: The oldest release, which only `make test-thorough` tests.
OLDEST = min(ALL)


@pytest.mark.parametrize("release", ALL, ids=str)
def test_hub_lock_has_its_release_with_an_environment_that_tests_wait_for(release):
    lock = f"hub-{release}"
    text = text_of(lock)
    assert ENTRY.sub("", text) == "", "a line that is no pinned and hashed requirement"
    assert "://" not in text
    (version,) = [pin for pin in pins_of(lock) if pin.startswith("jupyterhub==")]
    assert version.startswith(f"jupyterhub=={release}.")
    assert any(line.startswith(f"jupyterhub=={release}.") for line in HUB_REQUIREMENTS[lock].splitlines())
    stamp = f".venv/hub-{release}/.installed"
    needed = {name for name in ("test", "coverage", "test-thorough") if stamp in prerequisites_of(name)}
    assert needed == ({"test-thorough"} if release == OLDEST else {"test", "coverage", "test-thorough"})


def prerequisites_of(target):
    """Return the line for a target in the database of rules that make prints."""
    told = subprocess.run(["make", "-pnq", target], cwd=ROOT, capture_output=True, text=True, check=False)
    return next(line for line in told.stdout.splitlines() if line.startswith(f"{target}: "))


def test_tests_at_a_hub_fail_where_it_is_not_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(hubs, "ROOT", tmp_path)
    with pytest.raises(pytest.fail.Exception, match=r"make \.venv/hub-5/\.installed"):
        hubs.find_python(5)
