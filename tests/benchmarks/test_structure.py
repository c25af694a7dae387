"""What measures the structure finds the files that a change reads, and plays its start to the end."""

import shutil
import subprocess

import pytest

from benchmarks import structure
from benchmarks.structure import SORTS

KINDS = SORTS["kind_files"]
NOTICES = KINDS.places[0]


@pytest.fixture
def history(tmp_path, monkeypatch):
    """Return what commits files in a history of its own."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    monkeypatch.setattr(structure, "ROOT", tmp_path)

    def git(*words):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)

    def commit(**files):
        for name, text in files.items():
            path = tmp_path / NOTICES if name == "notices" else tmp_path / f"bot/{name.replace('_', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git("add", "--all")
        git("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--message", "A change")

    git("init")
    return commit


def kind(name):
    return f'    {name} = _Kind("{name.lower()}", "operation")\n'


def test_the_parts_of_an_addition_are_found_where_they_lie_today(history):
    drawn, sent = "def a_function_that_draws(): ...\n", "def a_function_that_sends(): ...\n"
    history(notices=kind("READY"), drawing="", sending="")
    history(notices=kind("READY") + kind("LOST"), drawing=drawn, sending=sent)
    assert list(structure.addition_files(KINDS).values()) == [3, 1]
    history(notices=kind("LOST") + kind("READY"), drawing=drawn + sent, sending="")
    assert list(structure.addition_files(KINDS).values()) == [2, 1]


def test_files_of_a_feature_are_not_counted(history):
    history(notices=kind("READY"), features_hours_model="", drawing="")
    drawn, sent = "def a_function_that_draws(): ...\n", "def a_function_that_sends(): ...\n"
    history(notices=kind("READY") + kind("LOST"), features_hours_model=drawn, drawing=sent)
    assert list(structure.addition_files(KINDS).values()) == [2, 1]


def test_only_large_commits_say_what_a_change_reads(history):
    long = "a line\n" * 60
    history(one=long, two="2")
    history(one=f"{long}a correction\n")
    history(one=f"{long}{long}", two="3", three="3", four="4")
    assert structure.change_files() == 3


def test_without_a_history_the_figures_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(structure, "ROOT", tmp_path)
    figures = structure.read_by_changes()
    assert [one.name for one in figures] == ["change_files", *SORTS]
    assert not any(one.sound for one in figures)


async def test_a_start_crosses_rooms_of_ours_and_more_until_its_message_is_sent():
    crossed = await structure.play_start()
    to_ack, to_message = crossed["to_the_ack"], crossed["to_the_direct_message"]
    assert 10 < to_ack["files"] < to_message["files"]
    assert to_ack["files"] < to_ack["functions"] < to_message["functions"]
