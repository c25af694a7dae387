"""The commands that people and machines are told to run exist, and say the same everywhere."""

from __future__ import annotations

import os
import re
import subprocess

from hypothesis import settings

from bot.support.settings import Settings
from tests.project.repository import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def test_the_readme_names_the_two_commands_and_none_that_does_not_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^ {4}|^)make ([a-z-]+)", readme, re.MULTILINE))
    assert "make demo" in readme
    assert "make test" in readme
    assert named <= TARGETS


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


def test_the_procfile_has_the_processes_that_share_a_database():
    assert (ROOT / "Procfile").read_text(encoding="utf-8") == (
        "web: env USHER_HOST=0.0.0.0 python -m bot web\nworker: env USHER_HOST=0.0.0.0 python -m bot worker\n"
    )


def test_the_readme_and_the_example_name_every_setting_and_none_besides():
    asked = {field.validation_alias for field in Settings.model_fields.values()}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for text in (readme, example):
        named = set(re.findall(r"\b(?:USHER|SLACK)_[A-Z_]+\b|\bPORT\b", text))
        assert named == asked


def test_the_readme_names_every_command_line_there_is():
    pages = ("README.md", "docs/install.md", "docs/deploy.md")
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in pages)
    command = r"python -m bot ([a-z]+(?: (?:copy|import|new|rotate|verify))?)"
    named = set(re.findall(command, text))
    known = {
        "serve",
        "init",
        "web",
        "worker",
        "migrate",
        "doctor",
        "routes",
        "manifest",
        "keys new",
        "keys rotate",
        "audit verify",
    }
    assert named == known | {"accounts import", "store copy"}


def test_the_licence_is_the_one_that_the_project_names():
    assert (
        "Apache License\n                           Version 2.0, January 2004"
        in (ROOT / "LICENSE").read_text()
    )
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()
