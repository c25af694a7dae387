"""What runs at every push and what it checks of commits: pinned, with few rights, and able to fail."""

import importlib.util
import re
import shutil
import subprocess
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


@pytest.fixture
def commits():
    spec = importlib.util.spec_from_file_location("tools_commits", ROOT / "tools/commits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "Begin with a subject that is much too long, which was before anybody looked at them")
    kept = folder / "tests/contract/store/releases/0.1.0.sql"
    kept.parent.mkdir(parents=True)
    kept.write_text("CREATE TABLE inbox (key TEXT);")
    commit(folder, "Keep a database of 0.1.0")
    return folder


def git(folder, *words):
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def commit(folder, subject):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", subject)


def test_subjects_since_the_release_are_counted_and_long_ones_named(commits, repository, capsys):
    assert commits.main(repository) == 0
    commit(repository, "x" * 72)
    assert commits.main(repository) == 0
    assert capsys.readouterr().out.endswith("Subjects of commits since 0.1.0: 1, longer than 72: 0.\n")
    commit(repository, "y" * 73)
    assert commits.main(repository) == 1
    assert f": 73 characters: {'y' * 73}\n" in capsys.readouterr().out


def test_a_shallow_clone_checks_what_it_has(commits, repository, tmp_path, capsys):
    commit(repository, "y" * 73)
    commit(repository, "Be short")
    for depth, status in ((1, 0), (2, 0), (3, 1)):
        clone = tmp_path / f"depth-{depth}"
        git(tmp_path, "clone", "-q", "--depth", str(depth), repository.as_uri(), str(clone))
        assert commits.main(clone) == status
    assert f"longer than 72: {1}." in capsys.readouterr().out


def test_a_merge_by_a_machine_does_not_count(commits, repository):
    git(repository, "switch", "-q", "-c", "side")
    commit(repository, "Be on the side")
    git(repository, "switch", "-q", "main")
    git(repository, "merge", "-q", "--no-ff", "side", "-m", f"Merge {'a' * 40} into {'b' * 40}")
    assert commits.main(repository) == 0


def test_where_there_is_no_history_that_is_said(commits, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commits.main(tmp_path) == 0
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commits.main(tmp_path) == 0
    assert capsys.readouterr().out == "Subjects of commits: NOT CHECKED, there is no history here.\n" * 2


@pytest.mark.parametrize("name", ["ci", "nightly"])
def test_workflow_of_tests_fetches_the_commits_of_earlier_releases(name):
    _, job, _ = called(name)
    assert job["steps"][0]["with"]["fetch-depth"] == 0
