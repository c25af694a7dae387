"""Tests of the check that the bot token and the app-level token belong to one Slack app."""

import pytest

from bot.commands.slack_checks import check_slack
from bot.support.http import Http
from bot.support.settings import Settings
from tests.app.command_line import environment, of_slack
from tests.playground.slack_help import slack

OTHER = "xapp-1-A0OTHER-123456789012-abcdef"


@pytest.mark.parametrize(
    ("token", "scopes", "is_good"),
    [
        pytest.param(OTHER, None, False, id="another"),
        pytest.param(None, None, True, id="same"),
        pytest.param("xapp-of-unknown-form", None, True, id="unknown-form"),
        pytest.param(OTHER, ["chat:write"], True, id="not-told"),
    ],
)
async def test_tokens_of_two_apps_are_reported(tmp_path, token, scopes, is_good):
    seed = {"app_token": token, **({"app": {"scopes": scopes}} if scopes else {})}
    async with slack(seed=seed) as (local, _client), Http.new_session() as session:
        given = environment(tmp_path, **of_slack(local, SLACK_APP_TOKEN=local.credentials["app_token"]))
        checks = await check_slack(Settings(**given), Http(session))
    (found,) = (one for one in checks if one.name == "slack app token")
    assert found.is_good is is_good
    assert ("another Slack app" in found.found) is not is_good
