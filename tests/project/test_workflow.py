"""What runs at every push and what it checks of commits: pinned, with few rights, and able to fail."""

import re
import tomllib

import pytest
import yaml

from tests.project.repository import ROOT

WORKFLOWS = {path.stem: path.read_text("utf-8") for path in (ROOT / ".github/workflows").iterdir()}


def called(name):
    """Return a workflow's triggers, its only job and what that runs."""
    workflow = yaml.safe_load(WORKFLOWS[name])
    (job,) = workflow["jobs"].values()
    # YAML reads the word `on` as true.
    return workflow[True], job, [step["run"] for step in job["steps"] if "run" in step]


def test_check_runs_on_oldest_and_two_newest_pythons_at_pushes():
    triggers, job, runs = called("ci")
    assert (set(triggers), runs) == ({"push", "pull_request"}, [".ci/run"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = [one.rpartition(" ")[2] for one in project["classifiers"] if re.search(r":: 3\.\d+$", one)]
    assert job["strategy"]["matrix"]["python"] == [versions[0], *versions[-2:]]


def test_what_the_check_leaves_out_runs_every_night():
    triggers, _, runs = called("nightly")
    ((schedule,),) = (one.values() for one in triggers["schedule"])
    assert re.fullmatch(r"\d+ \d+ \* \* \*", schedule)
    assert runs == [".ci/run thorough"]
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert re.search(
        r"== thorough \]\]; then\n    exec make test-thorough\nfi\nmake lint\nmake test-outside\nmake test\n",
        script,
    )


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_only_read_and_knows_no_secret(name):
    assert yaml.safe_load(WORKFLOWS[name])["permissions"] == {"contents": "read"}
    assert "permissions" not in called(name)[1]
    assert "secrets." not in WORKFLOWS[name]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_is_pinned_by_its_digest(name):
    used = re.findall(r"uses: (\S+)(.*)", WORKFLOWS[name])
    assert len(used) == 2
    for action, comment in used:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)


@pytest.mark.parametrize("name", ["ci", "nightly"])
def test_workflow_of_tests_fetches_the_commits_of_earlier_releases(name):
    _, job, _ = called(name)
    assert job["steps"][0]["with"]["fetch-depth"] == 0
