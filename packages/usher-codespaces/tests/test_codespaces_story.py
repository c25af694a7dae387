"""Tests in which two people start and create codespaces with a local Slack and a local GitHub.

Everything runs in separate processes, on the machine's clock, so this takes about a minute.
"""

import json

from playground.demo.guest_story import play_guest


async def test_people_start_and_create_codespaces(tmp_path):
    lines = await play_guest(
        "usher-codespaces",
        tmp_path,
        workspace="reef-olivia",
        opened="The editor of {workspace}",
        form={"repository": "acme/reef", "name": "paper"},
    )
    assert any("The editor of reef-olivia" in line for line in lines)
    assert any("The editor of paper" in line for line in lines)
    tokens = json.loads((tmp_path / "codespaces.json").read_text())["tokens"].values()
    said = (tmp_path / "usher.log").read_text() + "\n".join(lines)
    assert tokens
    assert [token for token in tokens if token in said] == []
