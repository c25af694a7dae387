"""What the page for authors of providers says works as written: its package passes the kit."""

import os
import re
import subprocess
import sys

from tests.project.repository import ROOT, files

LAGOON = ROOT / "providers/usher-lagoon"
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
    for path in (one for one in files() if one.is_relative_to(LAGOON)):
        copy = tmp_path / path.relative_to(LAGOON)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    said = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")
    assert int(re.search(r"(\d+) passed", said)[1]) > 150
    run(tmp_path, "-m", "mypy", "--strict", "--config-file=", "usher_lagoon.py")


def test_the_page_shows_what_the_provider_is():
    shown = re.findall(r"^    (\w+: ClassVar.*)$", PAGE, re.MULTILINE)
    text = (LAGOON / "usher_lagoon.py").read_text(encoding="utf-8")
    assert len(shown) == 7
    assert [line for line in shown if line not in text] == []


def test_it_names_everything_that_a_provider_may_use():
    from usher import provider

    assert [name for name in provider.__all__ if f"| `{name}" not in PAGE] == []


def test_it_names_every_facet():
    from bot.providers import base

    (table,) = re.findall(r"^\| facet \|.*\n(?:\|.*\n)*", PAGE, re.MULTILINE)
    shown = re.findall(r"`(\w+)`", table)
    own = {
        one.__name__ for one in vars(base).values() if isinstance(one, type) and issubclass(one, base.Facet)
    }
    # A provider has lists in its first line, and forms are for what is made or run.
    assert own - {"Facet", "Forms", "Lists"} == set(shown)
