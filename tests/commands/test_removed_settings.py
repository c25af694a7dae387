"""Tests of settings that a release has removed: doctor and the start name them, with what to do."""

import json

from tests.app.command_line import environment, of_slack, run
from tests.playground.slack_help import slack


async def test_removed_setting_is_a_warning_with_what_to_do(tmp_path):
    async with slack() as (local, _client):
        env = environment(tmp_path, **of_slack(local), USHER_SESSION_IDLE_MINUTES="15")
        ended = await run("doctor", "--json", env=env)
        migrated = await run("migrate", env=env)
    (check,) = [one for one in json.loads(ended.out)["checks"] if one["name"] == "settings"]
    assert check["found"].startswith("USHER_SESSION_IDLE_MINUTES: this setting was removed")
    assert (check["is_good"], check["is_warning"]) == (True, True)
    assert "a browser is signed out after 12 hours" in check["advice"]
    assert migrated.status == 0
    (logged,) = [line for line in migrated.err.splitlines() if "setting removed" in line]
    assert "USHER_SESSION_IDLE_MINUTES" in logged
    assert "a browser is signed out after 12 hours" in logged
