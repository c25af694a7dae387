"""What the page for authors of providers says works as written: its package passes the kit."""

import os
import re
import subprocess
import sys

from tests.project.repository import ROOT

#: The local server is long, so the page names its file.
SERVER = ROOT / "providers/usher-lagoon/tests/conftest.py"
STEP = re.compile(r"^`([\w.-]+)`:\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = (ROOT / "docs/provider-api.md").read_text(encoding="utf-8")


def run(folder, *words):
    ended = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_first_provider_passes_the_kit(tmp_path):
    assert SERVER.relative_to(ROOT).as_posix() in PAGE
    steps = dict(STEP.findall(PAGE))
    assert set(steps) == {"pyproject.toml", "usher_lagoon.py", "test_lagoon.py"}
    for name, text in (steps | {SERVER.name: SERVER.read_text(encoding="utf-8")}).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    said = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")
    assert int(re.search(r"(\d+) passed", said)[1]) > 150
    settings = ("--config", str(ROOT / "pyproject.toml"))
    run(tmp_path, "-m", "ruff", "check", *settings, "usher_lagoon.py")
    run(tmp_path, "-m", "mypy", "--strict", "--config-file=", "usher_lagoon.py")


def test_it_names_every_facet():
    from bot.providers import base

    shown = re.findall(r"`(\w+)`", PAGE)
    own = {
        one.__name__ for one in vars(base).values() if isinstance(one, type) and issubclass(one, base.Facet)
    }
    # A provider has lists in its first line, and forms are for what is made or run.
    assert own - {"Facet", "Forms", "Lists"} <= set(shown)
