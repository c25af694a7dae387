"""Tests that the commands in the documentation and scripts exist, and are the same everywhere."""

import os
import re
import shlex
import subprocess

import pytest
from hypothesis import settings

from bot.__main__ import _build_parser
from tests.project.repository import ROOT, files, named

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def test_the_readme_names_the_two_commands_and_none_that_does_not_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^ {4}|^)make ([a-z-]+)", readme, re.MULTILINE))
    assert "make demo" in readme
    assert "make test" in readme
    assert "Python 3.11" in readme
    assert named <= TARGETS
    assert len(readme.splitlines()) <= 95, "what a newcomer doesn't need belongs in docs/"


def test_the_index_of_the_documentation_leads_to_every_page_of_it():
    folder = ROOT / "docs"
    index = (folder / "README.md").read_text(encoding="utf-8")
    linked = {(folder / link).resolve() for link in re.findall(r"\]\(([^)#:]+)\)", index)}
    pages = {path.resolve() for path in folder.glob("*.md")} - {(folder / "README.md").resolve()}
    assert pages - linked == set()


def test_help_lists_every_target():
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"make ([a-z-]+)", listed)) == TARGETS


def test_the_whole_check_runs_lint_and_the_test_command():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines.index("make lint") < lines.index("make test")
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_random_tests_are_the_same_in_every_run_but_the_thorough_one_which_tells_its_seed():
    assert settings.get_profile("usher").derandomize
    assert not settings.get_profile("thorough").derandomize
    given = [["make", "-n", "test-thorough", "SEED=7"], ["make", "-n", "test-thorough"]]
    repeated, fresh = (
        subprocess.run(words, check=True, cwd=ROOT, capture_output=True, text=True).stdout for words in given
    )
    assert "SEED=7" in repeated
    assert "--hypothesis-profile=thorough --hypothesis-seed=7" in repeated
    (told,) = re.findall(r"SEED=(\d+)", fresh)
    assert f"--hypothesis-seed={told}" in fresh


def test_mutants_are_played_apart_from_make_test():
    words = [["make", "-n", "test"], ["make", "-n", "mutants", "FILES=bot/domain/plan.py"]]
    test, mutants = (
        subprocess.run(one, check=True, cwd=ROOT, capture_output=True, text=True).stdout for one in words
    )
    assert "mutmut" not in test
    assert '.venv/bin/mutmut run "bot.domain.plan.*"\n' in mutants


def test_the_licence_is_the_one_that_the_project_names():
    assert (
        "Apache License\n                           Version 2.0, January 2004"
        in (ROOT / "LICENSE").read_text()
    )
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()


#: Matches one of Usher's commands on its own line or between backticks, up to the end of its arguments.
TYPED = re.compile(r"(?:`|^ *|/bin/)usher(?:-run)? ([a-z].*?)(?:`|$| +#| (?:[|><]|&&)(?: |$))", re.MULTILINE)
#: Matches words that stand for something of the reader's own.
LEFT_OUT = re.compile(r"…|\b[A-Z]:|:[A-Z]{2}|^try$")
PAGES = [path for path in sorted((ROOT / "docs").rglob("*.md")) if path.parent.name != "adr"]


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_command_line_that_a_page_shows_is_understood(path):
    shown = [one for one in TYPED.findall(path.read_text(encoding="utf-8")) if not LEFT_OUT.search(one)]
    for words in shown:
        assert _build_parser().parse_args(shlex.split(words)), words
    if path.stem in {"install", "containers", "operate", "settings"}:
        assert shown


#: Stands in for each program on a page, and prints how it was called.
SAYS = """\
#!/bin/sh
if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/pip" && cp "$0" "$3/bin/usher"; fi
echo "${0##*/} $*"
"""


@pytest.mark.parametrize("page", ["README.md", "docs/install.md"])
def test_what_a_page_shows_to_install_with_runs_in_a_checkout(page, tmp_path):
    checkout, python = tmp_path / "checkout", tmp_path / "bin/python3"
    held = {top for path in files() if (top := named(path).partition("/")[0]) != named(path)}
    for name in (*held, "../bin"):
        (checkout / name).mkdir(parents=True)
    python.write_text(SAYS)
    python.chmod(0o755)
    text = (ROOT / page).read_text(encoding="utf-8")
    shown = re.findall(r"^ *```\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    script = "".join(one for one in shown if "env/bin/" in one)
    path = f"{python.parent}:{os.environ['PATH']}"
    words = ["sh", "-ec", script]
    done = subprocess.run(
        words, cwd=checkout, env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.splitlines() == ["python3 -m venv env", "pip install .", "usher up"]
    (folder,) = {path for path in checkout.iterdir() if path.name not in {*held, "env"}}
    assert (folder.stat().st_mode & 0o777, list(folder.iterdir())) == (0o700, [])
