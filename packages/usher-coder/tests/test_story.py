"""Tests in which two people start and create workspaces with a local Slack and a local Coder.

Everything runs in separate processes, on the machine's clock, so this takes about a minute.
"""

import re

from playground.demo.guest_story import play_guest


async def test_people_start_create_open_and_stop_workspaces(tmp_path):
    form = {"template": "Docker", "name": "paper"}
    lines = await play_guest(
        "usher-coder",
        tmp_path,
        workspace="devbox",
        opened="code-server of {owner} is running",
        form=form,
    )
    for name in ("olivia", "chen"):
        assert any(f"{name}'s browser shows" in line and f"code-server of {name}" in line for line in lines)
    tokens = re.findall(r'"token": "([^"]+)"', (tmp_path / "coder.json").read_text())
    said = (tmp_path / "usher.log").read_text() + "\n".join(lines)
    assert tokens
    assert [token for token in tokens if token in said] == []
