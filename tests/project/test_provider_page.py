"""Tests that the page for provider authors works as written: its package passes the conformance kit."""

import os
import re
import subprocess
import sys
from dataclasses import fields, is_dataclass
from enum import EnumType

import pytest

from tests.project.repository import ROOT, files

LAGOON = ROOT / "packages/usher-lagoon"
PAGE = (ROOT / "docs/provider-api.md").read_text(encoding="utf-8")


def run(folder, *words, status=0):
    ended = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == status, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(name="lagoon")
def copy_lagoon(tmp_path):
    """Copy the package that the page describes."""
    for path in (one for one in files() if one.is_relative_to(LAGOON)):
        copy = tmp_path / path.relative_to(LAGOON)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return tmp_path


def test_failed_kit_prints_its_steps(lagoon):
    module = lagoon / "usher_lagoon.py"
    text = module.read_text(encoding="utf-8")
    cleaned = 'up.clean(up.find_text(workspace, "name") or "", up.MAX_NAME_LENGTH)'
    assert cleaned in text
    module.write_text(text.replace(cleaned, 'up.find_text(workspace, "name")'), encoding="utf-8")
    said = run(lagoon, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "has_clean_names", status=1)
    fault, call, request = said.partition("What the kit did")[2].splitlines()[1:4]
    assert fault.startswith("the next answer to GET /api/workspaces$ has 'training\\r\\n")
    assert fault.endswith("at /workspaces/0/name")
    assert (call, request) == ("discover(access)", "    GET /api/workspaces")
    assert "a name has a line break or a hidden character: `clean` it" in said


def test_a_first_provider_passes_the_kit(lagoon):
    said = run(lagoon, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")
    assert int(re.search(r"(\d+) passed", said)[1]) > 150
    run(lagoon, "-m", "mypy", "--strict", "--config-file=", "usher_lagoon.py")


def test_the_page_shows_what_the_provider_is():
    shown = re.findall(r"^    (\w+: ClassVar.*)$", PAGE, re.MULTILINE)
    text = (LAGOON / "usher_lagoon.py").read_text(encoding="utf-8")
    assert len(shown) == 7
    assert [line for line in shown if line not in text] == []


def test_every_field_and_value_is_described():
    """``help()`` describes each field and each value of the public classes."""
    from usher import provider

    public = {name: getattr(provider, name) for name in provider.__all__}
    # ``Run``, ``Workspace`` and ``ApiClient`` belong to Usher, and providers only read some of their fields.
    rows = {"Run", "Workspace", "ApiClient"}
    parts = [
        *((name, part.name) for name, one in public.items() if is_dataclass(one) for part in fields(one)),
        *(
            (name, part)
            for name, one in public.items()
            if isinstance(one, EnumType)
            for part in one.__members__
        ),
        *(("Options", part) for part in provider.Options.__annotations__),
    ]
    described = {(name, part) for name, part in parts if f"    {part}: " in (public[name].__doc__ or "")}
    assert [one for one in parts if one not in described and one[0] not in rows] == []


def test_it_names_every_facet():
    from bot.providers import facets

    (table,) = re.findall(r"^\| facet \|.*\n(?:\|.*\n)*", PAGE, re.MULTILINE)
    shown = re.findall(r"`(\w+)`", table)
    own = {
        one.__name__
        for one in vars(facets).values()
        if isinstance(one, type) and issubclass(one, facets.Facet)
    }
    # Every provider has lists already, and forms only come with creating or running something.
    assert own - {"Facet", "Forms", "Lists"} == set(shown)
