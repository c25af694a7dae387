"""Test of the example in docs/provider-api.md: its package is named, and its Lagoon opens from Slack.

Everything runs in separate processes with the machine's clock, and takes about twenty seconds.
"""

import os
import re
import tomllib

import pytest

from playground.demo.guest_story import play_guest
from tests.project.repository import ROOT

LAGOON = ROOT / "packages/usher-lagoon"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install the package according to its pyproject.toml, as pip would."""
    project = tomllib.loads((LAGOON / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = tmp_path / "site" / f"usher_lagoon-{project['version']}.dist-info"
    info.mkdir(parents=True)
    name = f"Name: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\n{name}")
    groups = (
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in found.items())
        for group, found in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text("\n".join(groups))
    for folder in (LAGOON, info.parent):
        monkeypatch.syspath_prepend(folder)
    paths = (str(info.parent), str(LAGOON), os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))


async def test_lagoon_opens_from_slack(installed, tmp_path):
    told = await play_guest(
        "usher-lagoon", tmp_path, workspace="lagoon-olivia", opened="The IDE of lagoon-olivia"
    )
    assert "   olivia's browser shows /ide/lagoon-olivia: The IDE of lagoon-olivia" in told
    (token,) = re.findall(r'"olivia": "(\w{40})"', (tmp_path / "lagoon.json").read_text())
    assert token not in (tmp_path / "usher.log").read_text() + "\n".join(told)
