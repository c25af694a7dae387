"""Tests of the checks at every push and of commits: pinned, with few permissions, and able to fail."""

import importlib.resources
import json
import re
import tomllib

import pytest
import yaml

from bot.support.release import RELEASE
from tests.project.repository import ROOT
from tools.tag import find_news

WORKFLOWS = {path.stem: path.read_text("utf-8") for path in (ROOT / ".github/workflows").iterdir()}


def called(name):
    """Return a workflow's triggers, its only job, and the commands of that job."""
    workflow = yaml.safe_load(WORKFLOWS[name])
    (job,) = workflow["jobs"].values()
    # YAML parses the word `on` as true.
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


#: The write permissions of workflows. Only the one for releases has any: it creates a release, and signs its
#: files.
MAY_WRITE = {"release": {"contents": "write", "id-token": "write", "attestations": "write"}}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_only_read_and_knows_no_secret(name):
    assert yaml.safe_load(WORKFLOWS[name])["permissions"] == {"contents": "read"}
    assert called(name)[1].get("permissions") == MAY_WRITE.get(name)
    assert "secrets." not in WORKFLOWS[name]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_is_valid_under_the_published_schema(name):
    import jsonschema  # a second, which every worker would take

    schemas = importlib.resources.files("check_jsonschema") / "builtin_schemas/vendor"
    schema = json.loads((schemas / "github-workflows.json").read_text("utf-8"))
    workflow = yaml.safe_load(WORKFLOWS[name])
    workflow["on"] = workflow.pop(True)
    validator = jsonschema.Draft7Validator(schema)
    assert list(validator.iter_errors(workflow)) == []
    assert not validator.is_valid({**workflow, "permission": {}})


def test_a_tag_is_checked_then_tested_built_signed_and_published():
    triggers, job, runs = called("release")
    assert triggers == {"push": {"tags": ["v*"]}}
    tagged = '"$GITHUB_REF_NAME"'
    published = f"gh release create {tagged} --verify-tag --notes-file notes.md dist/*"
    assert runs == [f"python3 -m tools.tag {tagged} > notes.md", ".ci/run", "make release", published]
    uses = [step.get("uses", "run").partition("@")[0] for step in job["steps"]]
    assert uses[-3:] == ["run", "actions/attest-build-provenance", "run"]
    assert job["steps"][-2]["with"] == {"subject-path": "dist/*"}


def test_a_tag_has_the_version_and_the_news_of_its_release():
    changelog = (
        f"# Changelog\n\n## [Unreleased]\n\n## [{RELEASE}] - 2026-12-01\n\n- New.\n\n## [0.1.0]\n\n- Old.\n"
    )
    assert find_news(f"v{RELEASE}", changelog) == "- New."
    with pytest.raises(ValueError, match=r"the tag is v0\.1\.0, and RELEASE in bot/support/release.py is "):
        find_news("v0.1.0", changelog)
    with pytest.raises(ValueError, match=r"CHANGELOG\.md says nothing below a heading"):
        find_news(f"v{RELEASE}", changelog.replace(f"[{RELEASE}]", "[0.0.1]"))


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_is_pinned_by_its_digest(name):
    used = re.findall(r"uses: (\S+)(.*)", WORKFLOWS[name])
    assert len(used) >= 2
    for action, comment in used:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)


@pytest.mark.parametrize("name", ["ci", "nightly", "release"])
def test_workflow_of_tests_fetches_the_commits_of_earlier_releases(name):
    _, job, _ = called(name)
    assert job["steps"][0]["with"]["fetch-depth"] == 0
